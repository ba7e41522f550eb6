/** What follows a training: hooks that are called as it goes on, and what they may do to it. */
import { type Abortable, unlessAborted } from '../../base/abort.ts'
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../../base/options.ts'
import type { Minimizer } from '../../optim/minimizer.ts'
import type { TrainEvent, TrainEvents } from '../events.ts'
import type { History } from '../history.ts'
import type { Trainable } from '../options.ts'

/** What a hook may ask of the training that calls it, and do to it. */
export interface TrainingContext {
  readonly model: Trainable<never, unknown>
  readonly optimizer: Minimizer
  /** Whether there is a validation set, though maybe not after each epoch. */
  readonly validates: boolean
  /** The epochs so far. */
  readonly history: History
  /**
   * Has training end: no further step is submitted, the epoch ends with those that were (with its validation and its hooks), and is
   * the last one. `fit` resolves to the history as usual, and so it does where it is resumed from the last checkpoint, unless of more `epochs`.
   */
  stop(): void
  /**
   * Has training end for now: no further step is submitted, and `fit` resolves to the history of the epochs that have ended, without a validation
   * of one that has not. With `checkpoint` the state is written, also in the midst of an epoch, and a training that is resumed from
   * it ends with the same bits as if it had not been paused.
   */
  pause(): void
  /**
   * Has a checkpoint written as soon as the steps under way are done, also in the midst of an epoch, beside those that `checkpoint.every` asks
   * for. It is there some time later, so that there is nothing to wait for in a hook.
   *
   * @returns the directory in which it will be
   * @throws TypeError where training has no `checkpoint`
   */
  saveCheckpoint(): string
}

type Hooks = {
  [Name in keyof TrainEvents as `on${Capitalize<Name>}`]?: (
    info: TrainEvents[Name],
    context: TrainingContext,
  ) => unknown
}

/** How a training was left. */
export interface TrainCloseInfo {
  /** What it failed with, the reason of a signal too; not there where it came to its end, or was left by `break`. */
  error?: unknown
}

/**
 * Hooks that are called while training, in the order of the list they stand in; what they return is awaited, and what they throw ends
 * it (Keras's Callback). `context.stop()` ends it without an error.
 *
 * `onStepEnd` is called for each step, and `onBatchEnd` at most about every 50 ms and at the last step of an epoch. Steps are
 * submitted some milliseconds at a time and two such crossings ahead, so that by then the parameters are those of later steps: some
 * 16 ms of them, or what `sliceMilliseconds` says. At the end of an epoch nothing is ahead.
 */
export interface Callbacks extends Hooks {
  /** Under which a checkpoint keeps what `stateDict` gives. */
  readonly name?: string
  /**
   * Called last of all and once, whichever way training was left, also before it began. What it throws is lost where training failed, whose error
   * is the one that counts.
   */
  onTrainClose?(info: TrainCloseInfo, context: TrainingContext): unknown
  /** What a checkpoint keeps of it: tensors and plain values, in lists and by name. */
  stateDict?(): Readonly<Record<string, unknown>>
  /** Takes over what `stateDict` gave. */
  loadStateDict?(state: Readonly<Record<string, unknown>>): void
}

const callbackTypes: OptionTypes<Callbacks> = {
  onTrainBegin: 'function',
  onEpochBegin: 'function',
  onStepEnd: 'function',
  onBatchEnd: 'function',
  onValidationEnd: 'function',
  onEpochEnd: 'function',
  onTrainEnd: 'function',
  onTrainClose: 'function',
  name: 'string',
  stateDict: 'function',
  loadStateDict: 'function',
}

export const hookNames = Object.keys(callbackTypes).filter((name) => name.startsWith('on')) as (
  | keyof Hooks
  | 'onTrainClose'
)[]

/** The hooks of an object of a class, which are its own or its class's. */
const hooksOf = (callbacks: Callbacks): Callbacks =>
  Object.fromEntries(hookNames.map((name) => [name, callbacks?.[name]]).filter(([, hook]) => hook !== undefined))

/** An object of a class of the user's may have more in it: it is what has at least one hook. */
function checkOne(op: string, callbacks: Callbacks): Callbacks {
  const hooks = typeof callbacks === 'object' && !isPlainObject(callbacks) ? hooksOf(callbacks) : {}
  checkOptions<Callbacks>(`${op}: callbacks`, Object.keys(hooks).length > 0 ? hooks : callbacks, callbackTypes)
  return callbacks
}

/** @throws TypeError for what are no callbacks, one or a list of them */
export function checkCallbacks(op: string, given: Callbacks | readonly Callbacks[]): readonly Callbacks[] {
  if (!Array.isArray(given)) return [checkOne(op, given as Callbacks)]
  return Array.from(given as readonly Callbacks[], (callbacks) => {
    if (callbacks === undefined || callbacks === null)
      throw new TypeError(expected(op, 'callbacks, an object of functions or a list of such', describe(callbacks)))
    return checkOne(op, callbacks)
  })
}

const hookOf = <Name extends keyof TrainEvents>(name: Name) =>
  `on${name[0]!.toUpperCase()}${name.slice(1)}` as `on${Capitalize<Name>}`

/** Calls the hooks for an event, one after the other. */
export async function callHooks(
  callbacks: readonly Callbacks[],
  { type, ...info }: TrainEvent,
  context: TrainingContext,
  signal: Abortable | undefined,
): Promise<void> {
  const name = hookOf(type)
  for (const each of callbacks) if (each[name]) await unlessAborted(signal, each[name]({ ...info } as never, context))
}

/** Calls `onTrainClose` of all, also where one of them throws. */
export async function closeCallbacks(
  callbacks: readonly Callbacks[],
  info: TrainCloseInfo,
  context: TrainingContext,
): Promise<void> {
  const thrown: unknown[] = []
  for (const each of callbacks) {
    try {
      await each.onTrainClose?.({ ...info }, context)
    } catch (error) {
      thrown.push(error)
    }
  }
  if (thrown.length > 0 && !('error' in info)) throw thrown[0]
}
