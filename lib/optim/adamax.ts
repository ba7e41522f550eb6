/** Adam by the largest gradient instead of the mean square, as a rule on tensors. */
import { maximum } from '../operations/index.ts'
import {
  biasCorrection,
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  moved,
  optimizerOf,
  withDecay,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface AdamaxOptions extends CommonOptions<AdamaxOptions> {
  /** Of the mean of gradients; 0.9 unless given. */
  beta1?: number
  /** How much of the largest gradient stays each step; 0.999 unless given. */
  beta2?: number
  /** Added to the magnitude of gradients: 1e-8 unless given. */
  epsilon?: number
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<AdamaxOptions> = {
  name: 'adamax',
  types: { beta1: 'number', beta2: 'number', epsilon: 'number', weightDecay: 'number' },
  defaults: { learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  rule(op, { beta1, beta2, epsilon, weightDecay }) {
    checkFractions(op, { beta1, beta2 })
    checkNotNegative(op, { epsilon, weightDecay })
    return ({ parameter, gradient: g, learningRate, step, slot }) => {
      const gradient = withDecay(g, parameter, weightDecay)
      const firstMoment = moved(slot('firstMoment'), gradient, beta1)
      const largest = maximum(slot('largest').mul(beta2), gradient.abs().add(epsilon))
      const stepSize = learningRate.div(biasCorrection(beta1, step))
      return { parameter: parameter.sub(firstMoment.mul(stepSize).div(largest)), firstMoment, largest }
    }
  },
}

/**
 * m ← β₁m + (1 − β₁)g; u ← max(β₂u, |g| + ε); p ← p − lr/(1 − β₁ᵗ) · m/u. Kingma & Ba, "Adam" (2015), algorithm 2. PyTorch's and Keras's
 * Adamax.
 */
export function adamax(options?: AdamaxOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
