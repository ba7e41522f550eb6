/** Rows of the reductions beside sum, mean, max and min: few of each, as they are made of those but for the product. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { type Node, record } from '../../../lib/graph/node.ts'
import { meanOf, normalizationOps, varianceOf } from '../../../lib/graph/ops/normalization.ts'
import * as g from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, exactly, type OpCase, operand, shapesOf, type Values } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

interface ReductionRow {
  readonly shape: Shape
  readonly axes?: readonly number[]
  readonly values?: Values
  readonly dtype?: DType
  readonly note?: string
}

type Reduction = (x: Tensor, axes?: readonly number[], options?: { keepDims?: boolean }) => Tensor

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

const shapedRows: readonly ReductionRow[] = [
  ...shapesOf('0 1 2 0,2 1,2').map((axes) => ({ shape: [3, 4, 5], axes })),
  ...shapesOf('. 1 17').map((shape) => ({ shape })),
]

/** Work for more than one thread. */
const largeRows: readonly ReductionRow[] = shapesOf('0 1').map((axes) => ({ shape: [300, 500], axes, note: 'large' }))

const rowOf = (f: Reduction, contract: CaseContract, row: ReductionRow): OpCase => ({
  note: `over ${row.axes === undefined ? 'all' : `[${row.axes}]`}${row.note ? `, ${row.note}` : ''}`,
  inputs: [operand(row.shape, row.values, row.dtype)],
  f: (x) => [f(x, row.axes), f(x, row.axes, { keepDims: true })],
  contract,
})

/** The gradient of what is kept is that of what is not. */
const differentiableRow = (f: Reduction, contract: CaseContract, row: ReductionRow): OpCase => ({
  ...rowOf(f, contract, row),
  f: (x) => f(x, row.axes),
  differentiable: true,
})

const withoutOne = (rows: readonly ReductionRow[]) => rows.filter(({ shape }) => shape.length > 0 && shape[0] !== 1)

/** Of elements whose product and whose derivatives are neither tiny nor huge; a few are 0. */
const factors: Values = [1.5, -0.5, 1, 2, -1.25, 0.75, -1, 1.1]
const someZeros: Values = [1.5, 0, 1, 2, 0.75, -1.25, 1, 1, -0.5, 1.25, 0, 1]

const prodRows: readonly OpCase[] = [
  ...shapedRows.map((row) => differentiableRow(g.prod, exactly, { ...row, values: factors })),
  differentiableRow(g.prod, exactly, { shape: [6, 4], axes: [1], values: someZeros, note: 'zeros' }),
  differentiableRow(g.prod, exactly, { shape: [3, 4, 2], axes: [1], values: someZeros, note: 'zeros' }),
  ...[...largeRows, { shape: [99991] }].map((row) => rowOf(g.prod, exactly, { ...row, values: factors })),
  ...shapesOf('0 1').map((axes) => rowOf(g.prod, exactly, { shape: [2, 0], axes, note: 'of nothing' })),
  ...dtypes.map((dtype) => rowOf(g.prod, exactly, { shape: [5, 17], axes: [0], dtype })),
  rowOf(g.prod, exactly, { shape: [4, 3], axes: [1], values: [1e30, 1e30, 1e-30, nan, 1, 2, inf, 0, 1, 1e-40, 1, 1] }),
]

const argminRow = (shape: Shape, axis: number | undefined, values?: Values, dtype?: DType): OpCase => ({
  note: `along ${axis ?? 'all'}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => [g.argmin(x, axis), g.argmin(x, axis, { keepDims: true })],
  contract: exactly,
})

const spread =
  (f: typeof g.variance) =>
  (correction: number): Reduction =>
  (x, axes, options) =>
    f(x, axes, { ...options, correction })

/** Σ(x − mean)² loses what the mean loses. */
const meanSquare = (axes?: readonly number[]) => (x: Tensor) => x.square().mean(axes).mul(4)

const spreadRows = (f: typeof g.variance): OpCase[] => [
  ...withoutOne(shapedRows).map((row) =>
    differentiableRow(spread(f)(1), { depth: 60, magnitude: meanSquare(row.axes) }, row),
  ),
  ...[0, 0.5].map((correction) =>
    differentiableRow(spread(f)(correction), { depth: 60, magnitude: meanSquare([1]) }, { shape: [3, 17], axes: [1] }),
  ),
  {
    ...rowOf(spread(f)(1), exactly, { shape: [600, 200], axes: [1], note: 'large' }),
    contract: { depth: 600, magnitude: (x) => [meanSquare([1])(x), meanSquare([1])(x)].flat() },
  },
  rowOf(spread(f)(1), exactly, { shape: [3, 1], axes: [1], note: 'of one' }),
  rowOf(spread(f)(1), exactly, { shape: [0, 2], axes: [0], note: 'of none' }),
  rowOf(spread(f)(3), exactly, { shape: [2, 2], axes: [1], values: [1, 3, 4, 4], note: 'corrected to nothing' }),
  rowOf(spread(f)(0), { ulps: 2 }, { shape: [4, 5], axes: [1], dtype: 'int32' }),
]

const logSumExpRows: readonly OpCase[] = [
  ...shapedRows.map((row) =>
    differentiableRow(g.logSumExp, { depth: 60, magnitude: (x) => x.abs().max(row.axes).add(3) }, row),
  ),
  rowOf(
    g.logSumExp,
    { ulps: 1 },
    {
      shape: [6, 2],
      axes: [1],
      values: [1000, 1000, -1000, -1000, -inf, -inf, inf, 1, nan, 1, -inf, 2],
      note: 'special values',
    },
  ),
  rowOf(g.logSumExp, exactly, { shape: [2, 0], axes: [1], note: 'of nothing' }),
  rowOf(g.logSumExp, { ulps: 4 }, { shape: [3, 4], axes: [0], dtype: 'int32' }),
]

const truthValues: Values = [0, 0, 0, 0, 1, 0, nan, -0, 2, 3, nan, inf]

const truthRows = (f: Reduction): OpCase[] => [
  ...shapesOf('0 1').map((axes) => rowOf(f, exactly, { shape: [4, 3], axes, values: truthValues })),
  rowOf(f, exactly, { shape: [4, 3], values: truthValues }),
  ...dtypes.map((dtype) =>
    rowOf(f, exactly, { shape: [40, 3], axes: [1], dtype, values: [0, 1, 0, 0, 0, 1, 1, 1, 3] }),
  ),
  ...shapesOf('0 1').map((axes) => rowOf(f, exactly, { shape: [2, 0], axes, note: 'of nothing' })),
  rowOf(f, exactly, { shape: [300, 500], axes: [0], values: [0, 0, 1], note: 'large' }),
]

const normOf =
  (order: number): Reduction =>
  (x, axes, options) =>
    g.norm(x, axes, { ...options, order })

/** Rows of the norm of other orders than 2; away from 0 and from ties, where they have kinks. */
export const normOrderRows: readonly OpCase[] = [
  ...[1, 3, 0.5, -1, 4.5].map((order) =>
    differentiableRow(
      normOf(order),
      { ulps: 8 + Math.ceil(16 / Math.abs(order)) },
      {
        shape: [3, 5],
        axes: [1],
        values: [1.5, -0.5, 1, 2.25, -1.25, 0.75, -1.75, 1.1],
        note: `order ${order}`,
      },
    ),
  ),
  ...[inf, -inf].map((order) =>
    differentiableRow(normOf(order), exactly, { shape: [3, 5], axes: [0], note: `order ${order}` }),
  ),
  ...[0, 1, 3, 0.5, -1, inf, -inf].map((order) =>
    rowOf(
      normOf(order),
      { ulps: 8 },
      {
        shape: [5, 2],
        axes: [1],
        values: [0, 0, 0, 1, inf, 1, nan, 1, -2, 2],
        note: `order ${order}, special values`,
      },
    ),
  ),
]

const withNaN: Values = [1.5, nan, -2, 0.25, nan, nan, 3, -0.5]

const nanRows = (f: Reduction): OpCase[] => [
  ...shapedRows.map((row) => differentiableRow(f, { depth: 60 }, row)),
  rowOf(f, { depth: 300 }, { shape: [300, 500], axes: [0], note: 'large' }),
  rowOf(f, { depth: 8 }, { shape: [4, 4], axes: [1], values: withNaN, note: 'NaN' }),
  rowOf(f, { depth: 8 }, { shape: [2, 3], axes: [1], values: [nan], note: 'nothing else' }),
  rowOf(f, { depth: 8 }, { shape: [2, 3], values: [inf, nan, 1], note: 'infinities' }),
  rowOf(f, exactly, { shape: [2, 0], axes: [1], note: 'of nothing' }),
  ...dtypes.map((dtype) => rowOf(f, { depth: 8 }, { shape: [5, 7], axes: [0], dtype })),
]

const extremesOf = ({ shape, axes, values, dtype }: ReductionRow): OpCase => ({
  note: `over ${axes ?? 'all'}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => [g.aminmax(x, axes), g.aminmax(x, axes, { keepDims: true })].flatMap(({ min, max }) => [min, max]),
  contract: exactly,
})

const covarianceRow = (shape: Shape, options?: g.CovarianceOptions, values?: Values, dtype?: DType): OpCase => ({
  note: JSON.stringify(options) ?? '',
  inputs: [operand(shape, values, dtype)],
  f: (x) => g.cov(x, options),
  contract: { depth: 60, magnitude: (x) => g.add(g.cov(x, options).mul(0), x.square().sum().mul(4)) },
  differentiable: dtype === undefined && values === undefined,
})

const correlationRow = (shape: Shape, values?: Values, dtype?: DType): OpCase => ({
  inputs: [operand(shape, values, dtype)],
  f: (x) => g.corrcoef(x),
  contract: { depth: 60, magnitude: (x) => g.corrcoef(x).mul(0).add(4) },
})

function momentsRow(row: ReductionRow): OpCase {
  const f = (x: Tensor): Tensor[] => {
    const [dropped, kept] = [g.moments(x, row.axes), g.moments(x, row.axes, { keepDims: true })]
    return [dropped.mean, dropped.variance, kept.mean, kept.variance]
  }
  const magnitude = (x: Tensor) => {
    const greatest = x.cast('float32').abs().max()
    return f(x).map((y) => y.mul(0).add(greatest.square().add(greatest)))
  }
  return { ...rowOf(g.sum, { depth: 1 }, row), f, contract: { depth: 50, magnitude } }
}

const momentRows: readonly OpCase[] = [
  ...[...shapedRows, ...largeRows, { shape: [2, 3, 5000], axes: [0, 2] }].map(momentsRow),
  momentsRow({ shape: [2, 3], axes: [1], values: [1, nan, 2, inf, 0, 1] }),
  ...dtypes.map((dtype) => momentsRow({ shape: [5, 7], axes: [0], dtype })),
  ...withoutOne(shapedRows).map((row) => ({
    ...momentsRow(row),
    contract: { depth: 200, magnitude: (x: Tensor) => g.moments(x, row.axes).mean.mul(0).add(4) },
    f: (x: Tensor) => Object.values(g.moments(x, row.axes)).reduce((mean, variance) => mean.mul(variance)),
    differentiable: true,
  })),
]

/** Of an axis in the midst, of the last one, and of rows. */
const channelShapes = shapesOf('3,4,5 6,4 1,4,33')
const channels = { first: 1, end: 2 }

const channelRows = (f: (x: Tensor) => Tensor): readonly OpCase[] =>
  channelShapes.map((shape) => ({
    inputs: [operand(shape)],
    f,
    contract: { depth: 40, magnitude: (x) => f(x).mul(0).add(4) },
    differentiable: true,
  }))

function besideRows(name: 'deviationSum' | 'deviationProduct'): readonly OpCase[] {
  const f = (...xs: Tensor[]) => wrap(record(normalizationOps[name], xs.map(nodeOf) as [Node, Node, Node], channels))
  return channelShapes.map((shape) => ({
    inputs: [operand(shape), operand([1, 4, ...shape.slice(2).map(() => 1)]), operand(shape)],
    f,
    contract: {
      depth: 40,
      magnitude: (...xs) =>
        f(...xs)
          .mul(0)
          .add(160),
    },
    differentiable: true,
  }))
}

export const reductionCases = {
  nanSum: nanRows(g.nanSum),
  nanMean: nanRows(g.nanMean),
  aminmax: [
    ...shapedRows.map(extremesOf),
    extremesOf({ shape: [4, 2], axes: [1], values: [1, nan, 2, inf, -inf, 0, -0, 5] }),
    ...dtypes.map((dtype) => extremesOf({ shape: [5, 7], axes: [0], dtype })),
    {
      ...extremesOf({ shape: [3, 5], axes: [1] }),
      f: (x) => Object.values(g.aminmax(x, 1)).reduce((min, max) => max.sub(min)),
      differentiable: true,
    },
  ],
  cov: [
    ...[[3, 7], [7], [4, 2]].map((shape) => covarianceRow(shape)),
    covarianceRow([3, 7], { correction: 0 }),
    covarianceRow([3, 4], { fweights: [1, 3, 0, 2], aweights: [0.5, 1, 2, 0.25] }, [2, 1, -1, 0.5, 3]),
    covarianceRow([3, 1], undefined, [2, 3, 4]),
    covarianceRow([3, 0], undefined, [2]),
    covarianceRow([], undefined, [2]),
    covarianceRow([3, 9], undefined, undefined, 'int32'),
  ],
  corrcoef: [
    ...[
      [3, 7],
      [2, 30],
    ].map((shape) => correlationRow(shape)),
    { ...correlationRow([3, 7]), note: 'its slope', f: (x) => g.triu(g.corrcoef(x), 1), differentiable: true },
    correlationRow([5]),
    correlationRow([2, 3], [1, 1, 1, 2, 5, 3]),
    correlationRow([3, 9], undefined, 'int32'),
  ],
  prod: prodRows,
  argmin: [
    ...[0, 1, undefined].map((axis) => argminRow([3, 40], axis)),
    argminRow([3, 4], 1, [1, 0, 0, 2, nan, -inf, nan, 1, 0, -0, 3, -1]),
    argminRow([4], 0, [2 ** 31 - 1, -(2 ** 31), -(2 ** 31), 0], 'int32'),
    ...dtypes.map((dtype) => argminRow([30, 20], 0, undefined, dtype)),
  ],
  moments: momentRows,
  meanOfChannels: channelRows((x) => wrap(meanOf(nodeOf(x), channels))),
  varianceOfChannels: channelRows((x) => wrap(varianceOf(nodeOf(x), channels))),
  deviationSum: besideRows('deviationSum'),
  deviationProduct: besideRows('deviationProduct'),
  variance: spreadRows(g.variance),
  std: spreadRows(g.std),
  squaredNorm: shapedRows.map((row) => differentiableRow(g.squaredNorm, { depth: 60 }, row)),
  logSumExp: logSumExpRows,
  any: truthRows(g.any),
  all: truthRows(g.all),
  countNonzero: truthRows(g.countNonzero),
} satisfies Record<string, readonly OpCase[]>
