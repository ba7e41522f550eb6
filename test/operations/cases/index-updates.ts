/** Rows of parts changed by index, and of reductions into what indices name. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import { exactly, type OpCase, type Operand, operand } from '../../support/cases.ts'

const indices = (shape: Shape, high: number): Operand => operand(shape, { low: 0, high }, 'int32')

function row(inputs: readonly Operand[], f: OpCase['f'], note?: string, part: Partial<OpCase> = {}): OpCase {
  return { ...(note !== undefined && { note }), inputs, f, contract: exactly, differentiable: true, ...part }
}

/** Work for more than one thread, of more indices than there are elements to name. */
const large = { differentiable: false }

function reduceRows(reduction: g.ScatterReduction, includeSelf: boolean): OpCase[] {
  const note = `${reduction}${includeSelf ? '' : ' of updates alone'}`
  const of = (x: Shape, at: Shape, axis: number, dtype: DType = 'float32', part: Partial<OpCase> = {}): OpCase =>
    row(
      [operand(x, undefined, dtype), indices(at, x.at(axis)!), operand(at, undefined, dtype)],
      (x, i, u) => g.scatterReduce(x, i, u, axis, reduction, { includeSelf }),
      note,
      part,
    )
  return [
    of([4], [7], 0),
    of([3, 4], [3, 5], 1),
    of([2, 4, 3], [2, 6, 3], -2),
    of([4], [0], 0),
    of([3, 4], [3, 9], 1, 'int32', large),
    of([300, 40], [300, 90], 1, 'float32', large),
  ]
}

const reductions: readonly g.ScatterReduction[] = ['sum', 'prod', 'mean', 'amax', 'amin']

export const indexUpdateCases = {
  indexAdd: [
    row([operand([4, 3]), indices([5], 4), operand([5, 3])], (x, i, u) => g.indexAdd(x, i, u)),
    row(
      [operand([2, 4, 3]), indices([5], 4), operand([5, 1])],
      (x, i, u) => g.indexAdd(x, i, u, 1, { alpha: -2 }),
      'columns, broadcast',
    ),
    row([operand([4, 3]), indices([], 3), operand([4, 1])], (x, i, u) => g.indexAdd(x, i, u, -1), 'one column'),
    row([operand([4]), indices([0], 4), operand([0])], (x, i, u) => g.indexAdd(x, i, u), 'nothing'),
    row([operand([4], undefined, 'int32'), indices([7], 4)], (x, i) => g.indexAdd(x, i, 1), 'counts', large),
  ],
  indexFill: [
    row([operand([4, 3]), indices([2], 4)], (x, i) => g.indexFill(x, i, -1.5)),
    row([operand([2, 4, 3]), indices([5], 4), operand([])], (x, i, v) => g.indexFill(x, i, v, 1), 'a tensor'),
    row([operand([2, 4], undefined, 'uint8'), indices([2], 4)], (x, i) => g.indexFill(x, i, 7, -1), 'bytes', large),
  ],
  indexPut: [
    ...[false, true].map((accumulate) =>
      row(
        [operand([3, 4, 2]), indices([5], 3), indices([5], 4), operand([5, 2])],
        (x, i, j, v) => g.indexPut(x, [i, j], v, { accumulate }),
        accumulate ? 'added' : 'written',
      ),
    ),
    row(
      [operand([3, 4]), indices([2, 1], 3), indices([3], 4), operand([3])],
      (x, i, j, v) => g.indexPut(x, [i, j], v),
      'a block',
    ),
    row([operand([3, 4]), indices([2], 3), operand([])], (x, i, v) => g.indexPut(x, [i], v), 'rows'),
    row([operand([3]), indices([], 3)], (x, i) => g.indexPut(x, [i], 9), 'a number'),
  ],
  scatterReduce: reductions.flatMap((reduction) => [true, false].flatMap((self) => reduceRows(reduction, self))),
} satisfies Record<string, readonly OpCase[]>
