/** Random tensors, and the streams that their keys come from. */

import { checkFunction, checkInteger, checkNumber, shapeAndOptions } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { type DType, isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { greatestBelow, roundTo } from '../base/floats.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkShape, type Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { add, minimum, mul } from '../graph/ops/elementwise.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { random } from '../graph/ops/random.ts'
import type { DistributionName } from '../program/vocabulary.ts'
import { type Tensor, type TensorLike, toNode, wrap } from './tensor.ts'
import { dynamicInput } from './trace.ts'

export interface RandomOptions {
  /** float32 unless given. */
  dtype?: DType
  /** Fixes the numbers whatever was drawn before; otherwise each draw takes the next key of the global stream. */
  seed?: number
}

export const randomOptions: OptionTypes<RandomOptions> = { dtype: 'dtype', seed: 'number' }

export interface NormalOptions extends RandomOptions {
  /** 0 unless given. */
  mean?: number
  /** 1 unless given. */
  std?: number
}

export interface UniformOptions extends RandomOptions {
  /** 0 unless given. */
  min?: number
  /** Excluded; 1 unless given. */
  max?: number
}

const normalOptions: OptionTypes<NormalOptions> = { mean: 'number', std: 'number', ...randomOptions }
const uniformOptions: OptionTypes<UniformOptions> = { min: 'number', max: 'number', ...randomOptions }

/** A source of random numbers that depend on its seed alone: each draw takes the next key. */
export class RandomStream {
  protected readonly notCloned = notCloned('a random stream: send its seed')
  #draws = 0

  /** @internal */
  constructor(readonly seed: number) {}

  toString(): string {
    return `RandomStream of seed ${this.seed}`
  }

  /**
   * Runs `fn`, whose random numbers (`randn`, dropout and all others) come from this stream instead of the global one.
   * A function that is compiled in it draws from it at each of its runs.
   *
   * @param fn is not async: only what it draws until it returns is of this stream
   */
  run<T>(fn: () => T): T {
    checkFunction('randomStream.run', 'a function', fn)
    const outer = local
    local = this
    try {
      return fn()
    } finally {
      local = outer
    }
  }

  /**
   * How often was drawn from it: with its seed all that there is to know of its state. A stream of the same seed that is set to it goes
   * on with the same numbers. It counts what was submitted, so it is read when nothing is under way.
   * @throws RangeError for what is no integer of at least 0
   */
  get draws(): number {
    return this.#draws
  }

  set draws(value: number) {
    this.#draws = checkInteger('draws', 'an integer of at least 0', value, 0, Number.MAX_SAFE_INTEGER)
  }

  /** The key of the next draw, which counts as one. @internal */
  nextKey(): Int32Array<ArrayBuffer> {
    return Int32Array.of(this.seed | 0, ++this.#draws | 0)
  }
}

brand(RandomStream.prototype, 'random stream')
showAsText(RandomStream.prototype)

let stream = new RandomStream(0)
/** The innermost stream that a function runs in. */
let local: RandomStream | null = null

/**
 * Starts the global stream of random numbers anew: what is drawn from here on depends on the seed alone.
 * @pytorch torch.manual_seed
 * @tensorflow tf.random.set_seed
 */
export function setSeed(seed: number): void {
  stream = new RandomStream(checkSeed('setSeed', seed))
}

/**
 * A stream of random numbers of its own, which leaves the global one alone.
 *
 * @param seed from 0 to 2³² − 1; unless given it follows from the global stream, and each call gives another
 * @throws RangeError for a seed that is no such integer
 *
 * @example
 * const stream = randomStream(7)
 * const [a, b] = stream.run(() => [randn([3]), randn([3])]) // the same numbers whatever was drawn before
 * @pytorch torch.Generator
 * @tensorflow tf.random.Generator
 */
export const randomStream = (seed?: number): RandomStream =>
  new RandomStream(seed === undefined ? nextSeed() : checkSeed('randomStream', seed))

export function checkSeed(op: string, seed: number): number {
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 32 - 1)
    throw new RangeError(expected(op, 'an integer seed from 0 to 2³² − 1', seed))
  return seed
}

/** A seed that follows from the global one; each call gives another. */
function nextSeed(): number {
  const [seed, draw] = stream.nextKey()
  return (Math.imul(seed! ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(draw!, 0xc2b2ae35)) >>> 0
}

/** Makes keys of the steps of a loop from the key of a draw, while the step is recorded. */
let keyOfStep: ((key: Node) => Node) | null = null

/** Runs `fn`, where each draw without a seed has the key that `derive` makes of its own, and of that of a loop around it. */
export function withDerivedKeys<T>(derive: (key: Node) => Node, fn: () => T): T {
  const outer = keyOfStep
  keyOfStep = (key) => derive(outer === null ? key : outer(key))
  try {
    return fn()
  } finally {
    keyOfStep = outer
  }
}

/** So many keys that follow from one: int32[count, 2]. */
export const keysFrom = (key: Node, count: number): Node =>
  random(key, 'integer', 'int32', [count, 2], [literal(0, 'int32'), literal(0, 'int32')])

/** The key of one draw: that of the seed, or the next of the stream, at each run of a compiled function too. */
function keyOf(op: string, seed: number | undefined): Node {
  if (seed !== undefined) return data(Int32Array.of(checkSeed(op, seed) | 0, 0), 'int32', [2])
  const own = local
  const key = dynamicInput('int32', [2], () => (own ?? stream).nextKey())
  return keyOfStep === null ? key : keyOfStep(key)
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
 * backend and instruction set. Inside `compile` each call draws anew, unless a seed is given. Extents come in a list, or one by
 * one: `randn(2, 3)`.
 * @pytorch torch.randn
 * @tensorflow tf.random.normal
 */
export function randn(shape: Shape, options?: NormalOptions): Tensor
export function randn(...extents: [number, ...number[]]): Tensor
export function randn(...extents: [number, ...number[], NormalOptions]): Tensor
export function randn(...given: readonly unknown[]): Tensor {
  const [shape, options] = shapeAndOptions<NormalOptions>('randn', given)
  const { mean = 0, std = 1, ...rest } = checkOptions('randn', options, normalOptions)
  checkNumber('randn', 'a finite mean', mean, Number.isFinite)
  checkNumber('randn', 'a finite std of at least 0', std, (x) => x >= 0 && x < Infinity)
  const standard = draw('randn', 'normal', shape, rest)
  const scaled = std === 1 ? standard : mul(standard, std)
  return wrap(mean === 0 ? scaled : add(scaled, mean))
}

/**
 * Uniformly distributed numbers in [min, max), by Philox 4x32-10; see {@link randn}. Where no number of the dtype lies
 * between the bounds, or they are equal, all are min. Extents come in a list, or one by one: `rand(2, 3)`.
 * @throws RangeError for bounds, or a difference of them, that are not finite in the dtype, or min > max
 * @pytorch torch.rand
 * @tensorflow tf.random.uniform
 */
export function uniform(shape: Shape, options?: UniformOptions): Tensor
export function uniform(...extents: [number, ...number[]]): Tensor
export function uniform(...extents: [number, ...number[], UniformOptions]): Tensor
export function uniform(...given: readonly unknown[]): Tensor {
  const [shape, options] = shapeAndOptions<UniformOptions>('uniform', given)
  const { min = 0, max = 1, ...rest } = checkOptions('uniform', options, uniformOptions)
  const standard = draw('uniform', 'uniform', shape, rest)
  if (min === 0 && max === 1) return wrap(standard)
  const fits = (x: number) => Number.isFinite(roundTo(x, standard.dtype))
  if (!([min, max].every((bound) => typeof bound === 'number' && fits(bound)) && min <= max && fits(max - min)))
    throw new RangeError(expected('uniform', 'finite bounds with min ≤ max', `${min} and ${max}`))
  const scaled = add(mul(standard, max - min), min)
  // The sum may be rounded up to max.
  return wrap(minimum(scaled, Math.max(greatestBelow(max, standard.dtype), roundTo(min, standard.dtype))))
}

/**
 * Uniformly distributed numbers in [0, 1) in the shape of x, and in its dtype unless another is given.
 * @throws DTypeError for another dtype than float32 and float64
 * @pytorch torch.rand_like
 */
export function randLike(x: TensorLike, options?: RandomOptions): Tensor {
  const like = toNode('randLike', x)
  const { dtype = like.dtype, ...rest } = checkOptions('randLike', options, randomOptions)
  return wrap(draw('randLike', 'uniform', like.shape, { ...rest, dtype }))
}

/**
 * Normally distributed numbers in the shape of x, and in its dtype unless another is given.
 * @throws DTypeError for another dtype than float32 and float64
 * @pytorch torch.randn_like
 */
export function randnLike(x: TensorLike, options?: RandomOptions): Tensor {
  const like = toNode('randnLike', x)
  const { dtype = like.dtype, ...rest } = checkOptions('randnLike', options, randomOptions)
  return wrap(draw('randnLike', 'normal', like.shape, { ...rest, dtype }))
}
