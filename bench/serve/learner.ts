/** Training beside serving: rows come as fast as they are trained on. */
import * as g from '../../lib/index.ts'
import { type OnlineTrainer, onlineTrainer, type Predictor } from '../../lib/serve/index.ts'
import type { Net } from '../nets.ts'
import { median } from './numbers.ts'

/** The share of the time that is trained in, and the rows of a step. */
export const share = 0.25
const batchSize = 32

/** Rows of a shape, one after the other. */
export const rowOf = (shape: readonly number[], rows = 1): Float32Array =>
  g.uniform([rows * shape.reduce((a, b) => a * b)], { seed: 7 }).dataSync() as Float32Array

const labels = () => Int32Array.from({ length: batchSize }, (_, i) => i % 10)

export class Learner {
  readonly #trainer: OnlineTrainer
  #feeding: NodeJS.Timeout | undefined

  /** @param served of the model */
  constructor(
    private readonly net: Net,
    model: g.nn.Module,
    served: Predictor,
  ) {
    const rounds = { every: batchSize, steps: 16, batchSize, share }
    // What comes of a round is served, whatever it is: swaps belong to what is measured.
    const judged = { predictor: served, loss: 'crossEntropy', tolerance: 1e9 } as const
    this.#trainer = onlineTrainer(model, { optimizer: g.optim.adam(), ...rounds, ...judged })
  }

  get steps(): number {
    return this.#trainer.statistics().steps
  }

  /** Whether it trains from now on; settles once the round that is under way has ended. */
  async train(isOn: boolean): Promise<void> {
    clearInterval(this.#feeding)
    if (!isOn) return this.#trainer.idle()
    const rows = rowOf(this.net.shape, batchSize)
    this.#feeding = setInterval(() => this.#trainer.learn(rows, labels()), 20)
  }

  /** Milliseconds of a step of another model alike, with nothing beside it. */
  async stepTime(): Promise<number> {
    const [model, optimizer] = [this.net.create(), g.optim.adam()]
    const step = g.compile((x: g.Tensor, y: g.Tensor) =>
      optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y), model),
    )
    const { shape } = this.net
    const x = g.tensor(rowOf(shape, batchSize), { shape: [batchSize, ...shape] })
    const y = g.tensor(labels())
    const times: number[] = []
    for (let i = 0; i < 50; i++) {
      const start = performance.now()
      await step(x, y)
      times.push(performance.now() - start)
    }
    return median(times)
  }
}
