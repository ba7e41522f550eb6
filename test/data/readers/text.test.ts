/** Windows of texts as tokens, of characters and of Hugging Face's tokenizers. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { errorOf, temporaryFolder } from '../../files/files.ts'

function fileOf(content: string | Uint8Array, name = 'text.txt'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, content)
  return path
}

describe('characters', () => {
  test('are numbered by their codes, and come back', () => {
    const tokenizer = g.data.characterTokenizer('hello 😀\n')
    expect(tokenizer.size).toBe(7)
    expect(tokenizer.encode('\n e😀')).toEqual([0, 1, 2, 6])
    expect(tokenizer.decode(tokenizer.encode('hello 😀'))).toBe('hello 😀')
    expect(tokenizer.decode(Int32Array.of(3, 2))).toBe('he')
  })

  test.each<[() => unknown, string]>([
    [() => g.data.characterTokenizer(''), 'characterTokenizer: expected characters, got an empty text'],
    [() => g.data.characterTokenizer(3 as never), 'characterTokenizer: expected a text, got 3'],
    [() => g.data.characterTokenizer('ab').encode('abc'), 'encode: expected characters that are known, got "c"'],
    [() => g.data.characterTokenizer('ab').decode([2]), 'decode: expected tokens from 0 to 1, got 2'],
  ])('bad ones, %#', (call, message) => expect(call).toThrow(message))
})

describe('windows', () => {
  const windows = (text: string, length: number, stride = length) =>
    Array.from({ length: Math.max(0, Math.ceil((text.length - length) / stride)) }, (_, i) => [
      text.slice(i * stride, i * stride + length),
      text.slice(i * stride + 1, i * stride + length + 1),
    ])
  const long = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join('')

  test.each([
    ['abcdefgh', 3, 3],
    ['abcdefgh', 3, 1],
    ['abcdefgh', 2, 5],
    ['abcd', 3, 3],
    ['abc', 3, 3],
    ['', 3, 3],
    [long, 64, 64],
    [long, 1000, 333],
    [long, 70_000, 50_000],
    [long, 10, 100_000],
  ])('of %#', async (text, length, stride) => {
    const tokenizer = g.data.characterTokenizer(`${long}abcdefgh`)
    const stream = g.data.fromText(fileOf(text), { tokenizer, length, stride })
    const found = (await stream.toArray()).map(([x, y]) => [tokenizer.decode(x), tokenizer.decode(y)])
    expect(found).toEqual(windows(text, length, stride))
  })

  test('go on where a state stands', async () => {
    const tokenizer = g.data.characterTokenizer(long)
    const stream = g.data.fromText(fileOf(long), { tokenizer, length: 100, stride: 70 })
    const all = await stream.toArray()
    for (const count of [0, 1, 900, 940, 3000, all.length]) {
      const pass = stream.open()
      for (let i = 0; i < count; i++) await pass.next()
      const state = JSON.parse(JSON.stringify(pass.state()))
      await pass.return()
      const rest: unknown[] = []
      for await (const window of stream.open({ state })) rest.push(window)
      expect(rest).toEqual(all.slice(count))
    }
  })

  test('are batches of integers', async () => {
    const tokenizer = g.data.characterTokenizer('abcdefgh')
    const [batch] = await g.data.fromText(fileOf('abcdefgh'), { tokenizer, length: 3, stride: 2 }).batch(2).toArray()
    expect(batch!.map((x) => [x.dtype, x.shape])).toEqual([
      ['int32', [2, 3]],
      ['int32', [2, 3]],
    ])
  })

  test.each<[unknown, string]>([
    [undefined, 'fromText: expected a tokenizer, got undefined'],
    [{ tokenizer: {}, length: 3 }, 'fromText: expected a tokenizer with encode, got undefined'],
    [{ tokenizer: g.data.characterTokenizer('a') }, 'fromText: expected a length, got undefined'],
    [{ tokenizer: g.data.characterTokenizer('a'), length: 0 }, 'fromText: expected a length of at least 1, got 0'],
    [
      { tokenizer: g.data.characterTokenizer('a'), length: 1, stride: 0.5 },
      'fromText: expected a stride of at least 1',
    ],
  ])('bad options, %#', (options, message) => expect(() => g.data.fromText('x', options as never)).toThrow(message))

  test('a character that the tokenizer does not know ends a pass', async () => {
    const tokenizer = g.data.characterTokenizer('a')
    await expect(g.data.fromText(fileOf('aab'), { tokenizer, length: 1 }).toArray()).rejects.toThrow('got "b"')
  })
})

describe('tokenizers of Hugging Face', () => {
  const content = {
    version: '1.0',
    added_tokens: [
      { id: 4, content: '[END]', special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
    ],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: { '[UNK]': 0, hello: 1, world: 2, again: 3 }, unk_token: '[UNK]' },
  }

  test('make numbers of texts', async () => {
    const tokenizer = await g.data.loadTokenizer(fileOf(JSON.stringify(content), 'tokenizer.json'))
    expect(tokenizer.size).toBe(5)
    expect(tokenizer.encode('Hello world hello')).toEqual([1, 2, 1])
    expect(tokenizer.decode([1, 2])).toBe('hello world')
    const stream = g.data.fromText(fileOf('hello world\nagain hello\n'), { tokenizer, length: 3 })
    expect(await stream.toArray()).toEqual([[Int32Array.of(1, 2, 3), Int32Array.of(2, 3, 1)]])
  })

  test('that are none', async () => {
    for (const text of ['', '[', '3', 'null']) {
      const error = await errorOf(() => g.data.loadTokenizer(fileOf(text)))
      expect(error).toBeInstanceOf(g.DataFormatError)
      expect((error as Error).message).toMatch(/^loadTokenizer: expected JSON of a tokenizer, got .* \(.*text\.txt\)$/)
    }
    expect(await errorOf(() => g.data.loadTokenizer(fileOf('{}')))).toBeInstanceOf(g.DataFormatError)
    await expect(g.data.loadTokenizer('none.json')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
