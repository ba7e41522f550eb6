/** A plot: text for a terminal or a log, SVG for a page, PNG for what shows images. */
import { extname } from 'node:path'
import { checkInteger, checkNumber, refuseSurplus } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected } from '../base/errors.ts'
import { inspection } from '../base/inspection.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { paintIf } from '../base/terminal.ts'
import { writeAtomically } from '../files/atomic.ts'
import { checkPath } from '../files/file-error.ts'
import type { Chart } from './chart.ts'
import { graphicOf, pngOf } from './graphic/graphic.ts'
import { barsText } from './text/bars.ts'
import type { TextSize } from './text/frame.ts'
import { linesText } from './text/lines.ts'
import { matrixText } from './text/matrix.ts'

export interface TextOptions {
  /** In columns, at least 20; that of the terminal, at most 100, unless given, and 80 where there is none. */
  width?: number
  /** Of each part of a plot, in lines, without what stands around it: from 2, 12 unless given. */
  height?: number
  /** Whether it has ANSI's colours; false unless given. */
  colours?: boolean
}

const textOptions: OptionTypes<TextOptions> = { width: 'number', height: 'number', colours: 'boolean' }

export interface SvgOptions {
  /** In pixels: 640 unless given. */
  width?: number
  /** Of each part of a plot, in pixels: 240 unless given. */
  height?: number
}

const svgOptions: OptionTypes<SvgOptions> = { width: 'number', height: 'number' }

export interface PngOptions extends SvgOptions {
  /** Pixels of the image for each of those: 2 unless given. */
  scale?: number
}

const pngOptions: OptionTypes<PngOptions> = { ...svgOptions, scale: 'number' }

const mostPixels = 16_384

/** What the functions of `g.plot` give. `console.log(plot)` shows it. */
export class Plot {
  protected readonly notCloned = notCloned('a plot: send its text or SVG')
  readonly #chart: Chart

  /** @internal */
  constructor(chart: Chart) {
    this.#chart = chart
  }

  /** As text, with lines of braille and blocks; plain, and the same in a log as on a terminal. */
  toString(): string {
    return this.text()
  }

  /**
   * As text of this size.
   * @throws RangeError for a width below 20 or a height below 2
   */
  text(options?: TextOptions, ...surplus: []): string {
    const { width = usualWidth(), height = 12, colours = false } = checkOptions('text', options, textOptions, surplus)
    checkInteger('text', 'a width from 20 to 1000', width, 20, 1000)
    checkInteger('text', 'a height from 2 to 1000', height, 2, 1000)
    const size = { width, height, paint: paintIf(colours) }
    return this.#chart.map((panel) => textOf(panel, size).join('\n')).join('\n\n')
  }

  /** What the console shows: with colours where it has them. */
  [inspection](_depth: unknown, { colors = false }: { readonly colors?: boolean } = {}): string {
    return this.text({ colours: colors })
  }

  /**
   * As an SVG document, of the packages @observablehq/plot and linkedom, which are installed where this is used. It is drawn on no ground, in
   * dark or light by what is preferred where it is shown. The same plot gives the same text.
   * @throws (rejects with) MissingPackageError where one of them is not installed; RangeError for sizes below 100
   */
  async svg(options?: SvgOptions, ...surplus: []): Promise<string> {
    return graphicOf('svg', this.#chart, checkSvg('svg', checkOptions('svg', options, svgOptions, surplus)))
  }

  /**
   * As a PNG file, dark on white, made of the SVG by the package sharp, which is installed where this is used.
   * @throws (rejects with) as `svg`, and RangeError where the image would be of more than 16384 pixels to a side
   */
  async png(options?: PngOptions, ...surplus: []): Promise<Uint8Array> {
    const { scale = 2, ...rest } = checkOptions('png', options, pngOptions, surplus)
    const size = checkSvg('png', rest)
    checkNumber('png', 'a scale from 0.1 to 10', scale, (x) => x >= 0.1 && x <= 10)
    const longest = scale * Math.max(size.width, size.height * this.#chart.length)
    checkNumber('png', `at most ${mostPixels} pixels to a side`, longest, (x) => x <= mostPixels)
    return pngOf('png', this.#chart, size, scale)
  }

  /**
   * Writes it into a file, whole or not at all: `.svg`, `.png`, or its text as `.txt`.
   * @throws (rejects with) RangeError for another extension, what `svg` and `png` do, and what the file system says
   *
   * @example
   * await history.plot().save('history.png')
   */
  async save(path: string, ...surplus: []): Promise<void> {
    refuseSurplus('save', 1, surplus)
    const extension = extname(checkPath('save', path)).toLowerCase()
    await writeAtomically('save', path, wholeOf(await this.#contents(extension, path)))
  }

  async #contents(extension: string, path: string): Promise<string | Uint8Array> {
    if (extension === '.svg') return this.svg()
    if (extension === '.png') return this.png()
    if (extension === '.txt') return `${this.text({ width: 100 })}\n`
    throw new RangeError(expected('save', 'a file of .svg, .png or .txt', JSON.stringify(path)))
  }
}

async function* wholeOf(contents: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof contents === 'string' ? new TextEncoder().encode(contents) : contents
}

const usualWidth = (): number => Math.max(20, Math.min(100, (process.stdout.columns ?? 0) || 80))

function textOf(panel: Chart[number], size: TextSize): string[] {
  if (panel.kind === 'lines') return linesText(panel, size)
  return panel.kind === 'bars' ? barsText(panel, size) : matrixText(panel, size)
}

function checkSvg(op: string, { width = 640, height = 240 }: SvgOptions): Required<SvgOptions> {
  for (const extent of [width, height])
    checkInteger(op, `a width and a height from 100 to ${mostPixels}`, extent, 100, mostPixels)
  return { width, height }
}
