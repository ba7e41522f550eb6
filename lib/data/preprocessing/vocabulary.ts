/** Words by their places in a list that is found in data and saved with a model. */
import { checkInteger, checkList, checkNumbers, describe, refuseSurplus } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { sizeOf } from '../../base/shape.ts'
import { turnIfDue } from '../../base/turns.ts'
import { Module } from '../../nn/module.ts'
import { titled } from '../../nn/repr.ts'
import { tensor, zeros } from '../../tensor/creation.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { Dataset } from '../dataset.ts'
import { Stream } from '../stream.ts'
import { buffer } from './features.ts'
import { type Observed, observe, type Select } from './observing.ts'
import { type Texts, textIndices } from './texts.ts'

export interface VocabularyOptions {
  /** Words that are known from the start, the first of which has the first place after the unknown ones. */
  words?: readonly string[]
  /** Whether place 0 is kept for filling up, as `paddedBatch` does, so that unknown words have place 1; false unless given. */
  padding?: boolean
  /** How often a word has to come to be taken; 1 unless given. */
  minCount?: number
  /** Bytes that all words together have room in, which is fixed, as that of other buffers is; 16 for each word unless given. */
  bytes?: number
}

const vocabularyOptions: OptionTypes<VocabularyOptions> = {
  words: 'other',
  padding: 'boolean',
  minCount: 'number',
  bytes: 'number',
}

/** No word has it in it. */
const end = '\u0000'

/** Words and their places: see {@link vocabulary}. */
export class Vocabulary extends Module<Tensor | Texts, Tensor> {
  /** The words in UTF-8, a byte 0 after each, and no more after the last. */
  readonly table: Variable
  readonly #size: number
  readonly #first: number
  readonly #minCount: number
  /** What was read of the table, and of which bytes. */
  #read:
    | { readonly bytes: Uint8Array; readonly words: readonly string[]; readonly places: ReadonlyMap<string, number> }
    | undefined

  /** @internal */
  constructor(size: number, options?: VocabularyOptions) {
    super()
    const { words = [], padding = false, minCount = 1, bytes } = checkOptions('vocabulary', options, vocabularyOptions)
    this.#first = padding ? 2 : 1
    checkInteger('vocabulary', `a size of at least ${this.#first}`, size, this.#first, 2 ** 26)
    this.#size = size
    this.#minCount = checkInteger('vocabulary', 'a minCount of at least 1', minCount, 1)
    const room = bytes === undefined ? 16 * size : checkInteger('vocabulary', 'bytes of at least 1', bytes, 1, 2 ** 30)
    const list = checkList('vocabulary', 'a list of words', words)
    this.table = buffer('table', list.length === 0 ? zeros([room], { dtype: 'uint8' }) : this.#written(list, room))
    titled(this, 'Vocabulary', { size, padding, minCount })
  }

  /** How many places there are, with those of unknown words and padding: what an embedding after it needs. */
  get size(): number {
    return this.#size
  }

  /** The words that it knows, the first of which has the first place after the unknown ones. */
  words(): readonly string[] {
    return [...this.#known().words]
  }

  /**
   * Takes the most frequent words of the data, as many as there is room for, and of as frequent ones those that come first in the order of
   * their characters. Data is texts or lists of them in an array, or a stream or a data set, of which `select` says what is text in a batch.
   *
   * @throws RangeError for words that take more bytes than there are, or that have a character 0
   */
  async fit(data: readonly Texts[] | Observed, select?: Select<Texts>, ...surplus: []): Promise<this> {
    refuseSurplus('vocabulary.fit', 2, surplus)
    const counts = new Map<string, number>()
    const see = async (texts: Texts): Promise<void> => {
      const due = turnIfDue()
      if (due !== undefined) await due
      if (typeof texts === 'string') counts.set(texts, (counts.get(texts) ?? 0) + 1)
      else if (Array.isArray(texts)) for (const text of texts) await see(text)
      else if (texts !== null)
        throw new TypeError(expected('vocabulary.fit', 'texts, or a function that selects them', describe(texts)))
    }
    if (data instanceof Stream || data instanceof Dataset || data instanceof Tensor)
      await observe('vocabulary.fit', data, select, see)
    else await see(checkList('vocabulary.fit', 'a list of texts, or a stream', data))
    const frequent = [...counts]
      .filter(([, count]) => count >= this.#minCount)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, this.#size - this.#first)
    this.table.assign(
      this.#written(
        frequent.map(([word]) => word),
        sizeOf(this.table.shape),
      ),
    )
    return this
  }

  /** The places of words, also of lists of them in each other, as int32. What is unknown, or null, has the place for it. */
  lookup(texts: Texts, ...surplus: []): Tensor {
    refuseSurplus('vocabulary.lookup', 1, surplus)
    const { places } = this.#known()
    return textIndices(
      'vocabulary.lookup',
      texts,
      (text) => (text === null ? undefined : places.get(text)) ?? this.#first - 1,
    )
  }

  /** The words at some places, in the same lists; null where there is none. */
  decode(indices: Tensor | readonly number[], ...surplus: []): (string | null)[] {
    refuseSurplus('vocabulary.decode', 1, surplus)
    const { words } = this.#known()
    const list =
      indices instanceof Tensor
        ? indices.dataSync()
        : checkNumbers('vocabulary.decode', 'places of words', indices, Number.isInteger)
    return Array.from(list, (place) => words[place - this.#first] ?? null)
  }

  /** Places as they are, so that it may stand before an embedding, and be saved with it; of texts their places. */
  forward(x: Tensor | Texts): Tensor {
    return x instanceof Tensor ? x : this.lookup(x)
  }

  #known() {
    const bytes = this.table.dataSync() as Uint8Array
    if (this.#read === undefined || Buffer.compare(bytes, this.#read.bytes) !== 0) {
      const length = bytes.findLastIndex((byte) => byte !== 0) + 1
      const words = length === 0 ? [] : new TextDecoder().decode(bytes.subarray(0, length)).split(end)
      this.#read = { bytes, words, places: new Map(words.map((word, i) => [word, i + this.#first])) }
    }
    return this.#read
  }

  #written(words: readonly string[], room: number): Tensor {
    for (const word of words)
      if (typeof word !== 'string' || word === '' || word.includes(end))
        throw new TypeError(expected('vocabulary', 'words of at least one character, none of them 0', describe(word)))
    if (new Set(words).size < words.length)
      throw new RangeError(expected('vocabulary', 'each word once', 'some of them twice'))
    if (words.length > this.#size - this.#first)
      throw new RangeError(expected('vocabulary', `at most ${this.#size - this.#first} words`, words.length))
    const text = new TextEncoder().encode(words.map((word) => `${word}${end}`).join(''))
    if (text.length > room)
      throw new RangeError(expected('vocabulary', `words of at most ${room} bytes (bytes may say more)`, text.length))
    const bytes = new Uint8Array(room)
    bytes.set(text)
    return tensor(bytes)
  }
}

/**
 * Words as integers, for an embedding or `oneHot`: place 0 is that of unknown words, with `padding` place 0 is for filling up and place 1 that of unknown
 * words, then come the words, the most frequent first. `size` is the number of places.
 *
 * Texts are no tensors, so words are looked up before the program, by `lookup`, in a `map` of a stream or of texts that came from a user. The list
 * is a buffer of bytes, so that `stateDict`, files and checkpoints of the model that it is part of have it in them.
 *
 * @example
 * const species = await vocabulary(20).fit(['cat', 'dog', 'cat'])
 * species.lookup(['dog', 'fox']) // int32 [2, 0]
 * stream.batch(32).map(([{ name, weight }, y]) => [{ name: species.lookup(name), weight }, y])
 * @sklearn OrdinalEncoder
 * @tensorflow tf.keras.layers.StringLookup
 */
export const vocabulary = (size: number, options?: VocabularyOptions): Vocabulary => new Vocabulary(size, options)
