/** Numbers as categories, and categories as numbers. */
import { checkInteger, checkList, checkNumber, checkNumbers, refuseSurplus } from '../../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { formatShape } from '../../base/shape.ts'
import { inputOf } from '../../nn/inputs.ts'
import { Module } from '../../nn/module.ts'
import { titled } from '../../nn/repr.ts'
import { full, tensor } from '../../tensor/creation.ts'
import type { Tensor, TensorLike } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { mix } from '../hashing.ts'
import { assignAll, buffer, FeatureModule } from './features.ts'
import type { Observed, Select } from './observing.ts'
import { Counts, Extremes } from './statistics.ts'
import { type Texts, textIndices } from './texts.ts'

export interface DiscretizeOptions {
  /** How many buckets each feature has; 10 unless given. */
  bins?: number
  /** Whether buckets hold as many values each, which is meant unless given, or are as wide. */
  strategy?: 'quantile' | 'uniform'
  /** Where buckets end, in ascending order, of all features or a list for each; it needs no data then. */
  boundaries?: readonly number[] | readonly (readonly number[])[]
}

const discretizeOptions: OptionTypes<DiscretizeOptions> = {
  bins: 'number',
  strategy: ['quantile', 'uniform'],
  boundaries: 'other',
}

/** The bucket that each feature is in: see {@link discretize}. */
export class Discretize extends FeatureModule {
  readonly boundaries: Variable
  readonly #strategy: 'quantile' | 'uniform'

  /** @internal */
  constructor(features: number, options?: DiscretizeOptions) {
    const { bins = 10, strategy = 'quantile', boundaries } = checkOptions('discretize', options, discretizeOptions)
    super('discretize', features, -1)
    checkInteger('discretize', 'a number of bins of at least 2', bins, 2, 2 ** 20)
    this.#strategy = strategy
    const given =
      boundaries === undefined ? full([features, bins - 1], Infinity) : givenBoundaries(boundaries, features)
    this.boundaries = buffer('boundaries', given)
    titled(this, 'Discretize', { features, ...options })
  }

  /** Takes boundaries from the data; NaN is left out. Quantiles take memory for all numbers that differ. */
  async fit(data: Observed, select?: Select<TensorLike>): Promise<this> {
    const inner = this.boundaries.shape[1]!
    const shares = Array.from({ length: inner }, (_, i) => (i + 1) / (inner + 1))
    if (this.#strategy === 'uniform') {
      const { least, greatest } = await this.observed(data, select, (features) => new Extremes(features))
      const found = Array.from(least, (low, i) => shares.map((share) => low + share * (greatest[i]! - low)))
      await assignAll([[this.boundaries, found.flat()]])
      return this
    }
    const counts = await this.observed(data, select, (features) => new Counts(features))
    await assignAll([[this.boundaries, counts.numbers.flatMap((_, i) => counts.quantiles(i, shares))]])
    return this
  }

  forward(x: TensorLike): Tensor {
    return this.input(x).expandDims(-1).greaterEqual(this.boundaries).sum(-1)
  }
}

function givenBoundaries(boundaries: NonNullable<DiscretizeOptions['boundaries']>, features: number): Tensor {
  const list = checkList<unknown>('discretize', 'boundaries as a list of numbers', boundaries)
  const lists = Array.isArray(list[0]) ? list : Array.from({ length: features }, () => list)
  const rows = lists.map((row) => checkNumbers('discretize', 'finite boundaries', row, Number.isFinite))
  if (rows.length !== features || rows.some((row) => row.length === 0 || row.length !== rows[0]!.length))
    throw new ShapeError(
      expected('discretize', `as many boundaries for each of ${features} features`, `${rows.length} lists`),
    )
  if (rows.some((row) => row.some((x, i) => i > 0 && x <= row[i - 1]!)))
    throw new RangeError(expected('discretize', 'boundaries in ascending order', boundaries))
  return tensor(rows)
}

/**
 * The bucket of each number, as int32 from 0 on: i where boundaries[i − 1] ≤ x < boundaries[i]. The last axis is that of features, each
 * with its boundaries. NaN comes into bucket 0: `fillMissing` goes before. Until it is fitted or loaded, everything is in bucket 0.
 *
 * @example
 * const age = await discretize(1, { bins: 8 }).fit(ages)
 * @sklearn KBinsDiscretizer
 * @tensorflow tf.keras.layers.Discretization
 */
export const discretize = (features: number, options?: DiscretizeOptions): Discretize =>
  new Discretize(features, options)

export interface OneHotOptions {
  /**
   * `oneHot`, which is meant unless given: a row of `classes` for each integer. `multiHot`: a row for those of the last axis, with 1 where a
   * class is among them. `count`: the same, with how often it is.
   */
  mode?: 'oneHot' | 'multiHot' | 'count'
}

const oneHotOptions: OptionTypes<OneHotOptions> = { mode: ['oneHot', 'multiHot', 'count'] }

class OneHot extends Module<TensorLike, Tensor> {
  readonly #classes: number
  readonly #mode: NonNullable<OneHotOptions['mode']>

  constructor(classes: number, options?: OneHotOptions) {
    super()
    this.#mode = checkOptions('oneHot', options, oneHotOptions).mode ?? 'oneHot'
    this.#classes = checkInteger('oneHot', 'a positive integer of classes', classes, 1, 2 ** 31 - 1)
    titled(this, 'OneHot', { classes, ...options })
  }

  forward(x: TensorLike): Tensor {
    const input = inputOf('oneHot', x)
    const rows = input.oneHot(this.#classes)
    if (this.#mode === 'oneHot') return rows
    if (input.ndim === 0) throw new ShapeError(expected('oneHot', 'an axis of classes', formatShape(input.shape)))
    return this.#mode === 'count' ? rows.sum(-2) : rows.max(-2)
  }
}

/**
 * Integers [… ] as rows [… , classes] of 0 and 1; one that is no class is a row of 0. It has nothing to be fitted.
 * @sklearn OneHotEncoder
 * @tensorflow tf.keras.layers.CategoryEncoding
 */
export const oneHot = (classes: number, options?: OneHotOptions): Module<TensorLike, Tensor> =>
  new OneHot(classes, options)

export interface HashingOptions {
  /** Another one puts things together that were not; 0 unless given. */
  seed?: number
}

const hashingOptions: OptionTypes<HashingOptions> = { seed: 'number' }

/** Categories without a list of them: see {@link hashing}. */
export class Hashing extends Module<TensorLike, Tensor> {
  readonly #bins: number
  readonly #seed: number

  /** @internal */
  constructor(bins: number, options?: HashingOptions) {
    super()
    const { seed = 0 } = checkOptions('hashing', options, hashingOptions)
    this.#bins = checkInteger('hashing', 'a positive integer of bins', bins, 1, 2 ** 31 - 1)
    this.#seed = checkNumber('hashing', 'an integer seed from 0 to 2³² − 1', seed, (x) => x === x >>> 0)
    titled(this, 'Hashing', { bins, ...options })
  }

  /** The bins of integers, in the program: those of MurmurHash3's finalizer (A. Appleby). */
  forward(x: TensorLike): Tensor {
    const input = inputOf('hashing', x)
    if (input.dtype !== 'int32' && input.dtype !== 'uint8')
      throw new DTypeError(expected('hashing', 'int32 or uint8; texts by lookup', input.dtype))
    const shifted = (h: Tensor, by: number) => h.bitwiseXor(h.rightShift(by).bitwiseAnd(2 ** (32 - by) - 1))
    const integer = (n: number) => tensor(n | 0, { dtype: 'int32' })
    const start = input.cast('int32').bitwiseXor(integer(mix(this.#seed)))
    const first = shifted(start, 16).mul(integer(0x85ebca6b))
    return shifted(shifted(first, 13).mul(integer(0xc2b2ae35)), 16).mod(integer(this.#bins))
  }

  /** The bins of texts, in lists in each other as well, as int32: what a program is given in their place. null has a bin of its own kind. */
  lookup(texts: Texts, ...surplus: []): Tensor {
    refuseSurplus('hashing.lookup', 1, surplus)
    return textIndices('hashing.lookup', texts, (text) => {
      const hash = mix(textHash(text ?? '\u0000') ^ mix(this.#seed))
      return hash % this.#bins
    })
  }
}

/** FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo) of the bytes of a text in UTF-8. */
function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

/**
 * A bin from 0 to bins − 1 for each category, by a hash of it: without a vocabulary, and with several categories in a bin. Integers are hashed in the program, by
 * `forward`, texts before it, by `lookup`. The same category is in the same bin everywhere, so there is nothing to fit or to save.
 * @sklearn FeatureHasher
 * @tensorflow tf.keras.layers.Hashing
 */
export const hashing = (bins: number, options?: HashingOptions): Hashing => new Hashing(bins, options)
