/** Records as lines of JSON: what is written is read back, and what is none is refused line by line. */
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { jsonLines, readRecords, recordRun } from '../../lib/board/index.ts'
import { checkedRecord } from '../../lib/events/checked-record.ts'
import { lineOf } from '../../lib/events/json-lines.ts'
import type { RunRecord } from '../../lib/events/record.ts'
import { RecordReader } from '../../lib/events/record-reader.ts'
import { records } from '../support/records.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-records-'))
  path = join(folder, 'events.jsonl')
})
afterEach(() => rm(folder, { recursive: true }))

async function readAll(reader: RecordReader) {
  const found = { records: [] as RunRecord[], damaged: [] as string[] }
  for (;;) {
    const { records, damaged, isAtEnd } = await reader.read()
    found.records.push(...records)
    found.damaged.push(...damaged.map(({ error }) => error.message))
    if (isAtEnd) return found
  }
}

describe('a sink', () => {
  test('writes every kind of record so that it is read back as it was', async () => {
    const sink = jsonLines(join(folder, 'a', 'b'))
    for (const record of records) sink.write(record)
    await sink.close()
    expect(await readAll(new RecordReader(join(folder, 'a', 'b', 'events.jsonl')))).toEqual({ records, damaged: [] })
  })

  test('keeps order over flushes, and adds to what is there', async () => {
    const sink = jsonLines(folder)
    const [first, ...rest] = records as [RunRecord, ...RunRecord[]]
    sink.write(first)
    const flushed = sink.flush()
    for (const record of rest) sink.write(record)
    await flushed
    await sink.close()
    const later = jsonLines(folder)
    later.write(first)
    await later.close()
    expect((await readAll(new RecordReader(path))).records).toEqual([...records, first])
  })

  test('writes after it was closed', async () => {
    const sink = jsonLines(folder)
    for (const record of records.slice(0, 2)) {
      sink.write(record)
      await sink.close()
    }
    expect((await readAll(new RecordReader(path))).records).toEqual(records.slice(0, 2))
  })

  test('writes by itself after a while', async () => {
    const sink = jsonLines(folder)
    sink.write(records[0]!)
    let text = ''
    for (let i = 0; i < 500 && text === ''; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      text = await readFile(path, 'utf8').catch(() => '')
    }
    expect(text).toBe(lineOf(records[0]!))
    await sink.close()
  })

  test('begins on a line of its own after one that was cut off', async () => {
    await writeFile(path, `${lineOf(records[0]!)}{"type":"scal`)
    const sink = jsonLines(folder)
    sink.write(records[1]!)
    await sink.close()
    const found = await readAll(new RecordReader(path))
    expect(found.records).toEqual(records.slice(0, 2))
    expect(found.damaged).toEqual([expect.stringContaining('a line of JSON')])
  })

  test('throws what the file system says at the next record, at a flush and at the end', async () => {
    await writeFile(path, '')
    const error = expect.objectContaining({ code: 'ENOTDIR', message: expect.stringContaining('cannot write') })
    const sink = jsonLines(join(path, 'x'))
    sink.write(records[0]!)
    await expect(sink.flush()).rejects.toEqual(error)
    sink.write(records[0]!)
    await expect(sink.close()).rejects.toEqual(error)
    sink.write(records[0]!)
    // The failure of a write that nobody waited for.
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(() => sink.write(records[0]!)).toThrow(error)
    await sink.close().catch(() => {})
  })

  test('refuses to keep more than 64 MB in memory', () => {
    const sink = jsonLines(folder)
    const record: RunRecord = { type: 'text', step: 0, time: 0, tag: 'long', text: 'x'.repeat(2 ** 22) }
    expect(() => {
      for (let i = 0; i < 20; i++) sink.write(record)
    }).toThrow(/as fast as records come/)
  })

  test.each([[''], ['a\0b']])('refuses the folder %j', (bad) => {
    expect(() => jsonLines(bad)).toThrow(RangeError)
    expect(() => recordRun(bad)).toThrow(/^recordRun: expected a path/)
    expect(() => recordRun('a', { histogram: 1 } as object)).toThrow(/^recordRun: unknown option histogram/)
  })
})

describe('a reader', () => {
  test('finds nothing in a file that is not there yet, and what comes later', async () => {
    const reader = new RecordReader(path)
    expect(await reader.read()).toEqual({ records: [], damaged: [], isNew: false, isAtEnd: true })
    await writeFile(path, lineOf(records[0]!))
    expect((await reader.read()).records).toEqual([records[0]])
  })

  test('leaves a last line without an end for later', async () => {
    const line = lineOf(records[2]!)
    await writeFile(path, lineOf(records[0]!) + line.slice(0, 20))
    const reader = new RecordReader(path)
    expect((await reader.read()).records).toEqual([records[0]])
    expect((await reader.read()).records).toEqual([])
    await appendFile(path, line.slice(20))
    expect((await reader.read()).records).toEqual([records[2]])
  })

  test('goes on from an offset', async () => {
    await writeFile(path, records.map(lineOf).join(''))
    const first = new RecordReader(path)
    const found = await readAll(first)
    await appendFile(path, lineOf(records[0]!))
    expect(found.records.length).toBe(records.length)
    expect((await readAll(new RecordReader(path, { offset: first.offset }))).records).toEqual([records[0]])
  })

  test('begins anew where the file has become shorter', async () => {
    await writeFile(path, records.map(lineOf).join(''))
    const reader = new RecordReader(path)
    await readAll(reader)
    await truncate(path, 0)
    await appendFile(path, lineOf(records[1]!))
    expect(await reader.read()).toMatchObject({ records: [records[1]], isNew: true })
  })

  test('reads much in several goes, each of bounded length', async () => {
    const count = 20_000
    const record = (step: number): RunRecord => ({ type: 'scalars', step, time: 0, values: { 'loss/train': step / 7 } })
    await writeFile(path, Array.from({ length: count }, (_, i) => lineOf(record(i))).join(''))
    const reader = new RecordReader(path)
    let [goes, next] = [0, 0]
    for (let isAtEnd = false; !isAtEnd; goes++) {
      const found = await reader.read()
      for (const each of found.records) expect(each).toEqual(record(next++))
      isAtEnd = found.isAtEnd
    }
    expect(next).toBe(count)
    expect(goes).toBeGreaterThan(3)
  })

  test('passes over lines that are too long, also over several reads, and names them', async () => {
    const long = JSON.stringify({ type: 'text', step: 0, time: 0, tag: 'a', text: 'x'.repeat(2 ** 20) })
    await writeFile(path, `${lineOf(records[0]!)}${long}\n${lineOf(records[1]!)}`)
    const found = await readAll(new RecordReader(path, { mostBytesPerLine: 10_000 }))
    expect(found.records).toEqual(records.slice(0, 2))
    expect(found.damaged).toEqual([expect.stringContaining('lines of at most 10000 bytes')])
  })

  test('reads one line that is longer than one go', async () => {
    const record: RunRecord = { type: 'text', step: 0, time: 0, tag: 'a', text: 'x'.repeat(2 ** 21) }
    await writeFile(path, lineOf(record) + lineOf(records[0]!))
    expect((await readAll(new RecordReader(path))).records).toEqual([record, records[0]])
  })

  test.each([
    ['no JSON', '{"type":"run"', 'a line of JSON'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'UTF-8'],
    ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), 'an object as a record'],
    ['another type', '{"type":"constructor"}', 'one of run'],
  ])('passes over a line with %s, and names it', async (_, line, message) => {
    await writeFile(path, Buffer.concat([Buffer.from(lineOf(records[0]!)), Buffer.from(line), Buffer.from('\n')]))
    await appendFile(path, lineOf(records[1]!))
    const found = await readAll(new RecordReader(path))
    expect(found.records).toEqual(records.slice(0, 2))
    expect(found.damaged).toHaveLength(1)
    expect(found.damaged[0]).toContain(message)
    expect(found.damaged[0]).toContain(`at byte ${lineOf(records[0]!).length} of`)
  })

  test('rejects where the file is none', async () => {
    await mkdir(path)
    await expect(new RecordReader(path).read()).rejects.toMatchObject({ code: 'EISDIR' })
  })

  test('takes no other options', () => {
    expect(() => new RecordReader(path, { offset: -1 })).toThrow(RangeError)
    expect(() => new RecordReader(path, { bytes: 1 } as object)).toThrow(/unknown option bytes/)
  })
})

describe('readRecords', () => {
  test('gives all records of a file, and tells of lines that are none', async () => {
    await writeFile(path, records.map(lineOf).join('no JSON\n'))
    const [found, damaged]: [RunRecord[], number[]] = [[], []]
    const onDamaged = ({ offset }: { offset: number }) => damaged.push(offset)
    for await (const record of readRecords(path, { onDamaged })) found.push(record)
    expect(found).toEqual(records)
    expect(damaged.length).toBe(records.length - 1)
    expect(damaged[0]).toBe(lineOf(records[0]!).length)
  })

  test('refuses what is no path, and a file that is not there', async () => {
    expect(() => readRecords(1 as never)).toThrow(/^readRecords: expected a path/)
    expect(() => readRecords('a', { from: 1 } as never)).toThrow(/unknown option from/)
    await expect(readRecords(path).next()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a record that somebody else wrote', () => {
  test.each(records.map((record) => [record.type, record]))('%s: a field of another type is refused', (_, record) => {
    for (const name of Object.keys(record).filter((name) => name !== 'type'))
      for (const wrong of [{}, null, Symbol.iterator, [[]]]) {
        const changed = { ...record, [name]: wrong }
        // What is by name may be empty.
        if (name === 'values' && wrong !== null && !Array.isArray(wrong) && typeof wrong === 'object') continue
        expect(() => checkedRecord(changed), `${name} as ${String(wrong)}`).toThrow(/^records: expected/)
      }
  })

  test('numbers that are not finite are texts, and no other text is a number', () => {
    const scalars = (x: unknown) => ({ type: 'scalars', step: 1, time: 2, values: { x } })
    expect(checkedRecord(scalars('-Infinity'))).toEqual(scalars(-Infinity))
    expect(checkedRecord(scalars('NaN'))).toEqual(scalars(Number.NaN))
    for (const x of ['1', '', 'toString', null]) expect(() => checkedRecord(scalars(x))).toThrow('a number as values.x')
  })

  test('__proto__ is a name like others, and changes nothing', () => {
    const text = '{"type":"scalars","step":1,"time":2,"values":{"__proto__":3},"__proto__":{"polluted":1}}'
    const record = checkedRecord(JSON.parse(text)) as { values: object; polluted?: unknown }
    expect(Object.entries(record.values)).toEqual([['__proto__', 3]])
    expect(Object.getPrototypeOf(record.values)).toBe(Object.prototype)
    expect(record.polluted).toBeUndefined()
  })

  test('what it has beside is left out', () => {
    expect(checkedRecord({ ...records[0], more: 1 })).toEqual(records[0])
  })

  test.each([
    ['steps below 0', { type: 'scalars', step: -1, time: 0, values: {} }],
    ['steps that are no integers', { type: 'scalars', step: 1e300, time: 0, values: {} }],
    ['edges that do not fit', { ...records.find(({ type }) => type === 'histogram'), value: { edges: [0] } }],
    ['another state', { type: 'end', time: 0, state: 'lost' }],
    [
      'a name of a node twice',
      { type: 'graph', nodes: Array(2).fill({ name: 'a', op: 'b', inputs: [], dtype: 'float32', shape: [] }) },
    ],
    [
      'an input that is no node',
      { type: 'graph', nodes: [{ name: 'a', op: 'b', inputs: ['c'], dtype: 'float32', shape: [] }] },
    ],
    ['a row too few', { type: 'confusion', step: 0, time: 0, labels: ['a', 'b'], counts: [[1, 2]] }],
    ['a column too few', { type: 'confusion', step: 0, time: 0, labels: ['a', 'b'], counts: [[1, 2], [3]] }],
    [
      'a picture that is none',
      {
        type: 'images',
        step: 0,
        time: 0,
        tag: 'a',
        images: [{ width: 1, height: 1, channels: 1, png: '<svg onload=alert(1)>' }],
      },
    ],
    [
      'two channels',
      {
        type: 'images',
        step: 0,
        time: 0,
        tag: 'a',
        images: [{ width: 1, height: 1, channels: 2, png: 'iVBORw0KGgoA' }],
      },
    ],
    ['nothing', null],
    ['a list', []],
  ])('%s are refused', (_, record) => {
    expect(() => checkedRecord(record)).toThrow(/^records: expected/)
  })
})
