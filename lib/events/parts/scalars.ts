/** Loss and metrics, learning rate, norm of the gradients and speed, as numbers by tags. */
import { engineOf, Optimizer } from '../../optim/optimizer.ts'
import type { SeenStep } from '../../optim/watch.ts'
import { tensor } from '../../tensor/creation.ts'
import { type Tensor, wrap } from '../../tensor/tensor.ts'
import { dynamicInput } from '../../tensor/trace.ts'
import type { EpochInfo } from '../../train/events.ts'
import type { Run } from '../../train/loop.ts'
import { stepMeans, Totals } from '../../train/scores.ts'
import type { SeenCrossing, WatchedTensors } from '../../train/watching.ts'
import { cond } from '../../transforms/control-flow.ts'
import type { Part, Recording } from '../recording.ts'

export interface ScalarOptions {
  /** How often those of the training are recorded. */
  readonly every: 'epoch' | 'batch' | 'step'
  readonly gradientNorm: boolean
}

/** At most so often, so that the steps of a crossing have one of them. */
const millisecondsBetweenNorms = 25

/** What came since the last record. */
interface Interval {
  readonly totals: Totals
  readonly norms: number[]
  readonly since: number
}

const newInterval = ({ settings: { metrics, loss } }: Run): Interval => ({
  totals: new Totals(metrics, loss.names),
  norms: [],
  since: performance.now(),
})

export class Scalars implements Part {
  readonly #options: ScalarOptions
  #recording: Recording | undefined
  #interval: Interval | undefined
  /** When a step was submitted last whose gradients are measured. */
  #sampledAt = -Infinity
  /** Of the last step, where there is a schedule. */
  #rate: number | undefined

  constructor(options: ScalarOptions) {
    this.#options = options
  }

  step({ gradients, scale, learningRate }: SeenStep): WatchedTensors {
    const found: Record<string, Tensor> = learningRate === undefined ? {} : { learningRate }
    if (!this.#options.gradientNorm || gradients === undefined) return found
    const norm = this.#sampled(gradients.map(([, gradient]) => gradient.cast('float32')))
    return { ...found, gradientNorm: scale === undefined ? norm : norm.div(scale) }
  }

  /** The norm; below 0 at steps of which nobody wants to know it, which are most of them: it is not for nothing. */
  #sampled(gradients: readonly Tensor[]): Tensor {
    if (this.#options.every === 'step') return normOf(gradients)
    const isDue = wrap(dynamicInput('int32', [], () => Int32Array.of(this.#isNormDue() ? 1 : 0)))
    return cond(
      isDue.equal(1),
      (...list: Tensor[]) => normOf(list),
      () => tensor(-1),
      ...gradients,
    )
  }

  #isNormDue(): boolean {
    const now = performance.now()
    const isDue = now - this.#sampledAt >= millisecondsBetweenNorms
    if (isDue) this.#sampledAt = now
    return isDue
  }

  begin(recording: Recording): void {
    this.#recording = recording
    this.#rate = undefined
  }

  beginEpoch({ run }: Recording): void {
    this.#interval = newInterval(run)
    this.#sampledAt = -Infinity
  }

  onSteps(results: WatchedTensors, { batches }: SeenCrossing): void {
    const [norms, rates] = [results.gradientNorm, results.learningRate].map((x) => x?.dataSync())
    const { totals, norms: all } = this.#interval!
    for (const batch of batches) totals.addBatch(batch)
    for (const norm of norms ?? []) if (!(norm < 0)) all.push(norm)
    if (rates !== undefined) this.#rate = rates.at(-1)
    if (this.#options.every !== 'step') return
    const { run } = this.#recording!
    const { metrics, loss } = run.settings
    batches.forEach((batch, i) => {
      const scores = tagged('train', stepMeans(metrics, loss.names, batch))
      const rate = rates?.[i] ?? rateOf(run)
      this.#write({ ...scores, ...tags({ learningRate: rate, gradientNorm: norms?.[i] }) }, i + 1)
    })
  }

  batch({ run }: Recording): void {
    const { every } = this.#options
    if (every === 'epoch') return
    this.#write(every === 'batch' ? { ...this.#means(), ...this.#speed() } : this.#speed())
    this.#interval = newInterval(run)
  }

  epoch({ run }: Recording, { validation, ...scores }: EpochInfo): void {
    const isPerEpoch = this.#options.every === 'epoch'
    const { streaming } = run.settings.metrics
    const means = this.#interval!.totals.means()
    // What is no mean is there once an epoch has ended; means are those of the whole of it, of which a part may stand before a resume.
    const isOfNow = (name: string) => streaming.has(name) || (isPerEpoch && Object.hasOwn(means, name))
    const found = Object.fromEntries(Object.entries(scores).filter(([name]) => isOfNow(name)))
    const rest = isPerEpoch ? { ...this.#means(), ...this.#speed() } : {}
    this.#write({ ...rest, ...tagged('train', found), ...tagged('validation', validation ?? {}) })
    this.#interval = undefined
  }

  /** What came after the last record, such as the loss that is no number any more. */
  close(): void {
    if (this.#options.every !== 'step' && (this.#interval?.totals.rows ?? 0) > 0) this.#write(this.#means())
    this.#interval = undefined
  }

  #means(): Record<string, number> {
    const { totals, norms } = this.#interval!
    if (totals.rows === 0) return {}
    const gradientNorm = norms.length === 0 ? undefined : norms.reduce((sum, x) => sum + x, 0) / norms.length
    const learningRate = this.#rate ?? rateOf(this.#recording!.run)
    return { ...tagged('train', totals.means()), ...tags({ learningRate, gradientNorm }) }
  }

  #speed(): Record<string, number> {
    const { totals, since } = this.#interval!
    const seconds = (performance.now() - since) / 1000
    return tags({ samplesPerSecond: totals.rows === 0 || seconds === 0 ? undefined : totals.rows / seconds })
  }

  #write(values: Readonly<Record<string, number>>, ahead = 0): void {
    if (Object.keys(values).length === 0) return
    this.#recording!.write({ type: 'scalars', ...this.#recording!.place(ahead), values })
  }
}

/** By products of rows with themselves, which are one pass over the gradients. */
const normOf = (gradients: readonly Tensor[]): Tensor =>
  gradients
    .map((x) =>
      x
        .reshape([1, x.size])
        .matmul(x.reshape([x.size, 1]))
        .reshape([]),
    )
    .reduce((a, b) => a.add(b))
    .sqrt()

/** The rate that the next step takes, where it is a number that can be read without waiting for steps. */
function rateOf({ settings: { optimizer } }: Run): number | undefined {
  if (optimizer instanceof Optimizer && engineOf(optimizer).rate.isSchedule) return undefined
  return typeof optimizer.learningRate === 'number' ? optimizer.learningRate : undefined
}

/** Those that are numbers; others, such as confusion matrices, are no scalars. */
const tagged = (kind: 'train' | 'validation', scores: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(scores).flatMap(([name, x]) => (typeof x === 'number' ? [[`${name}/${kind}`, x]] : [])),
  )

const tags = (values: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, x]) => (x === undefined ? [] : [[`training/${name}`, x]])))
