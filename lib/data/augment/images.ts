/** What augmentations of images have in common: batches in, other ones out, in training mode alone. */

import { checkNumber, describe } from '../../base/arguments.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { extentAt, formatShape } from '../../base/shape.ts'
import { inputOf } from '../../nn/inputs.ts'
import { Module } from '../../nn/module.ts'
import { capitalized, titled } from '../../nn/repr.ts'
import { arange } from '../../tensor/creation.ts'
import { uniform } from '../../tensor/random.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'

/**
 * An augmentation: a module that changes a batch of images [n, channels, height, width], or [n, height, width], each by its own random numbers, in
 * training mode; in evaluation mode they stay. No gradient goes through it.
 */
export class Augmentation extends Module<TensorLike, Tensor> {
  readonly #op: string
  readonly #change: (images: Tensor) => Tensor

  /** @internal */
  constructor(op: string, options: object, change: (images: Tensor) => Tensor) {
    super()
    this.#op = op
    this.#change = change
    titled(this, capitalized(op), options)
  }

  forward(x: TensorLike): Tensor {
    const input = inputOf(this.#op, x)
    if (input.ndim !== 3 && input.ndim !== 4)
      throw new ShapeError(
        expected(this.#op, 'images [n, channels, height, width] or [n, height, width]', formatShape(input.shape)),
      )
    if (!this.training || input.size === 0) return input
    const images = input.ndim === 4 ? input : input.expandDims(1)
    const changed = this.#change(images.stopGradient())
    return input.ndim === 4 ? changed : changed.squeeze(1)
  }
}

export interface ImageShape {
  readonly n: number
  readonly channels: number
  readonly height: number
  readonly width: number
}

export const shapeOfImages = ({ shape }: Tensor): ImageShape => ({
  n: extentAt(shape, 0),
  channels: extentAt(shape, 1),
  height: extentAt(shape, 2),
  width: extentAt(shape, 3),
})

/** The places of rows as [1, 1, height, 1], and of columns as [1, 1, 1, width]. */
export const places = ({ height, width }: ImageShape): [rows: Tensor, columns: Tensor] => [
  arange(0, height, 1, { dtype: 'int32' }).reshape([1, 1, height, 1]),
  arange(0, width, 1, { dtype: 'int32' }).reshape([1, 1, 1, width]),
]

/** For each image whether it is to be changed, as bool [n, 1, 1, 1]. */
export const chosen = (n: number, probability: number): Tensor => uniform([n, 1, 1, 1]).less(probability)

export const checkProbability = (op: string, probability: number): number =>
  checkNumber(op, 'a probability from 0 to 1', probability, (p) => p >= 0 && p <= 1)

/** Two numbers in ascending order. */
export function checkRange(
  op: string,
  name: string,
  range: readonly [number, number],
  least: number,
  most: number,
): void {
  const what = `${name} as two numbers from ${least} to ${most} in ascending order`
  if (!Array.isArray(range) || range.length !== 2) throw new TypeError(expected(op, what, describe(range)))
  for (const bound of range) checkNumber(op, what, bound, (x) => x >= least && x <= most)
  if (range[0] > range[1]) throw new RangeError(expected(op, what, range))
}
