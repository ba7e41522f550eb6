/** Checks of the options that users give: their names, their types, and numbers among them. */
import { expected } from './errors.ts'

/**
 * What an option may be: true, false; a number; a string, or one of several; a function; 'other' for what the function
 * checks itself.
 */
type OptionType<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [number]
    ? 'number'
    : [V] extends [string]
      ? 'string' | readonly V[]
      : [V] extends [(...args: never[]) => unknown]
        ? 'function'
        : 'other'

/** One row for each option of T, which the compiler holds complete. */
export type OptionTypes<T> = { readonly [K in keyof Required<T>]: OptionType<NonNullable<T[K]>> }

/**
 * The options themselves, once none of them has an unknown name or another type than its row says. undefined stands
 * for no options, and for the default of one.
 * @throws TypeError for what is no plain object, an unknown name (the message has the nearest known one) or another
 * type; RangeError for none of several strings
 *
 * @example
 * const reduceOptions: OptionTypes<ReduceOptions> = { keepDims: 'boolean' }
 * const { keepDims = false } = checkOptions('sum', options, reduceOptions)
 */
export function checkOptions<T extends object>(op: string, options: T | undefined, types: OptionTypes<T>): Partial<T> {
  if (options === undefined) return {}
  if (!isPlainObject(options)) throw new TypeError(expected(op, `options (${namesIn(types)})`, describe(options)))
  for (const name in options) {
    if (!Object.hasOwn(types, name)) throw unknownOption(op, name, Object.keys(types))
    const value = options[name]
    if (value !== undefined) checkType(op, name, types[name], value)
  }
  return options
}

/** Of any realm: its prototype is the last of its chain, or it has none. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const namesIn = (types: object): string => {
  const names = Object.keys(types)
  return names.length === 0 ? 'none' : `{ ${names.join(', ')} }`
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'an object'
  return String(value)
}

function checkType(op: string, name: string, type: string | readonly string[], value: unknown): void {
  if (type === 'other') return
  if (typeof type === 'string') {
    if (typeof value !== type) throw new TypeError(expected(op, `${name} to be a ${type}`, describe(value)))
    return
  }
  if (typeof value !== 'string') throw new TypeError(expected(op, `${name} to be ${listed(type)}`, describe(value)))
  if (!type.includes(value)) throw new RangeError(expected(op, `${name} to be ${listed(type)}`, describe(value)))
}

const listed = (choices: readonly string[]): string => choices.map((choice) => `'${choice}'`).join(' or ')

/** What other libraries call an option whose name here is too different to be found by its letters. */
const foreignNames: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  eps: 'epsilon',
  dim: 'axis',
  betas: 'beta1',
  verbose: 'callbacks',
}

function unknownOption(op: string, name: string, known: readonly string[]): TypeError {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `the options are ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`
  return new TypeError(`${op}: unknown option ${name}; ${hint}`)
}

/** The known name that the other stands for, or that differs from it in the fewest letters: at most half of them. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const foreign = foreignNames[name]
  if (foreign !== undefined && known.includes(foreign)) return foreign
  const plain = (text: string) => text.toLowerCase().replaceAll(/[_-]/g, '')
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(name), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(1, name.length / 2) ? best.candidate : undefined
}

/** How many letters have to be inserted, removed or replaced (V. Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, replaced))
    }
    previous = row
  }
  return previous[b.length]!
}

/** A number that passes the test. `what` says which, with the name of the option: `a finite learningRate of at least 0`. */
export function checkNumber(op: string, what: string, value: unknown, isValid: (x: number) => boolean): number {
  if (typeof value !== 'number') throw new TypeError(expected(op, what, value === null ? 'null' : typeof value))
  if (!isValid(value)) throw new RangeError(expected(op, what, value))
  return value
}

export function checkFunction(op: string, what: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(expected(op, what, value === null ? 'null' : typeof value))
}
