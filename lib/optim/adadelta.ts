/** Adadelta, as a rule on tensors. */
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

export interface AdadeltaOptions extends CommonOptions<AdadeltaOptions> {
  /** How much of the means of squares stays each step; 0.9 unless given. */
  rho?: number
  /** Added under the roots: 1e-6 unless given. */
  epsilon?: number
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<AdadeltaOptions> = {
  name: 'adadelta',
  types: { rho: 'number', epsilon: 'number', weightDecay: 'number' },
  defaults: { learningRate: 1, rho: 0.9, epsilon: 1e-6, weightDecay: 0 },
  rule(op, { rho, epsilon, weightDecay }) {
    checkFractions(op, { rho })
    checkNotNegative(op, { epsilon, weightDecay })
    return ({ parameter, gradient: g, learningRate, slot }) => {
      const gradient = withDecay(g, parameter, weightDecay)
      const changes = slot('changes')
      const squares = moved(slot('squares'), gradient.square(), rho)
      const change = changes.add(epsilon).sqrt().div(squares.add(epsilon).sqrt()).mul(gradient)
      return {
        parameter: parameter.sub(change.mul(learningRate)),
        squares,
        changes: moved(changes, change.square(), rho),
      }
    }
  },
}

/**
 * v ← ρv + (1 − ρ)g²; d = √(u + ε)/√(v + ε)·g; u ← ρu + (1 − ρ)d²; p ← p − lr·d. Zeiler, "ADADELTA: an adaptive learning rate method" (2012),
 * algorithm 1. PyTorch's and Keras's Adadelta; the rate is 1 unless given, as in the paper and in PyTorch.
 */
export function adadelta(options?: AdadeltaOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
