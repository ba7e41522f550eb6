/** Runs of a folder, whatever is in its files and becomes of them: what can be read is shown, and what cannot is said. */
import { appendFileSync, copyFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { RunSummary, Series } from '../../lib/board/protocol.ts'
import { lineOf } from '../../lib/events/json-lines.ts'
import type { RunRecord } from '../../lib/events/record.ts'
import { addTo, ask, boardOf, fileOf, json, runsFolder, scalar, until, writeRun } from './support/board.ts'

const fixtures = fileURLToPath(new URL('../fixtures/tensorboard', import.meta.url))

const summariesOf = (port: number) => json<RunSummary[]>(port, '/api/runs')
const read = (port: number) =>
  until(
    () => summariesOf(port),
    (runs) => runs.every(({ read }) => read === 1),
  )
const summaryOf = async (port: number, id: string) => (await summariesOf(port)).find((run) => run.id === id)!
const seriesOf = async (port: number, run: string, rest = '') =>
  (await json<Series[]>(port, `/api/series?run=${encodeURIComponent(run)}&tag=loss${rest}`))[0]!
const total = (port: number, run: string, count: number) =>
  until(
    () => seriesOf(port, run),
    (series) => series.total === count,
  )
const recordsOf = (port: number, query: string) => json<RunRecord[]>(port, `/api/records?${query}`)

describe('a run', () => {
  test('is said in a line what it is', async () => {
    const folder = runsFolder({
      'a/b': [
        { type: 'run', name: 'first', epochs: 3, parameters: 10 },
        { type: 'hyperparameters', values: { width: 8, optimizer: 'adam', nesterov: false } },
        scalar(1, 0.5),
        { type: 'scalars', step: 2, epoch: 0.2, time: 1.7e12 + 2, values: { loss: Number.NaN, accuracy: 1 } },
        { type: 'text', step: 2, time: 1.7e12 + 3, tag: 'note', text: 'x' },
        { type: 'system', step: 2, time: 1.7e12 + 4, rss: 1, eventLoopDelay: 2, processors: 3, threads: 4 },
        { type: 'graph', nodes: [] },
        { type: 'end', time: 1.7e12 + 9, state: 'failed', message: 'it broke' },
      ],
    })
    const { port } = await boardOf(folder)
    expect(await read(port)).toEqual([
      {
        id: 'a/b',
        run: { name: 'first', epochs: 3, parameters: 10 },
        hyperparameters: { width: 8, optimizer: 'adam', nesterov: false },
        started: 1.7e12 + 1,
        updated: 1.7e12 + 9,
        state: 'failed',
        message: 'it broke',
        read: 1,
        last: { loss: null, accuracy: 1 },
        step: 2,
        tags: { scalars: ['loss', 'accuracy'], histogram: [], images: [], text: ['note'], prCurve: [] },
        has: ['graph', 'system'],
        controls: false,
      },
    ])
    const [threads] = await json<Series[]>(port, '/api/series?run=a/b&tag=system/threads')
    expect(threads).toMatchObject({ step: [2], value: [4], epoch: [null] })
  })

  test('is each folder with files of records, that of all among them, but not hidden ones', async () => {
    const folder = runsFolder({
      '.': [scalar(1, 1)],
      a: [scalar(1, 1)],
      'a/b/c': [scalar(1, 1)],
      '.hidden': [scalar(1, 1)],
    })
    writeFileSync(join(folder, 'a', 'other.jsonl'), 'none of ours')
    const { port } = await boardOf(folder)
    expect((await read(port)).map(({ id }) => id)).toEqual(['.', 'a', 'a/b/c'])
    expect((await seriesOf(port, '.')).total).toBe(1)
  })

  test('that goes on from an earlier step has what it does from there', async () => {
    const folder = runsFolder({
      a: [
        { type: 'run', name: 'a' },
        ...[1, 2, 3, 4].map((step) => scalar(step, step)),
        { type: 'end', time: 1, state: 'stopped' },
      ],
    })
    const { port } = await boardOf(folder)
    expect(await read(port)).toMatchObject([{ state: 'stopped' }])
    addTo(folder, 'a', [{ type: 'run', name: 'a', step: 2 }, scalar(3, 30)])
    const series = await until(
      () => seriesOf(port, 'a'),
      ({ value }) => value.includes(30),
    )
    expect(series).toMatchObject({ step: [1, 2, 3], value: [1, 2, 30], total: 3 })
    expect(await summaryOf(port, 'a')).toMatchObject({ state: 'running', step: 3 })
    addTo(folder, 'a', [{ type: 'run', name: 'again' }, scalar(1, 100)])
    expect(
      await until(
        () => seriesOf(port, 'a'),
        ({ value }) => value.includes(100),
      ),
    ).toMatchObject({ step: [1] })
  })
})

describe('series', () => {
  test('are decimated to what was asked for, of several runs in their order, and empty where there is none', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => scalar(i, i === 1234 ? 1e6 : i === 4321 ? -1e6 : 1))
    const { port } = await boardOf(runsFolder({ a: many, b: [scalar(1, 2, 'other')], c: [scalar(7, 8)] }))
    await read(port)
    const found = await json<Series[]>(port, '/api/series?run=c&run=b&run=a&tag=loss&points=100')
    expect(found.map(({ run, total }) => [run, total])).toEqual([
      ['c', 1],
      ['b', 0],
      ['a', 5000],
    ])
    const { step, value } = found[2]!
    expect(step.length).toBeLessThanOrEqual(100)
    expect([step[0], step.at(-1)]).toEqual([0, 4999])
    expect(value).toEqual(expect.arrayContaining([1e6, -1e6]))
    const range = await seriesOf(port, 'a', '&from=1233&to=1235.5')
    expect(range).toMatchObject({ step: [1232, 1233, 1234, 1235, 1236], total: 5000 })
  })

  test.each([
    ['points=9', 'an integer from 10 to 100000 as points'],
    ['points=1e9', 'points'],
    ['points=x', 'a number as points'],
    ['from=', 'a number as from'],
    ['to=Infinity', 'a number as to'],
    ['other=1', 'no parameters but'],
  ])('with %s are refused', async (query, message) => {
    const { port } = await boardOf(runsFolder({ a: [scalar(1, 1)] }))
    const { status, text } = await ask(port, `/api/series?run=a&tag=loss&${query}`)
    expect([status, JSON.parse(text).error]).toEqual([400, expect.stringContaining(message)])
  })

  test('without a run or a tag are refused', async () => {
    const { port } = await boardOf(runsFolder({ a: [scalar(1, 1)] }))
    for (const query of ['', '?run=a', '?tag=loss', `?tag=loss${'&run=a'.repeat(1001)}`])
      expect((await ask(port, `/api/series${query}`)).status, query).toBe(400)
  })
})

test('records are those of a type and a tag, the newest or spread', async () => {
  const records = Array.from({ length: 500 }, (_, step): RunRecord[] => [
    { type: 'text', step, time: 1, tag: 'note', text: `${step}` },
    {
      type: 'histogram',
      step,
      time: 1,
      tag: 'weights',
      value: { edges: [0, 1], counts: [step], minimum: 0, maximum: 1, sum: 1, sumOfSquares: 1, notFinite: 0 },
    },
  ]).flat()
  const { port } = await boardOf(runsFolder({ a: records }))
  await read(port)
  const texts = await recordsOf(port, 'run=a&type=text&tag=note&most=3')
  expect(texts).toEqual(records.filter(({ type }) => type === 'text').slice(-3))
  const histograms = await recordsOf(port, 'run=a&type=histogram')
  const steps = histograms.map((record) => (record as { step: number }).step)
  expect(steps.length).toBeLessThanOrEqual(200)
  expect([steps[0], steps.at(-1)]).toEqual([0, 499])
  expect(await recordsOf(port, 'run=a&type=text&tag=none')).toEqual([])
  for (const query of ['run=a', 'run=a&type=scalars', 'run=a&type=__proto__', 'run=a&type=text&most=0', 'type=text'])
    expect((await ask(port, `/api/records?${query}`)).status, query).toBe(400)
})

describe('names and texts', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '</script><img src=x onerror=alert(1)>',
    '<!--<script>',
    ']]>',
    '"\'`{alert(1)}',
    '\u2028\u2029',
    '\u202egnp.exe',
    '__proto__',
    'constructor',
    'a\nevent: stale\ndata: {}\n\n',
    '%2e%2e%2f',
    'a&run=b#c?d',
  ]

  test.each(hostile)('%j goes through as data, in every field', async (text) => {
    const image = { width: 1, height: 1, channels: 1, png: 'iVBORw0KGgo=' } as const
    const place = { step: 1, time: 1.7e12 }
    const records: RunRecord[] = [
      { type: 'run', name: text },
      { type: 'hyperparameters', values: Object.fromEntries([[text, text]]) },
      { type: 'scalars', ...place, values: Object.fromEntries([[text, 1]]) },
      { type: 'text', ...place, tag: text, text },
      { type: 'images', ...place, tag: text, images: [image] },
      { type: 'confusion', ...place, labels: [text], counts: [[1]] },
      {
        type: 'examples',
        ...place,
        labels: [text],
        examples: [{ row: 0, label: 0, predicted: 0, probability: 0, image }],
      },
      { type: 'graph', nodes: [{ name: text, op: text, inputs: [], dtype: text, shape: [1] }] },
      { type: 'program', title: text, instructions: [{ opcode: text, text, bytes: 1, flops: 1 }] },
      { type: 'end', time: 1.7e12, state: 'failed', message: text },
    ]
    // Not every text is the name of a folder.
    const id = text.replaceAll(/[/\0]/g, '_')
    const folder = runsFolder({ [id]: records })
    const { port } = await boardOf(folder)
    const [summary] = await read(port)
    expect(summary).toMatchObject({ id, run: { name: text }, message: text, state: 'failed' })
    expect(summary!.tags).toMatchObject({ scalars: [text], text: [text], images: [text] })
    expect(Object.entries(summary!.last)).toEqual([[text, 1]])
    expect(Object.entries(summary!.hyperparameters!)).toEqual([[text, text]])
    const query = new URLSearchParams({ run: id, tag: text })
    expect(await json<Series[]>(port, `/api/series?${query}`)).toMatchObject([{ run: id, tag: text, value: [1] }])
    for (const record of records.filter(({ type }) =>
      ['text', 'images', 'confusion', 'examples', 'graph', 'program'].includes(type),
    ))
      expect(await recordsOf(port, `${new URLSearchParams({ run: id, type: record.type })}`)).toEqual([record])
    const exported = (await ask(port, `/api/export?${new URLSearchParams({ run: id })}`)).text
    const [, held] = /<script type="application\/json" id="galvani-export">([^<]*)<\/script>/.exec(exported)!
    expect(JSON.parse(held!)).toMatchObject([{ summary: { id, message: text, controls: false } }])
    expect(JSON.parse(held!)[0].records).toHaveLength(6)
    expect(JSON.parse(held!)[0].series).toMatchObject([{ tag: text, value: [1] }])
  })
})

test('an export larger than a connection holds is written as it is taken, and warns of nothing', async () => {
  const tags = Array.from({ length: 40 }, (_, i) => `loss/${i}`)
  const steps = Array.from({ length: 1000 }, (_, i) => i + 1)
  const records = steps.map((step): RunRecord => {
    const values = Object.fromEntries(tags.map((tag) => [tag, Math.sin(step)]))
    return { type: 'scalars', step, time: 1.7e12 + step, values }
  })
  const { port } = await boardOf(runsFolder({ a: records }))
  await read(port)
  const warnings: Error[] = []
  const warn = (warning: Error) => warnings.push(warning)
  process.on('warning', warn)
  const { text } = await ask(port, '/api/export?run=a')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warn)
  expect(text.length).toBeGreaterThan(1e6)
  expect(warnings).toEqual([])
})

describe('a file', () => {
  test('whose last line is not there whole is read on when it is', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    const line = lineOf(scalar(2, 2))
    appendFileSync(fileOf(folder, 'a'), line.slice(0, 20))
    const { port } = await boardOf(folder)
    await total(port, 'a', 1)
    appendFileSync(fileOf(folder, 'a'), line.slice(20))
    expect(await total(port, 'a', 2)).toMatchObject({ value: [1, 2] })
    expect((await summaryOf(port, 'a')).message).toBeUndefined()
  })

  test.each([
    ['is truncated and written anew', (path: string, text: string) => writeFileSync(path, text)],
    [
      'is replaced by another one that is longer',
      (path: string, text: string) => {
        writeFileSync(`${path}.new`, text.repeat(20))
        renameSync(`${path}.new`, path)
      },
    ],
    [
      'is written over by more',
      (path: string, text: string) => {
        truncateSync(path)
        writeFileSync(path, text.repeat(20))
      },
    ],
  ])('that %s begins anew', async (_, rewrite) => {
    const folder = runsFolder({ a: [1, 2, 3, 4, 5].map((step) => scalar(step, 1)) })
    const { port } = await boardOf(folder)
    await total(port, 'a', 5)
    rewrite(fileOf(folder, 'a'), lineOf(scalar(1, 7)))
    const series = await until(
      () => seriesOf(port, 'a'),
      ({ value }) => value.includes(7),
    )
    expect(series.value.every((value) => value === 7)).toBe(true)
  })

  test('that goes takes its run with it', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)], b: [scalar(1, 1)] })
    const { port } = await boardOf(folder)
    await read(port)
    rmSync(fileOf(folder, 'a'))
    await until(
      () => summariesOf(port),
      (runs) => runs.length === 1,
    )
    expect((await ask(port, '/api/series?run=a&tag=loss')).status).toBe(404)
  })

  test('with lines that are no records has the others, and the run says so', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)], b: [scalar(1, 1)] })
    const wrong = [
      '{',
      '[]',
      'null',
      '{"type":"scalars"}',
      '{"type":"scalars","step":1,"time":1,"values":null}',
      '\0\0',
      '',
    ]
    appendFileSync(fileOf(folder, 'a'), `${wrong.join('\n')}\n${lineOf(scalar(2, 2))}`)
    const { port } = await boardOf(folder)
    await total(port, 'a', 2)
    const [a, b] = await summariesOf(port)
    expect(a!.message).toContain('expected a line of JSON')
    expect(b!.message).toBeUndefined()
  })

  test('with a line that is too long has the others', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    appendFileSync(fileOf(folder, 'a'), `{"type":"text","text":"${'x'.repeat(2 ** 24 + 10)}"}\n${lineOf(scalar(2, 2))}`)
    const { port } = await boardOf(folder)
    expect(await total(port, 'a', 2)).toMatchObject({ value: [1, 2] })
    expect((await summaryOf(port, 'a')).message).toContain('lines of at most 16777216 bytes')
  })

  test('of numbers beyond all measure is shown as far as it goes', async () => {
    const folder = runsFolder({ a: [] })
    writeFileSync(
      fileOf(folder, 'a'),
      [1e308, -1e308, 0]
        .map((x) => `${JSON.stringify({ type: 'scalars', step: 9007199254740991, time: x, values: { loss: x } })}\n`)
        .join(''),
    )
    const { port } = await boardOf(folder)
    expect(await total(port, 'a', 3)).toMatchObject({ value: [1e308, -1e308, 0] })
  })
})

describe("TensorBoard's event files", () => {
  test('are read beside JSON lines, and go on', async () => {
    const folder = runsFolder({ lines: [scalar(1, 1)] })
    for (const name of ['old', 'new']) {
      mkdirSync(join(folder, name))
      copyFileSync(join(fixtures, `${name}.tfevents`), join(folder, name, 'events.out.tfevents.1.host'))
    }
    const { port } = await boardOf(folder)
    const runs = await read(port)
    expect(runs.map(({ id, message }) => [id, message])).toEqual([
      ['lines', undefined],
      ['new', undefined],
      ['old', undefined],
    ])
    for (const { tags } of runs.slice(1)) expect(tags.scalars.length + tags.histogram.length).toBeGreaterThan(1)
  })

  test('that are damaged are read up to there, and the run says so', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    mkdirSync(join(folder, 'b'))
    const file = join(folder, 'b', 'events.out.tfevents.1.host')
    copyFileSync(join(fixtures, 'old.tfevents'), file)
    appendFileSync(file, Buffer.alloc(100, 1))
    const { port } = await boardOf(folder)
    const b = (await read(port)).find(({ id }) => id === 'b')!
    expect(b.message).toMatch(/CRC-32C/)
    expect(b.tags.scalars.length).toBeGreaterThan(0)
    expect((await seriesOf(port, 'a')).total).toBe(1)
  })

  test('beside lines of the same run are left alone', async () => {
    const folder = runsFolder({ a: [scalar(1, 1)] })
    copyFileSync(join(fixtures, 'old.tfevents'), join(folder, 'a', 'events.out.tfevents.1.host'))
    const { port } = await boardOf(folder)
    expect((await read(port))[0]!.tags.scalars).toEqual(['loss'])
  })
})

describe('memory', () => {
  test('is bounded: less of each run is kept, with its peaks', async () => {
    const runs = Array.from({ length: 8 }, (_, run) => {
      const records = Array.from({ length: 20_000 }, (_, i) => scalar(i, i === 100 * run + 5 ? 1e6 : i % 7))
      return [`run${run}`, records] as const
    })
    const memory = 2 ** 20
    const { port, news } = await boardOf(runsFolder(Object.fromEntries(runs)), { memory })
    await read(port)
    const bytes = news.runs.ids.reduce((sum, id) => sum + news.runs.get(id)!.run.bytes, 0)
    expect(bytes).toBeLessThanOrEqual(memory)
    for (const [run] of runs) {
      const { value, step, total } = await seriesOf(port, run, '&points=100000')
      expect([Math.max(...(value as number[])), step.at(-1), total]).toEqual([1e6, 19_999, 20_000])
    }
  })

  test('that does not suffice is said, and the server goes on', async () => {
    const tags = Array.from({ length: 1500 }, (_, i) => [`tag ${i}`, 1])
    const many: RunRecord[] = Array.from({ length: 100 }, (_, step) => ({
      type: 'scalars',
      step,
      time: 1,
      values: Object.fromEntries(tags),
    }))
    const { port } = await boardOf(runsFolder({ a: many, b: many }), { memory: 2 ** 20 })
    const runs = await until(
      () => summariesOf(port),
      (runs) => runs.some(({ message }) => message !== undefined),
    )
    expect(runs.map(({ message }) => message).join()).toMatch(/more than the 1 MiB/)
  })

  test('of tags is bounded', async () => {
    const values = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`tag ${i}`, 1]))
    const { port } = await boardOf(runsFolder({ a: [{ type: 'scalars', step: 1, time: 1, values }] }))
    const [a] = await read(port)
    expect(a!.tags.scalars).toHaveLength(2000)
    expect(a!.message).toBe('tags beyond 2000, or of more than 1000 characters, are left out')
  })
})

test('a hundred folders are found, however they are nested, and those too deep are not', async () => {
  const folder = runsFolder()
  for (let i = 0; i < 100; i++) writeRun(folder, `group ${i % 10}/run ${i}`, [scalar(1, i)])
  const deep = join(folder, ...Array.from({ length: 20 }, (_, i) => `d${i}`))
  mkdirSync(dirname(join(deep, 'x')), { recursive: true })
  writeFileSync(join(deep, 'events.jsonl'), lineOf(scalar(1, 1)))
  const { port } = await boardOf(folder)
  const runs = await read(port)
  expect(runs).toHaveLength(100)
  const query = runs.map(({ id }) => `run=${encodeURIComponent(id)}`).join('&')
  expect(await json<Series[]>(port, `/api/series?${query}&tag=loss`)).toHaveLength(100)
})
