/** Pad, in its forms. */
import { expected, ShapeError } from '../../base/errors.ts'
import { formatShape, normalizeAxis } from '../../base/shape.ts'
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { required } from '../attributes.ts'
import type { Call } from './call.ts'
import { countTo } from './places.ts'
import { type Family, type Result, row } from './row.ts'

type Mode = 'constant' | 'reflect' | 'edge' | 'wrap'

/** Where the elements at places beyond an axis are taken from. */
const sources: Readonly<Record<Exclude<Mode, 'constant'>, (places: Tensor, extent: number) => Tensor>> = {
  edge: (places, extent) => g.clamp(places, 0, extent - 1),
  wrap: (places, extent) => g.mod(places, extent),
  reflect(places, extent) {
    if (extent === 1) return g.mul(places, 0)
    const inPeriod = g.mod(places, 2 * (extent - 1))
    return g.minimum(inPeriod, g.sub(2 * (extent - 1), inPeriod))
  },
}

/** Widths before and after each axis; negative ones take elements away. */
function widthsOf(call: Call, rank: number): [before: number, after: number][] {
  const given = call.since >= 11 ? call.integers(1) : (call.attributes.ints('pads', required) as number[])
  const axes = (call.optionalIntegers(3) ?? Array.from({ length: rank }, (_, i) => i)).map((axis) =>
    normalizeAxis('Pad', axis, rank),
  )
  if (given.length !== 2 * axes.length)
    throw new ShapeError(expected('Pad', `${2 * axes.length} widths`, formatShape(given)))
  const widths = Array.from({ length: rank }, (): [number, number] => [0, 0])
  for (const [i, axis] of axes.entries()) widths[axis] = [given[i]!, given[i + axes.length]!]
  return widths
}

function pad(call: Call): Result {
  const { attributes } = call
  const mode = attributes.choice('mode', ['constant', 'reflect', 'edge', 'wrap'], 'constant')
  const whole = call.tensor(0)
  const widths = widthsOf(call, whole.ndim)
  const x = cropped(whole, widths)
  const wider = widths.map((pair) => pair.map((width) => Math.max(0, width)) as [number, number])
  if (mode === 'constant') {
    const value = call.since >= 11 ? (call.optionalNumber(2) ?? 0) : attributes.float('value', 0)
    return g.pad(x, wider, { value })
  }
  return wider.reduce((padded, [before, after], axis) => {
    const extent = padded.shape[axis]!
    if (before === 0 && after === 0) return padded
    if (extent === 0) throw new ShapeError(expected('Pad', `elements to repeat at axis ${axis}`, formatShape(x.shape)))
    const places = g.sub(countTo(before + extent + after), before)
    return g.take(padded, sources[mode](places, extent), axis)
  }, x)
}

function cropped(x: Tensor, widths: readonly (readonly [number, number])[]): Tensor {
  if (widths.every(([before, after]) => before >= 0 && after >= 0)) return x
  const starts = widths.map(([before]) => Math.max(0, -before))
  const ends = x.shape.map((extent, axis) => Math.max(starts[axis]!, extent + Math.min(0, widths[axis]![1])))
  return g.slice(x, starts, ends)
}

export const padding: Family = {
  Pad: row([2, 11, 13, 18, 19, 21, 23, 24, 25], pad, { host: [1, 2, 3] }),
}
