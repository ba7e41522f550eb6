/** Images read at places that a grid names, between their pixels too, and the grids of affine maps. */
import { arrayOf } from '../base/arrays.ts'
import { type DType, isFloat, promote } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { isCount } from '../base/pair.ts'
import { checkShape, denseStrides, formatShape, type Shape, sizeOf } from '../base/shape.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { add, div, mul, sub } from './arithmetic.ts'
import { select } from './indexing.ts'
import { sampleAt } from './pixel-sampling.ts'
import { matmul } from './products.ts'
import { transpose } from './rearrange.ts'
import { cast, reshape } from './shape.ts'

export interface GridSampleOptions {
  /**
   * 'bilinear' unless given: weighted means of the four pixels around a place, or of a volume's eight; 'nearest': the pixel nearest to
   * it; 'bicubic': Keys' cubic convolution of sixteen, with a = −¾.
   */
  mode?: 'bilinear' | 'nearest' | 'bicubic'
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
  ...{ mode: ['bilinear', 'nearest', 'bicubic'], paddingMode: ['zeros', 'border', 'reflection'] },
  ...affineGridOptions,
}

/** From [−1, 1] to pixels: the centre of the first is 0. */
const toPixels = (x: Tensor, extent: number, alignCorners: boolean): Tensor =>
  alignCorners ? mul(div(add(x, 1), 2), extent - 1) : div(sub(mul(add(x, 1), extent), 1), 2)

function checkOperands(op: string, images: Shape, grid: Shape, dtypes: readonly DType[]): void {
  for (const dtype of dtypes) if (!isFloat(dtype)) throw new DTypeError(expected(op, 'float32 or float64', dtype))
  const axes = images.length - 2
  if ((axes !== 2 && axes !== 3) || images.slice(2).includes(0))
    throw new ShapeError(
      expected(op, 'images [n, channels, height, width], or volumes, of at least one pixel', formatShape(images)),
    )
  if (grid.length !== axes + 2 || grid[0] !== images[0] || grid.at(-1) !== axes)
    throw new ShapeError(
      expected(op, `a grid [${images[0]}, ${axes === 3 ? 'depth, ' : ''}height, width, ${axes}]`, formatShape(grid)),
    )
}

/**
 * Images x[n, c, height, width] read at the places of a grid[n, outHeight, outWidth, 2]: [n, c, outHeight, outWidth]; or volumes
 * x[n, c, depth, height, width] at those of a grid[n, …, 3]. A place is (x, y) or (x, y, z), from −1 at the left, top and front to 1 at
 * the right, bottom and back. The modes that weigh pixels have gradients in both operands; of the nearest pixels only x has one. A
 * place that is NaN counts as −1 where nothing is outside, and else gives NaN, or 0 for the nearest pixel. As PyTorch's
 * grid_sample (Jaderberg et al. 2015, "Spatial transformer networks").
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
  const extents = images.shape.slice(2)
  // The first number of a place is that of the last axis.
  const pixels = extents.map((extent, axis) =>
    toPixels(cast(select(places, -1, extents.length - 1 - axis), dtype), extent, alignCorners),
  )
  return sampleAt(cast(images, dtype), pixels, { mode, paddingMode, alignCorners })
}

/** The centre of a pixel in [−1, 1], whose bounds are the outermost centres or the edges. */
function centre(i: number, extent: number, alignCorners: boolean): number {
  const span = alignCorners ? extent - 1 : extent
  return span === 0 ? 0 : (2 * i + 1 - extent) / span
}

/**
 * The grid for `gridSample` of affine maps theta[n, 2, 3]: grid[n, height, width, 2] with theta · (x, y, 1) for the centre (x, y)
 * of each pixel of the result, in [−1, 1]; of maps theta[n, 3, 4] of volumes grid[n, depth, height, width, 3]. As PyTorch's affine_grid.
 *
 * @param size of the result, [n, channels, height, width] or [n, channels, depth, height, width]
 * @throws ShapeError for a theta that is neither, or a size of another n or other axes; DTypeError for integers
 * @example affineGrid([[[1, 0, 0], [0, 1, 0]]], [1, 1, 2, 2]).select(-1, 0) // [[[-0.5, 0.5], [-0.5, 0.5]]]
 * @pytorch F.affine_grid
 */
export function affineGrid(theta: TensorLike, size: Shape, options?: AffineGridOptions): Tensor {
  const op = 'affineGrid'
  const { alignCorners = false } = checkOptions(op, options, affineGridOptions)
  const t = toTensor('affineGrid', theta)
  if (!isFloat(t.dtype)) throw new DTypeError(expected(op, 'float32 or float64', t.dtype))
  const [n, axes] = t.shape as [number, number]
  if (t.ndim !== 3 || (axes !== 2 && axes !== 3) || t.shape[2] !== axes + 1)
    throw new ShapeError(expected(op, 'maps [n, 2, 3], or [n, 3, 4] of volumes', formatShape(t.shape)))
  if (
    !Array.isArray(size) ||
    size.length !== axes + 2 ||
    !size.every((extent) => isCount(extent, 0)) ||
    size[0] !== n
  ) {
    const extents = `${axes === 3 ? 'depth, ' : ''}height, width`
    throw new ShapeError(expected(op, `a size [${n}, channels, ${extents}]`, formatShape([size].flat())))
  }
  const extents: Shape = size.slice(2)
  checkShape(op, [n, ...extents, axes])
  const count = sizeOf(extents)
  // The points (x, y, 1), one after the other: x changes first, and is along the last axis.
  const steps = denseStrides(extents).reverse()
  const along = extents.toReversed()
  const points = arrayOf(op, t.dtype, [count, axes + 1], (i) => {
    const [place, axis] = [Math.floor(i / (axes + 1)), i % (axes + 1)]
    const extent = along[axis]
    return extent === undefined ? 1 : centre(Math.floor(place / steps[axis]!) % extent, extent, alignCorners)
  })
  const grid = matmul(wrap(data(points, t.dtype, [count, axes + 1])), transpose(t, [0, 2, 1]))
  return reshape(grid, [n, ...extents, axes])
}
