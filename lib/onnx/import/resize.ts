/** Resize and Upsample: each axis by itself, as sums of elements with weights that are known when they are recorded. */
import { normalizeAxis, sizeOf } from '../../base/shape.ts'
import { add, clamp, mul } from '../../operations/arithmetic.ts'
import { where } from '../../operations/comparison.ts'
import { take } from '../../operations/indexing.ts'
import { matmul } from '../../operations/products.ts'
import { moveAxis } from '../../operations/rearrange.ts'
import { broadcastTo, cast, reshape } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import { checkWork } from './windows.ts'

const transformations = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
  'tf_half_pixel_for_nn',
] as const
const nearestModes = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const
const modes = ['nearest', 'linear', 'cubic'] as const
const policies = ['stretch', 'not_larger', 'not_smaller'] as const

type Transformation = (typeof transformations)[number]
/** 'simple' is what the first version does, which names no mode. */
type NearestMode = (typeof nearestModes)[number] | 'simple'

/** How a node resizes, apart from how much. */
interface Method {
  readonly mode: (typeof modes)[number]
  readonly nearest: NearestMode
  readonly transformation: Transformation
  readonly cubic: number
  readonly antialias: boolean
  readonly excludesOutside: boolean
  readonly extrapolation: number
}

/** One axis: from how many elements to how many, by which factor, and of which part in [0, 1]. */
interface Line {
  readonly extent: number
  readonly out: number
  readonly scale: number
  readonly part: readonly [start: number, end: number]
}

/** Where element i of the result lies among those of the axis. */
function placeOf(i: number, { extent, out, scale, part: [start, end] }: Line, transformation: Transformation): number {
  const length = scale * extent
  switch (transformation) {
    case 'align_corners':
      return length === 1 ? 0 : (i * (extent - 1)) / (length - 1)
    case 'asymmetric':
      return i / scale
    case 'tf_crop_and_resize': {
      const step = length === 1 ? (end - start) / 2 : (i * (end - start)) / (length - 1)
      return (start + step) * (extent - 1)
    }
    case 'pytorch_half_pixel':
      return length === 1 ? -0.5 : (i + 0.5) / scale - 0.5
    case 'half_pixel_symmetric':
      return (extent / 2) * (1 - out / length) + (i + 0.5) / scale - 0.5
    case 'tf_half_pixel_for_nn':
      return (i + 0.5) / scale
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5
  }
}

/** The element nearest to a place. */
function nearestTo(place: number, scale: number, mode: NearestMode): number {
  if (Number.isInteger(place)) return place
  if (mode === 'floor') return Math.floor(place)
  if (mode === 'ceil') return Math.ceil(place)
  if (mode === 'simple') return scale < 1 ? Math.ceil(place) : Math.floor(place)
  return mode === 'round_prefer_floor' ? Math.ceil(place - 0.5) : Math.floor(place + 0.5)
}

/** Keys' cubic convolution: how much an element at a distance counts. */
function cubicWeight(distance: number, a: number): number {
  const x = Math.abs(distance)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

const linearWeight = (distance: number): number => Math.max(1 - Math.abs(distance), 0)

/** Elements of an axis with their weights, the same number for each place; `first` may be outside. */
interface Taps {
  readonly count: number
  first(i: number): number
  weight(i: number, tap: number): number
}

/** How many elements a filter reaches to each side, which is wider where it makes fewer elements of many. */
function tapsOf(line: Line, method: Method): Taps {
  const { mode, cubic, antialias, excludesOutside } = method
  const stretch = antialias ? Math.min(line.scale, 1) : 1
  const radius = (mode === 'linear' ? 1 : 2) / stretch
  const count = 2 * Math.ceil(radius)
  const place = (i: number) => placeOf(i, line, method.transformation)
  // An element at the very end of the filter counts nothing, whichever end it is.
  const first = (i: number) => Math.floor(place(i)) - Math.ceil(radius) + 1
  const raw = (i: number, tap: number) => {
    const at = first(i) + tap
    if (excludesOutside && (at < 0 || at >= line.extent)) return 0
    const distance = (at - place(i)) * stretch
    return mode === 'linear' ? linearWeight(distance) : cubicWeight(distance, cubic)
  }
  if (!antialias && !excludesOutside) return { count, first, weight: raw }
  const sums = Array.from({ length: line.out }, (_, i) => {
    let sum = 0
    for (let tap = 0; tap < count; tap++) sum += raw(i, tap)
    return sum === 0 ? 1 : sum
  })
  return { count, first, weight: (i, tap) => raw(i, tap) / sums[i]! }
}

const within = (i: number, extent: number): number => Math.min(Math.max(i, 0), extent - 1)

/** Elements along an axis by their places, each chosen once or in a row. */
function chosen(x: Tensor, axis: number, { extent, out }: Line, place: (i: number) => number): Tensor {
  const places = Array.from({ length: out }, (_, i) => within(place(i), extent))
  if (out === extent && places.every((p, i) => p === i)) return x
  const copies = out / extent
  if (Number.isInteger(copies) && places.every((p, i) => p === Math.floor(i / copies))) {
    const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
    if (x.ndim === 8)
      return take(
        x,
        table('int32', [out], (i) => places[i]!),
        axis,
      )
    const repeated = broadcastTo(reshape(x, [...outer, extent, 1, ...inner]), [...outer, extent, copies, ...inner])
    return reshape(repeated, [...outer, out, ...inner])
  }
  return take(
    x,
    table('int32', [out], (i) => places[i]!),
    axis,
  )
}

/** Few taps are a gather each; many are a matrix product with their weights. */
const mostGathers = 4

function weighted(n: Call, x: Tensor, axis: number, line: Line, taps: Taps): Tensor {
  const { extent, out } = line
  const at = (i: number, tap: number) => within(taps.first(i) + tap, extent)
  if (taps.count <= mostGathers) {
    const shape = x.shape.map((_, i) => (i === axis ? out : 1))
    const parts = Array.from({ length: taps.count }, (_, tap) =>
      mul(
        chosen(x, axis, line, (i) => taps.first(i) + tap),
        table(x.dtype, shape, (i) => taps.weight(i, tap)),
      ),
    )
    return parts.reduce(add)
  }
  checkWork(n, [extent, out])
  checkWork(n, [out, taps.count])
  const weights = new Float64Array(extent * out)
  for (let i = 0; i < out; i++)
    for (let tap = 0; tap < taps.count; tap++) weights[at(i, tap) * out + i]! += taps.weight(i, tap)
  const matrix = table(x.dtype, [extent, out], (i) => weights[i]!)
  return moveAxis(matmul(moveAxis(x, axis, -1), matrix), -1, axis)
}

/** x with another number of elements along one axis. */
function resizeAxis(n: Call, x: Tensor, axis: number, line: Line, method: Method): Tensor {
  const { extent, out, scale, part } = line
  const isWhole = part[0] === 0 && part[1] === 1
  if (Math.abs(scale - 1) < 1e-9 && out === extent && (isWhole || method.transformation !== 'tf_crop_and_resize'))
    return x
  const place = (i: number) => placeOf(i, line, method.transformation)
  const y =
    method.mode === 'nearest'
      ? chosen(x, axis, line, (i) => nearestTo(place(i), scale, method.nearest))
      : weighted(n, x, axis, line, tapsOf(line, method))
  if (method.transformation !== 'tf_crop_and_resize') return y
  const isOutside = (i: number) => place(i) < 0 || place(i) > extent - 1
  const mask = table(
    'bool',
    x.shape.map((_, i) => (i === axis ? out : 1)),
    (i) => Number(isOutside(i)),
  )
  return where(mask, method.extrapolation, y)
}

/** Each axis in turn. Integers that are weighted are computed as floats, and rounded toward zero. */
function resizeAll(n: Call, x: Tensor, lines: readonly Line[], method: Method): Tensor {
  const shape = lines.map(({ out }) => out)
  if (lines.some(({ out, extent }) => out < 1 || extent < 1)) {
    if (sizeOf(shape) === 0 && sizeOf(x.shape) === 0) return reshape(x, shape)
    throw wrong(n, 'at least one element along each axis', `[${x.shape}] to [${shape}]`)
  }
  checkWork(
    n,
    lines.map(({ out, extent }) => Math.max(out, extent)),
  )
  const isFloat = x.dtype === 'float32' || x.dtype === 'float64'
  const source = isFloat || method.mode === 'nearest' ? x : cast(x, 'float32')
  const y = lines.reduce((y, line, axis) => resizeAxis(n, y, axis, line, method), source)
  if (y.dtype === x.dtype) return y
  const [least, most] = x.dtype === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1]
  return cast(clamp(y, least, most), x.dtype)
}

const checkScales = (n: Call, scales: readonly number[]): void => {
  if (!scales.every((scale) => Number.isFinite(scale) && scale > 0))
    throw wrong(n, 'scales that are positive numbers', `[${scales}]`)
}

/** The factor of all axes by which the result fits into the sizes, or covers them. */
function keepingAspect(n: Call, x: Tensor, axes: readonly number[], sizes: readonly number[]): number | null {
  const policy = n.attributes.choice('keep_aspect_ratio_policy', policies, 'stretch')
  if (policy === 'stretch') return null
  const factors = axes.map((axis, i) => sizes[i]! / x.shape[axis]!)
  return policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors)
}

/** An input that counts as left out where it is empty, as early versions say it. */
const listOf = (n: Call, input: number): number[] | undefined => {
  const list = n.has(input) ? n.host(input).numbers() : undefined
  return list?.length === 0 ? undefined : list
}

function resize(n: Call): Tensor {
  const { attributes } = n
  const x = n.tensor(0)
  const axes = attributes
    .ints(
      'axes',
      x.shape.map((_, i) => i),
    )
    .map((axis) => normalizeAxis('onnx', axis, x.ndim))
  if (new Set(axes).size !== axes.length) throw attributes.error('axes', 'different axes', `[${axes}]`)
  const [roi, scales, sizes] = [listOf(n, 1), listOf(n, 2), listOf(n, 3)]
  const given = sizes ?? scales
  if (given?.length !== axes.length) throw wrong(n, `scales or sizes of ${axes.length} axes`, `[${given}]`)
  const common = sizes === undefined ? null : keepingAspect(n, x, axes, sizes)
  const transformation = attributes.choice('coordinate_transformation_mode', transformations, 'half_pixel')
  if (transformation === 'tf_crop_and_resize' && roi?.length !== 2 * axes.length)
    throw wrong(n, `a roi of ${2 * axes.length} numbers`, `[${roi}]`)
  if (scales !== undefined && sizes === undefined) checkScales(n, scales)
  const lines = x.shape.map((extent, axis): Line => {
    const i = axes.indexOf(axis)
    if (i < 0) return { extent, out: extent, scale: 1, part: [0, 1] }
    const part =
      roi === undefined || transformation !== 'tf_crop_and_resize' ? [0, 1] : [roi[i]!, roi[i + axes.length]!]
    const scale = common ?? (sizes === undefined ? scales![i]! : sizes[i]! / extent)
    const out =
      common === null ? (sizes?.[i] ?? Math.floor(Math.fround(extent * scale))) : Math.floor(extent * scale + 0.5)
    return { extent, out, scale, part: part as [number, number] }
  })
  return resizeAll(n, x, lines, {
    mode: attributes.choice('mode', modes, 'nearest'),
    nearest: attributes.choice('nearest_mode', nearestModes, 'round_prefer_floor'),
    transformation,
    cubic: attributes.float('cubic_coeff_a', -0.75),
    antialias: attributes.flag('antialias', false),
    excludesOutside: attributes.flag('exclude_outside', false),
    extrapolation: attributes.float('extrapolation_value', 0),
  })
}

/** By scales alone: what Upsample, and the first version of Resize, are. */
function resizeByScales(n: Call, scales: readonly number[], nearest: NearestMode): Tensor {
  const x = n.tensor(0)
  const mode = n.attributes.choice('mode', ['nearest', 'linear', 'bilinear'], 'nearest')
  if (scales.length !== x.ndim) throw wrong(n, `scales of ${x.ndim} axes`, `[${scales}]`)
  checkScales(n, scales)
  const lines = x.shape.map((extent, axis): Line => {
    return { extent, out: Math.floor(Math.fround(extent * scales[axis]!)), scale: scales[axis]!, part: [0, 1] }
  })
  return resizeAll(n, x, lines, {
    ...{ mode: mode === 'nearest' ? mode : 'linear', nearest, transformation: 'asymmetric' },
    ...{ cubic: 0, antialias: false, excludesOutside: false, extrapolation: 0 },
  })
}

export const resizing: Family = {
  Resize: [
    row([10], (n) => resizeByScales(n, n.host(1).numbers(), 'simple'), { host: [1] }),
    row([11, 13, 18, 19], resize, { host: [1, 2, 3] }),
  ],
  Upsample: [
    row([7], (n) => resizeByScales(n, n.attributes.floats('scales', []), 'floor')),
    row([9], (n) => resizeByScales(n, n.host(1).numbers(), 'floor'), { host: [1] }),
  ],
}
