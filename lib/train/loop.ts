/** The loop of training, as what happens in it: epochs of steps that are submitted ahead, and scores of the validation set. */
import { unlessAborted } from '../base/abort.ts'
import { elementAt } from '../base/lists.ts'
import { type EpochInfo, eventOf, type TrainEvent } from './events.ts'
import { History } from './history.ts'
import type { Settings } from './options.ts'
import { Pace } from './pace.ts'
import { pipeline } from './pipeline.ts'
import type { Progress } from './progress.ts'
import { addBatch, meansOf, noSums, type Scores, type Sums } from './scores.ts'
import type { Crossing, Feed } from './source.ts'
import { checkSingleRow, type Step, scoringStep, trainingStep } from './steps.ts'

const millisecondsBetweenCallbacks = 50

/** A training under way. */
export interface Run {
  readonly settings: Settings
  readonly progress: Progress
  readonly history: History
  /** Whether somebody wants no further step. */
  stopped: boolean
}

export function newRun(settings: Settings): Run {
  const progress = { epoch: 0, step: 0, totalSteps: 0, sums: noSums(settings.metrics), seconds: 0 }
  return { settings, progress, history: new History(), stopped: false }
}

/** All that happens. When it ends, by whichever error or because nobody wants more, nothing is under way any more. */
export async function* loop(run: Run): AsyncGenerator<TrainEvent, void, void> {
  const { settings, progress, history } = run
  const { epochs, validation, signal } = settings
  signal?.throwIfAborted()
  await unlessAborted(signal, Promise.all([settings.source.load(), validation?.source.load()]))
  checkSingleRow(settings)
  const train = trainingStep(settings)
  const score = validation && scoringStep(validation.source, settings)
  yield eventOf('trainBegin', { epochs, epoch: progress.epoch })
  while (progress.epoch < epochs && !run.stopped) {
    yield* trainEpoch(run, train)
    const { epoch, sums, seconds } = progress
    const info: EpochInfo = { epoch, ...meansOf(settings.metrics, sums), seconds }
    if (score && isScored(run)) {
      info.validation = await scoreRows(score, settings)
      yield eventOf('validationEnd', { epoch, ...info.validation })
    }
    history.epochs.push(info)
    Object.assign(progress, { epoch: epoch + 1, step: 0, sums: noSums(settings.metrics), seconds: 0 })
    yield eventOf('epochEnd', info)
  }
  yield eventOf('trainEnd', { history })
}

/** After every so many epochs, and the last one. */
function isScored({ settings: { validation, epochs }, progress: { epoch }, stopped }: Run): boolean {
  return stopped || epoch + 1 === epochs || (epoch + 1) % validation!.every === 0
}

async function* trainEpoch(run: Run, train: Step): AsyncGenerator<TrainEvent, void, void> {
  const { settings, progress } = run
  const { epoch } = progress
  yield eventOf('epochBegin', { epoch })
  const start = performance.now() - 1000 * progress.seconds
  const order = settings.shuffle ? { seed: settings.seed, epoch } : undefined
  const feed = await settings.source.feed(settings, order, progress.step)
  let called = performance.now()
  for await (const results of runSteps(train, feed, settings, () => run.stopped)) {
    for (const result of results) {
      progress.step++
      progress.totalSteps++
      addBatch(progress.sums, result)
      checkLoss(run, result.loss)
      if (settings.everyStep) yield stepEvent(run, result)
    }
    if (progress.step < feed.steps && performance.now() - called < millisecondsBetweenCallbacks) continue
    yield batchEvent(run, feed.steps)
    called = performance.now()
  }
  progress.seconds = (performance.now() - start) / 1000
}

function stepEvent({ settings: { metrics }, progress: { epoch, step } }: Run, { rows, loss, metrics: sums }: Sums) {
  const of = meansOf(metrics, { rows, loss: loss * rows, metrics: sums })
  return eventOf('stepEnd', { epoch, step, samples: rows, ...of, loss })
}

function batchEvent({ settings, progress: { epoch, step, sums } }: Run, steps: number) {
  return eventOf('batchEnd', { epoch, step, steps, samples: sums.rows, ...meansOf(settings.metrics, sums) })
}

async function scoreRows(score: Step, settings: Settings): Promise<Scores> {
  const sums = noSums(settings.metrics)
  const { batchSize } = settings
  const feed = await settings.validation!.source.feed({ batchSize, dropLast: false, stepsPerEpoch: undefined })
  for await (const results of runSteps(score, feed, settings)) for (const result of results) addBatch(sums, result)
  return meansOf(settings.metrics, sums)
}

/** Submits what is left of a feed, until it is to stop; gives for each crossing, step by step, the loss and the sums of the metrics. */
async function* runSteps(
  step: Step,
  feed: Feed,
  settings: Settings,
  isStopped = () => false,
): AsyncGenerator<readonly Sums[], void, void> {
  const pace = new Pace(settings.sliceMilliseconds)
  const crossings = crossingsOf(feed, pace, settings, isStopped)
  for await (const { result, item } of pipeline(crossings, ({ argument }) => step.run.scan(argument))) {
    pace.ended(item.steps)
    const [losses, ...sums] = result.map((tensor) => tensor.dataSync())
    yield Array.from({ length: item.steps }, (_, i) => ({
      rows: item.rows,
      loss: losses![i]!,
      metrics: sums.map((sum) => elementAt(sum, i)),
    }))
    pace.resume()
  }
}

function* crossingsOf(feed: Feed, pace: Pace, { signal }: Settings, isStopped: () => boolean): Generator<Crossing> {
  while (!isStopped()) {
    signal?.throwIfAborted()
    const crossing = feed.next(pace.steps)
    if (crossing === null) return
    yield crossing
  }
}

function checkLoss({ settings: { op }, progress: { epoch, step } }: Run, loss: number): void {
  if (Number.isFinite(loss)) return
  const hint = 'try a lower learning rate, and look for NaN, infinite or very large numbers in the data'
  throw new Error(`${op}: loss is ${loss} at epoch ${epoch + 1}, step ${step}; ${hint}`)
}
