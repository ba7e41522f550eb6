/** The page in Chromium: until it is painted and its charts are drawn, and what a click, a key or a move takes to the next frame that shows it. */
import type { Locator, Page } from 'playwright-core'
import { browserPath, openBrowser } from '../test/support/browser.ts'
import { printTable } from './harness.ts'

interface Row {
  readonly [column: string]: string | number
  readonly what: string
  readonly ms: number
  readonly 'main thread': number | string
}

/** The longest time from an event to the frame that shows what it did (Event Timing, in steps of 8 ms), while something is done. */
async function slowest({ page, processorTime }: Watched, what: string, act: () => Promise<unknown>): Promise<Row> {
  await page.evaluate('window.eventTimes = []')
  const before = await processorTime()
  await act()
  await page.waitForTimeout(600)
  const own = (await processorTime()) - before
  return { what, ms: await page.evaluate<number>('Math.max(0, ...window.eventTimes)'), 'main thread': own }
}

interface Watched {
  readonly page: Page
  /** That of the main thread so far, in milliseconds, which other processes have no part in. */
  processorTime(): Promise<number>
}

async function watched(page: Page): Promise<Watched> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const processorTime = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value
  }
  return { page, processorTime }
}

const observe = `new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) (window.eventTimes ??= []).push(duration)
}).observe({ type: 'event', durationThreshold: 16 })`

/** A chart whose label says how many runs it has drawn. */
const chartOf = (page: Page, runs: number): Locator =>
  page.getByRole('group', { name: new RegExp(`: ${runs} runs`) }).first()

export async function measurePage(url: string, runs: number): Promise<void> {
  if (browserPath === undefined) return console.log('Board: the page is left out: apt-get install chromium')
  const browser = await openBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.addInitScript(observe)
    const watching = await watched(page)
    const start = performance.now()
    await page.goto(url)
    await chartOf(page, 10).waitFor()
    const drawn = performance.now() - start
    const painted = await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`)
    const rows: Row[] = [
      { what: 'first contentful paint', ms: painted, 'main thread': '' },
      {
        what: 'until curves of the newest 10 runs are drawn',
        ms: drawn,
        'main thread': await watching.processorTime(),
      },
    ]
    const all = performance.now()
    const click = await slowest(watching, `all ${runs} runs are shown`, async () => {
      await page.getByRole('button', { name: 'All', exact: true }).click()
      await chartOf(page, runs).waitFor()
    })
    rows.push({
      what: `until curves of all ${runs} are drawn, and 0.6 s`,
      ms: performance.now() - all,
      'main thread': '',
    })
    rows.push(click)
    for (const [what, act] of interactions(page)) rows.push(await slowest(watching, what, act))
    printTable(
      `Board: the page with ${runs} runs shown, from an event to its frame, and processor time of all that follows`,
      rows,
    )
  } finally {
    await browser.close()
  }
}

const interactions = (page: Page): [string, () => Promise<unknown>][] => [
  ['a run is hidden', () => page.locator('.run-list input').first().click()],
  ['a run is shown', () => page.locator('.run-list input').first().click()],
  ['smoothing by a key', () => page.getByLabel('Smoothing').press('ArrowRight')],
  ['log y', () => page.getByLabel('log y').click()],
  ['x is the time', () => page.getByLabel('X axis').selectOption('relative')],
  ['moving over a chart', () => moveOver(page)],
  ['zooming by a drag', () => drag(page)],
  ['a letter of the filter of tags', () => page.getByLabel('Tags').press('a')],
  ['the table of runs', () => page.getByRole('link', { name: 'Runs', exact: true }).click()],
  ['sorting it', () => page.getByRole('button', { name: 'steps' }).click()],
  ['back to the curves', () => page.getByRole('link', { name: 'Curves', exact: true }).click()],
]

async function moveOver(page: Page): Promise<void> {
  const box = (await page.locator('.u-over').first().boundingBox())!
  for (let i = 1; i < 20; i++) await page.mouse.move(box.x + (i * box.width) / 20, box.y + 50)
}

async function drag(page: Page): Promise<void> {
  const box = (await page.locator('.u-over').first().boundingBox())!
  await page.mouse.move(box.x + box.width / 4, box.y + 50)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2, box.y + 50, { steps: 5 })
  await page.mouse.up()
}
