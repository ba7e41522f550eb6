/** Every operation as a function: `add(x, y)` is `x.add(y)`. Operands are tensors, variables, numbers or nested arrays. */
import type { DType } from '../base/dtype.ts'
import type { Shape } from '../base/shape.ts'
import { concat as concatNodes } from '../graph/ops/movement.ts'
import type { Axes } from '../graph/ops/reduce.ts'
import {
  type GeluOptions,
  type NormOptions,
  type ReduceOptions,
  Tensor,
  type TensorLike,
  toNode,
  wrap,
} from '../tensor/tensor.ts'

const toTensor = (x: TensorLike): Tensor => (x instanceof Tensor ? x : wrap(toNode(x)))

/** x + y */
export const add = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).add(y)

/** x − y */
export const sub = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).sub(y)

/** x · y, element by element. */
export const mul = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).mul(y)

/** x / y; float32 for integers. */
export const div = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).div(y)

/** xʸ; float32 for integers. */
export const pow = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).pow(y)

/** The greater of x and y; NaN where either is. At a tie each gets half of the gradient. */
export const maximum = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).maximum(y)

/** The lesser of x and y; NaN where either is. At a tie each gets half of the gradient. */
export const minimum = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).minimum(y)

/** x = y, as bool. */
export const equal = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).equal(y)

/** x ≠ y, as bool. */
export const notEqual = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).notEqual(y)

/** x < y, as bool. */
export const less = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).less(y)

/** x ≤ y, as bool. */
export const lessEqual = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).lessEqual(y)

/** x > y, as bool. */
export const greater = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).greater(y)

/** x ≥ y, as bool. */
export const greaterEqual = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).greaterEqual(y)

/** −x */
export const neg = (x: TensorLike): Tensor => toTensor(x).neg()

/** |x|; its gradient at 0 is 0. */
export const abs = (x: TensorLike): Tensor => toTensor(x).abs()

/** −1, 0 or 1; NaN stays NaN. */
export const sign = (x: TensorLike): Tensor => toTensor(x).sign()

/** x² */
export const square = (x: TensorLike): Tensor => toTensor(x).square()

/** √x; NaN below 0. */
export const sqrt = (x: TensorLike): Tensor => toTensor(x).sqrt()

/** eˣ */
export const exp = (x: TensorLike): Tensor => toTensor(x).exp()

/** The natural logarithm; −∞ at 0, NaN below. */
export const log = (x: TensorLike): Tensor => toTensor(x).log()

/** eˣ − 1, without the cancellation near 0. */
export const expm1 = (x: TensorLike): Tensor => toTensor(x).expm1()

/** log(1 + x), without the cancellation near 0; −∞ at −1, NaN below. */
export const log1p = (x: TensorLike): Tensor => toTensor(x).log1p()

/** The sine of radians of any size. */
export const sin = (x: TensorLike): Tensor => toTensor(x).sin()

/** The cosine of radians of any size. */
export const cos = (x: TensorLike): Tensor => toTensor(x).cos()

/** 1 / √x; ±∞ at ±0, NaN below. */
export const rsqrt = (x: TensorLike): Tensor => toTensor(x).rsqrt()

/** 1 / x; float32 for integers. */
export const reciprocal = (x: TensorLike): Tensor => toTensor(x).reciprocal()

/** The error function 2/√π · ∫₀ˣ e^(−t²) dt. */
export const erf = (x: TensorLike): Tensor => toTensor(x).erf()

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: TensorLike): Tensor => toTensor(x).sigmoid()

/** The hyperbolic tangent. */
export const tanh = (x: TensorLike): Tensor => toTensor(x).tanh()

/** max(x, 0); its gradient at 0 is 0. */
export const relu = (x: TensorLike): Tensor => toTensor(x).relu()

/** log(1 + eˣ), without overflow. */
export const softplus = (x: TensorLike): Tensor => toTensor(x).softplus()

/** x above 0, else slope · x; its gradient at 0 is the slope. `slope` is 0.01 unless given, as in PyTorch. */
export const leakyRelu = (x: TensorLike, slope?: number): Tensor => toTensor(x).leakyRelu(slope)

/** x · sigmoid(x), also named swish; its limit 0 at −∞. */
export const silu = (x: TensorLike): Tensor => toTensor(x).silu()

/** x · sigmoid(x): another name of `silu`. */
export const swish = silu

/** x above 0, else alpha · (eˣ − 1); its gradient at 0 is alpha. `alpha` is 1 unless given. */
export const elu = (x: TensorLike, alpha?: number): Tensor => toTensor(x).elu(alpha)

/** x · Φ(x) with the normal distribution function Φ; its limit 0 at −∞. `approximate: 'tanh'` takes (1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2 for Φ. */
export const gelu = (x: TensorLike, options?: GeluOptions): Tensor => toTensor(x).gelu(options)

/** x where the bool condition is true, else y. */
export const where = (condition: TensorLike, x: TensorLike, y: TensorLike): Tensor => toTensor(condition).where(x, y)

/** The same elements as another dtype. Floats truncate toward zero and saturate; NaN gives 0. */
export const cast = (x: TensorLike, dtype: DType): Tensor => toTensor(x).cast(dtype)

/** x[…, m, k] · y[…, k, n] → [… , m, n]; leading axes broadcast; a 1-D operand is a row or a column. */
export const matmul = (x: TensorLike, y: TensorLike): Tensor => toTensor(x).matmul(y)

/** Axis i of the result is axis `axes[i]` of x; without axes, their order is reversed. */
export const transpose = (x: TensorLike, axes?: readonly number[]): Tensor => toTensor(x).transpose(axes)

/** The same elements in the same order under another shape; one extent may be −1. */
export const reshape = (x: TensorLike, shape: Shape): Tensor => toTensor(x).reshape(shape)

/** One axis from `axis` on: [a, b, c].flatten(1) is [a, b·c]. */
export const flatten = (x: TensorLike, axis?: number): Tensor => toTensor(x).flatten(axis)

/** Repeated along new leading axes and axes of extent 1, as numpy's rules allow. */
export const broadcastTo = (x: TensorLike, shape: Shape): Tensor => toTensor(x).broadcastTo(shape)

/** Elements start, start + step, … before end of each axis. Arrays speak of the first axes, the other ones are whole; negative bounds count from the end and bounds beyond it are clamped, as in numpy. A negative step goes backwards; null is a bound that is not given. */
export const slice = (x: TensorLike, ...bounds: Parameters<Tensor['slice']>): Tensor => toTensor(x).slice(...bounds)

/** Tensors one after the other along an axis; they agree in dtype and in every other extent. */
export const concat = (tensors: readonly TensorLike[], axis = 0): Tensor =>
  wrap(
    concatNodes(
      tensors.map((x) => toNode(x)),
      axis,
    ),
  )

/** Rows x[indices]: [n, …] and indices[k…] give [k…, …]. An index outside [0, n) is a RangeError when evaluated. */
export const gather = (x: TensorLike, indices: TensorLike): Tensor => toTensor(x).gather(indices)

/** x with updates[i…] added to row indices[i…]; repeated indices add up. */
export const scatterAdd = (x: TensorLike, indices: TensorLike, updates: TensorLike): Tensor =>
  toTensor(x).scatterAdd(indices, updates)

/** The sum over axes, all of them without any. int32 for bool and uint8. */
export const sum = (x: TensorLike, axis?: Axes, options?: ReduceOptions): Tensor => toTensor(x).sum(axis, options)

/** The arithmetic mean over axes; float32 for integers; NaN of nothing. */
export const mean = (x: TensorLike, axis?: Axes, options?: ReduceOptions): Tensor => toTensor(x).mean(axis, options)

/** The greatest element over axes; NaN wins. Elements that tie share the gradient evenly. */
export const max = (x: TensorLike, axis?: Axes, options?: ReduceOptions): Tensor => toTensor(x).max(axis, options)

/** The least element over axes; NaN wins. Elements that tie share the gradient evenly. */
export const min = (x: TensorLike, axis?: Axes, options?: ReduceOptions): Tensor => toTensor(x).min(axis, options)

/** The norm (Σ|x|ᵖ)^(1/p) of order p over axes, 2 unless given: the Euclidean one. Order Infinity is the greatest |x|, −Infinity the least, 0 counts what is not 0. Its gradient at 0 is 0. */
export const norm = (x: TensorLike, axis?: Axes, options?: NormOptions): Tensor => toTensor(x).norm(axis, options)

/** The int32 index of the first greatest element along an axis; of the flattened tensor without one. NaN is greatest. */
export const argmax = (x: TensorLike, axis?: number, options?: ReduceOptions): Tensor =>
  toTensor(x).argmax(axis, options)

/** eˣ / Σeˣ along an axis, the last one unless given. */
export const softmax = (x: TensorLike, axis?: number): Tensor => toTensor(x).softmax(axis)

/** log(softmax(x)) along an axis, without overflow or underflow. */
export const logSoftmax = (x: TensorLike, axis?: number): Tensor => toTensor(x).logSoftmax(axis)

/** Losses −log softmax(logits)[label] of each row of logits[…, classes]: labels are integers[…] or rows of probabilities [… , classes]. A class outside [0, classes) is a RangeError when evaluated, before anything is written. */
export const softmaxCrossEntropy = (logits: TensorLike, labels: TensorLike): Tensor =>
  toTensor(logits).softmaxCrossEntropy(labels)

/** Rows of `depth` elements with a 1 at the class, of integers[…]: [… , depth]. */
export const oneHot = (classes: TensorLike, depth: number, options?: { dtype?: DType }): Tensor =>
  wrap(toNode(classes, 'int32')).oneHot(depth, options)
