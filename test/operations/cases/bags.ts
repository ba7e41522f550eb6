/** Rows of bags of embeddings, and of dropout of channels and beside selu. */
import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, exactly, type OpCase, operand } from '../../support/cases.ts'

const offsets = operand([4], [0, 3, 3, 5], 'int32')

function bags(indices: Shape, options: g.EmbeddingBagOptions, note: string): OpCase {
  const isList = indices.length === 1
  return {
    note,
    inputs: [operand(indices, { low: 0, high: 6 }, 'int32'), operand([6, 3]), ...(isList ? [offsets] : [])],
    f: (i, table, starts) => g.embeddingBag(i, table, { ...options, ...(starts && { offsets: starts }) }),
    contract: { depth: 8 },
    differentiable: true,
  }
}

const dropping = (shape: Shape, f: (x: Tensor) => Tensor, note: string, contract: CaseContract = exactly): OpCase => ({
  ...{ note, inputs: [operand(shape)], f, contract, differentiable: true },
})

const seeded = { seed: 7 }

export const bagCases = {
  embeddingBag: [
    ...(['sum', 'mean', 'max'] as const).flatMap((mode) => [
      bags([3, 4], { mode }, `${mode} of rows`),
      bags([3, 4], { mode, paddingIndex: 2 }, `${mode} of rows, padding`),
      bags([8], { mode }, `${mode} of parts`),
      bags([8], { mode, paddingIndex: -1 }, `${mode} of parts, padding`),
      bags([5], { mode, includeLastOffset: true }, `${mode} of parts, all of them closed`),
    ]),
    {
      note: 'weighted',
      inputs: [operand([3, 4], { low: 0, high: 6 }, 'int32'), operand([6, 3]), operand([3, 4])],
      f: (i, table, perSampleWeights) => g.embeddingBag(i, table, { mode: 'sum', perSampleWeights }),
      contract: { depth: 8 },
      differentiable: true,
    },
  ],
  dropout1d: [
    dropping([3, 4, 5], (x) => g.dropout1d(x, 0.5, seeded), 'lines'),
    dropping([3, 5, 4], (x) => g.dropout1d(x, 0.5, { ...seeded, layout: 'NLC' }), 'channels last'),
  ],
  dropout2d: [
    dropping([3, 4, 5, 2], (x) => g.dropout2d(x, 0.25, seeded), 'images'),
    dropping([3, 5, 2, 4], (x) => g.dropout2d(x, 0.25, { ...seeded, layout: 'NHWC' }), 'channels last'),
  ],
  dropout3d: [dropping([3, 4, 2, 3, 2], (x) => g.dropout3d(x, 0.5, seeded), 'volumes')],
  alphaDropout: [
    dropping([3, 20], (x) => g.alphaDropout(x, 0.3, seeded), 'some'),
    dropping([3, 20], (x) => g.alphaDropout(x, 1, seeded), 'all'),
  ],
} satisfies Record<string, readonly OpCase[]>
