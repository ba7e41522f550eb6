/** The page of a folder of runs in a browser, and what of it is looked at. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { openWatched, type Watched } from '../../support/browser.ts'

export const views = ['curves', 'runs', 'histograms', 'predictions', 'media', 'model', 'program', 'system'] as const

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'galvani-board-'))

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const watched = await openWatched(browser, url, options)
  await watched.page.locator('#view > *').first().waitFor({ state: 'attached' })
  return watched
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

/** A row of the table beside a chart: the run's points, first, last, lowest and highest values. */
export const numbersOf = (page: Page, tag: string, run: string): Locator =>
  page.locator('.card', { has: page.getByRole('heading', { name: tag, exact: true }) }).getByRole('row', { name: run })

export async function openNumbers(page: Page, tag: string): Promise<void> {
  await page
    .locator('.card', { has: page.getByRole('heading', { name: tag, exact: true }) })
    .getByText('Numbers')
    .click()
}
