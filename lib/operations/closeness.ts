/** Whether numbers are equal within a tolerance. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { abs, add, mul, sub } from './arithmetic.ts'
import { isFinite as areFinite, isNaN as areNaN, equal, less, lessEqual, where } from './comparison.ts'
import { operandsOf } from './elementwise.ts'
import { logicalAnd, logicalOr } from './logic.ts'
import { all } from './reduce.ts'
import { cast } from './shape.ts'

export interface ClosenessOptions {
  /** The tolerance relative to |y|: 1e-5 unless given. */
  rtol?: number
  /** The absolute tolerance: 1e-8 unless given. */
  atol?: number
  /** Whether NaN is close to NaN: false unless given. */
  equalNaN?: boolean
}

const closenessOptions: OptionTypes<ClosenessOptions> = { rtol: 'number', atol: 'number', equalNaN: 'boolean' }

/** |x − y|. Of integers the difference wraps where it is large, and loses digits in float32 where it is small. */
function distance(x: Tensor, y: Tensor): Tensor {
  if (isFloat(x.dtype) || isFloat(y.dtype)) return abs(sub(x, y))
  const rough = abs(sub(cast(x, 'float32'), cast(y, 'float32')))
  return where(less(rough, 2 ** 30), cast(abs(sub(x, y)), 'float32'), rough)
}

function closeness(op: string, x: TensorLike, y: TensorLike, options: ClosenessOptions | undefined): Tensor {
  const { rtol = 1e-5, atol = 1e-8, equalNaN = false } = checkOptions(op, options, closenessOptions)
  for (const [name, tolerance] of Object.entries({ rtol, atol }))
    checkNumber(op, `${name} of at least 0`, tolerance, (number) => number >= 0)
  const [a, b] = operandsOf(op, x, y)
  const apart = distance(a, b)
  const allowed = add(mul(abs(cast(b, apart.dtype)), rtol), atol)
  const near = logicalOr(equal(a, b), logicalAnd(areFinite(apart), lessEqual(apart, allowed)))
  return equalNaN ? logicalOr(near, logicalAnd(areNaN(a), areNaN(b))) : near
}

/**
 * Whether |x − y| ≤ atol + rtol·|y|, as bool. Infinities are close to themselves alone, NaN to nothing without `equalNaN`.
 * @throws RangeError for a tolerance below 0; ShapeError where the shapes do not broadcast
 * @pytorch torch.isclose
 * @tensorflow tf.experimental.numpy.isclose
 * @numpy np.isclose
 */
export function isClose(x: TensorLike, y: TensorLike, options?: ClosenessOptions): Tensor {
  return closeness('isClose', x, y, options)
}

/**
 * Whether all elements of x and y are close, as a bool scalar; true of nothing. Options as those of `isClose`.
 * @throws RangeError for a tolerance below 0; ShapeError where the shapes do not broadcast
 * @pytorch torch.allclose
 * @tensorflow tf.experimental.numpy.allclose
 * @numpy np.allclose
 */
export function allClose(x: TensorLike, y: TensorLike, options?: ClosenessOptions): Tensor {
  return all(closeness('allClose', x, y, options))
}
