/** Losses of numbers: of the error prediction − target, element by element. Nothing is broadcast. */
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { customGradient } from '../transforms/custom-gradient.ts'
import { checkLeast0, checkPositive, type LossOptions, lossOptions, reduce, sameShaped } from './common.ts'

function errorOf(op: string, prediction: TensorLike, target: TensorLike): Tensor {
  const [x, y] = sameShaped(op, prediction, target)
  return x.sub(y)
}

/**
 * (prediction − target)², over all elements. The mean and the sum are of all elements, as in PyTorch. Keras's mean is the same; its `'sum'`
 * adds up means over the last axis, and its `'none'` returns these.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ: nothing is broadcast
 * @pytorch F.mse_loss
 * @tensorflow tf.keras.losses.MeanSquaredError
 */
export function meanSquaredError(
  prediction: TensorLike,
  target: TensorLike,
  options: LossOptions = {},
  ...surplus: []
): Tensor {
  const op = 'meanSquaredError'
  checkOptions(op, options, lossOptions, surplus)
  return reduce(op, errorOf(op, prediction, target).square(), options)
}

/**
 * |prediction − target|, over all elements; its gradient where they are equal is 0.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.l1_loss
 * @tensorflow tf.keras.losses.MeanAbsoluteError
 */
export function meanAbsoluteError(
  prediction: TensorLike,
  target: TensorLike,
  options?: LossOptions,
  ...surplus: []
): Tensor {
  return absoluteErrors(
    'meanAbsoluteError',
    prediction,
    target,
    checkOptions('meanAbsoluteError', options, lossOptions, surplus),
  )
}

const absoluteErrors = (op: string, prediction: TensorLike, target: TensorLike, options: LossOptions): Tensor =>
  reduce(op, errorOf(op, prediction, target).abs(), options)

/**
 * |prediction − target|: PyTorch's name of `meanAbsoluteError`.
 * @pytorch F.l1_loss
 * @tensorflow tf.keras.losses.MeanAbsoluteError
 */
export const l1 = (prediction: TensorLike, target: TensorLike, options?: LossOptions, ...surplus: []): Tensor =>
  absoluteErrors('l1', prediction, target, checkOptions('l1', options, lossOptions, surplus))

export interface HuberOptions extends LossOptions {
  /** Where the square ends, above 0; 1 unless given. */
  delta?: number
}

const huberOptions: OptionTypes<HuberOptions> = { ...lossOptions, delta: 'number' }

export interface SmoothL1Options extends LossOptions {
  /** Where the square ends, at least 0; 1 unless given. */
  beta?: number
}

const smoothL1Options: OptionTypes<SmoothL1Options> = { ...lossOptions, beta: 'number' }

/** With q, the error clamped to ±δ: q·(e − q/2) is e²/2 between and δ·(|e| − δ/2) outside, and so is its slope. */
function huberOf(error: Tensor, delta: number): Tensor {
  const clamped = error.minimum(delta).maximum(-delta)
  return clamped.mul(error.sub(clamped.mul(0.5)))
}

/**
 * e²/2 for errors e of at most delta, else delta·(|e| − delta/2), over all elements
 * (Huber 1964, https://doi.org/10.1214/aoms/1177703732).
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.huber_loss
 * @tensorflow tf.keras.losses.Huber
 */
export function huber(prediction: TensorLike, target: TensorLike, options?: HuberOptions, ...surplus: []): Tensor {
  const { delta = 1, ...rest } = checkOptions('huber', options, huberOptions, surplus)
  checkPositive('huber', 'delta', delta)
  return reduce('huber', huberOf(errorOf('huber', prediction, target), delta), rest)
}

/**
 * e²/(2·beta) for errors e below beta, else |e| − beta/2, over all elements: `huber` divided by beta; |e| for a beta of 0.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @pytorch F.smooth_l1_loss
 */
export function smoothL1(
  prediction: TensorLike,
  target: TensorLike,
  options?: SmoothL1Options,
  ...surplus: []
): Tensor {
  const { beta = 1, ...rest } = checkOptions('smoothL1', options, smoothL1Options, surplus)
  checkLeast0('smoothL1', 'beta', beta)
  const error = errorOf('smoothL1', prediction, target)
  return reduce('smoothL1', beta === 0 ? error.abs() : huberOf(error, beta).div(beta), rest)
}

/**
 * log cosh x = −½·log(1 − tanh² x), which is exact near 0, and |x| + log(1 + e^(−2|x|)) − log 2, which does not overflow.
 * Its slope is tanh x, more exact than that of these.
 */
const logCoshOf = customGradient(
  (x) => {
    const size = x.abs()
    const near = x.tanh().square().neg().log1p().mul(-0.5)
    const far = size.add(size.mul(-2).softplus()).sub(Math.LN2)
    return size.less(1).where(near, far)
  },
  (cotangent, _value, x) => cotangent.mul(x.tanh()),
)

/**
 * log cosh(prediction − target), over all elements: e²/2 for small errors, |e| − log 2 for great ones. Its slope is tanh e.
 *
 * @returns a scalar, or a loss for each element for reduction `'none'`
 * @throws ShapeError where the shapes differ
 * @tensorflow tf.keras.losses.LogCosh
 */
export function logCosh(prediction: TensorLike, target: TensorLike, options: LossOptions = {}, ...surplus: []): Tensor {
  checkOptions('logCosh', options, lossOptions, surplus)
  return reduce('logCosh', logCoshOf(errorOf('logCosh', prediction, target)), options)
}
