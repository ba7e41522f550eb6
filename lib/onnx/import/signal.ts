/** Fourier transforms and what goes with them: windows, and the weights of mel spectra. */
import { normalizeAxis } from '../../base/shape.ts'
import { mul } from '../../operations/arithmetic.ts'
import * as fft from '../../operations/fft.ts'
import { gather } from '../../operations/indexing.ts'
import { concat } from '../../operations/joining.ts'
import { moveAxis } from '../../operations/rearrange.ts'
import { cast, reshape, squeeze, unsqueeze } from '../../operations/shape.ts'
import { zerosLike } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type ElementType, typeOfCode } from '../types.ts'
import type { TensorValue } from '../values.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import { checkWork } from './windows.ts'

/** The transform along an axis of reals [… , 1] or pairs [… , 2], whose numbers are pairs on the last axis in turn. */
function transform(n: Call, x: Tensor, axis: number, length: number | undefined): Tensor {
  const [isInverse, isOneSided] = [n.attributes.flag('inverse', false), n.attributes.flag('onesided', false)]
  const isReal = x.shape.at(-1) === 1
  const count = length ?? (isInverse && isOneSided ? 2 * (x.shape[axis]! - 1) : x.shape[axis]!)
  if (count < 1) throw wrong(n, 'a transform of at least one element', `${count}`)
  checkWork(n, x.shape.with(axis, count))
  const options = { axis, n: count }
  if (isInverse && isOneSided) return unsqueeze(fft.irfft(asPairs(x), options), -1)
  if (isInverse) return fft.ifft(asPairs(x), options)
  if (isOneSided && !isReal) throw wrong(n, 'real numbers, which one side is all of', 'complex ones')
  return isReal && isOneSided ? fft.rfft(squeeze(x, -1), options) : fft.fft(asPairs(x), options)
}

/** Reals as complex numbers. */
const asPairs = (x: Tensor): Tensor => (x.shape.at(-1) === 2 ? x : concat([x, zerosLike(x)], -1))

function checkPairs(n: Call, x: Tensor): void {
  if (x.ndim < 2 || (x.shape.at(-1) !== 1 && x.shape.at(-1) !== 2))
    throw wrong(n, 'numbers with a last axis of one or two', `[${x.shape}]`)
}

/** An axis that is not the one of pairs. */
function axisOf(n: Call, axis: number, { ndim }: Tensor): number {
  const at = normalizeAxis('onnx', axis, ndim)
  if (at === ndim - 1) throw wrong(n, 'an axis before the last one', `${axis}`)
  return at
}

function dft(n: Call, axis: number): Tensor {
  const x = n.tensor(0)
  checkPairs(n, x)
  return transform(n, x, axisOf(n, axis, x), n.optionalNumber(1))
}

/** Transforms of parts of a signal [batch, length, 1 or 2], each times the window. */
function stft(n: Call): Tensor {
  const [x, step] = [n.tensor(0), n.number(1)]
  checkPairs(n, x)
  const window = n.optional(2)
  const size = n.optionalNumber(3) ?? window?.shape[0] ?? x.shape[1]!
  const [batch, length] = x.shape as [number, number]
  if (
    x.ndim !== 3 ||
    !(step >= 1) ||
    !(size >= 1) ||
    size > length ||
    (window !== undefined && window.shape[0] !== size)
  )
    throw wrong(n, `a positive step, and a window and frame of at most ${length}`, `${step} and ${size}`)
  const frames = Math.floor((length - size) / step) + 1
  checkWork(n, [batch, frames, size, 2])
  const places = table('int32', [frames, size], (at) => Math.floor(at / size) * step + (at % size))
  const parts = moveAxis(gather(moveAxis(x, 1, 0), places), 2, 0)
  const weighted = window === undefined ? parts : mul(parts, reshape(window, [1, 1, size, 1]))
  const isReal = x.shape[2] === 1
  return n.attributes.flag('onesided', true) && isReal
    ? fft.rfft(squeeze(weighted, -1), { axis: 2 })
    : fft.fft(asPairs(weighted), { axis: 2 })
}

/** The type that an attribute says, float unless given. */
function outputType(n: Call): ElementType {
  const code = n.attributes.int('output_datatype', 1)
  const type = typeOfCode(code)
  if (type === undefined) throw n.attributes.error('output_datatype', 'the number of a type', code)
  return type
}

/** Σ cᵢ·cos(2πij/n), of which the first has the other sign where it is odd. */
const window =
  (...coefficients: readonly number[]) =>
  (n: Call): TensorValue => {
    const [size, type] = [n.number(0), outputType(n)]
    if (!(size >= 0)) throw wrong(n, 'a size of at least 0', `${size}`)
    checkWork(n, [size])
    const period = n.attributes.flag('periodic', true) ? size : size - 1
    const at = (i: number) =>
      coefficients.reduce((sum, c, k) => sum + (k % 2 === 0 ? c : -c) * Math.cos((2 * Math.PI * k * i) / period), 0)
    return n.as(type, cast(table('float64', [size], at), n.dtypeOf(type)))
  }

/** Triangles over the numbers of a spectrum, evenly spaced by the mel scale. */
function melWeightMatrix(n: Call): TensorValue {
  const [bins, length, rate, low, high] = [0, 1, 2, 3, 4].map((i) => n.number(i)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const rows = Math.floor(length / 2) + 1
  if (!(bins >= 1 && length >= 1 && rate > 0 && low >= 0 && high > low))
    throw wrong(n, 'positive sizes, and edges that ascend', `${bins}, ${length}, ${rate}, ${low}, ${high}`)
  checkWork(n, [rows, bins])
  const type = outputType(n)
  const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700)
  const edges = Array.from({ length: bins + 2 }, (_, i) => {
    const mel = toMel(low) + (i * (toMel(high) - toMel(low))) / (bins + 2)
    return Math.floor(((length + 1) * 700 * (10 ** (mel / 2595) - 1)) / rate)
  })
  const weight = (row: number, bin: number): number => {
    const [left, centre, right] = [edges[bin]!, edges[bin + 1]!, edges[bin + 2]!]
    if (row === centre && (left === centre || right === centre)) return 1
    if (row >= left && row <= centre && (row < centre || right === centre)) return (row - left) / (centre - left)
    return row >= centre && row < right ? (right - row) / (right - centre) : 0
  }
  const matrix = table('float32', [rows, bins], (at) => weight(Math.floor(at / bins), at % bins))
  return n.as(type, cast(matrix, n.dtypeOf(type)))
}

export const signals: Family = {
  DFT: [
    row([17], (n) => dft(n, n.attributes.int('axis', 1)), { host: [1] }),
    row([20], (n) => dft(n, n.optionalNumber(2) ?? -2), { host: [1, 2] }),
  ],
  STFT: row([17], stft, { host: [1, 3] }),
  HannWindow: row([17], window(0.5, 0.5), { host: [0] }),
  HammingWindow: row([17], window(25 / 46, 21 / 46), { host: [0] }),
  BlackmanWindow: row([17], window(0.42, 0.5, 0.08), { host: [0] }),
  MelWeightMatrix: row([17], melWeightMatrix, { host: [0, 1, 2, 3, 4] }),
}
