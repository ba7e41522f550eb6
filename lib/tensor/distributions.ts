/**
 * Random numbers of more distributions than those of random.ts, keyed and seeded as they are: the same bits on every
 * backend and instruction set. Parameters are numbers, or tensors that broadcast to the shape. What a sample is shifted or
 * scaled by has the gradient through the sample; of other parameters a gradient is an error.
 */

import { checkNumber } from '../base/arguments.ts'
import { type DType, isFloat } from '../base/dtype.ts'
import { erfc } from '../base/erf.ts'
import { expectation, expected, ShapeError } from '../base/errors.ts'
import { greatest, greatestBelow, leastNormal, roundTo } from '../base/floats.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../base/options.ts'
import {
  broadcastShapes,
  checkShape,
  extentAt,
  formatShape,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { demand } from '../graph/ops/demand.ts'
import { add, div, less, maximum, minimum, mul, sub, where } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/indexing.ts'
import { literal, stopGradient } from '../graph/ops/leaf.ts'
import { permute } from '../graph/ops/movement.ts'
import { cast } from '../graph/ops/promotion.ts'
import { drawn } from '../graph/ops/random.ts'
import { argmax, max, sum } from '../graph/ops/reduce.ts'
import { argsortRows } from '../graph/ops/sort.ts'
import type { DistributionName } from '../program/vocabulary.ts'
import { draw, type RandomOptions, randomOptions } from './random.ts'
import { type Tensor, type TensorLike, toNode, wrap } from './tensor.ts'

type SeedOption = Pick<RandomOptions, 'seed'>

const seedOption: OptionTypes<SeedOption> = { seed: 'number' }

/** Which values a parameter may have, and what that is called. */
interface ParameterRange {
  readonly adjective: string
  readonly low: number
  readonly high: number
}

const positive: ParameterRange = { adjective: 'positive and finite', low: Number.MIN_VALUE, high: Number.MAX_VALUE }
const notNegative: ParameterRange = { adjective: 'finite and not negative', low: 0, high: Number.MAX_VALUE }
const finite: ParameterRange = { adjective: 'finite', low: -Number.MAX_VALUE, high: Number.MAX_VALUE }
const fraction: ParameterRange = { adjective: 'in [0, 1]', low: 0, high: 1 }

/** What is drawn: the function, and the shape and dtype of its result. */
interface Drawing {
  readonly op: string
  readonly shape: Shape
  readonly dtype: DType
}

/**
 * A parameter as the instruction reads it: one element, or one for each of the shape. A number out of its range is refused
 * here, an element of a tensor where it is known: when the draw is evaluated.
 */
function parameter({ op, shape, dtype }: Drawing, name: string, value: TensorLike, range: ParameterRange): Node {
  checkShape(op, shape)
  if (value === undefined) throw new TypeError(expected(op, `a ${name}`, value))
  const what = `a ${name} that is ${range.adjective}`
  if (typeof value === 'number') {
    const rounded = roundTo(value, dtype)
    if (!(rounded >= range.low && rounded <= range.high)) throw new RangeError(expected(op, what, value))
    return literal(value, dtype)
  }
  const node = cast(toNode(op, value), dtype)
  const checked = demand(node, { low: range.low, high: range.high, what: expectation(op, what) })
  if (sizeOf(node.shape) === 1) return checked
  if (!sameShape(broadcastShapes(op, node.shape, shape), shape))
    throw new ShapeError(expected(op, `a ${name} that broadcasts to ${formatShape(shape)}`, formatShape(node.shape)))
  return broadcastTo(checked, shape)
}

/** A draw whose parameters have no gradient, and say so. */
function withoutGradient(op: string, x: Node, parameters: Readonly<Record<string, Node>>): Node {
  return Object.entries(parameters).reduce(
    (sample, [name, node]) =>
      drawn(
        sample,
        node,
        `${op}: a sample has no gradient in its ${name}; stopGradient(${name}) says that none is meant`,
      ),
    x,
  )
}

/** Draws with parameters that have no gradient. */
function drawBy(
  { op, shape }: Drawing,
  distribution: DistributionName,
  options: RandomOptions,
  parameters: Readonly<Record<string, Node>>,
): Node {
  const constants = Object.values(parameters).map(stopGradient)
  return withoutGradient(op, draw(op, distribution, shape, options, constants), parameters)
}

/** One element broadcasts to any shape. */
const toShape = (x: Node, shape: Shape): Node => broadcastTo(sizeOf(x.shape) === 1 ? reshape(x, []) : x, shape)

/** The numbers that an open interval has next to its ends, for what was rounded to those. */
const within = (x: Node, low: number, high: number): Node => minimum(maximum(x, low), high)

const positiveOf = (x: Node): Node => within(x, leastNormal(x.dtype), greatest(x.dtype))

function divideByRate(x: Node, drawing: Drawing, rate: TensorLike): Node {
  return rate === 1 ? x : div(x, toShape(parameter(drawing, 'rate', rate, positive), drawing.shape))
}

export interface NormalDrawOptions extends RandomOptions {
  /** 0 unless given. */
  mean?: TensorLike
  /** 1 unless given. */
  std?: TensorLike
}

const normalOptions: OptionTypes<NormalDrawOptions> = { mean: 'other', std: 'other', ...randomOptions }

/**
 * Normally distributed numbers, as `randn` gives them: mean + std·z, whose mean and standard deviation may be tensors that
 * broadcast to the shape. Their gradients are 1 and z.
 * @throws RangeError for a mean that is not finite, or a std that is negative or not finite: of tensors when evaluated
 * @pytorch torch.normal
 * @tensorflow tf.random.normal
 */
export function normal(shape: Shape, options?: NormalDrawOptions): Tensor {
  const { mean = 0, std = 1, dtype = 'float32', ...seed } = checkOptions('normal', options, normalOptions)
  const drawing = { op: 'normal', shape, dtype }
  const standard = draw('normal', 'normal', shape, { dtype, ...seed })
  const scaled = std === 1 ? standard : mul(standard, toShape(parameter(drawing, 'std', std, notNegative), shape))
  return wrap(mean === 0 ? scaled : add(scaled, toShape(parameter(drawing, 'mean', mean, finite), shape)))
}

/** Φ, the distribution function of the normal distribution. */
const normalDistribution = (x: number): number => erfc(-x * Math.SQRT1_2) / 2

export interface TruncatedNormalOptions extends RandomOptions {
  /** 0 unless given. */
  mean?: number
  /** 1 unless given. */
  std?: number
  /** Two standard deviations below the mean unless given. */
  min?: number
  /** Two standard deviations above the mean unless given. */
  max?: number
}

const truncatedNormalOptions: OptionTypes<TruncatedNormalOptions> = {
  ...{ mean: 'number', std: 'number', min: 'number', max: 'number' },
  ...randomOptions,
}

/**
 * Normally distributed numbers given that they are in [min, max], two standard deviations to both sides unless given:
 * x = mean + std·Φ⁻¹(u) with u uniform in [Φ(a), Φ(b)), where a and b are the bounds less the mean, over std.
 * @throws RangeError for a mean that is not finite, a std that is not positive, or bounds between which there is nothing,
 * or so little that the dtype has no probability for it: some 13 standard deviations away in float32
 * @pytorch torch.nn.init.trunc_normal_
 * @tensorflow tf.random.truncated_normal
 */
export function truncatedNormal(shape: Shape, options?: TruncatedNormalOptions): Tensor {
  const given = checkOptions('truncatedNormal', options, truncatedNormalOptions)
  const { mean = 0, std = 1, dtype = 'float32' } = given
  const { min = mean - 2 * std, max = mean + 2 * std } = given
  checkNumber('truncatedNormal', 'a finite mean', mean, Number.isFinite)
  checkNumber('truncatedNormal', 'a positive std', std, (x) => x > 0 && x < Infinity)
  if (!(min < max)) throw new RangeError(expected('truncatedNormal', 'min < max', `${min} and ${max}`))
  const [a, b] = [(min - mean) / std, (max - mean) / std]
  // Of the two tails the one where Φ is small and so has all its digits.
  const mirrored = a + b > 0
  const [low, high] = (mirrored ? [-b, -a] : [a, b]).map((x) => roundTo(normalDistribution(x), dtype))
  if (low === high)
    throw new RangeError(
      expected('truncatedNormal', `bounds that ${dtype} tells apart in probability`, `${min} and ${max}`),
    )
  const bounds = [low, high].map((x) => literal(x!, dtype))
  const standard = draw('truncatedNormal', 'truncatedNormal', shape, given, bounds)
  return wrap(minimum(maximum(add(mul(standard, mirrored ? -std : std), mean), min), max))
}

export interface BernoulliOptions extends RandomOptions {
  /** ½ unless given. */
  probability?: TensorLike
}

const bernoulliOptions: OptionTypes<BernoulliOptions> = { probability: 'other', ...randomOptions }

/**
 * 1 with a probability, else 0: float32 unless `dtype` says another. The probability is ½ unless given; its gradient is an
 * error.
 * @throws RangeError for a probability outside [0, 1]: of tensors when evaluated
 * @pytorch torch.bernoulli
 * @tensorflow tf.keras.random.binomial
 */
export function bernoulli(shape: Shape, options?: BernoulliOptions): Tensor {
  const { probability = 0.5, dtype = 'float32', ...seed } = checkOptions('bernoulli', options, bernoulliOptions)
  const uniform = draw('bernoulli', 'uniform', shape, seed)
  const threshold = parameter({ op: 'bernoulli', shape, dtype: uniform.dtype }, 'probability', probability, fraction)
  const isBelow = less(uniform, toShape(stopGradient(threshold), shape))
  return wrap(withoutGradient('bernoulli', cast(isBelow, dtype), { probability: threshold }))
}

export interface ExponentialOptions extends RandomOptions {
  /** 1 unless given. */
  rate?: TensorLike
}

const exponentialOptions: OptionTypes<ExponentialOptions> = { rate: 'other', ...randomOptions }

/**
 * Exponentially distributed numbers, of density rate·e^(−rate·x): −log u / rate, and never 0 or ∞. The rate is 1 unless
 * given; the gradient in it is that through the sample x, −x / rate.
 * @throws RangeError for a rate that is not positive and finite: of tensors when evaluated
 * @pytorch Tensor.exponential_
 */
export function exponential(shape: Shape, options?: ExponentialOptions): Tensor {
  const { rate = 1, ...rest } = checkOptions('exponential', options, exponentialOptions)
  const standard = draw('exponential', 'exponential', shape, rest)
  if (rate === 1) return wrap(standard)
  return wrap(positiveOf(divideByRate(standard, { op: 'exponential', shape, dtype: standard.dtype }, rate)))
}

export interface RandintOptions extends SeedOption {
  /** 0 unless given. */
  min?: number
  /** Excluded. */
  max: number
}

const randintOptions: OptionTypes<RandintOptions> = { max: 'number', min: 'number', ...seedOption }

/**
 * Integers from min, 0 unless given, to below max, as int32. Each is ⌊word·(max − min) / 2³²⌋ above min, so that none is
 * likelier than another by more than 2⁻³².
 *
 * @example randint([2], 5); randint([2], 1, 7); randint([2], { min: 1, max: 7, seed: 3 })
 * @throws RangeError for bounds that are no integers in [−2³¹, 2³¹] with min < max
 * @pytorch torch.randint
 * @tensorflow tf.random.uniform
 */
export function randint(shape: Shape, max: number, options?: SeedOption): Tensor
export function randint(shape: Shape, min: number, max: number, options?: SeedOption): Tensor
export function randint(shape: Shape, options: RandintOptions): Tensor
export function randint(shape: Shape, ...bounds: readonly unknown[]): Tensor {
  const { min = 0, max, ...seed } = integerBounds(bounds)
  const isBound = (x: unknown) => Number.isInteger(x) && Math.abs(x as number) <= 2 ** 31
  if (!(isBound(min) && isBound(max) && min < max))
    throw new RangeError(expected('randint', 'integer bounds in [−2³¹, 2³¹] with min < max', `${min} and ${max}`))
  // 2³¹ wraps to −2³¹, from which the same differences follow; all integers are what equal bounds stand for.
  return wrap(draw('randint', 'integer', shape, seed, [literal(min | 0, 'int32'), literal(max | 0, 'int32')]))
}

/** (max, options), (min, max, options) or (options), as options. */
function integerBounds(given: readonly unknown[]): RandintOptions {
  const count = given.findIndex((x) => typeof x !== 'number')
  const numbers = given.slice(0, count < 0 ? given.length : count) as number[]
  const [options, ...surplus] = given.slice(numbers.length)
  if (numbers.length > 2 || surplus.length > 0)
    throw new TypeError(expected('randint', 'at most a shape, two bounds and options', `${given.length} arguments`))
  if (numbers.length === 0) return requireOptions('randint', options as RandintOptions, randintOptions, ['max'])
  const [max, min = 0] = numbers.reverse() as [number, number?]
  return { min, max, ...checkOptions('randint', options as SeedOption, seedOption) }
}

export interface GammaOptions extends RandomOptions {
  /** The shape of the density. */
  concentration: TensorLike
  /** 1 unless given. */
  rate?: TensorLike
}

const gammaOptions: OptionTypes<GammaOptions> = { concentration: 'other', rate: 'other', ...randomOptions }

/**
 * Gamma-distributed numbers, of density ∝ x^(concentration − 1)·e^(−rate·x); by Marsaglia & Tsang (2000). What is too small
 * for the dtype is its least normal number, as 0 is no such number. The rate is 1 unless given; the gradient in it is that
 * through the sample x, −x / rate, and one in the concentration is an error.
 * @throws RangeError for a concentration or a rate that is not positive and finite: of tensors when evaluated
 * @pytorch torch.distributions.Gamma
 * @tensorflow tf.random.gamma
 */
export function gamma(shape: Shape, options: GammaOptions): Tensor {
  const given = requireOptions('gamma', options, gammaOptions, ['concentration'])
  const { concentration, rate = 1, dtype = 'float32' } = given
  const drawing = { op: 'gamma', shape, dtype }
  const parameters = { concentration: parameter(drawing, 'concentration', concentration, positive) }
  return wrap(positiveOf(divideByRate(drawBy(drawing, 'gamma', given, parameters), drawing, rate)))
}

export interface BetaOptions extends RandomOptions {
  alpha: TensorLike
  beta: TensorLike
}

const betaOptions: OptionTypes<BetaOptions> = { alpha: 'other', beta: 'other', ...randomOptions }

/**
 * Beta-distributed numbers, of density ∝ x^(alpha − 1)·(1 − x)^(beta − 1): between 0 and 1, which none of them is. Their
 * gradients in the parameters are errors.
 * @throws RangeError for an alpha or a beta that is not positive and finite: of tensors when evaluated
 * @pytorch torch.distributions.Beta
 * @tensorflow tf.keras.random.beta
 */
export function beta(shape: Shape, options: BetaOptions): Tensor {
  const given = requireOptions('beta', options, betaOptions, ['alpha', 'beta'])
  const { alpha, beta, dtype = 'float32' } = given
  const drawing = { op: 'beta', shape, dtype }
  const parameters = {
    alpha: parameter(drawing, 'alpha', alpha, positive),
    beta: parameter(drawing, 'beta', beta, positive),
  }
  return wrap(within(drawBy(drawing, 'beta', given, parameters), leastNormal(dtype), greatestBelow(1, dtype)))
}

export interface PoissonDrawOptions extends RandomOptions {
  /** The mean. */
  rate: TensorLike
}

const poissonOptions: OptionTypes<PoissonDrawOptions> = { rate: 'other', ...randomOptions }

/**
 * Poisson-distributed counts with a mean, the rate: k has the probability rateᵏ·e^(−rate) / k!. Floats, as in PyTorch. A
 * gradient in the rate is an error.
 * @throws RangeError for a rate that is negative or not finite: of tensors when evaluated
 * @pytorch torch.poisson
 * @tensorflow tf.random.poisson
 */
export function poisson(shape: Shape, options: PoissonDrawOptions): Tensor {
  const given = requireOptions('poisson', options, poissonOptions, ['rate'])
  const { rate, dtype = 'float32' } = given
  const drawing = { op: 'poisson', shape, dtype }
  return wrap(drawBy(drawing, 'poisson', given, { rate: parameter(drawing, 'rate', rate, notNegative) }))
}

/** x[…, classes] as floats without a gradient. */
function classesOf(op: string, x: TensorLike): Node {
  const node = stopGradient(toNode(op, x))
  if (node.shape.length === 0 || node.shape.at(-1) === 0)
    throw new ShapeError(expected(op, 'a shape […, classes]', formatShape(node.shape)))
  return isFloat(node.dtype) ? node : cast(node, 'float32')
}

function checkCount(op: string, count: number): void {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(expected(op, 'a count that is a natural number', count))
}

/** The greatest of x[…, classes] joined with a draw for each class, `count` times anew: int32[…, count]. */
function winners(x: Node, count: number, join: (x: Node) => Node): Node {
  const [outer, classes] = [x.shape.slice(0, -1), extentAt(x.shape, -1)]
  return argmax(join(broadcastTo(reshape(x, [...outer, 1, classes]), [...outer, count, classes])), -1)
}

export interface CategoricalOptions extends SeedOption {
  /** How many classes of each row, along a new last axis; one without that axis unless given. */
  count?: number
}

const categoricalOptions: OptionTypes<CategoricalOptions> = { count: 'number', ...seedOption }

/**
 * Classes drawn from logits[…, classes], with the probabilities softmax(logits): int32[…], or with a `count` […, count].
 * The greatest logit + Gumbel noise (Gumbel 1954; Maddison et al., "A* sampling", 2014). A class of logit −∞ is never drawn.
 * @throws ShapeError without classes; RangeError for a count that is no natural number, or, when evaluated, for a row whose
 * greatest logit is NaN or infinite
 * @pytorch torch.distributions.Categorical
 * @tensorflow tf.random.categorical
 */
export function categorical(x: TensorLike, options?: CategoricalOptions): Tensor {
  const { count, ...seed } = checkOptions('categorical', options, categoricalOptions)
  const node = classesOf('categorical', x)
  checkCount('categorical', count ?? 1)
  const peak = max(node, -1, true)
  const logits = demand(
    node,
    { ...finite, what: expectation('categorical', 'a finite greatest logit in each row') },
    peak,
  )
  // Less the greatest, as the noise would be lost beside great numbers.
  const chosen = winners(sub(logits, peak), count ?? 1, (x) =>
    add(x, draw('categorical', 'gumbel', x.shape, { dtype: x.dtype, ...seed })),
  )
  return wrap(count === undefined ? reshape(chosen, node.shape.slice(0, -1)) : chosen)
}

/** Rows of weights of which at least so many are above 0, over the greatest of each row: no quotient of theirs is infinite. */
function weightsOf(x: Node, least: number): Node {
  const sound = demand(x, { ...notNegative, what: expectation('multinomial', 'finite probabilities of at least 0') })
  const few = least === 1 ? 'a probability above 0 in each row' : `at least ${least} probabilities above 0 in each row`
  const counts = sum(cast(less(0, sound), x.dtype), -1)
  const enough = demand(sound, { low: least, high: Infinity, what: expectation('multinomial', few) }, counts)
  return least === 0 ? enough : div(enough, max(enough, -1, true))
}

export interface MultinomialOptions extends SeedOption {
  /** Whether a class may be drawn more than once; false unless given. */
  replacement?: boolean
}

const multinomialOptions: OptionTypes<MultinomialOptions> = { replacement: 'boolean', ...seedOption }

/**
 * `count` classes drawn from probabilities[…, classes], which need not add up to 1: int32[…, count]. Without replacement
 * unless it is asked for, as in PyTorch, so each class at most once. The greatest of probability / exponential noise
 * (Efraimidis & Spirakis 2006). A class of probability 0 is never drawn.
 * @throws ShapeError without classes; RangeError for a count that is no natural number, or too great; and, when evaluated,
 * for probabilities that are negative or not finite, or a row with too few above 0: one, or without replacement `count`
 * @pytorch torch.multinomial
 */
export function multinomial(probabilities: TensorLike, count: number, options?: MultinomialOptions): Tensor {
  const { replacement = false, ...seed } = checkOptions('multinomial', options, multinomialOptions)
  const node = classesOf('multinomial', probabilities)
  checkCount('multinomial', count)
  if (!replacement && count > extentAt(node.shape, -1))
    throw new RangeError(expected('multinomial', `a count of at most ${node.shape.at(-1)} without replacement`, count))
  const weights = weightsOf(node, replacement ? Math.min(count, 1) : count)
  // Rounded down to 0 or not, a weight is above those that are 0.
  const race = (x: Node) =>
    where(less(0, x), div(x, draw('multinomial', 'exponential', x.shape, { dtype: x.dtype, ...seed })), -1)
  return wrap(replacement ? winners(weights, count, race) : argsortRows(race(weights), count, true))
}

/**
 * 0, 1, …, n − 1 in a random order, as int32: the order of n random words.
 * @pytorch torch.randperm
 * @tensorflow tf.random.shuffle
 */
export function permutation(n: number, options?: SeedOption): Tensor {
  const given = checkOptions('permutation', options, seedOption)
  checkCount('permutation', n)
  return wrap(orderOf('permutation', n, given))
}

function orderOf(op: string, n: number, options: SeedOption): Node {
  // Equal bounds stand for all integers.
  const zero = literal(0, 'int32')
  return argsortRows(draw(op, 'integer', [n], options, [zero, zero]), n, false)
}

export interface ShuffleOptions extends SeedOption {
  /** The first one unless given. */
  axis?: number
}

const shuffleOptions: OptionTypes<ShuffleOptions> = { axis: 'number', ...seedOption }

/**
 * The slices of x along an axis, the first one unless given, in a random order.
 * @tensorflow tf.random.shuffle
 */
export function shuffle(x: TensorLike, options?: ShuffleOptions): Tensor {
  const { axis = 0, ...seed } = checkOptions('shuffle', options, shuffleOptions)
  const node = toNode('shuffle', x)
  const along = normalizeAxis('shuffle', axis, node.shape.length)
  const order = node.shape.map((_, i) => i)
  // The axis exchanged with the first one, there and back.
  order[0] = along
  order[along] = 0
  const shuffled = gather(permute(node, order), orderOf('shuffle', extentAt(node.shape, along), seed))
  return wrap(permute(shuffled, order))
}
