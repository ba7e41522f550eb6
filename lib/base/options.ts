/** Checks of the options that users give: their names and types. */

import { checkChoice, describe } from './arguments.ts'
import { checkDType, type DType, isDType } from './dtype.ts'
import { expected, shown } from './errors.ts'

/**
 * What an option may be: true, false; a number; a string, or one of several; a dtype; a function; each of them or null;
 * 'other' for what the function checks itself, but for null.
 */
type OptionType<V> = null extends V ? OrNull<NameOfType<NonNullable<V>>> : NameOfType<V>

type NameOfType<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [number]
    ? 'number'
    : [V] extends [DType]
      ? 'dtype'
      : [V] extends [string]
        ? 'string' | readonly V[]
        : [V] extends [(...args: never[]) => unknown]
          ? 'function'
          : 'other'

type OrNull<Name> = Name extends string ? `${Name} or null` : never

/** One row for each option of T, which the compiler holds complete. */
export type OptionTypes<T> = { readonly [K in keyof Required<T>]: OptionType<Exclude<T[K], undefined>> }

/** Of what makes elements. */
export interface DTypeOption {
  /** float32 unless given. */
  dtype?: DType
}

export const dtypeOption: OptionTypes<DTypeOption> = { dtype: 'dtype' }

/**
 * The options themselves, once none of them has an unknown name or another type than its row says. undefined stands
 * for no options, and for the default of one. `surplus` is what came after them.
 * @throws TypeError for what is no plain object, an unknown name (the message has the nearest known one) or another
 * type; RangeError for none of several strings
 *
 * @example
 * const reduceOptions: OptionTypes<ReduceOptions> = { keepDims: 'boolean' }
 * const { keepDims = false } = checkOptions('sum', options, reduceOptions)
 */
export function checkOptions<T extends object>(
  op: string,
  options: T | undefined,
  types: OptionTypes<T>,
  surplus: readonly unknown[] = [],
): Partial<T> {
  if (surplus.length > 0) throw new TypeError(expected(op, 'nothing after the options', describe(surplus[0])))
  if (options === undefined) return {}
  if (!isPlainObject(options)) throw noOptions(op, options, types)
  for (const name in options) {
    if (!Object.hasOwn(types, name)) throw unknownOption(op, name, Object.keys(types))
    const value = options[name]
    if (value !== undefined) checkType(op, name, types[name], value)
  }
  return options
}

/** The options that have no default. */
type RequiredName<T> = { [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? never : K }[keyof T]

/**
 * `checkOptions` where some have no default.
 * @throws TypeError for one of them that is not given
 */
export function requireOptions<T extends object>(
  op: string,
  options: T,
  types: OptionTypes<T>,
  required: readonly RequiredName<T>[],
  surplus: readonly unknown[] = [],
): T {
  const given = checkOptions(op, options, types, surplus)
  for (const name of required)
    if (given[name] === undefined) throw new TypeError(expected(op, `a ${String(name)}`, undefined))
  return options
}

/** Of any realm: its prototype is the last of its chain, or it has none. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * Values by name, which a plain object holds. `what` says which: `values by name`.
 * @throws TypeError for anything else
 */
export function checkRecord<T extends object>(op: string, what: string, value: T): T {
  if (!isPlainObject(value)) throw new TypeError(expected(op, what, describe(value)))
  return value
}

/** Numbers, strings, truths and shapes alone are what other libraries take by position. */
function noOptions(op: string, value: unknown, types: Readonly<Record<string, string | readonly string[]>>): TypeError {
  const message = expected(op, `options (${namesIn(types)})`, describe(value))
  const name = Object.keys(types).find((name) => isMeantBy(value, name, types[name]!))
  return new TypeError(name === undefined ? message : `${message}; did you mean { ${name}: ${formatted(value)} }?`)
}

function isMeantBy(value: unknown, name: string, type: string | readonly string[]): boolean {
  if (Array.isArray(value)) return name === 'shape' || name === 'axis' || name === 'axes'
  // A schedule may stand there, too.
  if (name === 'learningRate') return typeof value === 'number'
  if (typeof type !== 'string') return type.includes(value as string)
  return type === 'dtype' ? isDType(value) : type.startsWith(typeof value)
}

const formatted = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : shown(value))

const namesIn = (types: object): string => {
  const names = Object.keys(types)
  return names.length === 0 ? 'none' : `{ ${names.join(', ')} }`
}

function checkType(op: string, name: string, type: string | readonly string[], value: unknown): void {
  if (typeof value === type || (value !== null && (type === 'other' || type === 'other or null'))) return
  if (type === 'dtype') checkDType(op, value)
  else if (typeof type === 'string') checkNullable(op, name, type, value)
  else checkChoice(op, name, value, type)
}

function checkNullable(op: string, name: string, type: string, value: unknown): void {
  if (type === `${typeof value} or null` || (value === null && type.endsWith(' or null'))) return
  throw new TypeError(
    expected(op, type === 'other' ? `a value for ${name}` : `${name} to be a ${type}`, describe(value)),
  )
}

/** What other libraries call an option whose name here is too different to be found by its letters, and the names here. */
const foreignNames: Readonly<Record<string, string>> = {
  alpha: 'learningRate slope',
  betas: 'beta1',
  categoricalCrossentropy: 'crossEntropy',
  categorical_crossentropy: 'crossEntropy',
  center: 'affine',
  ddof: 'correction',
  dim: 'axis axes',
  dims: 'axis axes',
  elementwise_affine: 'affine',
  eps: 'epsilon',
  generator: 'seed',
  high: 'max',
  dataFormat: 'layout',
  data_format: 'layout',
  kdim: 'keyFeatures',
  kernelInitializer: 'initializer',
  l2: 'weightDecay',
  loc: 'mean',
  low: 'min',
  lr: 'learningRate',
  maxval: 'max',
  minval: 'min',
  ord: 'order',
  p: 'power order probability',
  pos_weight: 'positiveWeights',
  posWeight: 'positiveWeights',
  prob: 'probability',
  reduce: 'reduction',
  requires_grad: 'trainable',
  requiresGrad: 'trainable',
  sampleWeight: 'weights',
  scale: 'std',
  size_average: 'reduction',
  sparseCategoricalCrossentropy: 'crossEntropy',
  sparse_categorical_crossentropy: 'crossEntropy',
  stddev: 'std',
  unbiased: 'correction',
  useBias: 'bias',
  validationData: 'validation',
  vdim: 'valueFeatures',
  verbose: 'callbacks',
  weight: 'classWeights weights',
}

function unknownOption(op: string, name: string, known: readonly string[]): TypeError {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `the options are ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`
  return new TypeError(`${op}: unknown option ${name}; ${hint}`)
}

/** The known name that the other stands for, or that differs from it in the fewest letters: at most half of them. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const foreign = Object.hasOwn(foreignNames, name) ? foreignNames[name]!.split(' ') : []
  const here = foreign.find((candidate) => known.includes(candidate))
  if (here !== undefined) return here
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
