/** Activations that are made of other operations, and the step; basic.ts has the others. Names and definitions are PyTorch's. */
import { expected, ShapeError } from '../base/errors.ts'
import { checkNumber } from '../base/options.ts'
import { broadcastShapes, formatShape, normalizeAxis } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import * as ops from '../graph/ops/elementwise.ts'
import { sliceAt } from '../graph/ops/movement.ts'
import { type Surrogate, surrogateStep } from '../graph/ops/surrogate.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface StepOptions {
  /** What the gradient is instead of 0. */
  surrogate?: Surrogate
  /** Of fastSigmoid: how fast it falls away from 0; 25 unless given. */
  slope?: number
}

/**
 * The Heaviside function: 1 above 0, else 0. Its gradient is 0 everywhere, unless a surrogate stands for it:
 * - `straightThrough`: 1, as if the step were x (Bengio et al. 2013, "Estimating or propagating gradients through
 *   stochastic neurons").
 * - `fastSigmoid`: 1 / (1 + slope·|x|)² (Zenke & Ganguli 2018, "SuperSpike").
 * @throws TypeError for another surrogate, RangeError for a slope that is not positive.
 * @example const spikes = step(membrane.sub(threshold), { surrogate: 'fastSigmoid' })
 */
export function step(x: TensorLike, { surrogate, slope = 25 }: StepOptions = {}): Tensor {
  checkNumber('step', 'a positive finite slope', slope, (s) => s > 0 && Number.isFinite(s))
  return wrap(surrogate === undefined ? ops.step(toNode(x)) : surrogateStep(toNode(x), surrogate, slope))
}

export interface HardTanhOptions {
  /** −1 unless given. */
  min?: number
  /** 1 unless given. */
  max?: number
}

/**
 * x within [min, max], and the nearer bound outside; its gradient at the bounds is 0.
 * @throws RangeError unless min < max.
 */
export function hardTanh(x: TensorLike, { min = -1, max = 1 }: HardTanhOptions = {}): Tensor {
  checkNumber('hardTanh', 'a max above min', max, () => min < max)
  const node = toNode(x)
  return wrap(ops.where(ops.lessEqual(node, min), min, ops.where(ops.greaterEqual(node, max), max, node)))
}

/** min(max(x, 0), 6); its gradient at 0 and 6 is 0. */
export function relu6(x: TensorLike): Tensor {
  return hardTanh(x, { min: 0, max: 6 })
}

/** min(max(x + 3, 0), 6) / 6; its gradient at ±3 is 0. */
export function hardSigmoid(x: TensorLike): Tensor {
  return wrap(ops.div(relu6(wrap(ops.add(toNode(x), 3))).node, 6))
}

/** 0 up to −3, x from 3 on, and x·(x + 3) / 6 between. */
export function hardSwish(x: TensorLike): Tensor {
  const node = toNode(x)
  const between = ops.div(ops.mul(node, ops.add(node, 3)), 6)
  return wrap(ops.where(ops.lessEqual(node, -3), 0, ops.where(ops.greaterEqual(node, 3), node, between)))
}

/** x where it is not above 0, else 0: what is computed for that branch alone then overflows nowhere. */
const below = (x: Node): Node => ops.where(ops.greater(x, 0), 0, x)

/**
 * x above 0, else slope · x; its gradient in x at 0 is the slope. The slope, a tensor that may be trained, broadcasts
 * against x: one number, or one for each element of the last axis.
 */
export function prelu(x: TensorLike, slope: TensorLike): Tensor {
  const [node, slopes] = [toNode(x), toNode(slope)]
  broadcastShapes('prelu', node.shape, slopes.shape)
  return wrap(ops.where(ops.greater(node, 0), node, ops.mul(slopes, below(node))))
}

/**
 * x above 0, else alpha · (e^(x/alpha) − 1), whose slope is 1 on both sides of 0. `alpha` is 1 unless given.
 * @throws RangeError for an alpha that is 0 or not finite.
 */
export function celu(x: TensorLike, alpha = 1): Tensor {
  checkNumber('celu', 'a finite alpha other than 0', alpha, (a) => Number.isFinite(a) && a !== 0)
  const node = toNode(x)
  return wrap(ops.where(ops.greater(node, 0), node, ops.mul(ops.expm1(ops.div(below(node), alpha)), alpha)))
}

/** Klambauer et al. 2017, "Self-normalizing neural networks", equation 14. */
const seluAlpha = 1.6732632423543772
const seluScale = 1.0507009873554805

/** scale · elu(x, alpha) with alpha = 1.67326324…, scale = 1.05070098…, by which layers keep mean 0 and variance 1. */
export function selu(x: TensorLike): Tensor {
  return wrap(ops.mul(ops.elu(toNode(x), seluAlpha), seluScale))
}

/** x · tanh(softplus(x)); its limit 0 at −∞. */
export function mish(x: TensorLike): Tensor {
  const node = toNode(x)
  // e^−1000 vanishes in every dtype.
  const bounded = ops.where(ops.less(node, -1000), -1000, node)
  return wrap(ops.mul(bounded, ops.tanh(ops.softplus(node))))
}

/** x / (1 + |x|); ±1 at ±∞. */
export function softsign(x: TensorLike): Tensor {
  // From 2⁶⁰ on 1 + |x| is |x| in every dtype.
  const bounded = hardTanh(x, { min: -(2 ** 60), max: 2 ** 60 }).node
  return wrap(ops.div(bounded, ops.add(ops.abs(bounded), 1)))
}

/** log(sigmoid(x)), without underflow: −softplus(−x). */
export function logSigmoid(x: TensorLike): Tensor {
  return wrap(ops.neg(ops.softplus(ops.neg(toNode(x)))))
}

/** x where it is above the threshold, else the value; its gradient at the threshold is 0. */
export function threshold(x: TensorLike, threshold: number, value: number): Tensor {
  const node = toNode(x)
  return wrap(ops.where(ops.lessEqual(node, threshold), value, node))
}

/**
 * The gated linear unit a · sigmoid(b), where a and b are the halves of x along an axis, the last one unless given
 * (Dauphin et al. 2017): [2, 6] gives [2, 3].
 * @throws ShapeError where the axis has an odd extent.
 */
export function glu(x: TensorLike, axis = -1): Tensor {
  const node = toNode(x)
  const along = normalizeAxis('glu', axis, node.shape.length)
  if (node.shape[along]! % 2 !== 0)
    throw new ShapeError(expected('glu', `an even extent at axis ${along}`, formatShape(node.shape)))
  const size = node.shape.map((extent, i) => (i === along ? extent / 2 : extent))
  const half = (which: 0 | 1) =>
    sliceAt(
      node,
      size.map((extent, i) => (i === along ? which * extent : 0)),
      size,
      size.map(() => 1),
    )
  return wrap(ops.mul(half(0), ops.sigmoid(half(1))))
}
