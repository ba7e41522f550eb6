// Learns to balance a pole by Q-learning with a replay buffer and a target network (V. Mnih et al.: Human-level control through deep
// reinforcement learning, 2015), where the network that learns chooses and the other one judges (H. van Hasselt et al., 2016):
// `npx tsx examples/dqn.ts`, `--help`. What happens in the world is plain JavaScript; a step of learning is one compiled program.

import { Command } from 'commander'
import * as g from '../lib/index.ts'
import { type Action, hasFailed, mostSteps, push, type State, startState } from './support/cart-pole.ts'
import { count, isProgram, seed as seedOption } from './support/options.ts'
import { ReplayBuffer } from './support/replay-buffer.ts'

interface Options {
  episodes: number
  goal: number
  seed: number
}

const command = new Command('npx tsx examples/dqn.ts')
  .description('Learn to balance a pole on a cart by deep Q-learning.')
  .option('--episodes <n>', 'at most', count, 500)
  .option('--goal <n>', 'mean length of 100 episodes that ends it', count, 195)
  .option('--seed <n>', 'of all that is random', seedOption, 1)

const batchSize = 64
const discount = 0.99
const learningRate = 1e-3
/** How much of the learning network goes into the target network with each step. */
const following = 0.01
/** Of the steps how many are random: from all to few over so many steps. */
const exploration = { first: 1, last: 0.01, steps: 3000 }

export const createNetwork = () =>
  g.nn.sequential(g.nn.linear(4, 128), g.nn.relu(), g.nn.linear(128, 128), g.nn.relu(), g.nn.linear(128, 2))

/** The value that the actions taken should have had: the reward, and what the next state is worth, unless the episode ended there. */
function targetsOf(
  network: g.nn.Module,
  judge: g.nn.Module,
  reward: g.Tensor,
  next: g.Tensor,
  goesOn: g.Tensor,
): g.Tensor {
  const best = network.forward(next).argmax(-1, { keepDims: true })
  const worth = judge.forward(next).takeAlongAxis(best, -1).squeeze(-1)
  return g.stopGradient(reward.add(worth.mul(goesOn).mul(discount)))
}

/** One step of learning, and of the target network after it. */
function createStep(network: g.nn.Module, target: g.nn.Module) {
  const optimizer = g.optim.adam({ learningRate })
  const [learning, followers] = [network.parameters(), target.parameters()]
  return g.compile((state: g.Tensor, action: g.Tensor, reward: g.Tensor, next: g.Tensor, goesOn: g.Tensor) => {
    const targets = targetsOf(network, target, reward, next, goesOn)
    const loss = optimizer.minimize(() => {
      const values = network
        .forward(state)
        .takeAlongAxis(action.reshape([batchSize, 1]), -1)
        .squeeze(-1)
      return g.losses.huber(values, targets)
    }, network)
    followers.forEach((follower, i) => {
      follower.assign(follower.mul(1 - following).add(learning[i]!.mul(following)))
    })
    return loss
  })
}

async function main({ episodes, goal, seed }: Options): Promise<void> {
  g.setSeed(seed)
  const random = randomNumbers(seed)
  const [network, target] = [createNetwork(), createNetwork()]
  target.loadStateDict(network.stateDict())
  const act = g.compile((state: g.Tensor) => network.forward(state).argmax(-1))
  const learn = createStep(network, target)
  const memory = new ReplayBuffer(100_000, 4, random)
  const lengths: number[] = []
  let steps = 0

  const chosen = (state: State): Action => {
    const share = Math.min(1, steps / exploration.steps)
    const isRandom = random() < exploration.first + (exploration.last - exploration.first) * share
    if (isRandom) return random() < 0.5 ? 0 : 1
    return act.sync(g.tensor(state, { shape: [1, 4] })).itemSync() === 1 ? 1 : 0
  }

  const start = performance.now()
  for (let episode = 1; episode <= episodes; episode++) {
    let state = startState(random)
    let length = 0
    for (let failed = false; !failed && length < mostSteps; length++) {
      const action = chosen(state)
      const next = push(state, action)
      failed = hasFailed(next)
      // All that there is to learn is not to fail: values are from −1 to 0 then, however long it goes well.
      memory.add(state, action, failed ? -1 : 0, next, failed)
      state = next
      steps++
      if (memory.size >= 10 * batchSize) await learn(...memory.sample(batchSize))
    }
    lengths.push(length)
    const recent = lengths.slice(-100)
    const mean = recent.reduce((sum, x) => sum + x, 0) / recent.length
    if (episode % 20 === 0)
      console.log(`episode ${episode}: mean of the last ${recent.length} ${mean.toFixed(1)} steps`)
    if (recent.length === 100 && mean >= goal) {
      const time = (performance.now() - start) / 1000
      console.log(
        `solved after ${episode} episodes (mean of the last 100 ${mean.toFixed(1)} steps), ${steps} steps, ${time.toFixed(0)} s`,
      )
      return
    }
  }
  console.log(`not solved in ${episodes} episodes`)
  process.exitCode = 1
}

/** Numbers from 0 to 1 that follow from a seed, drawn many at a time. */
function randomNumbers(seed: number): () => number {
  const stream = g.randomStream(seed)
  let numbers: ArrayLike<number> = []
  let used = 0
  return () => {
    if (used === numbers.length) {
      numbers = stream.run(() => g.uniform([4096])).dataSync()
      used = 0
    }
    return numbers[used++]!
  }
}

if (isProgram(import.meta.url)) await main(command.parse().opts<Options>())
