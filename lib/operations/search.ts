/** Places in sorted sequences, by binary search, and what follows from them. */
import { isFloat, promote } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { zeros } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toIntegers, toTensor, wrap } from '../tensor/tensor.ts'
import { add, minimum, mul, sub } from './arithmetic.ts'
import { isNaN as areNaN, equal, greaterEqual, less, lessEqual, where } from './comparison.ts'
import { gather, takeAlongAxis } from './indexing.ts'
import { logicalAnd, logicalNot, logicalOr } from './logic.ts'
import { cast, flatten } from './shape.ts'
import { sort } from './sort.ts'

export interface BucketizeOptions {
  /** The place after elements that are equal, and not before them; false unless given. */
  right?: boolean
}

export interface SearchSortedOptions extends BucketizeOptions {
  /** Integer indices that sort the sequence, of its shape; it is sorted already unless given. */
  sorter?: TensorLike
}

export interface IsInOptions {
  /** Asks for what is not among the others; false unless given. */
  invert?: boolean
}

const bucketizeOptions: OptionTypes<BucketizeOptions> = { right: 'boolean' }
const searchSortedOptions: OptionTypes<SearchSortedOptions> = { ...bucketizeOptions, sorter: 'other' }
const isInOptions: OptionTypes<IsInOptions> = { invert: 'boolean' }

/** Numbers that are equal in float32 as integers: less 2³⁰ from there on, so that 2³¹ is one. */
function exactly(x: Tensor): Tensor {
  const offset = mul(cast(greaterEqual(x, 2 ** 30), 'int32'), 2 ** 30)
  return isFloat(x.dtype) ? cast(sub(x, cast(offset, 'float32')), 'int32') : sub(x, offset)
}

/** x < y, or x ≤ y. int32 meets float32 without a loss: what rounding makes equal is compared as integers. */
function isLess(x: Tensor, y: Tensor, orEqual: boolean): Tensor {
  const compare = orEqual ? lessEqual : less
  const rounds = promote(x.dtype, y.dtype) === 'float32' && [x, y].some(({ dtype }) => dtype === 'int32')
  if (!rounds) return compare(x, y)
  return logicalOr(less(x, y), logicalAnd(equal(x, y), compare(exactly(x), exactly(y))))
}

/** Whether an element stands before the place of a value: NaN is greater than all numbers, and equal to NaN. */
function standsBefore(element: Tensor, value: Tensor, right: boolean): Tensor {
  const isBelow = isLess(element, value, right)
  if (!isFloat(value.dtype)) return isBelow
  return logicalOr(isBelow, right ? areNaN(value) : logicalAnd(areNaN(value), logicalNot(areNaN(element))))
}

/** How many elements of each row stand before the places of its values: a binary search by falling powers of 2. */
function placesIn(sequence: Tensor, values: Tensor, right: boolean): Tensor {
  const count = extentAt(sequence.shape, -1)
  const elementsAt = (indices: Tensor) =>
    sequence.ndim === 1 ? gather(sequence, indices) : takeAlongAxis(sequence, indices, -1)
  let place = zeros(values.shape, { dtype: 'int32' })
  for (let step = 2 ** (31 - Math.clz32(count)); count > 0 && step >= 1; step /= 2) {
    const next = add(place, step)
    const last = elementsAt(sub(minimum(next, count), 1))
    place = where(logicalAnd(lessEqual(next, count), standsBefore(last, values, right)), next, place)
  }
  return place
}

function sortedBy(sequence: Tensor, sorter: TensorLike): Tensor {
  const order = wrap(toIntegers('searchSorted', sorter))
  if (!sameShape(order.shape, sequence.shape))
    throw new ShapeError(expected('searchSorted', `a sorter ${formatShape(sequence.shape)}`, formatShape(order.shape)))
  if (isFloat(order.dtype)) throw new DTypeError(expected('searchSorted', 'a sorter of integers', order.dtype))
  return takeAlongAxis(sequence, order, -1)
}

/**
 * Where values go into an ascending sequence to keep it sorted, as int32: the first place, or the last one with
 * `right: true`. A sequence [n] takes values of any shape; of [a…, n] the values are [a…, m]. The result has the shape of
 * the values. Comparisons are exact, of int32 with float32 too; NaN counts as greater than all others, as in `sort`.
 *
 * @example
 * searchSorted([1, 3, 3, 5], [3, 6])                    // [1, 4]
 * searchSorted([1, 3, 3, 5], [3, 6], { right: true })   // [3, 4]
 *
 * @throws ShapeError for a sequence without an axis, or axes that do not fit; DTypeError for a sorter that is no integers
 * @pytorch torch.searchsorted
 * @tensorflow tf.searchsorted
 * @numpy np.searchsorted
 */
export function searchSorted(
  sequence: TensorLike,
  values: TensorLike,
  options?: SearchSortedOptions,
  ...surplus: []
): Tensor {
  const { right = false, sorter } = checkOptions('searchSorted', options, searchSortedOptions, surplus)
  const [given, wanted] = [toTensor('searchSorted', sequence), toTensor('searchSorted', values)]
  if (given.ndim === 0) throw new ShapeError(expected('searchSorted', 'a sequence of at least one axis', '[]'))
  const rows = given.shape.slice(0, -1)
  if (given.ndim > 1 && !(wanted.ndim === given.ndim && sameShape(wanted.shape.slice(0, -1), rows)))
    throw new ShapeError(
      expected('searchSorted', `values of shape [${[...rows, 'm'].join(', ')}]`, formatShape(wanted.shape)),
    )
  return placesIn(sorter === undefined ? given : sortedBy(given, sorter), wanted, right)
}

/**
 * The bucket of each element of x between ascending boundaries, as int32: i where boundaries[i − 1] < x ≤ boundaries[i], or
 * with `right: true` boundaries[i − 1] ≤ x < boundaries[i]. NaN is beyond all of them.
 * @throws ShapeError for boundaries of another number of axes than one
 * @pytorch torch.bucketize
 * @tensorflow tf.keras.layers.Discretization
 * @numpy np.digitize
 */
export function bucketize(x: TensorLike, boundaries: TensorLike, options?: BucketizeOptions, ...surplus: []): Tensor {
  const { right = false } = checkOptions('bucketize', options, bucketizeOptions, surplus)
  const bounds = toTensor('bucketize', boundaries)
  if (bounds.ndim !== 1)
    throw new ShapeError(expected('bucketize', 'boundaries of one axis', formatShape(bounds.shape)))
  return placesIn(bounds, toTensor('bucketize', x), right)
}

/**
 * Whether each element of x equals one of `elements`, as bool of the shape of x. NaN equals nothing.
 * @pytorch torch.isin
 * @tensorflow tf.experimental.numpy.isin
 * @numpy np.isin
 */
export function isIn(x: TensorLike, elements: TensorLike, options?: IsInOptions, ...surplus: []): Tensor {
  const { invert = false } = checkOptions('isIn', options, isInOptions, surplus)
  const [t, others] = [toTensor('isIn', x), flatten(toTensor('isIn', elements))]
  const dtype = promote(t.dtype, others.dtype)
  const [values, sequence] = [cast(t, dtype), sort(cast(others, dtype))]
  const count = sequence.size
  const place = placesIn(sequence, values, false)
  const found = count === 0 ? cast(place, 'bool') : equal(gather(sequence, minimum(place, count - 1)), values)
  return invert ? logicalNot(found) : found
}
