/** Parquet files row by row, as pyarrow and hyparquet-writer wrote them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/parquet.json', import.meta.url), 'utf8')) as {
  rows: Record<string, unknown>[]
  parquet: Record<string, string>
}

function fileOf(content: Uint8Array | ArrayBuffer): string {
  const path = join(temporaryFolder(), 'file.parquet')
  writeFileSync(path, new Uint8Array(content))
  return path
}

const bytesOf = (base64: string) => Buffer.from(base64, 'base64')

test.each(Object.keys(fixtures.parquet))('rows of pyarrow, compressed by %s', async (name) => {
  const stream = g.data.fromParquet(fileOf(bytesOf(fixtures.parquet[name]!)))
  expect(await stream.toArray()).toEqual(fixtures.rows)
})

test('some columns, in a model', async () => {
  const path = fileOf(bytesOf(fixtures.parquet.snappy!))
  const stream = g.data.fromParquet<{ id: number; x: number | null }>(path, { columns: ['id', 'x'] })
  expect(Object.keys((await stream.take(1).toArray())[0]!)).toEqual(['id', 'x'])
  const [batch] = await stream
    .map(({ id, x }) => [[id, x], [id]] as const)
    .batch(10)
    .toArray()
  expect([...batch![0].dataSync()].slice(0, 8)).toEqual([0, 0, 1, 0.25, 2, 0.5, 3, NaN])
})

test('a pass goes on where its state stands', async () => {
  const n = 20_000
  const columnData = [{ name: 'i', data: Int32Array.from({ length: n }, (_, i) => i), type: 'INT32' as const }]
  const stream = g.data.fromParquet(fileOf(parquetWriteBuffer({ columnData, rowGroupSize: 9000 })))
  const all = await stream.toArray()
  expect(all.map(({ i }) => i)).toEqual([...Array(n).keys()])
  for (const count of [0, 1, 4096, 9000, 9001, 19_999, n]) {
    const pass = stream.open()
    for (let i = 0; i < count; i++) await pass.next()
    const state = JSON.parse(JSON.stringify(pass.state()))
    await pass.return()
    const rest: unknown[] = []
    for await (const row of stream.open({ state })) rest.push(row)
    expect(rest).toEqual(all.slice(count))
  }
})

describe('what is wrong is said', () => {
  const right = bytesOf(fixtures.parquet.none!)
  const damaged = Buffer.from(right)
  damaged.fill(0xff, right.length - 300, right.length - 20)
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /expected a Parquet file, got /],
    ['a text', Buffer.from('a,b\n1,2\n3,4\n'), /expected a Parquet file, got .*PAR1/],
    ['a cut file', right.subarray(0, right.length - 9), /expected a Parquet file, got /],
    ['a damaged footer', damaged, /expected /],
    ['a file without its beginning', right.subarray(right.length - 1500), /expected /],
  ])('%s', async (_, bytes, message) => {
    const error = await errorOf(() => g.data.fromParquet(fileOf(bytes)).toArray())
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toMatch(/^fromParquet: expected .*, got .* \(.*file\.parquet\)$/s)
    expect((error as Error).message).toMatch(message)
  })

  test('columns that are not there, integers that are not exact, no file', async () => {
    const path = fileOf(right)
    await expect(g.data.fromParquet(path, { columns: ['y', 'id', 'z'] }).toArray()).rejects.toThrow(
      /^fromParquet: expected the columns y, z, got only id, x, flag, name, list \(/,
    )
    const columnData = [{ name: 'i', data: [2n ** 60n + 1n], type: 'INT64' as const }]
    await expect(g.data.fromParquet(fileOf(parquetWriteBuffer({ columnData }))).toArray()).rejects.toThrow(
      /^fromParquet: expected integers that are exact as i, got 1152921504606846977/,
    )
    await expect(g.data.fromParquet('none').toArray()).rejects.toMatchObject({ code: 'ENOENT' })
    expect(() => g.data.fromParquet('x', { columns: [] })).toThrow('fromParquet: expected names in columns, got none')
    expect(() => g.data.fromParquet('x', { columns: 'id' as never })).toThrow('fromParquet: expected columns as a list')
  })
})
