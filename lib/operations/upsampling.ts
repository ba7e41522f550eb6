/** Images with more (or fewer) rows and columns, between those that there are. */

import { arrayOf } from '../base/arrays.ts'
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { add, mul, sub } from '../graph/ops/elementwise.ts'
import { data } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { placesOf, take } from './places.ts'
import { channelsFirst, type Layout2d } from './windows.ts'

export interface UpsampleOptions {
  /** How many rows and columns the result has; or else `scale` says. */
  size?: Pair
  /** How many times as many, rounded down: positive, not only integers. */
  scale?: number | readonly [height: number, width: number]
  /** 'nearest' unless given: the element that a place falls into; 'bilinear': weighted means of the four around it. */
  mode?: 'nearest' | 'bilinear'
  /**
   * Of 'bilinear'. False unless given: elements are squares, whose corners are those of the image, and row i of the
   * result lies at (i + ½)·height / outHeight − ½, with a scale (i + ½) / scale − ½, not before the first row. True: elements are points, the first and the
   * last ones stay where they are, and row i lies at i·(height − 1) / (outHeight − 1).
   */
  alignCorners?: boolean
  layout?: Layout2d
}

const upsampleOptions: OptionTypes<UpsampleOptions> = {
  size: 'other',
  scale: 'other',
  mode: ['nearest', 'bilinear'],
  alignCorners: 'boolean',
  layout: ['NCHW', 'NHWC'],
}

/** From a place of the result to one of the image. */
type Places = (i: number) => number

/** How many elements to how many: out / n of a size, scale / 1. Apart, as a quotient would be rounded. */
type Ratio = readonly [out: number, n: number]

/** An axis of the result. */
interface Target {
  readonly out: number
  readonly ratio: Ratio
}

/** i·n / out, rounded once: integers are exact. */
const divideBy = (i: number, [out, n]: Ratio): number => (i * n) / out

function nearestAlong(op: string, x: Node, axis: 2 | 3, { out, ratio }: Target): Node {
  const n = extentAt(x.shape, axis)
  const places = arrayOf(op, 'int32', [out], (i) => Math.min(Math.floor(divideBy(i, ratio)), n - 1))
  const copies = out / n
  if (copies === 1 && places.every((place, i) => place === i)) return x
  if (Number.isInteger(copies) && places.every((place, i) => place === Math.floor(i / copies))) {
    const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
    const repeated = broadcastTo(reshape(x, [...outer, n, 1, ...inner]), [...outer, n, copies, ...inner])
    return reshape(repeated, [...outer, out, ...inner])
  }
  return take(x, axis, data(places, 'int32', [out]))
}

/** x₀ + (x₁ − x₀)·fraction would lose an infinite x₁ or x₀: each has a weight of its own. */
function linearAlong(op: string, x: Node, axis: 2 | 3, out: number, place: Places): Node {
  const n = extentAt(x.shape, axis)
  const places = arrayOf(op, 'float64', [out], place)
  if (out === n && places.every((p, i) => p === i)) return x
  const first = (i: number) => Math.min(Math.floor(elementAt(places, i)), n - 1)
  const fractions = arrayOf(op, x.dtype, [out], (i) => elementAt(places, i) - first(i))
  const weight = data(fractions, x.dtype, axis === 3 ? [out] : [out, 1])
  const at = (step: number) =>
    take(
      x,
      axis,
      placesOf(op, [out], (i) => Math.min(first(i) + step, n - 1)),
    )
  return add(mul(at(0), sub(1, weight)), mul(at(1), weight))
}

/** The rows and the columns of the result. */
function targetsOf(op: string, x: Node, { size, scale }: UpsampleOptions): readonly [rows: Target, columns: Target] {
  if ((size === undefined) === (scale === undefined))
    throw new TypeError(expected(op, 'either a size or a scale', size === undefined ? 'none' : 'both'))
  const [height, width] = [extentAt(x.shape, 2), extentAt(x.shape, 3)]
  if (size !== undefined) {
    const [outHeight, outWidth] = pairOf(op, 'size', size)
    return [
      { out: outHeight, ratio: [outHeight, height] },
      { out: outWidth, ratio: [outWidth, width] },
    ]
  }
  const factors = typeof scale === 'number' ? [scale, scale] : scale!
  const isValid = (x: unknown) => typeof x === 'number' && Number.isFinite(x) && x > 0
  if (!Array.isArray(factors) || factors.length !== 2 || !factors.every(isValid))
    throw new RangeError(expected(op, 'scale to be a positive number, or two', scale))
  const [rows, columns] = [elementAt(factors, 0), elementAt(factors, 1)]
  return [
    { out: Math.floor(height * rows), ratio: [rows, 1] },
    { out: Math.floor(width * columns), ratio: [columns, 1] },
  ]
}

/** Where the element i of a result of `out` lies among n: see `alignCorners`. */
function linearPlaces(n: number, { out, ratio }: Target, alignCorners: boolean): Places {
  if (alignCorners) return (i) => (out > 1 ? divideBy(i, [out - 1, n - 1]) : 0)
  // (2i + 1)·n / 2out − ½ as one quotient.
  const [to, from] = ratio
  return (i) => Math.max(0, ((2 * i + 1) * from - to) / (2 * to))
}

/**
 * Images of another size. As PyTorch's interpolate: element i of the result is nearest to element ⌊i·n / out⌋ with a
 * size, and ⌊i / scale⌋ with a scale; the places of the bilinear mode are those of `alignCorners`.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @throws ShapeError for other operands or empty images, TypeError without a size and a scale, RangeError for a size, scale
 * or mode that is none
 * @example upsample(ones([1, 16, 7, 7]), { scale: 2 }).shape // [1, 16, 14, 14]
 * @pytorch F.interpolate
 * @tensorflow tf.image.resize
 */
export function upsample(x: TensorLike, options: UpsampleOptions, ...surplus: []): Tensor {
  const op = 'upsample'
  const given = checkOptions(op, options, upsampleOptions, surplus)
  const { mode = 'nearest', alignCorners = false, layout = 'NCHW' } = given
  const [images, restore] = channelsFirst(op, toNode(op, x), 4, layout)
  const [height, width] = [extentAt(images.shape, 2), extentAt(images.shape, 3)]
  const [rows, columns] = targetsOf(op, images, given)
  if (height * width === 0 || rows.out * columns.out === 0)
    throw new ShapeError(expected(op, 'images of at least one element', formatShape(images.shape)))
  const isNearest = mode === 'nearest'
  const source = cast(images, isNearest || isFloat(images.dtype) ? images.dtype : 'float32')
  const shape = checkShape(op, [...images.shape.slice(0, 2), rows.out, columns.out])
  // However many rows and columns: of no images there is nothing to choose.
  if (sizeOf(shape) === 0) return wrap(restore(reshape(source, shape)))
  if (isNearest) return wrap(restore(nearestAlong(op, nearestAlong(op, source, 2, rows), 3, columns)))
  const tall = linearAlong(op, source, 2, rows.out, linearPlaces(height, rows, alignCorners))
  return wrap(restore(linearAlong(op, tall, 3, columns.out, linearPlaces(width, columns, alignCorners))))
}
