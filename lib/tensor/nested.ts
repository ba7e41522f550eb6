/** Tensors as nested arrays: at once, or piece by piece between turns of the event loop. */
import type { DType, TypedArray } from '../base/dtype.ts'
import { elementAt } from '../base/lists.ts'
import { extentAt, type Shape, sizeOf } from '../base/shape.ts'
import { atOnce, inTurns, type Pieces, stepsPerPiece } from '../base/turns.ts'

export type NestedArray = number | boolean | NestedArray[]

/** What an array costs beside its elements, in elements. */
const elementsPerArray = 8

/** V8 makes a hash table of an array that is longer from the start. */
const longest = 2 ** 25

/** One kind of elements: an array for them, and elements of a tensor written to places of it. */
interface Kind<T> {
  make(length: number): T[]
  write(to: T[], at: number, count: number, data: TypedArray, from: number): void
}

// Arrays are of their length from the start, as copies of growing ones would cost more than the elements. Each kind is made
// at a place of its own: V8 learns by the place whether to keep plain numbers or objects, and numbers as objects are dear.

const numbers: Kind<number> = {
  make: (length) => (length <= longest ? new Array<number>(length) : []),
  write(to, at, count, data, from) {
    for (let i = 0; i < count; i++) to[at + i] = data[from + i]!
  },
}

const booleans: Kind<boolean> = {
  make: (length) => (length <= longest ? new Array<boolean>(length) : []),
  write(to, at, count, data, from) {
    for (let i = 0; i < count; i++) to[at + i] = data[from + i] !== 0
  },
}

const newList = <T>(length: number): T[] => (length <= longest ? new Array<T>(length) : [])

/** Pieces of so many things: where each begins, and how many are in it. */
function* piecesOf(count: number, elementsOfEach: number): Generator<readonly [start: number, count: number]> {
  const most = Math.max(1, Math.floor(stepsPerPiece / elementsOfEach))
  for (let start = 0; start < count; start += most) yield [start, Math.min(most, count - start)]
}

function writeRows<T>(rows: T[][], at: number, count: number, kind: Kind<T>, data: TypedArray, extent: number): void {
  for (let i = at; i < at + count; i++) {
    const row = kind.make(extent)
    kind.write(row, 0, extent, data, i * extent)
    rows[i] = row
  }
}

function writeGroups<T>(groups: T[][], at: number, count: number, level: readonly T[], extent: number): void {
  for (let i = at; i < at + count; i++) groups[i] = level.slice(i * extent, (i + 1) * extent)
}

/** A list of all elements. Comes to a halt between pieces, as those below do. */
function* listed<T>(kind: Kind<T>, data: TypedArray): Pieces<T[]> {
  const all = kind.make(data.length)
  for (const [at, count] of piecesOf(data.length, 1)) {
    if (at > 0) yield
    kind.write(all, at, count, data, at)
  }
  return all
}

function* inRows<T>(kind: Kind<T>, data: TypedArray, shape: Shape): Pieces<T[][]> {
  const extent = extentAt(shape, shape.length - 1)
  const size = sizeOf(shape.slice(0, -1))
  const rows = newList<T[]>(size)
  for (const [at, count] of piecesOf(size, extent + elementsPerArray)) {
    if (at > 0) yield
    writeRows(rows, at, count, kind, data, extent)
  }
  return rows
}

function* nested<T extends number | boolean>(kind: Kind<T>, data: TypedArray, shape: Shape): Pieces<NestedArray> {
  if (shape.length < 2) {
    const all = yield* listed(kind, data)
    return shape.length === 1 ? all : elementAt(all, 0)
  }
  let level: NestedArray[] = yield* inRows(kind, data, shape)
  for (let axis = shape.length - 2; axis > 0; axis--) {
    const extent = extentAt(shape, axis)
    const size = sizeOf(shape.slice(0, axis))
    const groups = newList<NestedArray[]>(size)
    for (const [at, count] of piecesOf(size, extent + elementsPerArray)) {
      if (at > 0) yield
      writeGroups(groups, at, count, level, extent)
    }
    level = groups
  }
  return level
}

const nestedOf = (data: TypedArray, dtype: DType, shape: Shape): Pieces<NestedArray> =>
  dtype === 'bool' ? nested(booleans, data, shape) : nested(numbers, data, shape)

export const nestedArray = (data: TypedArray, dtype: DType, shape: Shape): NestedArray =>
  atOnce(nestedOf(data, dtype, shape))

/** The event loop turns meanwhile. */
export const nestedArrayInTurns = (data: TypedArray, dtype: DType, shape: Shape): Promise<NestedArray> =>
  inTurns(nestedOf(data, dtype, shape))
