/** The page of a folder of runs in a browser, and what of it is looked at. */
import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

export const views = ['curves', 'runs', 'histograms', 'predictions', 'media', 'model', 'program', 'system'] as const

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'galvani-board-'))

/** What went wrong in a page, and whom it asked beside its server. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
  readonly asked: Set<string>
}

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(40_000)
  const faults: string[] = []
  const asked = new Set<string>()
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => asked.add(new URL(request.url()).origin))
  await page.goto(url)
  await page.locator('#view > *').first().waitFor({ state: 'attached' })
  return { page, faults, asked }
}

export async function openView(page: Page, view: (typeof views)[number]): Promise<void> {
  await page.evaluate(`location.hash = '#/${view}'`)
  await page.locator(`#view > .view-${view} > *`).first().waitFor({ state: 'attached' })
}

/** How many colours a canvas shows: a blank one has one. */
export const coloursOf = (canvas: Locator): Promise<number> =>
  canvas.evaluate((node) => {
    const { width, height } = node as unknown as { width: number; height: number }
    const context = (
      node as unknown as { getContext(kind: string): { getImageData(...box: number[]): { data: ArrayLike<number> } } }
    ).getContext('2d')
    const { data } = context.getImageData(0, 0, width, height)
    const found = new Set<number>()
    for (let i = 0; i < data.length; i += 4) found.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!)
    return found.size
  })

export const expectDrawn = (canvas: Locator): Promise<void> =>
  expect.poll(() => coloursOf(canvas), { timeout: 40_000 }).toBeGreaterThan(8)

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe-core finds wrong, each as its rule and what it is about. */
export async function violationsIn(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.addScriptTag({ path: axe })
  return page.evaluate(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`,
  )
}

/** A row of the table beside a chart: the run's points, first, last, lowest and highest values. */
export const numbersOf = (page: Page, tag: string, run: string): Locator =>
  page.locator('.card', { has: page.getByRole('heading', { name: tag, exact: true }) }).getByRole('row', { name: run })

export async function openNumbers(page: Page, tag: string): Promise<void> {
  await page
    .locator('.card', { has: page.getByRole('heading', { name: tag, exact: true }) })
    .getByText('Numbers')
    .click()
}
