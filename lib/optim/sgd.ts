/** Gradient descent, with and without momentum, as rules on tensors. */

import { expected } from '../base/errors.ts'
import { requireOptions } from '../base/options.ts'
import { where } from '../operations/index.ts'
import * as updates from '../operations/updates.ts'
import {
  type CommonOptions,
  checkFractions,
  checkNotNegative,
  type Definition,
  optimizerOf,
  withDecay,
} from './definition.ts'
import type { Optimizer } from './optimizer.ts'
import type { RateLike } from './rate.ts'

export interface SgdOptions extends CommonOptions<SgdOptions> {
  learningRate: RateLike
  /** How much of the last step's direction stays: from 0, the default, to below 1. */
  momentum?: number
  /** How much of the gradient the momentum leaves out: from 0, the default, to below 1. */
  dampening?: number
  /** Looks ahead by the momentum (Nesterov, as Sutskever et al., 2013, write it); false unless given. */
  nesterov?: boolean
  /** Adds as much of the parameter to its gradient: the gradient of weightDecay/2 · Σp². 0 unless given. */
  weightDecay?: number
}

const definition: Definition<SgdOptions> = {
  name: 'sgd',
  types: { momentum: 'number', dampening: 'number', nesterov: 'boolean', weightDecay: 'number' },
  defaults: { learningRate: 0, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
  rule(op, { momentum, dampening, nesterov, weightDecay }) {
    checkFractions(op, { momentum, dampening })
    checkNotNegative(op, { weightDecay })
    if (nesterov && momentum === 0) throw new RangeError(expected(op, 'a momentum above 0 for nesterov', momentum))
    if (nesterov && dampening !== 0) throw new RangeError(expected(op, 'a dampening of 0 for nesterov', dampening))
    if (momentum === 0)
      return ({ parameter, gradient, learningRate }) =>
        updates.sgd({ parameter, gradient: withDecay(gradient, parameter, weightDecay), learningRate })
    return (context) => {
      const { parameter, learningRate, slot } = context
      const whole = withDecay(context.gradient, parameter, weightDecay)
      // As in PyTorch, the first velocity is the whole gradient.
      const gradient = dampening === 0 ? whole : where(context.step.equal(1), whole, whole.mul(1 - dampening))
      return updates.momentum({ parameter, gradient, velocity: slot('velocity'), learningRate }, { momentum, nesterov })
    }
  },
}

/**
 * Stochastic gradient descent: p ← p − lr·g; with momentum μ and dampening τ, v ← μ·v + (1 − τ)·g and p ← p − lr·v, or with Nesterov's
 * p ← p − lr·(g + μ·v); g has weightDecay·p added to it. Sutskever et al., "On the importance of initialization and momentum in deep
 * learning" (2013), as PyTorch's SGD has it: the first v is g. Keras's SGD.
 */
export function sgd(options: SgdOptions, ...surplus: []): Optimizer {
  const types = { learningRate: 'other', maximize: 'boolean', ...definition.types, groups: 'other' } as const
  requireOptions('sgd', options, types, ['learningRate'], surplus)
  return optimizerOf(definition, options, surplus)
}
