/** A matrix of counts in SVG: cells as dark as their share of the row. */
import type * as ObservablePlot from '@observablehq/plot'
import { cutTo, widthOf } from '../../base/terminal.ts'
import type { MatrixPanel } from '../chart.ts'
import { seriesColours } from './lines.ts'

/** With more than so many classes there are no numbers in the cells. */
const mostNumbered = 20
const widestLabel = 16
const marginRight = 20

interface Cell {
  readonly row: number
  readonly column: number
  readonly count: number
  /** Of its row. */
  readonly share: number
}

export function matrixMarks(
  plot: typeof ObservablePlot,
  panel: MatrixPanel,
  width: number,
): ObservablePlot.PlotOptions {
  const { counts, labels } = panel
  const places = labels.map((_, i) => i)
  const every = Math.ceil(labels.length / 40)
  const ticks = places.filter((place) => place % every === 0)
  const axis = {
    type: 'band',
    padding: 0,
    domain: places,
    ticks,
    tickFormat: (place: number) => cutTo(labels[place]!, widestLabel),
  } as const
  const longest = Math.max(...labels.map(widthOf))
  const margin = 7 * Math.min(widestLabel, longest) + 30
  // Cells as wide as there is room, and no higher than they are wide.
  const cellWidth = (width - margin - marginRight) / labels.length
  const cellHeight = Math.max(4, Math.min(40, cellWidth))
  const text = { x: columnOf, y: rowOf, text: countText, fontSize: Math.min(11, cellWidth / 3) }
  const all = counts.flatMap(cellsOf)
  const [light, dark] = [all.filter(({ share }) => share <= 0.6), all.filter(({ share }) => share > 0.6)]
  const numbers = [plot.text(light, text), plot.text(dark, { ...text, fill: '#fff' })]
  const inset = cellHeight > 12 ? 0.5 : 0
  const cell = { x: columnOf, y: rowOf, fill: seriesColours[0]!, fillOpacity: shareOf, inset }
  // Names of columns stand at a slant where they would touch.
  const isSlanted = 7 * Math.min(widestLabel, longest) > cellWidth * every
  const marginTop = isSlanted ? 0.75 * margin + 24 : 44
  return {
    x: { ...axis, label: panel.x.label, axis: 'top', tickRotate: isSlanted ? -45 : 0 },
    y: { ...axis, label: panel.y.label },
    // Shares are opacities as they are, whatever the greatest.
    opacity: { domain: [0, 1], range: [0, 1] },
    marginLeft: margin,
    marginTop,
    marginRight,
    marginBottom: 10,
    height: Math.round(cellHeight * labels.length + marginTop + 10),
    marks: [plot.cell(all, cell), ...(labels.length > mostNumbered ? [] : numbers)],
  }
}

function cellsOf(list: readonly number[], row: number): Cell[] {
  const all = list.reduce((sum, count) => sum + count, 0)
  return list.map((count, column) => ({ row, column, count, share: all > 0 ? count / all : 0 }))
}

const columnOf = ({ column }: Cell) => column
const rowOf = ({ row }: Cell) => row
const shareOf = ({ share }: Cell) => share
const countText = ({ count }: Cell) => String(count)
