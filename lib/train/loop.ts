/** The loop of training, as what happens in it: epochs of steps that are submitted ahead, and scores of the validation set. */
import { unlessAborted } from '../base/abort.ts'
import { elementAt } from '../base/lists.ts'
import type { Packed } from './checkpoint-file.ts'
import { Checkpoints } from './checkpoints.ts'
import { type EpochInfo, eventOf, type TrainEvent } from './events.ts'
import { History } from './history.ts'
import type { Settings } from './options.ts'
import { Pace } from './pace.ts'
import { pipeline } from './pipeline.ts'
import type { Progress } from './progress.ts'
import { loadCallbacks, loadState, packState, resumedState, type TrainingState } from './resume.ts'
import { addBatch, meansOf, noSums, type Scores, type Sums } from './scores.ts'
import type { Crossing, Feed } from './source.ts'
import { checkSingleRow, type Step, scoringStep, trainingStep } from './steps.ts'

const millisecondsBetweenCallbacks = 50

/** A training under way. */
export interface Run {
  settings: Settings
  readonly progress: Progress
  readonly history: History
  checkpoints: Checkpoints | undefined
  /** Whether somebody wants no further step. */
  stopped: boolean
}

export function newRun(settings: Settings): Run {
  const progress = { epoch: 0, step: 0, totalSteps: 0, sums: noSums(settings.metrics), seconds: 0 }
  return { settings, progress, history: new History(), checkpoints: undefined, stopped: false }
}

/** All that happens. When it ends, by whichever error or because nobody wants more, nothing is under way any more. */
export async function* loop(run: Run): AsyncGenerator<TrainEvent, void, void> {
  let isFailing = false
  try {
    yield* epochsOf(run)
  } catch (error) {
    isFailing = true
    throw error
  } finally {
    await run.checkpoints?.end()
    // Also where the loop was left early: no checkpoint fails unnoticed.
    if (!isFailing) run.checkpoints?.check()
  }
}

interface Steps {
  readonly train: Step
  readonly score: Step | undefined
}

async function* epochsOf(run: Run): AsyncGenerator<TrainEvent, void, void> {
  const { epochs, validation, signal, source } = run.settings
  signal?.throwIfAborted()
  await unlessAborted(signal, Promise.all([source.load(), validation?.source.load()]))
  checkSingleRow(run.settings)
  const { resumed, ...steps } = await begin(run)
  const { progress, history } = run
  yield eventOf('trainBegin', { epochs, epoch: progress.epoch })
  if (resumed) loadCallbacks(run.settings.callbacks, resumed)
  while (progress.epoch < epochs && !run.stopped) {
    yield* trainEpoch(run, steps)
    const info = endEpoch(run)
    if (steps.score && isScored(run, info.epoch)) {
      info.validation = await scoreRows(steps.score, run.settings)
      yield eventOf('validationEnd', { epoch: info.epoch, ...info.validation })
    }
    history.epochs.push(info)
    yield eventOf('epochEnd', info)
    await saveEpoch(run, steps, info)
  }
  saveLast(run, steps)
  await run.checkpoints?.end()
  run.checkpoints?.check()
  yield eventOf('trainEnd', { history })
}

/** Makes the steps, and takes over what there is to resume from. */
async function begin(run: Run): Promise<Steps & { resumed: TrainingState | undefined }> {
  const resumed = await resumedState(run.settings)
  if (resumed) {
    run.settings = { ...run.settings, seed: resumed.options.seed as number }
    loadState(run.settings, resumed)
    Object.assign(run.progress, resumed.progress)
    run.history.epochs.push(...resumed.epochs)
  }
  const { settings, progress } = run
  const train = trainingStep(settings)
  const score = settings.validation && scoringStep(settings.validation.source, settings)
  if (resumed) {
    train.random.draws = resumed.draws.training
    if (score) score.random.draws = resumed.draws.validation
  }
  if (settings.checkpoint) {
    const isSame = settings.resume === settings.checkpoint.directory
    const from = isSame ? { totalSteps: progress.totalSteps, best: resumed?.best } : undefined
    run.checkpoints = await Checkpoints.open(settings.op, settings.checkpoint, from)
  }
  return { train, score, resumed }
}

/** The means of the epoch that has ended, and on to the next one. */
function endEpoch({ progress, settings: { metrics } }: Run): EpochInfo {
  const { epoch, sums, seconds } = progress
  Object.assign(progress, { epoch: epoch + 1, step: 0, sums: noSums(metrics), seconds: 0 })
  return { epoch, ...meansOf(metrics, sums), seconds }
}

function packRun({ settings, progress, history, checkpoints }: Run, { train, score }: Steps): Packed {
  const draws = { training: train.random.draws, validation: score?.random.draws ?? 0 }
  return packState(settings, { progress, draws, epochs: history.epochs, best: checkpoints?.best })
}

async function saveEpoch(run: Run, steps: Steps, info: EpochInfo): Promise<void> {
  const { checkpoints, settings, progress } = run
  if (checkpoints === undefined) return
  const isBest = checkpoints.isBest(info, { validates: settings.validation !== undefined })
  if (isBest) checkpoints.saveBest(packRun(run, steps))
  if (checkpoints.isDueAfter(info.epoch)) checkpoints.save(progress, packRun(run, steps))
  await checkpoints.keepUp()
}

/** So that a training that has ended may go on, too. */
function saveLast(run: Run, steps: Steps): void {
  const { checkpoints, progress } = run
  if (checkpoints && !checkpoints.has(progress)) checkpoints.save(progress, packRun(run, steps))
}

/** After every so many epochs, and the last one. */
function isScored({ settings: { validation, epochs }, stopped }: Run, epoch: number): boolean {
  return stopped || epoch + 1 === epochs || (epoch + 1) % validation!.every === 0
}

async function* trainEpoch(run: Run, steps: Steps): AsyncGenerator<TrainEvent, void, void> {
  const { settings, progress, checkpoints } = run
  const { epoch } = progress
  yield eventOf('epochBegin', { epoch })
  const start = performance.now() - 1000 * progress.seconds
  const order = settings.shuffle ? { seed: settings.seed, epoch } : undefined
  const feed = await settings.source.feed(settings, order, progress.step)
  const clock = { pace: new Pace(settings.sliceMilliseconds), called: performance.now() }
  while (!feed.isOver && !run.stopped) {
    yield* trainSteps(run, steps.train, feed, clock)
    progress.seconds = (performance.now() - start) / 1000
    if (checkpoints?.isDue(progress.totalSteps)) checkpoints.save(progress, packRun(run, steps))
  }
}

/** Of an epoch: how fast it goes, and when somebody was told last. */
interface Clock {
  readonly pace: Pace
  called: number
}

/** The steps to the end of the epoch, or to where a checkpoint is due: when it ends, no step is under way. */
async function* trainSteps(run: Run, train: Step, feed: Feed, clock: Clock): AsyncGenerator<TrainEvent, void, void> {
  const { settings, progress } = run
  for await (const results of runSteps(train, feed, settings, clock.pace, limitOf(run))) {
    for (const result of results) {
      progress.step++
      progress.totalSteps++
      addBatch(progress.sums, result)
      checkLoss(run, result.loss)
      if (settings.everyStep) yield stepEvent(run, result)
    }
    if (progress.step < feed.steps && performance.now() - clock.called < millisecondsBetweenCallbacks) continue
    yield batchEvent(run, feed.steps)
    clock.called = performance.now()
  }
}

/** How many steps may be submitted next, once so many were since it was made. */
function limitOf(run: Run): (submitted: number) => number {
  const before = run.progress.totalSteps
  return (submitted) => {
    run.checkpoints?.check()
    const total = before + submitted
    if (run.stopped || run.checkpoints?.isDue(total)) return 0
    return run.checkpoints?.stepsLeft(total) ?? Infinity
  }
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

/** Submits what is left of a feed, as far as the limit goes; gives for each crossing, step by step, the loss and the sums of the metrics. */
async function* runSteps(
  step: Step,
  feed: Feed,
  settings: Settings,
  pace = new Pace(settings.sliceMilliseconds),
  limit: (submitted: number) => number = () => Infinity,
): AsyncGenerator<readonly Sums[], void, void> {
  pace.resume()
  const crossings = crossingsOf(feed, pace, settings, limit)
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

function* crossingsOf(
  feed: Feed,
  pace: Pace,
  { signal }: Settings,
  limit: (submitted: number) => number,
): Generator<Crossing> {
  for (let submitted = 0; ; ) {
    const most = limit(submitted)
    if (most === 0) return
    signal?.throwIfAborted()
    const crossing = feed.next(Math.min(pace.steps, most))
    if (crossing === null) return
    submitted += crossing.steps
    yield crossing
  }
}

function checkLoss({ settings: { op }, progress: { epoch, step } }: Run, loss: number): void {
  if (Number.isFinite(loss)) return
  const hint = 'try a lower learning rate, and look for NaN, infinite or very large numbers in the data'
  throw new Error(`${op}: loss is ${loss} at epoch ${epoch + 1}, step ${step}; ${hint}`)
}
