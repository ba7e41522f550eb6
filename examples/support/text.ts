// A text as numbers of its characters, and back.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Text {
  /** Each character once. */
  readonly alphabet: readonly string[]
  readonly tokens: Int32Array
}

/** What TypeScript says about the objects of JavaScript: code with comments in English, which the package ships. */
const declarations = (): string =>
  readFileSync(createRequire(import.meta.url).resolve('typescript/lib/lib.es5.d.ts'), 'utf8')

/** The text of a file, or the declarations of TypeScript. */
export function readText(file?: string): Text {
  const characters = [...(file === undefined ? declarations() : readFileSync(file, 'utf8')).replaceAll('\r', '')]
  const alphabet = [...new Set(characters)].sort()
  const places = new Map(alphabet.map((character, i) => [character, i]))
  return { alphabet, tokens: Int32Array.from(characters, (character) => places.get(character)!) }
}

/** The numbers of some characters; those that the text does not have are left out. */
export const encode = ({ alphabet }: Text, characters: string): number[] =>
  [...characters].map((character) => alphabet.indexOf(character)).filter((token) => token >= 0)

export const decode = ({ alphabet }: Text, tokens: readonly number[]): string =>
  tokens.map((token) => alphabet[token]).join('')
