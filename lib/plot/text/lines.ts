/** Lines as text: dots of braille, and marks that tell several apart also without colours. */
import { cutTo, type Paint, type Style, widthOf } from '../../base/terminal.ts'
import { type LinesPanel, type Point, pointsOf, type Series } from '../chart.ts'
import { type Scale, scaleOf } from '../scale.ts'
import { thinned } from '../thin.ts'
import { Canvas, type Place } from './canvas.ts'
import { frame, type TextSize, ticksIn } from './frame.ts'

const marks = ['●', '■', '▲', '◆', '○', '□', '△', '◇']
const styles: readonly Style[] = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red']

/** A line as it is drawn. */
interface Drawn {
  readonly name: string
  readonly points: readonly Point[]
  readonly style: Style
  /** Of several. */
  readonly mark: string | undefined
  readonly isReference: boolean
}

export function linesText(panel: LinesPanel, size: TextSize): string[] {
  const named = panel.series.filter(({ isReference }) => !isReference)
  const drawn = panel.series.map((series) => drawnOf(series, named, panel))
  const all = drawn.flatMap(({ points }) => points)
  const ticks = ticksIn(size)
  const x = scaleOf(coordinates(all, 'x'), panel.x, ticks.x)
  const y = scaleOf(coordinates(all, 'y'), panel.y, ticks.y)
  const draw = (columns: number) => {
    const canvas = new Canvas(columns, size.height)
    for (const each of drawn) drawLine(canvas, each, x, y)
    for (const [i, each] of drawn.entries()) drawMarks(canvas, each, placesOf(each.points, x, y, canvas), i)
    return canvas.lines(size.paint)
  }
  return [...frame({ panel, x, y, draw }, size), ...legendOf(drawn, size)]
}

function drawnOf(series: Series, named: readonly Series[], panel: LinesPanel): Drawn {
  const { name, isReference = false } = series
  const i = named.indexOf(series)
  return {
    name,
    points: pointsOf(series, panel),
    style: isReference ? 'dim' : styles[i % styles.length]!,
    mark: isReference || named.length === 1 ? undefined : marks[i % marks.length]!,
    isReference,
  }
}

function* coordinates(points: readonly Point[], name: 'x' | 'y'): Generator<number> {
  for (const point of points) if (!Number.isNaN(point.x + point.y)) yield point[name]
}

/** The dots of points; undefined for gaps. */
const placesOf = (points: readonly Point[], x: Scale, y: Scale, { columns, rows }: Canvas): (Place | undefined)[] =>
  thinned(points, 2 * columns).map((point) =>
    Number.isNaN(point.y)
      ? undefined
      : [Math.round(x.place(point.x) * (2 * columns - 1)), Math.round((1 - y.place(point.y)) * (4 * rows - 1))],
  )

function drawLine(canvas: Canvas, { points, style, isReference }: Drawn, x: Scale, y: Scale): void {
  let before: Place | undefined
  for (const place of placesOf(points, x, y, canvas)) {
    // A point between two gaps is a line to itself.
    if (place !== undefined) canvas.line(before ?? place, place, style, isReference ? 3 : 0)
    before = place
  }
}

/** Some eight along each of several lines, at other places than those of the others; and where a point is no part of a line. */
function drawMarks(canvas: Canvas, { mark, style }: Drawn, places: readonly (Place | undefined)[], line: number): void {
  const apart = Math.max(6, canvas.columns / 8)
  let next = mark === undefined ? Infinity : (line * apart) / 4
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue
    const isAlone = places[i - 1] === undefined && places[i + 1] === undefined
    if (place[0] / 2 < next && !isAlone) continue
    canvas.mark(place, mark ?? marks[0]!, style)
    next = Math.max(next, place[0] / 2 + apart)
  }
}

/** Lines of as many names as fit. */
function legendOf(drawn: readonly Drawn[], { width, paint }: { width: number; paint: Paint }): string[] {
  const lines: string[] = []
  let columns = Infinity
  for (const { mark, name, style } of drawn) {
    if (mark === undefined) continue
    const text = `${paint(mark, style)} ${cutTo(name, width - 2)}`
    const taken = Math.min(width, widthOf(name) + 2)
    if (columns + taken + 2 > width) {
      lines.push('')
      columns = -2
    }
    lines[lines.length - 1] += `${columns < 0 ? '' : '  '}${text}`
    columns += taken + 2
  }
  return lines
}
