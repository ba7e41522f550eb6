/** Functions of the library that a configuration calls by name, with arguments by theirs: `{ "type": "linear", "outFeatures": 10 }`. */
import { isPlainObject } from '../../base/options.ts'
import { type Check, type Fault, fault, faultOf, keyIn, unknownName } from './diagnostics.ts'

/** A name alone stands for a call without arguments. */
export type Call = string | ({ readonly type: string } & Readonly<Record<string, unknown>>)

interface Parameter {
  readonly name: string
  readonly isOptional: boolean
  /** What it is found by where it is not given. */
  readonly inferredFrom: string | undefined
}

export interface Callable {
  readonly make: (...args: never[]) => unknown
  /** The arguments before the options. */
  readonly parameters: readonly Parameter[]
  readonly hasOptions: boolean
}

/**
 * A function with the names of its arguments: `'inFeatures=last outFeatures options'`. One with a question mark may be left out, and one with `=` is
 * found by what stands there.
 */
export function callable(make: (...args: never[]) => unknown, spec = ''): Callable {
  const words = spec.split(' ').filter((word) => word !== '')
  const parameters = words
    .filter((word) => word !== 'options')
    .map((word) => {
      const [, name = '', mark, inferredFrom] = /^(\w+)(\?)?(?:=(\w+))?$/.exec(word) ?? []
      return { name, isOptional: mark !== undefined, inferredFrom }
    })
  return { make, parameters, hasOptions: words.includes('options') }
}

export type CallTable = Readonly<Record<string, Callable>>

/** The arguments of a call by name. */
export function argumentsOf(call: Call): { readonly type: string; readonly given: Readonly<Record<string, unknown>> } {
  if (typeof call === 'string') return { type: call, given: {} }
  const { type, ...given } = call
  return { type, given }
}

/** Whether a value is a call of what the table has; notes it where it is none. */
export function isCall(table: CallTable, what: string, value: unknown, key: string, faults: Fault[]): value is Call {
  const type = isPlainObject(value) ? (value as { type?: unknown }).type : value
  const at = isPlainObject(value) ? keyIn(key, 'type') : key
  if (isPlainObject(value) && type === undefined) faults.push({ key: at, message: 'is missing' })
  else if (typeof type !== 'string') faults.push(fault(at, `${what}: a name, or { "type": name, … }`, type))
  else if (Object.hasOwn(table, type)) return true
  else faults.push(unknownName(at, what, type, Object.keys(table)))
  return false
}

/** Gives an argument that was not given, by what its parameter says of it; undefined where that is not known. */
export type Infer = (from: string, given: Readonly<Record<string, unknown>>) => unknown

/**
 * Calls the function. What does not fit is noted, and gives undefined.
 */
export function callByName(
  table: CallTable,
  call: Call,
  key: string,
  faults: Fault[],
  infer: Infer = () => undefined,
): unknown {
  const { type, given } = argumentsOf(call)
  const { make, parameters, hasOptions } = table[type]!
  const args = parameters.map(({ name, inferredFrom }) =>
    given[name] === undefined && inferredFrom !== undefined ? infer(inferredFrom, given) : given[name],
  )
  const names = parameters.map(({ name }) => name)
  const missing = names.filter((_, i) => args[i] === undefined && !parameters[i]!.isOptional)
  const others = Object.entries(given).filter(([name, value]) => !names.includes(name) && value !== undefined)
  const before = faults.length
  for (const [name] of others)
    if (!hasOptions) faults.push(unknownName(keyIn(key, name), 'key', name, names))
    else if (names.some((known) => given[known] === undefined && isAlmost(name, known)))
      faults.push(unknownName(keyIn(key, name), 'key', name, names))
  if (faults.length === before)
    faults.push(...missing.map((name) => ({ key: keyIn(key, name), message: 'is missing' })))
  if (faults.length > before) return undefined
  if (others.length > 0) args.push(Object.fromEntries(others))
  while (args.length > 0 && args.at(-1) === undefined) args.pop()
  try {
    return make(...(args as never[]))
  } catch (error) {
    faults.push(faultOf(key, error))
    return undefined
  }
}

/** Whether a name begins as another one does, so that it is hardly that of an option. */
const isAlmost = (name: string, known: string): boolean =>
  name.length > 3 && name.slice(0, 4).toLowerCase() === known.slice(0, 4).toLowerCase()

/** Of a call whose function needs nothing but what it is given, which is tried. */
export const callOf =
  (table: CallTable, what: string, infer?: Infer): Check =>
  (value, key, faults) => {
    if (isCall(table, what, value, key, faults)) callByName(table, value, key, faults, infer)
  }
