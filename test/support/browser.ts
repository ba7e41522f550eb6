/** A browser without a window, where there is one: Debian's `chromium`, or what GALVANI_CHROMIUM names. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

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
