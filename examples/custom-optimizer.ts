// An optimizer of your own, for work: AdaBelief by its rule on tensors, with a schedule, without decay of biases and norms, with clipped
// gradients, and a mean of the parameters that is used in the end. It tells two spirals apart: `npx tsx examples/custom-optimizer.ts`, `--help`.

import { Command } from 'commander'
import * as g from '../lib/index.ts'
import { count, seed as seedOption } from './support/options.ts'

interface AdabeliefOptions {
  learningRate?: g.optim.RateLike
  beta1?: number
  beta2?: number
  epsilon?: number
  weightDecay?: number
  /** Which parameters do not decay. */
  undecayed?: RegExp
}

/**
 * Adam that divides by how far gradients are from their mean, not from 0. Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the
 * belief in observed gradients" (2020), https://arxiv.org/abs/2010.07468, algorithm 2, with decoupled weight decay.
 */
export function adabelief(options: AdabeliefOptions = {}): g.optim.Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, undecayed } = options
  const ruleWith =
    (decay: number): g.optim.UpdateRule =>
    ({ parameter, gradient, learningRate, step, slot }) => {
      const mean = slot('mean')
        .mul(beta1)
        .add(gradient.mul(1 - beta1))
      const surprise = slot('surprise')
        .mul(beta2)
        .add(
          gradient
            .sub(mean)
            .square()
            .mul(1 - beta2),
        )
        .add(epsilon)
      // 1 − βᵗ, without its cancellation in float32.
      const [first, second] = [beta1, beta2].map((beta) => step.mul(Math.log(beta)).expm1().neg()) as [
        g.Tensor,
        g.Tensor,
      ]
      const direction = mean.div(first).div(surprise.div(second).sqrt().add(epsilon))
      const next = parameter.sub(direction.add(parameter.mul(decay)).mul(learningRate))
      return { parameter: next, mean, surprise }
    }
  return g.optim.optimizer({
    name: 'adabelief',
    learningRate,
    rule: ruleWith(weightDecay),
    groups: undecayed === undefined ? [] : [{ pattern: undecayed, rule: ruleWith(0) }],
  })
}

/** Points along two arms that wind around each other, with the number of the arm. */
function spirals(rows: number, seed: number): g.Dataset {
  const noise = g.randn([rows, 2], { seed, std: 0.02 })
  const points = Array.from({ length: rows }, (_, i) => {
    const along = Math.sqrt((i + 0.5) / rows)
    const angle = 3 * Math.PI * along + (i % 2) * Math.PI
    return [along * Math.cos(angle), along * Math.sin(angle)]
  })
  return g.data.fromTensors(noise.add(points), g.tensor(Int32Array.from({ length: rows }, (_, i) => i % 2)))
}

export const createModel = () =>
  g.nn.sequential(
    g.nn.linear(2, 32),
    g.nn.layerNorm(32),
    g.nn.gelu(),
    g.nn.linear(32, 32),
    g.nn.layerNorm(32),
    g.nn.gelu(),
    g.nn.linear(32, 2),
  )

async function main(): Promise<void> {
  const { epochs, seed } = new Command('npx tsx examples/custom-optimizer.ts')
    .description('Train a small network on two spirals by an optimizer of its own.')
    .option('--epochs <n>', 'passes over the points', count, 60)
    .option('--seed <n>', 'of all that is random', seedOption, 1)
    .parse()
    .opts<{ epochs: number; seed: number }>()
  g.setSeed(seed)
  const [rows, batchSize] = [1024, 64]
  const steps = (epochs * rows) / batchSize
  const model = createModel()
  const schedule = g.schedules.oneCycle({ peak: 0.02, steps })
  const own = adabelief({ learningRate: schedule, weightDecay: 0.01, undecayed: /bias$|^[14]\./ })
  const optimizer = g.optim.ema(g.optim.chain(g.optim.clipByGlobalNorm(1), own), { decay: 0.98 })
  const test = spirals(512, seed + 1)
  const { epochs: history } = await g.fit(model, spirals(rows, seed), {
    epochs,
    batchSize,
    loss: 'crossEntropy',
    metrics: ['accuracy'],
    optimizer,
    validation: test,
    seed,
    callbacks: {
      onEpochEnd({ epoch, loss, validation }) {
        if ((epoch + 1) % 10 !== 0) return
        const rate = optimizer.learningRate.toExponential(1)
        console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(4)}, next rate ${rate}, test ${validation?.accuracy}`)
      },
    },
  })
  const [x, y] = test.batch(Array.from({ length: test.size }, (_, i) => i))
  model.eval()
  const accuracy = await optimizer.withAverages(() => g.metrics.accuracy(model.forward(x), y).item())
  console.log(`test accuracy ${(100 * (history.at(-1)?.validation?.accuracy ?? 0)).toFixed(1)}%`)
  console.log(`test accuracy of the mean ${(100 * accuracy).toFixed(1)}%`)
}

if (process.argv[1]?.includes('custom-optimizer')) await main()
