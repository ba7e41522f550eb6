/** Instructions that move elements and compute nothing. */
import type { TypedArray } from '../../base/dtype.ts'
import { zipWith } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { forEachRun } from './strided.ts'

export function copy(p: InstructionParams['copy'], [x]: readonly [TypedArray], [out]: readonly [TypedArray]): void {
  forEachRun(p.shape, p, 0, sizeOf(p.shape), (position, count, start, stride) => {
    for (let i = 0; i < count; i++) out[position + i] = x[start + i * stride]!
  })
}

export function pad(p: InstructionParams['pad'], [x]: readonly [TypedArray], [out]: readonly [TypedArray]): void {
  out.fill(0)
  forEachRun(p.shape, p, 0, sizeOf(p.shape), (position, count, start, stride) => {
    for (let i = 0; i < count; i++) out[start + i * stride] = x[position + i]!
  })
}

export function concat(
  p: InstructionParams['concat'],
  inputs: readonly TypedArray[],
  [out]: readonly [TypedArray],
): void {
  const parts = zipWith(inputs, p.inners, (x, inner) => ({ x, inner })).filter(({ inner }) => inner > 0)
  let end = 0
  for (let outer = 0; outer < p.outer; outer++) {
    for (const { x, inner } of parts) {
      out.set(x.subarray(outer * inner, (outer + 1) * inner), end)
      end += inner
    }
  }
}
