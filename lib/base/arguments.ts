/** The one place that checks of what kind the arguments of public functions are: the caller says which operation it is, and what it takes. */
import { expected, shown } from './errors.ts'
import { foreignKind } from './identity.ts'

/** What a value is, for a message: a text is in quotation marks. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return Array.isArray(value) ? 'an array' : shown(value)
}

/**
 * Refuses arguments beyond the `count` that a function takes, such as the flags of another library's function of its name.
 * An index and a list are what `map` and `reduce` give to a callback.
 */
export function refuseSurplus(op: string, count: number, surplus: readonly unknown[]): void {
  if (surplus.length === 0) return
  const isOfCallback = surplus.length === 2 && typeof surplus[0] === 'number' && Array.isArray(surplus[1])
  if (!isOfCallback)
    throw new TypeError(
      expected(op, count === 1 ? 'one argument' : `${count || 'no'} arguments`, count + surplus.length),
    )
}

/** A number that passes the test. `what` says which, with the name of the option: `a finite learningRate of at least 0`. */
export function checkNumber(op: string, what: string, value: unknown, isValid: (x: number) => boolean): number {
  if (typeof value !== 'number') throw new TypeError(expected(op, what, describe(value)))
  if (!isValid(value)) throw new RangeError(expected(op, what, value))
  return value
}

/** A finite number; `name` is what it is called. */
export const checkFinite = (op: string, name: string, value: unknown): number =>
  Number.isFinite(value) ? (value as number) : checkNumber(op, `a finite ${name}`, value, Number.isFinite)

/** @throws TypeError for what cannot be called: a class neither */
export function checkFunction(op: string, what: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(expected(op, what, describe(value)))
  if (Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false)
    throw new TypeError(expected(op, what, 'a class'))
}

/**
 * A list that a user gave, as a copy without holes. `what` says of which things: `a list of tensors`.
 * @throws TypeError for anything else
 */
export function checkList<T>(op: string, what: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(expected(op, what, describe(value)))
  return [...value]
}

/** An integer from `least` on, and at most `most`. `what` says which: `an axis`, `a count`. */
export const checkInteger = (op: string, what: string, value: unknown, least = -Infinity, most = Infinity): number =>
  checkNumber(op, what, value, (x) => Number.isInteger(x) && x >= least && x <= most)

/** @throws TypeError for anything but true and false; `what` is what it says: `reverse`. */
export function checkBoolean(op: string, what: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(expected(op, `${what} to be true or false`, describe(value)))
  return value
}

/** @throws TypeError for anything but a string */
export function checkText(op: string, what: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(expected(op, what, describe(value)))
  return value
}

/**
 * The numbers of a parameter that takes a list or each number by itself, as `reshape(x, [2, 3])` and `reshape(x, 2, 3)`, as a copy.
 * `what` says what they are as a list: `a list of axes`.
 * @throws TypeError for a list beside others, or what is neither
 */
export function spreadNumbers(op: string, what: string, given: readonly unknown[]): number[] {
  const [first] = given
  if (given.length === 1 && Array.isArray(first)) return [...(first as readonly number[])]
  const other = given.length === 0 ? 0 : given.findIndex((x) => typeof x !== 'number')
  if (other !== -1) throw new TypeError(expected(op, what, describe(given[other])))
  return given.slice() as number[]
}

/**
 * The shape and the options of a function that takes extents in a list or one by one: `zeros([2, 3], options)` and
 * `zeros(2, 3, options)`. What is no shape is left to what takes it.
 * @throws TypeError for more after the options
 */
export function shapeAndOptions<T>(op: string, given: readonly unknown[]): [shape: readonly number[], options?: T] {
  const other = given.findIndex((x) => typeof x !== 'number')
  const count = other === -1 ? given.length : other
  const [shape, rest] = count === 0 ? [given[0], given.slice(1)] : [given.slice(0, count), given.slice(count)]
  if (rest.length > 1) throw new TypeError(expected(op, 'nothing after the options', describe(rest[1])))
  return [shape, rest[0]] as [readonly number[], T]
}

/**
 * One of several strings; `name` is what it is called.
 * @throws TypeError for no string, RangeError for another one
 */
export function checkChoice<T extends string>(op: string, name: string, value: unknown, choices: readonly T[]): T {
  const quoted = choices.map((choice) => `'${choice}'`)
  const what = `${name} ${[quoted.slice(0, -1).join(', '), ...quoted.slice(-1)].join(' or ')}`
  if (typeof value !== 'string') throw new TypeError(expected(op, what, describe(value)))
  if (!(choices as readonly string[]).includes(value)) throw new RangeError(expected(op, what, value))
  return value as T
}

/** A list of numbers that pass the test, as a copy: the caller's own may change. */
export function checkNumbers(op: string, what: string, value: unknown, isValid: (x: number) => boolean): number[] {
  return checkList(op, what, value as readonly unknown[]).map((x) => checkNumber(op, what, x, isValid))
}

/**
 * What a tensor may be made of, as far as the outside tells.
 * @throws TypeError for anything else than numbers, booleans, arrays and typed arrays
 */
export function checkValues<T>(op: string, x: T): T {
  const isOfNumbers = typeof x === 'number' || typeof x === 'boolean' || Array.isArray(x) || ArrayBuffer.isView(x)
  if (!isOfNumbers && foreignKind(x) === undefined)
    throw new TypeError(expected(op, 'a tensor, or numbers in nested arrays', describe(x)))
  return x
}
