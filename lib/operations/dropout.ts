/** Dropout. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, type Shape } from '../base/shape.ts'
import { literal } from '../graph/ops/leaf.ts'
import { checkSeed, uniform } from '../tensor/random.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { add, mul } from './arithmetic.ts'
import { greaterEqual, where } from './comparison.ts'
import { seluAlpha, seluScale } from './selu-constants.ts'
import type { Layout1d, Layout2d, Layout3d } from './windows.ts'

export interface DropoutOptions {
  /** Whether anything is dropped; true unless given. `nn.dropout` follows the mode of its module. */
  training?: boolean
  /** Fixes which elements are dropped; otherwise they are drawn anew, at each call of a compiled function too. */
  seed?: number
}

const dropoutOptions: OptionTypes<DropoutOptions> = { training: 'boolean', seed: 'number' }

/** Of channels: where they are. */
interface LayoutOption<Layout> {
  layout?: Layout
}

const dropout1dOptions: OptionTypes<DropoutOptions & LayoutOption<Layout1d>> = {
  ...dropoutOptions,
  layout: ['NCL', 'NLC'],
}
const dropout2dOptions: OptionTypes<DropoutOptions & LayoutOption<Layout2d>> = {
  ...dropoutOptions,
  layout: ['NCHW', 'NHWC'],
}
const dropout3dOptions: OptionTypes<DropoutOptions & LayoutOption<Layout3d>> = {
  ...dropoutOptions,
  layout: ['NCDHW', 'NDHWC'],
}

/** What is kept of x, by a draw for each element of a shape that broadcasts to its own; null where that is all of it. */
function drawKept(op: string, x: Tensor, rate: number, options: DropoutOptions, shape: Shape): Tensor | null {
  const { training = true, seed } = options
  if (!isFloat(x.dtype)) throw new DTypeError(expected(op, 'float32 or float64', x.dtype))
  checkNumber(op, 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
  if (seed !== undefined) checkSeed(op, seed)
  if (!training || rate === 0) return null
  const drawn = uniform(shape, { dtype: x.dtype, ...(seed === undefined ? {} : { seed }) })
  return greaterEqual(drawn, wrap(literal(rate, x.dtype)))
}

/** x where it is kept, scaled so that its expectation stays, else 0. */
function scaled(x: Tensor, rate: number, kept: Tensor | null): Tensor {
  if (kept === null) return x
  const number = (value: number) => wrap(literal(value, x.dtype))
  return mul(x, where(kept, number(rate === 1 ? 0 : 1 / (1 - rate)), number(0)))
}

/**
 * Inverted dropout: each element is 0 with probability `rate`, else x / (1 − rate), so that its expectation is x. In
 * evaluation it is x itself. N. Srivastava et al., "Dropout" (2014).
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; DTypeError for integers
 * @pytorch F.dropout
 * @tensorflow tf.nn.dropout
 */
export function dropout(x: TensorLike, rate = 0.5, options?: DropoutOptions): Tensor {
  const given = checkOptions('dropout', options, dropoutOptions)
  const t = toTensor('dropout', x)
  return scaled(t, rate, drawKept('dropout', t, rate, given, t.shape))
}

/** One draw for each channel of each sample. */
function dropChannels(op: string, x: TensorLike, rate: number, options: DropoutOptions, layout: string): Tensor {
  const t = toTensor(op, x)
  if (t.ndim !== layout.length)
    throw new ShapeError(expected(op, `an input of ${layout.length} axes, ${layout}`, formatShape(t.shape)))
  const perChannel = t.shape.map((extent, axis) => (layout[axis] === 'N' || layout[axis] === 'C' ? extent : 1))
  return scaled(t, rate, drawKept(op, t, rate, options, perChannel))
}

/**
 * `dropout` of whole channels of lines x[n, channels, length], or [n, length, channels] with `layout: 'NLC'`: neighbours in a
 * channel say much the same, so that single elements would not be missed. J. Tompson et al., "Efficient object localization
 * using convolutional networks" (2015).
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; ShapeError for an input of other axes; DTypeError for integers
 * @pytorch F.dropout1d
 * @tensorflow tf.keras.layers.SpatialDropout1D
 */
export function dropout1d(x: TensorLike, rate = 0.5, options?: DropoutOptions & LayoutOption<Layout1d>): Tensor {
  const { layout = 'NCL', ...given } = checkOptions('dropout1d', options, dropout1dOptions)
  return dropChannels('dropout1d', x, rate, given, layout)
}

/**
 * `dropout` of whole channels of images x[n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`.
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; ShapeError for an input of other axes; DTypeError for integers
 * @pytorch F.dropout2d
 * @tensorflow tf.keras.layers.SpatialDropout2D
 */
export function dropout2d(x: TensorLike, rate = 0.5, options?: DropoutOptions & LayoutOption<Layout2d>): Tensor {
  const { layout = 'NCHW', ...given } = checkOptions('dropout2d', options, dropout2dOptions)
  return dropChannels('dropout2d', x, rate, given, layout)
}

/**
 * `dropout` of whole channels of volumes x[n, channels, depth, height, width], or [n, depth, height, width, channels] with
 * `layout: 'NDHWC'`.
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; ShapeError for an input of other axes; DTypeError for integers
 * @pytorch F.dropout3d
 * @tensorflow tf.keras.layers.SpatialDropout3D
 */
export function dropout3d(x: TensorLike, rate = 0.5, options?: DropoutOptions & LayoutOption<Layout3d>): Tensor {
  const { layout = 'NCDHW', ...given } = checkOptions('dropout3d', options, dropout3dOptions)
  return dropChannels('dropout3d', x, rate, given, layout)
}

/**
 * Dropout beside `selu`: each element is −scale·alpha of selu, its value at −∞, with probability `rate`, and all are scaled and
 * shifted so that mean 0 and variance 1 stay; all are 0 for rate 1. Klambauer et al. 2017, "Self-normalizing neural networks".
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; DTypeError for integers
 * @pytorch F.alpha_dropout
 * @tensorflow tf.keras.layers.AlphaDropout
 */
export function alphaDropout(x: TensorLike, rate = 0.5, options?: DropoutOptions): Tensor {
  const given = checkOptions('alphaDropout', options, dropoutOptions)
  const t = toTensor('alphaDropout', x)
  const kept = drawKept('alphaDropout', t, rate, given, t.shape)
  if (kept === null) return t
  if (rate === 1) return where(kept, t, 0)
  const least = -seluScale * seluAlpha
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * least ** 2))
  return add(mul(where(kept, t, least), scale), -scale * rate * least)
}
