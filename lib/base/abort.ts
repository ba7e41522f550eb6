/** What an AbortSignal ends: the promise that somebody waits for, at once, and what is computed for it, soon. */
import { describe } from './arguments.ts'
import { expected } from './errors.ts'
import type { OptionTypes } from './options.ts'

/** What is asked of an AbortSignal, whose type not every project has. */
export interface Abortable {
  /** Throws the reason once it is aborted. */
  throwIfAborted(): void
  /** Says when that is. Without it the signal is asked before and after what takes time. */
  addEventListener?(type: 'abort', listener: () => void): void
  removeEventListener?(type: 'abort', listener: () => void): void
  /** @internal Whether it was made for one call, so that not many listen to it. */
  readonly isOfOneCall?: boolean
}

/** Of what is computed off the event loop. */
export interface CallOptions {
  /**
   * Ends it: the promise is rejected with the signal's reason at once. What has not begun then does not; what is under way stops
   * after the instruction that runs, unless it has begun to update variables: these have their old values or their new ones.
   */
  signal?: Abortable | undefined
}

export const callOptions: OptionTypes<CallOptions> = { signal: 'other' }

export const isAbortable = (x: unknown): x is Abortable =>
  typeof x === 'object' && x !== null && 'throwIfAborted' in x && typeof x.throwIfAborted === 'function'

/**
 * The signal of options, which is not aborted yet.
 * @throws TypeError for what is no signal; its reason where it is aborted
 */
export function liveSignal(op: string, { signal }: CallOptions): Abortable | undefined {
  if (signal === undefined) return undefined
  if (!isAbortable(signal)) throw new TypeError(expected(op, 'an AbortSignal as signal', describe(signal)))
  signal.throwIfAborted()
  return signal
}

/** The arguments of a call, without the options that may follow them: an object of a signal, which is no argument itself. */
export function withoutSignal<A extends unknown[]>(args: A | [...A, CallOptions]): [args: A, signal?: Abortable] {
  const last: unknown = args.at(-1)
  if (typeof last !== 'object' || last === null || !Object.hasOwn(last, 'signal')) return [args as A]
  const { signal } = last as CallOptions
  if (Object.keys(last).length !== 1 || !isAbortable(signal)) return [args as A]
  signal.throwIfAborted()
  return [args.slice(0, -1) as A, signal]
}

/** The reason of a signal, or null where it is not aborted. */
export function reasonOf(signal: Abortable): { readonly reason: unknown } | null {
  try {
    signal.throwIfAborted()
    return null
  } catch (reason) {
    return { reason }
  }
}

interface Waiting {
  readonly listeners: Set<() => void>
  readonly tell: () => void
}

/** Of each signal all that wait for it, so that it has one listener of ours, however many calls it is passed to. */
const waiting = new WeakMap<Abortable, Waiting>()

function stopWaiting(signal: Abortable, tell: () => void): void {
  waiting.delete(signal)
  signal.removeEventListener?.('abort', tell)
}

function startWaiting(signal: Abortable): Waiting {
  const listeners = new Set<() => void>()
  const tell = () => {
    const told = [...listeners]
    listeners.clear()
    stopWaiting(signal, tell)
    for (const listener of told) listener()
  }
  signal.addEventListener?.('abort', tell)
  const started = { listeners, tell }
  waiting.set(signal, started)
  return started
}

/** Calls `listener` once the signal is aborted, until what is returned is called. */
export function onAbort(signal: Abortable, listener: () => void): () => void {
  if (signal.isOfOneCall === true) {
    signal.addEventListener?.('abort', listener)
    return () => signal.removeEventListener?.('abort', listener)
  }
  const { listeners, tell } = waiting.get(signal) ?? startWaiting(signal)
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    stopWaiting(signal, tell)
  }
}

/**
 * What `value` becomes, or the signal's reason, whichever comes first: `value` may never settle. What it throws after that is
 * nobody's.
 */
export async function unlessAborted<T>(signal: Abortable | undefined, value: T | PromiseLike<T>): Promise<T> {
  if (signal === undefined) return value
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      const found = reasonOf(signal)
      if (found !== null) reject(found.reason)
    }
  })
  const forget = onAbort(signal, stop)
  stop()
  try {
    return await Promise.race([aborted, value])
  } finally {
    forget()
  }
}
