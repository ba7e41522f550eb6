/** Texts as numbers: by their characters, or by a tokenizer of Hugging Face. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkInteger, checkText, describe, refuseSurplus } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { missingPackage } from '../../base/peer.ts'
import { checkPath, fileError } from '../../files/file-error.ts'
import { failIn } from './groups.ts'

/** What makes numbers of texts, from 0 on, and texts of them again. */
export interface Tokenizer {
  encode(text: string): number[]
  decode(tokens: ArrayLike<number>): string
  /** How many tokens there are: the rows of an embedding, the classes of a loss. */
  readonly size: number
}

/**
 * A tokenizer whose tokens are characters (code points, so that 😀 is one), numbered in the order of their codes.
 *
 * @param text what has all of them, such as the text to learn
 * @throws RangeError for a text without characters; `encode` for a character that is not among them, `decode` for a number that none has
 *
 * @example
 * const tokenizer = characterTokenizer('hello world')
 * tokenizer.decode(tokenizer.encode('hold')) // 'hold'
 */
export function characterTokenizer(text: string, ...surplus: []): Tokenizer {
  refuseSurplus('characterTokenizer', 1, surplus)
  const characters = [...new Set(checkText('characterTokenizer', 'a text', text))].sort(
    (a, b) => a.codePointAt(0)! - b.codePointAt(0)!,
  )
  if (characters.length === 0) throw new RangeError(expected('characterTokenizer', 'characters', 'an empty text'))
  const numbers = new Map(characters.map((character, i) => [character, i]))
  return {
    size: characters.length,
    encode(text) {
      return Array.from(checkText('encode', 'a text', text), (character) => {
        const number = numbers.get(character)
        if (number === undefined)
          throw new RangeError(expected('encode', 'characters that are known', describe(character)))
        return number
      })
    },
    decode(tokens) {
      return Array.from(tokens, (token) => {
        checkInteger('decode', `tokens from 0 to ${characters.length - 1}`, token, 0, characters.length - 1)
        return characters[token]
      }).join('')
    },
  }
}

/**
 * A tokenizer of Hugging Face, by its `tokenizer.json`; `tokenizer_config.json` beside it is read too, where it is there. Special tokens, as at
 * the beginning of a text, are not added.
 *
 * It takes the package `@huggingface/tokenizers`.
 *
 * @throws (rejects with) MissingPackageError with the command that installs it; DataFormatError for a file that is none; Error with the `code` of the file
 * system
 */
export async function loadTokenizer(path: string, ...surplus: []): Promise<Tokenizer> {
  refuseSurplus('loadTokenizer', 1, surplus)
  const file = checkPath('loadTokenizer', path)
  const name = '@huggingface/tokenizers'
  const { Tokenizer } = await import('@huggingface/tokenizers').catch(missingPackage('loadTokenizer', name))
  const content = (await readJSON(file)) as { model?: { vocab?: unknown }; added_tokens?: unknown }
  const config = join(dirname(file), 'tokenizer_config.json')
  const options = existsSync(config) ? await readJSON(config) : {}
  try {
    const tokenizer = new Tokenizer(content, options)
    return {
      size: sizeOf(content),
      encode: (text) => tokenizer.encode(checkText('encode', 'a text', text), { add_special_tokens: false }).ids,
      decode: (tokens) => tokenizer.decode(Array.from(tokens)),
    }
  } catch (error) {
    return failIn('loadTokenizer', 'a tokenizer of Hugging Face', (error as Error).message, file)
  }
}

/** One more than the greatest number of a token. */
function sizeOf({ model, added_tokens }: { model?: { vocab?: unknown }; added_tokens?: unknown }): number {
  const vocab = model?.vocab
  const added = Array.isArray(added_tokens) ? added_tokens.map(({ id }) => Number(id)) : []
  const own = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(vocab ?? {}).map(Number)
  return [...added, ...own].reduce((most, id) => Math.max(most, id + 1), 0)
}

async function readJSON(path: string): Promise<object> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw fileError('loadTokenizer', 'read', path, error)
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // It is said below.
  }
  return failIn('loadTokenizer', 'JSON of a tokenizer', JSON.stringify(text.slice(0, 20)), path)
}
