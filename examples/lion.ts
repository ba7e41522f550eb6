// An optimizer of your own, in fifteen lines: Lion, by its rule on tensors.

import * as g from '../lib/index.ts'

/** Chen et al., "Symbolic discovery of optimization algorithms" (2023), https://arxiv.org/abs/2302.06675, algorithm 2. */
export const lion = ({ learningRate = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = {}) =>
  g.optim.optimizer({
    name: 'lion',
    learningRate,
    rule({ parameter, gradient, learningRate, slot }) {
      const momentum = slot('momentum')
      const direction = momentum
        .mul(beta1)
        .add(gradient.mul(1 - beta1))
        .sign()
      return {
        parameter: parameter.sub(direction.add(parameter.mul(weightDecay)).mul(learningRate)),
        momentum: momentum.mul(beta2).add(gradient.mul(1 - beta2)),
      }
    },
  })
