/** A training from beginning to end: its data, its model, its folder, and what it says. */
import { join, relative } from 'node:path'
import { columnsOf } from '../../base/columns.ts'
import { save } from '../../files/safetensors.ts'
import type { Optimizer } from '../../optim/index.ts'
import type { RateLike } from '../../optim/rate.ts'
import { setSeed } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Callbacks } from '../../train/callbacks/callback.ts'
import { checkpointsIn } from '../../train/checkpoints.ts'
import { fit } from '../../train/fit.ts'
import type { History } from '../../train/history.ts'
import type { FitOptions } from '../../train/options.ts'
import { argumentsOf, type Call, type CallTable, callByName, type Infer } from '../config/calls.ts'
import { ConfigError, type Fault } from '../config/diagnostics.ts'
import { callbacks as callbackTable, optimizers, schedulesByName } from '../config/functions.ts'
import type { TrainConfig } from '../config/schema.ts'
import { type DataDescription, outputsOf } from '../data/description.ts'
import { type LoadedData, loadData } from '../data/load.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { buildModel } from '../model/build.ts'
import type { Reporter } from '../reporter/reporter.ts'
import { type CompleteConfig, withDefaults, withLoss } from './defaults.ts'
import { checkpointsOf, placeOf, type Run, runFiles, writeRun } from './folder.ts'
import { type Interruption, onInterrupt } from './interrupt.ts'
import { type Watch, watchers } from './watch.ts'

/** What a training is begun with. */
export interface TrainRequest {
  readonly run: Omit<Run, 'data'>
  readonly resume: boolean
  readonly reporter: Reporter
  readonly watch: Watch
}

/** The path as who called sees it. */
const shown = (path: string): string => relative(process.cwd(), path) || '.'

/** Gives the exit code. */
export async function trainRun({ run: given, resume, reporter, watch }: TrainRequest): Promise<number> {
  const { configFile, folder } = given
  const place = placeOf(given)
  const complete = withDefaults(given.config)
  setSeed(complete.seed)
  const data = await loadData(complete, place.folder)
  const config = withLoss(complete, data.description.target)
  const run = { ...given, config, data: data.description }
  const built = await buildModel(config, place, data.description)
  if (!resume) await built.preparation.fit(data.train)
  await checkFolder(run, resume)
  await writeRun(run)
  const parameters = built.pipeline.parameters().reduce((sum, { size }) => sum + size, 0)
  const rows = { train: data.train.size, validation: data.validation?.size ?? 0 }
  reporter.note(`${titleOf(rows, data.description)}; ${parameters.toLocaleString('en')} parameters; ${shown(folder)}`)
  reporter.event('begin', { run: shown(folder), config: shown(configFile), parameters, rows, epochs: config.epochs })
  const interruption = onInterrupt(() =>
    reporter.note('\nstopping after this step and saving; Ctrl-C again stops at once'),
  )
  try {
    const watching = await watchers(run, watch)
    const options = optionsOf(run, { data, resume })
    const history = await fit(built.pipeline, data.train, {
      ...options,
      callbacks: [...reporter.callbacks, ...(options.callbacks as Callbacks[]), ...watching, interruption.callbacks],
    })
    await save(join(folder, runFiles.model), built.pipeline.saved())
    return report(run, history, interruption, reporter)
  } finally {
    interruption.end()
  }
}

function titleOf({ train, validation }: { train: number; validation: number }, { target }: DataDescription): string {
  const count = (rows: number) => rows.toLocaleString('en')
  const held = validation > 0 ? ` and ${count(validation)} to validate on` : ''
  const what = target.type === 'classes' ? `${outputsOf(target)} classes` : target.columns.join(', ')
  return `${count(train)} rows to learn ${what} from${held}`
}

/** A folder that has a run in it is gone on with, or left alone. */
async function checkFolder(run: Run, resume: boolean): Promise<void> {
  const found = await checkpointsIn('train', checkpointsOf(run))
  if (resume || found.length === 0) return
  throw new CommandError(`there is a training in ${shown(run.folder)}`, {
    help: `--resume ${shown(run.folder)} goes on with it, and --out <folder> begins another`,
    code: exitCodes.usage,
  })
}

/** Calls what a configuration names; what it made itself is taken as it is. */
function called(table: CallTable, given: unknown, key: string, file: string, infer?: Infer): unknown {
  const isCall = typeof given === 'string' || (typeof given === 'object' && given !== null && 'type' in given)
  if (!isCall) return given
  const faults: Fault[] = []
  const made = callByName(table, given as Call, key, faults, infer)
  if (faults.length > 0) throw new ConfigError(file, faults)
  return made
}

interface CompleteRun extends Run {
  readonly config: CompleteConfig
}

interface Parts {
  readonly data: LoadedData
  readonly resume: boolean
}

function optionsOf(run: CompleteRun, { data, resume }: Parts): FitOptions<Tensor, Tensor, Tensor> {
  const { config } = run
  const { metrics = [], callbacks = [], checkpoint = {} } = config
  const { epochs, batchSize, stepsPerEpoch, dropLast, shuffle, seed, clipNorm, clipValue, accumulate, precision } =
    config
  const plain = {
    epochs,
    batchSize,
    stepsPerEpoch,
    dropLast,
    shuffle,
    seed,
    clipNorm,
    clipValue,
    accumulate,
    precision,
  }
  const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined))
  const directory = checkpointsOf(run)
  const { file } = placeOf(run)
  return {
    ...given,
    loss: config.loss as 'mse',
    metrics: metrics as readonly 'mse'[],
    optimizer: optimizerOf(config, data.train.size, file),
    callbacks: callbacks.map(
      (each, i) => called(callbackTable, inFolder(each, run.folder), `callbacks[${i}]`, file) as Callbacks,
    ),
    ...(config.classWeights === undefined ? {} : { classWeights: weightsOf(config, data.description) }),
    ...(data.validation === undefined ? {} : { validation: data.validation }),
    checkpoint: { ...checkpoint, directory } as NonNullable<FitOptions['checkpoint']>,
    ...(resume ? { resume: directory } : {}),
  }
}

/** Paths of what is written stand in the folder of the run. */
const inFolder = (callback: unknown, folder: string): unknown =>
  typeof callback === 'object' && callback !== null && 'path' in callback
    ? { ...callback, path: join(folder, String(callback.path)) }
    : callback

/** By the names of the classes, or as they are. */
function weightsOf({ classWeights }: TrainConfig, { target }: DataDescription): readonly number[] {
  if (Array.isArray(classWeights)) return classWeights
  const names = target.type === 'classes' ? target.names : []
  return names.map((name) => (classWeights as Record<string, number>)[name] ?? 1)
}

function optimizerOf(config: CompleteConfig, rows: number, file: string): Optimizer {
  const { optimizer, schedule } = config
  if (schedule === undefined) return called(optimizers, optimizer, 'optimizer', file) as Optimizer
  if (typeof optimizer !== 'string' && !('type' in (optimizer as object)))
    throw new ConfigError(file, [{ key: 'schedule', message: 'expected an optimizer by name beside it' }])
  const { given } = argumentsOf(optimizer as Call)
  const batches = Math.ceil(rows / config.batchSize)
  const steps = config.epochs * (config.stepsPerEpoch ?? batches)
  const known: Readonly<Record<string, unknown>> = { rate: given.learningRate ?? 0.001, steps, one: 1, zero: 0 }
  const rate = called(schedulesByName, schedule, 'schedule', file, (from) => known[from]) as RateLike
  const call = typeof optimizer === 'string' ? { type: optimizer } : (optimizer as object)
  return called(optimizers, { ...call, learningRate: rate }, 'optimizer', file) as Optimizer
}

/** What came of it, and where it is. */
function report(run: CompleteRun, history: History, { code }: Interruption, reporter: Reporter): number {
  const { folder, config } = run
  const last = history.epochs.at(-1)
  const model = shown(join(folder, runFiles.model))
  const isInterrupted = code !== undefined && history.epochs.length < config.epochs
  const state = isInterrupted ? 'interrupted' : history.epochs.length < config.epochs ? 'stopped' : 'ended'
  const scores = last && columnsOf(last)
  reporter.event('end', { state, run: shown(folder), model, epochs: history.epochs.length, scores })
  if (isInterrupted)
    reporter.result(
      `interrupted: ${shown(checkpointsOf(run))} has the state; galvani train --resume ${shown(folder)} goes on`,
    )
  else reporter.result(`${model}${state === 'stopped' ? `, after ${history.epochs.length} epochs` : ''}`)
  return isInterrupted ? code : exitCodes.ok
}
