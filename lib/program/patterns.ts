/** What strides and matrix layouts address. */
import { type Shape, sizeOf } from '../base/shape.ts'
import type { LoadPattern, MatrixLayout } from './vocabulary.ts'

/** The first and the last element that a pattern reads over a shape; null where that is none. */
export function spanOf(shape: Shape, { offset, strides }: LoadPattern): { first: number; last: number } | null {
  if (sizeOf(shape) === 0) return null
  let [first, last] = [offset, offset]
  for (let axis = 0; axis < strides.length; axis++) {
    const reach = ((shape[axis] ?? 1) - 1) * strides[axis]!
    if (reach < 0) first += reach
    else last += reach
  }
  return { first, last }
}

/** How many elements an operand must have for the layout to stay inside. */
export function matrixReach(layout: MatrixLayout, batch: number, rows: number, columns: number): number {
  if (batch * rows * columns === 0) return 0
  const [outer, inner] = layout.transpose ? [columns, rows] : [rows, columns]
  return layout.offset + (batch - 1) * layout.batchStride + (outer - 1) * layout.leadingDimension + inner
}

/** True where the pattern reads elements 0, 1, 2, … in order. */
export function isDense(shape: Shape, { offset, strides }: LoadPattern): boolean {
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis]!
    if (extent > 1 && strides[axis] !== stride) return false
    stride *= extent
  }
  return offset === 0
}

/** Whether the rows of a view are what a product can read: elements one after the other, and no step backwards. */
export const hasAdjacentColumns = (shape: Shape, { strides }: LoadPattern): boolean =>
  strides.every((stride) => stride >= 0) && ((shape.at(-1) ?? 0) <= 1 || strides.at(-1) === 1)

/** Each stride reaches past all that the smaller ones reach together, so no two indices have one target. */
export function targetsDiffer(shape: Shape, strides: readonly number[]): boolean {
  const axes = strides
    .map((stride, axis) => ({ extent: shape[axis] ?? 1, stride: Math.abs(stride) }))
    .filter(({ extent }) => extent > 1)
  let covered = 0
  for (const { extent, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (stride <= covered) return sizeOf(shape) === 0
    covered += (extent - 1) * stride
  }
  return true
}

/** The shapes in which an attention reads q, k, v and the mask. */
export const attentionShapes = (p: {
  readonly batch: Shape
  readonly queries: number
  readonly keys: number
  readonly features: number
  readonly values: number
}): [q: Shape, k: Shape, v: Shape, mask: Shape] => [
  [...p.batch, p.queries, p.features],
  [...p.batch, p.keys, p.features],
  [...p.batch, p.keys, p.values],
  [...p.batch, p.queries, p.keys],
]

/** The shapes in which an attention's gradient reads q, k, v and the cotangent. */
export const attentionGradientShapes = (
  p: Parameters<typeof attentionShapes>[0],
): [q: Shape, k: Shape, v: Shape, cotangent: Shape] => {
  const [q, k, v] = attentionShapes(p)
  return [q, k, v, [...p.batch, p.queries, p.values]]
}

/** Of a quantizedMatmul: how many outputs a panel of the weight has, and of how many inputs each at a step. */
export const panelOutputs = 16
export const panelInputs = 4

/** The greatest k: the sum of so many products of −128 and 127 is an int32. */
export const maxQuantizedDepth = 2 ** 17

/** The shape of the weight of a quantizedMatmul from k inputs to n outputs. */
export const panelShape = (n: number, k: number): Shape => [
  Math.ceil(n / panelOutputs),
  Math.ceil(k / panelInputs),
  panelOutputs,
  panelInputs,
]
