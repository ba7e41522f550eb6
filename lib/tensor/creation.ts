/** Tensors from values, and from nothing but a shape. */

import { checkNumber, shapeAndOptions } from '../base/arguments.ts'
import { arrayOf } from '../base/arrays.ts'
import { checkDType, type DType, elementOf, isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { checkShape, type Shape } from '../base/shape.ts'
import { storageOf } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { data, elementLiteral } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { nodeOf, Tensor, type TensorLike, toNode, wrap } from './tensor.ts'
import { parseValues, type TensorOptions, type TensorValues, tensorOptions } from './values.ts'

/**
 * A tensor with a copy of some values: a number, booleans, nested arrays or a typed array.
 *
 * @example
 * tensor([[1, 2], [3, 4]])
 * tensor(new Uint8Array(784), { shape: [28, 28] })
 *
 * @throws ShapeError for ragged arrays, or a shape of another size; DTypeError for 64-bit integers.
 */
export function tensor(values: Tensor | TensorValues, options?: TensorOptions): Tensor {
  const given = checkOptions('tensor', options, tensorOptions)
  if (values instanceof Tensor) {
    const typed = given.dtype === undefined ? nodeOf(values) : cast(nodeOf(values), given.dtype)
    return wrap(given.shape === undefined ? typed : reshape(typed, given.shape))
  }
  const { array, dtype, shape } = parseValues('tensor', values, given)
  return wrap(data(array, dtype, shape, false))
}

function filled(
  op: string,
  shape: Shape,
  value: number | boolean,
  options?: DTypeOption,
  like: DType = 'float32',
): Tensor {
  const { dtype = like } = checkOptions(op, options, dtypeOption)
  return wrap(broadcastTo(elementLiteral(op, value, dtype), checkShape(op, shape)))
}

/**
 * `value` everywhere. Costs no memory until it has to.
 * @throws RangeError for a value that an integer dtype does not hold
 */
export const full = (shape: Shape, value: number | boolean, options?: DTypeOption): Tensor =>
  filled('full', shape, value, options)

/**
 * 0 everywhere, as float32 unless given. Extents come in a list, or one by one.
 * @example zeros([2, 3], { dtype: 'int32' }) // zeros(2, 3, { dtype: 'int32' })
 */
export function zeros(shape: Shape, options?: DTypeOption): Tensor
export function zeros(...extents: [number, ...number[]]): Tensor
export function zeros(...extents: [number, ...number[], DTypeOption]): Tensor
export function zeros(...given: readonly unknown[]): Tensor {
  const [shape, options] = shapeAndOptions<DTypeOption>('zeros', given)
  return filled('zeros', shape, 0, options)
}

/**
 * 1 everywhere, as float32 unless given. Extents come in a list, or one by one.
 * @example ones([2, 3], { dtype: 'int32' }) // ones(2, 3, { dtype: 'int32' })
 */
export function ones(shape: Shape, options?: DTypeOption): Tensor
export function ones(...extents: [number, ...number[]]): Tensor
export function ones(...extents: [number, ...number[], DTypeOption]): Tensor
export function ones(...given: readonly unknown[]): Tensor {
  const [shape, options] = shapeAndOptions<DTypeOption>('ones', given)
  return filled('ones', shape, 1, options)
}

/** 0 everywhere, in the shape of x, and in its dtype unless another is given. */
export function zerosLike(x: TensorLike, options?: DTypeOption): Tensor {
  const { shape, dtype } = toNode('zerosLike', x)
  return filled('zerosLike', shape, 0, options, dtype)
}

/** 1 everywhere, in the shape of x, and in its dtype unless another is given. */
export function onesLike(x: TensorLike, options?: DTypeOption): Tensor {
  const { shape, dtype } = toNode('onesLike', x)
  return filled('onesLike', shape, 1, options, dtype)
}

/**
 * `value` everywhere, in the shape of x, and in its dtype unless another is given.
 * @throws RangeError for a value that an integer dtype does not hold
 * @pytorch torch.full_like
 * @tensorflow tf.experimental.numpy.full_like
 * @numpy np.full_like
 */
export function fullLike(x: TensorLike, value: number | boolean, options?: DTypeOption): Tensor {
  const { shape, dtype } = toNode('fullLike', x)
  return filled('fullLike', shape, value, options, dtype)
}

/** A tensor whose elements are a function of their places. */
export function generate(op: string, dtype: DType, shape: Shape, element: (i: number) => number): Tensor {
  const isExact = isFloat(checkDType(op, dtype))
  const array = arrayOf(op, dtype, shape, isExact ? element : (i) => elementOf(op, element(i), dtype))
  return wrap(data(array, dtype, shape, false))
}

export interface ArangeOptions extends DTypeOption {
  /** The distance of neighbours, of either sign; 1 unless given. */
  step?: number
}

const arangeOptions: OptionTypes<ArangeOptions> = { step: 'number', ...dtypeOption }

/** Elements that rounding does not change, or at least does not make equal where the numbers are no integers. */
function checkExact(x: Tensor, from: number, step: number): Tensor {
  const array = storageOf(nodeOf(x)).array
  const areIntegers = Number.isInteger(from) && Number.isInteger(step)
  for (let i = 0; i < array.length; i++) {
    const exact = from + i * step
    if (areIntegers ? array[i] === exact : i === 0 || array[i] !== array[i - 1]) continue
    const other = areIntegers && x.dtype !== 'int32' ? " (dtype 'int32' may)" : ''
    throw new RangeError(expected('arange', `numbers that ${x.dtype} tells apart${other}`, exact))
  }
  return x
}

/**
 * start, start + step, … below stop (above it for a negative step); `arange(n)` counts from 0. float32 unless `dtype` says
 * another.
 *
 * @example
 * arange(3)                            // [0, 1, 2]
 * arange(0, 10, 4)                     // [0, 4, 8], which is arange(0, 10, { step: 4 })
 * arange(3, 0, -1, { dtype: 'int32' }) // [3, 2, 1]
 *
 * @throws TypeError for what is no number; RangeError for bounds or a step that are not finite, a step of 0, and elements that
 * the dtype does not hold: beyond 2²⁴ float32 has no odd integers, and int32 has no halves
 * @pytorch torch.arange
 * @tensorflow tf.range
 * @numpy np.arange
 */
export function arange(start: number, stop?: number, options?: ArangeOptions): Tensor
export function arange(start: number, stop: number, step: number, options?: DTypeOption): Tensor
export function arange(start: number, stop?: number, third?: number | ArangeOptions, fourth?: DTypeOption): Tensor {
  const isStep = typeof third === 'number'
  const { step = isStep ? third : 1, dtype = 'float32' }: ArangeOptions = isStep
    ? checkOptions('arange', fourth, dtypeOption)
    : checkOptions('arange', third, arangeOptions)
  if (!isStep && fourth !== undefined) throw new TypeError(expected('arange', 'a number as step', typeof third))
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  for (const x of [from, to]) checkNumber('arange', 'numbers as bounds', x, () => true)
  if (!(Number.isFinite(from) && Number.isFinite(to) && Number.isFinite(step)) || step === 0)
    throw new RangeError(expected('arange', 'finite bounds and a step other than 0', `${from}, ${to}, ${step}`))
  const count = Math.max(0, Math.ceil((to - from) / step))
  return checkExact(
    generate('arange', dtype, [count], (i) => from + i * step),
    from,
    step,
  )
}

/** The i-th of `count` numbers at even distances from start to stop, both of which are among them. */
export function evenlySpaced(op: string, start: number, stop: number, count: number): (i: number) => number {
  for (const bound of [start, stop]) checkNumber(op, 'numbers as bounds', bound, () => true)
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
export function linspace(start: number, stop: number, count = 50, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('linspace', options, dtypeOption)
  return generate('linspace', dtype, [count], evenlySpaced('linspace', start, stop, count))
}

/** The identity matrix of n rows, and n columns unless given. */
export function eye(rows: number, columns = rows, options?: DTypeOption): Tensor {
  const { dtype = 'float32' } = checkOptions('eye', options, dtypeOption)
  if (!isFloat(dtype) && dtype !== 'int32') throw new ShapeError(expected('eye', 'float32, float64 or int32', dtype))
  return generate('eye', dtype, [rows, columns], (i) => (i % (columns + 1) === 0 && i < columns * columns ? 1 : 0))
}
