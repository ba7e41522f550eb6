/**
 * npx tsx tools/screenshots.ts: the pictures of docs/images, of a perceptron that learns MNIST at three learning rates, in the page of its runs, and of the
 * example of a service. Chromium takes them, sharp makes them small.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import sharp from 'sharp'
import { createApp } from '../examples/service/app.ts'
import { predictorOf, trainedDigits } from '../examples/service/digits.ts'
import { knownDigits, Lessons } from '../examples/service/lessons.ts'
import { createModel } from '../examples/train-mnist.ts'
import { board, serveBoard } from '../lib/board/index.ts'
import * as g from '../lib/index.ts'

const images = fileURLToPath(new URL('../docs/images/', import.meta.url))
const rows = 20_000
const mostBytes = 150_000

interface Shot {
  readonly name: string
  readonly view: string
  readonly colorScheme: 'light' | 'dark'
  readonly height: number
  prepare?(page: Page): Promise<void>
}

const shots: readonly Shot[] = [
  { name: 'board-curves', view: 'curves', colorScheme: 'light', height: 800, prepare: (page) => pointAt(page, 0.55) },
  { name: 'board-predictions', view: 'predictions', colorScheme: 'dark', height: 860 },
  { name: 'board-program', view: 'program', colorScheme: 'light', height: 800 },
]

async function train(folder: string, learningRate: number): Promise<void> {
  g.setSeed(1)
  const { train, test } = await g.datasets.mnist()
  const part = ({ images, labels }: typeof train, size: number) =>
    g.data
      .fromTensors(images.slice([0], [size]), labels.slice([0], [size]))
      .map((x, y) => [x.cast('float32').div(255), y])
  await g.fit(createModel(), part(train, rows), {
    epochs: 6,
    batchSize: 64,
    loss: 'crossEntropy',
    metrics: ['accuracy'],
    optimizer: g.optim.adam({ learningRate }),
    validation: part(test, 5000),
    seed: 1,
    callbacks: [
      board({
        ...{ folder, name: `mlp/adam-${learningRate}`, port: 0, onOpen: () => {} },
        ...{ every: 'step', histograms: 'epoch', images: 8, confusion: true, examples: 12, graph: true, program: true },
      }),
    ],
  })
}

/** Shows the readout of the first chart. */
async function pointAt(page: Page, part: number): Promise<void> {
  const box = (await page.locator('.u-over').first().boundingBox())!
  await page.mouse.move(box.x + part * box.width, box.y + box.height / 2)
}

async function take(browser: Browser, url: string, { name, view, colorScheme, height, prepare }: Shot): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1240, height }, colorScheme, deviceScaleFactor: 1.5 })
  await page.goto(`${url}#/${view}`)
  await page.locator('canvas, table').first().waitFor()
  await page.waitForLoadState('networkidle').catch(() => {})
  await page.waitForTimeout(1500)
  await prepare?.(page)
  await write(name, await page.screenshot())
  await page.close()
}

async function write(name: string, bytes: Buffer): Promise<void> {
  const { size } = await sharp(bytes)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(images, `${name}.png`))
  console.log(`docs/images/${name}.png: ${(size / 1000).toFixed(0)} KB`)
  if (size > mostBytes) throw new Error(`${name}: expected at most ${mostBytes} bytes, got ${size}`)
}

/** A one as it is written in Europe, which MNIST has few of. */
const one = [
  [0.24, 0.46],
  [0.55, 0.16],
  [0.53, 0.86],
] as const

/** The example of a service, in which a digit was drawn and taught twice. */
async function takeService(browser: Browser, folder: string): Promise<void> {
  const mnist = await g.datasets.mnist()
  const { signal } = new AbortController()
  const model = await trainedDigits(join(folder, 'digits.safetensors'), mnist, { rows, epochs: 1, signal })
  const digits = await predictorOf(model)
  const lessons = new Lessons(model, digits, await knownDigits(mnist.train))
  const app = createApp(digits, lessons)
  const page = await browser.newPage({
    viewport: { width: 1100, height: 1110 },
    colorScheme: 'light',
    deviceScaleFactor: 1.5,
  })
  await page.goto(await app.listen({ port: 0 }))
  const pad = (await page.locator('#pad').boundingBox())!
  const [first, ...others] = one.map(([x, y]) => [pad.x + x * pad.width, pad.y + y * pad.height] as const)
  await page.mouse.move(...first!)
  await page.mouse.down()
  for (const place of others) await page.mouse.move(...place, { steps: 8 })
  await page.mouse.up()
  for (let lesson = 1; lesson <= 2; lesson++) {
    await page.locator('#bars[aria-busy=false]').waitFor()
    await page.getByRole('button', { name: 'It is a 1' }).click()
    await page.locator('#rounds', { hasText: String(lesson) }).waitFor()
    await page.locator('#said', { hasText: /went from|kept back/ }).waitFor()
    console.log(await page.locator('#said').textContent())
  }
  await page.mouse.move(0, 0)
  await write('service', await page.screenshot({ fullPage: true }))
  await page.close()
  await app.close()
  await lessons.close()
  await digits.close()
}

const root = process.getuid?.() === 0
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-screenshots-'))
  mkdirSync(images, { recursive: true })
  const browser = await chromium.launch({
    executablePath: process.env.GALVANI_CHROMIUM ?? '/usr/bin/chromium',
    args: root ? ['--no-sandbox'] : [],
  })
  try {
    for (const rate of [0.0003, 0.001, 0.01]) await train(folder, rate)
    const { url, close } = await serveBoard(folder, { port: 0 })
    for (const shot of shots) await take(browser, url, shot)
    await close()
    await takeService(browser, folder)
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true })
  }
}

await main()
