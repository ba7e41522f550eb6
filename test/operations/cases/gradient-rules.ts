/** Rows of values with gradient rules that are not those of the operations that made them. */

import { barrier } from '../../../lib/graph/ops/gradient-rules.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { checkpoint } from '../../../lib/transforms/checkpoint.ts'
import { customGradient } from '../../../lib/transforms/custom-gradient.ts'
import { type OpCase, operand, shapesOf } from '../../support/cases.ts'

const shapes = shapesOf('. 0 3,17')
const contract = { ulps: 8 }

/** Sigmoid, as a user might write it. */
const sigmoid = customGradient(
  (x) => x.neg().exp().add(1).reciprocal(),
  (ct, y) => ct.mul(y.mul(y.mul(-1).add(1))),
)

const product = customGradient(
  (x, y) => x.mul(y),
  (ct, _, x, y) => [ct.mul(y), ct.mul(x)],
)

const block = checkpoint((x) => x.tanh().mul(x).sigmoid())

export const gradientRuleCases = {
  barrier: [
    ...shapes.map((shape) => ({
      inputs: [operand(shape), operand([])],
      f: (x: Tensor, y: Tensor) => wrap(barrier(nodeOf(x.mul(2)), [nodeOf(y.exp())])).add(y),
      contract,
      differentiable: true,
    })),
    {
      note: 'as a result, and of a view',
      inputs: [operand([3, 4])],
      f: (x) => [
        wrap(barrier(nodeOf(x), [])),
        wrap(barrier(nodeOf(x.transpose()), [nodeOf(x)])),
        wrap(barrier(nodeOf(x), [])),
      ],
      contract,
    },
  ],
  customGradient: [
    ...shapes.map((shape) => ({ inputs: [operand(shape)], f: sigmoid, contract, differentiable: true })),
    { note: 'of two', inputs: [operand([3, 4]), operand([3, 4])], f: product, contract, differentiable: true },
  ],
  checkpoint: [
    ...shapes.map((shape) => ({ inputs: [operand(shape)], f: block, contract, differentiable: true })),
    {
      note: 'one in another',
      inputs: [operand([5])],
      f: checkpoint((x) => block(x).add(x)),
      contract,
      differentiable: true,
    },
    {
      note: 'of what stands outside',
      inputs: [operand([5]), operand([5])],
      f: (x, y) => checkpoint((x) => x.mul(y).tanh().mul(y))(x),
      contract,
      differentiable: true,
    },
  ],
} satisfies Record<string, readonly OpCase[]>
