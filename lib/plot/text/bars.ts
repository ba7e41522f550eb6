/** Counts of intervals as text: columns of blocks, by eighths of a line. */
import type { BarsPanel } from '../chart.ts'
import { type Scale, scaleOf } from '../scale.ts'
import { frame, type TextSize, ticksIn } from './frame.ts'

const blocks = ' ▁▂▃▄▅▆▇█'

export function barsText(panel: BarsPanel, size: TextSize): string[] {
  const ticks = ticksIn(size)
  const x = scaleOf(panel.edges, panel.x, ticks.x)
  const y = scaleOf([0, ...panel.counts], panel.y, ticks.y)
  const draw = (columns: number) => {
    const eighths = heightsOf(panel, x, columns).map((count) => eighthsOf(y.place(count), count, size.height))
    return Array.from({ length: size.height }, (_, row) => {
      const below = 8 * (size.height - 1 - row)
      return eighths.map((all) => size.paint(blocks[Math.max(0, Math.min(8, all - below))]!, 'cyan')).join('')
    })
  }
  // Bars of one width where each has at least a column.
  const fit = (columns: number) => columns - (columns % Math.min(columns, panel.counts.length))
  return frame({ panel, x, y, fit, draw }, size)
}

/** What is there at all is seen. */
const eighthsOf = (place: number, count: number, height: number): number =>
  Math.max(Math.round(place * 8 * height), count > 0 ? 1 : 0)

/** The greatest count of the intervals that each column meets. */
function heightsOf({ edges, counts }: BarsPanel, x: Scale, columns: number): number[] {
  const heights = Array.from({ length: columns }, () => 0)
  for (const [i, count] of counts.entries()) {
    const [start, end] = [x.place(edges[i]!) * columns, x.place(edges[i + 1]!) * columns]
    const [first, last] = [Math.round(start), Math.max(Math.round(end) - 1, Math.round(start))]
    for (let column = first; column <= Math.min(last, columns - 1); column++)
      heights[column] = Math.max(heights[column]!, count)
  }
  return heights
}
