/**
 * The instructions of a program, each stated once: its parameters, what it reads and writes, what it promises, and as
 * its comment what it means. From these rows follow the types and the encoder, the verifier's checks, and
 * native/program/instructions.inc, which `npm run generate:instructions` writes.
 */
import { type DType, dtypes } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import { checked, either, op, optional, type ParamsOf, rest } from './op.ts'
import {
  activation,
  code,
  count,
  counts,
  distribution,
  flag,
  layout,
  patterns,
  precision,
  program,
  real,
  reduction,
  shape,
  strides,
  text,
} from './parameters.ts'

const floats = ['float32', 'float64'] as const satisfies readonly DType[]
const numbers = ['float32', 'float64', 'int32'] as const satisfies readonly DType[]
const float32 = ['float32'] as const satisfies readonly DType[]
const int32 = ['int32'] as const satisfies readonly DType[]
const uint8 = ['uint8'] as const satisfies readonly DType[]
const bool = ['bool'] as const satisfies readonly DType[]

/** Of a copy and a pad. */
const view = { shape, offset: count, strides } as const

/** A matrix, or so many rows of anything. */
const rows = { rows: count, columns: count } as const

const squares = { batch: count, n: count } as const
const rectangles = { batch: count, ...rows } as const

/** The extents of x before, along and after the axis of what is not reduced. */
const channels = { outer: count, channels: count, inner: count } as const

/** Of q[batch…, queries, features] with k[batch…, keys, features] and v[batch…, keys, values]. */
const attending = {
  batch: shape,
  queries: count,
  keys: count,
  features: count,
  values: count,
  operands: patterns,
  scale: real,
  causal: flag,
} as const

/** The extents of x before, along and after an axis, and `count`, that of the indices along it. */
const alongAxis = { outer: count, rows: count, count, inner: count } as const

/**
 * How windows slide over planes: output (i, j) meets, for each (p, q) of the kernel, the element of the plane at row
 * i·strideHeight + p·dilationHeight − padTop and column j·strideWidth + q·dilationWidth − padLeft, or none outside it.
 */
export const windows = {
  height: count,
  width: count,
  kernelHeight: count,
  kernelWidth: count,
  outHeight: count,
  outWidth: count,
  strideHeight: count,
  strideWidth: count,
  padTop: count,
  padLeft: count,
  dilationHeight: count,
  dilationWidth: count,
} as const

/** `channels` of the input and `filters` (channels of the output) belong to each of `groups`. */
const convolution = { batch: count, groups: count, channels: count, filters: count, ...windows } as const

const pooling = { planes: count, ...windows } as const

/** How windows slide over planes. */
export type Windows = ParamsOf<typeof windows>

/** `channels` of the input and `filters` (channels of the output) belong to each of `groups`. */
export type Convolution = ParamsOf<typeof convolution>

const images = 'batch groups channels height width'
const kernels = 'groups filters channels kernelHeight kernelWidth'
const filtered = 'batch groups filters outHeight outWidth'
/** Of all windows, also where they meet padding. */
const convolutionFlops = `2 ${filtered} channels kernelHeight kernelWidth` as const
const poolingFlops = 'planes outHeight outWidth kernelHeight kernelWidth'

export const schema = {
  /**
   * c[batch, m, n] = activation(a·b + bias[n]), with a and b as their layouts say. `slope` is leakyRelu's. Products of int32
   * wrap, and have neither a bias nor an activation. With bf16 the elements of a and b are rounded to bf16 (nearest, ties to
   * even) before they are multiplied; those whose magnitude is below 2⁻¹²⁶ count as themselves or as 0. It is float32 for other dtypes.
   */
  matmul: op({
    params: { batch: count, m: count, n: count, k: count, a: layout, b: layout, activation, slope: real, precision },
    inputs: { a: [numbers, checked], b: ['a', checked], bias: optional(['a', 'n']) },
    outputs: { c: ['a', 'batch m n'] },
    check: 'matmul',
    flops: '2 batch m n k',
  }),

  /**
   * out[m, n] = activation(x·w + bias[n]) of x[m, k], each row of which is rounded to integers first, and integers w[k, n],
   * n of which are scaled by `scales`. In float32, each operation rounded to the nearest, ties to even: with the greatest
   * magnitude g of a row, q = round(x · (127 / g)), s = Σ q·w, an exact int32, out = s · (g / 127 · scales[n]) + bias[n]. Of a
   * row with g < 2⁻¹¹⁹ the integers and the scale are 0; of one with an element that is not finite out is NaN.
   *
   * `weight` has w + 128 as panels [⌈n/16⌉, ⌈k/4⌉, 16, 4]: w[4·step + i, 16·panel + j] is at [panel, step, j, i], and what lies
   * past n and k does not matter. k is at most 2¹⁷, so that no sum leaves int32. `slope` is leakyRelu's.
   */
  quantizedMatmul: op({
    params: { m: count, n: count, k: count, activation, slope: real },
    inputs: { x: [float32, 'm k'], weight: [uint8, checked], scales: ['x', 'n'], bias: optional(['x', 'n']) },
    outputs: { out: ['x', 'm n'] },
    check: 'quantizedMatmul',
    flops: '2 m n k',
  }),

  /**
   * For every index of `shape`: load the operands by their patterns, run `code`, store register `results[i]` into
   * output i (dense). An output may be the same buffer as an operand of the same element size whose pattern is dense.
   */
  elementwise: op({
    params: { shape, operands: patterns, code, results: counts },
    inputs: { operands: rest([dtypes, checked]) },
    outputs: { results: rest([dtypes, checked]) },
    check: 'elementwise',
    flops: (p) => sizeOf(p.shape) * p.code.filter(({ op }) => op !== 'identity' && op !== 'cast').length,
  }),

  /** out[i…] = x[offset + Σ i·stride] for every index i… of `shape`. */
  copy: op({
    params: view,
    inputs: { x: [dtypes, checked] },
    outputs: { out: ['x', checked] },
    check: 'copy',
  }),

  /** Zeros, then out[offset + Σ i·stride] = x[i…] for every index i… of `shape`: distinct targets. */
  pad: op({
    params: view,
    inputs: { x: [dtypes, checked] },
    outputs: { out: ['x', checked] },
    check: 'pad',
  }),

  /** x₀[outer, inners₀], x₁[outer, inners₁], … side by side: out[outer, Σ inners]. */
  concat: op({
    params: { outer: count, inners: counts },
    inputs: { parts: rest([dtypes, checked]) },
    outputs: { out: ['parts', checked] },
    check: 'concat',
  }),

  /**
   * The reduction of x[outer, ·, inner]: out[outer, inner]. An empty sum is 0, an empty max −∞ (int32: its least value),
   * an empty prod 1. NaN wins in max and min. prod multiplies in order, floats in float64; int32 wraps.
   */
  reduce: op({
    params: { kind: reduction, outer: count, reduced: count, inner: count },
    inputs: { x: [numbers, 'outer reduced inner'] },
    outputs: { out: ['x', 'outer inner'] },
    flops: 'outer reduced inner',
  }),

  /**
   * Of each channel of x[outer, channels, inner] the mean, and as the variance the mean of the squares of what is left without
   * it. Of none both are NaN.
   */
  moments: op({
    params: channels,
    inputs: { x: [floats, 'outer channels inner'] },
    outputs: { mean: ['x', 'channels'], variance: ['x', 'channels'] },
    float64: 'reference',
    flops: '4 outer channels inner',
  }),

  /** Σy and Σ(x − mean)·y of each channel of x and y[outer, channels, inner]. */
  deviationSums: op({
    params: channels,
    inputs: { x: [floats, 'outer channels inner'], mean: ['x', 'channels'], y: ['x', 'outer channels inner'] },
    outputs: { sum: ['x', 'channels'], product: ['x', 'channels'] },
    float64: 'reference',
    flops: '4 outer channels inner',
  }),

  /** Where the first greatest of x[outer, ·, inner] is, a NaN before all others: out[outer, inner]. */
  argmax: op({
    params: { outer: count, reduced: count, inner: count },
    inputs: { x: [numbers, 'outer reduced inner'] },
    outputs: { out: [int32, 'outer inner'] },
    check: 'argmax',
    flops: 'outer reduced inner',
  }),

  /**
   * out[·, i, ·] is the reduction of x[·, 0, ·] … x[·, i, ·], or with `reverse` of x[·, length − 1, ·] … x[·, i, ·], in that
   * order; floats in float64, rounded as they are stored; int32 wraps. max and min keep what they have at a tie, and a NaN
   * once they met one.
   */
  scan: op({
    params: { kind: reduction, outer: count, length: count, inner: count, reverse: flag },
    inputs: { x: [numbers, 'outer length inner'] },
    outputs: { out: ['x', 'outer length inner'] },
    flops: 'outer length inner',
  }),

  /**
   * out[·, i, ·] = a[·, i, ·] · out[·, i − 1, ·] + b[·, i, ·], with out[·, −1, ·] = 0; with `reverse` from the end, of
   * out[·, i + 1, ·]. Carried in float64.
   */
  recurrence: op({
    params: { outer: count, length: count, inner: count, reverse: flag },
    inputs: { a: [floats, 'outer length inner'], b: ['a', 'outer length inner'] },
    outputs: { out: ['a', 'outer length inner'] },
    flops: '2 outer length inner',
  }),

  /**
   * Of each row of x the indices of its `count` first elements in ascending order, or `descending`. Stable; −0 equals 0;
   * NaN is greater than all others.
   */
  argsort: op({
    params: { ...rows, count, descending: flag },
    inputs: { x: [numbers, 'rows columns'] },
    outputs: { out: [int32, 'rows count'] },
    check: 'argsort',
    flops: (p) => p.rows * p.columns * Math.ceil(Math.log2(Math.max(p.columns, 2))),
  }),

  /** exp(x) / Σ exp(x) of each row. */
  softmax: op({
    params: rows,
    inputs: { x: [floats, 'rows columns'] },
    outputs: { out: ['x', 'rows columns'] },
    replaces: { out: 'x' },
    // The greatest, the difference from it, exp, sum and quotient.
    flops: '5 rows columns',
  }),

  /** x − log Σ exp(x) of each row. */
  logSoftmax: op({
    params: rows,
    inputs: { x: [floats, 'rows columns'] },
    outputs: { out: ['x', 'rows columns'] },
    replaces: { out: 'x' },
    flops: '5 rows columns',
  }),

  /**
   * Labels are classes, or probabilities p[rows, columns]: losses = Σ p·(−logSoftmax) over p ≠ 0, gradient = softmax·Σp −
   * p. Fails on a class outside [0, columns).
   */
  softmaxCrossEntropy: op({
    params: rows,
    inputs: { logits: [floats, 'rows columns'], labels: either([int32, 'rows'], ['logits', 'rows columns']) },
    outputs: { losses: ['logits', 'rows'], gradient: optional(['logits', 'rows columns']) },
    fails: 'labels',
    // As softmax, and the gradient's difference.
    flops: '6 rows columns',
  }),

  /** out[i] = x[indices[i]]. Fails on an index outside [0, rows). */
  gather: op({
    params: { rows: count, rowSize: count, count },
    inputs: { x: [dtypes, 'rows rowSize'], indices: [int32, 'count'] },
    outputs: { out: ['x', 'count rowSize'] },
    fails: 'indices',
    touches: { x: 'count rowSize' },
  }),

  /**
   * x itself where each of `tested` is from `low` to `high`, which NaN is not. Fails on the first that is not: `what` says
   * what was expected.
   */
  demand: op({
    params: { size: count, count, low: real, high: real, what: text },
    inputs: { x: [dtypes, 'size'], tested: [floats, 'count'] },
    outputs: { out: ['x', 'size'] },
    replaces: { out: 'x' },
    fails: 'tested',
  }),

  /** x with out[indices[i]] += updates[i], in ascending i. Fails as gather does. */
  scatterAdd: op({
    params: { rows: count, rowSize: count, count },
    inputs: { x: [numbers, 'rows rowSize'], indices: [int32, 'count'], updates: ['x', 'count rowSize'] },
    outputs: { out: ['x', 'rows rowSize'] },
    replaces: { out: 'x' },
    fails: 'indices',
    flops: 'count rowSize',
    touches: { x: 'count rowSize', out: 'count rowSize' },
  }),

  /** out[o, i, j] = x[o, indices[o, i, j], j]. Fails on an index outside [0, rows). */
  takeAlongAxis: op({
    params: alongAxis,
    inputs: { x: [dtypes, 'outer rows inner'], indices: [int32, 'outer count inner'] },
    outputs: { out: ['x', 'outer count inner'] },
    fails: 'indices',
  }),

  /**
   * x with, in ascending i, out[o, indices[o, i, j], j] = updates[o, i, j], or += where `accumulate`: then x is of
   * numbers. Fails as takeAlongAxis does.
   */
  scatterAlongAxis: op({
    params: { ...alongAxis, accumulate: flag },
    inputs: {
      x: [dtypes, 'outer rows inner'],
      indices: [int32, 'outer count inner'],
      updates: ['x', 'outer count inner'],
    },
    outputs: { out: ['x', 'outer rows inner'] },
    check: 'scatterAlongAxis',
    replaces: { out: 'x' },
    fails: 'indices',
    flops: (p) => (p.accumulate ? p.outer * p.count * p.inner : 0),
  }),

  /**
   * Of q[batch…, queries, features], k[batch…, keys, features], v[batch…, keys, values] and perhaps mask[batch…, queries,
   * keys], which `operands` say how to read: out[batch…, queries, values] and logSums[batch…, queries]. With scores
   * s = scale · q·kᵀ, to which a float mask is added and which are −∞ where a bool mask is false, or, if `causal`, where
   * key j > query i: out = softmax(s)·v and logSums = log Σ eˢ. Where all scores are −∞, out is 0. q, k and v have
   * adjacent columns and no negative strides; keys that a causal query does not reach may be left out of the sum, or
   * count as 0 · v.
   */
  attention: op({
    params: attending,
    inputs: {
      q: [floats, checked],
      k: ['q', checked],
      v: ['q', checked],
      mask: optional(either([bool, checked], ['q', checked])),
    },
    outputs: { out: ['q', checked], logSums: ['q', checked] },
    check: 'attention',
    float64: 'reference',
    // Two products and a softmax.
    flops: (p) => sizeOf(p.batch) * p.queries * p.keys * (2 * p.features + 2 * p.values + 5),
  }),

  /**
   * The gradients of an `attention` without a mask, of its operands, the cotangent of its out, which `operands` say how to
   * read, its out and its logSums. With p = e^(s − logSums), which is 0 where s or logSums is −∞, and ds = scale · p ∘
   * (cotangent·vᵀ − Σ cotangent ∘ out): dq = ds·k, dk = dsᵀ·q, dv = pᵀ·cotangent. The cotangent has adjacent columns, too.
   */
  attentionGradient: op({
    params: attending,
    inputs: {
      q: [floats, checked],
      k: ['q', checked],
      v: ['q', checked],
      cotangent: ['q', checked],
      out: ['q', checked],
      logSums: ['q', checked],
    },
    outputs: { dq: ['q', checked], dk: ['q', checked], dv: ['q', checked] },
    check: 'attentionGradient',
    float64: 'reference',
    // Five products, and what is done to the scores.
    flops: (p) => sizeOf(p.batch) * p.queries * p.keys * (6 * p.features + 4 * p.values + 6),
  }),

  /**
   * Runs `body` once for each of `length` steps, from the first to the last or, with `reverse`, from the last to the first.
   * Operands are `constants` constants, the carries as they begin, and sequences x[length, …]; results are the carries as they
   * end, and sequences y[length, …]. In step t the body reads as its inputs the constants and then x[t] of each sequence, as
   * its states it has the carries, and its results are y[t].
   */
  loop: op({
    params: { length: count, reverse: flag, constants: count, body: program },
    inputs: { operands: rest([dtypes, checked]) },
    outputs: { results: rest([dtypes, checked]) },
    check: 'loop',
  }),

  /**
   * Runs `body` as long as the result of `condition` is true, `limit` times at most. Operands are `constants` constants and
   * the carries as they begin; results are the carries as they end. Inputs of `condition` are the constants and the carries,
   * those of `body` the constants, and its states are the carries.
   */
  whileLoop: op({
    params: { limit: count, constants: count, condition: program, body: program },
    inputs: { operands: rest([dtypes, checked]) },
    outputs: { results: rest([dtypes, checked]) },
    check: 'whileLoop',
  }),

  /** What `ifTrue` makes of the operands where the predicate is true, and else `ifFalse`: programs without states. */
  branch: op({
    params: { ifTrue: program, ifFalse: program },
    inputs: { predicate: [bool, '1'], operands: rest([dtypes, checked]) },
    outputs: { results: rest([dtypes, checked]) },
    check: 'branch',
  }),

  // Linear algebra: each matrix of a batch is computed in float64 and rounded once. FLOPs are about its multiplications
  // and additions; of the iterations of eigh and svd those of some eight sweeps.

  /** L·Lᵀ = X, of the lower triangle; NaN throughout where X is not positive definite. */
  cholesky: op({
    params: squares,
    inputs: { x: [floats, 'batch n n'] },
    outputs: { l: ['x', 'batch n n'] },
    flops: (p) => (p.batch * p.n ** 3) / 3,
  }),

  /**
   * A·X = B, or Aᵀ·X = B where `transpose`; of A the lower triangle, or the upper one, is read, without its diagonal
   * where that is `unitDiagonal`.
   */
  triangularSolve: op({
    params: { ...squares, columns: count, lower: flag, transpose: flag, unitDiagonal: flag },
    inputs: { a: [floats, 'batch n n'], b: ['a', 'batch n columns'] },
    outputs: { x: ['a', 'batch n columns'] },
    flops: 'batch n n columns',
  }),

  /** A·X = B by LU with partial pivoting; NaN where a pivot is 0. */
  solve: op({
    params: { ...squares, columns: count },
    inputs: { a: [floats, 'batch n n'], b: ['a', 'batch n columns'] },
    outputs: { x: ['a', 'batch n columns'] },
    flops: (p) => p.batch * ((2 / 3) * p.n ** 3 + 2 * p.n ** 2 * p.columns),
  }),

  /** det X, its sign and log|det X|; 0, 0 and −∞ where a pivot is 0. */
  determinant: op({
    params: squares,
    inputs: { x: [floats, 'batch n n'] },
    outputs: { det: ['x', 'batch'], sign: ['x', 'batch'], logAbsDet: ['x', 'batch'] },
    flops: (p) => (2 / 3) * p.batch * p.n ** 3,
  }),

  /**
   * P·L·U = X by partial pivoting: p[batch, rows, rows] of zeros and ones, l[batch, rows, k] with ones on the diagonal,
   * u[batch, k, columns], k = min(rows, columns). A column without a pivot is left as it is.
   */
  lu: op({
    params: rectangles,
    inputs: { x: [floats, 'batch rows columns'] },
    outputs: {
      p: ['x', 'batch rows rows'],
      l: ['x', 'batch rows min(rows,columns)'],
      u: ['x', 'batch min(rows,columns) columns'],
    },
    flops: 'batch rows columns min(rows,columns)',
  }),

  /** Σ Xⁿ/n! by scaling and squaring; NaN throughout where an element is not finite. */
  matrixExp: op({
    params: squares,
    inputs: { x: [floats, 'batch n n'] },
    outputs: { out: ['x', 'batch n n'] },
    flops: '20 batch n n n',
  }),

  /** Q·R = X by Householder: q[batch, rows, k], r[batch, k, columns], k = min(rows, columns). */
  qr: op({
    params: rectangles,
    inputs: { x: [floats, 'batch rows columns'] },
    outputs: { q: ['x', 'batch rows min(rows,columns)'], r: ['x', 'batch min(rows,columns) columns'] },
    flops: '4 batch rows columns min(rows,columns)',
  }),

  /**
   * Eigenvalues, ascending, and eigenvectors, as columns, of the lower triangle. By Jacobi's rotations; NaN throughout
   * where an element is not finite.
   */
  eigh: op({
    params: squares,
    inputs: { x: [floats, 'batch n n'] },
    outputs: { values: ['x', 'batch n'], vectors: ['x', 'batch n n'] },
    flops: '48 batch n n n',
  }),

  /** u[batch, rows, k], s[batch, k] descending, vh[batch, k, columns], k = min(rows, columns). As eigh. */
  svd: op({
    params: rectangles,
    inputs: { x: [floats, 'batch rows columns'] },
    outputs: {
      u: ['x', 'batch rows min(rows,columns)'],
      s: ['x', 'batch min(rows,columns)'],
      vh: ['x', 'batch min(rows,columns) columns'],
    },
    flops: '48 batch rows columns min(rows,columns)',
  }),

  /**
   * Philox 4x32-10 of a key (see the reference's random.ts and sample.ts): floats, of `integer` int32. Parameters have the
   * dtype of out and one element, or one for each of out. Standard `uniform`, `normal`, `exponential`, `gumbel`; `integer`
   * (low, high): in [low, high), of low = high any; `truncatedNormal` (Φ(low), Φ(high)); `gamma` (concentration), `beta`
   * (alpha, beta), `poisson` (rate). A parameter outside its range gives NaN.
   */
  random: op({
    params: { distribution },
    inputs: { key: [int32, '2'], first: optional([numbers, checked]), second: optional([numbers, checked]) },
    outputs: { out: [numbers, checked] },
    check: 'random',
  }),

  /** p' = p − lr·g. */
  sgd: op({
    params: { size: count },
    inputs: { p: [floats, 'size'], g: ['p', 'size'], learningRate: ['p', '1'] },
    outputs: { "p'": ['p', 'size'] },
    replaces: { "p'": 'p' },
    inStep: true,
    flops: '2 size',
  }),

  /** v' = momentum·v + g; p' = p − lr·(nesterov ? g + momentum·v' : v'). */
  momentum: op({
    params: { size: count, momentum: real, nesterov: flag },
    inputs: { p: [floats, 'size'], g: ['p', 'size'], v: ['p', 'size'], learningRate: ['p', '1'] },
    outputs: { "p'": ['p', 'size'], "v'": ['p', 'size'] },
    replaces: { "p'": 'p', "v'": 'v' },
    inStep: true,
    flops: (p) => (p.nesterov ? 6 : 4) * p.size,
  }),

  /**
   * Kingma & Ba 2015, algorithm 1; step counts from 1, in floats: m' = β₁m + (1−β₁)g; v' = β₂v + (1−β₂)g²;
   * p' = p·(1 − lr·weightDecay) − lr/(1−β₁ᵗ) · m' / (√(v'/(1−β₂ᵗ)) + ε).
   */
  adam: op({
    params: { size: count, beta1: real, beta2: real, epsilon: real, weightDecay: real },
    inputs: {
      p: [floats, 'size'],
      g: ['p', 'size'],
      m: ['p', 'size'],
      v: ['p', 'size'],
      learningRate: ['p', '1'],
      step: ['p', '1'],
    },
    outputs: { "p'": ['p', 'size'], "m'": ['p', 'size'], "v'": ['p', 'size'] },
    replaces: { "p'": 'p', "m'": 'm', "v'": 'v' },
    inStep: true,
    flops: (p) => (p.weightDecay === 0 ? 13 : 14) * p.size,
  }),

  /**
   * y = activation(Σ w·x + bias) of x[batch, groups·channels, height, width], w[groups·filters, channels, kernelHeight,
   * kernelWidth] and perhaps bias[groups·filters]: the sum over the channels of the group and the elements of the kernel,
   * which meet zeros outside x. `slope` is leakyRelu's.
   */
  conv2d: op({
    params: { ...convolution, activation, slope: real },
    inputs: { x: [floats, images], w: ['x', kernels], bias: optional(['x', 'groups filters']) },
    outputs: { y: ['x', filtered] },
    check: 'windows',
    float64: 'reference',
    flops: convolutionFlops,
  }),

  /**
   * The greatest element of each of pooledHeight × pooledWidth windows of 2×2 of what conv2d gives, side by side from its
   * first element on: as maxPool2d of that.
   */
  maxPooledConv2d: op({
    params: { ...convolution, pooledHeight: count, pooledWidth: count, activation, slope: real },
    inputs: { x: [floats, images], w: ['x', kernels], bias: optional(['x', 'groups filters']) },
    outputs: { y: ['x', 'batch groups filters pooledHeight pooledWidth'] },
    check: 'pooledWindows',
    float64: 'reference',
    flops: (p) =>
      p.batch *
      p.groups *
      p.filters *
      (2 * p.outHeight * p.outWidth * p.channels * p.kernelHeight * p.kernelWidth + 4 * p.pooledHeight * p.pooledWidth),
  }),

  /** The adjoint of conv2d in x. */
  conv2dInputGradient: op({
    params: convolution,
    inputs: { y: [floats, filtered], w: ['y', kernels] },
    outputs: { x: ['y', images] },
    check: 'windows',
    float64: 'reference',
    flops: convolutionFlops,
  }),

  /** The adjoint of conv2d in w. */
  conv2dWeightGradient: op({
    params: convolution,
    inputs: { x: [floats, images], y: ['x', filtered] },
    outputs: { w: ['x', kernels] },
    check: 'windows',
    float64: 'reference',
    flops: convolutionFlops,
  }),

  /**
   * z where x is greatest among the elements that a window meets, the first of them in row-major order, or else the last
   * NaN. A window that meets none gives −∞. x and z may be one value: then out is the greatest element.
   */
  maxPool2d: op({
    params: pooling,
    inputs: { x: [floats, 'planes height width'], z: ['x', 'planes height width'] },
    outputs: { out: ['x', 'planes outHeight outWidth'] },
    check: 'windows',
    float64: 'reference',
    flops: poolingFlops,
  }),

  /** The adjoint of maxPool2d in z; where `rectified`, with 0 for what an x that is not above 0 would have. */
  maxPool2dGradient: op({
    params: { ...pooling, rectified: flag },
    inputs: { x: [floats, 'planes height width'], dy: ['x', 'planes outHeight outWidth'] },
    outputs: { dx: ['x', 'planes height width'] },
    check: 'windows',
    float64: 'reference',
    flops: poolingFlops,
  }),
} as const
