/** Rows of gather, scatterAdd, oneHot and demand. Indices repeat, skip rows and stand in any order. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { demand } from '../../../lib/graph/ops/demand.ts'
import { oneHot } from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

const indices = (shape: Shape, limit: number, dtype: DType = 'int32') => operand(shape, { low: 0, high: limit }, dtype)

/** Of a table and its indices. */
const shapes = '4,3 5|4 5|7,2,3 4|4,3 2,3|4,3 .|4,3 0|4,0 3|1,17 9|130,17 300|1000,1 50|6,130 40'
  .split('|')
  .map(shapesOf)

function gatherRow(table: Shape, at: Shape, part: Partial<OpCase> = {}): OpCase {
  const inputs = [operand(table), indices(at, table[0]!)]
  return { inputs, f: (x, i) => x.gather(i), contract: exactly, differentiable: true, ...part }
}

function scatterRow(table: Shape, at: Shape, dtype: DType = 'float32', part: Partial<OpCase> = {}): OpCase {
  const updates = operand([...at, ...table.slice(1)], undefined, dtype)
  return {
    inputs: [operand(table, undefined, dtype), indices(at, table[0]!), updates],
    f: (x, i, u) => x.scatterAdd(i, u),
    contract: exactly,
    differentiable: dtype === 'float32',
    ...part,
  }
}

export const indexingCases = {
  gather: [
    ...shapes.map(([table, at]) => gatherRow(table!, at!)),
    ...dtypes.map((dtype) => ({
      ...gatherRow([5, 7], [9]),
      inputs: [operand([5, 7], undefined, dtype), indices([9], 5)],
      differentiable: dtype === 'float32',
    })),
    gatherRow([1000, 64], [2000], { note: 'large', differentiable: false }),
    gatherRow([5, 7], [9], { note: 'bytes as indices', inputs: [operand([5, 7]), indices([9], 5, 'uint8')] }),
    gatherRow([5, 7], [9], { note: 'a transposed table', f: (x, i) => x.transpose().gather(i) }),
    gatherRow([9, 7], [9], { note: 'a piece of a table', f: (x, i) => x.slice([0, 2], [9, 6]).gather(i) }),
    gatherRow([9, 7], [4, 5], { note: 'transposed indices', f: (x, i) => x.gather(i.transpose()) }),
  ],
  scatterAdd: [
    ...shapes.map(([table, at]) => scatterRow(table!, at!)),
    scatterRow([1000, 64], [2000], 'float32', { note: 'large', differentiable: false }),
    scatterRow([5, 7], [9], 'int32'),
    scatterRow([4, 3], [40], 'float32', { note: 'many to each row' }),
    scatterRow([5, 7], [9], 'float32', { note: 'onto zeros', f: (x, i, u) => x.mul(0).scatterAdd(i, u) }),
    scatterRow([7, 7], [7], 'float32', { note: 'views', f: (x, i, u) => x.transpose().scatterAdd(i, u.transpose()) }),
    scatterRow([5, 7], [9], 'float32', {
      note: 'the table read afterwards',
      f: (x, i, u) => x.scatterAdd(i, u).add(x),
    }),
  ],
  oneHot: [
    ...([[], [5], [2, 3], [0], [130]] as const).map((shape) => ({
      inputs: [indices(shape, 4)],
      f: (x: Parameters<typeof oneHot>[0]) => oneHot(x, 4),
      contract: exactly,
    })),
    ...dtypes.map((dtype) => ({
      note: `${dtype}; classes beyond the depth give zeros`,
      inputs: [operand([9], [0, 3, -1, 2, 4, 1, 100], 'int32')],
      f: (x: Parameters<typeof oneHot>[0]) => oneHot(x, 4, { dtype }),
      contract: exactly,
    })),
  ],
  demand: [
    ...dtypes.map((dtype) => ({
      inputs: [operand([3, 17], undefined, dtype), operand([130])],
      f: (x: Tensor, tested: Tensor) => wrap(demand(nodeOf(x), { low: -2, high: 2, what: 'numbers' }, nodeOf(tested))),
      contract: exactly,
      differentiable: dtype === 'float32',
    })),
    {
      note: 'of itself, read before and after',
      inputs: [operand([5, 7])],
      f: (x) => wrap(demand(nodeOf(x), { low: -2, high: 2, what: 'numbers' })).mul(x),
      contract: exactly,
      differentiable: true,
    },
    {
      note: 'of nothing',
      inputs: [operand([0]), operand([0])],
      f: (x, tested) => wrap(demand(nodeOf(x), { low: 1, high: 2, what: 'numbers' }, nodeOf(tested))),
      contract: exactly,
    },
  ],
} satisfies Record<string, readonly OpCase[]>
