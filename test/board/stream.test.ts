/** The stream of a page: nothing is lost over a reconnection, a restart, or a page that is slow, and nothing grows without end. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunSummary, Series } from '../../lib/board/protocol.ts'
import { Stream } from '../../lib/board/stream.ts'
import {
  addTo,
  ask,
  boardOf,
  json,
  type OpenStream,
  runsFolder,
  type SentEvent,
  scalar,
  stream,
  until,
  writeRun,
} from './support/board.ts'

const read = (port: number) =>
  until(
    () => json<RunSummary[]>(port, '/api/runs'),
    (runs) => runs.every(({ read }) => read === 1),
  )
const seriesOf = async (port: number, run: string) =>
  (await json<Series[]>(port, `/api/series?run=${run}&tag=loss&points=1000`))[0]!

const named = ({ events }: OpenStream, name: string) => events.filter((event) => event.name === name)
const numberOf = ({ id }: SentEvent) => Number(id.split(':')[1])

/** What a page has by a series that it asked for, and the events that came: what an event brings that is in the series already counts once. */
const stepsOf = ({ step, at }: Series, events: readonly SentEvent[]) => [
  ...step,
  ...events
    .filter((event) => event.name === 'records' && numberOf(event) > at)
    .flatMap(({ data }) => data.records.map((record: { step: number }) => record.step)),
]

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

test('what is written comes as it is written, and a series says what is in it already', async () => {
  const folder = runsFolder({ a: [scalar(1, 1)] })
  const { port } = await boardOf(folder)
  await read(port)
  const page = await stream(port)
  expect(page.headers['content-type']).toBe('text/event-stream; charset=utf-8')
  const asked: Series[] = []
  for (let step = 2; step <= 60; step++) {
    addTo(folder, 'a', [scalar(step, step)])
    if (step % 20 === 0) asked.push(await seriesOf(port, 'a'))
  }
  await until(
    () => stepsOf(asked[0]!, page.events),
    (steps) => steps.at(-1) === 60,
  )
  for (const series of asked) expect(stepsOf(series, page.events)).toEqual(upTo(60))
  const numbers = page.events.filter(({ id }) => id !== '').map(numberOf)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  await until(
    () => named(page, 'runs').at(-1)?.data[0].step,
    (step) => step === 60,
  )
})

test('a page that reconnects gets what it missed, once', async () => {
  const folder = runsFolder({ a: [scalar(1, 1)] })
  const { port } = await boardOf(folder)
  await read(port)
  const [series, first] = [await seriesOf(port, 'a'), await stream(port)]
  addTo(folder, 'a', [scalar(2, 2)])
  await until(
    () => named(first, 'records').length,
    (count) => count === 1,
  )
  first.close()
  const { id } = first.events.at(-1)!
  addTo(folder, 'a', [scalar(3, 3)])
  await until(
    () => seriesOf(port, 'a'),
    ({ total }) => total === 3,
  )
  const second = await stream(port, id)
  addTo(folder, 'a', [scalar(4, 4)])
  await until(
    () => stepsOf(series, [...first.events, ...second.events]),
    (steps) => steps.at(-1) === 4,
  )
  expect(stepsOf(series, [...first.events, ...second.events])).toEqual([1, 2, 3, 4])
  expect(named(second, 'stale')).toEqual([])
})

test('after a restart of the server a page is told that what it has is stale, and what it asks for then has all', async () => {
  const folder = runsFolder({ a: [scalar(1, 1), scalar(2, 2)] })
  const first = await boardOf(folder)
  await read(first.port)
  const page = await stream(first.port)
  addTo(folder, 'a', [scalar(3, 3)])
  await until(
    () => named(page, 'records').length,
    (count) => count === 1,
  )
  await first.close()
  await until(
    () => page.isOver,
    (isOver) => isOver,
  )
  addTo(folder, 'a', [scalar(4, 4)])
  const { port } = await boardOf(folder, { port: first.port })
  const again = await stream(port, page.events.at(-1)!.id)
  await until(
    () => again.events.length,
    (count) => count > 0,
  )
  expect(again.events[0]).toMatchObject({ name: 'stale', data: {} })
  await read(port)
  const series = await seriesOf(port, 'a')
  addTo(folder, 'a', [scalar(5, 5)])
  await until(
    () => stepsOf(series, again.events),
    (steps) => steps.at(-1) === 5,
  )
  expect(stepsOf(series, again.events)).toEqual([1, 2, 3, 4, 5])
})

test.each(['nonsense', '0:1', ':', 'ffffffffffff:99999999999999999999', '\u00ff'])(
  'an id that is no event of this server (%j) is of another one',
  async (id) => {
    const { port } = await boardOf(runsFolder())
    const page = await stream(port, id)
    await until(
      () => page.events[0]?.name,
      (name) => name === 'stale',
    )
  },
)

describe('runs', () => {
  test('appear, and go', async () => {
    const folder = runsFolder()
    const { port } = await boardOf(folder)
    const page = await stream(port)
    writeRun(folder, 'deep/er/b', [scalar(1, 1)])
    await until(
      () => named(page, 'runs').flatMap(({ data }) => data.map(({ id }: RunSummary) => id)),
      (ids) => ids.includes('deep/er/b'),
    )
    rmSync(join(folder, 'deep'), { recursive: true })
    await until(
      () => named(page, 'gone').flatMap(({ data }) => data),
      (ids) => ids.includes('deep/er/b'),
    )
    expect(await json(port, '/api/runs')).toEqual([])
  })

  test('a mass of records is no news: the run is stale', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    const { port } = await boardOf(folder)
    await read(port)
    const page = await stream(port)
    addTo(
      folder,
      'a',
      upTo(30_000).map((i) => scalar(i + 1, i)),
    )
    await until(
      () => named(page, 'stale').flatMap(({ data }) => data.runs),
      (runs) => runs.includes('a'),
    )
    expect((await seriesOf(port, 'a')).total).toBe(30_001)
    const sent = named(page, 'records').reduce((sum, { data }) => sum + JSON.stringify(data).length, 0)
    expect(sent).toBeLessThan(2 ** 20)
  })

  test('what is large is only named', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    const { port } = await boardOf(folder)
    await read(port)
    const page = await stream(port)
    const text = (length: number) => ({ type: 'text', step: 2, time: 1, tag: 't', text: 'x'.repeat(length) }) as const
    addTo(folder, 'a', [text(20_000), text(3), { type: 'graph', nodes: [] }])
    await until(
      () => named(page, 'records').at(-1),
      (event) => event !== undefined,
    )
    expect(named(page, 'records').map(({ data }) => data)).toEqual([
      { run: 'a', records: [text(3)], more: ['text', 'graph'] },
    ])
  })
})

describe('a page that reads slowly', () => {
  /** Events by the tenth of a megabyte. */
  const big = (i: number) => ({ run: `run ${i}`, records: [], more: [], fill: 'x'.repeat(100_000) })

  test('holds up no other one, takes no memory, and is told that it has missed something', async () => {
    const { news, ...board } = await boardOf(runsFolder())
    const [slow, quick] = [await stream(board.port), await stream(board.port)]
    slow.pause()
    for (let i = 0; i < 300; i++) {
      news.stream.publish('records', big(i))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(
      () => named(quick, 'records').length + named(quick, 'stale').length,
      (count) => count >= 1,
    )
    await until(
      () => quick.events.at(-1)?.data.run,
      (run) => run === 'run 299',
    )
    expect(news.stream.bytes.waiting).toBeLessThan(2 ** 21)
    slow.resume()
    await until(
      () => named(slow, 'stale').length,
      (count) => count > 0,
    )
    news.stream.publish('records', big(300))
    await until(
      () => slow.events.at(-1)?.data.run,
      (run) => run === 'run 300',
    )
    const numbers = slow.events.map(numberOf)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    // A gap without a word would be a loss.
    for (const [i, event] of slow.events.entries())
      if (i > 0 && event.name === 'records') expect(numberOf(event)).toBe(numberOf(slow.events[i - 1]!) + 1)
  })

  test('keeps no more events than it may', () => {
    const stream = new Stream()
    for (let i = 0; i < 10_000; i++) stream.publish('gone', ['x'.repeat(10_000)])
    expect(stream.bytes.kept).toBeLessThanOrEqual(2 ** 23)
    expect(stream.number).toBe(10_000)
    stream.close()
  })
})

test('what happens after the end is told nobody, and does no harm', async () => {
  const { port, news } = await boardOf(runsFolder())
  const page = await stream(port)
  news.stream.close()
  news.stream.publish('gone', ['a'])
  await until(
    () => page.isOver,
    (isOver) => isOver,
  )
  expect(named(page, 'gone')).toEqual([])
})

test('so many pages are open, and then no more', async () => {
  const { port } = await boardOf(runsFolder())
  const pages = await Promise.all(Array.from({ length: 64 }, () => stream(port)))
  expect(pages.every(({ status }) => status === 200)).toBe(true)
  expect((await ask(port, '/api/stream')).status).toBe(503)
  pages[0]!.close()
  const again = await until(
    () => stream(port),
    ({ status }) => status === 200,
  )
  expect(again.status).toBe(200)
})
