/** Fewer points of a long series, which look the same: of each part the first, the lowest, the highest and the last. */

/** At most some five of the points for each of so many parts of them, gaps kept, no peak lost. */
export function thinned<P extends { readonly y: number }>(points: readonly P[], parts: number): readonly P[] {
  if (points.length <= 4 * parts) return points
  return placesKept(points.length, (i) => points[i]!.y, parts).map((i) => points[i]!)
}

/** The places of these, in their order, of so many numbers of which NaN is a gap. */
export function placesKept(count: number, yAt: (i: number) => number, parts: number): number[] {
  if (count <= 4 * parts) return Array.from({ length: count }, (_, i) => i)
  return Array.from({ length: parts }, (_, part) => {
    const [start, end] = [part, part + 1].map((i) => Math.floor((i * count) / parts))
    return extremesIn(yAt, start!, end!)
  }).flat()
}

function extremesIn(yAt: (i: number) => number, start: number, end: number): number[] {
  let [low, high, gap] = [start, start, -1]
  let [lowest, highest] = [Infinity, -Infinity]
  for (let i = start; i < end; i++) {
    const y = yAt(i)
    if (Number.isNaN(y)) gap = i
    if (y < lowest) [low, lowest] = [i, y]
    if (y > highest) [high, highest] = [i, y]
  }
  const places = new Set([start, low, high, end - 1])
  if (gap >= 0) places.add(gap)
  return [...places].toSorted((a, b) => a - b)
}
