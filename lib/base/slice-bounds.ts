/** numpy's rules for start:end:step. */
import { expected, ShapeError, shown } from './errors.ts'
import type { Shape } from './shape.ts'

/** A bound of one axis; null is the end of the axis that the step goes away from, or the one that it goes to. */
export type SliceBound = number | null

/** A bound of the first axis, or of each of the first axes. */
export type SliceBounds = SliceBound | readonly SliceBound[]

export interface SliceOptions {
  /** Of each of the first axes; 1 unless given. A negative one goes backwards. */
  step?: number | readonly number[]
}

/** A range of one axis: `size` elements from `start` on, every `step`-th. */
interface Range {
  readonly start: number
  readonly size: number
  readonly step: number
}

const listOf = <T extends SliceBound>(x: T | readonly T[] | undefined): readonly T[] => {
  if (x === undefined) return []
  return Array.isArray(x) ? [...x] : [x as T]
}

function rangeOf(extent: number, start: SliceBound, end: SliceBound, step: number): Range {
  // Going forwards the positions are those from 0 to extent, going backwards those from extent − 1 to −1.
  const [least, greatest] = step > 0 ? [0, extent] : [-1, extent - 1]
  const clamp = (bound: number) => Math.min(greatest, Math.max(least, bound < 0 ? bound + extent : bound))
  const first = start === null ? (step > 0 ? least : greatest) : clamp(start)
  const last = end === null ? (step > 0 ? greatest : least) : clamp(end)
  const size = Math.max(0, Math.ceil((last - first) / step))
  return { start: size === 0 ? 0 : first, size, step }
}

/** What a slice takes of each axis of a shape. */
export function sliceRanges(shape: Shape, start: SliceBounds, end?: SliceBounds, step?: number | readonly number[]) {
  const [starts, ends, steps] = [listOf(start), listOf(end), listOf(step)]
  const count = Math.max(starts.length, ends.length, steps.length)
  if (count > shape.length) throw new ShapeError(expected('slice', `bounds for at most ${shape.length} axes`, count))
  const areBounds = [...starts, ...ends].every((bound) => bound === null || Number.isInteger(bound))
  if (!areBounds || !steps.every((x) => Number.isInteger(x) && x !== 0))
    throw new ShapeError(
      expected(
        'slice',
        'integer bounds and steps other than 0',
        `start ${shown(starts)}, end ${shown(ends)}, step ${shown(steps)}`,
      ),
    )
  const ranges = shape.map((extent, axis) =>
    rangeOf(extent, starts[axis] ?? null, ends[axis] ?? null, steps[axis] ?? 1),
  )
  return {
    starts: ranges.map(({ start }) => start),
    sizes: ranges.map(({ size }) => size),
    steps: ranges.map(({ step }) => step),
  }
}
