/** Batches of sequences of several lengths, which are filled up to the longest one. */
import { expected, PipelineError } from '../../base/errors.ts'
import { formatShape, type Shape } from '../../base/shape.ts'
import { type DTypes, lengthsOf, type Padding, stacked } from '../stacking.ts'
import type { Stage } from '../stage.ts'
import { batched } from './batch.ts'

export interface PaddedOptions {
  readonly size: number
  readonly dropLast: boolean
  readonly dtype: DTypes | undefined
  readonly value: number
  readonly targetValue: number
  readonly length: number | undefined
  readonly multiple: number
}

export function paddedBatch<T>(parent: Stage<unknown>, options: PaddedOptions): Stage<T> {
  const { size, dropLast, dtype, value, targetValue } = options
  const shape = (shapes: readonly Shape[]) => paddedShape(shapes, options)
  const padding: Padding = { shape, value }
  const targetPadding: Padding = { shape, value: targetValue }
  return batched(parent, 'paddedBatch', {
    size,
    dropLast,
    async stack(elements, first) {
      const batch = await stacked(elements, { op: 'paddedBatch', first, dtype, padding, targetPadding })
      const lengths = lengthsOf(elements)
      if (!Array.isArray(batch)) return { values: batch, lengths }
      const [x, ...targets] = batch
      return [{ values: x, lengths }, ...targets]
    },
  })
}

function paddedShape(shapes: readonly Shape[], { length, multiple }: PaddedOptions): Shape {
  const greatest = shapes.reduce((a, b) => a.map((extent, axis) => Math.max(extent, b[axis]!)))
  return greatest.map((extent, axis) => {
    if (axis > 0) return extent
    if (length !== undefined && extent > length)
      throw new PipelineError(expected('paddedBatch', `elements of at most ${length} entries`, formatShape([extent])))
    return length ?? Math.ceil(extent / multiple) * multiple
  })
}
