/** Reductions of updates into the elements that indices name. */
import { checkChoice } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, sameShape } from '../base/shape.ts'
import { type Node, record } from '../graph/node.ts'
import { broadcastAlong } from '../graph/ops/along-axis.ts'
import { checkIndices } from '../graph/ops/indexing.ts'
import { elementLiteral, literal } from '../graph/ops/leaf.ts'
import { sliceAlong } from '../graph/ops/movement.ts'
import { withRule } from '../graph/ops/rule.ts'
import { nodeOf, type Tensor, type TensorLike, toIntegers, toTensor, wrap } from '../tensor/tensor.ts'
import { div, maximum, mul, neg } from './arithmetic.ts'
import { equal, where } from './comparison.ts'
import { putAlongAxis, scatterAddAlongAxis, takeAlongAxis } from './indexing.ts'
import { concat } from './joining.ts'
import { bitwiseNot, logicalNot } from './logic.ts'
import { broadcastTo, cast } from './shape.ts'
import { argsort } from './sort.ts'

/** What becomes of the updates of one element; names as PyTorch's. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin'

export interface ScatterReduceOptions {
  /** Whether the element of x is reduced with its updates; true unless given. Without it, elements without updates stay. */
  includeSelf?: boolean
}

const scatterReduceOptions: OptionTypes<ScatterReduceOptions> = { includeSelf: 'boolean' }

/** What is reduced: x, and updates of the shape of the indices into it, along an axis. */
interface Scattered {
  readonly x: Tensor
  readonly indices: Tensor
  readonly updates: Tensor
  readonly axis: number
  readonly includeSelf: boolean
}

const fullOf = (value: number, like: Tensor): Tensor => broadcastTo(wrap(literal(value, like.dtype)), like.shape)

/** Which elements of x have no update. */
function untouched({ x, indices, axis }: Scattered): Tensor {
  const nowhere = broadcastTo(wrap(literal(0, 'bool')), x.shape)
  return logicalNot(putAlongAxis(nowhere, indices, wrap(literal(1, 'bool')), axis))
}

function sumOf(scattered: Scattered): Tensor {
  const { x, indices, updates, axis, includeSelf } = scattered
  const start = includeSelf ? x : where(untouched(scattered), x, 0)
  return scatterAddAlongAxis(start, indices, updates, axis)
}

/** How many terms each element has: at least one, as what has no update stays what it is. */
function countOf({ x, indices, axis, includeSelf }: Scattered): Tensor {
  const start = broadcastTo(wrap(literal(includeSelf ? 1 : 0, 'int32')), x.shape)
  return maximum(scatterAddAlongAxis(start, indices, 1, axis), 1)
}

const meanOf = (scattered: Scattered): Tensor => div(sumOf(scattered), cast(countOf(scattered), scattered.x.dtype))

/** x moved on by `distance` along an axis, behind as many copies of a number. */
function shifted(x: Tensor, axis: number, distance: number, before: number): Tensor {
  const kept = sliceAlong(nodeOf(x), axis, 0, extentAt(x.shape, axis) - distance)
  const filling = broadcastTo(wrap(literal(before, x.dtype)), x.shape.with(axis, distance))
  return concat([filling, wrap(kept)], axis)
}

/**
 * Products without a division, whose derivatives are right where factors are 0. Updates are sorted by their indices; then each
 * is multiplied by the one 1, 2, 4, … places before it where that is of the same element (W. D. Hillis & G. L. Steele, "Data
 * parallel algorithms", 1986), so that the last one of an element is the product of all.
 */
function productOf({ x, indices, updates, axis, includeSelf }: Scattered): Tensor {
  const order = argsort(indices, { axis })
  const places = takeAlongAxis(indices, order, axis)
  let products = takeAlongAxis(updates, order, axis)
  for (let distance = 1; distance < extentAt(indices.shape, axis); distance *= 2) {
    const isSame = equal(places, shifted(places, axis, distance, -1))
    products = mul(products, where(isSame, shifted(products, axis, distance, 1), 1))
  }
  if (!includeSelf) return putAlongAxis(x, places, products, axis)
  return mul(x, putAlongAxis(fullOf(1, x), places, products, axis))
}

/** The greatest: of updates written in ascending order the last one stays. NaN is the greatest, in `maximum` too. */
function greatestOf({ x, indices, updates, axis, includeSelf }: Scattered): Tensor {
  const order = argsort(updates, { axis })
  const inOrder = (t: Tensor): Tensor => takeAlongAxis(t, order, axis)
  const written = putAlongAxis(x, inOrder(indices), inOrder(updates), axis)
  return includeSelf ? maximum(x, written) : written
}

/** Turns the order of numbers round, exactly. */
const reversed = (x: Tensor): Tensor => (isFloat(x.dtype) ? neg(x) : bitwiseNot(x))

const leastOf = (scattered: Scattered): Tensor =>
  reversed(greatestOf({ ...scattered, x: reversed(scattered.x), updates: reversed(scattered.updates) }))

/** The gradient of an extreme is shared evenly by the terms that are equal to it, as in `max` and `min`. */
function sharing(extreme: (scattered: Scattered) => Tensor): (scattered: Scattered) => Tensor {
  return (scattered) => {
    const { x, indices, updates, axis, includeSelf } = scattered
    const rule = (ct: Node, y: Node): [Node, null, Node] => {
      const attainedByX = includeSelf ? equal(x, wrap(y)) : untouched(scattered)
      const attained = equal(updates, takeAlongAxis(wrap(y), indices, axis))
      const count = scatterAddAlongAxis(cast(attainedByX, x.dtype), indices, cast(attained, x.dtype), axis)
      const share = div(wrap(ct), maximum(count, 1))
      return [
        nodeOf(where(attainedByX, share, 0)),
        null,
        nodeOf(where(attained, takeAlongAxis(share, indices, axis), 0)),
      ]
    }
    const inputs = [nodeOf(extreme(scattered)), nodeOf(x), nodeOf(indices), nodeOf(updates)] as const
    return wrap(record(withRule(rule), inputs, null))
  }
}

const reductions: { readonly [K in ScatterReduction]: (scattered: Scattered) => Tensor } = {
  sum: sumOf,
  prod: productOf,
  mean: meanOf,
  amax: sharing(greatestOf),
  amin: sharing(leastOf),
}

/**
 * x with each element reduced with the updates whose indices along an axis name it: to the sum, product, mean, greatest or
 * least of x[…, j, …] and all updates[…, i, …] with indices[…, i, …] = j. The indices have as many axes as x, and broadcast to
 * it on the axes other than `axis`; the updates broadcast to the indices. Elements that no index names stay. The mean of
 * integers is float32; NaN wins in extremes, whose gradient is shared evenly at ties; the gradient of a product is right also
 * where factors are 0.
 *
 * @example
 * scatterReduce([1, 2, 3], [0, 0, 2], [5, 6, 7], 0, 'sum')                              // [12, 2, 10]
 * scatterReduce([1, 2, 3], [0, 0, 2], [5, 6, 7], 0, 'amax', { includeSelf: false })     // [6, 2, 7]
 *
 * @throws ShapeError where the axes do not fit; DTypeError where x is bool or uint8, for updates of another dtype than x, or
 * indices that are no integers; RangeError for another reduction, and when evaluated, for an index outside [0, x.shape[axis])
 * @pytorch torch.scatter_reduce
 */
export function scatterReduce(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis: number,
  reduction: ScatterReduction,
  options?: ScatterReduceOptions,
  ...surplus: []
): Tensor {
  const op = 'scatterReduce'
  const { includeSelf = true } = checkOptions(op, options, scatterReduceOptions, surplus)
  checkChoice(op, 'a reduction', reduction, Object.keys(reductions))
  const t = toTensor('scatterReduce', x)
  if (!isFloat(t.dtype) && t.dtype !== 'int32') throw new DTypeError(expected(op, 'float or int32 operands', t.dtype))
  const places = checkIndices(op, toIntegers(op, indices))
  const shapes = broadcastAlong(op, t.shape, places.shape, axis)
  if (!sameShape(shapes.x, t.shape))
    throw new ShapeError(expected(op, `indices that broadcast to ${formatShape(t.shape)}`, formatShape(places.shape)))
  const given =
    typeof updates === 'number' ? wrap(elementLiteral(op, updates, t.dtype)) : toTensor('scatterReduce', updates)
  if (given.dtype !== t.dtype) throw new DTypeError(expected(op, `updates of ${t.dtype}`, given.dtype))
  const operand = reduction === 'mean' && !isFloat(t.dtype) ? 'float32' : t.dtype
  return reductions[reduction]({
    ...{ x: cast(t, operand), updates: cast(broadcastTo(given, shapes.indices), operand), axis: shapes.along },
    ...{ indices: broadcastTo(wrap(places), shapes.indices), includeSelf },
  })
}
