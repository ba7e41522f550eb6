/** Gradient descent, with and without momentum, as rules on tensors. */

import { checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { type OptionTypes, requireOptions } from '../base/options.ts'
import * as updates from '../operations/updates.ts'
import { type Optimizer, optimizer } from './optimizer.ts'
import type { UpdateRule } from './rule.ts'

export interface SgdOptions {
  learningRate: number
  /** How much of the last step's direction stays: from 0, the default, to below 1. */
  momentum?: number
  /** Looks ahead by the momentum (Nesterov, as Sutskever et al., 2013, write it); false unless given. */
  nesterov?: boolean
}

const sgdOptions: OptionTypes<SgdOptions> = { learningRate: 'number', momentum: 'number', nesterov: 'boolean' }

/**
 * Stochastic gradient descent: p ← p − lr·g; with momentum μ, v ← μ·v + g and p ← p − lr·v, or with Nesterov's
 * p ← p − lr·(g + μ·v). As in PyTorch, v begins at 0.
 */
export function sgd(options: SgdOptions): Optimizer {
  const { learningRate, momentum = 0, nesterov = false } = requireOptions('sgd', options, sgdOptions, ['learningRate'])
  checkNumber('sgd', 'a momentum in [0, 1)', momentum, (x) => x >= 0 && x < 1)
  if (nesterov && momentum === 0) throw new RangeError(expected('sgd', 'a momentum above 0 for nesterov', momentum))
  const withMomentum: UpdateRule = ({ parameter, gradient, learningRate, slot }) =>
    updates.momentum({ parameter, gradient, velocity: slot('velocity'), learningRate }, { momentum, nesterov })
  return optimizer({ name: 'sgd', learningRate, rule: momentum === 0 ? updates.sgd : withMomentum })
}
