/** The page's server with a hundred runs of a hundred thousand points: until they are read, and what it takes to answer then. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { serveBoard } from '../lib/board/index.ts'
import type { RunSummary } from '../lib/board/protocol.ts'
import { measurePage } from './board-page.ts'
import { printTable } from './harness.ts'

const [runs, points] = [100, 100_000]
const tags = ['loss/train', 'loss/validation', 'accuracy/train', 'learningRate']

/** Lines of a quarter as many steps, each with a number of four tags. */
function writeRun(folder: string): void {
  mkdirSync(folder)
  const lines = [JSON.stringify({ type: 'run', name: 'run', epochs: 10 })]
  for (let i = 1; i <= points / tags.length; i++) {
    const values = Object.fromEntries(tags.map((tag, j) => [tag, Math.exp(-i / 9999) + Math.random() / (j + 1)]))
    lines.push(JSON.stringify({ type: 'scalars', step: i, epoch: i / 2500, time: 1.7e12 + 50 * i, values }))
  }
  writeFileSync(join(folder, 'events.jsonl'), `${lines.join('\n')}\n`)
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

/** Milliseconds of a request, and the bytes of its answer. */
async function timeOf(address: string) {
  const start = performance.now()
  const { byteLength } = await (await fetch(address)).arrayBuffer()
  return { milliseconds: performance.now() - start, bytes: byteLength }
}

export async function benchBoard(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-bench-board-'))
  try {
    for (let i = 0; i < runs; i++) writeRun(join(folder, `run-${i}`))
    await measure(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure(folder: string): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const [start, before] = [performance.now(), process.cpuUsage()]
  const { url, close } = await serveBoard(folder, { port: 0 })
  const rows: Record<string, string | number>[] = []
  const row = (what: string, milliseconds: number, bytes?: number) =>
    rows.push({ what, ms: milliseconds, KB: bytes === undefined ? '' : bytes / 1000 })
  row('until the page is answered', performance.now() - start, (await timeOf(url)).bytes)
  const first = await timeOf(`${url}api/runs`)
  row('until the runs are answered', performance.now() - start, first.bytes)

  const query = Array.from({ length: runs }, (_, i) => `run=run-${i}`).join('&')
  const during: number[] = []
  for (;;) {
    const summaries = (await (await fetch(`${url}api/runs`)).json()) as RunSummary[]
    if (summaries.every(({ read }) => read === 1)) break
    during.push((await timeOf(`${url}api/series?${query}&tag=${tags[0]}&points=400`)).milliseconds)
    await setTimeout(500)
  }
  row('until all is read', performance.now() - start)
  const { user, system } = process.cpuUsage(before)
  row('100 series of 400 points while files are read, median', median(during))
  const p99 = delay.percentile(99) / 1e6

  for (const points of [400, 2000]) {
    const address = (tag: string, more = '') => `${url}api/series?${query}&tag=${tag}&points=${points}${more}`
    const cold: Awaited<ReturnType<typeof timeOf>>[] = []
    for (const tag of tags) cold.push(await timeOf(address(tag)))
    row(`100 series of ${points} points`, median(cold.map((x) => x.milliseconds)), cold[0]!.bytes)
    const again = await timeOf(address(tags[3]!))
    row(`100 series of ${points} points, again`, again.milliseconds, again.bytes)
    const zoomed = await timeOf(address(tags[0]!, '&from=5000&to=10000'))
    row(`100 series of ${points} points of a fifth of the steps`, zoomed.milliseconds, zoomed.bytes)
  }
  const alone = await timeOf(`${url}api/series?run=run-1&tag=${tags[1]}&points=4000`)
  row('one series of 4000 points', alone.milliseconds, alone.bytes)
  printTable(`Board: ${runs} runs of ${points} points in ${tags.length} series`, rows)
  const rss = process.memoryUsage.rss() / 2 ** 20
  const seconds = (user + system) / 1e6
  console.log(`until all is read: ${seconds.toFixed(1)} s of processors, event loop p99 ${p99.toFixed(1)} ms`)
  console.log(`RSS at the end: ${rss.toFixed(0)} MiB`)
  await measurePage(url, runs)
  await close()
}
