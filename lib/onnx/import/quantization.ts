/** Numbers as small integers with a scale and a zero point, and products of those, whose sums are exact in int32. */
import type { DType } from '../../base/dtype.ts'
import { normalizeAxis, type Shape, sizeOf } from '../../base/shape.ts'
import { add, clamp, div, maximum, minimum, mul, sub } from '../../operations/arithmetic.ts'
import { equal, where } from '../../operations/comparison.ts'
import { slice } from '../../operations/indexing.ts'
import { round } from '../../operations/math.ts'
import { matmul } from '../../operations/products.ts'
import { repeat } from '../../operations/rearrange.ts'
import { max, min } from '../../operations/reduce.ts'
import { cast, reshape } from '../../operations/shape.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { isCompiling } from '../../tensor/trace.ts'
import { type ElementType, rangeOf, typeOfCode } from '../types.ts'
import { HostArray, type TensorValue, type Value } from '../values.ts'
import type { Call } from './call.ts'
import { convolve, geometryOf } from './convolution.ts'
import { type Family, type Result, row } from './row.ts'
import { wrong } from './tables.ts'
import type { Windows } from './windows.ts'

const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32' || dtype === 'float64'

/** A scale or zero point so that it broadcasts to x: one for all, one for each element of an axis, or one for each block of it. */
function beside(n: Call, p: Tensor, shape: Shape, axis: number, block: number): Tensor {
  if (sizeOf(p.shape) === 1) return reshape(p, [])
  const along = normalizeAxis('onnx', axis, shape.length)
  if (block === 0) {
    if (p.ndim === 1 && p.shape[0] === shape[along])
      return reshape(
        p,
        shape.map((e, i) => (i === along ? e : 1)),
      )
    throw wrong(n, `a scale and zero point [${shape[along]}], one for each element of axis ${along}`, `[${p.shape}]`)
  }
  const blocks = Math.ceil(shape[along]! / block)
  if (p.ndim !== shape.length || p.shape.some((e, i) => e !== (i === along ? blocks : shape[i])))
    throw wrong(n, `a scale and zero point [${shape.with(along, blocks)}]`, `[${p.shape}]`)
  const spread = blocks === 1 ? p : repeat(p, Math.min(block, shape[along]!), along)
  return blocks === 1
    ? spread
    : slice(
        spread,
        shape.map(() => 0),
        shape,
      )
}

/** How many elements of an axis have a scale in common; 0 for all. */
function blockOf(n: Call): number {
  const block = n.attributes.int('block_size', 0)
  if (block < 0) throw n.attributes.error('block_size', 'an integer of at least 0', block)
  return block
}

/** The bounds of a type of integers that tensors hold. */
function boundsOf(n: Call, type: ElementType): readonly [number, number] {
  const range = rangeOf(type)
  if (range === undefined || range[1] > 2n ** 31n) throw wrong(n, 'a type of integers of at most 32 bits', type)
  return [Number(range[0]), Number(range[1])]
}

/** Floats, which are rounded, as the nearest integers that a type holds. */
export function saturate(n: Call, x: Tensor, type: ElementType): TensorValue {
  const [least, most] = boundsOf(n, type)
  return n.as(type, cast(clamp(round(x), least, most), n.dtypeOf(type)))
}

function quantizeLinear(n: Call): TensorValue {
  const [x, scale, zero] = [n.tensor(0), n.tensor(1), n.optional(2)]
  const [axis, block] = [n.attributes.int('axis', 1), blockOf(n)]
  const code = n.attributes.int('output_dtype', 0)
  const type = zero === undefined ? (code === 0 ? 'uint8' : typeOfCode(code)) : n.type(2)
  if (type === undefined) throw n.attributes.error('output_dtype', 'the number of a type', code)
  const dtype: DType = isFloat(scale) ? scale.dtype : 'float32'
  const of = (p: Tensor) => cast(beside(n, p, x.shape, axis, block), dtype)
  const scaled = round(div(cast(x, isFloat(x) ? x.dtype : dtype), of(scale)))
  return saturate(n, zero === undefined ? scaled : add(scaled, of(zero)), type)
}

function dequantizeLinear(n: Call): Result {
  const [x, scale, zero] = [n.tensor(0), n.tensor(1), n.optional(2)]
  const [axis, block] = [n.attributes.int('axis', 1), blockOf(n)]
  const code = n.attributes.int('output_dtype', 0)
  const type = code === 0 ? n.type(1) : typeOfCode(code)
  if (type === undefined) throw n.attributes.error('output_dtype', 'the number of a type', code)
  const dtype: DType = isFloat(scale) ? scale.dtype : 'float32'
  const of = (p: Tensor) => cast(beside(n, p, x.shape, axis, block), dtype)
  const shifted = zero === undefined ? cast(x, dtype) : sub(cast(x, dtype), of(zero))
  return n.as(type, cast(mul(shifted, of(scale)), n.dtypeOf(type)))
}

/** As uint8, by the least and the greatest element, and 0 is one that is exact. */
export function quantizeDynamically(n: Call, x: Tensor): readonly [y: Tensor, scale: Tensor, zero: Tensor] {
  const [low, high] = [minimum(min(x), 0), maximum(max(x), 0)]
  const isOne = equal(low, high)
  const scale = div(where(isOne, 1, sub(high, low)), 255)
  const zero = round(clamp(div(low, scale).neg(), 0, 255))
  return [saturate(n, add(round(div(x, scale)), zero), 'uint8').tensor, scale, cast(zero, 'uint8')]
}

// --- Exact products ----------------------------------------------------------------------------------------------------

/** Differences of bytes are within ±255, so that so many products of two add up exactly in float32: 255²·256 < 2²⁴. */
const mostProducts = 256

/** Integers less their zero point, as floats that hold them exactly. */
const shifted = (x: Tensor, zero: Tensor | undefined): Tensor => {
  const floats = cast(x, 'float32')
  return zero === undefined ? floats : sub(floats, cast(zero, 'float32'))
}

/** x from start to end along one axis. */
const part = (x: Tensor, axis: number, start: number, end: number): Tensor =>
  slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((e, i) => (i === axis ? end : e)),
  )

/** Integers as floats, less their zero point; of weights that are known also what their products add up to at most. */
interface Weights {
  readonly values: Tensor
  /** The greatest sum, over the outputs, of the magnitudes of weights at some places of the axis that is summed. */
  greatestSum?(start: number, end: number): number
}

/** By the weights of a file, with the zero points that they were taken with: one copy for all programs. */
const knownWeights = new WeakMap<Value, { readonly zeros: string; readonly weights: Weights }>()

/** The numbers of an input that are in the file, or were computed before: what is recorded depends on data, which there is none of. */
function numbersOf(n: Call, input: number): ArrayLike<number | bigint> | null {
  const value = n.value(input)
  if (value instanceof HostArray) return value.data
  if (!isCompiling()) return null
  try {
    return value.tensor.dataSync()
  } catch {
    return null
  }
}

/** The weight [rows, columns], or [out, channels, …] of a convolution, of an input. */
function weightsOf(n: Call, input: number, zeroInput: number, isMatrix: boolean): Weights {
  const { shape } = n.value(input)
  const zero = n.optional(zeroInput)
  const zeros = zero === undefined ? [0] : numbersOf(n, zeroInput)
  const isOne = zero === undefined || sizeOf(zero.shape) === 1
  const isFitting = (!isMatrix || shape.length === 2) && (isOne || sizeOf(zero.shape) === shape[isMatrix ? 1 : 0])
  const numbers = isFitting && zeros !== null ? numbersOf(n, input) : null
  if (numbers === null || zeros === null)
    return { values: shifted(n.tensor(input), isMatrix ? zero : ofOutputs(zero, shape.length)) }
  const key = Array.from(zeros, Number)
  const found = knownWeights.get(n.value(input))
  if (found?.zeros === String(key)) return found.weights
  const weights = weightsFrom(numbers, shape, key, isMatrix)
  knownWeights.set(n.value(input), { zeros: String(key), weights })
  return weights
}

function weightsFrom(
  data: ArrayLike<number | bigint>,
  shape: Shape,
  zeros: readonly number[],
  isMatrix: boolean,
): Weights {
  const [outer, inner, rest] = isMatrix ? [1, shape[0]!, shape[1]!] : [shape[0]!, shape[1]!, sizeOf(shape.slice(2))]
  const outputOf = (at: number) => (isMatrix ? at % rest : Math.floor(at / inner / rest))
  const values = Float32Array.from(data, (x, at) => {
    return Number(x) - zeros[zeros.length === 1 ? 0 : outputOf(at)]!
  })
  const greatestSum = (start: number, end: number): number => {
    const sums = new Float64Array(isMatrix ? rest : outer)
    for (let o = 0; o < outer; o++)
      for (let at = (o * inner + start) * rest; at < (o * inner + end) * rest; at++)
        sums[outputOf(at)]! += Math.abs(values[at]!)
    return sums.reduce((most, sum) => Math.max(most, sum), 0)
  }
  return { values: tensor(values, { dtype: 'float32', shape }), greatestSum }
}

/** In how many parts products are summed at most where the weights say so, before the sizes alone do. */
const mostParts = 4

/** How many of `count` places are summed at a time: as many as are exact in float32, whatever bytes they are multiplied with. */
function partOf(count: number, { greatestSum }: Weights, certain: number): number {
  if (greatestSum === undefined) return certain
  for (let parts = 1; parts <= mostParts && Math.ceil(count / parts) > certain; parts++) {
    const size = Math.ceil(count / parts)
    const isExact = (i: number) => 255 * greatestSum(i * size, Math.min((i + 1) * size, count)) < 2 ** 24
    if (Array.from({ length: parts }, (_, i) => i).every(isExact)) return size
  }
  return certain
}

/** Sums, in int32, of what `product` gives for parts of so many elements. */
function sumOfParts(count: number, size: number, product: (start: number, end: number) => Tensor): Tensor {
  let total = cast(product(0, Math.min(size, count)), 'int32')
  for (let start = size; start < count; start += size)
    total = add(total, cast(product(start, Math.min(start + size, count)), 'int32'))
  return total
}

/** The matrix product of integers of nine bits, exactly. */
function exactMatmul(a: Tensor, weights: Weights): Tensor {
  const b = weights.values
  const [along, across] = [a.ndim - 1, Math.max(b.ndim - 2, 0)]
  const count = a.shape[along] ?? 0
  return sumOfParts(count, partOf(count, weights, mostProducts), (start, end) =>
    matmul(part(a, along, start, end), part(b, across, start, end)),
  )
}

/** The convolution of integers of nine bits, exactly: over some channels of each group at a time. */
function exactConvolution(n: Call, x: Tensor, weights: Weights, windows: Windows, groups: number): Tensor {
  const perGroup = weights.values.shape[1]!
  const taps = sizeOf(windows.kernel)
  if (taps > mostProducts) throw wrong(n, `a kernel of at most ${mostProducts} elements`, `[${windows.kernel}]`)
  const size = partOf(perGroup, weights, Math.max(Math.floor(mostProducts / taps), 1))
  if (size >= perGroup) return cast(convolve(x, weights.values, undefined, windows, groups), 'int32')
  const [batch, channels, ...extents] = x.shape as [number, number, ...number[]]
  const grouped = reshape(x, [batch, groups, perGroup, ...extents])
  return sumOfParts(perGroup, size, (start, end) => {
    const some = reshape(part(grouped, 2, start, end), [batch, (channels / perGroup) * (end - start), ...extents])
    return convolve(some, part(weights.values, 1, start, end), undefined, windows, groups)
  })
}

/** A zero point of rows of a matrix, and of columns, which broadcast as they are where they have two axes. */
const ofRows = (zero: Tensor | undefined, { ndim }: Tensor): Tensor | undefined =>
  zero !== undefined && zero.ndim === 1 && sizeOf(zero.shape) > 1 && ndim > 1
    ? reshape(zero, [zero.shape[0]!, 1])
    : zero

function matmulInteger(n: Call): TensorValue {
  const a = n.tensor(0)
  return n.as('int32', exactMatmul(shifted(a, ofRows(n.optional(2), a)), weightsOf(n, 1, 3, true)))
}

/** One number, or one for each output channel, beside a weight [out, …]. */
const ofOutputs = (p: Tensor | undefined, rank: number): Tensor | undefined =>
  p === undefined
    ? p
    : reshape(p, sizeOf(p.shape) === 1 ? [] : [sizeOf(p.shape), ...new Array<number>(rank - 1).fill(1)])

function convInteger(n: Call): TensorValue {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const { windows, groups } = geometryOf(n, x, weight)
  const weights = weightsOf(n, 1, 3, false)
  return n.as('int32', exactConvolution(n, shifted(x, scalar(n.optional(2))), weights, windows, groups))
}

const scalar = (p: Tensor | undefined): Tensor | undefined => (p === undefined ? p : reshape(p, []))

function qLinearMatMul(n: Call): TensorValue {
  const a = n.tensor(0)
  const rows = (p: Tensor) => ofRows(p, a) as Tensor
  const total = exactMatmul(shifted(a, rows(n.tensor(2))), weightsOf(n, 3, 5, true))
  const scale = div(mul(rows(n.tensor(1)), n.tensor(4)), rows(n.tensor(6)))
  const y = add(round(mul(cast(total, scale.dtype), scale)), cast(rows(n.tensor(7)), scale.dtype))
  return saturate(n, y, n.type(7))
}

function qLinearConv(n: Call): TensorValue {
  const [x, weight] = [n.tensor(0), n.tensor(3)]
  const { windows, groups } = geometryOf(n, x, weight)
  const total = exactConvolution(n, shifted(x, scalar(n.tensor(2))), weightsOf(n, 3, 5, false), windows, groups)
  const outputs = (p: Tensor) =>
    reshape(p, sizeOf(p.shape) === 1 ? [] : [1, sizeOf(p.shape), ...windows.out.map(() => 1)])
  const bias = n.optional(8)
  const sum = bias === undefined ? total : add(total, outputs(bias))
  const scale = div(mul(scalar(n.tensor(1))!, outputs(n.tensor(4))), scalar(n.tensor(6))!)
  const y = add(round(mul(cast(sum, scale.dtype), scale)), cast(scalar(n.tensor(7))!, scale.dtype))
  return saturate(n, y, n.type(7))
}

function dynamicQuantizeLinear(n: Call): Result[] {
  const [y, scale, zero] = quantizeDynamically(n, n.tensor(0))
  return [n.as('uint8', y), n.as('float', scale), n.as('uint8', zero)]
}

// --- What quantisers of onnxruntime write ------------------------------------------------------------------------------

/** The product of quantized matrices as floats; b_scale may be one for each column. */
function matMulIntegerToFloat(n: Call): TensorValue {
  const total = exactMatmul(shifted(n.tensor(0), scalar(n.optional(4))), weightsOf(n, 1, 5, true))
  const y = mul(cast(total, 'float32'), mul(scalar(n.tensor(2))!, n.tensor(3)))
  const bias = n.optional(6)
  return n.as('float', bias === undefined ? y : add(y, bias))
}

/** The same of a matrix of floats, which is quantized as it comes. */
function dynamicQuantizeMatMul(n: Call): TensorValue {
  const [quantized, scale, zero] = quantizeDynamically(n, n.tensor(0))
  const total = exactMatmul(shifted(quantized, zero), weightsOf(n, 1, 3, true))
  const y = mul(cast(total, 'float32'), mul(scale, n.tensor(2)))
  const bias = n.optional(4)
  return n.as('float', bias === undefined ? y : add(y, bias))
}

/** An operation of two quantized tensors: that of the numbers that they stand for, quantized. */
const qLinearBinary =
  (f: (a: Tensor, b: Tensor) => Tensor) =>
  (n: Call): TensorValue => {
    const real = (i: number) => mul(shifted(n.tensor(i), scalar(n.optional(i + 2))), scalar(n.tensor(i + 1))!)
    const y = round(div(f(real(0), real(3)), scalar(n.tensor(6))!))
    const zero = n.optional(7)
    return saturate(n, zero === undefined ? y : add(y, cast(scalar(zero)!, y.dtype)), n.type(0))
  }

export const quantization: Family = {
  QuantizeLinear: row([10, 13, 19, 21, 23, 24, 25, 28], quantizeLinear),
  DequantizeLinear: row([10, 13, 19, 21, 23, 24, 25, 28], dequantizeLinear),
  DynamicQuantizeLinear: row([11], dynamicQuantizeLinear),
  MatMulInteger: row([10], matmulInteger),
  ConvInteger: row([10], convInteger),
  QLinearMatMul: row([10, 21], qLinearMatMul),
  QLinearConv: row([10], qLinearConv),
}

/** Those of the domain com.microsoft. */
export const microsoftQuantization: Family = {
  QuantizeLinear: row([1], quantizeLinear),
  DequantizeLinear: row([1], dequantizeLinear),
  MatMulIntegerToFloat: row([1], matMulIntegerToFloat),
  DynamicQuantizeMatMul: row([1], dynamicQuantizeMatMul),
  QLinearAdd: row([1], qLinearBinary(add)),
  QLinearMul: row([1], qLinearBinary(mul)),
}
