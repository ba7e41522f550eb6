/** Adam, with weight decay coupled and decoupled, as rules on tensors. */
import { maximum } from '../operations/index.ts'
import * as updates from '../operations/updates.ts'
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
import type { NextValues, RuleContext, UpdateRule } from './rule.ts'

export interface AdamOptions extends CommonOptions<AdamOptions> {
  /** How much of the first moment, the mean of gradients, stays each step: 0.9 unless given. */
  beta1?: number
  /** How much of the second moment, the mean of their squares, stays each step: 0.999 unless given. */
  beta2?: number
  /** Added to the root of the second moment: 1e-8 unless given. */
  epsilon?: number
  /** `adam` adds as much of the parameter to its gradient, 0 unless given; `adamw` shrinks it by lr·weightDecay, 0.01 unless given. */
  weightDecay?: number
  /** Whether the second moment is the largest so far (Reddi et al., 2018); false unless given. */
  amsgrad?: boolean
}

const types: Definition<AdamOptions>['types'] = {
  beta1: 'number',
  beta2: 'number',
  epsilon: 'number',
  weightDecay: 'number',
  amsgrad: 'boolean',
}

const defaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, amsgrad: false }

type Options = Parameters<Definition<AdamOptions>['rule']>[1]

function checkAdam(op: string, { beta1, beta2, epsilon, weightDecay }: Options): void {
  checkFractions(op, { beta1, beta2 })
  checkNotNegative(op, { epsilon, weightDecay })
}

/** A rule of which the parameter or the gradient is already another one. */
type Step = (context: RuleContext, parameter: Tensor, gradient: Tensor) => NextValues

/** In one pass, with decoupled decay. */
const fused =
  (options: Omit<Options, 'learningRate' | 'amsgrad'>): Step =>
  ({ learningRate, step, slot }, parameter, gradient) => {
    const [firstMoment, secondMoment] = [slot('firstMoment'), slot('secondMoment')]
    return updates.adam({ parameter, gradient, firstMoment, secondMoment, learningRate, step }, options)
  }

const withoutChange =
  (go: Step): UpdateRule =>
  (context) =>
    go(context, context.parameter, context.gradient)

const withLargest =
  ({ beta1, beta2, epsilon }: Options): Step =>
  ({ learningRate, step, slot }, parameter, gradient) => {
    const firstMoment = moved(slot('firstMoment'), gradient, beta1)
    const secondMoment = moved(slot('secondMoment'), gradient.square(), beta2)
    const largestMoment = maximum(slot('largestMoment'), secondMoment)
    const scale = largestMoment.sqrt().mul(biasCorrection(beta2, step).rsqrt()).add(epsilon)
    const stepSize = learningRate.div(biasCorrection(beta1, step))
    const next = parameter.sub(firstMoment.mul(stepSize).div(scale))
    return { parameter: next, firstMoment, secondMoment, largestMoment }
  }

const adamDefinition: Definition<AdamOptions> = {
  name: 'adam',
  types,
  defaults,
  rule(op, options) {
    checkAdam(op, options)
    const { beta1, beta2, epsilon, weightDecay, amsgrad } = options
    const go = amsgrad ? withLargest(options) : fused({ beta1, beta2, epsilon, weightDecay: 0 })
    return (context) => {
      const { parameter, gradient } = context
      return go(context, parameter, withDecay(gradient, parameter, weightDecay))
    }
  },
}

/**
 * Adam: steps along the mean of the gradients, divided by the root of their mean square.
 * m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε), where g has weightDecay·p added to it.
 * Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1; with `amsgrad` the largest v so far stands in the root (Reddi et
 * al., "On the convergence of Adam and beyond", 2018). PyTorch's and Keras's Adam. Decay that is not divided by the root is `adamw`'s. The
 * count of steps t is a variable of the optimizer, which all parameters share: a step that fails does not count.
 */
export function adam(options?: AdamOptions, ...surplus: []): Optimizer {
  return optimizerOf(adamDefinition, options, surplus)
}

const adamwDefinition: Definition<AdamOptions> = {
  name: 'adamw',
  types,
  defaults: { ...defaults, weightDecay: 0.01 },
  rule(op, options) {
    checkAdam(op, options)
    const { beta1, beta2, epsilon, weightDecay, amsgrad } = options
    if (!amsgrad) return withoutChange(fused({ beta1, beta2, epsilon, weightDecay }))
    const go = withLargest(options)
    return (context) => go(context, decayed(context.parameter, context.learningRate, weightDecay), context.gradient)
  },
}

/**
 * Adam whose weight decay is decoupled from the gradient: p ← p·(1 − lr·weightDecay), and then as `adam` does without decay. Loshchilov &
 * Hutter, "Decoupled weight decay regularization" (2019), algorithm 2. PyTorch's and Keras's AdamW.
 */
export function adamw(options?: AdamOptions, ...surplus: []): Optimizer {
  return optimizerOf(adamwDefinition, options, surplus)
}
