/** The errors that users meet, and the form of their messages. */
import { types } from 'node:util'
import { foreignKind, foreignText } from './identity.ts'

/** A shape, rank or axis that an operation cannot take. */
export class ShapeError extends RangeError {
  override name = 'ShapeError'
}

/** A dtype that an operation cannot take. */
export class DTypeError extends TypeError {
  override name = 'DTypeError'
}

/** A gradient that does not exist: no path, no rule, or a history that was released. */
export class GradientError extends Error {
  override name = 'GradientError'
}

/** A NaN that `detectAnomaly` found. */
export class AnomalyError extends Error {
  override name = 'AnomalyError'
}

/** A file or buffer whose bytes are not what its format promises. */
export class DataFormatError extends Error {
  override name = 'DataFormatError'
}

/** A callback or a source of a data pipeline that threw, or an element that does not fit; the message has its number, `cause` what was thrown. */
export class PipelineError extends Error {
  override name = 'PipelineError'
}

/** A program that breaks a rule of its format: written by hand, or a fault of the compiler. */
export class ProgramError extends Error {
  override name = 'ProgramError'
}

/** A data set that is not on this machine; the message says how to get it. */
export class DatasetNotFoundError extends Error {
  override name = 'DatasetNotFoundError'
}

/** A fault of the library, never of its user. */
export class InternalError extends Error {
  override name = 'InternalError'
  constructor(message: string) {
    super(`internal: ${message}`)
  }
}

/** `op: expected X`, before what came instead is known. */
export const expectation = (op: string, what: string): string => `${op}: expected ${what}`

/** `op: expected X, got Y`, the form of every message a user can meet. A text stands as it is, any other value by what it is. */
export const expected = (op: string, what: string, got: unknown): string =>
  `${expectation(op, what)}, got ${typeof got === 'string' ? got : shown(got)}`

/** A value in a message: whatever a user gave, it is short, and nothing of the user's is called that may throw. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}n` : String(value)
  try {
    return shownObject(value)
  } catch {
    return 'an object'
  }
}

const mostShown = 8

function shownObject(value: object): string {
  if (Array.isArray(value)) {
    const items = Array.from(value.slice(0, mostShown), (item) => (Array.isArray(item) ? '[…]' : shown(item)))
    return `[${items.join(', ')}${value.length > mostShown ? ', …' : ''}]`
  }
  if (foreignKind(value) !== undefined) return foreignText(value)
  // Tensors and variables say their type.
  if (types.isRegExp(value) || Object.hasOwn(Object.getPrototypeOf(value) ?? {}, 'toJSON')) return String(value)
  const name: unknown = value.constructor?.name
  return typeof name !== 'string' || name === '' || name === 'Object'
    ? 'an object'
    : `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}
