/** Streams of what arrays hold. */
import { describe } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { checkRecord } from '../../base/options.ts'
import { turnIfDue } from '../../base/turns.ts'
import { type Stage, savedAs } from '../stage.ts'
import { Stream } from '../stream.ts'

/** What has elements by place: an array, or a typed one. */
export type Column<T = unknown> = ArrayLike<T>

/** A stage of elements that are there by their places. */
const indexed = <T>(name: string, size: number, at: (place: number) => T): Stage<T> => ({
  name,
  parents: [],
  batched: false,
  reordered: false,
  size,
  open(_, position) {
    let next = savedAs<number>(position) ?? 0
    return {
      async next() {
        const due = turnIfDue()
        if (due !== undefined) await due
        return next < size ? { done: false, value: at(next++) } : { done: true, value: undefined }
      },
      position: () => next,
      async close() {},
    }
  },
})

function checkColumn(op: string, what: string, column: Column): void {
  if (!Array.isArray(column) && !(ArrayBuffer.isView(column) && 'length' in column))
    throw new TypeError(expected(op, `${what} as an array or a typed array`, describe(column)))
}

function checkLengths(op: string, lengths: readonly (readonly [name: string, length: number])[]): number {
  const [first] = lengths
  if (first === undefined) throw new TypeError(expected(op, 'at least one array', 'none'))
  if (lengths.some(([, length]) => length !== first[1]))
    throw new ShapeError(
      expected(op, 'arrays of one length', lengths.map(([name, length]) => `${name} ${length}`).join(', ')),
    )
  return first[1]
}

/**
 * A stream of the elements of an array or a typed array; of several of one length, of tuples of an element of each. The arrays are read
 * where they are: what becomes of them later is seen.
 *
 * @throws TypeError for what is no array, ShapeError for arrays of different lengths
 *
 * @example
 * fromArrays([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]).shuffle(4).batch(2) // [x, y]: float32 [2, 2] and [2]
 * @tensorflow tf.data.Dataset.from_tensor_slices
 */
export function fromArrays<T>(array: Column<T>): Stream<T>
export function fromArrays<const T extends readonly unknown[]>(...arrays: { [K in keyof T]: Column<T[K]> }): Stream<T>
export function fromArrays(...arrays: Column[]): Stream<unknown> {
  for (const [i, array] of arrays.entries()) checkColumn('fromArrays', `argument ${i + 1}`, array)
  const size = checkLengths(
    'fromArrays',
    arrays.map((array, i) => [`argument ${i + 1} of`, array.length]),
  )
  const [only] = arrays
  const at = arrays.length === 1 ? (i: number) => only![i] : (i: number) => arrays.map((array) => array[i])
  return new Stream(indexed(`fromArrays(${size})`, size, at))
}

/** A row of columns. */
export type RowOf<C> = { [K in keyof C]: C[K] extends Column<infer T> ? T : never }

/**
 * A stream of records, row by row, of a record of columns, each an array or a typed array: numbers, texts, whatever there is.
 *
 * @throws TypeError for what is no record of arrays, ShapeError for columns of different lengths
 *
 * @example
 * fromColumns({ weight: Float32Array.of(0.5, 0.25), species: ['cat', 'dog'] }) // { weight: 0.5, species: 'cat' }, …
 */
export function fromColumns<C extends Readonly<Record<string, Column>>>(columns: C): Stream<RowOf<C>> {
  const entries = Object.entries(checkRecord('fromColumns', 'a record of columns', columns))
  for (const [name, column] of entries) checkColumn('fromColumns', `the column ${name}`, column)
  const size = checkLengths(
    'fromColumns',
    entries.map(([name, { length }]) => [name, length]),
  )
  const names = entries.map(([name]) => name)
  const row = (i: number) => Object.fromEntries(entries.map(([name, column]) => [name, column[i]])) as RowOf<C>
  return new Stream(indexed(`fromColumns(${names.join(', ')}; ${size})`, size, row))
}
