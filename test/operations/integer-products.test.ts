/** Products of integers are exact and wrap, as numpy's of int32; tensors of several dtypes meet in the one they promote to. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const int32 = (values: g.TensorValues): g.Tensor => g.tensor(values, { dtype: 'int32' })

describe.each(backendNames)('%s', (name) => {
  beforeAll(() => g.setBackend(name))

  const products: Readonly<Record<string, readonly [() => g.Tensor, g.DType, g.NestedArray]>> = {
    'beyond what floats hold': [() => int32([[16777217, 1]]).matmul(int32([[3], [1]])), 'int32', [[50331652]]],
    'that wrap': [() => int32([[2 ** 30, 3]]).matmul(int32([[4], [5]])), 'int32', [[15]]],
    'that wrap below': [() => int32([[2 ** 31 - 1, 1]]).matmul(int32([[2], [-1]])), 'int32', [[-3]]],
    'of nothing': [
      () => g.zeros([2, 0], { dtype: 'int32' }).matmul(g.zeros([0, 1], { dtype: 'int32' })),
      'int32',
      [[0], [0]],
    ],
    'of vectors': [() => int32([1, 2, 3]).matmul(int32([4, 5, 6])), 'int32', 32],
    'of bytes, which widen': [
      () => g.tensor([[200, 2]], { dtype: 'uint8' }).matmul(g.tensor([[200], [4]], { dtype: 'uint8' })),
      'int32',
      [[40008]],
    ],
    'of bytes and int32': [() => g.tensor([[200]], { dtype: 'uint8' }).matmul(int32([[-3]])), 'int32', [[-600]]],
    'of booleans': [() => g.tensor([[true, true]]).matmul(g.tensor([[true], [true]])), 'int32', [[2]]],
    'of int32 and floats': [() => int32([[1, 2]]).matmul([[0.5], [0.25]]), 'float32', [[1]]],
    'with a bias and an activation': [
      () =>
        int32([[1, -2]])
          .matmul(
            int32([
              [3, 1],
              [1, 4],
            ]),
          )
          .add(int32([1, 2]))
          .relu(),
      'int32',
      [[2, 0]],
    ],
    'by einsum': [() => g.einsum('ij,jk->ik', int32([[2 ** 30, 3]]), int32([[4], [5]])), 'int32', [[15]]],
    'of batches': [
      () => int32([[[1, 2]], [[3, 4]]]).matmul(int32([[1], [2 ** 30]])),
      'int32',
      [[[1 + 2 ** 31 - 2 ** 32]], [[3]]],
    ],
  }
  test.each(Object.entries(products))('products %s', (_, [product, dtype, values]) => {
    expect([product().dtype, product().arraySync()]).toEqual([dtype, values])
    expect(g.compile(product).sync().arraySync()).toEqual(values)
  })

  test.each([
    [() => g.concat([int32([16777217]), g.tensor([1.5])]), 'float32', [16777216, 1.5]],
    [() => g.concat([g.tensor([1.5]), int32([2])]), 'float32', [1.5, 2]],
    [() => g.concat([g.tensor([7], { dtype: 'uint8' }), int32([-2]), g.tensor([true])]), 'int32', [7, -2, 1]],
    [() => g.concat([g.tensor([true]), g.tensor([7], { dtype: 'uint8' })]), 'uint8', [1, 7]],
    [() => g.stack([int32(1), g.tensor(1.5)]), 'float32', [1, 1.5]],
  ] as const)('%s', (join, dtype, values) => {
    expect([join().dtype, join().arraySync()]).toEqual([dtype, values])
  })

  test('the gradient of a part is of its dtype, and only of floats', () => {
    const y = g.grad((x) =>
      g
        .concat([int32([1, 2]), x])
        .mul([1, 2, 3, 4])
        .sum(),
    )([5, 6])
    expect([y.dtype, y.arraySync()]).toEqual(['float32', [3, 4]])
  })
})
