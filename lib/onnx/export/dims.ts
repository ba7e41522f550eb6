/** Extents that depend on the size of the batch: what was the same number in all recordings, or grew with the batch. */
import { elementAt, zipWith } from '../../base/lists.ts'

/** `factor`·batch + `offset`, with a factor that is not 0. */
export interface BatchDim {
  readonly factor: number
  readonly offset: number
}

export type Dim = number | BatchDim

/** Numbers of a type that may depend on the batch. */
export type Symbolic<T> = T extends number
  ? Dim
  : T extends readonly (infer E)[]
    ? readonly Symbolic<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Symbolic<T[K]> }
      : T

export const isFixed = (dim: Dim): dim is number => typeof dim === 'number'

export const sameDim = (a: Dim, b: Dim): boolean =>
  isFixed(a) || isFixed(b) ? a === b : a.factor === b.factor && a.offset === b.offset

export const sameDims = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => sameDim(dim, elementAt(b, i)))

/** The dimension that has these values at these sizes of the batch; undefined where none has. */
export function dimOf(values: readonly number[], batches: readonly number[]): Dim | undefined {
  const [value = NaN, other = value] = values
  if (values.every((x) => Object.is(x, value))) return value
  const [batch = NaN, otherBatch = NaN] = batches
  const factor = (other - value) / (otherBatch - batch)
  const offset = value - factor * batch
  const fits = zipWith(values, batches, (x, size) => x === factor * size + offset)
  return fits.every(Boolean) ? { factor, offset } : undefined
}

function combined(a: Dim, b: Dim, sign: 1 | -1): Dim {
  const [x, y] = [a, b].map((dim) => (isFixed(dim) ? { factor: 0, offset: dim } : dim)) as [BatchDim, BatchDim]
  const [factor, offset] = [x.factor + sign * y.factor, x.offset + sign * y.offset]
  return factor === 0 ? offset : { factor, offset }
}

export const addDims = (a: Dim, b: Dim): Dim => combined(a, b, 1)
export const subDims = (a: Dim, b: Dim): Dim => combined(a, b, -1)

export function scaleDim(dim: Dim, by: number): Dim {
  if (isFixed(dim)) return dim * by
  return by === 0 ? 0 : { factor: dim.factor * by, offset: dim.offset * by }
}

/** The shape that shapes broadcast to; undefined where they do not, as far as is known. */
export function broadcastDims(shapes: readonly (readonly Dim[])[]): Dim[] | undefined {
  const rank = Math.max(...shapes.map(({ length }) => length))
  const result: Dim[] = []
  for (let axis = -rank; axis < 0; axis++) {
    const wide = shapes.map((shape) => shape.at(axis) ?? 1).filter((dim) => dim !== 1)
    const [first = 1] = wide
    if (!wide.every((dim) => sameDim(dim, first))) return undefined
    result.push(first)
  }
  return result
}

export const formatDims = (dims: readonly Dim[]): string =>
  `[${dims.map((dim) => (isFixed(dim) ? dim : formatBatchDim(dim))).join(', ')}]`

function formatBatchDim({ factor, offset }: BatchDim): string {
  const scaled = factor === 1 ? 'batch' : `${factor}·batch`
  return offset === 0 ? scaled : `${scaled} ${offset < 0 ? '−' : '+'} ${Math.abs(offset)}`
}
