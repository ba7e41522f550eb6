/** Normalization by the responses of neighbouring channels. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { isCount } from '../base/pair.ts'
import { formatShape, sizeOf } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { add, div, mul } from './arithmetic.ts'
import { pow, square } from './math.ts'
import { pad } from './padding.ts'
import { avgPool2d } from './pooling.ts'
import { reshape } from './shape.ts'

export interface LocalResponseNormOptions {
  /** 1e-4 unless given. */
  alpha?: number
  /** 0.75 unless given. */
  beta?: number
  /** What is added to the means; 1 unless given. */
  k?: number
}

const localResponseNormOptions: OptionTypes<LocalResponseNormOptions> = { alpha: 'number', beta: 'number', k: 'number' }

/**
 * x / (k + alpha · m)^beta, where m is the mean of the squares of `size` neighbouring channels, those that there are not counted
 * as 0: the channels c − ⌊size / 2⌋ to c + ⌊(size − 1) / 2⌋. A. Krizhevsky et al., "ImageNet classification with deep
 * convolutional neural networks" (2012), by PyTorch's formula, which divides alpha by the size.
 *
 * @param x floats [n, channels, …]
 * @throws ShapeError for fewer than three axes; DTypeError for integers; RangeError for a size that is no positive integer, or
 * options that are not finite
 * @pytorch F.local_response_norm
 * @tensorflow tf.nn.local_response_normalization
 */
export function localResponseNorm(
  x: TensorLike,
  size: number,
  options?: LocalResponseNormOptions,
  ...surplus: []
): Tensor {
  const op = 'localResponseNorm'
  const { alpha = 1e-4, beta = 0.75, k = 1 } = checkOptions(op, options, localResponseNormOptions, surplus)
  for (const [name, value] of Object.entries({ alpha, beta, k }))
    checkNumber(op, `a finite ${name}`, value, Number.isFinite)
  checkNumber(op, 'a positive integer as size', size, (n) => isCount(n, 1))
  const t = toTensor('localResponseNorm', x)
  if (!isFloat(t.dtype)) throw new DTypeError(expected(op, 'float32 or float64', t.dtype))
  if (t.ndim < 3) throw new ShapeError(expected(op, 'an input [n, channels, …] of three axes', formatShape(t.shape)))
  const [n, channels, ...places] = t.shape as [number, number, ...number[]]
  const planes = reshape(square(t), [n, 1, channels, sizeOf(places)])
  // Farther away there are no channels.
  const sides = [Math.min(Math.floor(size / 2), channels), Math.min(Math.floor((size - 1) / 2), channels)] as const
  const window = sides[0] + 1 + sides[1]
  const means = avgPool2d(pad(planes, [[0, 0], [0, 0], sides, [0, 0]]), [window, 1], { stride: 1 })
  return div(t, pow(add(mul(reshape(means, t.shape), (alpha * window) / size), k), beta))
}
