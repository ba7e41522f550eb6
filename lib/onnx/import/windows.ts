/** The attributes of what slides a window over images, lines and volumes, checked and brought to one form. */
import { maxExtent, sizeOf } from '../../base/shape.ts'
import { pad } from '../../operations/padding.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { wrong } from './tables.ts'

/** Elements before and after an axis. */
export type Sides = readonly [before: number, after: number]

/** A window of each spatial axis. */
export interface Windows {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly Sides[]
  /** How many windows there are along each axis. */
  readonly out: readonly number[]
}

/** Where an element of a window lies in a plane of these extents, all counted row by row; past its end for padding. */
export function placeInPlane(
  extents: readonly number[],
  { kernel, strides, dilations, pads, out }: Windows,
  window: number,
  tap: number,
): number {
  let [place, step] = [0, 1]
  for (let axis = out.length - 1; axis >= 0; axis--) {
    const i = (window % out[axis]!) * strides[axis]! - pads[axis]![0] + (tap % kernel[axis]!) * dilations[axis]!
    if (i < 0 || i >= extents[axis]!) return sizeOf(extents)
    place += i * step
    step *= extents[axis]!
    window = Math.floor(window / out[axis]!)
    tap = Math.floor(tap / kernel[axis]!)
  }
  return place
}

/** What a node may make of its input by its attributes alone: elements, 1 GB of float32. */
export const mostElements = 2 ** 28

export const reachOf = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1

/** A list of one integer from `least` on for each axis; `otherwise` where there is none. */
export function perAxis(n: Call, name: string, count: number, least: number, otherwise: number): readonly number[] {
  const given = n.attributes.ints(name, undefined)
  if (given === undefined) return new Array<number>(count).fill(otherwise)
  if (given.length !== count || given.some((x) => x < least || x > maxExtent))
    throw n.attributes.error(name, `${count} integers from ${least} to ${maxExtent}`, `[${given}]`)
  return given
}

/** What `pads` says, which has all beginnings before all ends. */
export function explicitPads(n: Call, axes: number): readonly Sides[] {
  const pads = perAxis(n, 'pads', 2 * axes, 0, 0)
  return Array.from({ length: axes }, (_, i) => [pads[i]!, pads[i + axes]!] as const)
}

/** Splits a padding that is odd so that the greater part is at the end, or with SAME_LOWER at the beginning; of one below 0 always at the end. */
export function split(total: number, isLower: boolean): Sides {
  const [small, great] = [Math.floor(total / 2), Math.ceil(total / 2)]
  return isLower || total < 0 ? [great, small] : [small, great]
}

export const autoPads = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const

/** The kernel of the attribute, or of the weight; both where there are both. */
export function kernelOf(n: Call, axes: number, weight?: readonly number[]): readonly number[] {
  const given = n.attributes.ints('kernel_shape', undefined)
  if (given === undefined && weight !== undefined) return weight
  const kernel = perAxis(n, 'kernel_shape', axes, 1, 0)
  if (given === undefined || (weight !== undefined && kernel.some((x, i) => x !== weight[i])))
    throw n.attributes.error(
      'kernel_shape',
      weight ? `that of the weight, [${weight}]` : 'integers',
      `[${given ?? []}]`,
    )
  return kernel
}

/** The windows of a node over an input of these spatial extents. */
export function windowsOf(n: Call, extents: readonly number[], kernel: readonly number[], ceil = false): Windows {
  const axes = extents.length
  if (axes < 1 || axes > 3) throw wrong(n, 'an input of one, two or three spatial axes', `${axes}`)
  const [strides, dilations] = [perAxis(n, 'strides', axes, 1, 1), perAxis(n, 'dilations', axes, 1, 1)]
  const auto = n.attributes.choice('auto_pad', autoPads, 'NOTSET')
  const reaches = kernel.map((k, i) => reachOf(k, dilations[i]!))
  const same = (i: number): Sides => {
    const out = Math.ceil(extents[i]! / strides[i]!)
    return split(Math.max((out - 1) * strides[i]! + reaches[i]! - extents[i]!, 0), auto === 'SAME_LOWER')
  }
  const none: Sides = [0, 0]
  const explicit = auto === 'NOTSET' ? explicitPads(n, axes) : []
  const pads = extents.map((_, i) => explicit[i] ?? (auto === 'VALID' ? none : same(i)))
  const out = extents.map((extent, i) => {
    const room = extent + pads[i]![0] + pads[i]![1] - reaches[i]!
    if (room < 0) throw wrong(n, `a window of at most the padded extent ${room + reaches[i]!}`, `${reaches[i]}`)
    const count = (ceil ? Math.ceil(room / strides[i]!) : Math.floor(room / strides[i]!)) + 1
    // A window that begins behind the input and its first padding sees nothing of it.
    return ceil && (count - 1) * strides[i]! >= extent + pads[i]![0] ? count - 1 : count
  })
  const windows = { kernel, strides, dilations, pads, out }
  checkWork(n, padded(extents, windows))
  return windows
}

/** The extents of an input whose padding is such that every window is inside. */
const padded = (extents: readonly number[], { pads }: Windows): readonly number[] =>
  extents.map((extent, i) => extent + pads[i]![0] + pads[i]![1])

/** @throws where attributes ask for more elements than a model reasonably does */
export function checkWork(n: Call, extents: readonly number[], most = mostElements): void {
  if (sizeOf(extents) > most) throw wrong(n, `attributes that ask for at most ${most} elements`, `[${extents}]`)
}

/** x[n, c, …] with a value around its spatial axes, and also so much after them that each window is inside. */
export function padForWindows(x: Tensor, windows: Windows, value: number): Tensor {
  const widths = windows.out.map((out, i): Sides => {
    const [before, after] = windows.pads[i]!
    const reach = reachOf(windows.kernel[i]!, windows.dilations[i]!)
    const needed = (out - 1) * windows.strides[i]! + reach - before - x.shape[i + 2]!
    return [before, Math.max(after, needed)]
  })
  return pad(x, [[0, 0], [0, 0], ...widths], { value })
}
