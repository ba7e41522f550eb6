/** Einsum and tensor products: mistakes, dtypes, and what they are computed with. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const x = g.ones([2, 3])
const y = g.ones([3, 4])
const batched = g.ones([5, 2, 3])

type Mistake = [message: string, run: () => unknown]

const mistakes: readonly Mistake[] = [
  ["einsum: expected 2 operands for 'ij,jk->ik', got 1", () => g.einsum('ij,jk->ik', x)],
  ["einsum: expected 3 axes for 'ijk', got [2, 3]", () => g.einsum('ijk->i', x)],
  ["einsum: expected 1 axes for 'i', got [2, 3]", () => g.einsum('i', x)],
  ['einsum: expected one extent for j, got 3 and 2', () => g.einsum('ij,jk', x, x)],
  ['einsum: expected one extent for the ellipsis, got 3 and 4', () => g.einsum('i...,k...', x, y)],
  ['einsum: expected one extent for i, got 3 and 1', () => g.einsum('ii', g.ones([3, 1]))],
  ["einsum: expected letters of the operands, each once, as the result, got 'ik'", () => g.einsum('ij->ik', x)],
  ["einsum: expected letters of the operands, each once, as the result, got 'ii'", () => g.einsum('ij->ii', x)],
  ["einsum: expected letters and at most one ellipsis, got 'i.'", () => g.einsum('i.', x)],
  ["einsum: expected letters and at most one ellipsis, got '......'", () => g.einsum('......', g.ones([2, 3, 4]))],
  ["einsum: expected at most one arrow, got 'i->i->i'", () => g.einsum('i->i->i', [1])],
  ['tensordot: expected distinct axes of the same extents, got [2, 3] and [3, 4]', () => g.tensordot(x, y)],
  ['tensordot: expected a count of axes of [2, 3] and [3, 4], got 3', () => g.tensordot(x, y, 3)],
  ['tensordot: expected an axis in [-2, 2), got 2', () => g.tensordot(x, y, [[2], [0]])],
  ['dot: expected vectors, got [2, 3]', () => g.dot(x, [1, 2])],
  ['outer: expected vectors, got [2, 3]', () => g.outer([1], x)],
  ['vecdot: expected one extent on axis -1, got [2] and [1]', () => g.vecdot([1, 2], [1])],
  ['cross: expected 3 elements on axis 0, got [2, 3]', () => x.cross(x, 0)],
]

test.each(mistakes)('%s', (message, run) => {
  expect(run).toThrow(g.ShapeError)
  expect(run).toThrow(message)
})

/** The instructions that evaluate a product of placeholders. */
const opcodes = (f: (...xs: g.Tensor[]) => g.Tensor, ...xs: g.Tensor[]): string[] =>
  g.inspect(f, ...xs).instructions.map(({ opcode }) => opcode)

describe('a pair of operands is one product of matrices', () => {
  test.each<[string, g.Tensor[]]>([
    ['ij,jk->ik', [x, y]],
    ['ij,kj->ik', [x, g.ones([4, 3])]],
    ['bij,jk->bik', [batched, y]],
    ['bij,bkj->bik', [batched, g.ones([5, 4, 3])]],
  ])('%s', (expression, xs) => {
    expect(opcodes((...ys) => g.einsum(expression, ...ys), ...xs)).toEqual(['matmul'])
  })
})

test('integers stay integers', () => {
  const counts = g.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: 'int32' },
  )
  const product = g.einsum('ij,jk', counts, counts)
  expect(product.dtype).toBe('int32')
  expect(product.arraySync()).toEqual([
    [7, 10],
    [15, 22],
  ])
})

test('spaces do not matter', () => {
  expect(g.einsum(' i j , j k -> i k ', x, y).shape).toEqual([2, 4])
})

test('an ellipsis that the result leaves out is summed', () => {
  expect(g.einsum('...i->i', batched).arraySync()).toEqual([10, 10, 10])
})
