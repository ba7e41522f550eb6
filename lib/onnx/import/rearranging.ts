/** Blocks of images as channels and back, columns as images, and the middle of tensors. */
import { normalizeAxis, sizeOf } from '../../base/shape.ts'
import { scatterAdd, slice } from '../../operations/indexing.ts'
import { pad } from '../../operations/padding.ts'
import { permute } from '../../operations/rearrange.ts'
import { reshape } from '../../operations/shape.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { table, wrong } from './tables.ts'
import { checkWork, explicitPads, perAxis, placeInPlane, reachOf } from './windows.ts'

/** The size of a block over images, and whether the channels of a place come first: depth, column, row. */
function blocksOf(n: Call, isSpace: boolean): { x: Tensor; size: number; isDepthFirst: boolean } {
  const [x, size] = [n.tensor(0), n.attributes.int('blocksize', 0)]
  const isDepthFirst = n.attributes.choice('mode', ['DCR', 'CRD'], 'DCR') === 'DCR'
  if (x.ndim !== 4) throw wrong(n, 'images [n, channels, height, width]', `[${x.shape}]`)
  const [, channels, height, width] = x.shape as [number, number, number, number]
  const fits = isSpace ? height % size === 0 && width % size === 0 : channels % (size * size) === 0
  if (size < 1 || !fits) throw n.attributes.error('blocksize', `a positive size that divides [${x.shape}]`, size)
  return { x, size, isDepthFirst }
}

function depthToSpace(n: Call): Tensor {
  const { x, size, isDepthFirst } = blocksOf(n, false)
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const depth = channels / size ** 2
  const split = isDepthFirst ? [size, size, depth] : [depth, size, size]
  const parts = reshape(x, [batch, ...split, height, width])
  const ordered = permute(parts, isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
  return reshape(ordered, [batch, depth, height * size, width * size])
}

function spaceToDepth(n: Call): Tensor {
  const { x, size, isDepthFirst } = blocksOf(n, true)
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const parts = reshape(x, [batch, channels, height / size, size, width / size, size])
  const ordered = permute(parts, isDepthFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4])
  return reshape(ordered, [batch, channels * size ** 2, height / size, width / size])
}

/** The sums of windows where they overlap, of any number of axes: columns [n, c·elements, windows] to [n, c, …]. */
function columnsToImage(n: Call): Tensor {
  const x = n.tensor(0)
  const [image, block] = [n.integers(1), n.integers(2)]
  const axes = image.length
  if (block.length !== axes || [...image, ...block].some((extent) => extent < 1))
    throw wrong(n, 'positive extents of the image and of the block', `[${image}] and [${block}]`)
  const [strides, dilations] = [perAxis(n, 'strides', axes, 1, 1), perAxis(n, 'dilations', axes, 1, 1)]
  const pads = explicitPads(n, axes)
  const out = image.map((extent, i) => {
    const room = extent + pads[i]![0] + pads[i]![1] - reachOf(block[i]!, dilations[i]!)
    return Math.floor(room / strides[i]!) + 1
  })
  const [taps, windows, size] = [sizeOf(block), sizeOf(out), sizeOf(image)]
  const [batch, elements, count] = x.shape as [number, number, number]
  if (x.ndim !== 3 || out.some((c) => c < 1) || elements % taps !== 0 || count !== windows)
    throw wrong(n, `columns [n, channels · ${taps}, ${windows}]`, `[${x.shape}]`)
  const channels = elements / taps
  checkWork(n, [batch, channels, ...image])
  const layout = { kernel: block, strides, dilations, pads, out }
  // What falls on padding is added to a row that nobody reads.
  const places = table('int32', [taps * windows], (at) =>
    placeInPlane(image, layout, at % windows, Math.floor(at / windows)),
  )
  const rows = reshape(permute(reshape(x, [batch * channels, taps * windows]), [1, 0]), [
    taps * windows,
    batch * channels,
  ])
  const sums = scatterAdd(zeros([size + 1, batch * channels], { dtype: x.dtype }), places, rows)
  const kept = slice(sums, [0, 0], [size, batch * channels])
  return reshape(permute(kept, [1, 0]), [batch, channels, ...image])
}

/** x cut or filled with zeros to a shape, as much on both sides; what is odd is at the end. */
function centerCropPad(n: Call): Tensor {
  const x = n.tensor(0)
  const axes = n.attributes
    .ints(
      'axes',
      x.shape.map((_, i) => i),
    )
    .map((axis) => normalizeAxis('onnx', axis, x.ndim))
  const given = n.integers(1)
  if (given.length !== axes.length || given.some((extent) => extent < 0))
    throw wrong(n, `a shape of ${axes.length} extents`, `[${given}]`)
  const shape = x.shape.map((extent, i) => (axes.includes(i) ? given[axes.indexOf(i)]! : extent))
  checkWork(n, shape)
  const starts = x.shape.map((extent, i) => Math.max(Math.floor((extent - shape[i]!) / 2), 0))
  const cut = slice(
    x,
    starts,
    x.shape.map((extent, i) => starts[i]! + Math.min(extent, shape[i]!)),
  )
  return pad(
    cut,
    shape.map((extent, i) => {
      const missing = extent - cut.shape[i]!
      return [Math.floor(missing / 2), Math.ceil(missing / 2)] as const
    }),
  )
}

export const rearrangement: Family = {
  DepthToSpace: row([1, 11, 13, 28], depthToSpace),
  SpaceToDepth: row([1, 13, 28], spaceToDepth),
  Col2Im: row([18], columnsToImage, { host: [1, 2] }),
  CenterCropPad: row([18], centerCropPad, { host: [1] }),
}
