/** Images with more (or fewer) rows and columns, between those that there are. */

import { allocate, isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { extentAt } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { add, mul, sub } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/indexing.ts'
import { data } from '../graph/ops/leaf.ts'
import { permute } from '../graph/ops/movement.ts'
import { cast } from '../graph/ops/promotion.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
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
   * result lies at (i + ½)·height / outHeight − ½, not before the first row. True: elements are points, the first and the
   * last ones stay where they are, and row i lies at i·(height − 1) / (outHeight − 1).
   */
  alignCorners?: boolean
  layout?: Layout2d
}

/** From a place of the result to one of the image. */
type Places = (i: number) => number

/** Rows `at` of an axis of images. */
function take(x: Node, axis: 2 | 3, at: readonly number[]): Node {
  const indices = allocate('int32', at.length)
  indices.set(at)
  const [toFront, back] =
    axis === 2
      ? [
          [2, 0, 1, 3],
          [1, 2, 0, 3],
        ]
      : [
          [3, 0, 1, 2],
          [1, 2, 3, 0],
        ]
  return permute(gather(permute(x, toFront), data(indices, 'int32', [at.length])), back)
}

const indicesOf = (out: number, place: Places): number[] => Array.from({ length: out }, (_, i) => place(i))

function nearestAlong(x: Node, axis: 2 | 3, out: number, scale: number): Node {
  const n = extentAt(x.shape, axis)
  if (out === n && scale === 1) return x
  if (scale === n / out && out % n === 0) {
    const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
    const repeated = broadcastTo(reshape(x, [...outer, n, 1, ...inner]), [...outer, n, out / n, ...inner])
    return reshape(repeated, [...outer, out, ...inner])
  }
  return take(
    x,
    axis,
    indicesOf(out, (i) => Math.min(Math.floor(i * scale), n - 1)),
  )
}

/** x₀ + (x₁ − x₀)·fraction would lose an infinite x₁ or x₀: each has a weight of its own. */
function linearAlong(x: Node, axis: 2 | 3, out: number, place: Places): Node {
  const n = extentAt(x.shape, axis)
  if (out === n && indicesOf(out, place).every((p, i) => p === i)) return x
  const places = indicesOf(out, place)
  const first = places.map((p) => Math.min(Math.floor(p), n - 1))
  const fractions = allocate(x.dtype, out)
  fractions.set(places.map((p, i) => p - elementAt(first, i)))
  const weight = data(fractions, x.dtype, axis === 3 ? [out] : [out, 1])
  const next = first.map((i) => Math.min(i + 1, n - 1))
  return add(mul(take(x, axis, first), sub(1, weight)), mul(take(x, axis, next), weight))
}

/** The extents of the result, and how far apart its elements lie in the image. */
function targetOf(op: string, x: Node, { size, scale }: UpsampleOptions) {
  if ((size === undefined) === (scale === undefined))
    throw new TypeError(expected(op, 'either a size or a scale', size === undefined ? 'none' : 'both'))
  const [height, width] = [extentAt(x.shape, 2), extentAt(x.shape, 3)]
  if (size !== undefined) {
    const [outHeight, outWidth] = pairOf(op, 'size', size)
    return { out: [outHeight, outWidth] as const, steps: [height / outHeight, width / outWidth] as const }
  }
  const factors = typeof scale === 'number' ? [scale, scale] : scale!
  const isValid = (x: unknown) => typeof x === 'number' && Number.isFinite(x) && x > 0
  if (!Array.isArray(factors) || factors.length !== 2 || !factors.every(isValid))
    throw new RangeError(expected(op, 'scale to be a positive number, or two', String(scale)))
  const out = [Math.floor(height * elementAt(factors, 0)), Math.floor(width * elementAt(factors, 1))] as const
  return { out, steps: [1 / elementAt(factors, 0), 1 / elementAt(factors, 1)] as const }
}

/** Where the element i of a result of `out` lies among n: see `alignCorners`. */
function linearPlaces(n: number, out: number, step: number, alignCorners: boolean): Places {
  if (alignCorners) return (i) => (out > 1 ? (i * (n - 1)) / (out - 1) : 0)
  return (i) => Math.max(0, (i + 0.5) * step - 0.5)
}

/**
 * Images of another size. As PyTorch's interpolate: element i of the result is nearest to element ⌊i·n / out⌋; the places
 * of the bilinear mode are those of `alignCorners`.
 *
 * @param x images [n, channels, height, width], or [n, height, width, channels] with `layout: 'NHWC'`
 * @throws ShapeError for other operands or empty images, TypeError without a size and a scale, RangeError for a size, scale
 * or mode that is none
 * @example upsample(ones([1, 16, 7, 7]), { scale: 2 }).shape // [1, 16, 14, 14]
 * @pytorch F.interpolate
 * @tensorflow tf.image.resize
 */
export function upsample(x: TensorLike, options: UpsampleOptions): Tensor {
  const { mode = 'nearest', alignCorners = false, layout = 'NCHW' } = options
  if (mode !== 'nearest' && mode !== 'bilinear')
    throw new RangeError(expected('upsample', 'a mode, nearest or bilinear', mode))
  const [images, restore] = channelsFirst('upsample', toNode(x), 4, layout)
  const [height, width] = [extentAt(images.shape, 2), extentAt(images.shape, 3)]
  const { out, steps } = targetOf('upsample', images, options)
  if (height * width === 0 || out[0] * out[1] === 0)
    throw new ShapeError(expected('upsample', 'images of at least one element', `[${images.shape.join(', ')}]`))
  if (mode === 'nearest')
    return wrap(restore(nearestAlong(nearestAlong(images, 2, out[0], steps[0]), 3, out[1], steps[1])))
  const float = cast(images, isFloat(images.dtype) ? images.dtype : 'float32')
  const rows = linearAlong(float, 2, out[0], linearPlaces(height, out[0], steps[0], alignCorners))
  return wrap(restore(linearAlong(rows, 3, out[1], linearPlaces(width, out[1], steps[1], alignCorners))))
}
