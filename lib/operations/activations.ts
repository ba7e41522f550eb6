/** Activations: what follows a layer, element by element. Names and definitions are PyTorch's. */

import { checkFinite, checkNumber, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { broadcastShapes, extentAt, formatShape, normalizeAxis } from '../base/shape.ts'
import * as composite from '../graph/ops/activations.ts'
import * as ops from '../graph/ops/elementwise.ts'
import { type Surrogate, surrogateStep } from '../graph/ops/surrogate.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'
import { add, div, mul, neg } from './arithmetic.ts'
import { greater, greaterEqual, lessEqual, where } from './comparison.ts'
import { unary } from './elementwise.ts'
import { split } from './joining.ts'
import { expm1, softplus } from './math.ts'
import { seluAlpha, seluScale } from './selu-constants.ts'

/**
 * 1 / (1 + e⁻ˣ); float32 for integers.
 * @pytorch torch.sigmoid
 * @tensorflow tf.sigmoid
 * @numpy scipy.special.expit
 */
export const sigmoid = unary('sigmoid')

/**
 * max(x, 0); its gradient at 0 is 0; int32 for bool and uint8.
 * @pytorch F.relu
 * @tensorflow tf.nn.relu
 */
export const relu = unary('relu')

/**
 * x above 0, else slope · x; its gradient at 0 is the slope. `slope` is 0.01 unless given, as in PyTorch. float32 for
 * integers.
 * @pytorch F.leaky_relu
 * @tensorflow tf.nn.leaky_relu
 */
export function leakyRelu(x: TensorLike, slope = 0.01, ...surplus: []): Tensor {
  refuseSurplus('leakyRelu', 2, surplus)
  return wrap(ops.leakyRelu(toNode('leakyRelu', x), checkFinite('leakyRelu', 'slope', slope)))
}

/**
 * x · sigmoid(x), also named swish; its limit 0 at −∞; float32 for integers.
 * @pytorch F.silu
 * @tensorflow tf.nn.silu
 */
export const silu = unary('silu')

/**
 * x · sigmoid(x): another name of `silu`.
 * @pytorch F.silu
 * @tensorflow tf.nn.swish
 */
export const swish = silu

/**
 * x above 0, else alpha · (eˣ − 1); its gradient at 0 is alpha. `alpha` is 1 unless given. float32 for integers.
 * @pytorch F.elu
 * @tensorflow tf.nn.elu
 */
export function elu(x: TensorLike, alpha = 1, ...surplus: []): Tensor {
  refuseSurplus('elu', 2, surplus)
  return wrap(ops.elu(toNode('elu', x), checkFinite('elu', 'alpha', alpha)))
}

export interface GeluOptions {
  /** 'none' unless given: the normal distribution function itself. */
  approximate?: ops.GeluForm
}

const geluOptions: OptionTypes<GeluOptions> = { approximate: 'string' }

/**
 * x · Φ(x) with the normal distribution function Φ; its limit 0 at −∞. As in PyTorch, `approximate: 'tanh'` takes
 * (1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2 for Φ, as some models were trained with. float32 for integers.
 * @throws TypeError for another `approximate`
 * @pytorch F.gelu
 * @tensorflow tf.nn.gelu
 */
export function gelu(x: TensorLike, options?: GeluOptions): Tensor {
  const { approximate = 'none' } = checkOptions('gelu', options, geluOptions)
  return wrap(ops.gelu(toNode('gelu', x), approximate))
}

export interface StepOptions {
  /** What the gradient is instead of 0. */
  surrogate?: Surrogate
  /** Of fastSigmoid: how fast it falls away from 0; 25 unless given. */
  slope?: number
}

const stepOptions: OptionTypes<StepOptions> = { surrogate: 'string', slope: 'number' }

/**
 * The Heaviside function: 1 above 0, else 0. Its gradient is 0 everywhere, unless a surrogate stands for it:
 * - `straightThrough`: 1, as if the step were x (Bengio et al. 2013, "Estimating or propagating gradients through
 *   stochastic neurons").
 * - `fastSigmoid`: 1 / (1 + slope·|x|)² (Zenke & Ganguli 2018, "SuperSpike").
 *
 * float32 for integers.
 * @throws TypeError for another surrogate; RangeError for a slope that is not positive
 * @example const spikes = step(membrane.sub(threshold), { surrogate: 'fastSigmoid' })
 * @pytorch torch.heaviside
 * @tensorflow tf.experimental.numpy.heaviside
 */
export function step(x: TensorLike, options?: StepOptions): Tensor {
  const { surrogate, slope = 25 } = checkOptions('step', options, stepOptions)
  checkNumber('step', 'a positive finite slope', slope, (s) => s > 0 && Number.isFinite(s))
  return wrap(
    surrogate === undefined ? ops.step(toNode('step', x)) : surrogateStep(toNode('step', x), surrogate, slope),
  )
}

export interface HardTanhOptions {
  /** −1 unless given. */
  min?: number
  /** 1 unless given. */
  max?: number
}

const hardTanhOptions: OptionTypes<HardTanhOptions> = { min: 'number', max: 'number' }

/**
 * x within [min, max], and the nearer bound outside; its gradient at the bounds is 0.
 * @throws RangeError unless min < max
 * @pytorch F.hardtanh
 * @tensorflow tf.keras.activations.hard_tanh
 */
export function hardTanh(x: TensorLike, options?: HardTanhOptions): Tensor {
  const { min = -1, max = 1 } = checkOptions('hardTanh', options, hardTanhOptions)
  checkNumber('hardTanh', 'a max above min', max, () => min < max)
  const t = toTensor('hardTanh', x)
  return where(lessEqual(t, min), min, where(greaterEqual(t, max), max, t))
}

/**
 * min(max(x, 0), 6); its gradient at 0 and 6 is 0.
 * @pytorch F.relu6
 * @tensorflow tf.nn.relu6
 */
export function relu6(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('relu6', 1, surplus)
  return hardTanh(toTensor('relu6', x), { min: 0, max: 6 })
}

/**
 * min(max(x + 3, 0), 6) / 6; its gradient at ±3 is 0; float32 for integers.
 * @pytorch F.hardsigmoid
 * @tensorflow tf.keras.activations.hard_sigmoid
 */
export function hardSigmoid(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('hardSigmoid', 1, surplus)
  return div(relu6(add(toTensor('hardSigmoid', x), 3)), 6)
}

/**
 * 0 up to −3, x from 3 on, and x·(x + 3) / 6 between; float32 for integers.
 * @pytorch F.hardswish
 * @tensorflow tf.keras.activations.hard_silu
 */
export function hardSwish(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('hardSwish', 1, surplus)
  const t = toTensor('hardSwish', x)
  const within = hardTanh(t, { min: -3, max: 3 })
  const between = div(mul(within, add(within, 3)), 6)
  return where(lessEqual(t, -3), 0, where(greaterEqual(t, 3), t, between))
}

/** x where it is not above 0, else 0: what is computed for that branch alone then overflows nowhere. */
const below = (x: Tensor): Tensor => where(greater(x, 0), 0, x)

/**
 * x above 0, else slope · x; its gradient in x at 0 is the slope. The slope, a tensor that may be trained, broadcasts
 * against x: one number, or one for each element of the last axis.
 * @throws ShapeError where the shapes do not broadcast
 * @pytorch F.prelu
 * @tensorflow tf.keras.layers.PReLU
 */
export function prelu(x: TensorLike, slope: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('prelu', 2, surplus)
  const [t, slopes] = [toTensor('prelu', x), toTensor('prelu', slope)]
  broadcastShapes('prelu', t.shape, slopes.shape)
  return where(greater(t, 0), t, mul(slopes, below(t)))
}

/**
 * x above 0, else alpha · (e^(x/alpha) − 1), whose slope is 1 on both sides of 0. `alpha` is 1 unless given. float32 for
 * integers.
 * @throws RangeError for an alpha that is 0 or not finite
 * @pytorch F.celu
 * @tensorflow tf.keras.activations.celu
 */
export function celu(x: TensorLike, alpha = 1, ...surplus: []): Tensor {
  refuseSurplus('celu', 2, surplus)
  checkNumber('celu', 'a finite alpha other than 0', alpha, (a) => Number.isFinite(a) && a !== 0)
  const t = toTensor('celu', x)
  return where(greater(t, 0), t, mul(expm1(div(below(t), alpha)), alpha))
}

/**
 * scale · elu(x, alpha) with alpha = 1.67326324…, scale = 1.05070098…, by which layers keep mean 0 and variance 1.
 * float32 for integers.
 * @pytorch F.selu
 * @tensorflow tf.nn.selu
 */
export function selu(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('selu', 1, surplus)
  return mul(elu(toTensor('selu', x), seluAlpha), seluScale)
}

/**
 * x · tanh(softplus(x)); its limit 0 at −∞; float32 for integers.
 * @pytorch F.mish
 * @tensorflow tf.keras.activations.mish
 */
export const mish = unary('mish', (x) => composite.mish(x))

/**
 * x / (1 + |x|); ±1 at ±∞; float32 for integers.
 * @pytorch F.softsign
 * @tensorflow tf.nn.softsign
 */
export const softsign = unary('softsign', (x) => composite.softsign(x))

/**
 * log(sigmoid(x)), without underflow: −softplus(−x); float32 for integers.
 * @pytorch F.logsigmoid
 * @tensorflow tf.math.log_sigmoid
 */
export function logSigmoid(x: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('logSigmoid', 1, surplus)
  return neg(softplus(neg(toTensor('logSigmoid', x))))
}

/**
 * x where it is above the threshold, else the value; its gradient at the threshold is 0.
 * @pytorch F.threshold
 * @tensorflow tf.keras.activations.threshold
 */
export function threshold(x: TensorLike, threshold: number, value: number, ...surplus: []): Tensor {
  refuseSurplus('threshold', 3, surplus)
  const t = toTensor('threshold', x)
  checkNumber('threshold', 'a number as threshold', threshold, (bound) => !Number.isNaN(bound))
  checkNumber('threshold', 'a number as value', value, () => true)
  return where(lessEqual(t, threshold), value, t)
}

/**
 * The gated linear unit a · sigmoid(b), where a and b are the halves of x along an axis, the last one unless given
 * (Dauphin et al. 2017): [2, 6] gives [2, 3]. float32 for integers.
 * @throws ShapeError where the axis has an odd extent, or there is none
 * @pytorch F.glu
 * @tensorflow tf.keras.activations.glu
 */
export function glu(x: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('glu', 2, surplus)
  const t = toTensor('glu', x)
  const along = normalizeAxis('glu', axis, t.ndim)
  if (extentAt(t.shape, along) % 2 !== 0)
    throw new ShapeError(expected('glu', `an even extent at axis ${along}`, formatShape(t.shape)))
  const [a, b] = split(t, 2, along) as [Tensor, Tensor]
  return wrap(composite.gate(nodeOf(a), nodeOf(b)))
}
