/** Lines in SVG. */
import type * as ObservablePlot from '@observablehq/plot'
import { type LinesPanel, type Point, pointsOf } from '../chart.ts'
import { scaleOf } from '../scale.ts'
import { thinned } from '../thin.ts'
import { axisOptionsOf, marginOf } from './axes.ts'

/** Of Observable, told apart on white and on black. */
export const seriesColours = [
  '#4269d0',
  '#efb118',
  '#ff725c',
  '#6cc5b0',
  '#3ca951',
  '#ff8ab7',
  '#a463f2',
  '#97bbf5',
  '#9c6b4e',
  '#9498a0',
]

/** So few points are seen each. */
const mostDots = 30

export function linesMarks(plot: typeof ObservablePlot, panel: LinesPanel, width: number): ObservablePlot.PlotOptions {
  const lines = panel.series.map((series) => ({ ...series, points: thinned(pointsOf(series, panel), width) }))
  const all = lines.flatMap(({ points }) => points).filter(({ y }) => !Number.isNaN(y))
  const x = scaleOf(
    all.map((point) => point.x),
    panel.x,
    width / 80,
  )
  const y = scaleOf(
    all.map((point) => point.y),
    panel.y,
    5,
  )
  let place = 0
  const marks = lines.flatMap(({ points, isReference = false }) => {
    const stroke = isReference ? 'currentColor' : seriesColours[place++ % seriesColours.length]!
    const dashes = isReference ? { strokeDasharray: '4 4', strokeOpacity: 0.4 } : {}
    const line = plot.line(points, { x: xOf, y: yOf, stroke, ...dashes })
    const seen = points.length > mostDots && !points.some(isAlone) ? [] : points.filter(({ y }) => !Number.isNaN(y))
    return isReference ? [line] : [line, plot.dot(seen, { x: xOf, y: yOf, fill: stroke, r: 2.5 })]
  })
  const axes = { x: axisOptionsOf(x, panel.x), y: { ...axisOptionsOf(y, panel.y), grid: true } }
  return { ...axes, marginLeft: marginOf(y), marks }
}

const xOf = ({ x }: Point) => x
const yOf = ({ y }: Point) => y

/** Between two gaps, where it is no part of a line. */
const isAlone = ({ y }: Point, i: number, points: readonly Point[]): boolean =>
  !Number.isNaN(y) && Number.isNaN(points[i - 1]?.y ?? Number.NaN) && Number.isNaN(points[i + 1]?.y ?? Number.NaN)
