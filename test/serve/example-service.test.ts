/** The example of a service: a digit is drawn, recognised and corrected in a browser, what does not fit is refused, and the end loses nothing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rateLimit } from '../../examples/service/rate-limit.ts'
import { browserPath, lackOfBrowser, openBrowser, openWatched, violationsIn } from '../support/browser.ts'
import { until } from '../support/command.ts'
import { root } from '../support/root.ts'

const folder = mkdtempSync(join(tmpdir(), 'galvani-service-'))
const started: Service[] = []

interface Service {
  readonly child: ChildProcess
  readonly url: string
  /** What it has said so far. */
  said(): string
}

/** With a model that knows digits a little: it saw some of them once. */
async function start(): Promise<Service> {
  const model = join(folder, 'digits.safetensors')
  const options = ['--port', '0', '--model', model, '--rows', '3000', '--epochs', '1']
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/service/server.ts', ...options], { cwd: root })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part))
  const said = () => text
  await until('its start', () => /at http\S+\n/.test(text) || child.exitCode !== null, 150_000)
  const service = { child, url: /at (http\S+)/.exec(text)?.[1] ?? text, said }
  started.push(service)
  return service
}

let service: Service

beforeAll(async () => {
  service = await start()
}, 180_000)

afterAll(() => {
  for (const { child } of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

const seven = [
  [0.25, 0.2],
  [0.75, 0.2],
  [0.45, 0.85],
] as const

async function draw(page: Page, stroke: typeof seven): Promise<void> {
  const pad = (await page.locator('#pad').boundingBox())!
  const [first, ...others] = stroke.map(([x, y]) => [pad.x + x * pad.width, pad.y + y * pad.height] as const)
  await page.mouse.move(...first!)
  await page.mouse.down()
  for (const place of others) await page.mouse.move(...place, { steps: 5 })
  await page.mouse.up()
}

const textOf = async (page: Page, id: string): Promise<string> => (await page.locator(`#${id}`).textContent())!

/** What the drawing is taken for, and the percents of each digit, once they are those of what is drawn now. */
async function answerIn(page: Page): Promise<{ digit: number; percents: number[] }> {
  await page.locator('#bars[aria-busy=false]').waitFor()
  const percents = (await page.locator('#bars .value').allTextContents()).map(Number.parseFloat)
  return { digit: Number(await textOf(page, 'digit')), percents }
}

describe.skipIf(browserPath === undefined)(`the page${lackOfBrowser}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('takes a drawing for a digit, is taught that it is another one, and goes back', {
    timeout: 180_000,
  }, async () => {
    const { page, faults, asked } = await openWatched(browser, service.url, {})
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    expect(await button('It is a 7').isDisabled()).toBe(true)
    await draw(page, seven)
    const before = await answerIn(page)
    expect(before.percents.reduce((sum, percent) => sum + percent, 0)).toBeGreaterThan(90)
    expect(Math.max(...before.percents)).toBe(before.percents[before.digit])
    await page.getByText(`It looks like a ${before.digit}.`).waitFor({ state: 'attached' })
    const version = Number(await textOf(page, 'version'))

    const unlikeliest = before.percents.indexOf(Math.min(...before.percents))
    for (let lesson = 1; lesson <= 15 && (await answerIn(page)).digit !== unlikeliest; lesson++) {
      await button(`It is a ${unlikeliest}`).click()
      await expect.poll(() => textOf(page, 'rounds'), { timeout: 40_000 }).toBe(String(lesson))
      await expect.poll(() => textOf(page, 'said'), { timeout: 40_000 }).toMatch(/is served: a \d went from|kept back/)
    }
    expect(await textOf(page, 'said')).toMatch(new RegExp(`^Version \\d+ is served: a ${unlikeliest} went from \\d+%`))
    expect((await answerIn(page)).percents[unlikeliest]).toBeGreaterThan(before.percents[unlikeliest]!)
    expect(Number(await textOf(page, 'version'))).toBeGreaterThan(version)
    expect(await page.locator('#recent tr.swapped').count()).toBeGreaterThan(0)

    await button('Back to the first version').click()
    await page.getByText('The first version is served again').waitFor()
    expect(await answerIn(page)).toEqual(before)
    await button('Clear').click()
    await expect.poll(() => textOf(page, 'digit')).toBe('?')
    expect(faults).toEqual([])
    expect([...asked].filter((origin) => origin !== 'null')).toEqual([service.url])
    await page.context().close()
  })

  test('is drawn in by the keyboard alone', async () => {
    const { page, faults } = await openWatched(browser, service.url, {})
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    expect(await textOf(page, 'said')).toBe('The pen is down.')
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown')
    await page.locator('#digit.none').waitFor({ state: 'detached' })
    expect(await answerIn(page)).toMatchObject({ digit: 1 })
    await page.keyboard.press('Escape')
    await expect.poll(() => textOf(page, 'digit')).toBe('?')
    expect(faults).toEqual([])
    await page.context().close()
  })

  test('has nothing that axe-core objects to, in light and dark, and fits on a phone', async () => {
    // The policy would not let the test's own script in.
    const { page } = await openWatched(browser, service.url, { bypassCSP: true })
    await draw(page, seven)
    await page.getByRole('button', { name: 'It is a 7' }).click()
    await expect.poll(() => textOf(page, 'said'), { timeout: 40_000 }).toMatch(/is served: a 7 went from|kept back/)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect({ colorScheme, violations: await violationsIn(page) }).toEqual({ colorScheme, violations: [] })
    }
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await violationsIn(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
    await page.context().close()
  })
})

const side = 28
const blank: readonly number[] = new Array(side ** 2).fill(0)
const line = blank.map((_, i) => (i % side === 14 && i > 5 * side && i < 23 * side ? 255 : 0))

describe('requests', () => {
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(service.url + path, { method: 'POST', headers, body: text })
    return { status: response.status, body: (await response.json()) as { error?: string } }
  }

  test.each([
    ['no JSON', '{', 400],
    ['no pixels', { digit: 1 }, 400],
    ['too few of them', { pixels: [1, 2], digit: 1 }, 400],
    ['those that are no bytes', { pixels: line.map((x) => x + 1), digit: 1 }, 400],
    ['a text as a digit', { pixels: line, digit: '1' }, 400],
    ['a digit that is none', { pixels: line, digit: 10 }, 400],
    ['a blank drawing', { pixels: blank, digit: 1 }, 400],
    ['what nobody asked for', { pixels: line, digit: 1, weight: 99 }, 400],
    ['far too much', { pixels: new Array(20_000).fill(255), digit: 1 }, 413],
  ])('lessons with %s are refused, and nothing of them is taken', async (_, lesson, status) => {
    const rows = async () =>
      ((await (await fetch(`${service.url}/lessons`)).json()) as { statistics: { rows: number } }).statistics.rows
    const before = await rows()
    expect(await post('/lessons', lesson)).toEqual({ status, body: { error: expect.stringMatching(/.{10}/) } })
    expect(await rows()).toBe(before)
  })

  test('drawings that are none are refused', async () => {
    const path = '/ai/v1/models/digits:predict'
    expect((await post(path, { instances: [[1, 2]] })).status).toBe(400)
    expect((await post(path, { instances: [line.map(() => 256)] })).status).toBe(400)
    expect((await post(path, { instances: [line] })).status).toBe(200)
  })

  test('the page and its parts are the only files', async () => {
    const page = await fetch(service.url)
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/)
    expect((await fetch(`${service.url}/app.js`)).status).toBe(200)
    for (const path of ['/server.ts', '/%2e%2e/server.ts', '/tsconfig.json'])
      expect((await fetch(service.url + path)).status).toBe(404)
  })
})

test('an address has a burst, and then so many requests in a second', () => {
  let now = 0
  const secondsLeft = rateLimit({ perSecond: 2, burst: 3 }, () => now)
  expect(Array.from({ length: 4 }, () => secondsLeft('a'))).toEqual([0, 0, 0, 0.5])
  expect(secondsLeft('b')).toBe(0)
  now += 250
  expect(secondsLeft('a')).toBe(0.25)
  now += 250
  expect([secondsLeft('a'), secondsLeft('a')]).toEqual([0, 0.5])
  now += 60_000
  expect(Array.from({ length: 4 }, () => secondsLeft('a'))).toEqual([0, 0, 0, 0.5])
})

/** A module of the page that needs no browser. It is JavaScript that another configuration checks, so its names have no types here. */
// biome-ignore lint/suspicious/noExplicitAny: as said
const pageModule = (name: string): Promise<any> =>
  import(new URL(`../../examples/service/page/${name}`, import.meta.url).href)

describe('a drawing in pixels', () => {
  type Stroke = readonly { x: number; y: number }[]
  const hook: Stroke = seven.map(([x, y]) => ({ x, y }))

  test('is the same wherever it was drawn, and however large', async () => {
    const { rasterOf } = await pageModule('raster.js')
    const pixels = [...rasterOf([hook])]
    const small = [...rasterOf([hook.map(({ x, y }) => ({ x: 0.6 + x / 3, y: y / 3 }))])]
    expect(Math.max(...pixels.map((ink, i) => Math.abs(ink - small[i]!)))).toBeLessThanOrEqual(1)
  })

  test('fits into 20×20, with its centre of mass in the middle', async () => {
    const { rasterOf, centreOfMass } = await pageModule('raster.js')
    const pixels: Uint8Array = rasterOf([hook])
    const { x, y } = centreOfMass(pixels)
    for (const at of [x, y]) expect(Math.abs(at - side / 2)).toBeLessThan(0.3)
    const inked = (placeOf: (i: number) => number) =>
      new Set([...pixels.keys()].filter((i) => pixels[i]! > 127).map(placeOf))
    const rows = inked((i) => Math.floor(i / side)).size
    expect(rows).toBeGreaterThanOrEqual(18)
    expect(rows).toBeLessThanOrEqual(20)
    expect(inked((i) => i % side).size).toBeLessThan(rows)
  })

  test('is blank where nothing is drawn, and small where it is a dot', async () => {
    const { rasterOf } = await pageModule('raster.js')
    const count = (pixels: Uint8Array) => pixels.filter((ink) => ink > 0).length
    expect(count(rasterOf([]))).toBe(0)
    expect(count(rasterOf([[{ x: 0.9, y: 0.1 }]]))).toBeGreaterThan(0)
    expect(count(rasterOf([[{ x: 0.9, y: 0.1 }]]))).toBeLessThan(20)
  })
})

test('one request is under way, the newest drawing is the next, and who takes too long is aborted', async () => {
  const { newestWins } = await pageModule('newest.js')
  const sent: { value: number; signal: AbortSignal; answer: () => void }[] = []
  const send = (value: number, signal: AbortSignal) =>
    new Promise<void>((answer) => {
      sent.push({ value, signal, answer })
      signal.addEventListener('abort', () => answer())
    })
  const requests = newestWins(send, 20)
  for (const value of [1, 2, 3]) requests.send(value)
  expect(sent.map(({ value }) => value)).toEqual([1])
  sent[0]!.answer()
  await until('the next one', () => sent.length === 2)
  expect(sent[1]).toMatchObject({ value: 3, signal: { aborted: false } })
  requests.send(4)
  await until('what comes after it', () => sent.length === 3)
  expect(sent.map(({ value, signal }) => [value, signal.aborted])).toEqual([
    [1, false],
    [3, true],
    [4, false],
  ])
  requests.cancel()
  expect(sent[2]!.signal.aborted).toBe(true)
})

describe('the end', () => {
  /** A request whose body is not there yet. */
  async function beginRequest(body: string) {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setEncoding('utf8').on('data', (part) => (answer += part))
    await once(socket, 'connect')
    socket.write(`POST /ai/v1/models/digits:predict HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`)
    socket.write(body.slice(0, 100))
    return { finish: () => socket.write(body.slice(100)), answer: () => answer }
  }

  test('answers what is under way, exits with 0, and the next start has the model', async () => {
    const request = await beginRequest(JSON.stringify({ instances: [line] }))
    const exit = once(service.child, 'exit')
    service.child.kill('SIGTERM')
    await until('the word of the end', () => service.said().includes('Closing'))
    request.finish()
    expect(await exit).toEqual([0, null])
    expect(request.answer()).toMatch(/^HTTP\/1.1 200[\s\S]*"predictions"/)
    const again = await start()
    expect(again.said()).toContain('The model is that of')
    const exitAgain = once(again.child, 'exit')
    again.child.kill('SIGINT')
    expect(await exitAgain).toEqual([0, null])
  }, 240_000)
})
