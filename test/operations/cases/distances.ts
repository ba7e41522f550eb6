/** Rows of distances, directions and angles. */
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { type OpCase, operand, type Range, shapesOf } from '../../support/cases.ts'

/** Apart, so that no difference is 0. */
const [low, high]: Range[] = [
  { low: -2, high: -0.5 },
  { low: 0.5, high: 2 },
]

const distances = (order: number): OpCase[] => [
  {
    note: `order ${order}`,
    inputs: [operand([3, 4], low), operand([2, 4], high)],
    f: (x, y) => g.cdist(x, y, { order }),
    contract: { depth: 16, magnitude: (x, y) => g.cdist(x.abs(), y.abs().neg(), { order }) },
    differentiable: order > 0,
  },
  {
    note: `order ${order}`,
    inputs: [operand([2, 1, 3, 5], low), operand([4, 2, 5], high)],
    f: (x, y) => g.cdist(x, y, { order }),
    contract: { depth: 16, magnitude: (x, y) => g.cdist(x.abs(), y.abs().neg(), { order }) },
  },
]

export const distanceCases = {
  cdist: [2, 1, Infinity, 3, 1.5, 0].flatMap(distances),
  normalize: [
    ...shapesOf('5 3,4 2,3,2').map((shape) => ({
      note: 'order 2',
      inputs: [operand(shape, high)],
      f: (x: Tensor) => g.normalize(x),
    })),
    { note: 'order 1', inputs: [operand([3, 4], high)], f: (x: Tensor) => g.normalize(x, { order: 1, axis: 0 }) },
    { note: 'no epsilon', inputs: [operand([3, 4], low)], f: (x: Tensor) => g.normalize(x, { epsilon: 0 }) },
    { note: 'short ones', inputs: [operand([3, 4], low)], f: (x: Tensor) => g.normalize(x, { epsilon: 9 }) },
  ].map((row): OpCase => ({ ...row, contract: { ulps: 8 }, differentiable: true })),
  cosineSimilarity: [
    ...['5 5', '2,4 4', '3,1,4 2,4'].map((shapes) => ({ shapes, axis: -1, epsilon: 1e-8 })),
    { shapes: '3,2 3,2', axis: 0, epsilon: 0 },
    { shapes: '3,2 3,2', axis: 0, epsilon: 9 },
  ].map(
    ({ shapes, axis, epsilon }): OpCase => ({
      note: `axis ${axis}, epsilon ${epsilon}`,
      inputs: shapesOf(shapes).map((shape) => operand(shape)),
      f: (x, y) => g.cosineSimilarity(x, y, { axis, epsilon }),
      contract: { depth: 36, magnitude: (x, y) => g.cosineSimilarity(x, y, { axis }).mul(0).add(1) },
      differentiable: true,
    }),
  ),
  trapezoid: [
    { shapes: '6', f: (y: Tensor) => g.trapezoid(y) },
    { shapes: '3,4', f: (y: Tensor) => g.trapezoid(y, undefined, { axis: 0, spacing: 0.3 }) },
    { shapes: '2,5 5', f: (y: Tensor, x: Tensor) => g.trapezoid(y, x) },
    { shapes: '4,3 4', f: (y: Tensor, x: Tensor) => g.trapezoid(y, x, { axis: 0 }) },
    { shapes: '4,3 4,1', f: (y: Tensor, x: Tensor) => g.trapezoid(y, x, { axis: 0 }) },
    { shapes: '2,1', f: (y: Tensor) => g.trapezoid(y) },
    { shapes: '0,4', f: (y: Tensor) => g.trapezoid(y) },
  ].map(
    ({ shapes, f }): OpCase => ({
      inputs: shapesOf(shapes).map((shape) => operand(shape)),
      f,
      contract: { depth: 36, magnitude: (...xs) => f(xs[0]!, xs[1]!).mul(0).add(xs[0]!.abs().sum().mul(4)) },
      differentiable: true,
    }),
  ),
} satisfies Record<string, readonly OpCase[]>
