/** Lion, as a rule on tensors. */
import {
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  moved,
  optimizerOf,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface LionOptions extends CommonOptions<LionOptions> {
  /** How much of the momentum is in the direction; 0.9 unless given. */
  beta1?: number
  /** How much of the momentum stays each step; 0.99 unless given. */
  beta2?: number
  /** Shrinks the parameter by lr·weightDecay; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<LionOptions> = {
  name: 'lion',
  types: { beta1: 'number', beta2: 'number', weightDecay: 'number' },
  defaults: { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
  rule(op, { beta1, beta2, weightDecay }) {
    checkFractions(op, { beta1, beta2 })
    checkNotNegative(op, { weightDecay })
    return ({ parameter, gradient, learningRate, slot }) => {
      const momentum = slot('momentum')
      const sign = moved(momentum, gradient, beta1).sign()
      const direction = weightDecay === 0 ? sign : sign.add(parameter.mul(weightDecay))
      return { parameter: parameter.sub(direction.mul(learningRate)), momentum: moved(momentum, gradient, beta2) }
    }
  },
}

/**
 * p ← p − lr·(sign(β₁m + (1 − β₁)g) + weightDecay·p); m ← β₂m + (1 − β₂)g. Chen et al., "Symbolic discovery of optimization algorithms"
 * (2023), algorithm 2. Keras's and optax's Lion.
 */
export function lion(options?: LionOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
