/** Plots as SVG and PNG. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DOMParser } from 'linkedom'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

interface Element {
  readonly nodeName: string
  readonly textContent: string
  getAttribute(name: string): string | null
  querySelectorAll(selector: string): Iterable<Element>
}

/** The document, parsed as XML, which knows no other entities than those of SVG. */
const parsed = (svg: string) =>
  new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement as unknown as Element
const all = (element: Element, selector: string): Element[] => [...element.querySelectorAll(selector)]
const marked = (element: Element, mark: string) =>
  all(element, `g[aria-label="${mark}"]`).flatMap((group) => all(group, '*'))
const texts = (element: Element) => all(element, 'text').map(({ textContent }) => textContent)

const epochs = [2, 1, 0.5].map((loss, epoch) => ({
  epoch,
  loss,
  accuracy: 1 - loss / 4,
  validation: { loss: loss + 0.1 },
}))

describe('svg', () => {
  test('of a history has a panel for each score, with a line for each series', async () => {
    const svg = parsed(await g.plot.history({ epochs }).svg({ width: 400, height: 200 }))
    expect([svg.nodeName, svg.getAttribute('width'), svg.getAttribute('height')]).toEqual(['svg', '400', '400'])
    expect([svg.getAttribute('role'), svg.getAttribute('aria-label')]).toEqual(['img', 'loss, accuracy'])
    const panels = all(svg, 'svg')
    expect(panels.map((panel) => marked(panel, 'line').length)).toEqual([2, 1])
    expect(panels.map((panel) => marked(panel, 'dot').length)).toEqual([6, 3])
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['loss', 'accuracy', 'training', 'validation', 'epoch →', '1', '2', '3']),
    )
  })

  test('has points where their values are', async () => {
    const svg = parsed(await g.plot.lines({ y: [0, 5, 10] }).svg())
    const dots = marked(svg, 'dot').map((dot) => ['cx', 'cy'].map((name) => Number(dot.getAttribute(name))))
    const [[x0, y0], [x1, y1], [x2, y2]] = dots as [number, number][] as [
      [number, number],
      [number, number],
      [number, number],
    ]
    expect(x1 - x0).toBeCloseTo(x2 - x1)
    expect(y0 - y1).toBeCloseTo(y1 - y2)
    expect(y0).toBeGreaterThan(y2)
  })

  test('leaves gaps where there is no number', async () => {
    const svg = parsed(await g.plot.lines({ y: [1, 2, Number.NaN, 3, 4, Infinity, 5] }).svg())
    const [line] = marked(svg, 'line')
    expect(line!.getAttribute('d')!.match(/M/g)).toHaveLength(3)
    expect(marked(svg, 'dot')).toHaveLength(5)
  })

  test('of a long series stays small, with its peak', async () => {
    const y = Array.from({ length: 300_000 }, (_, i) => (i === 123_456 ? 7 : Math.sin(i) / 2))
    const text = await g.plot.lines({ y }).svg()
    expect(text.length).toBeLessThan(200_000)
    const heights = marked(parsed(text), 'line')[0]!
      .getAttribute('d')!
      .match(/,[\d.]+/g)!
    expect(Math.min(...heights.map((height) => Number(height.slice(1))))).toBe(20)
  })

  test('of a histogram has a bar for each interval, as high as its count', async () => {
    const svg = parsed(await (await g.plot.histogram([0, 1, 1, 2, 2, 2], { bins: 3 })).svg())
    const heights = marked(svg, 'rect').map((bar) => Number(bar.getAttribute('height')))
    expect(heights.map((height) => height / heights[0]!)).toEqual([1, 2, 3].map((x) => expect.closeTo(x)))
  })

  test('of a confusion matrix has its counts and shares', async () => {
    const svg = parsed(
      await (
        await g.plot.confusionMatrix(
          [
            [3, 1],
            [0, 8],
          ],
          { labels: ['cat', 'dog'] },
        )
      ).svg(),
    ) // prettier-ignore
    expect(texts(svg)).toEqual(expect.arrayContaining(['3', '1', '0', '8', 'cat', 'dog', '11 of 12 right (91.7%)']))
    const shares = marked(svg, 'cell').map((cell) => Number(cell.getAttribute('fill-opacity') ?? 1))
    expect(shares).toEqual([0.75, 0.25, 0, 1])
  })

  test('of ROC curves names them with their areas', async () => {
    const plot = await g.plot.rocCurve(
      [0, 1, 0, 1],
      g.tensor([
        [2, 1],
        [1, 2],
        [1, 0],
        [2, 1],
      ]),
      { names: ['a', 'b'] },
    ) // prettier-ignore
    const svg = parsed(await plot.svg())
    expect(texts(svg)).toEqual(expect.arrayContaining(['a (AUC 0.5000)', 'b (AUC 0.8750)', 'ROC']))
    expect(marked(svg, 'line')).toHaveLength(3)
  })

  test('has names of others as text', async () => {
    const name = '</text><script>alert(1)</script>&"\x00'
    const plots = [
      g.plot.lines({ [name]: [1], b: [2] }, { title: name, xLabel: name, yLabel: name }),
      await g.plot.confusionMatrix([[1]], { labels: [name], title: name }),
    ]
    for (const plot of plots) {
      const text = await plot.svg()
      expect(text).not.toContain('<script')
      expect(text).not.toContain('\x00')
      expect(texts(parsed(text)).join()).toContain('<script>alert(1)</script>&"\ufffd'.slice(0, 8))
    }
  })

  test('is the same text each time, with nothing foreign in it', async () => {
    const plot = g.plot.history({ epochs })
    const text = await plot.svg()
    expect(await plot.svg()).toBe(text)
    expect(text.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg'])
    expect(text).toContain('prefers-color-scheme:dark')
  })
})

describe('png', () => {
  const lightest = async (png: Uint8Array, top: number) => {
    const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true })
    return { ...info, dark: data.filter((value) => value < top).length / data.length, first: data[0] }
  }

  test('is of the size that was asked for, dark on white', async () => {
    const png = await g.plot.history({ epochs }).png({ width: 300, height: 150, scale: 3 })
    const { width, height, first, dark } = await lightest(png, 200)
    expect([width, height, first]).toEqual([900, 900, 255])
    expect(dark).toBeGreaterThan(0.005)
    expect(dark).toBeLessThan(0.3)
  })

  test('has the line in its colour', async () => {
    const { data } = await sharp(await g.plot.lines({ y: [1, 2] }).png())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    const isBlue = (i: number) => data[i] === 0x42 && data[i + 1] === 0x69 && data[i + 2] === 0xd0
    let blue = 0
    for (let i = 0; i < data.length; i += 3) if (isBlue(i)) blue++
    expect(blue).toBeGreaterThan(1000)
  })

  test('that is too large is refused', async () => {
    await expect(g.plot.lines({ y: [1] }).png({ width: 16_000 })).rejects.toThrow('png: expected at most 16384 pixels')
  })
})

test('save writes what the extension says, and refuses others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plot-'))
  try {
    const plot = g.plot.lines({ y: [1, 2] })
    for (const name of ['a.svg', 'a.PNG', 'a.txt']) await plot.save(join(folder, name))
    expect(readFileSync(join(folder, 'a.svg'), 'utf8')).toBe(await plot.svg())
    expect(readFileSync(join(folder, 'a.PNG'))).toEqual(await plot.png())
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe(`${plot.text({ width: 100 })}\n`)
    await expect(plot.save(join(folder, 'a.jpg'))).rejects.toThrow('save: expected a file of .svg, .png or .txt')
    await expect(plot.save(join(folder, 'none', 'a.svg'))).rejects.toThrow('none')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
