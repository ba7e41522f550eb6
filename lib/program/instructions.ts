/** The instructions of a program: what each one reads, writes, takes as parameters and promises. */
import { type MicroInstruction, microOps } from './micro-ops.ts'

/** How a matmul reads one operand: rows of `leadingDimension` elements, `transpose` when stored as its transpose. */
export interface MatrixLayout {
  readonly offset: number
  readonly batchStride: number
  readonly leadingDimension: number
  readonly transpose: boolean
}

export const activations = ['none', 'relu', 'leakyRelu', 'sigmoid', 'tanh'] as const
export type ActivationName = (typeof activations)[number]

export const reductions = ['sum', 'max', 'min', 'prod'] as const
export type ReductionName = (typeof reductions)[number]

/** Of each distribution, how many parameters its instruction takes. */
export const distributionParameters = {
  uniform: 0,
  normal: 0,
  exponential: 0,
  gumbel: 0,
  integer: 2,
  truncatedNormal: 2,
  gamma: 1,
  beta: 2,
  poisson: 1,
} as const
export type DistributionName = keyof typeof distributionParameters
export const distributions = Object.keys(distributionParameters) as readonly DistributionName[]

/** How an elementwise group or a copy reads an operand: element offset, and a stride per axis (0 broadcasts). */
export interface LoadPattern {
  readonly offset: number
  readonly strides: readonly number[]
}

/** The extents of x before, along and after an axis, and `count`, that of the indices along it. */
interface AlongAxis {
  outer: number
  rows: number
  count: number
  inner: number
}

/**
 * How windows slide over planes: output (i, j) meets, for each (p, q) of the kernel, the element of the plane at row
 * i·strideHeight + p·dilationHeight − padTop and column j·strideWidth + q·dilationWidth − padLeft, or none outside it.
 */
export interface Windows {
  readonly height: number
  readonly width: number
  readonly kernelHeight: number
  readonly kernelWidth: number
  readonly outHeight: number
  readonly outWidth: number
  readonly strideHeight: number
  readonly strideWidth: number
  readonly padTop: number
  readonly padLeft: number
  readonly dilationHeight: number
  readonly dilationWidth: number
}

/** `channels` of the input and `filters` (channels of the output) belong to each of `groups`. */
export interface Convolution extends Windows {
  readonly batch: number
  readonly groups: number
  readonly channels: number
  readonly filters: number
}

/**
 * - `matmul` (a, b, [bias[n]]) → c[batch, m, n] = activation(a·b + bias). float32 and float64. `slope` is leakyRelu's.
 * - `elementwise` (operands…) → outputs…: for every index of `shape`, load the operands by their patterns, run
 *   `code`, store register `results[i]` into output i (dense). An output may be the same buffer as an operand of the
 *   same element size whose pattern is dense.
 * - `copy` (x) → out[shape], out[i…] = x[offset + Σ i·stride]. Any dtype.
 * - `pad` (x[shape]) → out: zeros, then out[offset + Σ i·stride] = x[i…] (distinct targets). Any dtype.
 * - `concat` (x₀[outer, inner₀], …) → out[outer, Σ inner]. Any dtype.
 * - `reduce` (x[outer, reduced, inner]) → out[outer, inner]. sum/max/min/prod; float32, float64, int32. An empty sum is 0,
 *   an empty max -inf (int32: its least value), an empty prod 1. NaN wins in max and min. prod multiplies in order, floats
 *   in float64; int32 wraps.
 * - `argmax` (x[outer, reduced, inner]) → int32 [outer, inner]: the first greatest, a NaN before all others.
 * - `scan` (x[outer, length, inner]) → same shape: out[·, i, ·] is the reduction of x[·, 0, ·] … x[·, i, ·], or with
 *   `reverse` of x[·, length − 1, ·] … x[·, i, ·], in that order; floats in float64, rounded as they are stored. float32,
 *   float64, int32 (wrapping). max and min keep what they have at a tie, and a NaN once they met one.
 * - `recurrence` (a[outer, length, inner], b) → same shape: out[·, i, ·] = a[·, i, ·] · out[·, i − 1, ·] + b[·, i, ·], with
 *   out[·, −1, ·] = 0; with `reverse` from the end, of out[·, i + 1, ·]. float32, float64; carried in float64.
 * - `argsort` (x[rows, columns]) → int32 [rows, count]: of each row the indices of its `count` first elements in ascending
 *   order, or `descending`. Stable; −0 equals 0; NaN is greater than all others. float32, float64, int32.
 * - `softmax`, `logSoftmax` (x[rows, columns]) → same shape. An out may be the same buffer as x.
 * - `softmaxCrossEntropy` (logits[rows, columns], labels) → losses[rows], [gradient[rows, columns]]. labels: int32
 *   [rows] of classes, or float [rows, columns] of probabilities p: loss = Σ p·(−logSoftmax), gradient = softmax·Σp − p.
 *   Fails (see below) on a class outside [0, columns).
 * - `gather` (x[rows, rowSize], indices int32[count]) → out[count, rowSize]. Any dtype. Fails on an index outside [0, rows).
 * - `scatterAdd` (x[rows, rowSize], indices int32[count], updates[count, rowSize]) → x with out[indices[i]] += updates[i],
 *   in ascending i. float32, float64, int32. Out may be the same buffer as x. Fails as gather does.
 * - `takeAlongAxis` (x[outer, rows, inner], indices int32[outer, count, inner]) → out of indices' shape:
 *   out[o, i, j] = x[o, indices[o, i, j], j]. Any dtype. Fails on an index outside [0, rows).
 * - `scatterAlongAxis` (x[outer, rows, inner], indices int32[outer, count, inner], updates of indices' shape) → x with,
 *   in ascending i, out[o, indices[o, i, j], j] = updates[o, i, j], or += where `accumulate`: then float32, float64 or
 *   int32, else any dtype. Out may be the same buffer as x. Fails as takeAlongAxis does.
 * - `attention` (q[batch…, queries, features], k[batch…, keys, features], v[batch…, keys, values], [mask[batch…, queries,
 *   keys]]) → out[batch…, queries, values], logSums[batch…, queries]. With scores s = scale · q·kᵀ, to which a float mask is
 *   added and which are −∞ where a bool mask is false, or, if `causal`, where key j > query i: out = softmax(s)·v and
 *   logSums = log Σ eˢ. Where all scores are −∞, out is 0. q, k and v have adjacent columns and no negative strides; keys
 *   that a causal query does not reach may be left out of the sum, or count as 0 · v. float32 and float64.
 * - Linear algebra, float32 and float64, each matrix of a batch computed in float64 and rounded once:
 *   `cholesky` (x[batch, n, n]) → l: L·Lᵀ = X, of the lower triangle; NaN throughout where X is not positive definite.
 *   `triangularSolve` (a[batch, n, n], b[batch, n, columns]) → x: A·X = B, or Aᵀ·X = B where `transpose`; of A the lower
 *   triangle, or the upper one, is read, without its diagonal where that is `unitDiagonal`.
 *   `solve` (a[batch, n, n], b[batch, n, columns]) → x: A·X = B by LU with partial pivoting; NaN where a pivot is 0.
 *   `determinant` (x[batch, n, n]) → det[batch], sign[batch], log|det|[batch]; 0, 0 and −∞ where a pivot is 0.
 *   `qr` (x[batch, rows, columns]) → q[batch, rows, k], r[batch, k, columns], k = min(rows, columns), by Householder.
 *   `eigh` (x[batch, n, n]) → values[batch, n], vectors[batch, n, n] (columns) of the lower triangle, ascending.
 *   `svd` (x[batch, rows, columns]) → u[batch, rows, k], s[batch, k] descending, vh[batch, k, columns].
 *   eigh and svd are by Jacobi's rotations; NaN throughout where an element is not finite.
 * - `random` (key int32[2], [parameters…]) → out float32/float64, of `integer` int32: Philox 4x32-10 (see the reference's
 *   random.ts and sample.ts). Parameters have the dtype of out and one element, or one for each of out. Standard `uniform`,
 *   `normal`, `exponential`, `gumbel`; `integer` (low, high): in [low, high), of low = high any; `truncatedNormal`
 *   (Φ(low), Φ(high)); `gamma` (concentration), `beta` (alpha, beta), `poisson` (rate). A parameter outside its range gives NaN.
 * - `sgd` (p, g, learningRate[]) → p'. p' = p − lr·g. p' may be p's buffer.
 * - `momentum` (p, g, v, learningRate[]) → p', v'. v' = momentum·v + g; p' = p − lr·(nesterov ? g + momentum·v' : v').
 * - `adam` (p, g, m, v, learningRate[], step[]) → p', m', v' (Kingma & Ba 2015, algorithm 1; step counts from 1, float).
 *   m' = β₁m + (1−β₁)g; v' = β₂v + (1−β₂)g²; p' = p·(1 − lr·weightDecay) − lr/(1−β₁ᵗ) · m' / (√(v'/(1−β₂ᵗ)) + ε).
 *   Each output may be the buffer of its old value.
 * - `conv2d` (x[batch, groups·channels, height, width], w[groups·filters, channels, kernelHeight, kernelWidth],
 *   [bias[groups·filters]]) → y[batch, groups·filters, outHeight, outWidth] = activation(Σ w·x + bias), the sum over the
 *   channels of the group and the elements of the kernel, which meet zeros outside x. float32 and float64. `slope` is leakyRelu's.
 * - `conv2dInputGradient` (dy as y, w) → dx as x: the adjoint of conv2d in x.
 * - `conv2dWeightGradient` (x, dy as y) → dw as w: the adjoint of conv2d in w.
 * - `maxPool2d` (x[planes, height, width], z as x) → out[planes, outHeight, outWidth]: z where x is greatest among the
 *   elements that a window meets, the first of them in row-major order, or else the last NaN. A window that meets none
 *   gives −∞. float32 and float64. x and z may be one value: then out is the greatest element.
 * - `maxPool2dGradient` (x, dy as out) → dx as x: the adjoint of maxPool2d in z.
 *
 * An instruction that fails ends the run before any state is written: every fallible instruction stands before the
 * first that writes a state.
 */
export interface InstructionParams {
  matmul: {
    batch: number
    m: number
    n: number
    k: number
    a: MatrixLayout
    b: MatrixLayout
    activation: ActivationName
    slope: number
  }
  elementwise: {
    shape: readonly number[]
    operands: readonly LoadPattern[]
    code: readonly MicroInstruction[]
    results: readonly number[]
  }
  copy: { shape: readonly number[]; offset: number; strides: readonly number[] }
  pad: { shape: readonly number[]; offset: number; strides: readonly number[] }
  concat: { outer: number; inners: readonly number[] }
  reduce: { kind: ReductionName; outer: number; reduced: number; inner: number }
  argmax: { outer: number; reduced: number; inner: number }
  scan: { kind: ReductionName; outer: number; length: number; inner: number; reverse: boolean }
  recurrence: { outer: number; length: number; inner: number; reverse: boolean }
  argsort: { rows: number; columns: number; count: number; descending: boolean }
  softmax: { rows: number; columns: number }
  logSoftmax: { rows: number; columns: number }
  softmaxCrossEntropy: { rows: number; columns: number }
  gather: { rows: number; rowSize: number; count: number }
  scatterAdd: { rows: number; rowSize: number; count: number }
  takeAlongAxis: AlongAxis
  scatterAlongAxis: AlongAxis & { accumulate: boolean }
  attention: {
    batch: readonly number[]
    queries: number
    keys: number
    features: number
    values: number
    operands: readonly LoadPattern[]
    scale: number
    causal: boolean
  }
  cholesky: { batch: number; n: number }
  triangularSolve: {
    batch: number
    n: number
    columns: number
    lower: boolean
    transpose: boolean
    unitDiagonal: boolean
  }
  solve: { batch: number; n: number; columns: number }
  determinant: { batch: number; n: number }
  qr: { batch: number; rows: number; columns: number }
  eigh: { batch: number; n: number }
  svd: { batch: number; rows: number; columns: number }
  random: { distribution: DistributionName }
  sgd: { size: number }
  momentum: { size: number; momentum: number; nesterov: boolean }
  adam: { size: number; beta1: number; beta2: number; epsilon: number; weightDecay: number }
  conv2d: Convolution & { readonly activation: ActivationName; readonly slope: number }
  conv2dInputGradient: Convolution
  conv2dWeightGradient: Convolution
  maxPool2d: Windows & { readonly planes: number }
  maxPool2dGradient: Windows & { readonly planes: number }
}

export type Opcode = keyof InstructionParams

export type InstructionOf<K extends Opcode> = {
  readonly opcode: K
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly params: Readonly<InstructionParams[K]>
}

export type Instruction = { [K in Opcode]: InstructionOf<K> }[Opcode]

interface OpcodeFacts {
  /** Output i may share the buffer of input `inPlace[i]`. An elementwise group decides operand by operand. */
  readonly inPlace: readonly number[]
  /** A bad index in its data ends the run. */
  readonly fallible: boolean
}

const plain: OpcodeFacts = { inPlace: [], fallible: false }

export const opcodeFacts: { readonly [K in Opcode]: OpcodeFacts } = {
  matmul: plain,
  elementwise: plain,
  copy: plain,
  pad: plain,
  concat: plain,
  reduce: plain,
  argmax: plain,
  scan: plain,
  recurrence: plain,
  argsort: plain,
  softmax: { inPlace: [0], fallible: false },
  logSoftmax: { inPlace: [0], fallible: false },
  softmaxCrossEntropy: { inPlace: [], fallible: true },
  gather: { inPlace: [], fallible: true },
  scatterAdd: { inPlace: [0], fallible: true },
  takeAlongAxis: { inPlace: [], fallible: true },
  scatterAlongAxis: { inPlace: [0], fallible: true },
  attention: plain,
  cholesky: plain,
  triangularSolve: plain,
  solve: plain,
  determinant: plain,
  qr: plain,
  eigh: plain,
  svd: plain,
  random: plain,
  sgd: { inPlace: [0], fallible: false },
  momentum: { inPlace: [0, 2], fallible: false },
  adam: { inPlace: [0, 2, 3], fallible: false },
  conv2d: plain,
  conv2dInputGradient: plain,
  conv2dWeightGradient: plain,
  maxPool2d: plain,
  maxPool2dGradient: plain,
}

export const opcodes = Object.keys(opcodeFacts) as readonly Opcode[]

/** Whether an instruction is an elementwise one that computes no more than what reading its result costs. */
export const isCheap = ({ opcode, params }: Instruction): boolean =>
  opcode === 'elementwise' && params.code.every(({ op }) => microOps[op].cheap)
