/** Integrals of functions that are known at some places. */
import { checkFinite } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { add, mul, sub } from './arithmetic.ts'
import { slice } from './indexing.ts'
import { sum } from './reduce.ts'
import { cast, reshape } from './shape.ts'

export interface TrapezoidOptions {
  /** The last one unless given. */
  axis?: number
  /** The distance between places where these are not given; 1 unless given. */
  spacing?: number
}

const trapezoidOptions: OptionTypes<TrapezoidOptions> = { axis: 'number', spacing: 'number' }

/** All but the last elements along an axis, and all but the first ones. */
function neighbours(x: Tensor, axis: number): [Tensor, Tensor] {
  const starts = x.shape.map(() => 0)
  const last = Math.max(0, extentAt(x.shape, axis) - 1)
  return [slice(x, starts, x.shape.with(axis, last)), slice(x, starts.with(axis, 1))]
}

/**
 * The integral of y along an axis by the trapezoidal rule, Σ (xᵢ₊₁ − xᵢ)·(yᵢ + yᵢ₊₁)/2; 0 of less than two elements.
 *
 * @param x the places: as many as y has elements along the axis, or a tensor that broadcasts with y. At distances of the
 * spacing unless given
 * @param options.axis the last one unless given; options.spacing 1 unless given
 * @throws ShapeError for an axis that is none, or places that do not fit
 * @example trapezoid([1, 2, 3]) // 4
 * @pytorch torch.trapezoid
 * @tensorflow tf.experimental.numpy.trapz
 * @numpy np.trapezoid
 */
export function trapezoid(y: TensorLike, x?: TensorLike, options?: TrapezoidOptions): Tensor {
  const { axis = -1, spacing = 1 } = checkOptions('trapezoid', options, trapezoidOptions)
  checkFinite('trapezoid', 'spacing', spacing)
  const values = toTensor('trapezoid', y)
  const heights = isFloat(values.dtype) ? values : cast(values, 'float32')
  const along = normalizeAxis('trapezoid', axis, heights.ndim)
  const widths = x === undefined ? spacing : widthsOf(toTensor('trapezoid', x), heights, along)
  const [before, after] = neighbours(heights, along)
  return sum(mul(mul(add(before, after), 0.5), widths), along - heights.ndim)
}

/** Distances between places, of the rank of what is integrated. */
function widthsOf(x: Tensor, { shape, ndim }: Tensor, axis: number): Tensor {
  const isLine = x.ndim === 1
  const places = reshape(
    x,
    isLine
      ? shape.map((_, i) => (i === axis ? extentAt(x.shape, 0) : 1))
      : [...Array(Math.max(0, ndim - x.ndim)).fill(1), ...x.shape],
  )
  if (places.ndim !== ndim || places.shape[axis] !== shape[axis])
    throw new ShapeError(
      expected('trapezoid', `places for axis ${axis} of ${formatShape(shape)}`, formatShape(x.shape)),
    )
  broadcastShapes('trapezoid', places.shape, shape)
  const [before, after] = neighbours(places, axis)
  return sub(after, before)
}
