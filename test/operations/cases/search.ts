/** Rows of closeness, of places in sorted sequences, and of what compares or chooses without NaN. */
import type { DType } from '../../../lib/base/dtype.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, type Operand, operand, type Range, shapesOf, type Values } from '../../support/cases.ts'
import { dtypes, specials } from './elementwise.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

const exact = (note: string, inputs: readonly Operand[], f: OpCase['f'], differentiable = false): OpCase => ({
  note,
  inputs,
  f,
  contract: exactly,
  differentiable,
})

/** Every one against every other one. */
const pairsOf = (values: readonly number[], dtype: DType = 'float32'): Operand[] => [
  operand([values.length, 1], values, dtype),
  operand([values.length], values, dtype),
]

const operandsOf = (shapes: string): Operand[] => shapesOf(shapes).map((shape) => operand(shape))

const close = [1, 1.00001, 1.00002, 0, 1e-8, 2e-8, -0, inf, -inf, nan, 3e38, -3e38]
const distant = [0, 1, 2, 16777216, 16777217, 2 ** 31 - 1, -(2 ** 31), -1]

const closenessRows = (f: typeof g.isClose): OpCase[] => [
  exact('special values', pairsOf(close), (x, y) => [f(x!, y!), f(x!, y!, { equalNaN: true })]),
  exact('tolerances', pairsOf(close), (x, y) => f(x!, y!, { rtol: 0, atol: 1.5e-5 })),
  exact('of 0', pairsOf(close), (x, y) => f(x!, y!, { rtol: 0, atol: 0 })),
  exact('integers', pairsOf(distant, 'int32'), (x, y) => [f(x!, y!), f(x!, y!, { rtol: 0, atol: 1 })]),
  exact('integers and floats', [operand([9], undefined, 'int32'), operand([9])], (x, y) => f(x!, y!, { atol: 3 })),
  ...['. .', '0 0', '5,17 17'].map((shapes) => exact('shapes', operandsOf(shapes), (x, y) => f(x!, y!, { rtol: 1 }))),
]

const ascending: Values = [-inf, -2, -0, 0, 1, 1, 1, 2.5, 3e38, inf, nan, nan]
const wanted: Values = [nan, -inf, -3, -2, -1, 0, -0, 1, 1.5, 2.5, 3e38, inf, 1e-45]
const edges = [
  -(2 ** 31),
  -(2 ** 31) + 1,
  -16777217,
  -16777216,
  0,
  16777216,
  16777217,
  16777219,
  2 ** 31 - 65,
  2 ** 31 - 1,
]
const floatEdges = [
  -inf,
  -3e9,
  -(2 ** 31),
  -16777218,
  -0.5,
  0,
  0.5,
  16777216,
  16777218,
  2 ** 31 - 128,
  2 ** 31,
  inf,
  nan,
]

const bothSides =
  (f: (right: boolean, ...xs: Tensor[]) => Tensor): OpCase['f'] =>
  (...xs) => [f(false, ...xs), f(true, ...xs)]

const searched = bothSides((right, sequence, values) => g.searchSorted(sequence!, values!, { right }))
const inSorted = bothSides((right, x, values) => g.searchSorted(g.sort(x!), values!, { right }))

const searchRows: OpCase[] = [
  exact('special values', [operand([12], ascending), operand([13], wanted)], searched),
  ...[1, 2, 3, 4, 7, 8, 9, 1000].map((n) => exact('sizes', [operand([n]), operand([3, 11])], inSorted)),
  exact('nothing', [operand([0]), operand([3])], searched),
  exact('no values', [operand([3]), operand([0, 2])], inSorted),
  exact('a scalar', [operand([5]), operand([])], inSorted),
  exact('rows', [operand([2, 3, 9]), operand([2, 3, 4])], inSorted),
  exact('a sorter', [operand([3, 9]), operand([3, 4])], (x, y) => g.searchSorted(x!, y!, { sorter: g.argsort(x!) })),
  ...dtypes.map((dtype) =>
    exact('one dtype', [operand([9], undefined, dtype), operand([9], undefined, dtype)], inSorted),
  ),
  exact('integers among floats', [operand([13], floatEdges), operand([10], edges, 'int32')], searched),
  exact('floats among integers', [operand([10], edges, 'int32'), operand([13], floatEdges)], searched),
]

const bucketRows: OpCase[] = [
  exact(
    'both sides',
    [operand([5, 17]), operand([4], [-1, 0, 0.5, 1])],
    bothSides((right, x, bounds) => g.bucketize(x!, bounds!, { right })),
  ),
  exact('integers', [operand([30], undefined, 'int32'), operand([3], [-2.5, 0, 3])], (x, bounds) =>
    g.bucketize(x!, bounds!),
  ),
]

const isInRows: OpCase[] = [
  exact('special values', [operand([13], wanted), operand([3, 4], ascending)], (x, y) => [
    g.isIn(x!, y!),
    g.isIn(x!, y!, { invert: true }),
  ]),
  exact('nothing', [operand([3]), operand([0])], (x, y) => [g.isIn(x!, y!), g.isIn(x!, y!, { invert: true })]),
  ...dtypes.map((dtype) =>
    exact('one dtype', [operand([4, 9], undefined, dtype), operand([20], undefined, dtype)], (x, y) => g.isIn(x!, y!)),
  ),
  exact('integers among floats', [operand([9], undefined, 'int32'), operand([4], [1, 2.5, -3, 9])], (x, y) =>
    g.isIn(x!, y!),
  ),
]

const apart: Range = { low: -2, high: 2, gap: 0.5 }
const small: Range = { low: -0.4, high: 0.4 }

const choiceRows = (f: typeof g.fmax): OpCase[] => [
  ...['. .', '0 0', '5,17 17'].map((shapes) => {
    const [a, b] = shapesOf(shapes)
    return exact('shapes', [operand(a!, apart), operand(b!, small)], (x, y) => f(x!, y!), true)
  }),
  exact('special values', pairsOf(specials), (x, y) => f(x!, y!)),
  ...dtypes.map((dtype) => exact('a dtype', [operand([9], undefined, dtype), operand([9])], (x, y) => f(x!, y!))),
]

export const searchCases = {
  isClose: closenessRows(g.isClose),
  allClose: closenessRows(g.allClose),
  searchSorted: searchRows,
  bucketize: bucketRows,
  isIn: isInRows,
  fmax: choiceRows(g.fmax),
  fmin: choiceRows(g.fmin),
} satisfies Record<string, readonly OpCase[]>
