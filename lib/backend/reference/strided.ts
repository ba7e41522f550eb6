/** Strided views, taken apart into runs along their last axis. */

import type { Shape } from '../../base/shape.ts'
import type { LoadPattern } from '../../program/vocabulary.ts'

/** The address of the first element of row `row`, all axes but the last counted as one. */
export function rowStart(shape: Shape, { offset, strides }: LoadPattern, row: number): number {
  let start = offset
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    const index = row % shape[axis]!
    start += index * strides[axis]!
    row = (row - index) / shape[axis]!
  }
  return start
}

/**
 * Elements [begin, end) of a view, in row-major order: each run is the elements from `position` on, `count` of them,
 * which lie at start, start + stride, ….
 */
export function forEachRun(
  shape: Shape,
  pattern: LoadPattern,
  begin: number,
  end: number,
  visit: (position: number, count: number, start: number, stride: number) => void,
): void {
  const columns = shape.at(-1) ?? 1
  const stride = pattern.strides.at(-1) ?? 0
  for (let position = begin, count = 0; position < end; position += count) {
    const column = position % columns
    count = Math.min(columns - column, end - position)
    const row = (position - column) / columns
    visit(position, count, rowStart(shape, pattern, row) + column * stride, stride)
  }
}
