/** Adagrad, as a rule on tensors. */
import { type CommonOptions, checkNotNegative, type Definition, optimizerOf, withDecay } from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface AdagradOptions extends CommonOptions<AdagradOptions> {
  /** The rate is divided by 1 + (t − 1)·lrDecay; 0 unless given. */
  lrDecay?: number
  /** What the sum of squares begins with; 0 unless given. */
  initialAccumulatorValue?: number
  /** Added to the root of the sum: 1e-10 unless given. */
  epsilon?: number
  /** Adds as much of the parameter to its gradient; 0 unless given. */
  weightDecay?: number
}

const definition: Definition<AdagradOptions> = {
  name: 'adagrad',
  types: { lrDecay: 'number', initialAccumulatorValue: 'number', epsilon: 'number', weightDecay: 'number' },
  defaults: { learningRate: 0.01, lrDecay: 0, initialAccumulatorValue: 0, epsilon: 1e-10, weightDecay: 0 },
  rule(op, { lrDecay, initialAccumulatorValue, epsilon, weightDecay }) {
    checkNotNegative(op, { lrDecay, initialAccumulatorValue, epsilon, weightDecay })
    return (context) => {
      const { parameter, learningRate, slot } = context
      const gradient = withDecay(context.gradient, parameter, weightDecay)
      const sum = slot('sum', initialAccumulatorValue).add(gradient.square())
      const rate = lrDecay === 0 ? learningRate : learningRate.div(context.step.sub(1).mul(lrDecay).add(1))
      return { parameter: parameter.sub(gradient.mul(rate).div(sum.sqrt().add(epsilon))), sum }
    }
  },
}

/**
 * s ← s + g²; p ← p − lr·g/(√s + ε). Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic optimization"
 * (2011). PyTorch's and Keras's Adagrad.
 */
export function adagrad(options?: AdagradOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
