/** Reductions over axes, what runs along an axis, and the order of elements. */
import type { DType } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import type { Channels, normalizationOps } from '../../graph/ops/normalization.ts'
import type { reduceOps } from '../../graph/ops/reduce.ts'
import type { scanOps } from '../../graph/ops/scan.ts'
import type { sortOps } from '../../graph/ops/sort.ts'
import { type Builder, body, int, ints } from './builder.ts'
import type { Dim, Symbolic } from './dims.ts'
import type { Operation } from './graph.ts'
import type { Rows, Write } from './row.ts'
import type { Scope } from './scope.ts'

const lowest = { int32: -(2 ** 31), uint8: 0, bool: 0, float32: -Infinity, float64: -Infinity } as const
const highest = { int32: 2 ** 31 - 1, uint8: 255, bool: 1, float32: Infinity, float64: Infinity } as const

interface Reduction {
  readonly reduce: string
  /** The operator that joins two elements. */
  readonly join: string
  /** Of no element. */
  readonly neutral: (dtype: DType) => number
}

const reductions: Readonly<Record<string, Reduction>> = {
  sum: { reduce: 'ReduceSum', join: 'Add', neutral: () => 0 },
  prod: { reduce: 'ReduceProd', join: 'Mul', neutral: () => 1 },
  max: { reduce: 'ReduceMax', join: 'Max', neutral: (dtype) => lowest[dtype] },
  min: { reduce: 'ReduceMin', join: 'Min', neutral: (dtype) => highest[dtype] },
}

const reduction =
  (name: 'sum' | 'prod' | 'max' | 'min'): Write<typeof name> =>
  ({ builder, graph }, { inputs, params, shape, dtype }, x) => {
    const axes = params.axes.map((axis) => graph.fixed(name, 'the axes', axis))
    const from = elementAt(inputs, 0).shape
    if (axes.some((axis) => from[axis] === 0))
      return builder.node('Expand', [builder.scalar(reductions[name]!.neutral(dtype), dtype), builder.dims(shape)])
    return builder.reduce(reductions[name]!.reduce, x, axes)
  }

export const reduceRows: Rows<keyof typeof reduceOps> = {
  sum: reduction('sum'),
  max: reduction('max'),
  min: reduction('min'),
  prod: reduction('prod'),
  argmax: ({ builder, graph }, { params: { axis } }, x) =>
    builder.cast(
      builder.node('ArgMax', [x], { axis: int(graph.fixed('argmax', 'the axis', axis)), keepdims: int(1) }),
      'int32',
    ),
}

/** A reduction of all axes but those of channels. */
const overOthers = (
  { builder }: Scope,
  reduce: string,
  x: string,
  { shape, params: { first, end } }: ChannelOperation,
) =>
  builder.reduce(
    reduce,
    x,
    shape.flatMap((_, axis) => (axis < Number(first) || axis >= Number(end) ? axis : [])),
  )

type ChannelOperation = Operation<Symbolic<Channels>>

export const momentRows: Rows<keyof typeof normalizationOps> = {
  meanOfChannels: (scope, operation, x) => overOthers(scope, 'ReduceMean', x, operation),
  varianceOfChannels: (scope, operation, x) => {
    const deviations = scope.builder.node('Sub', [x, overOthers(scope, 'ReduceMean', x, operation)])
    return overOthers(scope, 'ReduceMean', scope.builder.node('Mul', [deviations, deviations]), operation)
  },
  deviationSum: (scope, operation, _x, _mean, y) => overOthers(scope, 'ReduceSum', y!, operation),
  deviationProduct: (scope, operation, x, mean, y) => {
    const product = scope.builder.node('Mul', [scope.builder.node('Sub', [x!, mean!]), y!])
    return overOthers(scope, 'ReduceSum', product, operation)
  },
}

interface Running {
  readonly axis: number
  readonly reverse: boolean
  readonly dtype: DType
  readonly shape: readonly Dim[]
}

/**
 * A Scan whose state is what its elements have come to: the same shape without the axis. `step` writes the next one from the
 * state and an element of each sequence.
 */
function running(
  builder: Builder,
  sequences: readonly string[],
  initial: number,
  { axis, reverse, dtype, shape }: Running,
  step: (state: string, ...elements: string[]) => string,
): string {
  const rest = shape.toSpliced(axis, 1)
  const state = builder.names.fresh('state')
  const elements = sequences.map(() => builder.names.fresh('element'))
  const { result, nodes } = builder.inBody(() => {
    const next = step(state, ...elements)
    return [next, builder.node('Identity', [next])]
  })
  const direction = ints([reverse ? 1 : 0])
  const start = builder.node('Expand', [builder.scalar(initial, dtype), builder.dims(rest)])
  const [, output] = builder.several('Scan', [start, ...sequences], 2, {
    body: body({
      ...{ name: 'running', node: nodes, initializer: [] },
      input: [state, ...elements].map((name) => builder.value(name, dtype, rest)),
      output: result.map((name) => builder.value(name, dtype, rest)),
    }),
    num_scan_inputs: int(sequences.length),
    scan_input_axes: ints(sequences.map(() => axis)),
    scan_input_directions: ints(sequences.map(() => (reverse ? 1 : 0))),
    scan_output_axes: ints([axis]),
    scan_output_directions: direction,
  })
  return output!
}

const runningOf = ({ dtype, shape }: Operation<unknown>, axis: number, reverse: boolean): Running => ({
  ...{ dtype, shape, axis, reverse },
})

export const scanRows: Rows<keyof typeof scanOps> = {
  scan({ builder, graph }, operation, x) {
    const { kind, reverse } = operation.params
    const axis = graph.fixed('scan', 'the axis', operation.params.axis)
    if (kind === 'sum')
      return builder.node('CumSum', [x, builder.constant('int64', [], BigInt64Array.of(BigInt(axis)))], {
        reverse: int(reverse ? 1 : 0),
      })
    const { join, neutral } = reductions[kind]!
    return running(builder, [x], neutral(operation.dtype), runningOf(operation, axis, reverse), (state, element) =>
      builder.node(join, [state, element]),
    )
  },
  recurrence({ builder, graph }, operation, a, b) {
    const axis = graph.fixed('recurrence', 'the axis', operation.params.axis)
    const over = runningOf(operation, axis, operation.params.reverse)
    return running(builder, [a, b], 0, over, (state, factor, term) =>
      builder.node('Add', [builder.node('Mul', [factor, state]), term]),
    )
  },
}

export const sortRows: Rows<keyof typeof sortOps> = {
  argsort({ builder }, { params: { count, descending } }, x) {
    const attributes = { axis: int(-1), largest: int(descending ? 1 : 0), sorted: int(1) }
    const [, indices] = builder.several('TopK', [x, builder.dims([count])], 2, attributes)
    return builder.cast(indices!, 'int32')
  },
}
