/** What a plot shows, as plain data, which text and SVG are drawn from. */
import { checkList, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { oneLine } from '../base/terminal.ts'
import { placesKept } from './thin.ts'

/** What stands around a plot. */
export interface AxisOptions {
  title?: string
  /** What is to the right. */
  xLabel?: string
  /** What is upwards. */
  yLabel?: string
  /** Whether an axis is logarithmic; what is not above 0 is a gap then. */
  xLog?: boolean
  yLog?: boolean
}

export const axisOptions: OptionTypes<AxisOptions> = {
  title: 'string',
  xLabel: 'string',
  yLabel: 'string',
  xLog: 'boolean',
  yLog: 'boolean',
}

/** A line through points; what is no finite number is a gap in it. */
export interface Series {
  readonly name: string
  readonly x: readonly number[]
  readonly y: readonly number[]
  /** Drawn as dashes, without a place in the legend: what others are compared to. */
  readonly isReference?: boolean
}

export interface Axis {
  readonly label: string
  readonly isLog: boolean
  /** Whether it counts something, so that nothing between two integers is worth a tick. */
  readonly isWhole?: boolean
}

interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
}

export interface LinesPanel extends Panel {
  readonly kind: 'lines'
  readonly series: readonly Series[]
}

/** counts[i] from edges[i] to edges[i + 1]. */
export interface BarsPanel extends Panel {
  readonly kind: 'bars'
  readonly edges: readonly number[]
  readonly counts: readonly number[]
}

/** counts[i][j] of row i and column j, which have the same labels. */
export interface MatrixPanel extends Panel {
  readonly kind: 'matrix'
  readonly labels: readonly string[]
  readonly counts: readonly (readonly number[])[]
}

/** Panels stand one below the other. */
export type Chart = readonly (LinesPanel | BarsPanel | MatrixPanel)[]

/** A number as an axis of this kind can place it; NaN for what it cannot. */
export const placed = (value: number, { isLog }: Axis): number =>
  Number.isFinite(value) && (!isLog || value > 0) ? value : Number.NaN

/** Title and axes as they were asked for, and else these. */
export function panelOf(options: Partial<AxisOptions>, title: string, xLabel: string, yLabel: string): Panel {
  const { xLog = false, yLog = false } = options
  return {
    title: oneLine(options.title ?? title),
    x: { label: oneLine(options.xLabel ?? xLabel), isLog: xLog },
    y: { label: oneLine(options.yLabel ?? yLabel), isLog: yLog },
  }
}

/** The points of a series, as users give them: y alone stands at 0, 1, 2, … */
export type SeriesValues = ArrayLike<number> | { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> }

/** Of a longer series the extremes of so many parts are kept: more than there are columns or pixels. */
const mostParts = 2000

/** @throws TypeError for what are no numbers, RangeError for coordinates of different lengths */
export function seriesOf(op: string, name: string, given: SeriesValues): Series {
  const { x, y } = isPlainObject(given) ? checkOptions(op, given as never, pointTypes) : { x: undefined, y: given }
  const [ys, xs] = [numbersOf(op, name, y), x === undefined ? undefined : numbersOf(op, name, x)]
  if (xs !== undefined && xs.length !== ys.length)
    throw new RangeError(expected(op, `as many x as y of ${oneLine(name)}`, `${xs.length} and ${ys.length}`))
  const places = placesKept(ys.length, (i) => (Number.isFinite(ys[i]) ? ys[i]! : Number.NaN), mostParts)
  return { name: oneLine(name), x: places.map((i) => xs?.[i] ?? i), y: places.map((i) => ys[i]!) }
}

const pointTypes: OptionTypes<{ x?: ArrayLike<number>; y?: ArrayLike<number> }> = { x: 'other', y: 'other' }

function numbersOf(op: string, name: string, given: unknown): ArrayLike<number> {
  const what = `numbers of ${oneLine(name)}`
  if (ArrayBuffer.isView(given) && 'length' in given && typeof (given as Float64Array)[0] !== 'bigint')
    return given as Float64Array
  const numbers = checkList(op, what, given as unknown[])
  const wrong = numbers.findIndex((value) => typeof value !== 'number')
  if (wrong >= 0) throw new TypeError(expected(op, what, describe(numbers[wrong])))
  return numbers as number[]
}

/** @throws RangeError where a panel has nothing that can be drawn */
export function checkDrawable(op: string, panel: LinesPanel): LinesPanel {
  const points = panel.series.filter(({ isReference }) => !isReference).map((series) => pointsOf(series, panel))
  if (points.every((of) => of.every(({ y }) => Number.isNaN(y)))) {
    const what = panel.y.isLog || panel.x.isLog ? 'at least one finite number above 0' : 'at least one finite number'
    throw new RangeError(expected(op, what, 'none'))
  }
  return panel
}

export interface Point {
  readonly x: number
  /** NaN is a gap. */
  readonly y: number
}

export const pointsOf = ({ x, y }: Series, panel: Panel): Point[] =>
  y.map((value, i) => {
    const at = placed(x[i]!, panel.x)
    return Number.isNaN(at) ? { x: Number.NaN, y: Number.NaN } : { x: at, y: placed(value, panel.y) }
  })
