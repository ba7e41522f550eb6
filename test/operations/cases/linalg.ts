/** Rows of linear algebra. Instructions compute in float64 and round once, so that backends agree to the bit. */

import type { Shape } from '../../../lib/base/shape.ts'
import * as linalg from '../../../lib/operations/linalg.ts'
import { eye } from '../../../lib/tensor/creation.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type CaseContract, exactly, type OpCase, operand, shapesOf } from '../../support/cases.ts'

const transposed = (x: Tensor): Tensor =>
  x.transpose([...x.shape.keys()].map((i, _, { length }) => (i < length - 2 ? i : 2 * length - 3 - i)))

/** Symmetric, with eigenvalues away from 0 and from each other, by operations that all backends compute alike. */
const positiveDefinite = (x: Tensor): Tensor => symmetric(x).add(eye(x.shape.at(-1)!).mul(9))

const symmetric = (x: Tensor): Tensor => x.add(transposed(x))

const regular = (x: Tensor): Tensor => x.add(eye(x.shape.at(-1)!).mul(4))

type Decomposition = (x: Tensor) => Tensor | readonly Tensor[]

/** Small shapes that are checked for gradients, and one whose work is divided. */
function rows(f: Decomposition, smooth: string, others: string, contract: CaseContract = exactly): OpCase[] {
  const row = (shape: Shape, differentiable: boolean) => ({ inputs: [operand(shape)], f, contract, differentiable })
  return [
    ...shapesOf(smooth).map((shape) => row(shape, true)),
    ...shapesOf(others).map((shape) => row(shape, false)),
    { ...row(shapesOf(smooth).at(-1)!, false), note: 'of a view', f: (x) => f(transposed(x)) },
  ]
}

const squares = '1,1 2,3,3 4,4'
const otherSquares = '0,0 2,0,0 0,3,3 150,7,7'

const systems = (f: (a: Tensor, b: Tensor) => Tensor, note: string): OpCase[] =>
  [
    { shapes: '3,3 3,2', differentiable: true },
    { shapes: '2,2,2 2,2,1', differentiable: true },
    { shapes: '0,0 0,2', differentiable: false },
    { shapes: '2,2 2,0', differentiable: false },
    { shapes: '60,9,9 60,9,5', differentiable: false },
  ].map(({ shapes, differentiable }) => ({
    note,
    inputs: shapesOf(shapes).map((shape) => operand(shape)),
    f: (a: Tensor, b: Tensor) => f(regular(a), b),
    contract: exactly,
    differentiable,
  }))

const singular: OpCase = {
  note: 'singular, and not finite',
  inputs: [operand([3, 2, 2], [1, 2, 2, 4, 0, 0, 0, 0, 1, Infinity, NaN, 1])],
  f: (x) => [linalg.solve(x, x), ...Object.values(linalg.slogdet(x)), linalg.det(x), linalg.cholesky(x)],
  contract: { ulps: 1 },
}

const special = (f: Decomposition): OpCase => ({
  note: 'of low rank, and not finite',
  inputs: [operand([4, 3, 2], [1, 2, 2, 4, 3, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, NaN, 1, 2, Infinity, 0, 1])],
  f,
  contract: exactly,
})

const rectangles = '3,3 2,4,2 2,4 1,1'
const otherRectangles = '0,2 2,0 3,1,0 80,9,5 80,5,9'

/** What pinv makes of its singular values is a handful of roundings, of numbers that its matrix product enlarges. */
const productContract: CaseContract = { depth: 16, magnitude: (x) => linalg.pinv(x).abs().mul(4).add(1) }

const leastSquares = (shapes: string, part: Partial<OpCase>): OpCase => ({
  inputs: shapesOf(shapes).map((shape) => operand(shape)),
  f: (a, b) => linalg.lstsq(a, b).solution,
  contract: {
    depth: 64,
    magnitude: (a, b) => linalg.lstsq(a, b).solution.mul(0).add(linalg.pinv(a).abs().max().mul(b.abs().sum()).add(1)),
  },
  ...part,
})

const orders: readonly linalg.MatrixNormOrder[] = ['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity]

export const linalgCases = {
  cholesky: [...rows((x) => linalg.cholesky(positiveDefinite(x)), squares, otherSquares), singular],
  triangularSolve: [
    ...systems((a, b) => linalg.triangularSolve(a, b), 'lower'),
    ...[
      { lower: false },
      { transpose: true },
      { lower: false, transpose: true, unitDiagonal: true },
      { unitDiagonal: true },
    ].map(
      (options): OpCase => ({
        note: JSON.stringify(options),
        inputs: [operand([2, 3, 3]), operand([3, 2])],
        f: (a, b) => linalg.triangularSolve(regular(a), b, options),
        contract: exactly,
        differentiable: true,
      }),
    ),
  ],
  solve: [
    ...systems(linalg.solve, 'solve'),
    {
      note: 'of a vector',
      inputs: [operand([2, 4, 4]), operand([4])],
      f: (a, b) => linalg.solve(regular(a), b),
      contract: exactly,
      differentiable: true,
    },
  ],
  determinant: rows((x) => linalg.det(regular(x)), squares, otherSquares),
  determinantSign: rows((x) => linalg.slogdet(x).sign, squares, otherSquares),
  logDeterminant: rows((x) => linalg.slogdet(regular(x)).logAbsDet, squares, otherSquares, {
    depth: 8,
    magnitude: (x) => linalg.det(x).mul(0).add(4),
  }),
  luP: rows((x) => linalg.lu(x).p, '3,3 2,4,2', '0,2 2,0 80,9,5 80,5,9'),
  luL: [...rows((x) => linalg.lu(x).l, rectangles, otherRectangles), special((x) => Object.values(linalg.lu(x)))],
  luU: rows((x) => linalg.lu(x).u, rectangles, otherRectangles),
  lu: rows((x) => linalg.lu(x).u, '3,3', '3,2,2'),
  matrixExp: [
    ...rows((x) => linalg.matrixExp(x), '2,2,2 3,3 1,1', otherSquares),
    ...rows((x) => linalg.matrixExp(x.mul(9)), '2,2', '40,3,3'),
    {
      note: 'zero, and not finite',
      inputs: [operand([3, 2, 2], [0, 0, 0, 0, 1, Infinity, 0, 1, NaN, 0, 0, 0])],
      f: linalg.matrixExp,
      contract: exactly,
    },
  ],
  leastSquares: ['4,2 4,3', '2,4 2,1', '2,3,3 3,2', '5,2 5'].map((shapes) =>
    leastSquares(shapes, { differentiable: true }),
  ),
  lstsq: [
    ...['0,2 0,3', '2,0 2,1'].map((shapes) => leastSquares(shapes, { contract: exactly })),
    leastSquares('60,7,4 60,7,2', {}),
    leastSquares('4,3 4,2', { note: 'of low rank', inputs: [operand([4, 3], [1, 2, 3, 2, 4, 6]), operand([4, 2])] }),
  ],
  eigvalsh: rows((x) => linalg.eigvalsh(symmetric(x)), '3,3', '3,3,3'),
  matrixNorm: orders.flatMap((order): OpCase[] => [
    {
      note: String(order),
      inputs: [operand([2, 3, 4])],
      f: (x) => linalg.matrixNorm(x, { order }),
      contract: { depth: 12 },
      differentiable: true,
    },
    {
      note: `${order}, other axes`,
      inputs: [operand([3, 2, 2])],
      f: (x) => linalg.matrixNorm(x, { order, axes: [2, 0], keepDims: true }),
      contract: { depth: 12 },
      differentiable: true,
    },
  ]),
  cond: orders.map((order) => ({
    note: String(order),
    inputs: [operand([2, 3, 3])],
    f: (x) => linalg.cond(regular(x), { order }),
    contract: { depth: 64, magnitude: (x) => linalg.cond(regular(x), { order }).add(9) },
    differentiable: true,
  })),
  multiDot: ['3,4 4,2', '2,3 3,4 4,1 1,3', '3 3,4 4', '2,3 3,5 5'].map((shapes) => ({
    inputs: shapesOf(shapes).map((shape) => operand(shape)),
    f: (...xs) => linalg.multiDot(xs),
    contract: { depth: 12 },
    differentiable: true,
  })),
  qrQ: [...rows((x) => linalg.qr(x).q, rectangles, otherRectangles), special((x) => Object.values(linalg.qr(x)))],
  qrR: rows((x) => linalg.qr(x).r, rectangles, otherRectangles),
  eighValues: rows((x) => linalg.eigh(symmetric(x)).values, squares, otherSquares),
  eighVectors: rows((x) => linalg.eigh(symmetric(x)).vectors, squares, otherSquares),
  svdU: [...rows((x) => linalg.svd(x).u, rectangles, otherRectangles), special((x) => Object.values(linalg.svd(x)))],
  svdS: rows((x) => linalg.svd(x).s, rectangles, otherRectangles),
  svdVh: rows((x) => linalg.svd(x).vh, rectangles, otherRectangles),
  inverse: rows((x) => linalg.inverse(regular(x)), '3,3', '0,0 80,5,5'),
  det: rows((x) => linalg.det(regular(x)), '3,3', '3,3,3'),
  slogdet: rows((x) => linalg.slogdet(regular(x)).logAbsDet, '3,3', '3,3,3', {
    depth: 8,
    magnitude: (x) => linalg.det(x).mul(0).add(4),
  }),
  qr: rows((x) => linalg.qr(x).r, '3,2', '3,3,2'),
  svd: rows((x) => linalg.svd(x).s, '3,2', '3,3,2'),
  eigh: rows((x) => linalg.eigh(symmetric(x)).values, '3,3', '3,3,3'),
  matrixRank: [special(linalg.matrixRank)],
  matrixPower: [3, 0, -1].flatMap((n) =>
    rows((x) => linalg.matrixPower(regular(x), n), '3,3', '3,3,3', {
      depth: 9,
      magnitude: (x) => linalg.matrixPower(regular(x), Math.abs(n)).abs().add(1),
    }),
  ),
  pinv: rows(linalg.pinv, '3,3 2,4,2 2,4', '80,5,3', productContract),
} satisfies Record<string, readonly OpCase[]>
