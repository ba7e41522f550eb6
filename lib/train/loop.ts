/** The loop of training, as what happens in it: epochs of steps that are submitted ahead, and scores of the validation set. */
import { unlessAborted } from '../base/abort.ts'
import type { Packed } from './checkpoint-file.ts'
import { Checkpoints, isSameDirectory } from './checkpoints.ts'
import { type EpochInfo, eventOf, type TrainEvent } from './events.ts'
import { History } from './history.ts'
import { Idle } from './idle.ts'
import type { Settings } from './options.ts'
import { Pace } from './pace.ts'
import { pipeline } from './pipeline.ts'
import type { Progress } from './progress.ts'
import { loadCallbacks, loadState, packState, resumedState, type TrainingState } from './resume.ts'
import { batchesIn, type Scores, type StepResult, type Sums, stepMeans, Totals } from './scores.ts'
import { type Crossing, type Feed, type Source, StreamSource } from './source.ts'
import { checkSingleRow, type Step, scoringStep, trainingStep } from './steps.ts'

const millisecondsBetweenCallbacks = 50

/** A training under way. */
export interface Run {
  settings: Settings
  readonly progress: Progress
  readonly history: History
  /** How many steps the epoch under way has, Infinity where nobody knows. */
  stepsPerEpoch: number
  /** Of the epoch under way. */
  totals: Totals
  checkpoints: Checkpoints | undefined
  /** Whether somebody wants no further step. */
  stopped: boolean
  /** Whether somebody wants none for now. */
  paused: boolean
}

export function newRun(settings: Settings): Run {
  const progress = { epoch: 0, step: 0, totalSteps: 0, seconds: 0, waited: 0 }
  const totals = noTotals(settings)
  const rest = {
    history: new History(),
    stepsPerEpoch: Infinity,
    checkpoints: undefined,
    stopped: false,
    paused: false,
  }
  return { settings, progress, totals, ...rest }
}

const noTotals = ({ metrics, loss }: Settings) => new Totals(metrics, loss.names)

/** All that happens. When it ends, by whichever error or because nobody wants more, nothing is under way any more. */
export async function* loop(run: Run): AsyncGenerator<TrainEvent, void, void> {
  let isFailing = false
  try {
    yield* epochsOf(run)
  } catch (error) {
    isFailing = true
    throw error
  } finally {
    await run.settings.source.close()
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
  // One that is under way is ended, also where it was stopped in the midst of it.
  while (progress.epoch < epochs && !run.paused && (!run.stopped || progress.step > 0)) {
    const isOver = yield* trainEpoch(run, steps)
    if (run.paused && !isOver) break
    // Stopped before its first step: it has no scores.
    if (run.stopped && progress.step === 0) break
    const info = await endEpoch(run)
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
    run.stopped = run.settings.epochs <= (resumed.stopped ?? 0)
    run.history.epochs.push(...resumed.epochs)
    run.totals = new Totals(run.settings.metrics, run.settings.loss.names, resumed.totals)
  }
  const { settings, progress } = run
  const train = trainingStep(settings)
  const score = settings.validation && scoringStep(settings.validation.source, settings)
  if (resumed) {
    train.random.draws = resumed.draws.training
    if (score) score.random.draws = resumed.draws.validation
  }
  if (settings.checkpoint) {
    const isSame = isSameDirectory(settings.resume, settings.checkpoint.directory)
    const from = isSame ? { totalSteps: progress.totalSteps, best: resumed?.best } : undefined
    run.checkpoints = await Checkpoints.open(settings.op, settings.checkpoint, from)
  }
  return { train, score, resumed }
}

/** The scores of the epoch that has ended, and on to the next one. */
async function endEpoch(run: Run): Promise<EpochInfo> {
  const { progress, settings, totals } = run
  const { epoch, seconds, waited } = progress
  const info: EpochInfo = { epoch, ...(await totals.scores()), seconds }
  if (settings.source instanceof StreamSource) info.waiting = seconds > 0 ? waited / seconds : 0
  run.totals = noTotals(settings)
  Object.assign(progress, { epoch: epoch + 1, step: 0, seconds: 0, waited: 0 })
  return info
}

function packRun(run: Run, { train, score }: Steps): Packed {
  const { settings, progress, totals, history, checkpoints, stopped } = run
  const draws = { training: train.random.draws, validation: score?.random.draws ?? 0 }
  const place = { progress, stopped: stopped ? settings.epochs : undefined, epochs: history.epochs }
  return packState(settings, { ...place, totals: totals.save(), draws, best: checkpoints?.best })
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

/** Gives whether all its steps were done. */
async function* trainEpoch(run: Run, steps: Steps): AsyncGenerator<TrainEvent, boolean, void> {
  const { settings, progress, checkpoints } = run
  const { epoch, step, data } = progress
  yield eventOf('epochBegin', { epoch })
  const start = performance.now() - 1000 * progress.seconds
  const seed = settings.shuffle ? settings.seed : undefined
  const feed = await settings.source.feed(settings, { epoch, step, seed, state: data })
  run.stepsPerEpoch = feed.steps
  const clock = { pace: new Pace(settings.sliceMilliseconds), called: performance.now(), told: step }
  try {
    while (!feed.isOver && !run.stopped && !run.paused) {
      yield* trainSteps(run, steps.train, feed, clock)
      progress.seconds = (performance.now() - start) / 1000
      if (checkpoints?.isDue(progress.totalSteps)) checkpoints.save(progress, packRun(run, steps))
    }
    // Where nobody knew that it was the last one.
    if (clock.told < progress.step) yield batchEvent(run, feed.steps)
    return feed.isOver
  } finally {
    await feed.close()
  }
}

/** Of an epoch: how fast it goes, when somebody was told last, and of which step. */
interface Clock {
  readonly pace: Pace
  called: number
  told: number
}

/** The steps to the end of the epoch, or to where a checkpoint is due: when it ends, no step is under way. */
async function* trainSteps(run: Run, train: Step, feed: Feed, clock: Clock): AsyncGenerator<TrainEvent, void, void> {
  const { settings, progress, totals } = run
  const idle = new Idle()
  const results = runSteps(train, feed, settings, clock.pace, limitOf(run), idle)
  for await (const { batches, parts, watched, crossing } of results) {
    totals.addParts(parts, crossing.steps)
    settings.watching.forEach((each, i) => void each.onSteps?.(watched[i]!, { crossing, batches }))
    for (const batch of batches) {
      progress.step++
      progress.totalSteps++
      totals.addBatch(batch)
      checkLoss(run, batch.loss)
      if (settings.everyStep) yield stepEvent(run, batch)
    }
    progress.data = crossing.state
    progress.waited += idle.takeSeconds()
    if (progress.step < feed.steps && performance.now() - clock.called < millisecondsBetweenCallbacks) continue
    yield batchEvent(run, feed.steps)
    clock.called = performance.now()
    clock.told = progress.step
  }
}

/** How many steps may be submitted next, once so many were since it was made. */
function limitOf(run: Run): (submitted: number) => number {
  const before = run.progress.totalSteps
  return (submitted) => {
    run.checkpoints?.check()
    const total = before + submitted
    if (run.stopped || run.paused || run.checkpoints?.isDue(total)) return 0
    return run.checkpoints?.stepsLeft(total) ?? Infinity
  }
}

const stepEvent = ({ settings: { metrics, loss }, progress: { epoch, step } }: Run, batch: Sums) =>
  eventOf('stepEnd', { epoch, step, samples: batch.rows, ...stepMeans(metrics, loss.names, batch) })

const batchEvent = ({ totals, progress: { epoch, step } }: Run, steps: number) =>
  eventOf('batchEnd', { epoch, step, steps, samples: totals.rows, ...totals.means() })

async function scoreRows(score: Step, settings: Settings): Promise<Scores> {
  const { source } = settings.validation!
  const totals = noTotals(settings)
  await addAll(totals, score, source, settings)
  return totals.scores()
}

/** Adds all that a source gives, from its beginning to its end. */
export async function addAll(
  totals: Totals,
  score: Step,
  source: Source,
  settings: Pick<Settings, 'batchSize' | 'signal' | 'sliceMilliseconds' | 'watching'>,
): Promise<void> {
  const { batchSize, signal, watching } = settings
  const feed = await source.feed(
    { batchSize, signal, dropLast: false, stepsPerEpoch: undefined },
    { epoch: 0, step: 0 },
  )
  try {
    for await (const { batches, parts, watched, crossing } of runSteps(score, feed, settings)) {
      totals.addParts(parts, crossing.steps)
      watching.forEach((each, i) => void each.onRows?.(watched[i]!, { crossing, batches }))
      for (const batch of batches) totals.addBatch(batch)
    }
  } finally {
    await feed.close()
  }
}

interface CrossingResult {
  readonly crossing: Crossing
  /** Step by step. */
  readonly batches: readonly Sums[]
  readonly parts: StepResult['parts']
  readonly watched: StepResult['watched']
}

/** Submits what is left of a feed, as far as the limit goes, and gives what came of each crossing. */
async function* runSteps(
  step: Step,
  feed: Feed,
  settings: Pick<Settings, 'signal' | 'sliceMilliseconds'>,
  pace = new Pace(settings.sliceMilliseconds),
  limit: (submitted: number) => number = () => Infinity,
  idle = new Idle(),
): AsyncGenerator<CrossingResult, void, void> {
  pace.resume()
  const crossings = crossingsOf(feed, pace, settings, limit, idle)
  const submit = ({ argument, steps }: Crossing) =>
    idle.during(steps === undefined ? step.run(argument) : step.run.scan(argument))
  for await (const { result, item } of pipeline(crossings, submit)) {
    const { steps = 1, rows } = item
    pace.ended(steps)
    const { parts, watched } = result
    yield { crossing: item, batches: batchesIn(result, steps, rows), parts, watched }
    pace.resume()
  }
}

/** The crossings of a feed, as far as the limit goes. */
export async function* crossingsOf(
  feed: Feed,
  pace: Pace,
  { signal }: Pick<Settings, 'signal'>,
  limit: (submitted: number) => number = () => Infinity,
  idle = new Idle(),
): AsyncGenerator<Crossing, void, void> {
  for (let submitted = 0; ; ) {
    const most = limit(submitted)
    if (most === 0) return
    signal?.throwIfAborted()
    const next = feed.next(Math.min(pace.steps, most))
    const crossing = next instanceof Promise ? await unlessAborted(signal, idle.whileWaiting(next)) : next
    if (crossing === null) return
    submitted += crossing.steps ?? 1
    yield crossing
  }
}

function checkLoss({ settings: { op }, progress: { epoch, step } }: Run, loss: number): void {
  if (Number.isFinite(loss)) return
  const hint = 'try a lower learning rate, and look for NaN, infinite or very large numbers in the data'
  throw new Error(`${op}: loss is ${loss} at epoch ${epoch + 1}, step ${step}; ${hint}`)
}
