/**
 * Discrete Fourier transforms. A complex number is a pair on the last axis, [re, im], as `torch.view_as_real` has it: the
 * transform of complex [batch, n] is one of [batch, n, 2]. Axes are counted without the one of the pairs, as PyTorch and
 * numpy count them. Integers are taken as float32.
 *
 * Everything is linear and has gradients of any order, which are transforms in turn. Lengths are best where their prime
 * factors are small; other ones take about four times as long.
 */

import { checkList, checkNumber } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type DTypeOption, dtypeOption, type OptionTypes } from '../base/options.ts'
import { checkShape, extentAt, formatShape, normalizeAxes, normalizeAxis, sizeOf } from '../base/shape.ts'
import { generate } from '../tensor/creation.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { mul } from './arithmetic.ts'
import { type Direction, transformComplex, transformHalf, transformReal } from './fourier.ts'
import { slice } from './indexing.ts'
import { pad } from './padding.ts'
import { moveAxis, roll } from './rearrange.ts'
import type { Axes } from './reduce.ts'
import { cast, reshape } from './shape.ts'

/**
 * Where the scale is: 'backward' has 1/n in the inverse transforms, 'forward' in the other ones, 'ortho' 1/√n in both.
 */
export type FourierNorm = 'backward' | 'ortho' | 'forward'

export interface FourierOptions {
  /** The length of the transform: elements are cut off or zeros appended. That of the axis unless given. */
  n?: number
  /** The last one unless given. */
  axis?: number
  /** 'backward' unless given. */
  norm?: FourierNorm
}

export interface MultiFourierOptions {
  /** The lengths of the transforms, one for each axis: those of the axes unless given. */
  sizes?: readonly number[]
  /** The last ones, as many as there are sizes, unless given; without either, the last two or all of them. */
  axes?: readonly number[]
  /** 'backward' unless given. */
  norm?: FourierNorm
}

const norms: readonly FourierNorm[] = ['backward', 'ortho', 'forward']
const fourierOptions: OptionTypes<FourierOptions> = { n: 'number', axis: 'number', norm: norms }
const multiFourierOptions: OptionTypes<MultiFourierOptions> = { sizes: 'other', axes: 'other', norm: norms }

// --- Operands ---------------------------------------------------------------------------------------------------------

/** Operands as floats: complex ones have an axis of pairs after their own. */
function operandOf(op: string, x: TensorLike, isComplex: boolean): Tensor {
  const t = toTensor(op, x)
  if (isComplex && (t.ndim === 0 || t.shape.at(-1) !== 2))
    throw new ShapeError(expected(op, 'pairs [re, im] on the last axis', formatShape(t.shape)))
  if (t.ndim === Number(isComplex)) throw new ShapeError(expected(op, 'at least one axis', formatShape(t.shape)))
  return isFloat(t.dtype) ? t : cast(t, 'float32')
}

const checkLength = (op: string, n: unknown): number =>
  checkNumber(op, 'a length of at least 1', n, (x) => Number.isInteger(x) && x >= 1)

/** Its first n elements along an axis, with zeros after them where it has less. */
function resized(op: string, x: Tensor, axis: number, n: number): Tensor {
  const extent = extentAt(x.shape, axis)
  if (n === extent) return x
  const ends = checkShape(op, x.shape.with(axis, n))
  if (n < extent)
    return slice(
      x,
      ends.map(() => 0),
      ends,
    )
  return pad(
    x,
    ends.map((_, i) => [0, i === axis ? n - extent : 0] as const),
  )
}

/** What the rows of a transform are before and after it, and how it is scaled. */
interface Transform {
  readonly from: 'real' | 'complex'
  readonly to: 'real' | 'complex'
  readonly direction: Direction
  /** Of rows [batch, n] or [batch, n, 2]; n is the length of the transform. */
  readonly ofRows: (x: Tensor, n: number) => Tensor
  /** How many elements a row of the operand has. */
  readonly lengthOf: (n: number) => number
  /** The length unless given, of so many elements. */
  readonly usual: (extent: number) => number
}

const same = (n: number): number => n
const binsOf = (n: number): number => Math.floor(n / 2) + 1

const complex = (direction: Direction): Transform => ({
  ...({ from: 'complex', to: 'complex', direction, lengthOf: same, usual: same } as const),
  ofRows: (x) => transformComplex(x, direction),
})
const [forward, inverse] = [complex(-1), complex(1)]
const realForward: Transform = { ...forward, from: 'real', ofRows: transformReal }
const realInverse: Transform = {
  ...({ ...inverse, to: 'real', ofRows: transformHalf } as const),
  lengthOf: binsOf,
  usual: (bins) => 2 * (bins - 1),
}

function scaleOf(norm: FourierNorm, direction: Direction, n: number): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n)
  return (norm === 'backward') === (direction === 1) ? 1 / n : 1
}

/** A transform along an axis, which is counted without the one of pairs. */
function along(op: string, x: Tensor, axis: number, n: number | undefined, norm: FourierNorm, kind: Transform): Tensor {
  const pairs = Number(kind.from === 'complex')
  const place = normalizeAxis(op, axis, x.ndim - pairs)
  const length = checkLength(op, n ?? kind.usual(extentAt(x.shape, place)))
  const moved = moveAxis(resized(op, x, place, kind.lengthOf(length)), place, -1 - pairs)
  const outer = moved.shape.slice(0, moved.ndim - 1 - pairs)
  const rows = kind.ofRows(reshape(moved, [sizeOf(outer), ...moved.shape.slice(outer.length)]), length)
  const scale = scaleOf(norm, kind.direction, length)
  const result = reshape(scale === 1 ? rows : mul(rows, scale), [...outer, ...rows.shape.slice(1)])
  return moveAxis(result, outer.length, place)
}

/** A function of one axis. */
function single(op: string, x: TensorLike, options: FourierOptions | undefined, kind: Transform): Tensor {
  const { n, axis = -1, norm = 'backward' } = checkOptions(op, options, fourierOptions)
  return along(op, operandOf(op, x, kind.from === 'complex'), axis, n, norm, kind)
}

/** Axes in the order that is given, as the last of them may have real rows, with a length for each where lengths are given. */
function axesOf(op: string, rank: number, { sizes, axes }: MultiFourierOptions, usual: readonly number[]) {
  if (sizes !== undefined) checkList(op, 'sizes to be a list', sizes)
  if (axes !== undefined) checkList(op, 'axes to be a list', axes)
  const last = (count: number) => Array.from({ length: count }, (_, i) => i - count)
  const named = axes ?? (sizes === undefined ? usual : last(sizes.length))
  const chosen = Array.from(named, (axis) => normalizeAxis(op, axis, rank))
  if (chosen.length === 0 || new Set(chosen).size !== chosen.length)
    throw new ShapeError(expected(op, 'distinct axes', formatShape(named)))
  if (sizes !== undefined && sizes.length !== chosen.length)
    throw new ShapeError(expected(op, 'as many sizes as axes', `${sizes.length} and ${chosen.length}`))
  return chosen.map((axis, i) => ({ axis, n: sizes && checkLength(op, sizes[i]) }))
}

/**
 * A function of several axes, of which the last may have real rows: it is the first of a transform from real numbers, and
 * the last of one to them.
 */
function multiple(
  op: string,
  x: TensorLike,
  options: MultiFourierOptions | undefined,
  kind: Transform,
  usual?: readonly number[],
): Tensor {
  const checked = checkOptions(op, options, multiFourierOptions)
  const { norm = 'backward' } = checked
  const operand = operandOf(op, x, kind.from === 'complex')
  const rank = operand.ndim - Number(kind.from === 'complex')
  const axes = axesOf(op, rank, checked, usual ?? operand.shape.slice(0, rank).map((_, axis) => axis))
  const others = kind.direction === -1 ? forward : inverse
  const steps = axes.map((step, i) => ({ ...step, kind: i === axes.length - 1 ? kind : others }))
  if (kind.from === 'real') steps.reverse()
  return steps.reduce((y, step) => along(op, y, step.axis, step.n, norm, step.kind), operand)
}

// --- Transforms of one axis -------------------------------------------------------------------------------------------

/**
 * Σⱼ xⱼ·e^(−2πi·jk/n) along an axis of complex numbers […, n, 2]. Of real numbers `rfft` is quicker; as complex ones they
 * are `stack([x, zerosLike(x)], -1)`.
 *
 * @param options.n the length: elements are cut off or zeros appended; that of the axis unless given
 * @param options.axis counted without the one of the pairs; the last one unless given
 * @param options.norm the scale: none of 'backward', which is the default, 1/√n of 'ortho' and 1/n of 'forward'
 * @throws ShapeError for a last axis that has not pairs, or an axis that is none; RangeError for a length below 1
 * @example fft.fft([[1, 0], [0, 0]]) // [[1, 0], [1, 0]]
 * @pytorch torch.fft.fft
 * @tensorflow tf.signal.fft
 * @numpy np.fft.fft
 */
export const fft = (x: TensorLike, options?: FourierOptions): Tensor => single('fft', x, options, forward)

/**
 * 1/n·Σₖ xₖ·e^(2πi·jk/n) along an axis of complex numbers […, n, 2]: `fft` backwards.
 *
 * @param options as of `fft`; of the norm, 'backward' has 1/n here, 'ortho' 1/√n and 'forward' none
 * @throws as `fft`
 * @pytorch torch.fft.ifft
 * @tensorflow tf.signal.ifft
 * @numpy np.fft.ifft
 */
export const ifft = (x: TensorLike, options?: FourierOptions): Tensor => single('ifft', x, options, inverse)

/**
 * The first ⌊n/2⌋ + 1 complex numbers of the transform of real numbers […, n]: […, ⌊n/2⌋ + 1, 2]. The other ones are
 * their conjugates backwards.
 *
 * @param options as of `fft`
 * @throws ShapeError for an axis that is none; RangeError for a length below 1
 * @example fft.rfft([1, 2]) // [[3, 0], [-1, 0]]
 * @pytorch torch.fft.rfft
 * @tensorflow tf.signal.rfft
 * @numpy np.fft.rfft
 */
export const rfft = (x: TensorLike, options?: FourierOptions): Tensor => single('rfft', x, options, realForward)

/**
 * Real numbers […, n] from the first ⌊n/2⌋ + 1 complex ones of their transform: `rfft` backwards. The imaginary parts of
 * the first one, and of the last one of an even n, do not count.
 *
 * @param options.n the length of the result, of which twice as many as the complex numbers but one unless given: an odd
 * one has to be given
 * @throws as `fft`
 * @pytorch torch.fft.irfft
 * @tensorflow tf.signal.irfft
 * @numpy np.fft.irfft
 */
export const irfft = (x: TensorLike, options?: FourierOptions): Tensor => single('irfft', x, options, realInverse)

// --- Transforms of several axes ---------------------------------------------------------------------------------------

const lastTwoAxes = [-2, -1]

/**
 * `fft` along the last two axes, or others, of complex numbers […, m, n, 2].
 * @param options.sizes a length for each axis; options.axes counted without the one of the pairs; options.norm as of `fft`
 * @throws ShapeError for a last axis that has not pairs, axes that are none or named twice, or another number of sizes;
 * RangeError for a size below 1
 * @pytorch torch.fft.fft2
 * @tensorflow tf.signal.fft2d
 * @numpy np.fft.fft2
 */
export const fft2 = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('fft2', x, options, forward, lastTwoAxes)

/**
 * `ifft` along the last two axes, or others, of complex numbers […, m, n, 2].
 * @param options as of `fft2`
 * @throws as `fft2`
 * @pytorch torch.fft.ifft2
 * @tensorflow tf.signal.ifft2d
 * @numpy np.fft.ifft2
 */
export const ifft2 = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('ifft2', x, options, inverse, lastTwoAxes)

/**
 * `rfft` along the last axis of real numbers […, m, n], then `fft` along the one before it: […, m, ⌊n/2⌋ + 1, 2].
 * @param options as of `fft2`; the last of the axes has half of its numbers
 * @throws as `fft2`
 * @pytorch torch.fft.rfft2
 * @tensorflow tf.signal.rfft2d
 * @numpy np.fft.rfft2
 */
export const rfft2 = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('rfft2', x, options, realForward, lastTwoAxes)

/**
 * Real numbers […, m, n] from half of their transform: `rfft2` backwards.
 * @param options as of `fft2`; the last of the sizes is that of the result, and has to be given where it is odd
 * @throws as `fft2`
 * @pytorch torch.fft.irfft2
 * @tensorflow tf.signal.irfft2d
 * @numpy np.fft.irfft2
 */
export const irfft2 = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('irfft2', x, options, realInverse, lastTwoAxes)

/**
 * `fft` along several axes of complex numbers: all of them, or the last ones where only sizes are given.
 * @param options as of `fft2`
 * @throws as `fft2`
 * @pytorch torch.fft.fftn
 * @tensorflow tf.signal.fft3d
 * @numpy np.fft.fftn
 */
export const fftn = (x: TensorLike, options?: MultiFourierOptions): Tensor => multiple('fftn', x, options, forward)

/**
 * `ifft` along several axes of complex numbers: all of them, or the last ones where only sizes are given.
 * @param options as of `fft2`
 * @throws as `fft2`
 * @pytorch torch.fft.ifftn
 * @tensorflow tf.signal.ifft3d
 * @numpy np.fft.ifftn
 */
export const ifftn = (x: TensorLike, options?: MultiFourierOptions): Tensor => multiple('ifftn', x, options, inverse)

/**
 * `rfft` along the last one of several axes of real numbers, then `fft` along the other ones: all axes, or the last ones
 * where only sizes are given.
 * @param options as of `rfft2`
 * @throws as `fft2`
 * @pytorch torch.fft.rfftn
 * @tensorflow tf.signal.rfft3d
 * @numpy np.fft.rfftn
 */
export const rfftn = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('rfftn', x, options, realForward)

/**
 * Real numbers from half of their transform along several axes: `rfftn` backwards.
 * @param options as of `irfft2`
 * @throws as `fft2`
 * @pytorch torch.fft.irfftn
 * @tensorflow tf.signal.irfft3d
 * @numpy np.fft.irfftn
 */
export const irfftn = (x: TensorLike, options?: MultiFourierOptions): Tensor =>
  multiple('irfftn', x, options, realInverse)

// --- Frequencies ------------------------------------------------------------------------------------------------------

export interface FrequencyOptions extends DTypeOption {
  /** The distance between samples; 1 unless given. */
  spacing?: number
}

const frequencyOptions: OptionTypes<FrequencyOptions> = { ...dtypeOption, spacing: 'number' }

/** k/(n·spacing) for so many k, which are a function of their places. */
function frequencies(
  op: string,
  n: number,
  options: FrequencyOptions | undefined,
  count: number,
  k: (place: number) => number,
): Tensor {
  const { spacing = 1, dtype = 'float32' } = checkOptions(op, options, frequencyOptions)
  if (!isFloat(dtype)) throw new DTypeError(expected(op, 'float32 or float64', dtype))
  const isDistance = (x: number) => Number.isFinite(x) && x !== 0
  const step = checkNumber(op, 'a finite spacing other than 0', spacing, isDistance)
  return generate(op, dtype, [count], (place) => k(place) / (n * step))
}

/**
 * The frequencies of the numbers of a transform of length n, in cycles for each unit of the spacing: 0, 1, …, then the
 * negative ones, −2, −1, divided by n·spacing.
 * @throws RangeError for an n below 1, or a spacing that is 0 or not finite; DTypeError for a dtype of integers
 * @example fft.fftFreq(4) // [0, 0.25, -0.5, -0.25]
 * @pytorch torch.fft.fftfreq
 * @tensorflow none
 * @numpy np.fft.fftfreq
 */
export function fftFreq(n: number, options?: FrequencyOptions): Tensor {
  const length = checkLength('fftFreq', n)
  return frequencies('fftFreq', length, options, length, (k) => (k < length / 2 ? k : k - length))
}

/**
 * The frequencies of the numbers that `rfft` gives for a length n: 0, 1, …, ⌊n/2⌋ divided by n·spacing.
 * @throws RangeError for an n below 1, or a spacing that is 0 or not finite; DTypeError for a dtype of integers
 * @example fft.rfftFreq(4) // [0, 0.25, 0.5]
 * @pytorch torch.fft.rfftfreq
 * @tensorflow none
 * @numpy np.fft.rfftfreq
 */
export function rfftFreq(n: number, options?: FrequencyOptions): Tensor {
  const length = checkLength('rfftFreq', n)
  return frequencies('rfftFreq', length, options, binsOf(length), (k) => k)
}

export interface ShiftOptions {
  /** Whether the last axis has pairs [re, im], which stay together; axes are counted without it then. */
  complex?: boolean
}

const shiftOptions: OptionTypes<ShiftOptions> = { complex: 'boolean' }

function shifted(
  op: string,
  x: TensorLike,
  axis: Axes,
  options: ShiftOptions | undefined,
  halfOf: (n: number) => number,
) {
  const { complex } = checkOptions(op, options, shiftOptions)
  const t = toTensor(op, x)
  if (complex === undefined && t.shape.at(-1) === 2 && axis === undefined)
    throw new TypeError(expected(op, 'complex to say whether a last axis of 2 has pairs', 'neither it nor axes'))
  const over = normalizeAxes(op, axis, complex ? operandOf(op, x, true).ndim - 1 : t.ndim)
  return roll(
    t,
    over.map((i) => halfOf(extentAt(t.shape, i))),
    over,
  )
}

/**
 * x turned along axes, all of them without any, so that the frequency 0 is in the middle.
 * @param options.complex whether the last axis has pairs, which stay; has to be given where it has 2 elements and no axes
 * are named
 * @throws ShapeError for axes that are none, or named twice
 * @example fft.fftShift(fft.fftFreq(4)) // [-0.5, -0.25, 0, 0.25]
 * @pytorch torch.fft.fftshift
 * @tensorflow tf.signal.fftshift
 * @numpy np.fft.fftshift
 */
export const fftShift = (x: TensorLike, axis?: Axes, options?: ShiftOptions): Tensor =>
  shifted('fftShift', x, axis, options, (n) => Math.floor(n / 2))

/**
 * `fftShift` backwards, which differs from it for odd lengths.
 * @param options as of `fftShift`
 * @throws as `fftShift`
 * @pytorch torch.fft.ifftshift
 * @tensorflow tf.signal.ifftshift
 * @numpy np.fft.ifftshift
 */
export const ifftShift = (x: TensorLike, axis?: Axes, options?: ShiftOptions): Tensor =>
  shifted('ifftShift', x, axis, options, (n) => Math.ceil(n / 2))
