import { type DType, isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { checkShape, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { data } from '../graph/ops/leaf.ts'
import { random } from '../graph/ops/random.ts'
import type { DistributionName } from '../program/instructions.ts'
import { type Tensor, wrap } from './tensor.ts'
import { dynamicInput } from './trace.ts'

export interface RandomOptions {
  /** float32 unless given. */
  dtype?: DType
  /** Fixes the numbers whatever was drawn before; otherwise each draw takes the next key of the global stream. */
  seed?: number
}

/** A stream of keys, of which each draw takes the next. */
export class KeyStream {
  readonly #seed: number
  #draws = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  next(): Int32Array<ArrayBuffer> {
    return Int32Array.of(this.#seed | 0, ++this.#draws | 0)
  }
}

let stream = new KeyStream(0)

/** Starts the global stream of random numbers anew: what is drawn from here on depends on the seed alone. */
export function setSeed(seed: number): void {
  stream = new KeyStream(checkSeed('setSeed', seed))
}

let local: KeyStream | null = null

/** What `fn` records draws from this stream instead of the global one, at every run. */
export function withKeyStream<T>(keys: KeyStream, fn: () => T): T {
  const outer = local
  local = keys
  try {
    return fn()
  } finally {
    local = outer
  }
}

function checkSeed(op: string, seed: number): number {
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 32 - 1)
    throw new RangeError(expected(op, 'an integer seed from 0 to 2³² − 1', seed))
  return seed
}

/** A seed that follows from the global one; each call gives another. */
export function nextSeed(): number {
  const [seed, draw] = stream.next()
  return (Math.imul(seed! ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(draw!, 0xc2b2ae35)) >>> 0
}

/** The key of one draw: that of the seed, or the next of the stream, at each run of a compiled function too. */
function keyOf(op: string, seed: number | undefined): Node {
  const keys = local
  return seed === undefined
    ? dynamicInput('int32', [2], () => (keys ?? stream).next())
    : data(Int32Array.of(checkSeed(op, seed) | 0, 0), 'int32', [2])
}

/** Random numbers as the instruction `random` makes them, with its parameters; integers are int32 whatever the dtype. */
export function draw(
  op: string,
  distribution: DistributionName,
  shape: Shape,
  { dtype = 'float32', seed }: RandomOptions,
  parameters: readonly Node[] = [],
): Node {
  if (!isFloat(dtype)) throw new DTypeError(expected(op, 'float32 or float64', dtype))
  checkShape(op, shape)
  return random(keyOf(op, seed), distribution, distribution === 'integer' ? 'int32' : dtype, shape, parameters)
}

/**
 * Normally distributed numbers, by Philox 4x32-10 and the inverse distribution function: the same bits on every
 * backend and instruction set. Inside `compile` each call draws anew, unless a seed is given.
 */
export function randn(
  shape: Shape,
  { mean = 0, std = 1, ...options }: RandomOptions & { mean?: number; std?: number } = {},
): Tensor {
  const standard = wrap(draw('randn', 'normal', shape, options))
  const scaled = std === 1 ? standard : standard.mul(std)
  return mean === 0 ? scaled : scaled.add(mean)
}

/** Uniformly distributed numbers in [min, max), by Philox 4x32-10; see {@link randn}. */
export function uniform(
  shape: Shape,
  { min = 0, max = 1, ...options }: RandomOptions & { min?: number; max?: number } = {},
): Tensor {
  const standard = wrap(draw('uniform', 'uniform', shape, options))
  const scaled = max - min === 1 ? standard : standard.mul(max - min)
  return min === 0 ? scaled : scaled.add(min)
}
