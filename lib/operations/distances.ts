/** Vectors by their lengths: distances between them, their directions, and the cosines of angles. */

import { checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { clamp, div, sub } from './arithmetic.ts'
import { notEqual, where } from './comparison.ts'
import { vecdot } from './products.ts'
import { norm } from './reduce.ts'
import { cast, expandDims } from './shape.ts'

const asFloat = (x: Tensor): Tensor => cast(x, isFloat(x.dtype) ? x.dtype : 'float32')

export interface DistanceOptions {
  /** Of the norm (Σ|d|ᵖ)^(1/p), from 0 to Infinity; 2 unless given. */
  order?: number
}

const distanceOptions: OptionTypes<DistanceOptions> = { order: 'number' }

/**
 * ‖xᵢ − yⱼ‖ for every row of x[…, m, k] and of y[…, n, k]: […, m, n]; leading axes broadcast. By differences, so that
 * close rows keep their digits; they take room for m·n·k numbers. Where rows are equal, the gradient is 0.
 *
 * @param options.order 2 unless given; 1 sums |d|, Infinity takes the greatest, 0 counts those that are not 0
 * @throws ShapeError unless both have rows of one length and their leading axes broadcast; RangeError for an order below 0
 * @example cdist([[0, 0], [3, 4]], [[0, 0]]) // [[0], [5]]
 * @pytorch torch.cdist
 */
export function cdist(x: TensorLike, y: TensorLike, options?: DistanceOptions): Tensor {
  const { order = 2 } = checkOptions('cdist', options, distanceOptions)
  checkNumber('cdist', 'an order of at least 0', order, (p) => p >= 0)
  const [a, b] = [asFloat(toTensor('cdist', x)), asFloat(toTensor('cdist', y))]
  if (a.ndim < 2 || b.ndim < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      expected('cdist', 'rows […, m, k] and […, n, k]', `${formatShape(a.shape)} and ${formatShape(b.shape)}`),
    )
  broadcastShapes('cdist', a.shape.slice(0, -2), b.shape.slice(0, -2))
  const differences = sub(expandDims(a, -2), expandDims(b, -3))
  // Of no elements every norm is 0; the greatest of none would not exist.
  return norm(differences, -1, { order: extentAt(a.shape, -1) === 0 ? 2 : order })
}

export interface NormalizeOptions {
  /** The axis of the vectors; the last one unless given (PyTorch: 1). */
  axis?: number
  /** Of the norm (Σ|x|ᵖ)^(1/p); 2 unless given. */
  order?: number
  /** The least number to divide by; 1e-12 unless given. */
  epsilon?: number
}

const normalizeOptions: OptionTypes<NormalizeOptions> = { axis: 'number', order: 'number', epsilon: 'number' }

const checkEpsilon = (op: string, epsilon: number): number =>
  checkNumber(op, 'a finite epsilon of at least 0', epsilon, (x) => Number.isFinite(x) && x >= 0)

/** x / max(length, ε). Without an ε the zero vector stays what it is, with the gradient 0. */
function directed(x: Tensor, length: Tensor, epsilon: number): Tensor {
  if (epsilon > 0) return div(x, clamp(length, epsilon, Infinity))
  const hasLength = notEqual(length, 0)
  return where(hasLength, div(x, where(hasLength, length, 1)), 0)
}

/**
 * x / max(‖x‖, ε) of the vectors along an axis. Lengths neither overflow nor underflow; shorter ones than ε are divided by
 * it, as in PyTorch, and with an ε of 0 every vector but 0 has the length 1, and 0 has the gradient 0.
 *
 * @param options.axis the last one unless given; options.order 2 unless given; options.epsilon 1e-12 unless given
 * @throws ShapeError for an axis that is none; RangeError for an epsilon that is negative or not finite
 * @example normalize([3, 4]) // [0.6, 0.8]
 * @pytorch F.normalize
 * @tensorflow tf.math.l2_normalize
 */
export function normalize(x: TensorLike, options?: NormalizeOptions): Tensor {
  const { axis = -1, order = 2, epsilon = 1e-12 } = checkOptions('normalize', options, normalizeOptions)
  checkEpsilon('normalize', epsilon)
  checkNumber('normalize', 'an order', order, (p) => !Number.isNaN(p))
  const t = asFloat(toTensor('normalize', x))
  const along = normalizeAxis('normalize', axis, t.ndim)
  return directed(t, norm(t, along, { order, keepDims: true }), epsilon)
}

export interface CosineSimilarityOptions {
  /** The axis of the vectors; the last one unless given (PyTorch: 1). */
  axis?: number
  /** The least length; 1e-8 unless given. */
  epsilon?: number
}

const cosineOptions: OptionTypes<CosineSimilarityOptions> = { axis: 'number', epsilon: 'number' }

/**
 * x·y / (max(‖x‖, ε)·max(‖y‖, ε)) of the vectors along an axis; the other axes broadcast. Each vector is divided by its
 * length first, so that no product of them overflows; shorter ones than ε count as that long, as in PyTorch.
 *
 * @param options.axis the last one unless given; options.epsilon 1e-8 unless given, 0 for the cosine of the shortest too
 * @throws ShapeError unless the shapes broadcast and the axis has one extent in both; RangeError for an epsilon that is
 * negative or not finite
 * @example cosineSimilarity([1, 0], [1, 1]) // 0.7071
 * @pytorch F.cosine_similarity
 * @tensorflow tf.keras.losses.cosine_similarity
 */
export function cosineSimilarity(x: TensorLike, y: TensorLike, options?: CosineSimilarityOptions): Tensor {
  const { axis = -1, epsilon = 1e-8 } = checkOptions('cosineSimilarity', options, cosineOptions)
  checkEpsilon('cosineSimilarity', epsilon)
  const [a, b] = [toTensor('cosineSimilarity', x), toTensor('cosineSimilarity', y)].map(asFloat) as [Tensor, Tensor]
  const rank = Math.max(a.ndim, b.ndim)
  const along = normalizeAxis('cosineSimilarity', axis, rank) - rank
  if (a.shape.at(along) !== b.shape.at(along) || Math.min(a.ndim, b.ndim) < -along)
    throw new ShapeError(
      expected('cosineSimilarity', `one extent on axis ${axis}`, `${formatShape(a.shape)} and ${formatShape(b.shape)}`),
    )
  broadcastShapes('cosineSimilarity', a.shape, b.shape)
  const direction = (t: Tensor) => directed(t, norm(t, along, { keepDims: true }), epsilon)
  return vecdot(direction(a), direction(b), along)
}
