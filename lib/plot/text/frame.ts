/** Axes of characters around the lines of a plot. */
import { cutTo, type Paint, widthOf } from '../../base/terminal.ts'
import type { BarsPanel, LinesPanel } from '../chart.ts'
import { type Scale, tickTexts } from '../scale.ts'

/** How large a plot is in characters, without what stands around it, and how it is coloured. */
export interface TextSize {
  readonly width: number
  readonly height: number
  readonly paint: Paint
}

/** How many ticks there is room for. */
export const ticksIn = ({ width, height }: TextSize) => ({
  x: Math.max(2, Math.floor(width / 12)),
  y: Math.max(2, Math.ceil(height / 3)),
})

interface Framed {
  readonly panel: LinesPanel | BarsPanel
  readonly x: Scale
  readonly y: Scale
  /** How many of the columns there are it uses: all unless given. */
  fit?(columns: number): number
  /** What there is inside, of so many columns. */
  draw(columns: number): string[]
}

/** The lines with a title, ticks and labels; of which the widest is as wide as was asked for. */
export function frame({ panel, x, y, fit, draw }: Framed, { width, height, paint }: TextSize): string[] {
  const texts = tickTexts(y)
  const margin = Math.max(...texts.map(widthOf))
  const room = Math.max(1, width - margin - 2)
  const columns = fit?.(room) ?? room
  const beside = new Map(
    y.ticks.map((tick, i) => [Math.floor(((1 - y.place(tick)) * (4 * height - 1)) / 4), texts[i]!]),
  )
  const rows = draw(columns).map((line, row) => {
    const text = beside.get(row)
    return `${paint(`${(text ?? '').padStart(margin)} ${text === undefined ? '│' : '┤'}`, 'dim')}${line}`.trimEnd()
  })
  const below = axisBelow(x, columns).map((line) => paint(`${' '.repeat(margin + 1)}${line}`.trimEnd(), 'dim'))
  return [...headOf(panel, width, paint), ...rows, ...below, ...labelBelow(panel.x.label, margin + 2 + columns, paint)]
}

/** The title, and what is upwards. */
function headOf({ title, y }: LinesPanel | BarsPanel, width: number, paint: Paint): string[] {
  const label = y.label === '' ? [] : [paint(cutTo(`↑ ${y.label}`, width), 'dim')]
  return title === '' ? label : [paint(cutTo(title, width), 'bold'), ...label]
}

function labelBelow(label: string, width: number, paint: Paint): string[] {
  if (label === '') return []
  const text = cutTo(`${label} →`, width)
  return [`${' '.repeat(width - widthOf(text))}${paint(text, 'dim')}`]
}

/** The axis with its ticks, and their numbers under it, those left out that would touch the one before. */
function axisBelow(x: Scale, columns: number): [axis: string, numbers: string] {
  const axis = Array.from({ length: columns }, () => '─')
  let numbers = ''
  for (const [i, text] of tickTexts(x).entries()) {
    const column = Math.floor((x.place(x.ticks[i]!) * (2 * columns - 1)) / 2)
    axis[column] = '┬'
    // One more to the right, as the corner stands before the first column.
    const start = Math.max(0, Math.min(column + 1 - (text.length >> 1), columns + 1 - text.length))
    if (start >= numbers.length + (numbers === '' ? 0 : 1)) numbers = numbers.padEnd(start) + text
  }
  return [`└${axis.join('')}`, numbers]
}
