/** Convolutions. */
import { sizeOf } from '../../base/shape.ts'
import { silu } from '../../operations/activations.ts'
import { add } from '../../operations/arithmetic.ts'
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from '../../operations/convolution.ts'
import { conv3d, convTranspose3d } from '../../operations/convolution3d.ts'
import { deformConv2d } from '../../operations/deformable.ts'
import { slice } from '../../operations/indexing.ts'
import { concat } from '../../operations/joining.ts'
import { pad } from '../../operations/padding.ts'
import { reshape } from '../../operations/shape.ts'
import { zeros } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'
import {
  autoPads,
  checkWork,
  explicitPads,
  kernelOf,
  perAxis,
  reachOf,
  type Sides,
  split,
  type Windows,
  windowsOf,
} from './windows.ts'

/** The convolution of x[n, c, …] with one, two or three spatial axes. */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  windows: Windows,
  groups: number,
): Tensor {
  const { strides, pads, dilations } = windows
  const common = { groups, ...(bias && { bias }) }
  const of = <T>(list: readonly T[]) => list as unknown as readonly [T, T] & readonly [T, T, T]
  if (strides.length === 1)
    return conv1d(x, weight, { ...common, stride: strides[0]!, padding: pads[0]!, dilation: dilations[0]! })
  const options = { ...common, stride: of(strides), padding: of(pads), dilation: of(dilations) }
  return strides.length === 2 ? conv2d(x, weight, options) : conv3d(x, weight, options)
}

/** A bias [channels] beside y[n, channels, …]. */
export const addBias = (y: Tensor, bias: Tensor | undefined): Tensor =>
  bias === undefined ? y : add(y, reshape(bias, [1, y.shape[1]!, ...y.shape.slice(2).map(() => 1)]))

/** The windows of a convolution, and its groups. */
export function geometryOf(n: Call, x: Tensor, weight: Tensor): { windows: Windows; groups: number } {
  const groups = n.attributes.int('group', 1)
  const [channels, out, perGroup] = [x.shape[1] ?? 0, weight.shape[0] ?? 0, weight.shape[1] ?? 0]
  if (weight.ndim !== x.ndim || groups < 1 || perGroup * groups !== channels || out % groups !== 0)
    throw wrong(n, `a weight [out, ${channels} / ${groups}, …] of ${x.ndim} axes`, `[${weight.shape}]`)
  const windows = windowsOf(n, x.shape.slice(2), kernelOf(n, x.ndim - 2, weight.shape.slice(2)))
  return { windows, groups }
}

function conv(n: Call): Tensor {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const { windows, groups } = geometryOf(n, x, weight)
  return convolve(x, weight, n.optional(2), windows, groups)
}

/** What a transposed convolution cuts off its full result; negative where it adds zeros to it. */
function transposedPads(n: Call, full: readonly number[], strided: readonly number[]): readonly Sides[] {
  const auto = n.attributes.choice('auto_pad', autoPads, 'NOTSET')
  const given = n.attributes.ints('output_shape', undefined)
  const isSame = auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
  if (given === undefined && !isSame) return auto === 'VALID' ? full.map(() => [0, 0]) : explicitPads(n, full.length)
  const shape = given === undefined ? strided : outputShape(n, given, full.length)
  // Without an auto_pad the specification puts the greater part at the beginning.
  return full.map((extent, i) => split(extent - shape[i]!, auto !== 'SAME_UPPER'))
}

/** Some models give the batch and the channels too. */
function outputShape(n: Call, given: readonly number[], axes: number): readonly number[] {
  const shape = given.slice(given.length === axes + 2 ? 2 : 0)
  if (shape.length !== axes || shape.some((extent) => extent < 1 || extent > 2 ** 31))
    throw n.attributes.error('output_shape', `${axes} positive integers`, `[${given}]`)
  return shape
}

/** y without what is cut off its spatial axes, and with zeros where that is negative. */
function crop(y: Tensor, pads: readonly Sides[]): Tensor {
  const longer = pad(y, [[0, 0], [0, 0], ...pads.map(([b, a]): Sides => [Math.max(-b, 0), Math.max(-a, 0)])])
  const starts = pads.map(([before]) => Math.max(before, 0))
  const ends = pads.map(([, after], i) => longer.shape[i + 2]! - Math.max(after, 0))
  return slice(longer, [0, 0, ...starts], [y.shape[0]!, y.shape[1]!, ...ends])
}

function convTranspose(n: Call): Tensor {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const axes = x.ndim - 2
  const groups = n.attributes.int('group', 1)
  if (axes < 1 || axes > 3) throw wrong(n, 'an input of one, two or three spatial axes', `${axes}`)
  if (weight.ndim !== x.ndim || weight.shape[0] !== x.shape[1] || groups < 1 || x.shape[1]! % groups !== 0)
    throw wrong(n, `a weight [${x.shape[1]}, out / ${groups}, …] of ${x.ndim} axes`, `[${weight.shape}]`)
  const kernel = kernelOf(n, axes, weight.shape.slice(2))
  const [strides, dilations] = [perAxis(n, 'strides', axes, 1, 1), perAxis(n, 'dilations', axes, 1, 1)]
  const extra = perAxis(n, 'output_padding', axes, 0, 0)
  const extents = x.shape.slice(2)
  const reached = extents.map((extent, i) => (extent - 1) * strides[i]! + reachOf(kernel[i]!, dilations[i]!))
  const full = reached.map((extent, i) => extent + extra[i]!)
  checkWork(n, full)
  const pads = transposedPads(
    n,
    full,
    extents.map((extent, i) => extent * strides[i]!),
  )
  if (full.some((extent, i) => extent - pads[i]![0] - pads[i]![1] < 1))
    throw wrong(n, 'a result of at least one element along each axis', `[${full}] less pads [${pads}]`)
  checkWork(
    n,
    full.map((extent, i) => Math.max(extent, extent - pads[i]![0] - pads[i]![1])),
  )
  // What the end has beyond the windows is added by cropping less, or by zeros.
  const cut = pads.map(([before, after], i): Sides => [before, after - extra[i]!])
  const isPlain = cut.every(([before, after]) => before >= 0 && after >= 0)
  const y = transposed(x, weight, { strides, dilations, pads: isPlain ? cut : cut.map(() => [0, 0]), groups })
  return addBias(isPlain ? y : crop(y, cut), n.optional(2))
}

interface Transposed {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly Sides[]
  readonly groups: number
}

function transposed(x: Tensor, weight: Tensor, { strides, dilations, pads, groups }: Transposed): Tensor {
  const of = <T>(list: readonly T[]) => list as unknown as readonly [T, T] & readonly [T, T, T]
  if (strides.length === 1)
    return convTranspose1d(x, weight, { groups, stride: strides[0]!, dilation: dilations[0]!, padding: pads[0]! })
  const options = { groups, stride: of(strides), dilation: of(dilations), padding: of(pads) }
  return strides.length === 2 ? convTranspose2d(x, weight, options) : convTranspose3d(x, weight, options)
}

function deformConv(n: Call): Tensor {
  const [x, weight, offset] = [n.tensor(0), n.tensor(1), n.tensor(2)]
  const { windows } = geometryOf(n, x, weight)
  const [taps, parts] = [sizeOf(windows.kernel), n.attributes.int('offset_group', 1)]
  if (x.ndim !== 4) throw wrong(n, 'images [n, channels, height, width]', `[${x.shape}]`)
  if (offset.shape[1] !== 2 * parts * taps) throw n.attributes.error('offset_group', `that of [${offset.shape}]`, parts)
  checkWork(n, [x.shape[0]!, x.shape[1]!, taps, ...windows.out])
  const [mask, bias] = [n.optional(4), n.optional(3)]
  const of = <T>(list: readonly T[]) => list as unknown as readonly [T, T]
  const { strides, pads, dilations } = windows
  return deformConv2d(x, weight, offset, {
    ...{ stride: of(strides), padding: of(pads), dilation: of(dilations) },
    ...(mask && { mask }),
    ...(bias && { bias }),
  })
}

/** A convolution of each channel that sees what came before, of which the last elements are handed on. */
function causalConvWithState(n: Call): readonly Tensor[] {
  const [x, weight] = [n.tensor(0), n.tensor(1)]
  const [batch, channels, length] = x.shape as [number, number, number]
  if (x.ndim !== 3 || weight.ndim !== 3 || weight.shape[0] !== channels || weight.shape[1] !== 1)
    throw wrong(n, 'lines [n, channels, length] and a weight [channels, 1, kernel]', `[${x.shape}], [${weight.shape}]`)
  const before = weight.shape[2]! - 1
  const whole = concat([n.optional(3) ?? zeros([batch, channels, before], { dtype: x.dtype }), x], 2)
  const bias = n.optional(2)
  const y = conv1d(whole, weight, { groups: channels, ...(bias && { bias }) })
  const isPlain = n.attributes.choice('activation', ['none', 'silu', 'swish'], 'none') === 'none'
  return [isPlain ? y : silu(y), slice(whole, [0, 0, length], [batch, channels, length + before])]
}

export const convolution: Family = {
  Conv: row([1, 11, 22], conv),
  ConvTranspose: row([1, 11, 22], convTranspose),
  DeformConv: row([19, 22], deformConv),
  CausalConvWithState: row([27], causalConvWithState),
}
