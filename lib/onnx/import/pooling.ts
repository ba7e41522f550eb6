/** Pooling: one number for each window of each channel. */
import { sizeOf } from '../../base/shape.ts'
import { abs, add } from '../../operations/arithmetic.ts'
import { gather, putAlongAxis, take, takeAlongAxis } from '../../operations/indexing.ts'
import { concat } from '../../operations/joining.ts'
import { pow } from '../../operations/math.ts'
import { pad } from '../../operations/padding.ts'
import { avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '../../operations/pooling.ts'
import { avgPool3d, maxPool3d } from '../../operations/pooling3d.ts'
import { argmax, max, mean, sum } from '../../operations/reduce.ts'
import { reshape } from '../../operations/shape.ts'
import { full, zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { convolve } from './convolution.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import {
  checkWork,
  explicitPads,
  kernelOf,
  padForWindows,
  perAxis,
  placeInPlane,
  type Windows,
  windowsOf,
} from './windows.ts'

/** The windows of a node over an input [n, c, …]; also those that begin on it and end past it, with `ceil_mode`. */
interface Pool extends Windows {
  readonly ceil: boolean
}

function poolOf(n: Call, x: Tensor): Pool {
  const axes = x.ndim - 2
  if (axes < 1 || axes > 3) throw wrong(n, 'an input of one, two or three spatial axes', `[${x.shape}]`)
  const ceil = n.attributes.flag('ceil_mode', false)
  return { ...windowsOf(n, x.shape.slice(2), kernelOf(n, axes), ceil), ceil }
}

/** Windows without padding: what is outside was added before. */
const unpadded = (pool: Pool): Pool => ({ ...pool, pads: pool.pads.map(() => [0, 0] as const), ceil: false })

/** Whether the library's pooling takes the padding: at most half of the kernel. */
const isPlain = ({ pads, kernel }: Pool): boolean => pads.every(([b, a], i) => 2 * Math.max(b, a) <= kernel[i]!)

const pairsOf = <T>(list: readonly T[]) => list as unknown as readonly [T, T] & readonly [T, T, T]

function maxOver(x: Tensor, { kernel, strides, dilations, pads, ceil: ceilMode }: Pool): Tensor {
  if (kernel.length === 1)
    return maxPool1d(x, kernel[0]!, { stride: strides[0]!, dilation: dilations[0]!, padding: pads[0]!, ceilMode })
  const options = { stride: pairsOf(strides), dilation: pairsOf(dilations), padding: pairsOf(pads), ceilMode }
  return kernel.length === 2 ? maxPool2d(x, pairsOf(kernel), options) : maxPool3d(x, pairsOf(kernel), options)
}

function meanOver(x: Tensor, { kernel, strides, pads, ceil: ceilMode }: Pool, countIncludePad: boolean): Tensor {
  const common = { ceilMode, countIncludePad }
  if (kernel.length === 1) return avgPool1d(x, kernel[0]!, { stride: strides[0]!, padding: pads[0]!, ...common })
  const options = { stride: pairsOf(strides), padding: pairsOf(pads), ...common }
  return kernel.length === 2 ? avgPool2d(x, pairsOf(kernel), options) : avgPool3d(x, pairsOf(kernel), options)
}

/** Sums over any windows: a convolution of each channel with ones. */
function sumOver(x: Tensor, windows: Pool): Tensor {
  const [n, channels, ...extents] = x.shape as [number, number, ...number[]]
  if (sizeOf(x.shape) === 0) return zeros([n, channels, ...windows.out], { dtype: x.dtype })
  const planes = padForWindows(reshape(x, [n * channels, 1, ...extents]), windows, 0)
  const ones = full([1, 1, ...windows.kernel], 1, { dtype: x.dtype })
  return reshape(convolve(planes, ones, undefined, unpadded(windows), 1), [n, channels, ...windows.out])
}

/** How many elements of a padded input each window meets: without its padding, those of the input alone. */
function countsOf(x: Tensor, windows: Windows, withPads: boolean): Tensor {
  const { kernel, strides, dilations, pads, out } = windows
  const along = out.map((count, axis) => {
    const [before, after] = pads[axis]!
    const [least, most] = withPads ? [-before, x.shape[axis + 2]! + after] : [0, x.shape[axis + 2]!]
    return Array.from({ length: count }, (_, i) => {
      const start = i * strides[axis]! - before
      const first = Math.max(Math.ceil((least - start) / dilations[axis]!), 0)
      const last = Math.min(Math.ceil((most - start) / dilations[axis]!), kernel[axis]!)
      return Math.max(last - first, 0)
    })
  })
  return table(x.dtype, [1, 1, ...out], (at) => {
    let [rest, count] = [at, 1]
    for (let axis = out.length - 1; axis >= 0; axis--) {
      count *= along[axis]![rest % out[axis]!]!
      rest = Math.floor(rest / out[axis]!)
    }
    return count
  })
}

function averagePool(n: Call): Tensor {
  const x = n.tensor(0)
  const windows = poolOf(n, x)
  const withPads = n.attributes.flag('count_include_pad', false)
  const isDense = windows.dilations.every((dilation) => dilation === 1)
  if (isDense && isPlain(windows) && sizeOf(x.shape) > 0) return meanOver(x, windows, withPads)
  return sumOver(x, windows).div(countsOf(x, windows, withPads))
}

function lpPool(n: Call): Tensor {
  const x = n.tensor(0)
  const p = n.attributes.int('p', 2)
  if (p < 1) throw n.attributes.error('p', 'a positive integer', p)
  return pow(sumOver(pow(abs(x), p), poolOf(n, x)), 1 / p)
}

/** A number that is below all others of a type of integers. */
const leastOf = (x: Tensor): number => (x.dtype === 'uint8' ? 0 : -(2 ** 31))

/** How many places of elements of windows are written down at most. */
const mostPlaces = 2 ** 24

/** Where each element of each window lies in a plane, [windows, elements]; beyond the plane for padding. */
function windowPlaces(n: Call, extents: readonly number[], windows: Windows): Tensor {
  const [count, taps] = [sizeOf(windows.out), sizeOf(windows.kernel)]
  checkWork(n, [count, taps], mostPlaces)
  return table('int32', [count, taps], (at) => placeInPlane(extents, windows, Math.floor(at / taps), at % taps))
}

/** Where in a plane places are if columns stood one after the other, and not rows. */
const columnMajor = (extents: readonly number[]): Tensor =>
  table('int32', [sizeOf(extents) + 1], (at) => {
    let [rest, place] = [at, 0]
    const along = extents.toReversed().map((extent) => {
      const i = rest % extent
      rest = Math.floor(rest / extent)
      return i
    })
    for (const [axis, i] of along.entries()) place = place * extents[extents.length - 1 - axis]! + i
    return place
  })

/** The greatest elements of windows, by reading all of each, and their places in the whole input. */
function maxWithPlaces(n: Call, x: Tensor, windows: Windows): Tensor[] {
  const [batch, channels, ...extents] = x.shape as [number, number, ...number[]]
  const [planes, size] = [batch * channels, sizeOf(extents)]
  const places = windowPlaces(n, extents, windows)
  checkWork(n, [planes, ...places.shape])
  const isFloat = x.dtype === 'float32' || x.dtype === 'float64'
  const outside = full([planes, 1], isFloat ? Number.NEGATIVE_INFINITY : leastOf(x), { dtype: x.dtype })
  const elements = take(concat([reshape(x, [planes, size]), outside], 1), places, 1)
  const shape = [batch, channels, ...windows.out]
  if (!n.wants(1)) return [reshape(max(elements, 2), shape)]
  const tap = argmax(elements, 2, { keepDims: true })
  const values = takeAlongAxis(elements, tap, 2)
  const found = takeAlongAxis(reshape(places, [1, ...places.shape]), tap, 2)
  const isByColumns = n.attributes.int('storage_order', 0) === 1
  const within = isByColumns ? gather(columnMajor(extents), found) : found
  const whole = add(
    within,
    table('int32', [planes, 1, 1], (i) => i * size),
  )
  return [reshape(values, shape), reshape(whole, shape)]
}

function maxPool(n: Call) {
  const x = n.tensor(0)
  const windows = poolOf(n, x)
  const isFloat = x.dtype === 'float32' || x.dtype === 'float64'
  if (isFloat && !n.wants(1) && sizeOf(x.shape) > 0)
    return isPlain(windows)
      ? maxOver(x, windows)
      : maxOver(padForWindows(x, windows, Number.NEGATIVE_INFINITY), unpadded(windows))
  const [values, places] = maxWithPlaces(n, x, windows)
  return [values, places && n.as('int64', places)]
}

/** What lies where MaxPool found it, and zeros elsewhere. */
function maxUnpool(n: Call): Tensor {
  const [x, places] = [n.tensor(0), n.tensor(1)]
  const axes = x.ndim - 2
  const kernel = kernelOf(n, axes)
  const [strides, pads] = [perAxis(n, 'strides', axes, 1, 1), explicitPads(n, axes)]
  const extents = kernel.map((k, i) => (x.shape[i + 2]! - 1) * strides[i]! - pads[i]![0] - pads[i]![1] + k)
  const pooled = [x.shape[0]!, x.shape[1]!, ...extents]
  const shape = n.optionalIntegers(2) ?? pooled
  if (pooled.some((extent) => extent < 0) || shape.length !== x.ndim || shape.some((e, i) => e < pooled[i]!))
    throw wrong(n, `an output shape of at least [${pooled}]`, `[${shape}]`)
  checkWork(n, shape)
  const size = sizeOf(pooled)
  const scattered = putAlongAxis(
    zeros([size], { dtype: x.dtype }),
    reshape(places, [sizeOf(x.shape)]),
    reshape(x, [sizeOf(x.shape)]),
    0,
  )
  return pad(
    reshape(scattered, pooled),
    shape.map((extent, i) => [0, extent - pooled[i]!] as const),
  )
}

/** All axes after the channels. */
const spatial = (x: Tensor): number[] => Array.from({ length: Math.max(x.ndim - 2, 0) }, (_, i) => i + 2)

function globalLpPool(n: Call): Tensor {
  const [x, p] = [n.tensor(0), n.attributes.int('p', 2)]
  if (p < 1) throw n.attributes.error('p', 'a positive integer', p)
  return pow(sum(pow(abs(x), p), spatial(x), { keepDims: true }), 1 / p)
}

export const pooling: Family = {
  MaxPool: row([1, 8, 10, 11, 12, 22], maxPool),
  AveragePool: row([1, 7, 10, 11, 19, 22], averagePool),
  LpPool: row([2, 11, 18, 22], lpPool),
  MaxUnpool: row([9, 11, 22], maxUnpool, { host: [2] }),
  GlobalMaxPool: row([1, 22], (n) => max(n.tensor(0), spatial(n.tensor(0)), { keepDims: true })),
  GlobalAveragePool: row([1, 22], (n) => mean(n.tensor(0), spatial(n.tensor(0)), { keepDims: true })),
  GlobalLpPool: row([2, 22], globalLpPool),
}
