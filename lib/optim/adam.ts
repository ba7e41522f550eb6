/** Adam, as a rule on tensors. */
import { checkNumber } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import * as updates from '../operations/updates.ts'
import { type Optimizer, optimizer } from './optimizer.ts'

export interface AdamOptions {
  /** 0.001 unless given. */
  learningRate?: number
  /** How much of the first moment, the mean of gradients, stays each step: 0.9 unless given. */
  beta1?: number
  /** How much of the second moment, the mean of their squares, stays each step: 0.999 unless given. */
  beta2?: number
  /** Added to the root of the second moment: 1e-8 unless given. */
  epsilon?: number
  /** Decoupled from the gradient (Loshchilov & Hutter, 2019): p shrinks by lr·weightDecay each step. 0 unless given. */
  weightDecay?: number
}

const adamOptions: OptionTypes<AdamOptions> = {
  learningRate: 'number',
  beta1: 'number',
  beta2: 'number',
  epsilon: 'number',
  weightDecay: 'number',
}

const isFraction = (x: number): boolean => x >= 0 && x < 1
const isNotNegative = (x: number): boolean => Number.isFinite(x) && x >= 0

/**
 * Adam: steps along the mean of the gradients, divided by the root of their mean square.
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε).
 * Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1. The count of steps t is a variable of
 * the optimizer, which all parameters share: a step that fails does not count.
 */
export function adam(options?: AdamOptions): Optimizer {
  const given = checkOptions('adam', options, adamOptions)
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = given
  checkNumber('adam', 'a beta1 in [0, 1)', beta1, isFraction)
  checkNumber('adam', 'a beta2 in [0, 1)', beta2, isFraction)
  checkNumber('adam', 'a finite epsilon of at least 0', epsilon, isNotNegative)
  checkNumber('adam', 'a finite weightDecay of at least 0', weightDecay, isNotNegative)
  return optimizer({
    name: 'adam',
    learningRate,
    rule: ({ parameter, gradient, learningRate, step, slot }) =>
      updates.adam(
        {
          parameter,
          gradient,
          firstMoment: slot('firstMoment'),
          secondMoment: slot('secondMoment'),
          learningRate,
          step,
        },
        { beta1, beta2, epsilon, weightDecay },
      ),
  })
}
