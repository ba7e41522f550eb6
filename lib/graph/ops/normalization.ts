/** Normalization: shifted to mean 0 and scaled to variance 1. */

import type { Node } from '../node.ts'
import { add, mul, rsqrt, square, sub } from './elementwise.ts'
import { type Axes, mean } from './reduce.ts'

/** The mean and the (biased) variance over axes, which keep extent 1. */
export function moments(x: Node, axes: Axes): { mean: Node; variance: Node } {
  const center = mean(x, axes, true)
  return { mean: center, variance: mean(square(sub(x, center)), axes, true) }
}

/** (x − mean) / √(variance + ε) */
export const standardize = (x: Node, center: Node, variance: Node, epsilon: number): Node =>
  mul(sub(x, center), rsqrt(add(variance, epsilon)))

/** x / √(mean x² + ε) over axes. */
export const scaleToUnit = (x: Node, axes: Axes, epsilon: number): Node =>
  mul(x, rsqrt(add(mean(square(x), axes, true), epsilon)))
