/** Texts in windows of tokens, as language models learn from them. */
import { checkFunction, checkInteger, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { checkPath } from '../../files/file-error.ts'
import { openSource } from '../../files/source.ts'
import type { Stream } from '../stream.ts'
import { blocksOf, type Encoding, encodings } from './blocks.ts'
import { type ReadGroups, streamOfGroups } from './groups.ts'
import type { Tokenizer } from './tokens.ts'

export interface TextOptions {
  /** What makes numbers of the text: a `characterTokenizer`, that of `loadTokenizer`, or an object with `encode`. */
  tokenizer: Pick<Tokenizer, 'encode'>
  /** How many tokens a window has. */
  length: number
  /** How far one begins after the other; as far as one is long unless given. */
  stride?: number
  /** How the text is coded; UTF-8 unless given. */
  encoding?: Encoding
}

const textOptions: OptionTypes<TextOptions> = {
  tokenizer: 'other',
  length: 'number',
  stride: 'number',
  encoding: encodings,
}

/** A window, and the same one token later. */
export type TextWindow = [x: Int32Array, y: Int32Array]

/**
 * A stream of windows of a text as tokens: `[x, y]`, each of `length` numbers, where y is what follows each of x. The file is read and encoded while it
 * is used, in blocks that end with a line, so it may be larger than memory. What is left at the end and fills no window is left out.
 *
 * @throws TypeError, RangeError for bad options; (a pass does) DataFormatError for text of another encoding, what the tokenizer throws, Error with the
 * `code` of the file system
 *
 * @example
 * const tokenizer = characterTokenizer(await readFile('text.txt', 'utf8'))
 * const batches = fromText('text.txt', { tokenizer, length: 64, stride: 16 }).shuffle(10_000, { seed: 1 }).batch(16)
 */
export function fromText(path: string, options: TextOptions, ...surplus: []): Stream<TextWindow> {
  const given = requireOptions('fromText', options, textOptions, ['tokenizer', 'length'], surplus)
  const { tokenizer, length, encoding = 'utf-8' } = given
  const file = checkPath('fromText', path)
  checkInteger('fromText', 'a length of at least 1', length, 1, 2 ** 24)
  const stride = checkInteger('fromText', 'a stride of at least 1', given.stride ?? length, 1, 2 ** 24)
  if (typeof tokenizer !== 'object' || tokenizer === null)
    throw new TypeError(expected('fromText', 'a tokenizer with encode', describe(tokenizer)))
  checkFunction('fromText', 'a tokenizer with encode', tokenizer.encode)
  const name = JSON.stringify({ length, stride })
  return streamOfGroups('fromText', file, name, readWindows(file, tokenizer, length, stride, encoding))
}

/** Where a block begins, and how many of its tokens are before a window. */
interface Place {
  readonly byte: number
  readonly token: number
  readonly [name: string]: number
}

function readWindows(
  path: string,
  tokenizer: Pick<Tokenizer, 'encode'>,
  length: number,
  stride: number,
  encoding: Encoding,
): ReadGroups<TextWindow> {
  return async function* (start) {
    const from = (start ?? { byte: 0, token: 0 }) as Place
    const source = await openSource('fromText', path)
    try {
      /** The tokens of the blocks that the next window begins in or that follow, and how many of them are before it. */
      let tokens: number[] = []
      const blocks: { byte: number; count: number }[] = []
      let skipped = from.token
      for await (const { start: byte, text } of blocksOf('fromText', source, { encoding, start: from.byte })) {
        const added = tokenizer.encode(text)
        tokens = tokens.concat(added)
        blocks.push({ byte, count: added.length })
        // A window may begin some blocks after the last.
        while (blocks.length > 1 && skipped >= blocks[0]!.count) {
          const { count } = blocks.shift()!
          tokens = tokens.slice(count)
          skipped -= count
        }
        const elements: TextWindow[] = []
        const first = { byte: blocks[0]!.byte, token: skipped }
        for (; skipped + length < tokens.length; skipped += stride) {
          const x = Int32Array.from(tokens.slice(skipped, skipped + length))
          elements.push([x, Int32Array.from(tokens.slice(skipped + 1, skipped + length + 1))])
        }
        if (elements.length > 0) yield { start: first, elements }
      }
    } finally {
      await source.close()
    }
  }
}
