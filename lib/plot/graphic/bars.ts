/** Counts of intervals in SVG. */
import type * as ObservablePlot from '@observablehq/plot'
import type { BarsPanel } from '../chart.ts'
import { scaleOf } from '../scale.ts'
import { axisOptionsOf, marginOf } from './axes.ts'
import { seriesColours } from './lines.ts'

export function barsMarks(plot: typeof ObservablePlot, panel: BarsPanel, width: number): ObservablePlot.PlotOptions {
  const { edges, counts } = panel
  const x = scaleOf(edges, panel.x, width / 80)
  const y = scaleOf([0, ...counts], panel.y, 5)
  const bars = counts.map((count, i) => ({ count, start: edges[i]!, end: edges[i + 1]! }))
  const insets = counts.length < width / 6 ? { insetLeft: 0.5, insetRight: 0.5 } : {}
  const bar = { x1: startOf, x2: endOf, y1: () => y.low, y2: countOf, fill: seriesColours[0]!, ...insets }
  const marks = [plot.rect(bars, bar), plot.ruleY([y.low])]
  const axes = { x: axisOptionsOf(x, panel.x), y: { ...axisOptionsOf(y, panel.y), grid: true } }
  return { ...axes, marginLeft: marginOf(y), marks }
}

interface Bar {
  readonly count: number
  readonly start: number
  readonly end: number
}

const startOf = ({ start }: Bar) => start
const endOf = ({ end }: Bar) => end
const countOf = ({ count }: Bar) => count
