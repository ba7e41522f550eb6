/** A browser without a window, where there is one: Debian's `chromium`, or what GALVANI_CHROMIUM names; and what is seen of any page in it. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export const browserPath = [process.env.GALVANI_CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== '' && existsSync(path),
)

/** For the name of what is left out. */
export const lackOfBrowser = browserPath === undefined ? ' (left out: apt-get install chromium)' : ''

if (browserPath === undefined && process.env.CI === 'true')
  throw new Error('chromium is missing: apt-get install chromium')

/** Root has no sandbox. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: browserPath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })

/** What went wrong in a page, and whom it asked beside its server. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
  readonly asked: Set<string>
}

export async function openWatched(browser: Browser, url: string, options: BrowserContextOptions): Promise<Watched> {
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
  return { page, faults, asked }
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe-core finds wrong, each as its rule and what it is about. */
export async function violationsIn(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.addScriptTag({ path: axe })
  return page.evaluate(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`,
  )
}
