/** Resilient propagation, as a rule on tensors. */
import { checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { where } from '../operations/index.ts'
import { type CommonOptions, checkNotNegative, type Definition, optimizerOf } from './definition.ts'
import type { Optimizer } from './optimizer.ts'

export interface RpropOptions extends CommonOptions<RpropOptions> {
  /** What a step is multiplied by where the gradient changed its sign (PyTorch's `etas[0]`): in (0, 1), 0.5 unless given. */
  etaMinus?: number
  /** And where it did not (PyTorch's `etas[1]`): above 1, 1.2 unless given. */
  etaPlus?: number
  /** The least step; 1e-6 unless given. */
  minStepSize?: number
  /** The largest step; 50 unless given. */
  maxStepSize?: number
}

const definition: Definition<RpropOptions> = {
  name: 'rprop',
  types: { etaMinus: 'number', etaPlus: 'number', minStepSize: 'number', maxStepSize: 'number' },
  defaults: { learningRate: 0.01, etaMinus: 0.5, etaPlus: 1.2, minStepSize: 1e-6, maxStepSize: 50 },
  rule(op, { etaMinus, etaPlus, minStepSize, maxStepSize }) {
    checkNumber(op, 'an etaMinus in (0, 1)', etaMinus, (x) => x > 0 && x < 1)
    checkNumber(op, 'a finite etaPlus above 1', etaPlus, (x) => Number.isFinite(x) && x > 1)
    checkNotNegative(op, { minStepSize, maxStepSize })
    if (minStepSize > maxStepSize)
      throw new RangeError(expected(op, `a minStepSize of at most ${maxStepSize}`, minStepSize))
    return ({ parameter, gradient, learningRate, step, slot }) => {
      const turned = gradient.mul(slot('gradient')).sign()
      const factor = where(turned.greater(0), etaPlus, where(turned.less(0), etaMinus, turned.mul(0).add(1)))
      const size = where(step.equal(1), learningRate, slot('stepSize'))
      const stepSize = size.mul(factor).clamp(minStepSize, maxStepSize)
      // After a change of sign there is no step, and the next one is taken whatever its sign.
      const direction = where(turned.less(0), 0, gradient)
      return { parameter: parameter.sub(direction.sign().mul(stepSize)), stepSize, gradient: direction }
    }
  },
}

/**
 * Steps by the sign of the gradient alone, each number by a step of its own, which begins with the learning rate, grows by η⁺ while the sign stays and
 * shrinks by η⁻ where it changes. For gradients of the whole data. Riedmiller & Braun, "A direct adaptive method for faster backpropagation
 * learning: the RPROP algorithm" (1993). PyTorch's Rprop. A schedule gives only the first steps.
 */
export function rprop(options?: RpropOptions, ...surplus: []): Optimizer {
  return optimizerOf(definition, options, surplus)
}
