/** Shapes: their sizes, strides and axes, and how they broadcast. */
import { bytesPerElement, type DType } from './dtype.ts'
import { expected, InternalError, ShapeError, shown } from './errors.ts'
import { zipWith } from './lists.ts'

/** The extent of each axis; [] is a scalar. */
export type Shape = readonly number[]

/** A program counts and addresses elements in 32 bits. */
export const maxElements = 2 ** 31 - 1
export const maxExtent = maxElements
export const maxRank = 8

export const sizeOf = (shape: Shape): number => {
  let size = 1
  for (const extent of shape) size *= extent
  return size
}

export const byteLength = (dtype: DType, shape: Shape): number => sizeOf(shape) * bytesPerElement(dtype)

export const formatShape = (shape: Shape): string => `[${Array.from(shape, shown).join(', ')}]`

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false
  return true
}

/**
 * The extent of an axis that there is; negative ones count from the end.
 * @throws InternalError where there is none
 */
export function extentAt(shape: Shape, axis: number): number {
  const extent = shape.at(axis)
  if (extent === undefined) throw new InternalError(`axis ${axis} of ${formatShape(shape)}`)
  return extent
}

/**
 * The extents of matrices' rows and columns; of strides, theirs.
 * @throws InternalError where there are fewer axes
 */
export const lastTwo = (shape: Shape): [number, number] => [extentAt(shape, -2), extentAt(shape, -1)]

/** Validates a shape that a user wrote. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape)) throw new ShapeError(expected(op, 'a shape (an array of extents)', shape))
  if (shape.length > maxRank) throw new ShapeError(expected(op, `at most ${maxRank} axes`, shape.length))
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0 || extent > maxExtent)
      throw new ShapeError(expected(op, `extents from 0 to ${maxExtent}`, formatShape(shape)))
  }
  if (sizeOf(shape) > maxElements)
    throw new ShapeError(expected(op, `at most ${maxElements} elements`, formatShape(shape)))
  return shape
}

/** Row-major strides, in elements. */
export function denseStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

/** How far the element at a position lies from the first: Σ iₐ·strideₐ over the axes a. */
export const offsetOf = (position: readonly number[], strides: readonly number[]): number =>
  zipWith(position, strides, (i, stride) => i * stride).reduce((sum, x) => sum + x, 0)

/** The shape that a and b broadcast to under numpy's rules. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1
    const y = b[b.length - i] ?? 1
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(`${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`)
    shape[rank - i] = x === 1 ? y : x
  }
  return shape
}

/** An axis in [0, rank); negative ones count from the end. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(expected(op, `an axis in [${-rank}, ${rank})`, axis))
  return axis < 0 ? axis + rank : axis
}

/** Distinct axes in ascending order; undefined means all of them. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined | null, rank: number): number[] {
  if (axes === undefined || axes === null) return [...Array(rank).keys()]
  if (!Array.isArray(axes)) return [normalizeAxis(op, axes as number, rank)]
  const list: number[] = []
  for (const axis of axes as readonly number[]) list.push(normalizeAxis(op, axis, rank))
  if (list.length < 2) return list
  if (new Set(list).size !== list.length) throw new ShapeError(expected(op, 'distinct axes', formatShape(list)))
  return list.sort((x, y) => x - y)
}
