/** Tensors from values, and from nothing but a shape. */
import { checkDType, type DType, isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, type Shape } from '../base/shape.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { Tensor, type TensorLike, toNode, wrap } from './tensor.ts'
import { allocateChecked, parseValues, type TensorOptions, type TensorValues } from './values.ts'

export interface DTypeOption {
  /** float32 unless given. */
  dtype?: DType
}

export const dtypeOption: OptionTypes<DTypeOption> = { dtype: 'dtype' }

/**
 * A tensor with a copy of some values: a number, booleans, nested arrays or a typed array.
 *
 * @example
 * tensor([[1, 2], [3, 4]])
 * tensor(new Uint8Array(784), { shape: [28, 28] })
 *
 * @throws ShapeError for ragged arrays, or a shape of another size; DTypeError for 64-bit integers.
 */
export function tensor(values: Tensor | TensorValues, options: TensorOptions = {}): Tensor {
  if (values instanceof Tensor) {
    const typed = options.dtype === undefined ? values.node : cast(values.node, checkDType('tensor', options.dtype))
    return wrap(options.shape === undefined ? typed : reshape(typed, options.shape))
  }
  const { array, dtype, shape } = parseValues('tensor', values, options)
  return wrap(data(array, dtype, shape, false))
}

/** `value` everywhere. Costs no memory until it has to. */
export function full(shape: Shape, value: number, { dtype = 'float32' }: DTypeOption = {}): Tensor {
  return wrap(broadcastTo(literal(value, checkDType('full', dtype)), checkShape('full', shape)))
}

export const zeros = (shape: Shape, options: DTypeOption = {}): Tensor => full(shape, 0, options)

export const ones = (shape: Shape, options: DTypeOption = {}): Tensor => full(shape, 1, options)

export const zerosLike = (x: Tensor): Tensor => full(x.shape, 0, { dtype: x.dtype })

export const onesLike = (x: Tensor): Tensor => full(x.shape, 1, { dtype: x.dtype })

/**
 * `value` everywhere, in the shape of x, and in its dtype unless another is given.
 * @pytorch torch.full_like
 * @tensorflow tf.experimental.numpy.full_like
 * @numpy np.full_like
 */
export function fullLike(x: TensorLike, value: number, options?: DTypeOption): Tensor {
  const like = toNode(x)
  const { dtype = like.dtype } = checkOptions('fullLike', options, dtypeOption)
  return full(like.shape, value, { dtype })
}

/** A tensor whose elements are a function of their places. */
export function generate(op: string, dtype: DType, shape: Shape, element: (i: number) => number): Tensor {
  const array = allocateChecked(op, checkDType(op, dtype), checkShape(op, shape))
  for (let i = 0; i < array.length; i++) array[i] = element(i)
  return wrap(data(array, dtype, shape, false))
}

/**
 * start, start + step, … below stop (above it for a negative step); `arange(n)` counts from 0. float32, or int32 when
 * asked for by `dtype`.
 */
export function arange(
  start: number,
  stop?: number,
  { step = 1, dtype = 'float32' }: DTypeOption & { step?: number } = {},
): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (!(Number.isFinite(from) && Number.isFinite(to) && Number.isFinite(step)) || step === 0)
    throw new RangeError(expected('arange', 'finite bounds and a step other than 0', `${from}, ${to}, ${step}`))
  const count = Math.max(0, Math.ceil((to - from) / step))
  return generate('arange', dtype, [count], (i) => from + i * step)
}

/** The i-th of `count` numbers at even distances from start to stop, both of which are among them. */
export function evenlySpaced(op: string, start: number, stop: number, count: number): (i: number) => number {
  if (!(Number.isFinite(start) && Number.isFinite(stop)))
    throw new RangeError(expected(op, 'finite bounds', `${start} and ${stop}`))
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(expected(op, 'a count that is a natural number', count))
  const last = Math.max(count - 1, 1)
  // Of bounds as far apart as numbers are, a weighted mean.
  const isFar = !Number.isFinite(last * (stop - start))
  const element = (i: number) =>
    isFar ? start * (1 - i / last) + stop * (i / last) : start + (i * (stop - start)) / last
  return (i) => (i === last ? stop : element(i))
}

/**
 * `count` numbers at even distances from start to stop, both included: start + i·(stop − start) / (count − 1), the product
 * before the quotient, so that integers among them are exact.
 * @throws RangeError for bounds that are not finite, or a count that is no natural number
 */
export function linspace(start: number, stop: number, count = 50, { dtype = 'float32' }: DTypeOption = {}): Tensor {
  return generate('linspace', dtype, [count], evenlySpaced('linspace', start, stop, count))
}

/** The identity matrix of n rows, and n columns unless given. */
export function eye(rows: number, columns = rows, { dtype = 'float32' }: DTypeOption = {}): Tensor {
  if (!isFloat(dtype) && dtype !== 'int32') throw new ShapeError(expected('eye', 'float32, float64 or int32', dtype))
  return generate('eye', dtype, [rows, columns], (i) => (i % (columns + 1) === 0 && i < columns * columns ? 1 : 0))
}
