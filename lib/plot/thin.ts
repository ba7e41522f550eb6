/** Fewer points of a long series, which look the same: of each part the first, the lowest, the highest and the last. */
import type { Point } from './chart.ts'

/** At most some four points for each of so many parts of the series, gaps kept, no peak lost. */
export function thinned(points: readonly Point[], parts: number): readonly Point[] {
  if (points.length <= 4 * parts) return points
  return Array.from({ length: parts }, (_, part) => {
    const [start, end] = [part, part + 1].map((i) => Math.floor((i * points.length) / parts))
    return extremesIn(points, start!, end!).map((i) => points[i]!)
  }).flat()
}

/** The places from `start` to `end`, in their order. */
function extremesIn(points: readonly Point[], start: number, end: number): number[] {
  let [low, high, gap] = [start, start, -1]
  for (let i = start; i < end; i++) {
    const { y } = points[i]!
    if (Number.isNaN(y)) gap = i
    // Not by `y < …`, as the first may be a gap.
    else if (!(points[low]!.y <= y)) low = i
    if (y > points[high]!.y || Number.isNaN(points[high]!.y)) high = i
  }
  const places = new Set([start, low, high, end - 1])
  if (gap >= 0) places.add(gap)
  return [...places].toSorted((a, b) => a - b)
}
