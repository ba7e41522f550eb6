/** Plots as SVG by @observablehq/plot on linkedom's document, and as PNG by sharp. */
import type { PlotOptions } from '@observablehq/plot'
import { missingPackage } from '../../base/peer.ts'
import { cutTo, widthOf } from '../../base/terminal.ts'
import type { Chart, LinesPanel } from '../chart.ts'
import { barsMarks } from './bars.ts'
import { linesMarks, seriesColours } from './lines.ts'
import { matrixMarks } from './matrix.ts'

export interface GraphicSize {
  readonly width: number
  /** Of each panel. */
  readonly height: number
}

/** What draws. */
interface Tools {
  readonly plot: typeof import('@observablehq/plot')
  readonly document: PlotOptions['document']
}

/** Dark on light, or what is preferred where it is shown. */
const neutral =
  '<style>.galvani-plot{color:#1f2328}@media(prefers-color-scheme:dark){.galvani-plot{color:#e6edf3}}</style>'
const onWhite = '<rect width="100%" height="100%" fill="#fff"/>'

export const graphicOf = async (op: string, chart: Chart, size: GraphicSize): Promise<string> =>
  documentOf(chart, size, await toolsOf(op), neutral)

export async function pngOf(op: string, chart: Chart, size: GraphicSize, scale: number): Promise<Uint8Array> {
  const sharp = (await import('sharp').catch(missingPackage(op, 'sharp'))).default
  const svg = documentOf(chart, size, await toolsOf(op), onWhite)
  // A pixel of SVG is one of the image at 72 dots per inch.
  return sharp(Buffer.from(svg), { density: 72 * scale, limitInputPixels: false })
    .png()
    .toBuffer()
}

async function toolsOf(op: string): Promise<Tools> {
  const plot = await import('@observablehq/plot').catch(missingPackage(op, '@observablehq/plot'))
  const { parseHTML } = await import('linkedom').catch(missingPackage(op, 'linkedom'))
  // With and without the types of a browser.
  const { document } = parseHTML('<html><body></body></html>') as unknown as Pick<Tools, 'document'>
  return { plot, document }
}

/** Panels one below the other. */
function documentOf(chart: Chart, size: GraphicSize, tools: Tools, ground: string): string {
  const panels = chart.map((panel) => panelOf(panel, size, tools))
  let height = 0
  const placed = panels.map((panel) => {
    const text = `<g transform="translate(0,${height})">${panel.text}</g>`
    height += panel.height
    return text
  })
  const { width } = size
  const name = escaped(chart.map(({ title }) => title).join(', '))
  const extent = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  const look = 'color="#1f2328" fill="currentColor" font-family="system-ui, sans-serif" font-size="11"'
  return `<svg xmlns="http://www.w3.org/2000/svg" class="galvani-plot" role="img" aria-label="${name}" ${extent} ${look}>${ground}${placed.join('')}</svg>\n`
}

interface Drawn {
  readonly text: string
  readonly height: number
}

/** Where titles begin, as the labels of axes do. */
const left = 4
const titleHeight = 24
const legendHeight = 18

function panelOf(panel: Chart[number], { width, height }: GraphicSize, tools: Tools): Drawn {
  const legend = panel.kind === 'lines' ? legendOf(panel, width) : []
  const head = (panel.title === '' ? 0 : titleHeight) + legend.length * legendHeight
  const { height: inner = height - head, ...options } = optionsOf(panel, width, tools)
  const svg = tools.plot.plot({ document: tools.document, width, height: Math.max(60, inner), ...options })
  for (const style of svg.querySelectorAll('style')) style.remove()
  svg.removeAttribute('class')
  svg.setAttribute('y', String(head))
  const title =
    panel.title === '' ? '' : textAt(left, 17, cutTo(panel.title, width / 8), ' font-size="13" font-weight="600"')
  const lines = legend.map(
    (line, i) => `<g transform="translate(${left},${head - (legend.length - i) * legendHeight})">${line}</g>`,
  )
  return { text: `${title}${lines.join('')}${svg.outerHTML}`, height: head + Number(svg.getAttribute('height')) }
}

function optionsOf(panel: Chart[number], width: number, { plot }: Tools) {
  if (panel.kind === 'lines') return linesMarks(plot, panel, width)
  return panel.kind === 'bars' ? barsMarks(plot, panel, width) : matrixMarks(plot, panel, width)
}

/** The names of several lines, in as many lines of text as they need. */
function legendOf(panel: LinesPanel, width: number): string[] {
  const named = panel.series.filter(({ isReference }) => !isReference)
  if (named.length < 2) return []
  const lines = ['']
  let x = 0
  for (const [i, { name }] of named.entries()) {
    // There are no measures of letters here: about so wide is one.
    const taken = 7 * widthOf(name) + 32
    if (x > 0 && x + taken > width - 40) {
      lines.push('')
      x = 0
    }
    const swatch = `<rect x="${x}" y="4" width="12" height="4" rx="2" fill="${seriesColours[i % seriesColours.length]}"/>`
    lines[lines.length - 1] += swatch + textAt(x + 17, 10, name)
    x += taken
  }
  return lines
}

const textAt = (x: number, y: number, text: string, more = '') =>
  `<text x="${x}" y="${y}"${more}>${escaped(text)}</text>`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (letter) => entities[letter]!)
