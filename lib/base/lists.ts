/** Lists taken two at a time, and tuples that stay tuples. */
import { InternalError } from './errors.ts'

/** The tuple of what f gives for each element. */
export function mapTuple<const T extends readonly unknown[], U>(
  tuple: T,
  f: (x: T[number], i: number) => U,
): { [K in keyof T]: U } {
  return tuple.map(f) as { [K in keyof T]: U }
}

/**
 * What f gives for the elements of two lists at each place.
 * @throws InternalError for lists of different lengths
 */
export function zipWith<A, B, C>(a: readonly A[], b: readonly B[], f: (x: A, y: B, i: number) => C): C[] {
  if (a.length !== b.length) throw new InternalError(`two lists of ${a.length} and of ${b.length} elements`)
  return a.map((x, i) => f(x, b[i] as B, i))
}

/**
 * The element at a place.
 * @throws InternalError where there is none
 */
export function elementAt<T extends {}>(list: ArrayLike<T>, place: number): T {
  const element = list[place]
  if (element === undefined) throw new InternalError(`place ${place} of a list of ${list.length}`)
  return element
}

/**
 * The elements at some places.
 * @throws InternalError where a place has none
 */
export const pick = <T extends {}>(list: readonly T[], places: readonly number[]): T[] =>
  places.map((place) => elementAt(list, place))
