import { expect } from 'vitest'
import type { Tensor } from '../../lib/tensor/tensor.ts'

/** Every element within `tolerance`, absolute below 1 and relative above. A NaN is close to nothing. */
export function expectClose(
  actual: Tensor | ArrayLike<number> | number,
  expected: ArrayLike<number> | number,
  tolerance = 1e-6,
): void {
  const a = numbersOf(actual)
  const e = numbersOf(expected)
  expect(a).toHaveLength(e.length)
  for (const [i, value] of e.entries()) {
    const text = `element ${i}: expected ${value}, got ${a[i]}`
    expect(Math.abs(a[i]! - value), text).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)))
  }
}

function numbersOf(x: Tensor | ArrayLike<number> | number): number[] {
  if (typeof x === 'number') return [x]
  return Array.from('dataSync' in x ? x.dataSync() : x)
}
