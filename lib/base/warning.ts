/** Faults that nobody waits for, such as of a user's callback: they are warnings of the process, and stop nothing. */
import { types } from 'node:util'
import { isThenable } from './tree.ts'

/** @param error whatever was thrown, which need be no error */
export const warnOf = (error: unknown): void => process.emitWarning(types.isNativeError(error) ? error : String(error))

/** Calls a user's function, for what it does; what it throws, or its promise is rejected with, is a warning. */
export function tell<T>(listener: ((told: T) => unknown) | undefined, told: T): void {
  try {
    const result = listener?.(told)
    if (isThenable(result)) result.then(undefined, warnOf)
  } catch (error) {
    warnOf(error)
  }
}
