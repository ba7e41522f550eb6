/** Masks: which steps of a sequence count. As in Keras they go along with the tensors that they are about. */
import * as g from '../operations/index.ts'
import type { Tensor } from '../tensor/tensor.ts'

const masks = new WeakMap<Tensor, Tensor>()

/** Truths [batch, steps], or undefined where all steps count. */
export const maskOf = (x: unknown): Tensor | undefined => masks.get(x as Tensor)

/** The same tensor with a mask. */
export function masked<T>(x: T, mask: Tensor | undefined): T {
  if (mask !== undefined) masks.set(x as Tensor, mask)
  return x
}

/** What counts in both; undefined is all. */
export const both = (a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined =>
  a === undefined ? b : b === undefined ? a : g.logicalAnd(a, b)
