/** Movement: the same elements under another shape or order. */
import { elementAt, zipWith } from '../../base/lists.ts'
import type { movementOps } from '../../graph/ops/movement.ts'
import type { splitOps } from '../../graph/ops/split.ts'
import { type Builder, int, ints } from './builder.ts'
import { addDims, type Dim, isFixed, sameDim, scaleDim, subDims } from './dims.ts'
import type { Rows } from './row.ts'

/** Beyond any end: a slice that goes backwards ends before the first element. */
const beforeFirst = -(2 ** 31)

/** The elements of some axes from `starts` on, so many, by steps. */
function slice(
  builder: Builder,
  x: string,
  from: readonly Dim[],
  { starts, sizes, steps }: { starts: readonly Dim[]; sizes: readonly Dim[]; steps: readonly number[] },
): string {
  const axes = from
    .map((_, axis) => axis)
    .filter((axis) => {
      const isWhole = sameDim(elementAt(sizes, axis), elementAt(from, axis)) && sameDim(elementAt(starts, axis), 0)
      return !isWhole || steps[axis] !== 1
    })
  if (axes.length === 0) return x
  const ends = axes.map((axis): Dim => {
    const [start, size, step] = [elementAt(starts, axis), elementAt(sizes, axis), elementAt(steps, axis)]
    if (size === 0) return start
    const end = addDims(start, scaleDim(size, step))
    // Negative ends count from the end of the axis.
    return step < 0 && isFixed(end) && end < 0 ? beforeFirst : end
  })
  const pick = <T extends {}>(list: readonly T[]) => axes.map((axis) => elementAt(list, axis))
  return builder.node('Slice', [
    x,
    builder.dims(pick(starts)),
    builder.dims(ends),
    builder.ints(axes),
    builder.ints(pick(steps)),
  ])
}

/** x with `by` − 1 zeros after each element of an axis. */
function dilate(builder: Builder, x: string, shape: readonly Dim[], axis: number, by: number): string {
  const extent = elementAt(shape, axis)
  const column = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]
  const widened = column.with(axis + 1, by)
  const padded = padZeros(builder, builder.reshape(x, shape, column), {
    before: column.map(() => 0),
    after: column.map((_, i) => (i === axis + 1 ? by - 1 : 0)),
  })
  return builder.reshape(padded, widened, shape.with(axis, scaleDim(extent, by)))
}

function padZeros(
  builder: Builder,
  x: string,
  { before, after }: { before: readonly Dim[]; after: readonly Dim[] },
): string {
  const pads = [...before, ...after]
  return pads.every((dim) => dim === 0) ? x : builder.node('Pad', [x, builder.dims(pads)])
}

export const movementRows: Rows<keyof typeof movementOps> = {
  reshape: ({ builder }, { inputs, shape }, x) => builder.reshape(x, elementAt(inputs, 0).shape, shape),
  permute: ({ builder, graph }, { params }, x) =>
    builder.node('Transpose', [x], {
      perm: ints(params.axes.map((axis) => graph.fixed('permute', 'the order', axis))),
    }),
  broadcastTo: ({ builder }, { shape }, x) => builder.node('Expand', [x, builder.dims(shape)]),
  slice({ builder, graph }, { inputs, params }, x) {
    const steps = params.steps.map((step) => graph.fixed('slice', 'the step', step))
    const { starts, sizes } = params
    return slice(builder, x, elementAt(inputs, 0).shape, { starts, sizes, steps })
  },
  // Backwards by turning the axis round, with gaps by zeros after each element.
  pad({ builder, graph }, { inputs, params, shape }, x) {
    let [value, extents] = [x, elementAt(inputs, 0).shape]
    const starts = params.starts.slice()
    params.steps.forEach((dim, axis) => {
      const step = graph.fixed('pad', 'the step', dim)
      const extent = elementAt(extents, axis)
      if (step < 0) {
        const last = subDims(extent, 1)
        const turned = { starts: extents.map((_, i) => (i === axis ? last : 0)), sizes: extents }
        value = slice(builder, value, extents, { ...turned, steps: extents.map((_, i) => (i === axis ? -1 : 1)) })
        starts[axis] = addDims(elementAt(starts, axis), scaleDim(last, step))
      }
      const by = Math.abs(step)
      if (by === 1) return
      value = dilate(builder, value, extents, axis, by)
      extents = extents.with(axis, scaleDim(extent, by))
      // Without the zeros after the last element.
      const sizes = extents.with(axis, subDims(elementAt(extents, axis), by - 1))
      value = slice(builder, value, extents, { starts: extents.map(() => 0), sizes, steps: extents.map(() => 1) })
      extents = sizes
    })
    const after = zipWith(shape, starts, (extent, start, axis) =>
      subDims(subDims(extent, start), elementAt(extents, axis)),
    )
    return padZeros(builder, value, { before: starts, after })
  },
  concat: ({ builder, graph }, { params: { axis } }, ...xs) =>
    builder.node('Concat', xs, { axis: int(graph.fixed('concat', 'the axis', axis)) }),
}

export const splitRows: Rows<keyof typeof splitOps> = {
  split(scope, operation, x) {
    const { axis, sizes } = operation.params
    const parts = scope.builder.split(x, scope.graph.fixed('split', 'the axis', axis), sizes)
    scope.setOutputs(operation, parts)
    return elementAt(parts, 0)
  },
  part: (scope, { inputs, params: { part } }) =>
    scope.outputOf(elementAt(inputs, 0), String(scope.graph.fixed('split', 'the part', part))),
  partCotangents: { unsupported: 'it is no value' },
}
