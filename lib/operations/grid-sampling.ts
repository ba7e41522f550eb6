/** Images read at places that a grid names, between their pixels too, and the grids of affine maps. */
import { arrayOf } from '../base/arrays.ts'
import { type DType, isFloat, promote } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { isCount } from '../base/pair.ts'
import { checkShape, extentAt, formatShape, type Shape } from '../base/shape.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { abs, add, clamp, div, fmod, mod, mul, sub } from './arithmetic.ts'
import { equal, greater, greaterEqual, less, lessEqual, where } from './comparison.ts'
import { gather, select } from './indexing.ts'
import { logicalAnd } from './logic.ts'
import { floor, round } from './math.ts'
import { matmul } from './products.ts'
import { permute, transpose } from './rearrange.ts'
import { broadcastTo, cast, expandDims, reshape } from './shape.ts'

export interface GridSampleOptions {
  /** 'bilinear' unless given: weighted means of the four pixels around a place; 'nearest': the pixel nearest to it. */
  mode?: 'bilinear' | 'nearest'
  /** What is outside: 'zeros' unless given, 'border' the pixels at the border, 'reflection' the image mirrored there. */
  paddingMode?: 'zeros' | 'border' | 'reflection'
  /** Whether −1 and 1 are the centres of the outermost pixels; false unless given: they are the edges of the image. */
  alignCorners?: boolean
}

export interface AffineGridOptions {
  /** As in `gridSample`: false unless given. */
  alignCorners?: boolean
}

const affineGridOptions: OptionTypes<AffineGridOptions> = { alignCorners: 'boolean' }
const gridSampleOptions: OptionTypes<GridSampleOptions> = {
  ...{ mode: ['bilinear', 'nearest'], paddingMode: ['zeros', 'border', 'reflection'] },
  ...affineGridOptions,
}

/** From [−1, 1] to pixels: the centre of the first is 0. */
const toPixels = (x: Tensor, extent: number, alignCorners: boolean): Tensor =>
  alignCorners ? mul(div(add(x, 1), 2), extent - 1) : div(sub(mul(add(x, 1), extent), 1), 2)

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

type Options = Required<GridSampleOptions>

/**
 * Where places of one axis of the grid are among `extent` pixels. What is farther outside than any pixel reaches is as far as
 * that, since infinite weights would not be 0 times 0.
 */
function pixelsOf(x: Tensor, extent: number, { paddingMode, alignCorners }: Options): Tensor {
  const pixels = toPixels(x, extent, alignCorners)
  if (paddingMode === 'zeros') return clamp(pixels, -2, extent + 1)
  return clipped(paddingMode === 'border' ? pixels : reflected(pixels, extent, alignCorners), extent)
}

/** Pixels along one axis: their indices, whether they are in the image, and how much they count. */
interface Line {
  readonly at: Tensor
  readonly isInside: Tensor
  readonly weight: Tensor
}

function lineAt(place: Tensor, weight: Tensor, extent: number): Line {
  const isInside = logicalAnd(greaterEqual(place, 0), lessEqual(place, extent - 1))
  return { at: cast(clamp(place, 0, extent - 1), 'int32'), isInside, weight }
}

/** The pixels that a place is between, or the nearest: halves go to the even one. */
function linesAt(pixels: Tensor, extent: number, { mode }: Options): Line[] {
  const one = broadcastTo(wrap(literal(1, pixels.dtype)), pixels.shape)
  if (mode === 'nearest') return [lineAt(round(pixels), one, extent)]
  const first = floor(pixels)
  const fraction = sub(pixels, first)
  return [lineAt(first, sub(one, fraction), extent), lineAt(add(first, 1), fraction, extent)]
}

/** A pixel of each place times its weight; 0 outside, whatever is read there. */
function pixelAt(rows: Tensor, first: Tensor, width: number, y: Line, x: Line): Tensor {
  const found = gather(rows, add(first, add(mul(y.at, width), x.at)))
  const isInside = expandDims(logicalAnd(y.isInside, x.isInside), -1)
  return mul(where(isInside, found, 0), expandDims(mul(y.weight, x.weight), -1))
}

function checkOperands(op: string, images: Shape, grid: Shape, dtypes: readonly DType[]): void {
  for (const dtype of dtypes) if (!isFloat(dtype)) throw new DTypeError(expected(op, 'float32 or float64', dtype))
  if (images.length !== 4 || images[2] === 0 || images[3] === 0)
    throw new ShapeError(expected(op, 'images [n, channels, height, width] of at least one pixel', formatShape(images)))
  if (grid.length !== 4 || grid[0] !== images[0] || grid[3] !== 2)
    throw new ShapeError(expected(op, `a grid [${images[0]}, height, width, 2]`, formatShape(grid)))
}

/**
 * Images x[n, c, height, width] read at the places of a grid[n, outHeight, outWidth, 2]: [n, c, outHeight, outWidth]. A place is
 * (x, y), from −1 at the left and top to 1 at the right and bottom. The bilinear mode has gradients in both; of the nearest pixels
 * only x has one. A place that is NaN counts as −1 where nothing is outside, and else gives NaN, or 0 for the nearest pixel. As PyTorch's grid_sample (Jaderberg et al. 2015, "Spatial transformer networks").
 *
 * @throws ShapeError for operands of other axes, or empty images; DTypeError for integers; RangeError for a mode that is none
 * @pytorch F.grid_sample
 */
export function gridSample(x: TensorLike, grid: TensorLike, options?: GridSampleOptions): Tensor {
  const given = checkOptions('gridSample', options, gridSampleOptions)
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = given
  const [images, places] = [toTensor('gridSample', x), toTensor('gridSample', grid)]
  checkOperands('gridSample', images.shape, places.shape, [images.dtype, places.dtype])
  const dtype = promote(images.dtype, places.dtype)
  const [n, channels, height, width] = images.shape as [number, number, number, number]
  const linesOf = (i: 0 | 1, extent: number) => {
    const all = { mode, paddingMode, alignCorners }
    return linesAt(pixelsOf(cast(select(places, -1, i), dtype), extent, all), extent, all)
  }
  const rows = reshape(permute(cast(images, dtype), [0, 2, 3, 1]), [n * height * width, channels])
  const first = wrap(
    data(
      Int32Array.from({ length: n }, (_, i) => i * height * width),
      'int32',
      [n, 1, 1],
    ),
  )
  const [columns, lines] = [linesOf(0, width), linesOf(1, height)]
  const parts = lines.flatMap((line) => columns.map((column) => pixelAt(rows, first, width, line, column)))
  return permute(parts.reduce(add), [0, 3, 1, 2])
}

/** The centre of a pixel in [−1, 1], whose bounds are the outermost centres or the edges. */
function centre(i: number, extent: number, alignCorners: boolean): number {
  const span = alignCorners ? extent - 1 : extent
  return span === 0 ? 0 : (2 * i + 1 - extent) / span
}

/**
 * The grid for `gridSample` of affine maps theta[n, 2, 3]: grid[n, height, width, 2] with theta · (x, y, 1) for the centre (x, y)
 * of each pixel of the result, in [−1, 1]. As PyTorch's affine_grid.
 *
 * @param size of the result, [n, channels, height, width]
 * @throws ShapeError for a theta that is not [n, 2, 3], or a size of another n or other axes; DTypeError for integers
 * @example affineGrid([[[1, 0, 0], [0, 1, 0]]], [1, 1, 2, 2]).select(-1, 0) // [[[-0.5, 0.5], [-0.5, 0.5]]]
 * @pytorch F.affine_grid
 */
export function affineGrid(theta: TensorLike, size: Shape, options?: AffineGridOptions): Tensor {
  const op = 'affineGrid'
  const { alignCorners = false } = checkOptions(op, options, affineGridOptions)
  const t = toTensor('affineGrid', theta)
  if (!isFloat(t.dtype)) throw new DTypeError(expected(op, 'float32 or float64', t.dtype))
  if (t.ndim !== 3 || t.shape[1] !== 2 || t.shape[2] !== 3)
    throw new ShapeError(expected(op, 'maps [n, 2, 3]', formatShape(t.shape)))
  const n = extentAt(t.shape, 0)
  if (!Array.isArray(size) || size.length !== 4 || !size.every((extent) => isCount(extent, 0)) || size[0] !== n)
    throw new ShapeError(expected(op, `a size [${n}, channels, height, width]`, formatShape([size].flat())))
  const [, , height, width] = size as unknown as readonly [number, number, number, number]
  checkShape(op, [n, height, width, 2])
  // The points (x, y, 1), one after the other.
  const points = arrayOf(op, t.dtype, [height * width, 3], (i) => {
    const place = Math.floor(i / 3)
    if (i % 3 === 2) return 1
    return i % 3 === 0
      ? centre(place % width, width, alignCorners)
      : centre(Math.floor(place / width), height, alignCorners)
  })
  const grid = matmul(wrap(data(points, t.dtype, [height * width, 3])), transpose(t, [0, 2, 1]))
  return reshape(grid, [n, height, width, 2])
}
