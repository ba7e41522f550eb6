/**
 * Opens the runs that write.ts wrote in TensorBoard itself, in a browser, and takes a picture of each of its pages.
 *
 * npx tsx tools/testing/tensorboard/photograph.ts FOLDER PICTURES [PATH OF tensorboard] (Debian's chromium)
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'

const [folder, pictures, program = 'tensorboard'] = process.argv.slice(2) as [string, string, string?]
const port = 6123
const address = `http://127.0.0.1:${port}`

/** By the name of the plugin in the address: what is there when it has been drawn. */
const pages: Readonly<Record<string, string>> = {
  timeseries: 'text=accuracy',
  scalars: 'text=loss/validation',
  histograms: 'text=layers.0/weight',
  distributions: 'text=layers.0/weight',
  images: 'text=digits',
  text: 'text=Learning rate',
  graphs: 'text=input',
  hparams: 'text=nesterov',
  pr_curves: 'text=digit 7',
  projector: 'text=Total variance described',
}

/** Some pages are frames of their own. */
async function isDrawn(page: Page, drawn: string): Promise<boolean> {
  const end = performance.now() + 20000
  while (performance.now() < end) {
    for (const frame of page.frames()) if (await frame.$(drawn).catch(() => null)) return true
    await setTimeout(200)
  }
  return false
}

mkdirSync(pictures, { recursive: true })
const server = spawn(program, ['--logdir', folder, '--load_fast=false', '--host', '127.0.0.1', '--port', `${port}`], {
  stdio: 'inherit',
})
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
})
try {
  while (!(await fetch(address).catch(() => undefined))?.ok) await setTimeout(500)
  await setTimeout(5000)
  const page = await browser.newPage({ viewport: { width: 1500, height: 950 } })
  page.on('pageerror', (error) => console.log(`error in the page: ${error.message}`))
  for (const [name, drawn] of Object.entries(pages)) {
    await page.goto(`${address}/#${name}`)
    await page.reload()
    const isThere = await isDrawn(page, drawn)
    await setTimeout(3000)
    await page.screenshot({ path: join(pictures, `${name}.png`) })
    console.log(`${name}: ${isThere ? 'drawn' : `without ${drawn}`}`)
  }
} finally {
  await browser.close()
  server.kill()
}
