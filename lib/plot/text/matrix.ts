/** A matrix of counts as text: numbers with shades of their share of the row, or shades alone where there is no room for numbers. */
import { cutTo, widthOf } from '../../base/terminal.ts'
import type { MatrixPanel } from '../chart.ts'
import type { TextSize } from './frame.ts'

const shades = '·░▒▓█'
const widestLabel = 16

export function matrixText(panel: MatrixPanel, { width, paint }: TextSize): string[] {
  const { title, labels, counts, x, y } = panel
  const margin = Math.min(widestLabel, width >> 1, Math.max(...labels.map(widthOf), widthOf(y.label) + 2))
  const cell = Math.max(
    ...counts.flat().map((count) => String(count).length),
    Math.min(6, Math.max(...labels.map(widthOf))),
  )
  const room = width - margin - 1
  const hasNumbers = labels.length * (cell + 3) <= room
  const shown = hasNumbers ? labels.length : Math.min(labels.length, room)
  const each = hasNumbers ? cell + 3 : Math.max(1, Math.min(2, Math.floor(room / shown)))
  const row = (label: string, cells: readonly string[]) =>
    `${paint(padStart(label, margin), 'dim')} ${cells.join('')}`.trimEnd()
  const number = (count: number, share: number) =>
    `${String(count).padStart(cell + 1)} ${paint(shadeOf(share), 'cyan')}`
  const shade = (share: number) => paint(shadeOf(share).repeat(each), 'cyan')
  const rows = counts.map((list, i) => {
    const all = list.reduce((sum, count) => sum + count, 0)
    const cells = list.slice(0, shown).map((count) => (hasNumbers ? number(count, count / all) : shade(count / all)))
    return row(labels[i]!, cells)
  })
  const names = labels.map((label) => `${padStart(label, cell + 1)}  `)
  return [
    ...(title === '' ? [] : [paint(cutTo(title, width), 'bold')]),
    row('', [paint(cutTo(`${x.label} →`, room), 'dim')]),
    ...(hasNumbers ? [row(`${y.label} ↓`, names)] : [paint(padStart(`${y.label} ↓`, margin), 'dim')]),
    ...rows,
    ...(shown < labels.length ? [`… and ${labels.length - shown} columns more`] : []),
  ]
}

/** Of the quarters nearest to a share; what is there at all is a dot. Nothing of a row without any is nothing. */
const shadeOf = (share: number): string => (share > 0 ? shades[Math.round(share * 4)]! : ' ')

function padStart(label: string, width: number): string {
  const text = cutTo(label, width)
  return ' '.repeat(width - widthOf(text)) + text
}
