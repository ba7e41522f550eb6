/** Rows of movement: the same elements under another shape or order, as results and as operands of what follows. */

import type { Shape } from '../../../lib/base/shape.ts'
import { pad } from '../../../lib/graph/ops/movement.ts'
import { concat, permute } from '../../../lib/operations/index.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'
import { dtypes, type ViewRow, views } from './elementwise.ts'

/** A view as the result, of every dtype, and as an operand of another operation. */
export function movementRows(shape: Shape, f: (x: Tensor) => Tensor, note?: string): OpCase[] {
  const row = { f, contract: exactly, ...(note === undefined ? {} : { note }) }
  return [
    ...dtypes.map((dtype) => ({
      ...row,
      inputs: [operand(shape, undefined, dtype)],
      differentiable: dtype === 'float32',
    })),
    { ...row, note: `${note ?? ''} then + 1`, inputs: [operand(shape)], f: (x) => f(x).add(1), differentiable: true },
  ]
}

/** Work for more than one thread. */
const large = (shape: string, f: (x: Tensor) => Tensor): OpCase => ({
  note: 'large',
  inputs: shapesOf(shape).map((extents) => operand(extents)),
  f,
  contract: exactly,
})

/** From, to. */
const reshapes = ['12 3,4', '3,4 12', '2,3,4 4,-1', '. 1,1', '1 .', '0,3 5,0'].map(shapesOf)

/** From, axes. */
const permutations = [
  '3,4 1,0',
  '2,3,4 2,0,1',
  '2,3,4 0,2,1',
  '2,3,4,5 3,1,0,2',
  '1,7,1 2,1,0',
  '0,3 1,0',
  '70,130 -1,0',
].map(shapesOf)

/** From, to. */
const broadcasts = ['. 3,4', '4 3,4', '3,1 3,4', '1,3,1 2,3,4', '1 0', '7,1 7,300'].map(shapesOf)

const slices: readonly ViewRow[] = [
  { note: '2:5', shape: [7], view: (x) => x.slice(2, 5) },
  { note: '-3:', shape: [7], view: (x) => x.slice(-3) },
  { note: '1:6, 2:4', shape: [7, 5], view: (x) => x.slice([1, 2], [6, 4]) },
  { note: '::3, 1::2', shape: [7, 5], view: (x) => x.slice([0, 1], [7, 5], { step: [3, 2] }) },
  { note: '4:2, nothing', shape: [7, 5], view: (x) => x.slice([4], [2]) },
  { note: '1:3, :, 2:', shape: [4, 5, 6], view: (x) => x.slice([1, 0, 2], [3, 5, 6]) },
  { note: '100:', shape: [130, 17], view: (x) => x.slice([100]) },
  { note: '::-1', shape: [7], view: (x) => x.slice(null, null, { step: -1 }) },
  { note: '5:1:-2, ::-1', shape: [7, 5], view: (x) => x.slice([5, null], [1, null], { step: [-2, -1] }) },
  { note: ':, ::-1, transposed', shape: [17, 5], view: (x) => x.transpose().slice(0, null, { step: [1, -1] }) },
]

interface PadRow {
  readonly shape: Shape
  readonly into: Shape
  readonly starts: readonly number[]
  readonly steps: readonly number[]
}

const pads: readonly PadRow[] = [
  { shape: [3], into: [7], starts: [2], steps: [1] },
  { shape: [3], into: [7], starts: [0], steps: [3] },
  { shape: [3, 4], into: [6, 9], starts: [1, 2], steps: [2, 1] },
  { shape: [0, 4], into: [6, 4], starts: [0, 0], steps: [1, 1] },
  { shape: [17, 60], into: [20, 130], starts: [2, 3], steps: [1, 2] },
  { shape: [], into: [], starts: [], steps: [] },
]

function concatRow(shapes: string, axis: number, part: Partial<OpCase> = {}): OpCase {
  const inputs = shapesOf(shapes).map((shape) => operand(shape))
  return {
    note: `along ${axis}`,
    inputs,
    f: (...xs) => concat(xs, axis),
    contract: exactly,
    differentiable: true,
    ...part,
  }
}

const concatRows: readonly OpCase[] = [
  ...dtypes.map((dtype) => {
    const inputs = shapesOf('3,2 3,5 3,1').map((shape) => operand(shape, undefined, dtype))
    return { note: 'along 1', inputs, f: (...xs: Tensor[]) => concat(xs, 1), contract: exactly }
  }),
  ...[0, 1, 2, -1].map((axis) => concatRow('2,2,2 2,2,2 2,2,2', axis)),
  concatRow('3 2', 0),
  concatRow('3,4 0,4 2,4', 0),
  concatRow('3,0 3,5', 1),
  concatRow('3,4', 0),
  concatRow('130,17 130,70', -1),
  concatRow('5,3 5,4', 0, { note: 'views', f: (x, y) => concat([x.transpose(), y.transpose(), x.transpose()]) }),
  concatRow('6,3 3', 0, { note: 'parts', f: (x, y) => concat([x.slice(2, 5), y.broadcastTo([2, 3])]) }),
]

const permutationRows = permutations.flatMap(([shape, axes]) =>
  movementRows(shape!, (x) => x.transpose(axes), `[${axes}]`),
)

export const movementCases = {
  reshape: reshapes.flatMap(([from, to]) => movementRows(from!, (x) => x.reshape(to!), `to [${to}]`)),
  permute: [
    ...permutationRows,
    ...movementRows([2, 3, 4], (x) => permute(x, [1, -1, 0]), 'permute'),
    large('300,400', (x) => x.transpose()),
  ],
  transpose: [...permutationRows.slice(0, 1), ...movementRows([2, 3, 4], (x) => x.transpose(), 'reversed')],
  flatten: [...movementRows([2, 3, 4], (x) => x.flatten()), ...movementRows([2, 3, 4], (x) => x.flatten(1), 'from 1')],
  broadcastTo: broadcasts.flatMap(([from, to]) => movementRows(from!, (x) => x.broadcastTo(to!), `to [${to}]`)),
  slice: [
    ...[...slices, ...views].flatMap(({ note, shape, view }) => movementRows(shape, view, note)),
    large('300,400', (x) => x.slice(0, null, { step: [1, -1] })),
    {
      note: 'rows backwards, multiplied',
      inputs: [operand([4, 3]), operand([4, 3])],
      f: (x, y) => x.matmul(y.slice(null, null, { step: -1 }).transpose()),
      contract: { depth: 3 },
      differentiable: true,
    },
  ],
  pad: [
    large('300,400', (x) => wrap(pad(nodeOf(x), [700, 405], [0, 5], [2, 1]))),
    ...pads.flatMap(({ shape, into, starts, steps }) =>
      movementRows(shape, (x) => wrap(pad(nodeOf(x), into, starts, steps)), `into [${into}]`),
    ),
  ],
  concat: [
    ...concatRows,
    large('300,400', (x) => concat([x, x.slice(0, 250), x], 0)),
    large('300,400', (x) => concat([x, x], 1)),
  ],
} satisfies Record<string, readonly OpCase[]>
