/** Rows of elements in other places: axes, orders, copies, parts, borders and triangles. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'
import { movementRows } from './movement.ts'

/** Of one float operand. */
function row(shape: string, f: (x: Tensor) => Tensor, note?: string): OpCase {
  const inputs = shapesOf(shape).map((extents) => operand(extents))
  return { inputs, f, contract: exactly, differentiable: true, ...(note === undefined ? {} : { note }) }
}

/** Several results: each in a program, and the gradient of them all in one. */
function rowsOfMany(shapes: string, f: (...xs: Tensor[]) => Tensor[], note: string): OpCase[] {
  const inputs = shapesOf(shapes).map((shape) => operand(shape))
  const weighted = (...xs: Tensor[]) => g.concat(f(...xs).map((y, i) => g.ravel(y).mul(i + 1)))
  return [
    { note, inputs, f, contract: exactly },
    { note: `${note}, joined again`, inputs, f: weighted, contract: exactly, differentiable: true },
  ]
}

/** Work for more than one thread. */
const large = (f: (x: Tensor) => Tensor): OpCase => ({ ...row('300,400', f, 'large'), differentiable: false })

const pads: readonly (readonly [string, g.PadWidths, g.PadOptions?])[] = [
  ['3', 2],
  ['3,4', [1, 2]],
  [
    '3,4',
    [
      [0, 0],
      [2, 1],
    ],
    { value: 0.5 },
  ],
  [
    '2,3,4',
    [
      [1, 0],
      [0, 2],
      [3, 3],
    ],
    { value: -1.5 },
  ],
  [
    '3,4',
    [
      [2, 1],
      [3, 0],
    ],
    { mode: 'reflect' },
  ],
  [
    '3,4',
    [
      [2, 1],
      [5, 0],
    ],
    { mode: 'edge' },
  ],
  ['.', [], { value: 3 }],
  ['0,2', 1, { value: 1 }],
]

export const padRows: readonly OpCase[] = [
  ...movementRows([3, 4], (x) => g.pad(x, [1, 2], { mode: 'reflect' }), 'reflect'),
  ...pads.map(([shape, widths, options]) =>
    row(shape, (x) => g.pad(x, widths, options), `${JSON.stringify(widths)} ${JSON.stringify(options ?? {})}`),
  ),
]

const triangles = (f: typeof g.triu): OpCase[] => [
  ...movementRows([4, 5], (x) => f(x, 1), 'above'),
  ...['5,4', '2,3,3', '1,1', '0,3'].map((shape) => row(shape, (x) => f(x))),
  row('3,4', (x) => f(x, -1), 'below'),
  row('3,4', (x) => f(x, 9), 'beyond'),
  large((x) => f(x.transpose())),
]

const flips: readonly (readonly [string, (number | number[])?])[] = [
  ['7'],
  ['.'],
  ['3,4', 0],
  ['2,3,4', [0, -1]],
  ['0,3'],
]

const stackShapes = (axis: number): OpCase => ({
  note: `at ${axis}`,
  inputs: shapesOf('2,3 2,3 2,3').map((shape) => operand(shape)),
  f: (...xs) => g.stack(xs, axis),
  contract: exactly,
  differentiable: true,
})

const joinRows = (shapes: string, f: (xs: readonly Tensor[]) => Tensor): OpCase[] => [
  {
    inputs: shapesOf(shapes).map((shape) => operand(shape)),
    f: (...xs) => f(xs),
    contract: exactly,
    differentiable: true,
  },
]

const byIndex = (shape: Shape, indices: Shape, axis: number | undefined, part: Partial<OpCase> = {}): OpCase => ({
  inputs: [operand(shape), operand(indices, { low: 0, high: shape.at(axis ?? 0)! }, 'int32')],
  f: (x, i) => g.take(x, i, axis),
  contract: exactly,
  differentiable: true,
  ...part,
})

const scatterOf = (shape: Shape, indices: Shape): OpCase => ({
  inputs: [
    operand(shape),
    operand(indices, { low: 0, high: shape[0]! }, 'int32'),
    operand([...indices, ...shape.slice(1)]),
  ],
  f: (x, i, u) => g.scatter(x, i, u),
  contract: exactly,
  differentiable: true,
})

const maskFill = (shape: Shape, mask: Shape, value: number): OpCase => ({
  inputs: [operand(shape), operand(mask, undefined, 'bool')],
  f: (x, m) => g.maskedFill(x, m, value),
  contract: exactly,
  differentiable: true,
})

const masked = (shape: Shape, axes: number): OpCase => ({
  inputs: [operand(shape), operand(shape.slice(0, axes), undefined, 'bool')],
  f: (x, m) => g.booleanMaskSync(x, m),
  contract: exactly,
  differentiable: true,
})

export const rearrangingCases = {
  unsqueeze: [row('2,3', (x) => g.unsqueeze(x, 1))],
  ravel: ['2,3', '.'].map((shape) => row(shape, (x) => g.ravel(x))),
  swapAxes: [...movementRows([2, 3, 4], (x) => g.swapAxes(x, 0, -1)), row('2,3', (x) => g.swapAxes(x, 1, 1))],
  moveAxis: [
    ...movementRows([2, 3, 4], (x) => g.moveAxis(x, 0, -1)),
    row('2,3,4,5', (x) => g.moveAxis(x, [3, 0], [0, 1]), 'two axes'),
  ],
  flip: [
    ...movementRows([3, 5], (x) => g.flip(x, 1), 'the last axis'),
    ...flips.map(([shape, axis]) => row(shape, (x) => g.flip(x, axis))),
    row('5', (x) => g.flip(x).mul(x), 'beside itself'),
    large((x) => g.flip(x)),
  ],
  roll: [
    ...movementRows([3, 5], (x) => g.roll(x, 2, 1), 'the last axis'),
    row('3,4', (x) => g.roll(x, -5), 'as one row'),
    row('3,4', (x) => g.roll(x, [1, -1], [0, 1]), 'two axes'),
    row('0,3', (x) => g.roll(x, 1, 0)),
    row('.', (x) => g.roll(x, 1)),
    large((x) => g.roll(x, [7, -9], [0, 1])),
  ],
  rot90: [
    ...[1, 2, -1].map((quarters) => row('3,4', (x) => g.rot90(x, quarters), `${quarters} quarters`)),
    row('2,3,4', (x) => g.rot90(x, 5, [2, 0]), 'the other way round'),
    row('3,0', (x) => g.rot90(x)),
  ],
  unflatten: [row('2,6', (x) => g.unflatten(x, 1, [3, -1])), row('0,2', (x) => g.unflatten(x, 0, [-1, 3]))],
  tile: [
    ...movementRows([2, 3], (x) => g.tile(x, [2, 3])),
    row('2,3', (x) => g.tile(x, 2), 'the last axis'),
    row('3', (x) => g.tile(x, [2, 1, 2]), 'new axes'),
    row('.', (x) => g.tile(x, 3)),
    row('2,3', (x) => g.tile(x, [0, 2]), 'not once'),
  ],
  repeat: [
    ...movementRows([2, 3], (x) => g.repeat(x, 2, 1), 'the last axis'),
    row('2,3', (x) => g.repeat(x, 3, 0), 'rows'),
    row('2,3', (x) => g.repeat(x, 2), 'flattened'),
    row('2,3', (x) => g.repeat(x, [2, 0, 1], -1), 'a count for each'),
    row('2,3', (x) => g.repeat(x, 0, 0), 'not once'),
    row('.', (x) => g.repeat(x, 2)),
  ],
  stack: [...[0, 1, -1].map(stackShapes), row('.', (x) => g.stack([x, x]), 'scalars')],
  unstack: [
    ...rowsOfMany('3,4', (x) => g.unstack(x), 'rows'),
    ...rowsOfMany('3,4', (x) => g.unstack(x, -1), 'columns'),
  ],
  unbind: rowsOfMany('2,3', (x) => g.unbind(x, 1), 'columns'),
  split: [
    ...rowsOfMany('6,2', (x) => g.split(x, 3), 'three of a size'),
    ...rowsOfMany('2,6', (x) => g.split(x, [1, 0, 5], -1), 'sizes'),
  ],
  chunk: [
    ...rowsOfMany('7,2', (x) => g.chunk(x, 3), '3, 3 and 1'),
    ...rowsOfMany('2,2', (x) => g.chunk(x, 5, 1), 'few'),
  ],
  tensorSplit: [
    ...rowsOfMany('7,2', (x) => g.tensorSplit(x, 3), '3, 2 and 2'),
    ...rowsOfMany('2,6', (x) => g.tensorSplit(x, [1, -2, 3, 9], 1), 'by indices'),
  ],
  hstack: ['2,3 2,1', '3 2', '. 1'].flatMap((shapes) => joinRows(shapes, g.hstack)),
  vstack: ['2,3 1,3', '3 2,3', '. .'].flatMap((shapes) => joinRows(shapes, g.vstack)),
  dstack: ['2,3 2,3', '3 1,3,2', '. .'].flatMap((shapes) => joinRows(shapes, g.dstack)),
  broadcastTensors: rowsOfMany('2,1 3', (...xs) => g.broadcastTensors(...xs), 'to one shape'),
  broadcastArrays: rowsOfMany('2,1 3 .', (...xs) => g.broadcastArrays(...xs), 'to one shape'),
  meshgrid: [
    ...rowsOfMany('3 2 4', (...xs) => g.meshgrid(xs), 'xy'),
    ...rowsOfMany('3 2', (...xs) => g.meshgrid(xs, { indexing: 'ij' }), 'ij'),
    ...rowsOfMany('3', (...xs) => g.meshgrid(xs), 'one'),
  ],
  triu: triangles(g.triu),
  tril: triangles(g.tril),
  diagonal: [
    ...movementRows([3, 4], (x) => g.diagonal(x), 'main'),
    row('3,4', (x) => g.diagonal(x, { offset: 2 }), 'above'),
    row('5,3', (x) => g.diagonal(x, { offset: -1 }), 'below'),
    row('3,4', (x) => g.diagonal(x, { offset: 4 }), 'beyond'),
    row('2,3,4', (x) => g.diagonal(x, { axis1: 0, axis2: 1 }), 'first axes'),
    row('0,3', (x) => g.diagonal(x)),
  ],
  diag: [
    ...movementRows([3], (x) => g.diag(x, 1), 'above'),
    row('3', (x) => g.diag(x, -2), 'below'),
    row('0', (x) => g.diag(x), 'nothing'),
    row('3,5', (x) => g.diag(x, 1), 'of a matrix'),
  ],
  diagEmbed: [
    ...movementRows([2, 3], (x) => g.diagEmbed(x, { offset: 1 }), 'above'),
    row('2,3', (x) => g.diagEmbed(x, { offset: -2, axis1: 2, axis2: 0 }), 'other axes'),
    row('0', (x) => g.diagEmbed(x), 'nothing'),
  ],
  trace: ['3,3', '2,3,4', '0,2'].map((shape) => ({ ...row(shape, (x) => g.trace(x)), contract: { depth: 3 } })),
  take: [
    byIndex([4, 3], [2, 2], 0),
    byIndex([3, 4], [5], 1),
    byIndex([2, 3, 4], [2, 3], -2),
    byIndex([2, 3], [4], undefined, { note: 'flattened' }),
    byIndex([2, 3], [0], 1),
    byIndex([300, 400], [150], 1, { note: 'large', differentiable: false }),
  ],
  scatter: [scatterOf([4, 3], [5]), scatterOf([3], [2, 2]), scatterOf([3, 2, 2], []), scatterOf([3, 0], [2])],
  select: [row('3,4', (x) => g.select(x, 1, -1)), row('2,3,4', (x) => g.select(x, 0, 1))],
  at: [row('3,4', (x) => g.at(x, 1, -2)), row('3,4', (x) => g.at(x, 2)), row('.', (x) => g.at(x))],
  maskedFill: [maskFill([3, 4], [3, 4], 0), maskFill([3, 4], [4], -1e9), maskFill([3], [], 2)],
  booleanMaskSync: [masked([7, 3], 1), masked([3, 4], 2), masked([0, 3], 1), masked([], 0)],
  nonzeroSync: ['int32', 'bool'].map((dtype) => ({
    inputs: [operand([3, 4], [0, 2, 0, 1, 1], dtype as 'int32' | 'bool')],
    f: (x) => g.nonzeroSync(x),
    contract: exactly,
  })),
} satisfies Record<string, readonly OpCase[]>
