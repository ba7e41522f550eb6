/** Arrow files and streams row by row, as pyarrow wrote them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/parquet.json', import.meta.url), 'utf8')) as {
  rows: Record<string, unknown>[]
  arrow: Record<'file' | 'stream', string>
}

function fileOf(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'file.arrow')
  writeFileSync(path, content)
  return path
}

const bytesOf = (form: 'file' | 'stream') => Buffer.from(fixtures.arrow[form], 'base64')

test.each(['file', 'stream'] as const)('the rows of a %s, from any place', async (form) => {
  const stream = g.data.fromArrow(fileOf(bytesOf(form)))
  expect(await stream.toArray()).toEqual(fixtures.rows)
  for (const count of [0, 3, 4, 9, 10]) {
    const pass = stream.open()
    for (let i = 0; i < count; i++) await pass.next()
    const state = JSON.parse(JSON.stringify(pass.state()))
    await pass.return()
    const rest: unknown[] = []
    for await (const row of stream.open({ state })) rest.push(row)
    expect(rest).toEqual(fixtures.rows.slice(count))
  }
})

test('some columns', async () => {
  const stream = g.data.fromArrow<{ id: number; flag: boolean }>(fileOf(bytesOf('file')), { columns: ['flag', 'id'] })
  expect(await stream.take(2).toArray()).toEqual([
    { flag: true, id: 0 },
    { flag: false, id: 1 },
  ])
})

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['a text', Buffer.from('a,b\n1,2\n3,4\n')],
  ['a cut file', bytesOf('file').subarray(0, 700)],
  ['a cut stream', bytesOf('stream').subarray(0, 1000)],
])('%s is refused', async (_, bytes) => {
  const error = await errorOf(() => g.data.fromArrow(fileOf(bytes)).toArray())
  expect(error).toBeInstanceOf(g.DataFormatError)
  expect((error as Error).message).toMatch(/^fromArrow: expected .*, got .* \(.*file\.arrow\)$/s)
})

test('columns that are not there, no file', async () => {
  await expect(g.data.fromArrow(fileOf(bytesOf('file')), { columns: ['y'] }).toArray()).rejects.toThrow(
    /^fromArrow: expected the columns y, got only id, x, flag, name, list \(/,
  )
  await expect(g.data.fromArrow('none').toArray()).rejects.toMatchObject({ code: 'ENOENT' })
  expect(() => g.data.fromArrow('x', { columns: [1] as never })).toThrow('fromArrow: expected texts in columns, got 1')
})
