/** Rows of what has no operands or computes nothing, and of random numbers. */

import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { watch } from '../../../lib/graph/ops/leaf.ts'
import { drawn, random } from '../../../lib/graph/ops/random.ts'
import type { DistributionName } from '../../../lib/program/vocabulary.ts'
import { full } from '../../../lib/tensor/creation.ts'
import { nodeOf, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf, type Values } from '../../support/cases.ts'
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

type FloatDType = 'float32' | 'float64'

const keys = [
  [1, 2],
  [0, 0],
  [-1, -(2 ** 31)],
  [123456789, 987654321],
]
const randomShapes = shapesOf('. 0 1 3 17 1023 130,17 99991')

const randomRows = (distribution: DistributionName, dtype: FloatDType): OpCase[] =>
  [...keys.map((key) => ({ key, shape: [130] })), ...randomShapes.map((shape) => ({ key: [7, 5], shape }))].map(
    ({ key, shape }) => ({
      note: `${dtype} ${distribution} [${shape}] of key ${key}`,
      inputs: [operand([2], key, 'int32')],
      f: (x) => wrap(random(nodeOf(x), distribution, dtype, shape)),
      contract: exactly,
    }),
  )

type Parameters = readonly (readonly [shape: Shape, values: Values])[]

const parametricRow = (
  distribution: DistributionName,
  shape: Shape,
  parameters: Parameters,
  dtype: DType = 'float32',
): OpCase => ({
  note: `${dtype} ${distribution} [${shape}]`,
  inputs: [operand([2], [7, 5], 'int32'), ...parameters.map(([size, values]) => operand(size, values, dtype))],
  f: (key, ...operands) => wrap(random(nodeOf(key), distribution, dtype, shape, operands.map(nodeOf))),
  contract: exactly,
})

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const concentrations: Values = [0.01, 0.3, 0.999, 1, 1.5, 7, 1000, 1e-40, 3e38, 0, -1, nan, inf]
const rates: Values = [0, 1e-3, 0.5, 3, 9.99, 10, 25, 1000, 1e9, 3e38, -1, nan, inf]

const integerRows: readonly OpCase[] = [
  parametricRow(
    'integer',
    [5000],
    [
      [[], [-3]],
      [[], [1000003]],
    ],
    'int32',
  ),
  parametricRow(
    'integer',
    [1001],
    [
      [[1001], [0, -5, -(2 ** 31), 7]],
      [[1001], [1, 5, 2 ** 31 - 1, 7]],
    ],
    'int32',
  ),
]

const otherRandomRows = (dtype: FloatDType): OpCase[] => [
  ...(['exponential', 'gumbel'] as const).flatMap((distribution) =>
    shapesOf('0 3 50000').map((shape) => parametricRow(distribution, shape, [], dtype)),
  ),
  parametricRow(
    'truncatedNormal',
    [20000],
    [
      [[], [0.1]],
      [[], [0.9]],
    ],
    dtype,
  ),
  parametricRow(
    'truncatedNormal',
    [301],
    [
      [[301], [0, 1e-30, -1, nan, 0.99]],
      [[301], [1, 1e-20, 0.2, 1, 3]],
    ],
    dtype,
  ),
  ...([[13, 7], [5, 1], [0]] as const).map((shape) =>
    parametricRow('gamma', shape, [[shape.length === 2 ? shape : [], concentrations]], dtype),
  ),
  parametricRow('gamma', [20000], [[[20000], concentrations]], dtype),
  parametricRow(
    'beta',
    [5000],
    [
      [[5000], concentrations],
      [[5000], { low: 0.01, high: 3 }],
    ],
    dtype,
  ),
  parametricRow(
    'beta',
    [17],
    [
      [[], [0.5]],
      [[], [0.02]],
    ],
    dtype,
  ),
  parametricRow('poisson', [13, 500], [[[13, 500], rates]], dtype),
  parametricRow('poisson', [5000], [[[], [12.5]]], dtype),
]

export const leafCases = {
  literal: dtypes.flatMap((dtype) => [
    { note: `a ${dtype}`, inputs: [], f: () => full([3, 4], 1, { dtype }), contract: exactly },
    { note: `a scalar ${dtype}`, inputs: [], f: () => full([], 1, { dtype }), contract: exactly },
  ]),
  watch: identityRows((x) => wrap(watch(nodeOf(x)))),
  stopGradient: identityRows((x) => x.stopGradient()).map((row) => ({ ...row, differentiable: false })),
  drawn: [
    {
      inputs: [operand([3, 17]), operand([3])],
      f: (x, parameter) => wrap(drawn(nodeOf(x), watch(nodeOf(parameter)), 'no gradient')),
      contract: exactly,
    },
  ],
  random: [
    ...integerRows,
    ...(['float32', 'float64'] as const).flatMap((dtype) => [
      ...randomRows('uniform', dtype),
      ...randomRows('normal', dtype),
      ...otherRandomRows(dtype),
    ]),
  ],
} satisfies Record<string, readonly OpCase[]>
