import { expected } from '../base/errors.ts'
import { checkNumber } from '../base/options.ts'
import * as instructions from '../graph/ops/optimizer.ts'
import { wrap } from '../tensor/tensor.ts'
import { Optimizer, type Update, type UpdateRule } from './optimizer.ts'

export interface SgdOptions {
  learningRate: number
  /** How much of the last step's direction stays: from 0, the default, to below 1. */
  momentum?: number
  /** Looks ahead by the momentum (Nesterov, as Sutskever et al., 2013, write it); false unless given. */
  nesterov?: boolean
}

/**
 * Stochastic gradient descent: p ← p − lr·g; with momentum μ, v ← μ·v + g and p ← p − lr·v, or with Nesterov's
 * p ← p − lr·(g + μ·v). As in PyTorch, v begins at 0.
 */
export function sgd({ learningRate, momentum = 0, nesterov = false }: SgdOptions): Optimizer {
  checkNumber('sgd', 'a momentum in [0, 1)', momentum, (x) => x >= 0 && x < 1)
  if (nesterov && momentum === 0) throw new RangeError(expected('sgd', 'a momentum above 0 for nesterov', momentum))
  const rule = momentum === 0 ? plain : withMomentum({ momentum, nesterov })
  return new Optimizer('sgd', learningRate, rule)
}

const plain: UpdateRule = (pairs, { learningRate }) =>
  pairs.map(([p, g]) => [p, wrap(instructions.sgd(p.node, g.node, learningRate(p.dtype)))])

const withMomentum =
  (params: { momentum: number; nesterov: boolean }): UpdateRule =>
  (pairs, { learningRate, slot }) =>
    pairs.flatMap(([p, g]): Update[] => {
      const v = slot(p, 'velocity')
      const [nextP, nextV] = instructions.momentum(p.node, g.node, v.node, learningRate(p.dtype), params)
      return [
        [p, wrap(nextP)],
        [v, wrap(nextV)],
      ]
    })
