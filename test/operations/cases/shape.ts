/** Rows of operations that only change a shape. */
import { expandDims, squeeze } from '../../../lib/operations/index.ts'
import { type OpCase, shapesOf } from '../../support/cases.ts'
import { movementRows } from './movement.ts'

export const shapeCases = {
  squeeze: [
    ...shapesOf('1,3,1 3,1,2 1 . 1,0').flatMap((shape) => movementRows(shape, (x) => squeeze(x))),
    ...movementRows([1, 3, 1], (x) => squeeze(x, -1), 'the last axis'),
    ...movementRows([1, 3, 1], (x) => squeeze(x, [0, 2]), 'two axes'),
  ],
  expandDims: shapesOf('3 . 2,3').flatMap((shape) =>
    [0, -1].flatMap((axis) => movementRows(shape, (x) => expandDims(x, axis), `at ${axis}`)),
  ),
} satisfies Record<string, readonly OpCase[]>
