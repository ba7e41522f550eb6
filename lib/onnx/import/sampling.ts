/** Images and volumes read at places between their pixels: grids, and regions of interest. */
import { denseStrides, sizeOf } from '../../base/shape.ts'
import { abs, add, clamp, div, fmod, mod, mul, sub } from '../../operations/arithmetic.ts'
import { equal, greater, greaterEqual, less, lessEqual, where } from '../../operations/comparison.ts'
import { affineGrid, gridSample } from '../../operations/grid-sampling.ts'
import { gather, select } from '../../operations/indexing.ts'
import { stack } from '../../operations/joining.ts'
import { logicalAnd, logicalOr } from '../../operations/logic.ts'
import { floor, round } from '../../operations/math.ts'
import { matmul } from '../../operations/products.ts'
import { permute, transpose } from '../../operations/rearrange.ts'
import { max, sum } from '../../operations/reduce.ts'
import { cast, expandDims, reshape } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import { checkWork } from './windows.ts'

type Mode = 'nearest' | 'linear' | 'cubic'
type Padding = 'zeros' | 'border' | 'reflection'

interface Sampling {
  readonly mode: Mode
  readonly padding: Padding
  readonly alignCorners: boolean
}

/** Pixels along one axis: their indices, whether they count, and how much. */
interface Line {
  readonly at: Tensor
  readonly isInside: Tensor | null
  readonly weight: Tensor | null
}

/** Places mirrored at both bounds of an axis, as often as it takes. */
function reflected(x: Tensor, low: number, span: number): Tensor {
  if (span === 0) return mul(x, 0)
  const distance = abs(sub(x, low))
  const extra = fmod(distance, span)
  const isEven = equal(mod(round(div(sub(distance, extra), span)), 2), 0)
  return add(where(isEven, extra, sub(span, extra)), low)
}

/** Where an axis begins, and how long it is: its bounds are centres of pixels, or edges. */
const boundsOf = (extent: number, alignCorners: boolean): readonly [low: number, span: number] =>
  alignCorners ? [0, extent - 1] : [-0.5, extent]

/** Places that are outside are brought inside, before what is around them is read. */
function inside(x: Tensor, extent: number, { mode, padding, alignCorners }: Sampling): Tensor {
  // Farther out than any pixel reaches nothing changes, and infinite weights would not be 0 times 0.
  if (padding === 'zeros' || (padding === 'border' && mode === 'cubic')) return clamp(x, -3, extent + 2)
  if (padding === 'border') return clamp(x, 0, extent - 1)
  const [low, span] = boundsOf(extent, alignCorners)
  const isOutside = logicalOr(less(x, low), greater(x, low + span))
  return where(isOutside, reflected(x, low, span), x)
}

/** The pixel at an index that may be outside. */
function lineAt(place: Tensor, weight: Tensor | null, extent: number, sampling: Sampling): Line {
  const index = sampling.padding === 'reflection' ? inside(place, extent, sampling) : place
  const isInside =
    sampling.padding === 'zeros' ? logicalAnd(greaterEqual(place, 0), lessEqual(place, extent - 1)) : null
  return { at: cast(clamp(index, 0, extent - 1), 'int32'), isInside, weight }
}

/** Keys' cubic convolution with a = −¾: how much the pixels at −1, 0, 1 and 2 count, at t in [0, 1). */
function cubicWeights(t: Tensor): readonly Tensor[] {
  const a = -0.75
  const near = (x: Tensor) =>
    x
      .mul(a + 2)
      .sub(a + 3)
      .mul(x)
      .mul(x)
      .add(1)
  const far = (x: Tensor) =>
    x
      .mul(a)
      .sub(5 * a)
      .mul(x)
      .add(8 * a)
      .mul(x)
      .sub(4 * a)
  const rest = sub(1, t)
  return [far(add(t, 1)), near(t), near(rest), far(add(rest, 1))]
}

/** The pixels around places along one axis. */
function linesAt(x: Tensor, extent: number, sampling: Sampling): readonly Line[] {
  if (sampling.mode === 'nearest') return [lineAt(inside(round(x), extent, sampling), null, extent, sampling)]
  const places = inside(x, extent, sampling)
  const first = floor(places)
  const t = sub(places, first)
  const weights = sampling.mode === 'linear' ? [sub(1, t), t] : cubicWeights(t)
  const before = sampling.mode === 'linear' ? 0 : 1
  return weights.map((weight, i) => lineAt(add(first, i - before), weight, extent, sampling))
}

/** x[n, c, …] at the places of `lines`, one tensor [n, places] in pixels for each spatial axis: [n, c, places]. */
function sample(x: Tensor, lines: readonly Tensor[], sampling: Sampling): Tensor {
  const [n, channels, ...extents] = x.shape as [number, number, ...number[]]
  const size = sizeOf(extents)
  const strides = denseStrides(extents)
  const rows = reshape(permute(reshape(x, [n, channels, size]), [0, 2, 1]), [n * size, channels])
  const first = table('int32', [n, 1], (i) => i * size)
  const along = lines.map((line, axis) => linesAt(line, extents[axis]!, sampling))
  const corners = along.reduce<readonly (readonly Line[])[]>(
    (found, axis) => found.flatMap((corner) => axis.map((line) => [...corner, line])),
    [[]],
  )
  const parts = corners.map((corner) => {
    const at = corner.reduce((sum, line, axis) => add(sum, mul(line.at, strides[axis]!)), first)
    const pixels = gather(rows, at)
    const masks = corner.flatMap(({ isInside }) => (isInside === null ? [] : [isInside]))
    const seen = masks.length === 0 ? pixels : where(expandDims(masks.reduce(logicalAnd), -1), pixels, 0)
    const weights = corner.flatMap(({ weight }) => (weight === null ? [] : [weight]))
    return weights.length === 0 ? seen : mul(seen, expandDims(weights.reduce(mul), -1))
  })
  return permute(parts.reduce(add), [0, 2, 1])
}

/** x[n, c, …] at places in pixels, [n, places] for each spatial axis: means of the pixels around them, 0 outside. */
export const sampleAt = (x: Tensor, lines: readonly Tensor[]): Tensor =>
  sample(x, lines, { mode: 'linear', padding: 'zeros', alignCorners: true })

const modes = { bilinear: 'linear', bicubic: 'cubic', linear: 'linear', cubic: 'cubic', nearest: 'nearest' } as const

function gridSampled(n: Call): Tensor {
  const [x, grid] = [n.tensor(0), n.tensor(1)]
  const axes = x.ndim - 2
  if (axes < 1 || grid.ndim !== x.ndim || grid.shape.at(-1) !== axes || grid.shape[0] !== x.shape[0])
    throw wrong(n, `a grid [${x.shape[0]}, …, ${axes}] of ${x.ndim} axes`, `[${grid.shape}]`)
  const mode = modes[n.attributes.choice('mode', ['bilinear', 'bicubic', 'linear', 'cubic', 'nearest'], 'linear')]
  const padding = n.attributes.choice('padding_mode', ['zeros', 'border', 'reflection'], 'zeros')
  const alignCorners = n.attributes.int('align_corners', 0) !== 0
  if (axes === 2 && mode === 'linear' && sizeOf(x.shape) > 0)
    return gridSample(x, grid, { mode: 'bilinear', paddingMode: padding, alignCorners })
  const [batch, channels, ...extents] = x.shape as [number, number, ...number[]]
  const places = grid.shape.slice(1, -1)
  const lines = extents.map((extent, axis) => {
    // The last number of a place is that of the first axis.
    const place = reshape(select(grid, -1, axes - 1 - axis), [batch, sizeOf(places)])
    return alignCorners ? mul(div(add(place, 1), 2), extent - 1) : div(sub(mul(add(place, 1), extent), 1), 2)
  })
  return reshape(sample(x, lines, { mode, padding, alignCorners }), [batch, channels, ...places])
}

/** The grid of affine maps of volumes. */
function affineGrid3d(theta: Tensor, [n, , ...extents]: readonly number[], alignCorners: boolean): Tensor {
  const [depth, height, width] = extents as [number, number, number]
  const centre = (i: number, extent: number) => {
    const span = alignCorners ? extent - 1 : extent
    return span === 0 ? 0 : (2 * i + 1 - extent) / span
  }
  const points = table(theta.dtype, [sizeOf(extents), 4], (at) => {
    const place = Math.floor(at / 4)
    const along = [place % width, Math.floor(place / width) % height, Math.floor(place / width / height)]
    return at % 4 === 3 ? 1 : centre(along[at % 4]!, [width, height, depth][at % 4]!)
  })
  return reshape(matmul(points, transpose(theta, [0, 2, 1])), [n!, depth, height, width, 3])
}

function affineGridOf(n: Call): Tensor {
  const theta = n.tensor(0)
  const size = n.integers(1)
  const alignCorners = n.attributes.int('align_corners', 0) !== 0
  if (size.length !== theta.shape[1]! + 2 || size[0] !== theta.shape[0] || size.some((extent) => extent < 0))
    throw wrong(n, `a size of ${theta.shape[1]! + 2} extents, the first ${theta.shape[0]}`, `[${size}]`)
  checkWork(n, [size[0]!, ...size.slice(2), size.length - 2])
  return size.length === 4 ? affineGrid(theta, size, { alignCorners }) : affineGrid3d(theta, size, alignCorners)
}

// --- Regions of interest -----------------------------------------------------------------------------------------------

/** How the bins of regions are sampled along one axis. */
interface Bins {
  readonly count: number
  /** How many places each bin has room for. */
  readonly most: number
  /** How many of them a region uses, [regions, 1, 1]; all unless given. */
  readonly used: Tensor | null
}

/** Where the places of bins are along one axis, [regions, count·most]. */
function placesOf(start: Tensor, length: Tensor, { count, most, used }: Bins): Tensor {
  const regions = start.shape[0]!
  const bin = reshape(div(length, count), [regions, 1, 1])
  const first = add(
    reshape(start, [regions, 1, 1]),
    mul(
      bin,
      table('float32', [1, count, 1], (i) => i),
    ),
  )
  const half = table('float32', [1, 1, most], (i) => i + 0.5)
  const within = used === null ? div(half, most) : div(half, used)
  return reshape(add(first, mul(bin, within)), [regions, count * most])
}

interface RoiAlign {
  readonly rows: Bins
  readonly columns: Bins
  readonly scale: number
  readonly offset: number
  readonly isMax: boolean
}

/** What two pixels along one axis are around places, and how much each counts. Farther out than one pixel nothing does. */
function around(x: Tensor, extent: number): readonly Line[] {
  const isInside = logicalAnd(greaterEqual(x, -1), lessEqual(x, extent))
  const place = clamp(x, 0, extent - 1)
  const first = floor(place)
  const t = sub(place, first)
  const line = (at: Tensor, weight: Tensor): Line => ({
    at: cast(clamp(at, 0, extent - 1), 'int32'),
    isInside: null,
    weight: where(isInside, weight, 0),
  })
  return [line(first, sub(1, t)), line(add(first, 1), t)]
}

/** Whether a place of a bin is one that its region uses, beside values [regions, bins, most, …]. */
const isUsed = ({ most, used }: Bins): Tensor | null =>
  used === null
    ? null
    : less(
        table('float32', [1, 1, most], (i) => i),
        used,
      )

function alignRegions(x: Tensor, rois: Tensor, batches: Tensor, options: RoiAlign): Tensor {
  const { rows, columns, scale, offset, isMax } = options
  const [, channels, height, width] = x.shape as [number, number, number, number]
  const regions = rois.shape[0]!
  const corner = (i: number) => sub(mul(select(rois, 1, i), scale), offset)
  const [left, top, right, bottom] = [corner(0), corner(1), corner(2), corner(3)]
  // Before half pixels were taken into account no region was less than a pixel.
  const lengthOf = (from: Tensor, to: Tensor) => (offset === 0 ? clamp(sub(to, from), 1) : sub(to, from))
  const lines = [
    around(placesOf(top, lengthOf(top, bottom), rows), height),
    around(placesOf(left, lengthOf(left, right), columns), width),
  ] as const
  const pixels = reshape(permute(x, [0, 2, 3, 1]), [x.shape[0]! * height * width, channels])
  const first = reshape(mul(cast(batches, 'int32'), height * width), [regions, 1, 1])
  const shape = [regions, rows.count, rows.most, columns.count, columns.most, channels] as const
  const parts = lines[0].flatMap((y) =>
    lines[1].map((x) => {
      const at = add(add(first, mul(expandDims(y.at, 2), width)), expandDims(x.at, 1))
      const weight = mul(expandDims(y.weight!, 2), expandDims(x.weight!, 1))
      return reshape(mul(gather(pixels, at), expandDims(weight, -1)), shape)
    }),
  )
  const [usedRows, usedColumns] = [isUsed(rows), isUsed(columns)]
  const mask =
    usedRows === null || usedColumns === null
      ? null
      : logicalAnd(
          reshape(usedRows, [regions, 1, rows.most, 1, 1, 1]),
          reshape(usedColumns, [regions, 1, 1, 1, columns.most, 1]),
        )
  const counted = (values: Tensor, other: number) => (mask === null ? values : where(mask, values, other))
  if (isMax) {
    // As the reference has it, the greatest of the weighted pixels and not of their sums.
    const greatest = max(stack(parts.map((part) => counted(part, Number.NEGATIVE_INFINITY))), 0)
    return permute(max(greatest, [2, 4]), [0, 3, 1, 2])
  }
  const total = sum(counted(parts.reduce(add), 0), [2, 4])
  const count =
    rows.used === null || columns.used === null
      ? rows.most * columns.most
      : clamp(reshape(mul(rows.used, columns.used), [regions, 1, 1, 1]), 1)
  return permute(div(total, count), [0, 3, 1, 2])
}

function roiAlign(n: Call, isHalfPixel: boolean): Tensor {
  const [x, rois, batches] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const [height, width] = [n.attributes.int('output_height', 1), n.attributes.int('output_width', 1)]
  const ratio = n.attributes.int('sampling_ratio', 0)
  const scale = n.attributes.float('spatial_scale', 1)
  const isMax = n.attributes.choice('mode', ['avg', 'max'], 'avg') === 'max'
  if (x.ndim !== 4 || rois.ndim !== 2 || rois.shape[1] !== 4 || height < 1 || width < 1 || ratio < 0)
    throw wrong(n, 'images, regions [count, 4], positive extents and a sampling_ratio', `[${x.shape}], [${rois.shape}]`)
  const regions = rois.shape[0]!
  const offset = isHalfPixel ? 0.5 : 0
  const binsOf = (count: number, from: number, to: number): Bins => {
    if (ratio > 0) return { count, most: ratio, used: null }
    // How many places there are follows from the regions, so that they have to be known.
    const values = n.host(1).data
    const lengths = Array.from({ length: regions }, (_, i) => {
      const length = (Number(values[i * 4 + to]) - Number(values[i * 4 + from])) * scale
      return Math.ceil((offset === 0 ? Math.max(length, 1) : length) / count)
    })
    // What is no number has no place.
    const used = lengths.map((length) => Math.max(length, 0) || 0)
    const most = used.reduce((most, length) => Math.max(most, length), 1)
    return { count, most, used: table('float32', [regions, 1, 1], (i) => used[i]!) }
  }
  const [rows, columns] = [binsOf(height, 1, 3), binsOf(width, 0, 2)]
  checkWork(n, [regions, height, width, rows.most, columns.most, x.shape[1]!])
  return alignRegions(x, rois, batches, { rows, columns, scale, offset, isMax })
}

const roiAlign16 = (n: Call): Tensor =>
  roiAlign(
    n,
    n.attributes.choice('coordinate_transformation_mode', ['half_pixel', 'output_half_pixel'], 'half_pixel') ===
      'half_pixel',
  )

/** The greatest pixel of each bin of regions, whose bounds are rounded to pixels (Girshick 2015). */
function maxRoiPool(n: Call): Tensor {
  const [x, rois] = [n.tensor(0), n.tensor(1)]
  const [height, width] = n.attributes.ints('pooled_shape', undefined) ?? []
  if (x.ndim !== 4 || rois.ndim !== 2 || rois.shape[1] !== 5 || !(height! > 0 && width! > 0))
    throw wrong(
      n,
      'images, regions [count, 5] and a pooled_shape of two positive integers',
      `[${x.shape}], [${rois.shape}]`,
    )
  const [batch, channels, rows, columns] = x.shape as [number, number, number, number]
  const scale = n.attributes.float('spatial_scale', 1)
  const [values, regions] = [n.host(1).data, rois.shape[0]!]
  const binsOf = (region: number, from: number, to: number, count: number, extent: number) => {
    const start = Math.round(Number(values[region * 5 + from]) * scale)
    const size = Math.max(Math.round(Number(values[region * 5 + to]) * scale) - start + 1, 1) / count
    const within = (i: number) => Math.min(Math.max(i + start, 0), extent)
    return Array.from(
      { length: count },
      (_, i) => [within(Math.floor(i * size)), within(Math.ceil((i + 1) * size))] as const,
    )
  }
  checkWork(n, [regions, height!, width!])
  const bins = Array.from({ length: regions }, (_, region) => {
    const image = Number(values[region * 5])
    if (!(image >= 0 && image < batch)) throw wrong(n, `regions of ${batch} images`, `image ${image}`)
    const tall = binsOf(region, 2, 4, height!, rows)
    const wide = binsOf(region, 1, 3, width!, columns)
    return tall.flatMap((y) => wide.map((x) => ({ image, y, x })))
  }).flat()
  const areaOf = ({ y, x }: (typeof bins)[number]) => Math.max(y[1] - y[0], 0) * Math.max(x[1] - x[0], 0)
  const most = bins.reduce((area, bin) => Math.max(area, areaOf(bin)), 1)
  checkWork(n, [bins.length, most, channels])
  const places = table('int32', [bins.length, most], (at) => {
    const bin = bins[Math.floor(at / most)]!
    const i = Math.min(at % most, areaOf(bin) - 1)
    if (i < 0) return 0
    const wide = bin.x[1] - bin.x[0]
    return (bin.image * rows + bin.y[0] + Math.floor(i / wide)) * columns + bin.x[0] + (i % wide)
  })
  const pixels = reshape(permute(x, [0, 2, 3, 1]), [batch * rows * columns, channels])
  const isEmpty = table('bool', [bins.length, 1], (i) => Number(areaOf(bins[i]!) === 0))
  const greatest = where(isEmpty, 0, max(gather(pixels, places), 1))
  return permute(reshape(greatest, [regions, height!, width!, channels]), [0, 3, 1, 2])
}

export const sampling: Family = {
  GridSample: row([16, 20, 22], gridSampled),
  AffineGrid: row([20], affineGridOf, { host: [1] }),
  RoiAlign: [row([10], (n) => roiAlign(n, false)), row([16, 22], roiAlign16)],
  MaxRoiPool: row([1, 22], maxRoiPool),
}
