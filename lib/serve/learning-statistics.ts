/** What an online trainer has done so far, as plain data and as Prometheus' text. */
import type { ExampleCounts } from './examples.ts'
import type { Round } from './online-options.ts'
import { type Labelled, metric, snake, textOf } from './prometheus.ts'

export interface OnlineTrainerStatistics extends ExampleCounts {
  /** Rows that are kept to be trained on. */
  readonly buffered: number
  readonly steps: number
  readonly rounds: number
  readonly swaps: number
  readonly keptBack: number
  readonly undone: number
  /** Checkpoints that were written, and that could not be. */
  readonly checkpoints: number
  readonly failedCheckpoints: number
  /** The versions that `rollback` may go back to, the one that is served last. */
  readonly versions: readonly number[]
  readonly last: Round | null
  /** What training has ended with; null unless it has. */
  readonly failure: string | null
}

const counters = {
  rows: 'Rows with targets that came.',
  heldOut: 'Rows of them that were held out.',
  removed: 'Rows of them that no step could take.',
  steps: 'Steps of training.',
  rounds: 'Rounds of training.',
  swaps: 'Rounds after which what was learned was served.',
  keptBack: 'Rounds after which it was kept back, as it was worse.',
  undone: 'Rounds that were undone, as their loss was no finite number.',
  checkpoints: 'Checkpoints that were written.',
  failedCheckpoints: 'Checkpoints that could not be written.',
} as const
const counterNames = Object.keys(counters) as (keyof typeof counters)[]

/** A trainer, and what is said of it. */
export interface DescribedLearning extends Labelled {
  readonly statistics: OnlineTrainerStatistics
}

/** Prometheus' text of one or several trainers. */
export function learningText(all: readonly DescribedLearning[]): string {
  const gauge = (name: string, text: string, valueIn: (x: OnlineTrainerStatistics) => number | null) =>
    metric(`learn_${name}`, text, 'gauge', all, ({ statistics }) => valueIn(statistics))
  return textOf([
    ...counterNames.flatMap((name) =>
      metric(`learn_${snake(name)}_total`, counters[name], 'counter', all, (x) => x.statistics[name]),
    ),
    ...gauge('buffered', 'Rows that are kept to be trained on.', (x) => x.buffered),
    ...gauge('loss', 'The mean loss of the last round.', (x) => x.last?.loss ?? null),
    ...gauge('served_loss', 'The loss of what was served then, on rows held out.', (x) => x.last?.served ?? null),
    ...gauge('learned_loss', 'The loss of what was learned then, on rows held out.', (x) => x.last?.learned ?? null),
    ...gauge('failed', 'Whether training has ended with an error.', (x) => (x.failure === null ? 0 : 1)),
  ])
}
