/** Keys and values of the tokens so far, in buffers of a fixed length, so that one program serves for every token. */
import { checkInteger, describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { type OptionTypes, requireOptions } from '../base/options.ts'
import { extentAt, formatShape, type Shape, sameShape } from '../base/shape.ts'
import { less, lessEqual, where } from '../operations/comparison.ts'
import { gather, take } from '../operations/indexing.ts'
import { logicalAnd } from '../operations/logic.ts'
import { arange, tensor, zeros } from '../tensor/creation.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'

export interface KeyValueCacheOptions {
  /** How many tokens it has room for. */
  capacity: number
}

const cacheOptions: OptionTypes<KeyValueCacheOptions> = { capacity: 'number' }

interface Buffers {
  readonly keys: Variable
  readonly values: Variable
}

/** What a query sees: the keys and values of the tokens so far and, beyond, what the mask takes out. */
export interface Cached {
  /** [… , capacity, features] */
  readonly keys: Tensor
  readonly values: Tensor
  /** bool [queries, capacity]: query i sees the tokens before it and itself. */
  readonly mask: Tensor
}

/** The keys and values of tokens so far: see {@link kvCache}. */
export class KeyValueCache {
  /** How many tokens it has room for. */
  readonly capacity: number
  /** How many tokens there are, as int32. */
  readonly position: Variable
  readonly #buffers = new Map<object, Buffers>()

  /** @internal */
  constructor(options: KeyValueCacheOptions) {
    const { capacity } = requireOptions('kvCache', options, cacheOptions, ['capacity'])
    this.capacity = checkInteger('kvCache', 'a positive capacity', capacity, 1, 2 ** 24)
    this.position = variable(0, { dtype: 'int32', name: 'position', trainable: false })
  }

  /** How many layers keep their keys and values in it. */
  get layers(): number {
    return this.#buffers.size
  }

  /** Where the next `count` tokens stand, as int32 [count]. */
  positions(count: number): Tensor {
    return arange(0, checkInteger('positions', 'a positive count', count, 1), 1, { dtype: 'int32' }).add(this.position)
  }

  /**
   * Puts keys and values of the next tokens, [… , tokens, features], behind those of a layer so far, and gives all of them. What
   * attention calls; a layer of your own may, too. The tokens count as seen once `advance` is called, after all layers.
   *
   * @param layer whose keys and values they are
   * @throws ShapeError for others than the first time, but for the number of tokens
   */
  extend(layer: object, newKeys: TensorLike, newValues: TensorLike): Cached {
    if (typeof layer !== 'object' || layer === null) throw new TypeError(expected('extend', 'a layer', describe(layer)))
    const [keys, values] = [partOf('keys', newKeys), partOf('values', newValues)]
    const tokens = extentAt(keys.shape, -2)
    if (values.shape.at(-2) !== tokens)
      throw new ShapeError(expected('extend', `values of ${tokens} tokens`, formatShape(values.shape)))
    const buffers = this.#buffersOf(layer, keys, values)
    // Where each place of a buffer is among the new tokens.
    const offsets = arange(0, this.capacity, 1, { dtype: 'int32' }).sub(this.position)
    const isNew = logicalAnd(lessEqual(0, offsets), less(offsets, tokens)).reshape([this.capacity, 1])
    const inside = offsets.clamp(0, tokens - 1)
    const extended = (buffer: Variable, news: Tensor): Tensor => {
      const updated = where(isNew, tokens === 1 ? news : take(news, inside, -2), buffer)
      buffer.assign(updated)
      return updated
    }
    const mask = lessEqual(offsets, arange(0, tokens, 1, { dtype: 'int32' }).reshape([tokens, 1]))
    return { keys: extended(buffers.keys, keys), values: extended(buffers.values, values), mask }
  }

  #buffersOf(layer: object, keys: Tensor, values: Tensor): Buffers {
    const full = ({ shape }: Tensor): Shape => [...shape.slice(0, -2), this.capacity, extentAt(shape, -1)]
    const known = this.#buffers.get(layer)
    if (known === undefined) {
      const buffer = (x: Tensor) => variable(zeros(full(x), { dtype: x.dtype }), { trainable: false })
      const buffers = { keys: buffer(keys), values: buffer(values) }
      this.#buffers.set(layer, buffers)
      return buffers
    }
    for (const [x, { shape }] of [
      [keys, known.keys],
      [values, known.values],
    ] as const)
      if (!sameShape(full(x), shape))
        throw new ShapeError(expected('extend', `tokens of ${formatShape(shape)} as before`, formatShape(x.shape)))
    return known
  }

  /**
   * Has the tokens that all layers were given count as seen.
   *
   * @param count how many of them: fewer than there were where the others filled up a fixed length
   * @throws RangeError where there is no room for so many: from the run, which changes nothing then
   */
  advance(count: TensorLike): void {
    const given = typeof count === 'number' ? checkInteger('advance', 'a count', count, 0, this.capacity) : count
    // Found in a list of what is possible, so that all else is an index out of range.
    const possible = arange(0, this.capacity + 1, 1, { dtype: 'int32' })
    this.position.assign(gather(possible, this.position.add(tensorOf(given))))
  }

  /** Forgets all tokens. Nothing is computed for it: what is beyond the position is not looked at. */
  reset(): void {
    this.position.assign(0)
  }
}

brand(KeyValueCache.prototype, 'key-value cache')

function partOf(name: string, x: TensorLike): Tensor {
  const part = inputOf('extend', x)
  if (part.ndim < 2 || extentAt(part.shape, -2) === 0)
    throw new ShapeError(expected('extend', `${name} […, tokens, features]`, formatShape(part.shape)))
  return part
}

const tensorOf = (count: TensorLike): TensorLike =>
  typeof count === 'number' ? tensor(count, { dtype: 'int32' }) : count

/**
 * A cache of keys and values for attention, by which each token of a text is computed once. It has room for `capacity` tokens
 * from the beginning, and where the next ones go is a variable, so that one compiled function serves for all of them. `generate` does
 * all of it by itself.
 *
 * @throws RangeError for a capacity that is no positive integer
 *
 * @example
 * const cache = kvCache({ capacity: 256 })
 * const next = compile((tokens) => {
 *   const logits = model.forward(tokens, { cache }) // whose attention layers are given it: forward(x, { cache })
 *   cache.advance(tokens.shape[1])
 *   return logits
 * })
 */
export const kvCache = (options: KeyValueCacheOptions): KeyValueCache => new KeyValueCache(options)
