/** Adafactor, as a rule on tensors. */
import { checkNumber } from '../base/arguments.ts'
import { maximum, minimum } from '../operations/index.ts'
import { zeros } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type CommonOptions, checkNotNegative, type Definition, decayed, optimizerOf } from './definition.ts'
import type { Optimizer } from './optimizer.ts'
import type { RuleContext } from './rule.ts'

export interface AdafactorOptions extends CommonOptions<AdafactorOptions> {
  /** The mean of squares moves by t to this power, which is at most 0; −0.8 unless given. */
  beta2Decay?: number
  /** The least root of the mean of squares (PyTorch's `eps[0]`): what the dtype tells from 1, 2⁻²³ of float32, unless given. */
  epsilon1?: number
  /** The least size of a parameter (PyTorch's `eps[1]`); 0.001 unless given. */
  epsilon2?: number
  /** The root mean square that a direction is clipped to (PyTorch's `d`); 1 unless given. */
  clippingThreshold?: number
  /** Shrinks the parameter by lr·weightDecay; 0 unless given. */
  weightDecay?: number
}

const rms = (x: Tensor): Tensor => x.square().mean().sqrt()

/** The mean of squares, of a matrix or more as the product of those of its rows and columns, and what is kept of it. */
function squaresOf({ gradient, slot }: RuleContext, weight: Tensor, least: number): [Tensor, Record<string, Tensor>] {
  const lerp = (mean: Tensor, value: Tensor) => mean.add(value.sub(mean).mul(weight))
  const squares = gradient.square()
  if (gradient.ndim < 2) {
    const all = lerp(slot('squares'), squares)
    return [all, { squares: all }]
  }
  const { dtype, shape } = gradient
  const rows = lerp(slot('rows', zeros([...shape.slice(0, -1), 1], { dtype })), squares.mean(-1, { keepDims: true }))
  const columnShape = [...shape.slice(0, -2), 1, shape.at(-1)!]
  const columns = lerp(slot('columns', zeros(columnShape, { dtype })), squares.mean(-2, { keepDims: true }))
  return [rows.mul(columns).div(maximum(rows.mean(-2, { keepDims: true }), least)), { rows, columns }]
}

/** Not given: it follows from the parameter then. */
const ofDType = undefined as unknown as number

const definition: Definition<AdafactorOptions> = {
  name: 'adafactor',
  types: {
    beta2Decay: 'number',
    epsilon1: 'number',
    epsilon2: 'number',
    clippingThreshold: 'number',
    weightDecay: 'number',
  },
  defaults: {
    learningRate: 0.01,
    beta2Decay: -0.8,
    epsilon1: ofDType,
    epsilon2: 1e-3,
    clippingThreshold: 1,
    weightDecay: 0,
  },
  rule(op, { beta2Decay, epsilon1, epsilon2, clippingThreshold, weightDecay }) {
    checkNumber(op, 'a finite beta2Decay of at most 0', beta2Decay, (x) => Number.isFinite(x) && x <= 0)
    if (epsilon1 !== ofDType) checkNotNegative(op, { epsilon1 })
    checkNotNegative(op, { epsilon2, weightDecay })
    checkNumber(op, 'a clippingThreshold of at least 1', clippingThreshold, (x) => Number.isFinite(x) && x >= 1)
    return (context) => {
      const { parameter, gradient, learningRate, step } = context
      const least = epsilon1 === ofDType ? (parameter.dtype === 'float32' ? 2 ** -23 : 2 ** -52) : epsilon1
      const [squares, kept] = squaresOf(context, step.pow(beta2Decay), least)
      const rate = maximum(rms(parameter), epsilon2).mul(minimum(learningRate, step.rsqrt()))
      const direction = gradient.mul(maximum(squares, least * least).rsqrt())
      const clip = maximum(rms(direction).div(clippingThreshold), 1)
      return {
        parameter: decayed(parameter, learningRate, weightDecay).sub(direction.mul(rate.div(clip))),
        ...kept,
      }
    }
  },
}

/**
 * Adam's division by the root of the mean of squares, of which a matrix keeps the means of its rows r and columns c alone: v̂ = r·c/mean(r);
 * d = g/max(√v̂, ε₁); p ← p·(1 − lr·weightDecay) − max(ε₂, rms(p))·min(lr, 1/√t)·d/max(1, rms(d)/threshold). Shazeer & Stern, "Adafactor:
 * adaptive learning rates with sublinear memory cost" (2018), algorithms 4 to 6, as PyTorch's Adafactor has it: the rate bounds the relative step.
 * Keras's Adafactor.
 */
export function adafactor(options?: AdafactorOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
