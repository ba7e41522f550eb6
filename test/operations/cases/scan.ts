/** Rows of what runs along an axis. All of it is exact: both backends carry float64 in the same order. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { recurrence, scan } from '../../../lib/graph/ops/scan.ts'
import * as g from '../../../lib/operations/index.ts'
import type { CumulativeOptions } from '../../../lib/operations/scan.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf, type Values } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

type Cumulative = (x: Tensor, axis?: number, options?: CumulativeOptions) => Tensor

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

interface ScanRow {
  readonly shape: Shape
  readonly axis?: number
  readonly options?: CumulativeOptions
  readonly values?: Values
  readonly dtype?: DType
  readonly note?: string
}

const rowOf = (f: Cumulative, { shape, axis, options, values, dtype, note }: ScanRow): OpCase => ({
  note: `along ${axis ?? -1} ${Object.keys(options ?? {}).join(', ')} ${note ?? ''}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => f(x, axis, options),
  contract: exactly,
})

const directions: readonly CumulativeOptions[] = [
  {},
  { reverse: true },
  { exclusive: true },
  { exclusive: true, reverse: true },
]

const shapedRows: readonly ScanRow[] = [
  ...directions.flatMap((options) => [
    { shape: [3, 5], axis: 0, options },
    { shape: [2, 5, 3], axis: 1, options },
    { shape: [5], options },
  ]),
  ...shapesOf('1 1,3 3,1 0 2,0').map((shape) => ({ shape, options: { exclusive: true } })),
]

const largeRows: readonly ScanRow[] = [
  { shape: [300, 500], axis: 0 },
  { shape: [301, 500], axis: 1, options: { reverse: true } },
  { shape: [7, 67, 37], axis: 1, options: { reverse: true } },
]

const cumulativeRows = (f: Cumulative, values: Values): OpCase[] => [
  ...shapedRows.map((row) => ({ ...rowOf(f, { ...row, values }), differentiable: true })),
  ...largeRows.map((row) => rowOf(f, { ...row, note: 'large' })),
  ...dtypes.map((dtype) => rowOf(f, { shape: [40, 3], axis: 0, dtype })),
  rowOf(f, { shape: [2, 4], values: [1, inf, -inf, 1, 3e38, 3e38, -3e38, -0], note: 'special values' }),
  { ...rowOf(f, { shape: [5, 7] }), note: 'a view', f: (x) => f(x.transpose(), 0) },
]

const factors: Values = [1.5, -0.5, 1, 2, -1.25, 0.75, -1, 1.1]
const someZeros: Values = [1.5, 0, 1, 2, 0.75, 0, 1, 0.5, 0, -1.25]

const extremeRows = (f: typeof g.cummax): OpCase[] => [
  ...[0, 1, -1].map((axis) => ({
    note: `along ${axis}`,
    inputs: [operand([4, 5, 3])],
    f: (x: Tensor) => f(x, axis).values,
    contract: exactly,
    differentiable: true,
  })),
  ...dtypes.map((dtype) => ({
    inputs: [operand([9, 30], undefined, dtype)],
    f: (x: Tensor) => Object.values(f(x)) as Tensor[],
    contract: exactly,
  })),
  {
    note: 'ties and NaN',
    inputs: [operand([3, 5], [1, 2, 2, 1, 3, nan, 1, 2, nan, 3, -inf, -inf, inf, inf, -0])],
    f: (x) => Object.values(f(x, 1)) as Tensor[],
    contract: exactly,
  },
]

const recurrenceRow = (shape: Shape, axis: number, reverse: boolean): OpCase => ({
  note: `along ${axis}${reverse ? ', reverse' : ''}`,
  inputs: [operand(shape, { low: -1, high: 1 }), operand(shape)],
  f: (a, b) => wrap(recurrence(nodeOf(a), nodeOf(b), { axis, reverse })),
  contract: exactly,
})

const logRow = (shape: Shape, axis: number, values?: Values, dtype?: DType): OpCase => ({
  note: `along ${axis}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => g.logCumSumExp(x, axis),
  contract: { depth: 60, magnitude: (x) => g.logCumSumExp(x, axis).abs().add(1) },
  differentiable: values === undefined && dtype === undefined && shape[0]! < 100,
})

const diffRow = (shape: Shape, n: number, options?: g.DiffOptions, values?: Values, dtype?: DType): OpCase => ({
  note: `${n} times ${JSON.stringify(options) ?? ''}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => g.diff(x, n, options),
  contract: exactly,
  differentiable: values === undefined && dtype === undefined && shape.every((extent) => extent > n),
})

export const scanCases = {
  logCumSumExp: [
    ...shapesOf('1 2 5 3,17 17,3').map((shape) => logRow(shape, 0)),
    logRow([2, 5, 3], 1),
    logRow([300, 50], 0),
    logRow([0], 0, [1]),
    logRow([8], 0, [-inf, -inf, 1, -200, inf, 2, nan, 3]),
    logRow([6], 0, [-1000, -100, 0, 90, 1000, -1000]),
    logRow([9], 0, undefined, 'int32'),
  ],
  diff: [
    ...[1, 2, 3].flatMap((n) => [diffRow([3, 5], n), diffRow([5, 3], n, { axis: 0 })]),
    ...[0, 1, 7].map((n) => diffRow([5], n)),
    diffRow([0], 1),
    diffRow([3, 4], 1, { prepend: 0, append: [[1], [2], [3]] }),
    diffRow([3, 4], 2, { axis: 0, prepend: [[1, 2, 3, 4]] }),
    diffRow([5], 1, undefined, [inf, inf, nan, -0, 0]),
    ...dtypes.map((dtype) => diffRow([4, 7], 1, undefined, undefined, dtype)),
  ],
  cumsum: cumulativeRows(g.cumsum, { low: -2, high: 2 }),
  cumprod: [
    ...cumulativeRows(g.cumprod, factors),
    ...directions.map((options) => ({
      ...rowOf(g.cumprod, { shape: [4, 5], options, values: someZeros, note: 'zeros' }),
      differentiable: true,
    })),
  ],
  cummax: extremeRows(g.cummax),
  cummin: extremeRows(g.cummin),
  scan: (['max', 'min'] as const).flatMap((kind) =>
    shapesOf('37 5,37').flatMap((shape) =>
      [true, false].map((reverse) => ({
        note: `${kind}${reverse ? ', reverse' : ''}`,
        inputs: [operand(shape)],
        f: (x: Tensor) => wrap(scan(kind, nodeOf(x), { axis: 0, reverse })),
        contract: exactly,
      })),
    ),
  ),
  recurrence: [
    ...[false, true].flatMap((reverse) =>
      [0, 1].map((axis) => ({ ...recurrenceRow([4, 5], axis, reverse), differentiable: true })),
    ),
    recurrenceRow([300, 500], 1, false),
    recurrenceRow([300, 500], 0, true),
    recurrenceRow([3, 0, 2], 1, true),
  ],
} satisfies Record<string, readonly OpCase[]>
