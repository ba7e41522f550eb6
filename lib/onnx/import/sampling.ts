/** Operators that read images at places between their elements: grids, offsets and regions. */
import { add, clamp, div, mul, sub } from '../../operations/arithmetic.ts'
import { greaterEqual, less, lessEqual, where } from '../../operations/comparison.ts'
import { affineGrid, gridSample } from '../../operations/grid-sampling.ts'
import { gather, select } from '../../operations/indexing.ts'
import { stack } from '../../operations/joining.ts'
import { logicalAnd } from '../../operations/logic.ts'
import { floor } from '../../operations/math.ts'
import { permute } from '../../operations/rearrange.ts'
import { max, sum } from '../../operations/reduce.ts'
import { cast, expandDims, reshape } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import { checkWork } from './windows.ts'

const modes = {
  bilinear: 'bilinear',
  linear: 'bilinear',
  bicubic: 'bicubic',
  cubic: 'bicubic',
  nearest: 'nearest',
} as const
const modeNames = ['bilinear', 'linear', 'bicubic', 'cubic', 'nearest'] as const

function gridSampled(n: Call): Tensor {
  return gridSample(n.tensor(0), n.tensor(1), {
    mode: modes[n.attributes.choice('mode', modeNames, 'linear')],
    paddingMode: n.attributes.choice('padding_mode', ['zeros', 'border', 'reflection'], 'zeros'),
    alignCorners: n.attributes.flag('align_corners', false),
  })
}

function affineGridOf(n: Call): Tensor {
  const size = n.integers(1)
  checkWork(n, [size[0] ?? 0, ...size.slice(2), size.length])
  return affineGrid(n.tensor(0), size, { alignCorners: n.attributes.flag('align_corners', false) })
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

/** Pixels along one axis: their indices, and how much they count. */
interface Line {
  readonly at: Tensor
  readonly weight: Tensor
}

/** What two pixels along one axis are around places, and how much each counts. Farther out than one pixel nothing does. */
function around(x: Tensor, extent: number): readonly Line[] {
  const isInside = logicalAnd(greaterEqual(x, -1), lessEqual(x, extent))
  const place = clamp(x, 0, extent - 1)
  const first = floor(place)
  const t = sub(place, first)
  const line = (at: Tensor, weight: Tensor): Line => ({
    at: cast(clamp(at, 0, extent - 1), 'int32'),
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
      const weight = mul(expandDims(y.weight, 2), expandDims(x.weight, 1))
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
