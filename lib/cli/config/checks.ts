/** The checks that a schema is made of. */
import { isPlainObject } from '../../base/options.ts'
import { type Check, fault, keyIn, unknownName } from './diagnostics.ts'

/** A value of which a function says whether it is right. */
export const that =
  (what: string, isRight: (value: unknown) => boolean): Check =>
  (value, key, faults) => {
    if (!isRight(value)) faults.push(fault(key, what, value))
  }

export const text = that('a text', (x) => typeof x === 'string' && x !== '' && !x.includes('\0'))
export const truth = that('true or false', (x) => typeof x === 'boolean')

export const integer = (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  that(
    most === Number.MAX_SAFE_INTEGER ? `an integer from ${least}` : `an integer from ${least} to ${most}`,
    (x) => Number.isSafeInteger(x) && (x as number) >= least && (x as number) <= most,
  )

export const above = (bound: number): Check =>
  that(`a number above ${bound}`, (x) => typeof x === 'number' && x > bound && Number.isFinite(x))

/** One of some texts. */
export const oneOf =
  (what: string, names: readonly string[]): Check =>
  (value, key, faults) => {
    if (typeof value !== 'string') faults.push(fault(key, `${what} (${names.join(', ')})`, value))
    else if (!names.includes(value)) faults.push(unknownName(key, what, value, names))
  }

export const listOf =
  (check: Check, what = 'a list'): Check =>
  (value, key, faults) => {
    if (!Array.isArray(value)) faults.push(fault(key, what, value))
    else for (const [i, item] of value.entries()) check(item, `${key}[${i}]`, faults)
  }

export const texts = listOf(text, 'a list of texts')

/** Names with a check for each value. */
export const record =
  (check: Check, what: string): Check =>
  (value, key, faults) => {
    if (!isPlainObject(value)) faults.push(fault(key, what, value))
    else for (const [name, item] of Object.entries(value)) check(item, keyIn(key, name), faults)
  }

/** What is one thing by its type, and another one by another. */
export const either =
  (isFirst: (value: unknown) => boolean, first: Check, second: Check): Check =>
  (value, key, faults) =>
    (isFirst(value) ? first : second)(value, key, faults)

export const isText = (value: unknown): value is string => typeof value === 'string'

export type Keys = Readonly<Record<string, Check>>

/** An object of these keys and no others, of which some have to be there. */
export const object =
  (keys: Keys, required: readonly string[] = [], what = 'an object'): Check =>
  (value, key, faults) => {
    if (!isPlainObject(value)) return void faults.push(fault(key, what, value))
    checkKeys(value as Readonly<Record<string, unknown>>, keys, key, faults)
    for (const name of required)
      if ((value as Record<string, unknown>)[name] === undefined)
        faults.push({ key: keyIn(key, name), message: 'is missing' })
  }

/** Of the keys of an object, each by its check. */
export function checkKeys(
  value: Readonly<Record<string, unknown>>,
  keys: Keys,
  ...[key, faults]: [string, Parameters<Check>[2]]
): void {
  for (const [name, item] of Object.entries(value)) {
    if (!Object.hasOwn(keys, name)) faults.push(unknownName(keyIn(key, name), 'key', name, Object.keys(keys)))
    else if (item !== undefined) keys[name]!(item, keyIn(key, name), faults)
  }
}
