/** What a checkpoint of a training has in it, and how a training goes on from one. */
import { expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Callbacks } from './callbacks/callback.ts'
import { type Packed, pack, readCheckpoint } from './checkpoint-file.ts'
import { type Best, checkpointsIn, isSameDirectory } from './checkpoints.ts'
import type { EpochInfo } from './events.ts'
import { loadModel, modelState } from './model-state.ts'
import type { Settings } from './options.ts'
import type { Progress } from './progress.ts'
import { metricNames, type SavedTotals } from './scores.ts'
import { namesOf, parametersOf } from './steps.ts'

/** How many random numbers were drawn, in training and in validation. */
export interface Draws {
  training: number
  validation: number
}

/** All that the rest of a training depends on. */
export interface TrainingState {
  readonly options: Readonly<Record<string, unknown>>
  readonly model: StateDict
  readonly optimizer: StateDict | undefined
  readonly progress: Progress
  /** Of how many epochs it was to be, where somebody wanted no further step. */
  readonly stopped: number | undefined
  readonly totals: SavedTotals
  readonly draws: Draws
  readonly epochs: readonly EpochInfo[]
  readonly callbacks: readonly { readonly name: string; readonly state: Readonly<Record<string, unknown>> }[]
  readonly best: Best | undefined
}

type Place = Pick<TrainingState, 'progress' | 'stopped' | 'totals' | 'draws' | 'epochs' | 'best'>

/** The state as it is now, when no step is under way. */
export function packState(settings: Settings, place: Place): Packed {
  const { op, model, optimizer, callbacks } = settings
  const state: TrainingState = {
    ...place,
    options: comparedOptions(settings),
    model: modelState(model),
    optimizer: optimizer.stateDict?.(namesOf(model, parametersOf(op, model))),
    callbacks: callbacks.flatMap((each) => {
      const state = each.stateDict?.()
      return state === undefined ? [] : [{ name: each.name ?? '', state }]
    }),
  }
  return pack(op, { ...state })
}

/** What has to be the same for a training to go on as it would have. */
function comparedOptions(settings: Settings): Record<string, unknown> {
  const { source, validation, optimizer, metrics, batchSize, dropLast, stepsPerEpoch, shuffle, seed } = settings
  const { name } = optimizer as { name?: unknown }
  return {
    optimizer: String(name ?? optimizer.constructor?.name),
    loss: settings.loss.title,
    gradients: settings.gradients,
    metrics: metricNames(metrics).join(', '),
    ...{ batchSize, dropLast, stepsPerEpoch, shuffle, seed },
    // None where it is the usual one, as in checkpoints of versions that had no other.
    precision: settings.precision === 'float32' ? undefined : settings.precision,
    data: source.title,
    validation: validation?.source.title,
    'validation.every': validation?.every,
  }
}

/**
 * The newest checkpoint in the directory to resume from, of a training with the same options; undefined where there is none and the
 * directory is the one that this training's checkpoints go to, so that it begins.
 *
 * @throws RangeError where there is none, or where options differ: all differences are in the message
 */
export async function resumedState(settings: Settings): Promise<TrainingState | undefined> {
  const { op, resume, checkpoint } = settings
  if (resume === undefined) return undefined
  const [newest] = await checkpointsIn(op, resume)
  if (newest === undefined) {
    if (isSameDirectory(checkpoint?.directory, resume)) return undefined
    throw new RangeError(expected(op, 'a directory with checkpoints to resume from', resume))
  }
  const state = (await readCheckpoint(op, newest)) as unknown as TrainingState
  const isComplete = ['options', 'model', 'progress', 'totals', 'draws'].every((name) =>
    isPlainObject(state[name as 'options']),
  )
  if (!isComplete) throw new RangeError(expected(op, 'a checkpoint of fit or train to resume from', newest))
  checkSame(op, newest, differences(settings, state))
  return state
}

const shown = (value: unknown): string => (value === undefined ? 'none' : String(value))

function differences(settings: Settings, { options: saved, model }: TrainingState): string[] {
  const seed = settings.isSeeded ? settings.seed : saved.seed
  const options: Record<string, unknown> = { ...comparedOptions(settings), seed }
  const types = (state: StateDict) =>
    Object.fromEntries(Object.entries(state).map(([name, value]) => [`model ${name}`, value.toString()]))
  const [then, now] = [
    { ...saved, ...types(model) },
    { ...options, ...types(modelState(settings.model)) },
  ] as Record<string, unknown>[]
  return Object.keys({ ...then, ...now })
    .filter((name) => shown(then![name]) !== shown(now![name]))
    .map((name) => `${name} was ${shown(then![name])} and is ${shown(now![name])}`)
}

function checkSame(op: string, path: string, found: readonly string[]): void {
  if (found.length === 0) return
  throw new RangeError(
    `${expected(op, `the options of the training to resume (${path})`, 'others')}: ${found.join('; ')}`,
  )
}

/** Takes over model and optimizer, both or neither. */
export function loadState(
  { op, model, optimizer }: Pick<Settings, 'op' | 'model' | 'optimizer'>,
  state: Pick<TrainingState, 'model' | 'optimizer'>,
  parameters = namesOf(model, parametersOf(op, model)),
): void {
  const before = modelState(model)
  loadModel(model, state.model)
  try {
    if (state.optimizer !== undefined) optimizer.loadStateDict?.(state.optimizer, parameters)
  } catch (error) {
    loadModel(model, before)
    throw error
  }
}

/** Gives each callback the state of the one of its name: of several of a name, in their order. */
export function loadCallbacks(callbacks: readonly Callbacks[], { callbacks: saved }: TrainingState): void {
  const left = [...saved]
  for (const each of callbacks) {
    const found = left.findIndex(({ name }) => name === (each.name ?? ''))
    if (found < 0 || each.loadStateDict === undefined) continue
    const [{ state }] = left.splice(found, 1) as [TrainingState['callbacks'][number]]
    each.loadStateDict(state)
  }
}
