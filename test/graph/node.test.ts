import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { tensor } from '../../lib/creation.ts'
import { pendingInputs, structuralHash, topologicalOrder } from '../../lib/graph/node.ts'
import type { Tensor } from '../../lib/tensor.ts'
import { gradients } from '../../lib/gradients.ts'
import { variable } from '../../lib/variable.ts'

beforeAll(() => setBackend('reference'))

function hashOf(...tensors: Tensor[]): number {
  const roots = tensors.map(({ node }) => node)
  const order = topologicalOrder(roots, pendingInputs)
  return structuralHash(order, new Map(order.map((node, i) => [node, i])), roots)
}

const matrix = (by = 1) => tensor([[by, 2], [3, 4]])

describe('the hash of a structure', () => {
  test('is equal for equal structures, whatever the data', () => {
    const f = (x: Tensor) => x.matmul(x.transpose()).add(2).sum(0).softmax()
    expect(hashOf(f(matrix(1)))).toBe(hashOf(f(matrix(5))))
    expect(hashOf(f(matrix(1)), f(matrix(2)))).toBe(hashOf(f(matrix(3)), f(matrix(4))))
  })

  test('tells structures apart by operation, number, parameter, shape, dtype, wiring and results', () => {
    const [x, y] = [matrix(), matrix()]
    const structures = [
      [x.add(2)],
      [x.sub(2)],
      [x.add(3)],
      [x.add(-2)],
      [x.add(2).add(2)],
      [x.add(0)],
      [x.add(-0)],
      [x.reshape([4]).add(2)],
      [x.reshape([1, 4]).add(2)],
      [tensor([1, 2, 3, 4]).add(2)],
      [tensor([1, 2, 3]).add(2)],
      [tensor([[1, 2, 3, 4]]).add(2)],
      [matrix().cast('float64').add(2)],
      [tensor([[1, 2], [3, 4]], { dtype: 'float64' }).add(2)],
      [tensor([[1, 2], [3, 4]], { dtype: 'int32' }).add(2)],
      [x.sum(0)],
      [x.sum(1)],
      [x.sum([0, 1])],
      [x.sum(0, { keepDims: true }).sum(1)],
      [x.max(0)],
      [x.sub(y)],
      [y.sub(x.sub(y))],
      [x.sub(x.sub(y))],
      [x.sub(x)],
      [x.slice([0, 0], [1, 2])],
      [x.slice([1, 0], [2, 2])],
      [x.add(2), x.sub(2)],
      [x.sub(2), x.add(2)],
      [x.sub(2), x.sub(2)],
    ]
    expect(new Set(structures.map((tensors) => hashOf(...tensors))).size).toBe(structures.length)
  })

  test('takes what has a value for a leaf', () => {
    const x = matrix().mul(3).exp()
    x.dataSync()
    expect(hashOf(x.add(1))).toBe(hashOf(matrix().add(1)))
    const v = variable([[1, 2], [3, 4]]).mul(3)
    const recorded = v.add(1)
    expect(hashOf(recorded)).not.toBe(hashOf(matrix().add(1)))
    v.dataSync()
    expect(hashOf(recorded)).toBe(hashOf(matrix().add(1)))
  })
})

test('a graph as text', () => {
  const [x, w] = [tensor([[1, 2]]), variable([[1, 2, 3], [4, 5, 6]])]
  const loss = x.matmul(w).add([1, 2, 3]).relu().softmaxCrossEntropy(tensor([2], { dtype: 'int32' })).mean()
  expect(loss.graph()).toMatchInlineSnapshot()
  expect(gradients(loss, [w])[0].graph()).toMatchInlineSnapshot()
})
