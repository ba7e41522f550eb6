/** Lines of text and of JSON. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

function fileOf(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, content)
  return path
}

test.each<[string, string[]]>([
  ['', []],
  ['a', ['a']],
  ['a\n', ['a']],
  ['a\r\n\r\nb', ['a', '', 'b']],
  ['\n\n', ['', '']],
  ['\ufeffa\n', ['a']],
])('the lines of %j', async (content, lines) => {
  expect(await g.data.fromLines(fileOf(content)).toArray()).toEqual(lines)
})

test('characters at the ends of blocks are whole', async () => {
  const lines = Array.from({ length: 9000 }, (_, i) => `${i} ${'é€😀'.repeat(i % 9)}`)
  const path = fileOf(lines.join('\n'))
  expect(await g.data.fromLines(path).toArray()).toEqual(lines)
  const pass = g.data.fromLines(path).open()
  for (let i = 0; i < 5000; i++) await pass.next()
  const rest: string[] = []
  for await (const line of g.data.fromLines(path).open({ state: pass.state() })) rest.push(line)
  await pass.return()
  expect(rest).toEqual(lines.slice(5000))
})

test('lines longer than a block are read', async () => {
  const lines = ['x'.repeat(300_000), 'short', 'y'.repeat(100_000)]
  expect(await g.data.fromLines(fileOf(lines.join('\n'))).toArray()).toEqual(lines)
})

test('JSON lines are what they say', async () => {
  const path = fileOf('{"a":1,"b":[1,2]}\n\n  \r\n[3]\nnull\r\n"x"')
  expect(await g.data.fromJSONLines(path).toArray()).toEqual([{ a: 1, b: [1, 2] }, [3], null, 'x'])
})

test.each<[string | Uint8Array, RegExp]>([
  ['{"a":1}\n{"a":\n', /^fromJSONLines: expected JSON, got .*end.* \(.*file, line 2\)$/s],
  ['\n\nx', /line 3\)$/],
  [Buffer.from([0x22, 0xff, 0x22]), /^fromJSONLines: expected text in UTF-8/],
])('what is no JSON is refused with its line: %j', async (content, message) => {
  const error = await errorOf(() => g.data.fromJSONLines(fileOf(content)).toArray())
  expect(error).toBeInstanceOf(g.DataFormatError)
  expect((error as Error).message).toMatch(message)
})

test('files are closed when a pass ends early', async () => {
  const path = fileOf('a\n'.repeat(100_000))
  for (let i = 0; i < 50; i++)
    for await (const line of g.data.fromLines(path)) {
      expect(line).toBe('a')
      break
    }
})

test('bad arguments', () => {
  expect(() => g.data.fromLines(3 as never)).toThrow('fromLines: expected a path, got 3')
  expect(() => g.data.fromJSONLines('')).toThrow('fromJSONLines: expected a path, got ""')
  expect(() => g.data.fromLines('x', { encoding: 'utf8' as never })).toThrow('fromLines: expected encoding')
})
