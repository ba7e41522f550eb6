/** Rows of sums of products: einsum, and what is a special case of it. */
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type OpCase, operand, shapesOf } from '../../support/cases.ts'

function row(shapes: string, depth: number, f: (...xs: Tensor[]) => Tensor, part: Partial<OpCase> = {}): OpCase {
  return {
    inputs: shapesOf(shapes).map((shape) => operand(shape)),
    f,
    contract: { depth },
    differentiable: true,
    ...part,
  }
}

/** An expression, shapes, and how many terms a sum has. */
const expressions: readonly (readonly [string, string, number])[] = [
  ['ij,jk->ik', '3,4 4,5', 4],
  ['ij,jk', '3,4 4,5', 4],
  ['ki,kj->ji', '4,3 4,5', 4],
  ['bhqd,bhkd->bhqk', '2,2,3,4 2,2,5,4', 4],
  ['...ij,jk->...ik', '2,3,4 4,5', 4],
  ['...i,i->...', '2,3,4 4', 4],
  ['i...,...->i', '3,4,1 5', 20],
  ['ii', '3,3', 3],
  ['iij->ji', '3,3,2', 1],
  ['ij->', '3,4', 12],
  ['ba', '3,4', 1],
  ['ij,ij->ij', '3,4 3,4', 1],
  ['ij,ij', '3,4 3,4', 12],
  ['bi,bi->b', '3,4 3,4', 4],
  ['i,j->ij', '3 4', 1],
  ['ij,kl->ijkl', '2,3 2,2', 1],
  ['ij,jk,kl->il', '2,3 3,4 4,2', 12],
  ['i,ij,j', '3 3,4 4', 12],
  ['ijk,jk,->i', '2,3,4 3,4 .', 12],
  ['ij,jk->ik', '3,1 4,5', 4],
  ['ij,jk->ik', '0,4 4,5', 4],
  ['ij,jk->ik', '3,0 0,5', 1],
]

export const productCases = {
  einsum: [
    ...expressions.map(([expression, shapes, depth]) =>
      row(shapes, depth, (...xs) => g.einsum(expression, ...xs), { note: expression }),
    ),
    row('40,70 70,90', 70, (x, y) => g.einsum('ij,jk->ki', x, y), { note: 'large', differentiable: false }),
    row('3,4 4,5', 4, (x, y) => g.einsum('ij,jk->ik', x, y), {
      note: 'integers',
      inputs: [operand([3, 4], undefined, 'int32'), operand([4, 5], undefined, 'uint8')],
      contract: { ulps: 0 },
      differentiable: false,
    }),
  ],
  tensordot: [
    row('2,3,4 3,4,5', 12, (x, y) => g.tensordot(x, y)),
    row('2,3 4', 1, (x, y) => g.tensordot(x, y, 0)),
    row('2,3,4 4,5,2', 8, (x, y) =>
      g.tensordot(x, y, [
        [0, -1],
        [2, 0],
      ]),
    ),
  ],
  dot: [row('5 5', 5, (x, y) => g.dot(x, y)), row('0 0', 1, (x, y) => g.dot(x, y))],
  vdot: [row('5 5', 5, (x, y) => g.vdot(x, y)), row('2,3 6', 6, (x, y) => g.vdot(x, y))],
  kron: ['2,3 3,2', '3 2', '2 2,2', '2,2 .', '2,1,2 1,3,1', '2,1,1,1,2 1,1,2,1,1', '0,2 3,1'].map((shapes) =>
    row(shapes, 1, (x, y) => g.kron(x, y), { contract: { ulps: 0 } }),
  ),
  baddbmm: [
    row('2,3,5 2,3,4 2,4,5', 5, (z, x, y) => g.baddbmm(z, x, y)),
    row('5 2,3,4 2,4,5', 5, (z, x, y) => g.baddbmm(z, x, y, { alpha: 0.5, beta: -2 }), {
      contract: { depth: 8, magnitude: (z, x, y) => g.baddbmm(z.abs(), x.abs(), y.abs(), { alpha: 0.5, beta: 2 }) },
    }),
    row('2,3,5 2,3,4 2,4,5', 5, (_z, x, y) => g.baddbmm(NaN, x, y, { beta: 0 }), { differentiable: false }),
  ],
  outer: [row('3 4', 1, (x, y) => g.outer(x, y))],
  inner: [row('2,4 3,5,4', 4, (x, y) => g.inner(x, y)), row('2,3 .', 1, (x, y) => g.inner(x, y))],
  vecdot: [row('2,4 4', 4, (x, y) => g.vecdot(x, y)), row('3,2 3,1', 3, (x, y) => g.vecdot(x, y, 0))],
  cross: ['3 3', '2,3 1,3'].map((shapes) => row(shapes, 2, (x, y) => g.cross(x, y), { contract: { ulps: 0 } })),
} satisfies Record<string, readonly OpCase[]>
