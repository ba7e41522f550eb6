/** Options of an image's two axes, or a volume's three: one number for all, or one for each. */
import { expected, shown } from './errors.ts'
import { formatShape, maxExtent } from './shape.ts'

/** Of the height and of the width; a number is both. */
export type Pair = number | readonly [height: number, width: number]

/** Of the depth, the height and the width of a volume; a number is all of them. */
export type Triple = number | readonly [depth: number, height: number, width: number]

export const isCount = (x: unknown, least: number): x is number =>
  Number.isInteger(x) && (x as number) >= least && (x as number) <= maxExtent

/** A pair of integers from `least` on. */
export const pairOf = (op: string, name: string, value: Pair, least = 1): readonly [number, number] =>
  countsOf(op, name, value, 2, least) as unknown as readonly [number, number]

/** Three integers from `least` on. */
export const tripleOf = (op: string, name: string, value: Triple, least = 1): readonly [number, number, number] =>
  countsOf(op, name, value, 3, least) as unknown as readonly [number, number, number]

function countsOf(op: string, name: string, value: number | readonly number[], axes: 2 | 3, least: number) {
  const counts = typeof value === 'number' ? new Array<number>(axes).fill(value) : value
  if (!Array.isArray(counts) || counts.length !== axes || !counts.every((x) => isCount(x, least))) {
    const what = least === 0 ? 'an integer of at least 0' : 'a positive integer'
    const areNumbers = [counts].flat().every((x) => typeof x === 'number')
    const message = expected(op, `${name} to be ${what}, or ${axes === 2 ? 'two' : 'three'}`, formatOption(value))
    throw new (areNumbers ? RangeError : TypeError)(message)
  }
  return counts as readonly number[]
}

export const formatOption = (value: unknown): string => (Array.isArray(value) ? formatShape(value) : shown(value))
