/** Cumulative operations along an axis. */

import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, normalizeAxis } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { takeAlongAxis } from '../graph/ops/along-axis.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { equal, notEqual, where } from '../graph/ops/elementwise.ts'
import { data } from '../graph/ops/leaf.ts'
import { arithmeticDType, cast } from '../graph/ops/promotion.ts'
import * as ops from '../graph/ops/scan.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export type CumulativeOptions = ops.ScanOptions

const cumulativeOptions: OptionTypes<CumulativeOptions> = { exclusive: 'boolean', reverse: 'boolean' }

/** What cummax and cummin give. */
export interface CumulativeExtreme {
  readonly values: Tensor
  /** Where they are along the axis, as int32; of equal ones the last. */
  readonly indices: Tensor
}

/**
 * Sums up to each element along an axis, the last one unless given; int32 for bool and uint8. `exclusive` leaves the
 * element itself out, `reverse` sums from the end. Carried in float64.
 * @throws ShapeError for an axis that is none
 * @example cumsum([1, 2, 3]) // [1, 3, 6]
 * @pytorch torch.cumsum
 * @tensorflow tf.cumsum
 */
export function cumsum(x: TensorLike, axis = -1, options?: CumulativeOptions): Tensor {
  return wrap(ops.cumsum(toNode(x), axis, checkOptions('cumsum', options, cumulativeOptions)))
}

/**
 * Products up to each element along an axis, the last one unless given; int32 for bool and uint8, wrapping. Options as
 * those of `cumsum`. The gradient is right also where elements are 0.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cumprod
 * @tensorflow tf.math.cumprod
 */
export function cumprod(x: TensorLike, axis = -1, options?: CumulativeOptions): Tensor {
  return wrap(ops.cumprod(toNode(x), axis, checkOptions('cumprod', options, cumulativeOptions)))
}

function cumulativeExtreme(name: string, kind: 'max' | 'min', x: TensorLike, axis: number): CumulativeExtreme {
  const node = toNode(x)
  const along = { axis: normalizeAxis(name, axis, node.shape.length), reverse: false }
  const wide = cast(node, arithmeticDType(node.dtype))
  const extremes = ops.scan(kind, wide, along)
  const counting = Int32Array.from({ length: extentAt(node.shape, along.axis) }, (_, i) => i)
  const places = reshape(
    data(counting, 'int32', [counting.length]),
    node.shape.map((extent, i) => (i === along.axis ? extent : 1)),
  )
  const attained = (condition: Node, otherwise: Node | number): Node =>
    where(condition, broadcastTo(places, node.shape), otherwise)
  const marks = attained(equal(wide, extremes), attained(notEqual(wide, wide), 0))
  const indices = ops.scan('max', marks, along)
  return { values: wrap(takeAlongAxis(node, indices, along.axis)), indices: wrap(indices) }
}

/**
 * The greatest element so far along an axis, the last one unless given, and its index; of ties the last. NaN wins. Each
 * value passes its gradient to the element it is.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cummax
 */
export function cummax(x: TensorLike, axis = -1): CumulativeExtreme {
  return cumulativeExtreme('cummax', 'max', x, axis)
}

/**
 * The least element so far along an axis, the last one unless given, and its index; of ties the last. NaN wins. Each
 * value passes its gradient to the element it is.
 * @throws ShapeError for an axis that is none
 * @pytorch torch.cummin
 */
export function cummin(x: TensorLike, axis = -1): CumulativeExtreme {
  return cumulativeExtreme('cummin', 'min', x, axis)
}
