/**
 * Random numbers of more distributions than those of random.ts, keyed and seeded as they are: the same bits on every
 * backend and instruction set. Parameters are numbers, or tensors that broadcast to the shape; nothing here has a gradient.
 */

import { checkDType, type DType, isFloat } from '../base/dtype.ts'
import { erfc } from '../base/erf.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { add, div, less, maximum, minimum, mul } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/indexing.ts'
import { literal, stopGradient } from '../graph/ops/leaf.ts'
import { permute } from '../graph/ops/movement.ts'
import { cast } from '../graph/ops/promotion.ts'
import { argmax } from '../graph/ops/reduce.ts'
import { argsortRows } from '../graph/ops/sort.ts'
import { draw, type RandomOptions, randn } from './random.ts'
import { type Tensor, type TensorLike, toNode, wrap } from './tensor.ts'

type SeedOption = Pick<RandomOptions, 'seed'>

const isPositive = (x: number): boolean => x > 0 && x < Infinity

/** The options of a function that has no defaults for all of them. */
function given<T extends object>(op: string, options: T): T {
  if (typeof options !== 'object' || options === null) throw new TypeError(expected(op, 'options', options))
  return options
}

/** A parameter as the instruction reads it: one element, or one for each of the shape. */
function parameter(
  op: string,
  name: string,
  value: TensorLike,
  shape: Shape,
  dtype: DType,
  isValid = isPositive,
): Node {
  if (value === undefined) throw new TypeError(expected(op, `a ${name}`, value))
  if (typeof value === 'number') {
    if (!isValid(value)) throw new RangeError(expected(op, `a ${name} in its range`, value))
    return literal(value, dtype)
  }
  const node = stopGradient(cast(toNode(value), dtype))
  if (sizeOf(node.shape) === 1) return node
  if (!sameShape(broadcastShapes(op, node.shape, shape), shape))
    throw new ShapeError(expected(op, `a ${name} that broadcasts to ${formatShape(shape)}`, formatShape(node.shape)))
  return broadcastTo(node, shape)
}

/** One element broadcasts to any shape. */
const toShape = (x: Node, shape: Shape): Node => broadcastTo(sizeOf(x.shape) === 1 ? reshape(x, []) : x, shape)

/**
 * Normally distributed numbers: another name of `randn`.
 * @pytorch torch.normal
 * @tensorflow tf.random.normal
 */
export const normal = randn

/** Φ, the distribution function of the normal distribution. */
const normalDistribution = (x: number): number => erfc(-x * Math.SQRT1_2) / 2

/**
 * Normally distributed numbers given that they are in [min, max], two standard deviations to both sides unless given:
 * x = mean + std·Φ⁻¹(u) with u uniform in [Φ(a), Φ(b)), where a and b are the bounds less the mean, over std.
 * @pytorch torch.nn.init.trunc_normal_
 * @tensorflow tf.random.truncated_normal
 */
export function truncatedNormal(
  shape: Shape,
  {
    mean = 0,
    std = 1,
    min = mean - 2 * std,
    max = mean + 2 * std,
    ...options
  }: RandomOptions & { mean?: number; std?: number; min?: number; max?: number } = {},
): Tensor {
  if (!isPositive(std)) throw new RangeError(expected('truncatedNormal', 'a positive std', std))
  if (!(min < max)) throw new RangeError(expected('truncatedNormal', 'min < max', `${min} and ${max}`))
  const [a, b] = [(min - mean) / std, (max - mean) / std]
  // Of the two tails the one where Φ is small and so has all its digits.
  const mirrored = a + b > 0
  const { dtype = 'float32' } = options
  const bounds = (mirrored ? [-b, -a] : [a, b]).map((x) => literal(normalDistribution(x), dtype))
  const standard = draw('truncatedNormal', 'truncatedNormal', shape, options, bounds)
  return wrap(minimum(maximum(add(mul(standard, mirrored ? -std : std), mean), min), max))
}

/**
 * 1 with a probability, else 0: float32 unless `dtype` says another. The probability is ½ unless given.
 * @pytorch torch.bernoulli
 * @tensorflow tf.keras.random.binomial
 */
export function bernoulli(
  shape: Shape,
  { probability = 0.5, dtype = 'float32', ...options }: SeedOption & { probability?: TensorLike; dtype?: DType } = {},
): Tensor {
  const isValid = (p: number) => p >= 0 && p <= 1
  const drawn = draw('bernoulli', 'uniform', shape, options)
  const threshold = parameter('bernoulli', 'probability', probability, shape, 'float32', isValid)
  return wrap(cast(less(drawn, toShape(threshold, shape)), checkDType('bernoulli', dtype)))
}

/**
 * Exponentially distributed numbers, of density rate·e^(−rate·x): −log u / rate. The rate is 1 unless given.
 * @pytorch Tensor.exponential_
 */
export function exponential(
  shape: Shape,
  { rate = 1, ...options }: RandomOptions & { rate?: TensorLike } = {},
): Tensor {
  const drawn = draw('exponential', 'exponential', shape, options)
  return wrap(
    rate === 1 ? drawn : div(drawn, toShape(parameter('exponential', 'rate', rate, shape, drawn.dtype), shape)),
  )
}

/**
 * Integers from min, 0 unless given, to below max, as int32. Each is ⌊word·(max − min) / 2³²⌋ above min, so that none is
 * likelier than another by more than 2⁻³².
 * @pytorch torch.randint
 * @tensorflow tf.random.uniform
 */
export function randint(shape: Shape, options: SeedOption & { min?: number; max: number }): Tensor {
  const { min = 0, max, ...seed } = given('randint', options)
  const isInt32 = (x: number) => Number.isInteger(x) && x === (x | 0)
  if (!(isInt32(min) && isInt32(max) && min < max))
    throw new RangeError(expected('randint', 'int32 bounds with min < max', `${min} and ${max}`))
  const bounds = [min, max].map((bound) => literal(bound, 'int32'))
  return wrap(draw('randint', 'integer', shape, seed, bounds))
}

/**
 * Gamma-distributed numbers, of density ∝ x^(concentration − 1)·e^(−rate·x); by Marsaglia & Tsang (2000). 0 where one is
 * too small for its dtype. The rate is 1 unless given.
 * @pytorch torch.distributions.Gamma
 * @tensorflow tf.random.gamma
 */
export function gamma(shape: Shape, options: RandomOptions & { concentration: TensorLike; rate?: TensorLike }): Tensor {
  const { concentration, rate = 1, dtype = 'float32' } = given('gamma', options)
  const standard = draw('gamma', 'gamma', shape, options, [
    parameter('gamma', 'concentration', concentration, shape, dtype),
  ])
  return wrap(rate === 1 ? standard : div(standard, toShape(parameter('gamma', 'rate', rate, shape, dtype), shape)))
}

/**
 * Beta-distributed numbers, of density ∝ x^(alpha − 1)·(1 − x)^(beta − 1).
 * @pytorch torch.distributions.Beta
 * @tensorflow tf.keras.random.beta
 */
export function beta(shape: Shape, options: RandomOptions & { alpha: TensorLike; beta: TensorLike }): Tensor {
  const { alpha, beta, dtype = 'float32' } = given('beta', options)
  return wrap(
    draw('beta', 'beta', shape, options, [
      parameter('beta', 'alpha', alpha, shape, dtype),
      parameter('beta', 'beta', beta, shape, dtype),
    ]),
  )
}

/**
 * Poisson-distributed counts with a mean, the rate: k has the probability rateᵏ·e^(−rate) / k!. Floats, as in PyTorch.
 * @pytorch torch.poisson
 * @tensorflow tf.random.poisson
 */
export function poisson(shape: Shape, options: RandomOptions & { rate: TensorLike }): Tensor {
  const isValid = (x: number) => x >= 0 && x < Infinity
  const { rate, dtype = 'float32' } = given('poisson', options)
  return wrap(draw('poisson', 'poisson', shape, options, [parameter('poisson', 'rate', rate, shape, dtype, isValid)]))
}

/** x[…, classes] as floats without a gradient. */
function classesOf(op: string, x: TensorLike): Node {
  const node = stopGradient(toNode(x))
  if (node.shape.length === 0 || node.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'a shape […, classes]', formatShape(node.shape)))
  return isFloat(node.dtype) ? node : cast(node, 'float32')
}

function checkCount(op: string, count: number): void {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(expected(op, 'a count that is a natural number', count))
}

/** The greatest of x[…, classes] joined with a draw for each class, `count` times anew: int32[…, count]. */
function winners(x: Node, count: number, drawn: (shape: Shape) => Node, join: (x: Node, noise: Node) => Node): Node {
  const [outer, classes] = [x.shape.slice(0, -1), extentAt(x.shape, -1)]
  const shape = [...outer, count, classes]
  return argmax(join(broadcastTo(reshape(x, [...outer, 1, classes]), shape), drawn(shape)), -1)
}

/**
 * Classes drawn from logits[…, classes], with the probabilities softmax(logits): int32[…], or with a `count` […, count].
 * The greatest logit + Gumbel noise (Gumbel 1954; Maddison et al., "A* sampling", 2014).
 * @pytorch torch.distributions.Categorical
 * @tensorflow tf.random.categorical
 */
export function categorical(logits: TensorLike, { count, ...options }: SeedOption & { count?: number } = {}): Tensor {
  const node = classesOf('categorical', logits)
  checkCount('categorical', count ?? 1)
  const gumbel = (shape: Shape) => draw('categorical', 'gumbel', shape, { dtype: node.dtype, ...options })
  const chosen = winners(node, count ?? 1, gumbel, add)
  return wrap(count === undefined ? reshape(chosen, node.shape.slice(0, -1)) : chosen)
}

/**
 * `count` classes drawn from probabilities[…, classes], which need not add up to 1: int32[…, count]. Without replacement
 * unless it is asked for, as in PyTorch, so each class at most once; then at least `count` probabilities should not be 0.
 * The greatest of probability / exponential noise (Efraimidis & Spirakis 2006).
 * @pytorch torch.multinomial
 */
export function multinomial(
  probabilities: TensorLike,
  count: number,
  { replacement = false, ...options }: SeedOption & { replacement?: boolean } = {},
): Tensor {
  const node = classesOf('multinomial', probabilities)
  checkCount('multinomial', count)
  const noise = (shape: Shape) => draw('multinomial', 'exponential', shape, { dtype: node.dtype, ...options })
  if (replacement) return wrap(winners(node, count, noise, div))
  if (count > extentAt(node.shape, -1))
    throw new RangeError(expected('multinomial', `a count of at most ${node.shape.at(-1)} without replacement`, count))
  return wrap(argsortRows(div(node, noise(node.shape)), count, true))
}

/**
 * 0, 1, …, n − 1 in a random order, as int32: the order of n random words.
 * @pytorch torch.randperm
 * @tensorflow tf.random.shuffle
 */
export function permutation(n: number, options: SeedOption = {}): Tensor {
  checkCount('permutation', n)
  return wrap(orderOf('permutation', n, options))
}

function orderOf(op: string, n: number, options: SeedOption): Node {
  // Equal bounds stand for all integers.
  const zero = literal(0, 'int32')
  return argsortRows(draw(op, 'integer', [n], options, [zero, zero]), n, false)
}

/**
 * The slices of x along an axis, the first one unless given, in a random order.
 * @tensorflow tf.random.shuffle
 */
export function shuffle(x: TensorLike, { axis = 0, ...options }: SeedOption & { axis?: number } = {}): Tensor {
  const node = toNode(x)
  const along = normalizeAxis('shuffle', axis, node.shape.length)
  const order = node.shape.map((_, i) => i)
  // The axis exchanged with the first one, there and back.
  order[0] = along
  order[along] = 0
  const shuffled = gather(permute(node, order), orderOf('shuffle', extentAt(node.shape, along), options))
  return wrap(permute(shuffled, order))
}
