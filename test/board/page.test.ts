/** The page in a browser: that it draws, follows, says what it shows to everybody, and executes nothing of what it is given. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Controlled } from '../../lib/board/control.ts'
import { type OpenBoard, openBoard } from '../../lib/board/server.ts'
import { browserPath, lackOfBrowser, openBrowser, violationsIn } from '../support/browser.ts'
import { hostile, hostileFolder, hostileRun } from './support/hostile-run.ts'
import { madeUpRun, madeUpScalars, writeRecords } from './support/made-up-runs.ts'
import { expectDrawn, newFolder, numbersOf, openNumbers, openPage, openView, views } from './support/page.ts'

const folders: string[] = []
const boards: OpenBoard[] = []
let browser: Browser

beforeAll(async () => {
  if (browserPath !== undefined) browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  for (const board of boards) await board.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function serve(folder: string, options: { port?: number; controls?: boolean } = {}): Promise<OpenBoard> {
  const board = await openBoard('board', folder, { port: 0, ...options })
  boards.push(board)
  return board
}

function folderOfRuns(): string {
  const folder = newFolder()
  folders.push(folder)
  writeRecords(folder, 'mlp/first', madeUpRun({ name: 'first', seed: 1, epochs: 3 }))
  writeRecords(folder, 'mlp/second', madeUpRun({ name: 'second', seed: 2, epochs: 2, ended: false }))
  return folder
}

describe.skipIf(browserPath === undefined)(`the page${lackOfBrowser}`, () => {
  let folder: string
  let board: OpenBoard
  beforeAll(async () => {
    folder = folderOfRuns()
    board = await serve(folder)
  })

  test('draws every view, asks nobody but its server, and breaks no rule of its policy', async () => {
    const { page, faults, asked } = await openPage(browser, board.url)
    await expectDrawn(page.locator('canvas').first())
    await openView(page, 'histograms')
    await expectDrawn(page.locator('canvas').first())
    await page.getByLabel('Form').selectOption('map')
    await expectDrawn(page.locator('canvas').first())
    await openView(page, 'predictions')
    await page.getByRole('cell', { name: /^\d+$/ }).first().waitFor()
    await page
      .getByRole('img', { name: /^Row \d+$/ })
      .first()
      .waitFor()
    await openView(page, 'media')
    await page.getByText('once upon a time').waitFor()
    await openView(page, 'model')
    await page
      .getByRole('button', { name: /^matmul/ })
      .first()
      .waitFor()
    await openView(page, 'program')
    await page.locator('.roofline circle').first().waitFor()
    await openView(page, 'system')
    await expectDrawn(page.locator('canvas').first())
    expect(faults).toEqual([])
    expect([...asked].filter((origin) => origin !== 'null')).toEqual([`http://127.0.0.1:${board.port}`])
    await page.context().close()
  })

  test.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['on a phone', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
  ] as const)('has nothing that axe-core objects to, and fits: %s', async (_, options) => {
    // The policy would not let the test's own script in.
    const { page } = await openPage(browser, board.url, { ...options, bypassCSP: true })
    for (const view of views) {
      await openView(page, view)
      await page.locator('.card, table').first().waitFor()
      expect({ view, violations: await violationsIn(page) }).toEqual({ view, violations: [] })
      expect({ view, over: await page.evaluate('document.documentElement.scrollWidth - innerWidth') }).toEqual({
        view,
        over: 0,
      })
    }
    await page.context().close()
  })

  test('is used by the keyboard alone', async () => {
    const { page } = await openPage(browser, board.url)
    const said = page.locator('#announcements')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('content')
    await expectDrawn(page.locator('canvas').first())
    const chart = page.getByRole('group', { name: /^loss\/train/ })
    await chart.focus()
    await page.keyboard.press('Home')
    await expect.poll(() => said.textContent()).toMatch(/^step 1: .*mlp\/first [\d.]+/)
    await page.keyboard.press('+')
    await page.getByRole('button', { name: 'Show all' }).first().waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('button', { name: 'Show all' }).count()).toBe(0)
    await openView(page, 'runs')
    await page.getByRole('button', { name: 'steps' }).focus()
    await page.keyboard.press('Enter')
    await page
      .getByRole('columnheader', { name: 'steps', exact: false })
      .and(page.locator('[aria-sort=ascending]'))
      .waitFor()
    expect(await page.locator('table.sortable tbody th').allTextContents()).toEqual(['mlp/second', 'mlp/first'])
    await page.keyboard.press('Enter')
    await page.locator('[aria-sort=descending]').waitFor()
    await openView(page, 'model')
    const layer = page.getByRole('button', { name: /^layers/ })
    await layer.waitFor()
    await page.locator('.graph [tabindex="0"]').focus()
    expect(await layer.getAttribute('aria-expanded')).toBe('true')
    await layer.press('Enter')
    await expect.poll(() => layer.getAttribute('aria-expanded')).toBe('false')
    await page.keyboard.press('ArrowUp')
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toMatch(/^input/)
    await page.context().close()
  })

  test('compares runs, hides them, and chooses what x is', async () => {
    const { page, faults } = await openPage(browser, board.url)
    await openNumbers(page, 'loss/train')
    await numbersOf(page, 'loss/train', 'mlp/second').waitFor()
    await page
      .getByRole('complementary')
      .getByRole('checkbox', { name: /mlp\/second/ })
      .uncheck()
    await expect.poll(() => numbersOf(page, 'loss/train', 'mlp/second').count()).toBe(0)
    for (const axis of ['epoch', 'relative', 'wall', 'step']) {
      await page.getByLabel('X axis').selectOption(axis)
      await expectDrawn(page.locator('canvas').first())
    }
    await page.getByLabel('log x').check()
    await page.getByLabel('log y').check()
    await expectDrawn(page.locator('canvas').first())
    await page.getByLabel('Tags').fill('accuracy')
    await expect
      .poll(() => page.locator('.card h3').allTextContents())
      .toEqual(['accuracy/train', 'accuracy/validation'])
    await openView(page, 'runs')
    await page.getByLabel('only differences').check()
    await page.getByRole('row', { name: /hyper-parameters: seed/ }).waitFor()
    expect(await page.getByRole('row', { name: /hyper-parameters: optimizer/ }).count()).toBe(0)
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe.skipIf(browserPath === undefined)(`the page of runs that go on${lackOfBrowser}`, () => {
  test('shows points as they are written and loses none when the server is started again', async () => {
    const folder = folderOfRuns()
    const board = await serve(folder)
    const { page } = await openPage(browser, board.url)
    await openNumbers(page, 'loss/train')
    const points = () => numbersOf(page, 'loss/train', 'mlp/second').getByRole('cell').first().textContent()
    await expect.poll(points, { timeout: 40_000 }).toBe('100')
    const write = (from: number, to: number) => {
      for (let step = from; step <= to; step++)
        writeRecords(folder, 'mlp/second', [madeUpScalars({ name: 'second', seed: 2 }, step)])
    }
    write(101, 110)
    await expect.poll(points, { timeout: 40_000 }).toBe('110')
    await board.close()
    await page.locator('#connection').getByText('connection lost').waitFor()
    write(111, 130)
    const again = await serve(folder, { port: board.port })
    await page.locator('#connection').getByText('live').waitFor()
    await expect.poll(points, { timeout: 40_000 }).toBe('130')
    write(131, 137)
    await expect.poll(points, { timeout: 40_000 }).toBe('137')
    writeRecords(folder, 'later', madeUpRun({ name: 'later', seed: 3, epochs: 1, scalarsOnly: true }))
    await numbersOf(page, 'loss/train', 'later').waitFor()
    await again.close()
    await page.context().close()
  })

  test('begins with what to do where there is no run, and goes on by itself', async () => {
    const folder = newFolder()
    folders.push(folder)
    const board = await serve(folder)
    const { page, faults } = await openPage(browser, board.url, { bypassCSP: true })
    for (const view of views) {
      await openView(page, view)
      await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
    }
    expect(await violationsIn(page)).toEqual([])
    await openView(page, 'curves')
    writeRecords(folder, 'first', madeUpRun({ name: 'first', epochs: 1, scalarsOnly: true }))
    await expectDrawn(page.locator('canvas').first())
    await openView(page, 'model')
    await page.getByText('This run has recorded no graph').waitFor()
    expect(faults).toEqual([])
    await page.context().close()
  })

  test('controls a run only with the token of its address', async () => {
    const folder = folderOfRuns()
    const board = await serve(folder, { controls: true })
    const asked: string[] = []
    const training: Controlled = {
      learningRate: 0.5,
      hasLearningRate: true,
      stop: () => asked.push('stop'),
      saveCheckpoint: () => {
        asked.push('checkpoint')
        return 'there'
      },
    }
    board.news.control('mlp/second', training)
    const { page, faults } = await openPage(browser, board.url)
    expect(new URL(page.url()).search).toBe('')
    const control = page.getByRole('region', { name: 'Control' })
    await control.getByRole('button', { name: 'Save a checkpoint' }).click()
    await control.getByText(/written to there/).waitFor()
    await control.getByLabel('Learning rate').fill('0.25')
    await control.getByRole('button', { name: 'Set' }).click()
    await control.getByText(/is 0\.25 from the next steps/).waitFor()
    await control.getByRole('button', { name: 'Stop …' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click()
    await control.getByRole('button', { name: 'Stop …' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
    await control.getByText(/The training ends/).waitFor()
    expect([asked, training.learningRate, faults]).toEqual([['checkpoint', 'stop'], 0.25, []])
    const other = await openPage(browser, `http://127.0.0.1:${board.port}/`)
    await expectDrawn(other.page.locator('canvas').first())
    expect(await other.page.getByRole('button', { name: 'Stop …' }).count()).toBe(0)
    await page.context().close()
    await other.page.context().close()
  })
})

describe.skipIf(browserPath === undefined)(`hostile runs and exports${lackOfBrowser}`, () => {
  let folder: string
  let board: OpenBoard
  beforeAll(async () => {
    folder = newFolder()
    folders.push(folder)
    writeRecords(folder, hostileFolder, hostileRun())
    board = await serve(folder)
  })

  /** By view, the fields whose texts stand in it. */
  const shown = {
    curves: ['group', 'tag'],
    runs: ['hyperparameter', 'value', 'tag', 'message'],
    histograms: ['histogram'],
    predictions: ['label', 'class'],
    media: ['images', 'text', 'content'],
    model: ['op'],
    program: ['title', 'opcode', 'line'],
    system: [],
  }

  /** Whatever the policy allows: a page may be served by others under another one. */
  test.each(['served', 'exported'])('show every text as text, and execute none: %s', async (way) => {
    const url = way === 'served' ? board.url : await exported(board, hostileFolder)
    const { page, faults, asked } = await openPage(browser, url, { bypassCSP: true })
    for (const view of views) {
      await openView(page, view)
      await page.locator('.card').first().waitFor()
      if (view === 'model') await page.getByRole('button', { name: 'Open all' }).click()
      for (const field of shown[view]) await page.getByText(hostile(field)).first().waitFor({ state: 'attached' })
      expect({ view, found: await page.locator('img[src=x], #view script, #runs script').count() }).toEqual({
        view,
        found: 0,
      })
    }
    expect(await page.evaluate('window.hacked')).toBeUndefined()
    expect(faults.filter((fault) => !fault.includes('Trusted'))).toEqual([])
    expect([...asked].filter((origin) => origin !== 'null').length).toBeLessThan(2)
    await page.context().close()
  })

  async function exported(from: OpenBoard, run: string): Promise<string> {
    await expect.poll(() => from.news.summary(run)?.read).toBe(1)
    const answer = await fetch(`http://127.0.0.1:${from.port}/api/export?${new URLSearchParams({ run })}`)
    expect(answer.status).toBe(200)
    const file = join(newFolder(), 'run.html')
    folders.push(join(file, '..'))
    writeFileSync(file, await answer.text())
    return pathToFileURL(file).href
  }

  test('an exported file draws without a server', async () => {
    const runs = folderOfRuns()
    const source = await serve(runs)
    const url = await exported(source, 'mlp/first')
    await source.close()
    const { page, faults, asked } = await openPage(browser, url)
    await expectDrawn(page.locator('canvas').first())
    await page.locator('#connection').getByText('exported file').waitFor()
    await openNumbers(page, 'loss/train')
    await expect
      .poll(() => numbersOf(page, 'loss/train', 'mlp/first').getByRole('cell').first().textContent())
      .toBe('150')
    for (const view of views) await openView(page, view)
    await expectDrawn(page.locator('canvas').first())
    expect(faults).toEqual([])
    expect([...asked].filter((origin) => origin !== 'null')).toEqual([])
    await page.context().close()
  })
})
