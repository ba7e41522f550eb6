/** Rows of sorting, of what stands at places of the sorted order, and of counts. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { argsortRows } from '../../../lib/graph/ops/sort.ts'
import * as g from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf, type Values } from '../../support/cases.ts'
import { dtypes } from './elementwise.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

const special: Values = [1, nan, 2, -0, 0, nan, -inf, inf, 1, 0, -0, -1e-45, 1e-45, 3e38]
const ties: Values = [2, 1, 2, 0, 1, 1, 2]

/** Both directions along an axis. */
const sortRow = (f: typeof g.sort, shape: Shape, axis: number, values?: Values, dtype?: DType): OpCase => ({
  note: `along ${axis}`,
  inputs: [operand(shape, values, dtype)],
  f: (x) => [f(x, { axis }), f(x, { axis, descending: true })],
  contract: exactly,
})

const sortRows = (f: typeof g.sort): OpCase[] => [
  ...[0, 1, 2, -1].map((axis) => sortRow(f, [3, 4, 5], axis)),
  ...shapesOf('1 0 2,0 257 3,1000 70000').map((shape) => sortRow(f, shape, -1)),
  sortRow(f, [5, 14], 1, special),
  sortRow(f, [600], 0, special),
  sortRow(f, [500], 0, ties),
  sortRow(f, [300, 200], 0),
  ...dtypes.map((dtype) => sortRow(f, [30, 20], 0, undefined, dtype)),
  sortRow(f, [4], 0, [2 ** 31 - 1, -(2 ** 31), 0, -1], 'int32'),
]

const topkRow = (shape: Shape, k: number, largest: boolean, axis: number, values?: Values): OpCase => ({
  note: `${k} ${largest ? 'greatest' : 'least'} along ${axis}`,
  inputs: [operand(shape, values)],
  f: (x) => Object.values(g.topk(x, k, { axis, largest })) as Tensor[],
  contract: exactly,
})

const differentiableSort = (f: OpCase['f'], shape: Shape = [4, 5]): OpCase => ({
  inputs: [operand(shape)],
  f,
  contract: exactly,
  differentiable: true,
})

const quantiles = [0, 0.25, 0.3, 0.5, 1]

const histogramRow = (shape: Shape, options: g.HistogramOptions, values?: Values, dtype?: DType): OpCase => ({
  note: JSON.stringify(options),
  inputs: [operand(shape, values, dtype)],
  f: (x) => Object.values(g.histogram(x, options)) as Tensor[],
  contract: exactly,
})

/** The values and the indices of kthValue or mode, without and with the axis. */
const placeRows = (f: (x: Tensor, options?: g.KthValueOptions) => g.Topk): OpCase[] => {
  const rowOf = (shape: Shape, axis: number, values?: Values, dtype?: DType): OpCase => ({
    note: `along ${axis}`,
    inputs: [operand(shape, values, dtype)],
    f: (x) => [f(x, { axis }), f(x, { axis, keepDims: true })].flatMap(({ values, indices }) => [values, indices]),
    contract: exactly,
  })
  return [
    ...[0, 1, 2].map((axis) => rowOf([3, 4, 5], axis)),
    rowOf([5, 14], 1, special),
    rowOf([30, 21], 1, ties),
    rowOf([3, 9000], 1, ties),
    ...dtypes.map((dtype) => rowOf([30, 20], 0, undefined, dtype)),
    differentiableSort((x) => f(x, { axis: 0 }).values),
    differentiableSort((x) => f(x).values),
  ]
}

export const sortCases = {
  kthValue: [
    ...placeRows((x, options) => g.kthValue(x, 2, options)),
    ...placeRows((x, options) => g.kthValue(x, x.shape.at(options?.axis ?? -1)!, options)),
  ],
  mode: placeRows(g.mode),
  argsort: [
    ...sortRows(g.argsort),
    ...[0, 3, 100].map((count) => ({
      note: `the first ${count}`,
      inputs: [operand([30, 400], ties)],
      f: (x: Tensor) => [true, false].map((descending) => wrap(argsortRows(nodeOf(x), count, descending))),
      contract: exactly,
    })),
  ],
  sort: [
    ...sortRows(g.sort),
    differentiableSort((x) => g.sort(x)),
    differentiableSort((x) => g.sort(x, { axis: 0, descending: true })),
  ],
  topk: [
    ...[true, false].flatMap((largest) => [0, 1].map((axis) => topkRow([40, 30], 3, largest, axis))),
    topkRow([40, 30], 0, true, 1),
    topkRow([40, 30], 30, true, 1),
    topkRow([5, 14], 6, true, 1, special),
    topkRow([3, 9000], 5, true, 1),
    topkRow([3, 9000], 50, false, 1, ties),
    differentiableSort((x) => g.topk(x, 2).values),
    differentiableSort((x) => g.topk(x, 2, { axis: 0, largest: false }).values),
  ],
  median: [
    ...[[0], [1], [0, 2], undefined].map((axes) => differentiableSort((x) => g.median(x, axes), [3, 4, 5])),
    ...dtypes.map((dtype) => ({
      inputs: [operand([7, 6], undefined, dtype)],
      f: (x: Tensor) => [g.median(x), g.median(x, 1, { keepDims: true })],
      contract: exactly,
    })),
    { inputs: [operand([5, 14], special)], f: (x) => g.median(x, 1), contract: exactly },
    { inputs: [operand([])], f: (x) => g.median(x), contract: exactly },
  ],
  quantile: [
    ...[[0], [1, 2], undefined].map((axes) => differentiableSort((x) => g.quantile(x, quantiles, axes), [3, 4, 5])),
    differentiableSort((x) => g.quantile(x, 0.4, 1, { keepDims: true })),
    { inputs: [operand([7, 6], undefined, 'int32')], f: (x) => g.quantile(x, quantiles, 0), contract: exactly },
    { inputs: [operand([5, 14], special)], f: (x) => g.quantile(x, quantiles, 1), contract: exactly },
    { inputs: [operand([1])], f: (x) => g.quantile(x, quantiles), contract: exactly },
  ],
  histogram: [
    histogramRow([300], {}),
    histogramRow([30, 11], { bins: 7, range: [-1, 1.5] }),
    histogramRow([14], { bins: 4, range: [-1, 1] }, special),
    histogramRow([9], { bins: 3 }, [1]),
    histogramRow([0], { bins: 3 }),
    histogramRow([9], { bins: 2, range: [2, 2] }, ties),
    ...dtypes.map((dtype) => histogramRow([40], { bins: 5 }, undefined, dtype)),
  ],
  bincount: [
    ...shapesOf('50 0 5,7').map((shape) => ({
      inputs: [operand(shape, { low: 0, high: 6 }, 'int32')],
      f: (x: Tensor) => g.bincount(x, 6),
      contract: exactly,
    })),
    { inputs: [operand([50], { low: 0, high: 6 }, 'uint8')], f: (x) => g.bincount(x, 9), contract: exactly },
    {
      note: 'weights',
      inputs: [operand([50], { low: 0, high: 6 }, 'int32'), operand([50])],
      f: (x, weights) => g.bincount(x, 6, { weights }),
      contract: exactly,
      differentiable: true,
    },
  ],
} satisfies Record<string, readonly OpCase[]>
