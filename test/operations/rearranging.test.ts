/** Elements in other places: what parity and gradients cannot tell, edge cases and mistakes. */
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const values = (x: g.Tensor): g.NestedArray => x.arraySync()
const x = g.tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const vector = g.tensor([1, 2, 3, 4])
const float64 = g.tensor([1, 2], { dtype: 'float64' })

interface Example {
  readonly of: () => g.Tensor
  readonly is: g.NestedArray
}

type Mistake = [message: string, error: abstract new (...args: never[]) => Error, run: () => unknown]

describe.each(backendNames)('on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  const examples: Readonly<Record<string, Example>> = {
    'roll moves elements on': { of: () => vector.roll(1), is: [4, 1, 2, 3] },
    'roll by more than all': { of: () => vector.roll(-9), is: [2, 3, 4, 1] },
    'tile sets x side by side': {
      of: () => g.tile([1, 2], [2, 2]),
      is: [
        [1, 2, 1, 2],
        [1, 2, 1, 2],
      ],
    },
    'repeat sets elements side by side': { of: () => g.repeat([1, 2], 2), is: [1, 1, 2, 2] },
    'repeat by a count of each': { of: () => g.repeat([1, 2, 3], [0, 1, 2]), is: [2, 3, 3] },
    'pad reflects without the outermost': {
      of: () => g.pad([1, 2, 3], 2, { mode: 'reflect' }),
      is: [3, 2, 1, 2, 3, 2, 1],
    },
    'pad repeats the outermost': { of: () => g.pad([1, 2, 3], [2, 1], { mode: 'edge' }), is: [1, 1, 1, 2, 3, 3] },
    'two pairs of a matrix are of its axes': {
      of: () =>
        x.pad([
          [0, 1],
          [1, 0],
        ]),
      is: [
        [0, 1, 2, 3],
        [0, 4, 5, 6],
        [0, 0, 0, 0],
      ],
    },
    'pad with NaN': { of: () => g.pad([1], [1, 0], { value: Number.NaN }), is: [Number.NaN, 1] },
    'diag below': {
      of: () => g.diag([1, 2], -1),
      is: [
        [0, 0, 0],
        [1, 0, 0],
        [0, 2, 0],
      ],
    },
    'triu of a wide matrix': {
      of: () => x.triu(1),
      is: [
        [0, 2, 3],
        [0, 0, 6],
      ],
    },
    'tril keeps bool': {
      of: () => g.ones([2, 2], { dtype: 'bool' }).tril(),
      is: [
        [true, false],
        [true, true],
      ],
    },
    'triu drops NaN and infinities': {
      of: () => g.full([2, 2], Infinity).triu(),
      is: [
        [Infinity, Infinity],
        [0, Infinity],
      ],
    },
    'trace of bool counts': { of: () => g.trace(g.ones([3, 3], { dtype: 'bool' })), is: 3 },
    'at an index from the end': { of: () => x.at(-1, 0), is: 4 },
    'the last of several updates stays': {
      of: () => vector.putAlongAxis([0, 2, 0], [10, 20, 30], 0),
      is: [30, 2, 20, 4],
    },
    'updates of a row add up': { of: () => vector.scatterAddAlongAxis([3, 3], [1, 10], 0), is: [1, 2, 3, 15] },
    'the last of several rows stays': {
      of: () =>
        g.scatter(
          [
            [1, 1],
            [2, 2],
          ],
          [1, 1],
          [
            [3, 4],
            [5, 6],
          ],
        ),
      is: [
        [1, 1],
        [5, 6],
      ],
    },
    'take of several axes': {
      of: () =>
        x.take(
          [
            [2, 0],
            [1, 1],
          ],
          1,
        ),
      is: [
        [
          [3, 1],
          [2, 2],
        ],
        [
          [6, 4],
          [5, 5],
        ],
      ],
    },
    'a quarter from the first axis to the second': {
      of: () => x.rot90(),
      is: [
        [3, 6],
        [2, 5],
        [1, 4],
      ],
    },
    'four quarters are none': { of: () => x.rot90(-8), is: values(x) },
    'diagEmbed of integers below': {
      of: () => g.tensor([1, 2], { dtype: 'int32' }).diagEmbed({ offset: -1 }),
      is: [
        [0, 0, 0],
        [1, 0, 0],
        [0, 2, 0],
      ],
    },
    'updates of an index add up': { of: () => g.zeros([3], { dtype: 'int32' }).indexAdd([0, 2, 0], 7), is: [14, 0, 7] },
    'a number fills columns': {
      of: () => x.indexFill([0, -0, 2], 0, 1),
      is: [
        [0, 2, 0],
        [0, 5, 0],
      ],
    },
    'true fills truths': { of: () => g.zeros([3], { dtype: 'bool' }).indexFill([1], 1), is: [false, true, false] },
    'values at positions': {
      of: () =>
        g.zeros([2, 3]).indexPut(
          [
            [0, 1],
            [2, 0],
          ],
          [5, 6],
        ),
      is: [
        [0, 0, 5],
        [6, 0, 0],
      ],
    },
    'the last of several values stays': { of: () => vector.indexPut([[1, 1, 1]], [7, 8, 9]), is: [1, 9, 3, 4] },
    'or they add up': { of: () => vector.indexPut([[1, 1]], 10, { accumulate: true }), is: [1, 22, 3, 4] },
    'the greatest of updates and x': { of: () => vector.scatterReduce([0, 0], [5, -6], 0, 'amax'), is: [5, 2, 3, 4] },
    'the greatest of updates alone': {
      of: () => vector.scatterReduce([3, 3, 0], [-5, -6, -7], 0, 'amax', { includeSelf: false }),
      is: [-7, 2, 3, -5],
    },
    'the least with NaN': {
      of: () => vector.scatterReduce([0, 0, 1, 2], [Number.NaN, -Infinity, Infinity, -Infinity], 0, 'amin'),
      is: [Number.NaN, 2, -Infinity, 4],
    },
    'the least of int32': {
      of: () =>
        g
          .zeros([2], { dtype: 'int32' })
          .scatterReduce([0, 0, 1], g.tensor([5, -(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' }), 0, 'amin', {
            includeSelf: false,
          }),
      is: [-(2 ** 31), 2 ** 31 - 1],
    },
    'the product with 0': { of: () => vector.scatterReduce([1, 1, 3], [0, 5, 2], 0, 'prod'), is: [1, 0, 3, 8] },
    'the mean of integers is real': {
      of: () => g.tensor([1, 2], { dtype: 'int32' }).scatterReduce([0], g.tensor([2], { dtype: 'int32' }), 0, 'mean'),
      is: [1.5, 2],
    },
    'elements of a mask': { of: () => x.booleanMaskSync(x.greater(2)), is: [3, 4, 5, 6] },
    'rows of a mask': { of: () => x.booleanMaskSync([false, true]), is: [[4, 5, 6]] },
    'indices of what is not 0': {
      of: () =>
        g.nonzeroSync([
          [0, 1],
          [Number.NaN, 0],
        ]),
      is: [
        [0, 1],
        [1, 0],
      ],
    },
    'a scalar that is not 0': { of: () => g.nonzeroSync(3).sum(), is: 0 },
    'a mask fills': {
      of: () => x.maskedFill([true, false, true], -1),
      is: [
        [-1, 2, -1],
        [-1, 5, -1],
      ],
    },
  }

  test.each(Object.entries(examples))('%s', (_, example) => {
    expect(values(example.of())).toEqual(example.is)
  })

  test('shapes of what holds nothing', () => {
    expect(g.nonzeroSync(g.zeros([2, 3])).shape).toEqual([0, 2])
    expect(g.nonzeroSync(3).shape).toEqual([1, 0])
    expect(g.tile(g.ones([2, 0]), [3, 2]).shape).toEqual([6, 0])
    expect(g.zeros([0, 3]).roll(2, 0).shape).toEqual([0, 3])
    expect(g.unstack(g.zeros([0, 3]))).toEqual([])
    expect(g.chunk(g.zeros([0, 3]), 4).map(({ shape }) => shape)).toEqual([[0, 3]])
  })

  test('the gradient of a product where factors are 0, and its own', () => {
    const product = (u: g.Tensor) => g.ones([1]).scatterReduce([0, 0, 0], u, 0, 'prod').sum()
    expect(values(g.grad(product)([0, 3, 5]) as g.Tensor)).toEqual([15, 0, 0])
    expect(values(g.hessian(product)([0, 0, 5]))).toEqual([
      [0, 5, 0],
      [5, 0, 0],
      [0, 0, 0],
    ])
  })

  test('parts as of array_split', () => {
    const five = g.arange(5)
    expect(g.tensorSplit(five, 3).map(values)).toEqual([[0, 1], [2, 3], [4]])
    expect(g.tensorSplit(five, 7).map(({ size }) => size)).toEqual([1, 1, 1, 1, 1, 0, 0])
    expect(g.tensorSplit(five, [3, 1, -1, 99]).map(values)).toEqual([[0, 1, 2], [], [1, 2, 3], [4], []])
    expect(g.tensorSplit(five, []).map(values)).toEqual([[0, 1, 2, 3, 4]])
  })

  test('parts', () => {
    expect(g.chunk(g.arange(7), 3).map(values)).toEqual([[0, 1, 2], [3, 4, 5], [6]])
    expect(x.split([1, 2], 1).map(values)).toEqual([
      [[1], [4]],
      [
        [2, 3],
        [5, 6],
      ],
    ])
    expect(x.unbind(1).map(values)).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    expect(
      g
        .meshgrid([
          [1, 2, 3],
          [10, 20],
        ])
        .map(values),
    ).toEqual([
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [
        [10, 10, 10],
        [20, 20, 20],
      ],
    ])
  })

  test('off the event loop, the same', async () => {
    expect(values(await x.booleanMask(x.less(3)))).toEqual([1, 2])
    expect(values(await g.nonzero([0, 5, 0, 7]))).toEqual([[1], [3]])
  })

  test('a masked choice has the gradient of its elements', () => {
    const v = g.variable([1, 2, 3])
    const y = g.booleanMaskSync(v, v.greater(1)).square().sum()
    expect(values(g.gradients(y, [v])[0]!)).toEqual([0, 4, 6])
  })

  const mistakes: readonly Mistake[] = [
    [
      'takeAlongAxis: expected indices in [0, 3), got 3 at position 1',
      RangeError,
      () => x.takeAlongAxis([[0, 3]], 1).dataSync(),
    ],
    [
      'takeAlongAxis: expected indices in [0, 3), got -1 at position 0',
      RangeError,
      () => x.takeAlongAxis([[-1]], 1).dataSync(),
    ],
    [
      'scatterAlongAxis: expected indices in [0, 4), got 4 at position 1',
      RangeError,
      () => vector.putAlongAxis([1, 4], 0, 0).dataSync(),
    ],
    ['takeAlongAxis: expected indices in [0, 3), got 5 at position 1', RangeError, () => x.take([0, 5], 1).dataSync()],
    ['permute: expected a permutation of 2 axes, got [0, 0]', g.ShapeError, () => x.permute([0, 0])],
    ['swapAxes: expected an axis in [-2, 2), got 2', g.ShapeError, () => x.swapAxes(0, 2)],
    [
      'moveAxis: expected as many distinct sources as destinations, got [0, 0] to [0, 1]',
      g.ShapeError,
      () => x.moveAxis([0, 0], [0, 1]),
    ],
    ['flip: expected distinct axes, got [0, 0]', g.ShapeError, () => x.flip([0, -2])],
    ['roll: expected one shift without an axis, got 2', g.ShapeError, () => x.roll([1, 2])],
    ['roll: expected as many shifts as axes, got 2 and 1', g.ShapeError, () => x.roll([1, 2], 0)],
    ['roll: expected shifts that are integers, got 0.5', RangeError, () => x.roll(0.5)],
    ['tile: expected counts from 0 on, got -1', RangeError, () => x.tile([-1])],
    ['repeat: expected 3 counts, one for each element, got 2', g.ShapeError, () => x.repeat([1, 2], 1)],
    ['stack: expected at least one tensor, got none', g.ShapeError, () => g.stack([])],
    ['stack: expected [2, 3] everywhere, got [4]', g.ShapeError, () => g.stack([x, vector])],
    ['split: expected a count that divides the 3 elements of axis 1, got 2', g.ShapeError, () => x.split(2, 1)],
    [
      'split: expected sizes that add up to the 3 elements of axis 1, got [1, 1]',
      g.ShapeError,
      () => x.split([1, 1], 1),
    ],
    ['chunk: expected a positive count, got 0', RangeError, () => x.chunk(0)],
    ['meshgrid: expected vectors, got [2, 3]', g.ShapeError, () => g.meshgrid([x])],
    [
      "meshgrid: expected indexing 'xy' or 'ij', got yx",
      TypeError,
      () => g.meshgrid([vector], { indexing: 'yx' as never }),
    ],
    ['broadcastArrays: shapes [2, 3] and [4] do not broadcast', g.ShapeError, () => g.broadcastArrays(x, vector)],
    [
      'pad: expected a width of 0 or more before and after each of 2 axes, got [[1, 1]]',
      g.ShapeError,
      () => x.pad([[1, 1]]),
    ],
    ['pad: expected a width of 0 or more before and after each of 2 axes, got -1', g.ShapeError, () => x.pad(-1)],
    [
      'pad: expected less than the 2 elements of axis 0 to reflect, got 3',
      g.ShapeError,
      () => x.pad(3, { mode: 'reflect' }),
    ],
    ['pad: expected something on axis 0 to repeat, got [0]', g.ShapeError, () => g.zeros([0]).pad(1, { mode: 'edge' })],
    [
      "pad: expected mode 'constant', 'reflect' or 'edge', got wrap",
      RangeError,
      () => x.pad(1, { mode: 'wrap' as never }),
    ],
    ['triu: expected matrices, got [4]', g.ShapeError, () => vector.triu()],
    ['tril: expected a diagonal numbered by an integer, got 0.5', RangeError, () => x.tril(0.5)],
    ['diagonal: expected two different axes, got 1 and -1', g.ShapeError, () => x.diagonal({ axis1: 1 })],
    ['tensorSplit: expected a positive count or a list of indices, got 0', RangeError, () => g.tensorSplit(vector, 0)],
    [
      'tensorSplit: expected a positive count or a list of indices, got [0.5]',
      RangeError,
      () => vector.tensorSplit([0.5]),
    ],
    ['hstack: expected at least one tensor, got none', g.ShapeError, () => g.hstack([])],
    ['vstack: expected [1, 4] except on axis 0, got [2, 3]', g.ShapeError, () => g.vstack([vector, x])],
    ['rot90: expected two different axes, got [0, -2]', g.ShapeError, () => x.rot90(1, [0, -2])],
    ['rot90: expected an integer of quarters, got 0.5', RangeError, () => x.rot90(0.5)],
    ['rot90: expected an axis in [-1, 1), got 1', g.ShapeError, () => vector.rot90()],
    ['unflatten: expected a shape of 4 elements, got [3, -1]', g.ShapeError, () => vector.unflatten(0, [3, -1])],
    ['unflatten: expected a shape of 4 elements, got [-1, -1]', g.ShapeError, () => vector.unflatten(0, [-1, -1])],
    ['unflatten: expected a shape of 4 elements, got 4', TypeError, () => vector.unflatten(0, 4 as never)],
    ['diagEmbed: expected two different axes, got 1 and -1', g.ShapeError, () => vector.diagEmbed({ axis1: 1 })],
    ['diagEmbed: expected vectors, got []', g.ShapeError, () => g.diagEmbed(1)],
    ['indexAdd: expected an axis in [-2, 2), got Tensor', g.ShapeError, () => x.indexAdd(0, [0], vector as never)],
    ['indexAdd: expected int32 indices, got float32', g.DTypeError, () => vector.indexAdd(vector, 1)],
    ['indexAdd: expected a list of indices, got [1, 1]', g.ShapeError, () => vector.indexAdd([[0]], 1)],
    [
      'scatterAdd: expected indices in [0, 4), got 4 at position 0',
      RangeError,
      () => vector.indexAdd([4], 1).dataSync(),
    ],
    ['indexFill: expected one value, got [2]', g.ShapeError, () => x.indexFill(1, [0, 2], -1)],
    ['indexPut: expected a list of indices for each axis, got 0', TypeError, () => x.indexPut(0 as never, 1)],
    ['indexPut: expected indices of one to 2 axes, got 3', g.ShapeError, () => x.indexPut([0, 0, 0], 1)],
    ['gather: expected indices in [0, 3), got 3 at position 0', RangeError, () => x.indexPut([[0], [3]], 1).dataSync()],
    [
      "scatterReduce: expected a reduction 'sum', 'prod', 'mean', 'amax' or 'amin', got max",
      RangeError,
      () => vector.scatterReduce([0], [1], 0, 'max' as never),
    ],
    [
      'scatterReduce: expected updates of float32, got float64',
      g.DTypeError,
      () => vector.scatterReduce([0, 1], float64, 0, 'sum'),
    ],
    ['diag: expected a vector or a matrix, got []', g.ShapeError, () => g.diag(1)],
    ['select: expected an index in [-3, 3) of axis 1, got 3', RangeError, () => x.select(1, 3)],
    ['at: expected at most 2 indices, got 3', g.ShapeError, () => x.at(0, 0, 0)],
    ['scatter: expected updates [1, 3], got [1, 2]', g.ShapeError, () => g.scatter(x, [0], [[1, 2]])],
    ['booleanMaskSync: expected a bool mask, got float32', g.DTypeError, () => x.booleanMaskSync([1, 0])],
    [
      'booleanMaskSync: expected a mask of the first axes of [2, 3], got [1]',
      g.ShapeError,
      () => x.booleanMaskSync([true]),
    ],
    [
      'maskedFill: expected a shape that [4, 2, 3] broadcasts to, got [2, 3]',
      g.ShapeError,
      () => x.maskedFill(g.ones([4, 2, 3], { dtype: 'bool' }), 0),
    ],
    [
      'evaluate: expected a value that has data, got one recorded inside compile: return it from the function',
      TypeError,
      () => g.compile((y: g.Tensor) => g.nonzeroSync(y)).sync(x),
    ],
  ]

  test.each(mistakes)('%s', (message, error, run) => {
    expect(run).toThrow(error)
    expect(run).toThrow(message)
  })
})
