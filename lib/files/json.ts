/**
 * JSON that may be hostile, read by whoever knows what has to be there: nothing is built that was not asked for, and what
 * `JSON.parse` would pass over is refused, such as a name that occurs twice.
 */
import { DataFormatError, expected } from '../base/errors.ts'

const space = /[ \t\n\r]/
const numeric = /[-+.0-9eE]/
const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/
/** Longer numbers are nobody's. */
const mostDigits = 40
const deepest = 32
/** A half of a pair, which UTF-8 cannot have. */
const loneSurrogate = /\p{Surrogate}/u

export const isWellFormed = (text: string): boolean => !loneSurrogate.test(text)

export class JsonReader {
  readonly #text: string
  readonly #op: string
  readonly #name: string
  #at = 0

  /** `op` and `name` are what messages call the format and the file. */
  constructor(op: string, name: string, text: string) {
    this.#op = op
    this.#name = name
    this.#text = text
  }

  fail(what: string, got: string): never {
    throw new DataFormatError(`${expected(this.#op, what, got)} (${this.#name})`)
  }

  /**
   * The names of an object, each at the place of its value, which has to be read before the next.
   * @param what the object
   */
  *members(what: string): Generator<string, void> {
    const names = new Set<string>()
    this.#take('{', what)
    if (this.#skips('}')) return
    do {
      const name = this.string(`a name in ${what}`)
      if (names.has(name)) this.fail(`${what} to have each name once`, `two ${JSON.stringify(name)}`)
      if (name === '__proto__') this.fail(`names other than __proto__ in ${what}`, 'it')
      names.add(name)
      this.#take(':', `a : after ${JSON.stringify(name)}`)
      yield name
    } while (this.#skips(','))
    this.#take('}', `a , or } in ${what}`)
  }

  /** How many elements a list has read, each at its place. */
  *elements(what: string): Generator<number, void> {
    this.#take('[', what)
    if (this.#skips(']')) return
    let count = 0
    do yield count++
    while (this.#skips(','))
    this.#take(']', `a , or ] in ${what}`)
  }

  string(what: string): string {
    if (this.#next() !== '"') this.fail(what, this.#shown())
    const start = this.#at
    let end = start
    do end = this.#text.indexOf('"', end + 1)
    while (end >= 0 && this.#isEscaped(end))
    if (end < 0) this.fail(what, 'a text without an end')
    this.#at = end + 1
    try {
      const text = JSON.parse(this.#text.slice(start, end + 1)) as string
      if (isWellFormed(text)) return text
    } catch {
      // It has a control character, or an escape that there is not.
    }
    return this.fail(what, 'a text that is no JSON')
  }

  /** Whether an odd number of \ stands before a place. */
  #isEscaped(place: number): boolean {
    let count = 0
    while (this.#text[place - 1 - count] === '\\') count++
    return count % 2 === 1
  }

  number(what: string): number {
    this.#next()
    const start = this.#at
    let end = start
    while (end - start < mostDigits && numeric.test(this.#text[end] ?? '')) end++
    const digits = this.#text.slice(start, end)
    if (!number.test(digits)) this.fail(what, this.#shown())
    this.#at = end
    return Number(digits)
  }

  /** An integer that is exact. */
  count(what: string): number {
    const value = this.number(what)
    if (!Number.isSafeInteger(value) || value < 0) this.fail(what, String(value))
    return value
  }

  /** Passes over any value. */
  skip(depth = 0): void {
    const next = this.#next()
    if (depth > deepest) this.fail(`values at most ${deepest} deep`, 'deeper ones')
    if (next === '{') for (const _ of this.members('an object')) this.skip(depth + 1)
    else if (next === '[') for (const _ of this.elements('a list')) this.skip(depth + 1)
    else if (next === '"') this.string('a text')
    else if (!['true', 'false', 'null'].some((word) => this.#skipsWord(word))) this.number('a value')
  }

  /** Nothing but spaces may follow. */
  end(): void {
    if (this.#next() !== '') this.fail('nothing after the JSON', this.#shown())
  }

  #skipsWord(word: string): boolean {
    const isThere = this.#text.startsWith(word, this.#at)
    if (isThere) this.#at += word.length
    return isThere
  }

  #next(): string {
    while (space.test(this.#text[this.#at] ?? '')) this.#at++
    return this.#text[this.#at] ?? ''
  }

  #skips(mark: string): boolean {
    const isThere = this.#next() === mark
    if (isThere) this.#at++
    return isThere
  }

  #take(mark: string, what: string): void {
    if (!this.#skips(mark)) this.fail(what, this.#shown())
  }

  /** What stands here, for a message. */
  #shown(): string {
    const text = this.#text.slice(this.#at, this.#at + 20)
    return text === '' ? 'its end' : JSON.stringify(text)
  }
}
