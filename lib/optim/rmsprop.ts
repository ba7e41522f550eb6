/** RMSprop, as a rule on tensors. */
import {
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  moved,
  optimizerOf,
  withDecay,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface RmspropOptions extends CommonOptions<RmspropOptions> {
  /** How much of the mean of squares stays each step (Keras's `rho`); 0.99 unless given. */
  alpha?: number
  /** Added to the root: 1e-8 unless given. */
  epsilon?: number
  /** How much of the last step's direction stays; 0 unless given. */
  momentum?: number
  /** Whether the mean of gradients is taken out of the mean of squares, which leaves the variance; false unless given. */
  centered?: boolean
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<RmspropOptions> = {
  name: 'rmsprop',
  types: { alpha: 'number', epsilon: 'number', momentum: 'number', centered: 'boolean', weightDecay: 'number' },
  defaults: { learningRate: 0.01, alpha: 0.99, epsilon: 1e-8, momentum: 0, centered: false, weightDecay: 0 },
  rule(op, { alpha, epsilon, momentum, centered, weightDecay }) {
    checkFractions(op, { alpha, momentum })
    checkNotNegative(op, { epsilon, weightDecay })
    return ({ parameter, gradient: g, learningRate, slot }) => {
      const gradient = withDecay(g, parameter, weightDecay)
      const squares = moved(slot('squares'), gradient.square(), alpha)
      const mean = centered ? moved(slot('mean'), gradient, alpha) : null
      const variance = mean === null ? squares : squares.sub(mean.square())
      const direction = gradient.div(variance.sqrt().add(epsilon))
      const velocity = momentum === 0 ? null : slot('velocity').mul(momentum).add(direction)
      return {
        parameter: parameter.sub((velocity ?? direction).mul(learningRate)),
        squares,
        ...(mean && { mean }),
        ...(velocity && { velocity }),
      }
    }
  },
}

/**
 * v ← αv + (1 − α)g²; b ← μb + g/(√v + ε); p ← p − lr·b. Centered, m ← αm + (1 − α)g and v − m² stands in the root. Hinton, lecture 6e of
 * "Neural networks for machine learning" (2012); centered as in Graves, "Generating sequences with recurrent neural networks" (2013). PyTorch's
 * and Keras's RMSprop.
 */
export function rmsprop(options?: RmspropOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
