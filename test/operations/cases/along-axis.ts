/** Rows of reading and writing along an axis. Indices repeat, skip elements and stand in any order. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { putAlongAxis, scatterAddAlongAxis, takeAlongAxis } from '../../../lib/operations/index.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

interface Extents {
  readonly x: Shape
  readonly indices: Shape
  readonly axis: number
}

const extents: readonly Extents[] = (
  [
    ['5 3', 0],
    ['4,5 4,7', 1],
    ['4,5 2,5', -2],
    ['3,4,5 3,6,5', 1],
    ['3,4 3,0', 1],
    ['130,17 130,9', 1],
  ] as const
).map(([shapes, axis]) => ({ x: shapesOf(shapes)[0]!, indices: shapesOf(shapes)[1]!, axis }))

const indexOperand = ({ x, indices, axis }: Extents, dtype: DType = 'int32') =>
  operand(indices, { low: 0, high: x.at(axis)! }, dtype)

function takeRow(e: Extents, part: Partial<OpCase> = {}): OpCase {
  return {
    inputs: [operand(e.x), indexOperand(e)],
    f: (x, i) => takeAlongAxis(x, i, e.axis),
    contract: exactly,
    differentiable: true,
    ...part,
  }
}

type Scatter = typeof putAlongAxis

function scatterRow(f: Scatter, e: Extents, dtype: DType = 'float32', part: Partial<OpCase> = {}): OpCase {
  return {
    inputs: [operand(e.x, undefined, dtype), indexOperand(e), operand(e.indices, undefined, dtype)],
    f: (x, i, u) => f(x, i, u, e.axis),
    contract: exactly,
    differentiable: dtype === 'float32',
    ...part,
  }
}

const small: Extents = { x: [3, 4], indices: [3, 5], axis: 1 }
const large: Extents = { x: [300, 400], indices: [300, 200], axis: 1 }
const wide: Extents = { x: [30, 2000], indices: [40, 2000], axis: 0 }

const scatterRows = (f: Scatter): OpCase[] => [
  ...extents.map((e) => scatterRow(f, e)),
  scatterRow(f, large, 'float32', { note: 'large', differentiable: false }),
  scatterRow(f, wide, 'float32', { note: 'large', differentiable: false }),
  scatterRow(f, small, 'int32'),
  scatterRow(f, small, 'float32', { note: 'one number', f: (x, i) => f(x, i, 0.5, 1) }),
  scatterRow(f, small, 'float32', {
    note: 'indices of one row, views',
    inputs: [operand([4, 3]), operand([1, 2], [3, 1], 'int32'), operand([2, 3])],
    f: (x, i, u) => f(x.transpose(), i, u.transpose(), 1),
  }),
]

const takeRows: readonly OpCase[] = [
  ...extents.map((e) => takeRow(e)),
  ...dtypes.map((dtype) =>
    takeRow(small, {
      inputs: [operand(small.x, undefined, dtype), indexOperand(small)],
      differentiable: dtype === 'float32',
    }),
  ),
  takeRow(large, { note: 'large', differentiable: false }),
  takeRow(wide, { note: 'large', differentiable: false }),
  takeRow(small, { note: 'bytes as indices', inputs: [operand(small.x), indexOperand(small, 'uint8')] }),
  takeRow({ x: [3, 4], indices: [1, 2], axis: 1 }, { note: 'the same of every row' }),
  takeRow({ x: [1, 4], indices: [3, 5], axis: -1 }, { note: 'of one row' }),
  takeRow(small, {
    note: 'views',
    inputs: [operand([4, 3]), indexOperand({ ...small, indices: [5, 3] })],
    f: (x, i) => takeAlongAxis(x.transpose(), i.transpose(), 1),
  }),
]

export const alongAxisCases = {
  takeAlongAxis: takeRows,
  scatterAlongAxis: [
    ...(['uint8', 'bool'] as const).map((dtype) => scatterRow(putAlongAxis, small, dtype)),
    scatterRow(putAlongAxis, small, 'float32', {
      note: 'x read afterwards',
      f: (x, i, u) => putAlongAxis(x, i, u, 1).add(x),
    }),
  ],
  putAlongAxis: scatterRows(putAlongAxis),
  scatterAddAlongAxis: scatterRows(scatterAddAlongAxis),
} satisfies Record<string, readonly OpCase[]>
