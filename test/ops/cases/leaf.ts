/** Rows of what has no operands or computes nothing, and of random numbers. */
import { full } from '../../../lib/creation.ts'
import { watch } from '../../../lib/graph/ops/leaf.ts'
import { random } from '../../../lib/graph/ops/random.ts'
import type { DistributionName } from '../../../lib/program/instructions.ts'
import { wrap } from '../../../lib/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

const identityRows = (f: OpCase['f']): OpCase[] => [
  ...dtypes.map((dtype) => ({
    f,
    contract: exactly,
    inputs: [operand([3, 17], undefined, dtype)],
    differentiable: dtype === 'float32',
  })),
  {
    note: 'among other operations',
    f: (x) => [x.add(1), f(x.transpose())].flat(),
    contract: exactly,
    inputs: [operand([3, 17])],
  },
]

const keys = [
  [1, 2],
  [0, 0],
  [-1, -(2 ** 31)],
  [123456789, 987654321],
]
const randomShapes = shapesOf('. 0 1 3 17 1023 130,17 99991')

const randomRows = (distribution: DistributionName): OpCase[] =>
  [...keys.map((key) => ({ key, shape: [130] })), ...randomShapes.map((shape) => ({ key: [7, 5], shape }))].map(
    ({ key, shape }) => ({
      note: `${distribution} [${shape}] of key ${key}`,
      inputs: [operand([2], key, 'int32')],
      f: (x) => wrap(random(x.node, distribution, 'float32', shape)),
      contract: exactly,
    }),
  )

export const leafCases = {
  literal: dtypes.flatMap((dtype) => [
    { note: `a ${dtype}`, inputs: [], f: () => full([3, 4], 1, { dtype }), contract: exactly },
    { note: `a scalar ${dtype}`, inputs: [], f: () => full([], 1, { dtype }), contract: exactly },
  ]),
  watch: identityRows((x) => wrap(watch(x.node))),
  stopGradient: identityRows((x) => x.stopGradient()).map((row) => ({ ...row, differentiable: false })),
  random: (['uniform', 'normal'] as const).flatMap(randomRows),
} satisfies Record<string, readonly OpCase[]>
