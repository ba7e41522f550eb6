/** Images and volumes read at places in pixels, which may be between them: what grids, and the offsets of deformable windows, name. */
import { denseStrides, extentAt, sizeOf } from '../base/shape.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { type Tensor, wrap } from '../tensor/tensor.ts'
import { abs, add, clamp, div, fmod, mod, mul, sub } from './arithmetic.ts'
import { equal, greater, greaterEqual, less, lessEqual, where } from './comparison.ts'
import { gather } from './indexing.ts'
import { logicalAnd } from './logic.ts'
import { floor, round } from './math.ts'
import { permute } from './rearrange.ts'
import { broadcastTo, cast, expandDims, reshape } from './shape.ts'

/** How pixels are read, and what is outside. */
export interface Sampling {
  readonly mode: 'bilinear' | 'nearest' | 'bicubic'
  readonly paddingMode: 'zeros' | 'border' | 'reflection'
  /** Where reflections are: at the centres of the outermost pixels, or at their edges. */
  readonly alignCorners: boolean
}

/** Places within the image. As in PyTorch, what is moved there has no gradient, at the bounds neither. */
function clipped(x: Tensor, extent: number): Tensor {
  const isInside = logicalAnd(greater(x, 0), less(x, extent - 1))
  return where(isInside, x, where(greater(x, 0), extent - 1, 0))
}

/** Places mirrored at the centres of the outermost pixels, or at their edges, as often as it takes. */
function reflected(x: Tensor, extent: number, alignCorners: boolean): Tensor {
  const [low, span] = alignCorners ? [0, extent - 1] : [-0.5, extent]
  if (span === 0) return mul(x, 0)
  const distance = abs(sub(x, low))
  const extra = fmod(distance, span)
  // Not the floor of distance / span, which is rounded and may be the next integer already.
  const isEven = equal(mod(round(div(sub(distance, extra), span)), 2), 0)
  return add(where(isEven, extra, sub(span, extra)), low)
}

/**
 * Places along one axis of `extent` pixels, brought inside where one pixel or two are read. What is farther outside than any pixel
 * reaches is as far as that, since infinite weights would not be 0 times 0.
 */
function broughtInside(x: Tensor, extent: number, { mode, paddingMode, alignCorners }: Sampling): Tensor {
  if (paddingMode === 'zeros') return mode === 'bicubic' ? clamp(x, -3, extent + 2) : clamp(x, -2, extent + 1)
  // A cubic reaches outside all the same, and brings each of its pixels inside. Beyond these bounds all four are the same one.
  if (mode === 'bicubic') return paddingMode === 'border' ? clamp(x, -1, extent) : x
  return clipped(paddingMode === 'border' ? x : reflected(x, extent, alignCorners), extent)
}

/** Pixels along one axis: their indices, whether they count, and how much. */
interface Line {
  readonly at: Tensor
  /** Null where all do. */
  readonly isInside: Tensor | null
  readonly weight: Tensor
}

function lineAt(place: Tensor, weight: Tensor, extent: number, { mode, paddingMode, alignCorners }: Sampling): Line {
  const isMoved = mode === 'bicubic' && paddingMode !== 'zeros'
  const index = isMoved && paddingMode === 'reflection' ? reflected(place, extent, alignCorners) : place
  const isInside = isMoved ? null : logicalAnd(greaterEqual(place, 0), lessEqual(place, extent - 1))
  return { at: cast(clamp(index, 0, extent - 1), 'int32'), isInside, weight }
}

/** Keys' cubic convolution with a = −¾: how much the pixels at −1, 0, 1 and 2 count, at t in [0, 1). */
function cubicWeights(t: Tensor): Tensor[] {
  const a = -0.75
  const near = (x: Tensor) => add(mul(mul(sub(mul(x, a + 2), a + 3), x), x), 1)
  const far = (x: Tensor) => sub(mul(add(mul(sub(mul(x, a), 5 * a), x), 8 * a), x), 4 * a)
  const rest = sub(1, t)
  return [far(add(t, 1)), near(t), near(rest), far(add(rest, 1))]
}

/** The pixels around a place, or the nearest: halves go to the even one. */
function linesAt(x: Tensor, extent: number, sampling: Sampling): Line[] {
  const pixels = broughtInside(x, extent, sampling)
  const one = broadcastTo(wrap(literal(1, pixels.dtype)), pixels.shape)
  if (sampling.mode === 'nearest') return [lineAt(round(pixels), one, extent, sampling)]
  const first = floor(pixels)
  const fraction = sub(pixels, first)
  if (sampling.mode === 'bilinear')
    return [lineAt(first, sub(one, fraction), extent, sampling), lineAt(add(first, 1), fraction, extent, sampling)]
  return cubicWeights(fraction).map((weight, i) => lineAt(add(first, i - 1), weight, extent, sampling))
}

/** Every choice of one of each list: the last one changes first. */
const choices = <T>(lists: readonly (readonly T[])[]): T[][] =>
  lists.reduce<T[][]>((found, list) => found.flatMap((choice) => list.map((each) => [...choice, each])), [[]])

/**
 * x[n, c, …] read at places in pixels, where the centre of the first is 0: for each axis of the image a tensor [n, …places], all of
 * one shape. Gives [n, c, …places].
 */
export function sampleAt(x: Tensor, places: readonly Tensor[], sampling: Sampling): Tensor {
  const [n, channels, ...extents] = x.shape as [number, number, ...number[]]
  const [size, strides] = [sizeOf(extents), denseStrides(extents)]
  const rank = places[0]!.ndim
  const toRows = [0, ...extents.map((_, axis) => axis + 2), 1]
  const rows = reshape(permute(x, toRows), [n * size, channels])
  const starts = Int32Array.from({ length: n }, (_, i) => i * size)
  const first = wrap(data(starts, 'int32', [n, ...new Array<number>(rank - 1).fill(1)]))
  const lines = places.map((place, axis) => linesAt(place, extentAt(extents, axis), sampling))
  const parts = choices(lines).map((corner) => {
    const at = corner.map((line, axis) => mul(line.at, strides[axis]!)).reduce(add)
    const found = gather(rows, add(first, at))
    const masks = corner.flatMap(({ isInside }) => (isInside === null ? [] : [isInside]))
    const weight = expandDims(corner.map(({ weight }) => weight).reduce(mul), -1)
    return mul(masks.length === 0 ? found : where(expandDims(masks.reduce(logicalAnd), -1), found, 0), weight)
  })
  const back = Array.from({ length: rank - 1 }, (_, i) => i + 1)
  return permute(parts.reduce(add), [0, rank, ...back])
}
