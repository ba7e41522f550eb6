/** Rows of reductions: every set of axes, kept or not, over dense operands and views. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import type { ReduceOptions } from '../../../lib/operations/reduce.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, exactly, type OpCase, operand, shapesOf, type Values } from '../../support/cases.ts'
import { dtypes, views } from './elementwise.ts'
import { normOrderRows } from './reductions.ts'

type Reduction = (x: Tensor, axes?: readonly number[], options?: ReduceOptions) => Tensor

interface Facts {
  readonly contractOf: (terms: number) => CaseContract
  readonly dtypes: readonly DType[]
  /** Whether something comes of no elements. */
  readonly ofNothing: boolean
}

interface ReductionRow {
  readonly shape: Shape
  readonly axes?: readonly number[]
  readonly keepDims?: boolean
}

/** Every subset of the axes of a tensor of three. */
const axisSets: readonly (readonly number[])[] = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]

const floatRows: readonly ReductionRow[] = [
  ...axisSets.flatMap((axes) => [false, true].map((keepDims) => ({ shape: [3, 4, 5], axes, keepDims }))),
  ...shapesOf('. 1 17 1500 70,130').map((shape) => ({ shape })),
  ...[[0], [1], [-1]].map((axes) => ({ shape: [130, 17], axes })),
  ...[[0], [1]].flatMap((axes) => shapesOf('1000,3 3,1000 1,40 40,1 257,64').map((shape) => ({ shape, axes }))),
  ...shapesOf('0,2,4 1,3 4,0').map((axes) => ({ shape: [2, 3, 2, 3, 2], axes })),
  { shape: [0, 3], axes: [1] },
]

/** Work for more than one thread. */
const largeRows: readonly ReductionRow[] = [
  { shape: [600, 500] },
  ...shapesOf('0 1').map((axes) => ({ shape: [600, 500], axes })),
]

const emptyRows: readonly ReductionRow[] = [
  { shape: [0] },
  { shape: [2, 0, 3], axes: [1] },
  { shape: [0, 3], axes: [0] },
]

const termsOf = ({ shape, axes }: ReductionRow): number =>
  (axes ?? shape.map((_, axis) => axis)).reduce((size, axis) => size * shape.at(axis)!, 1)

function reductionRows(f: Reduction, { contractOf, dtypes, ofNothing }: Facts): OpCase[] {
  const rowOf = (row: ReductionRow, dtype: DType = 'float32'): OpCase => ({
    note: `over ${row.axes === undefined ? 'all' : `[${row.axes}]`}${row.keepDims ? ', kept' : ''}`,
    inputs: [operand(row.shape, undefined, dtype)],
    f: (x) => f(x, row.axes, { keepDims: row.keepDims ?? false }),
    contract: dtype === 'float32' ? contractOf(termsOf(row)) : exactly,
    differentiable: dtype === 'float32',
  })
  const typed = dtypes.filter((dtype) => dtype !== 'float32')
  return [
    ...floatRows.map((row) => rowOf(row)),
    ...(ofNothing ? emptyRows.map((row) => ({ ...rowOf(row), differentiable: false })) : []),
    ...largeRows.map((row) => ({ ...rowOf(row), differentiable: false })),
    ...typed.flatMap((dtype) =>
      [{ shape: [3, 40], axes: [1] }, { shape: [40, 17], axes: [0] }, { shape: [333] }].map((row) => rowOf(row, dtype)),
    ),
    ...views.map(({ note, shape, view }) => ({
      ...rowOf({ shape }),
      note: `${note}, over the first axis`,
      f: (x: Tensor) => f(view(x), [0]),
      contract: contractOf(60),
    })),
  ]
}

const specialRow = (f: OpCase['f'], values: Values, shape: Shape, dtype?: DType): OpCase => ({
  note: 'special values',
  inputs: [operand(shape, values, dtype)],
  f,
  contract: exactly,
})

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

/** One reduction of three numbers to a line. */
const specialLines = [
  1,
  inf,
  2,
  1,
  -inf,
  2,
  inf,
  -inf,
  0,
  nan,
  1,
  2,
  1,
  2,
  nan,
  inf,
  nan,
  -inf,
  -0,
  -0,
  -0,
  0,
  -0,
  0,
  -inf,
  -inf,
  -inf,
  3.4e38,
  3.4e38,
  3.4e38,
  1e-45,
  1e-45,
  1e-45,
  -1,
  -2,
  -3,
  3,
  3,
  1,
]
const specialShape = [specialLines.length / 3, 3]
const specialRows = (f: Reduction): OpCase[] => [
  specialRow((x) => f(x, [1]), specialLines, specialShape),
  specialRow((x) => f(x.transpose(), [0]), specialLines, specialShape),
]

const bigIntegers = [2 ** 31 - 1, 1, 5, -(2 ** 31), -1, 7]

const sums: Facts = { contractOf: (depth) => ({ depth }), dtypes, ofNothing: true }
const extremes: Facts = { contractOf: () => exactly, dtypes, ofNothing: false }

const sum: Reduction = (x, axes, options) => x.sum(axes, options)
const mean: Reduction = (x, axes, options) => x.mean(axes, options)
const max: Reduction = (x, axes, options) => x.max(axes, options)
const min: Reduction = (x, axes, options) => x.min(axes, options)
const norm: Reduction = (x, axes, options) => x.norm(axes, options)

const argmaxRow = (shape: Shape, axis: number | undefined, values?: Values, dtype?: DType): OpCase => ({
  note: `along ${axis ?? 'all'}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => [x.argmax(axis), x.argmax(axis, { keepDims: true })],
  contract: exactly,
})

const argmaxRows: readonly OpCase[] = [
  ...[0, 1, 2, -1, undefined].map((axis) => argmaxRow([3, 4, 5], axis)),
  ...[0, 1, undefined].flatMap((axis) => shapesOf('130,17 1,40 40,1 3,1000').map((shape) => argmaxRow(shape, axis))),
  ...[0, 1, undefined].map((axis) => argmaxRow([600, 500], axis)),
  ...dtypes.flatMap((dtype) => [0, 1].map((axis) => argmaxRow([30, 20], axis, undefined, dtype))),
  argmaxRow([0, 3], 1),
  { ...argmaxRow([60, 40], 1, [1, 2, 2, 0, 2, 1, 1]), note: 'ties: the first one' },
  { ...argmaxRow([60, 40], 0, [1, 2, 2, 0, 2, 1, 1]), note: 'ties: the first one' },
  { ...argmaxRow(specialShape, 1, specialLines), note: 'special values' },
  { ...argmaxRow([3, 17], 1, [1, 2, nan, 3, inf, nan, 0]), note: 'NaN before all others' },
  { ...argmaxRow([17, 3], 0, [1, 2, nan, 3, inf, nan, 0]), note: 'NaN before all others' },
  { ...argmaxRow([5, 7], 0), note: 'a view', f: (x) => x.transpose().argmax(0) },
]

export const reduceCases = {
  sum: [
    ...reductionRows(sum, sums),
    ...specialRows(sum),
    { note: 'wraps', inputs: [operand([6], bigIntegers, 'int32')], f: (x) => x.sum(), contract: exactly },
  ],
  mean: reductionRows(mean, sums).map((row) => ({
    ...row,
    contract: row.contract === exactly ? { ulps: 1 } : row.contract,
  })),
  max: [...reductionRows(max, extremes), ...specialRows(max), specialRow((x) => x.max(), bigIntegers, [6], 'int32')],
  min: [...reductionRows(min, extremes), ...specialRows(min), specialRow((x) => x.min(), bigIntegers, [6], 'int32')],
  norm: [...reductionRows(norm, { ...sums, dtypes: ['float32'] }), ...normOrderRows],
  argmax: argmaxRows,
} satisfies Record<string, readonly OpCase[]>
