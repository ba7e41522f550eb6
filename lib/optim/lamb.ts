/** LAMB, as a rule on tensors. */
import { where } from '../operations/index.ts'
import {
  biasCorrection,
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  moved,
  optimizerOf,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface LambOptions extends CommonOptions<LambOptions> {
  /** Of the mean of gradients; 0.9 unless given. */
  beta1?: number
  /** Of the mean of their squares; 0.999 unless given. */
  beta2?: number
  /** Added to the root of the second moment: 1e-6 unless given. */
  epsilon?: number
  /** Adds as much of the parameter to the direction; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<LambOptions> = {
  name: 'lamb',
  types: { beta1: 'number', beta2: 'number', epsilon: 'number', weightDecay: 'number' },
  defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0 },
  rule(op, { beta1, beta2, epsilon, weightDecay }) {
    checkFractions(op, { beta1, beta2 })
    checkNotNegative(op, { epsilon, weightDecay })
    return ({ parameter, gradient, learningRate, step, slot }) => {
      const firstMoment = moved(slot('firstMoment'), gradient, beta1)
      const secondMoment = moved(slot('secondMoment'), gradient.square(), beta2)
      const scale = secondMoment.div(biasCorrection(beta2, step)).sqrt().add(epsilon)
      const ofMoments = firstMoment.div(biasCorrection(beta1, step)).div(scale)
      const direction = weightDecay === 0 ? ofMoments : ofMoments.add(parameter.mul(weightDecay))
      const [size, change] = [parameter.square().sum().sqrt(), direction.square().sum().sqrt()]
      const trust = where(size.mul(change).equal(0), 1, size.div(change))
      return { parameter: parameter.sub(direction.mul(trust.mul(learningRate))), firstMoment, secondMoment }
    }
  },
}

/**
 * d = m̂/(√v̂ + ε) + weightDecay·p with the means of `adam`; p ← p − lr·‖p‖/‖d‖·d, the norms those of the whole parameter; where one is 0 the
 * ratio is 1. You et al., "Large batch optimization for deep learning: training BERT in 76 minutes" (2020), algorithm 2. Keras's and optax's
 * Lamb.
 */
export function lamb(options?: LambOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
