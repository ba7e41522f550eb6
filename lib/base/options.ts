/** Checks of the options that users give. */
import { expected } from './errors.ts'

/** A number that passes the test. `what` says which, with the name of the option: `a finite learningRate of at least 0`. */
export function checkNumber(op: string, what: string, value: unknown, isValid: (x: number) => boolean): number {
  if (typeof value !== 'number') throw new TypeError(expected(op, what, value === null ? 'null' : typeof value))
  if (!isValid(value)) throw new RangeError(expected(op, what, value))
  return value
}

export function checkFunction(op: string, what: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(expected(op, what, value === null ? 'null' : typeof value))
}
