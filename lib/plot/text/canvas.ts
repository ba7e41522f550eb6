/** A grid of characters, each of two by four dots of braille (Unicode 2800), or a mark in their place. */
import type { Paint, Style } from '../../base/terminal.ts'

/** By column and row of a character's dots. */
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

interface Cell {
  bits: number
  mark?: string
  style: Style
}

export class Canvas {
  readonly #cells: Cell[]

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.#cells = Array.from({ length: columns * rows }, () => ({ bits: 0, style: 'dim' as const }))
  }

  /** A dot, of 2·columns × 4·rows, from the left and the top. */
  dot(x: number, y: number, style: Style): void {
    const cell = this.#cells[(y >> 2) * this.columns + (x >> 1)]!
    cell.bits |= dots[x & 1]![y & 3]!
    cell.style = style
  }

  /** From dot to dot, both included, as dashes of `dash` dots and as many free ones where that is not 0. */
  line([x0, y0]: Place, [x1, y1]: Place, style: Style, dash = 0): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
    for (let i = 0; i <= steps; i++) {
      const [x, y] = [x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps].map(Math.round)
      if (dash === 0 || i % (2 * dash) < dash) this.dot(x!, y!, style)
    }
  }

  /** A character where this dot is. */
  mark([x, y]: Place, mark: string, style: Style): void {
    Object.assign(this.#cells[(y >> 2) * this.columns + (x >> 1)]!, { mark, style })
  }

  /** From the top. */
  lines(paint: Paint): string[] {
    return Array.from({ length: this.rows }, (_, row) => {
      const cells = this.#cells.slice(row * this.columns, (row + 1) * this.columns)
      return cells.map((cell) => (isEmpty(cell) ? ' ' : paint(characterOf(cell), cell.style))).join('')
    })
  }
}

export type Place = readonly [x: number, y: number]

const isEmpty = ({ bits, mark }: Cell) => bits === 0 && mark === undefined

const characterOf = ({ bits, mark }: Cell): string => mark ?? String.fromCodePoint(0x2800 + bits)
