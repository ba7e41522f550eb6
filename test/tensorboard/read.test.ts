/** Event files that TensorBoard's own modules wrote: test/fixtures/make_tensorboard_fixtures.py. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunRecord, RunRecords } from '../../lib/events/record.ts'
import { DataFormatError } from '../../lib/index.ts'
import {
  isEventFile,
  type ReadEventsOptions,
  readEvents,
  recordsOf,
  type TensorBoardEvent,
} from '../../lib/tensorboard/index.ts'
import { crc32c } from '../../lib/tensorboard/wire/crc32c.ts'
import { framed } from '../../lib/tensorboard/wire/frames.ts'

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/tensorboard/${name}`, import.meta.url))
const bytesOf = (name: string) => new Uint8Array(readFileSync(pathOf(name)))
const expected = JSON.parse(readFileSync(pathOf('expected.json'), 'utf8'))

async function eventsIn(from: string | Uint8Array, options?: ReadEventsOptions): Promise<TensorBoardEvent[]> {
  const events: TensorBoardEvent[] = []
  for await (const event of readEvents(from, options)) events.push(event)
  return events
}

const recordsIn = async (name: string): Promise<RunRecord[]> => (await eventsIn(pathOf(name))).flatMap(recordsOf)

const one = <T extends RunRecord['type']>(records: readonly RunRecord[], type: T, tag?: string) =>
  records.find((record) => record.type === type && (tag === undefined || ('tag' in record && record.tag === tag))) as
    | RunRecords[T]
    | undefined

const pixelsOf = (png: string, channels: number): number[] =>
  [...PNG.sync.read(Buffer.from(png, 'base64')).data].filter((_, i) => i % 4 < channels)

test('the check value of CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(new Uint8Array(0))).toBe(0)
})

test('an event file by its name', () => {
  expect(isEventFile('runs/1/events.out.tfevents.1767225600.host.1.0')).toBe(true)
  expect(isEventFile('runs.tfevents/records.jsonl')).toBe(false)
})

describe('the forms of TensorFlow 1 and PyTorch', async () => {
  const events = await eventsIn(pathOf('old.tfevents'))
  const records = events.flatMap(recordsOf)

  test('the version and the times', () => {
    expect(events[0]).toMatchObject({
      fileVersion: 'brain.Event:2',
      step: 0,
      time: 1767225600250,
      start: 0,
      values: [],
    })
    expect(events.map(({ time }) => time)).toEqual(events.map((_, i) => 1767225600250 + 1000 * i))
    expect(events.at(-1)).toMatchObject({ step: 2 ** 40, end: bytesOf('old.tfevents').length })
  })

  test('scalars of one event are one record, NaN among them', () => {
    expect(records.filter(({ type }) => type === 'scalars')).toEqual([
      { type: 'scalars', step: 1, time: 1767225601250, values: { 'loss/train': 0.75, accuracy: 0.5 } },
      { type: 'scalars', step: 2, time: 1767225602250, values: { 'loss/train': Number.NaN } },
      { type: 'scalars', step: 2 ** 40, time: 1767225607250, values: { late: 1 } },
    ])
  })

  test('a histogram whose outer limits are the greatest numbers', () => {
    const { minimum, maximum, counts, innerEdges, sum, sumOfSquares } = expected
    expect(one(records, 'histogram')?.value).toEqual({
      edges: [minimum, ...innerEdges, maximum],
      counts,
      minimum,
      maximum,
      sum,
      sumOfSquares,
      notFinite: 0,
    })
  })

  test('an image', () => {
    const image = one(records, 'images', 'digits')?.images[0]
    expect(image).toMatchObject({ width: 4, height: 5, channels: 1 })
    expect(pixelsOf(image!.png, 1)).toEqual(expected.gray.flat())
  })

  test('a curve of precision and recall', () => {
    const { value } = one(records, 'prCurve', 'pr')!
    const { thresholds, truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall } = value
    expect(thresholds).toEqual([0, 0.5, 1])
    const rows = [truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall]
    expect(rows).toEqual(expected.curve)
  })

  test('a graph', () => {
    const float = { dtype: 'float32' }
    expect(one(records, 'graph')?.nodes).toEqual([
      { name: 'x', op: 'Placeholder', inputs: [], ...float, shape: [8, 4] },
      { name: 'layers.0/weight', op: 'VariableV2', inputs: [], ...float, shape: [3, 4] },
      { name: 'layers.0/matmul', op: 'MatMul', inputs: ['x', 'layers.0/weight', 'x'], ...float, shape: [8, 3] },
    ])
  })
})

describe('the forms of TensorFlow 2', async () => {
  const records = await recordsIn('new.tfevents')

  test('scalars that are tensors, of float16 too', () => {
    const values = records.flatMap((record) => (record.type === 'scalars' ? [record.values] : []))
    expect(values).toEqual([{ loss: Math.fround(0.1) }, { half: 0.333251953125 }])
  })

  test.each(['weights', 'constant'])('a histogram that is a tensor: %s', (tag) => {
    const rows: [number, number, number][] = expected[tag]
    const { edges, counts, minimum, maximum } = one(records, 'histogram', tag)!.value
    expect(edges).toEqual([rows[0]![0], ...rows.map(([, upper]) => upper)])
    expect(counts).toEqual(rows.map(([, , count]) => count))
    expect([minimum, maximum]).toEqual([rows[0]![0], rows.at(-1)![1]])
  })

  test('the sums of its middles stand for those of its elements', () => {
    expect(one(records, 'histogram', 'constant')!.value).toMatchObject({ sum: 21, sumOfSquares: 63 })
  })

  test('a histogram of nothing', () => {
    expect(one(records, 'histogram', 'nothing')!.value).toMatchObject({ edges: [0], counts: [] })
  })

  test('a tag whose plugin is named but the first time', () => {
    const of = records.flatMap((record) => (record.type === 'histogram' && record.tag === 'once' ? [record] : []))
    expect(of.map(({ step }) => step)).toEqual([1, 2])
    expect(of[1]!.value.counts).toEqual(expected.again.map(([, , count]: number[]) => count))
  })

  test('several images of a step', () => {
    const images = one(records, 'images', 'photos')!.images
    expect(images.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [6, 3, 3],
      [6, 3, 3],
    ])
    expect(pixelsOf(images[0]!.png, 3)).toEqual(expected.color.flat(2))
    expect(pixelsOf(images[1]!.png, 3)).toEqual(expected.color.toReversed().flat(2))
  })

  test('texts as they are', () => {
    expect(one(records, 'text', 'notes')?.text).toBe('**bold** <b>ü</b>')
    expect(one(records, 'text', 'rows')?.text).toBe('first\nsecond')
  })

  test('hyper-parameters, and how the run ended', () => {
    const values = { learningRate: 0.125, optimizer: 'adam', nesterov: true }
    expect(one(records, 'hyperparameters')).toEqual({ type: 'hyperparameters', values })
    expect(one(records, 'end')).toMatchObject({ state: 'failed' })
  })
})

describe('a file that is being written', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'events-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('ends before a record that is not whole, wherever it is cut', async () => {
    const bytes = bytesOf('new.tfevents')
    const events = await eventsIn(bytes)
    for (let size = 0; size <= bytes.length; size++) {
      const whole = events.filter(({ end }) => end <= size).length
      expect(await eventsIn(bytes.subarray(0, size))).toHaveLength(whole)
    }
  })

  test('is gone on with from the end of the last event, with the plugins that were named', async () => {
    const [path, bytes] = [join(folder, 'tfevents'), bytesOf('new.tfevents')]
    const plugins = new Map<string, string>()
    const records: RunRecord[] = []
    let from = 0
    writeFileSync(path, '')
    for (let size = 0; size < bytes.length; size += 37) {
      appendFileSync(path, bytes.subarray(size, size + 37))
      for await (const event of readEvents(path, { from, plugins })) {
        records.push(...recordsOf(event))
        from = event.end
      }
    }
    expect(from).toBe(bytes.length)
    expect(records).toEqual(await recordsIn('new.tfevents'))
  })

  test('a place behind its end', async () => {
    await expect(eventsIn(bytesOf('old.tfevents'), { from: 2000 })).rejects.toThrow(
      'readEvents: expected a from of at most the 1082 bytes of bytes, got 2000',
    )
  })
})

describe('damage', () => {
  const bytes = bytesOf('old.tfevents')

  test.each([
    [3, 0, 'the length of a record and its CRC-32C'],
    [50, 40, 'the length of a record and its CRC-32C'],
    [60, 40, 'the bytes of a record and their CRC-32C'],
  ])('of byte %i is said to be in the record at byte %i', async (at, place, what) => {
    const damaged = bytes.slice()
    damaged[at]! ^= 1
    const events: number[] = []
    const reading = (async () => {
      for await (const { start } of readEvents(damaged)) events.push(start)
    })()
    await expect(reading).rejects.toThrow(DataFormatError)
    await expect(reading).rejects.toThrow(`readEvents: expected ${what}, got another sum (bytes, at byte ${place})`)
    expect(events).toEqual(place === 0 ? [] : [0])
  })

  test('a record that is longer than any may be is refused before it is read', async () => {
    const huge = Buffer.from(framed(new Uint8Array(10)).subarray(0, 12))
    await expect(eventsIn(bytes, { maxEventBytes: 30 })).rejects.toThrow(/at most 30 bytes, got one of 49 .*byte 40/)
    const { maskedCrc32c } = await import('../../lib/tensorboard/wire/crc32c.ts')
    huge.writeBigUInt64LE(2n ** 62n)
    huge.writeUInt32LE(maskedCrc32c(huge.subarray(0, 8)), 8)
    await expect(eventsIn(huge)).rejects.toThrow('records of at most 67108864 bytes, got one of 4611686018427388000')
  })

  test('a record that is no event', async () => {
    await expect(eventsIn(framed(Uint8Array.of(0x2a, 0x7f)))).rejects.toThrow(
      /^readEvents: expected a message Event, got .+ \(bytes, at byte 0\)$/,
    )
  })

  test('a histogram of more counts than limits is none', async () => {
    const counts = Buffer.from(new Float64Array([1, 2, 3]).buffer)
    // By their numbers: bucket 7 of histo 5 of value 1 of summary 5.
    const event = [7, 5, 1, 5].reduce(
      (inner, field) => Buffer.concat([Uint8Array.of(8 * field + 2, inner.length), inner]),
      counts,
    )
    const events = await eventsIn(framed(event))
    expect(events.flatMap(({ values }) => values)).toMatchObject([{ kind: 'other' }])
  })

  test('an event of more parts than memory has room for', async () => {
    // Field 1 of a summary, empty, over and over.
    const summary = Buffer.alloc(6e6, Uint8Array.of(0x0a, 0))
    const head = Uint8Array.of(
      0x2a,
      ...[0, 7, 14, 21].map((shift, i) => ((summary.length >> shift) & 127) | (i < 3 ? 128 : 0)),
    )
    await expect(eventsIn(framed(Buffer.concat([head, summary])))).rejects.toThrow(
      'readEvents: expected a message Event, got one of more than 2097152 parts',
    )
  })

  test('what is no file', async () => {
    await expect(eventsIn('no such file')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(() => readEvents(5 as never)).toThrow('readEvents: expected a path or a Uint8Array, got 5')
    expect(() => readEvents('x', { offset: 1 } as object)).toThrow('readEvents: unknown option offset')
  })
})
