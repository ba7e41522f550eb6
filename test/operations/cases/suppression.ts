/** Rows of what is left of overlapping boxes. */
import * as g from '../../../lib/operations/index.ts'
import { exactly, type OpCase, operand } from '../../support/cases.ts'

const row = (note: string, count: number, options?: g.NonMaxSuppressionOptions): OpCase => ({
  ...{ note, inputs: [operand([count, 4], [0, 3]), operand([count], [0, 1])], contract: exactly },
  f: (boxes, scores) => g.nonMaxSuppressionSync(boxes, scores, options),
})

export const suppressionCases = {
  nonMaxSuppressionSync: [
    row('many boxes', 60),
    row('few of them', 40, { iouThreshold: 0.2, scoreThreshold: 0.3, maxOutputSize: 5 }),
    row('of none', 0),
  ],
} satisfies Record<string, readonly OpCase[]>
