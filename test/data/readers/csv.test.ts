/** CSV files row by row: what they hold, from any place, in bounded memory, and what is refused. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

function fileOf(content: string | Uint8Array, name = 'file.csv'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, content)
  return path
}

const rowsOf = (content: string | Uint8Array, options?: g.data.CSVOptions) =>
  g.data.fromCSV(fileOf(content), options).toArray()

describe('rows', () => {
  test('are records by column, of numbers, truths and texts', async () => {
    const content = 'age,name,member\n31,Ada,true\n-4.5e1,"Grace ""H"", of\nNavy",false\n.5,,True\n'
    expect(await rowsOf(content)).toEqual([
      { age: 31, name: 'Ada', member: true },
      { age: -45, name: 'Grace "H", of\nNavy', member: false },
      { age: 0.5, name: null, member: true },
    ])
  })

  test('have null where something is missing, which is NaN in a batch', async () => {
    const content = 'a,b\n1,NA\nNaN,x\n,null\n'
    expect(await rowsOf(content)).toEqual([
      { a: 1, b: null },
      { a: null, b: 'x' },
      { a: null, b: null },
    ])
    expect(await rowsOf('a,b\n?,NA\n', { missing: ['?'], types: { a: 'number' } })).toEqual([{ a: null, b: 'NA' }])
    const [batch] = await g.data
      .fromCSV<{ a: number | null }>(fileOf(content))
      .map(({ a }) => [a])
      .batch(3)
      .toArray()
    expect([...batch!.dataSync()]).toEqual([1, NaN, NaN])
  })

  test('are what types say', async () => {
    const content = 'zip,n\n007,1\n100,2\n'
    expect(await rowsOf(content, { types: { zip: 'string', n: 'integer' } })).toEqual([
      { zip: '007', n: 1 },
      { zip: '100', n: 2 },
    ])
    expect(await rowsOf('x\n1\nInfinity\n-inf\n')).toEqual([{ x: 1 }, { x: Infinity }, { x: -Infinity }])
  })

  test.each<[string, string, g.data.CSVOptions, unknown]>([
    ['windows line ends', 'a,b\r\n1,"x\r\ny"\r\n', {}, [{ a: 1, b: 'x\r\ny' }]],
    ['the same without quotes', 'a,b\r\n1,x\r\n', {}, [{ a: 1, b: 'x' }]],
    [
      'line ends of old',
      'a,b\r1,x\r2,y\r',
      {},
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ],
    ],
    ['no line end at last', 'a\n1\n2', {}, [{ a: 1 }, { a: 2 }]],
    ['empty lines', 'a,b\n\n1,2\n\n', {}, [{ a: 1, b: 2 }]],
    ['a byte order mark', '\ufeffa\n1\n', {}, [{ a: 1 }]],
    ['a byte order mark and quotes', '\ufeff"a"\n1\n', {}, [{ a: 1 }]],
    ['semicolons', 'a;b\n1;"2;3"\n', { delimiter: ';' }, [{ a: 1, b: '2;3' }]],
    ['other quotes', "a,b\n1,'2,3'\n", { quote: "'" }, [{ a: 1, b: '2,3' }]],
    ['no quotes', 'a,b\n1,5" wide\n', { quote: null }, [{ a: 1, b: '5" wide' }]],
    [
      'no header',
      '1,x\n2,y\n',
      { header: false },
      [
        { 0: 1, 1: 'x' },
        { 0: 2, 1: 'y' },
      ],
    ],
    ['names', '1,x\n', { header: ['a', 'b'] }, [{ a: 1, b: 'x' }]],
    ['some columns', 'a,b,c\n1,2,3\n', { columns: ['c', 'a'] }, [{ c: 3, a: 1 }]],
    ['spaces', 'a , b\n 1 , x \n', { trim: true }, [{ a: 1, b: 'x' }]],
    ['spaces and quotes', 'a , b\n 1 , "x " \n', { trim: true }, [{ a: 1, b: 'x ' }]],
    ['nothing but a header', 'a,b\n', {}, []],
    [
      'a column of nothing',
      'a,b\n1,\n2,\n',
      {},
      [
        { a: 1, b: null },
        { a: 2, b: null },
      ],
    ],
  ])('%s', async (_, content, options, rows) => expect(await rowsOf(content, options)).toEqual(rows))

  test('of a file in another encoding', async () => {
    const latin = Buffer.from('a\nna\xefve\n', 'latin1')
    expect(await rowsOf(latin, { encoding: 'latin1' })).toEqual([{ a: 'naïve' }])
    await expect(rowsOf(latin)).rejects.toThrow(
      /^fromCSV: expected text in UTF-8 .*, got other bytes \(.*, from byte 0 on\)$/,
    )
  })

  test('are between tabs in .tsv', async () => {
    expect(await g.data.fromCSV(fileOf('a\tb\n1\tx,y\n', 'file.tsv')).toArray()).toEqual([{ a: 1, b: 'x,y' }])
  })

  test('train a model', async () => {
    const content = `x,y\n${Array.from({ length: 64 }, (_, i) => `${i / 64},${(2 * i) / 64 + 1}`).join('\n')}\n`
    const stream = g.data
      .fromCSV<{ x: number; y: number }>(fileOf(content))
      .map(({ x, y }) => [[x], [y]] as const)
      .shuffle(64, { seed: 1 })
      .batch(16)
    const model = g.nn.linear(1, 1)
    const optimizer = g.optim.sgd({ learningRate: 0.3 })
    const step = g.compile((x: g.Tensor, y: g.Tensor) =>
      optimizer.minimize(() => g.losses.meanSquaredError(model.forward(x), y)),
    )
    const losses: g.Tensor[] = []
    for (let epoch = 0; epoch < 60; epoch++) for await (const [x, y] of stream) losses.push(await step(x, y))
    expect(losses).toHaveLength(240)
    expect(losses.at(-1)!.itemSync()).toBeLessThan(0.01)
  })
})

/** Rows of several blocks, with quotes in some. */
const long = (rows: number) =>
  `id,text\n${Array.from({ length: rows }, (_, i) => `${i},${i % 7 === 0 ? `"row ""${i}"",\n"` : `row ${i}`}`).join('\n')}\n`

test('a pass goes on where its state stands, wherever that is', async () => {
  const path = fileOf(long(20_000))
  const stream = g.data.fromCSV(path)
  const all = await stream.toArray()
  expect(all).toHaveLength(20_000)
  expect(all[14]).toEqual({ id: 14, text: 'row "14",\n' })
  for (const count of [0, 1, 4000, 4001, 19_999, 20_000]) {
    const pass = stream.open()
    for (let i = 0; i < count; i++) await pass.next()
    const state = JSON.parse(JSON.stringify(pass.state()))
    await pass.return()
    const rest: unknown[] = []
    for await (const row of stream.open({ state })) rest.push(row)
    expect(rest).toEqual(all.slice(count))
  }
  const other = g.data.fromCSV(path, { quote: null })
  expect(() => other.open({ state: stream.open().state() })).toThrow('another pipeline')
})

test('whatever is written is read', async () => {
  const field = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !/\r/.test(text))
  const table = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 30 })
  const quoted = (text: string) => (/[",\n]|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const path = fileOf('')
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      writeFileSync(path, `a,b\n${rows.map((row) => row.map(quoted).join(',')).join('\n')}\n`)
      const options = { types: { a: 'string', b: 'string' }, missing: [] } as const
      expect(await g.data.fromCSV(path, options).toArray()).toEqual(rows.map(([a, b]) => ({ a, b })))
    }),
    { numRuns: 100 },
  )
})

describe('what is wrong with a file is said, with its row', () => {
  test.each<[string, string | Uint8Array, g.data.CSVOptions, RegExp]>([
    ['an empty file', '', {}, /expected a row of names, got an empty file/],
    ['an empty file without names', '', { header: false }, /expected rows, got an empty file/],
    ['a row of more fields', 'a,b\n1,2\n1,2,3\n', {}, /expected 2 fields, got 3 \(.*, row 2\)/],
    ['a row of fewer fields', 'a,b\n1\n', {}, /expected 2 fields, got 1 \(.*, row 1\)/],
    ['a file that is cut', 'a,b\n1,2\n3', {}, /expected 2 fields, got 1 \(.*, row 2\)/],
    [
      'a quote without an end',
      'a,b\n1,2\n1,"2\n',
      {},
      /expected fields with quotes .*, got a quote without an end \(.*, row 2\)/,
    ],
    ['a quote inside', 'a,b\n1,2 "x"\n', {}, /got a quote inside a field \(.*, row 1\)/],
    ['something behind a quote', 'a,b\n1,"2"x\n', {}, /got a quote inside a field \(.*, row 1\)/],
    [
      'columns that are not there',
      'a,b\n1,2\n',
      { columns: ['x', 'a', 'y'] },
      /expected the columns x, y, got only a, b \(/,
    ],
    [
      'types of columns that are not there',
      'a,b\n1,2\n',
      { types: { z: 'number' } },
      /expected the columns z, got only a, b/,
    ],
    ['two columns of one name', 'a,a\n1,2\n', {}, /expected each name of a column once, got two "a"/],
    ['a column called __proto__', '__proto__\n1\n', {}, /expected names of columns other than __proto__/],
    [
      'a text among numbers',
      `a\n${'1\n'.repeat(40_000)}x\n`,
      {},
      /expected a number as a, or \{ types: \{ … \} \}, got "x" \(.*, row 40001\)/,
    ],
    [
      'a number that is no integer',
      'a\n1.5\n',
      { types: { a: 'integer' } },
      /expected an integer as a, .*, got "1.5" \(.*, row 1\)/,
    ],
    ['an integer that is not exact', 'a\n9007199254740993\n', { types: { a: 'integer' } }, /expected an integer as a/],
    ['no truth', 'a\nyes\n', { types: { a: 'boolean' } }, /expected true or false as a, .*, got "yes"/],
    ['names for other columns', '1,2\n', { header: ['a'] }, /expected 1 fields, got 2 \(.*, row 1\)/],
    ['bytes of a zip', Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0xfe]), {}, /expected text in UTF-8/],
  ])('%s', async (_, content, options, message) => {
    const error = await errorOf(() => rowsOf(content, options))
    expect(error).toBeInstanceOf(g.DataFormatError)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).toMatch(/^fromCSV: expected .*, got .* \(.*file\.csv.*\)$/s)
  })

  test('a quote without an end does not fill memory', async () => {
    const path = fileOf('a\n"')
    for (let i = 0; i < 9; i++) appendFileSync(path, 'x'.repeat(2 ** 23))
    await expect(g.data.fromCSV(path).toArray()).rejects.toThrow(
      /expected records of at most 67108864 bytes, got a longer one/,
    )
  })

  test('no file, a folder', async () => {
    await expect(g.data.fromCSV('none.csv').toArray()).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(g.data.fromCSV('.').toArray()).rejects.toThrow('fromCSV: expected . to be a file, got a folder')
  })
})

test.each<[unknown, string]>([
  [{ delimiter: '' }, 'fromCSV: expected a delimiter of one ASCII character, got ""'],
  [{ delimiter: ', ' }, 'fromCSV: expected a delimiter of one ASCII character'],
  [{ delimiter: '\n' }, 'fromCSV: expected a delimiter of one ASCII character'],
  [{ quote: 'é' }, 'fromCSV: expected a quote of one ASCII character'],
  [{ quote: ',' }, 'fromCSV: expected a quote other than the delimiter'],
  [{ header: 'a' }, 'fromCSV: expected header as a list of texts, got "a"'],
  [{ header: [] }, 'fromCSV: expected names in header, got none'],
  [{ header: ['a', 'a'] }, 'fromCSV: expected header of different names, got "a"'],
  [{ columns: [1] }, 'fromCSV: expected texts in columns, got 1'],
  [{ types: [] }, 'fromCSV: expected types by name, got an array'],
  [{ types: { a: 'float' } }, 'fromCSV: expected a type of a (number, integer, boolean, string), got "float"'],
  [{ missing: '' }, 'fromCSV: expected missing as a list of texts'],
  [{ separator: ';' }, 'fromCSV: unknown option separator'],
])('options %j are refused at once', (options, message) => {
  expect(() => g.data.fromCSV('x', options as never)).toThrow(message)
})

test('a large file goes through in little memory', { timeout: 120_000 }, async () => {
  const path = fileOf('a,b,c\n')
  const block = Array.from({ length: 20_000 }, (_, i) => `${i},${i / 7},${i % 5 === 0 ? '"a text"' : 'text'}`).join(
    '\n',
  )
  for (let i = 0; i < 60; i++) appendFileSync(path, `${block}\n`)
  const stream = g.data
    .fromCSV(path, { columns: ['a', 'b'] })
    .map(({ a, b }) => [a, b] as const)
    .batch(256)
  let batches = 0
  let most = 0
  let before = 0
  for await (const _ of stream) {
    if (++batches === 100) before = process.memoryUsage.rss()
    if (batches % 50 === 0) most = Math.max(most, process.memoryUsage.rss())
  }
  expect(batches).toBe(Math.ceil((60 * 20_000) / 256))
  expect((most - before) / 2 ** 20).toBeLessThan(150)
})
