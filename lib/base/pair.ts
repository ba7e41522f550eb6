/** Options of an image's two axes: one number for both, or one for each. */
import { expected } from './errors.ts'
import { maxExtent } from './shape.ts'

/** Of the height and of the width; a number is both. */
export type Pair = number | readonly [height: number, width: number]

export const isCount = (x: unknown, least: number): x is number =>
  Number.isInteger(x) && (x as number) >= least && (x as number) <= maxExtent

/** A pair of integers from `least` on. */
export function pairOf(op: string, name: string, value: Pair, least = 1): readonly [number, number] {
  const pair = typeof value === 'number' ? [value, value] : value
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((x) => isCount(x, least))) {
    const what = least === 0 ? 'an integer of at least 0' : 'a positive integer'
    const areNumbers = [pair].flat().every((x) => typeof x === 'number')
    throw new (areNumbers ? RangeError : TypeError)(expected(op, `${name} to be ${what}, or two`, formatOption(value)))
  }
  return pair as unknown as readonly [number, number]
}

export const formatOption = (value: unknown): string => (Array.isArray(value) ? JSON.stringify(value) : String(value))
