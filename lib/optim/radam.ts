/** Rectified Adam, as a rule on tensors. */
import { where } from '../operations/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  biasCorrection,
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  decayed,
  moved,
  optimizerOf,
  withDecay,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface RadamOptions extends CommonOptions<RadamOptions> {
  /** Of the mean of gradients; 0.9 unless given. */
  beta1?: number
  /** Of the mean of their squares, above 0; 0.999 unless given. */
  beta2?: number
  /** Added to the root of the second moment: 1e-8 unless given. */
  epsilon?: number
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
  /** Whether the decay shrinks the parameter by lr·weightDecay instead; false unless given. */
  decoupledWeightDecay?: boolean
}

/** Bernoulli's numbers over n!, of y², y⁴, … in y/(eʸ − 1) = 1 − y/2 + y²/12 − … */
const series = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
  43867 / 5109094217170944000,
]

/**
 * ρₜ = ρ∞ − 2tβᵗ/(1 − βᵗ), the length of the mean of squares. Both parts are some thousand times as large as their difference at the first steps,
 * so in float32 it is computed from y = −t·ln β: with h = y/(eʸ − 1) − 1 + y/2 it is ρ∞ − 2/L + t − 2h/L where L = −ln β.
 */
function lengthOf(beta: number, step: Tensor): Tensor {
  const rate = -Math.log(beta)
  const y = step.mul(rate)
  const square = y.square()
  const nearZero = series.reduceRight((sum, c) => sum.add(c).mul(square), square.mul(0))
  const h = where(y.less(1), nearZero, y.div(y.expm1()).sub(1).add(y.div(2)))
  return step.add(2 / (1 - beta) - 1 - 2 / rate).sub(h.mul(2 / rate))
}

const definition: Definition<RadamOptions> = {
  name: 'radam',
  types: {
    beta1: 'number',
    beta2: 'number',
    epsilon: 'number',
    weightDecay: 'number',
    decoupledWeightDecay: 'boolean',
  },
  defaults: {
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    decoupledWeightDecay: false,
  },
  rule(op, { beta1, beta2, epsilon, weightDecay, decoupledWeightDecay }) {
    checkFractions(op, { beta1, beta2 })
    checkNotNegative(op, { epsilon, weightDecay })
    const longest = 2 / (1 - beta2) - 1
    return ({ parameter: p, gradient: g, learningRate, step, slot }) => {
      const parameter = decoupledWeightDecay ? decayed(p, learningRate, weightDecay) : p
      const gradient = decoupledWeightDecay ? g : withDecay(g, p, weightDecay)
      const firstMoment = moved(slot('firstMoment'), gradient, beta1)
      const secondMoment = moved(slot('secondMoment'), gradient.square(), beta2)
      // Of beta2 = 0 the mean has one square in it, which is too short at every step.
      const length = beta2 === 0 ? step.mul(0).add(1) : lengthOf(beta2, step)
      const ratio = length
        .sub(4)
        .mul(length.sub(2))
        .div(length)
        .mul(longest / ((longest - 4) * (longest - 2)))
      const rectified = ratio.mul(biasCorrection(beta2, step)).sqrt().div(secondMoment.sqrt().add(epsilon))
      const scale = where(length.greater(5), rectified, 1)
      const stepSize = learningRate.div(biasCorrection(beta1, step))
      return { parameter: parameter.sub(firstMoment.mul(stepSize).mul(scale)), firstMoment, secondMoment }
    }
  },
}

/**
 * Adam that does without the second moment while that is of too few gradients: m and v as in `adam`; where ρₜ > 5, p ← p − lr·m̂·rₜ·√(1 −
 * β₂ᵗ)/(√v + ε) with rₜ = √((ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)), else p ← p − lr·m̂. Liu et al., "On the variance of the adaptive
 * learning rate and beyond" (2020), algorithm 2. PyTorch's RAdam.
 */
export function radam(options?: RadamOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
