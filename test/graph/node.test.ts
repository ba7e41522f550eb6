import { beforeAll, describe, expect, test } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { structureOf } from '../../lib/graph/structure.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { gradients } from '../../lib/transforms/gradients.ts'

beforeAll(() => setBackend('reference'))

const hashOf = (...tensors: Tensor[]): number => structureOf(tensors.map(nodeOf)).hash

const matrix = (by = 1) =>
  tensor([
    [by, 2],
    [3, 4],
  ])

describe('the hash of a structure', () => {
  test('is equal for equal structures, whatever the data', () => {
    const f = (x: Tensor) => x.matmul(x.transpose()).add(2).sum(0).softmax()
    expect(hashOf(f(matrix(1)))).toBe(hashOf(f(matrix(5))))
    expect(hashOf(f(matrix(1)), f(matrix(2)))).toBe(hashOf(f(matrix(3)), f(matrix(4))))
  })

  test('is equal for equal structures, whatever the numbers', () => {
    const f = (n: number) => matrix().add(n).sub(-n).mul(tensor(n))
    expect([0, -0, NaN, 2.5].map((n) => hashOf(f(n)))).toEqual(Array.from({ length: 4 }, () => hashOf(f(1))))
  })

  test('tells structures apart by operation, parameter, shape, dtype, wiring and results', () => {
    const [x, y] = [matrix(), matrix()]
    const structures = [
      [x.add(2)],
      [x.sub(2)],
      [x.leakyRelu(2)],
      [x.leakyRelu(3)],
      [x.leakyRelu(-2)],
      [x.leakyRelu(0)],
      [x.leakyRelu(-0)],
      [x.add(2).add(2)],
      [x.reshape([4]).add(2)],
      [x.reshape([1, 4]).add(2)],
      [tensor([1, 2, 3, 4]).add(2)],
      [tensor([1, 2, 3]).add(2)],
      [tensor([[1, 2, 3, 4]]).add(2)],
      [matrix().cast('float64').add(2)],
      [
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { dtype: 'float64' },
        ).add(2),
      ],
      [
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { dtype: 'int32' },
        ).add(2),
      ],
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
    const v = variable([
      [1, 2],
      [3, 4],
    ]).mul(3)
    const recorded = v.add(1)
    expect(hashOf(recorded)).not.toBe(hashOf(matrix().add(1)))
    v.dataSync()
    expect(hashOf(recorded)).toBe(hashOf(matrix().add(1)))
  })
})

test('a graph as text', () => {
  const [x, w] = [
    tensor([[1, 2]]),
    variable([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ]
  const loss = x
    .matmul(w)
    .add([1, 2, 3])
    .relu()
    .softmaxCrossEntropy(tensor([2], { dtype: 'int32' }))
    .mean()
  expect(loss.graph()).toMatchInlineSnapshot(`
    "%0: float32[1,2] = data
    %1: float32[2,3] = data
    %2: float32[1,3] = matmul %0 %1
    %3: float32[3] = data
    %4: float32[1,3] = broadcastTo %3 { shape: [1, 3] }
    %5: float32[1,3] = add %2 %4
    %6: float32[1,3] = relu %5
    %7: int32[1] = data
    %8: float32[1] = softmaxCrossEntropy %6 %7
    %9: float32[1] = sum %8 { axes: [0] }
    %10: float32[] = reshape %9 { shape: [] }
    %11: float32[] = literal { value: 1, weak: false }
    %12: float32[] = div %10 %11"
  `)
  expect(gradients(loss, [w])[0].graph()).toMatchInlineSnapshot(`
    "%0: float32[1,2] = data
    %1: float32[2,1] = permute %0 { axes: [1, 0] }
    %2: float32[2,3] = data
    %3: float32[1,3] = matmul %0 %2
    %4: float32[3] = data
    %5: float32[1,3] = broadcastTo %4 { shape: [1, 3] }
    %6: float32[1,3] = add %3 %5
    %7: float32[1,3] = relu %6
    %8: float32[1,3] = literal { value: 0, weak: false }
    %9: bool[1,3] = greater %7 %8
    %10: float32[] = literal { value: 1, weak: false }
    %11: float32[] = literal { value: 1, weak: false }
    %12: float32[] = div %10 %11
    %13: float32[1] = reshape %12 { shape: [1] }
    %14: float32[1,1] = reshape %13 { shape: [1, 1] }
    %15: float32[1,3] = broadcastTo %14 { shape: [1, 3] }
    %16: int32[1] = data
    %17: float32[1,3] = softmaxCrossEntropyGradient %7 %16
    %18: float32[1,3] = mul %15 %17
    %19: float32[1,3] = literal { value: 0, weak: false }
    %20: float32[1,3] = where %9 %18 %19
    %21: float32[2,3] = matmul %1 %20"
  `)
})
