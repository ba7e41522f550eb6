/** Bad input to operations: what is thrown, when, and what stays as it was. */
import { totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

type Thrown = abstract new (...args: never[]) => Error

/** What to do, and the error that it gives. */
type Mistake = readonly [run: () => unknown, error: Thrown, message: string]

const { ShapeError, DTypeError, GradientError } = g
const x = g.ones([2, 3])
const y = g.ones([4])
const counts = g.tensor([1, 2], { dtype: 'int32' })

/** A value that the type system would refuse. */
const wrong = (value: unknown): never => value as never

function expectMistake([run, error, message]: Mistake): void {
  let thrown: unknown
  try {
    run()
  } catch (caught) {
    thrown = caught
  }
  expect(thrown).toBeInstanceOf(error)
  expect((thrown as Error).message).toBe(message)
}

const byMessage = (mistakes: readonly Mistake[]) => mistakes.map((mistake) => [mistake[2], mistake] as const)

function detached(): Float32Array {
  const array = new Float32Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const rank9 = Array.from({ length: 9 }, () => 1)

const [parameter, gradient] = [g.ones([2]), g.ones([2])]
const moments = { velocity: gradient, firstMoment: gradient, secondMoment: gradient }
const update = { parameter, gradient, ...moments, learningRate: 0.1, step: 1 }

const values: readonly Mistake[] = [
  [
    () => g.tensor([[1, 2], [3]]),
    ShapeError,
    'tensor: expected nested arrays of one shape (2 values on axis 1), got 1 values',
  ],
  [
    () => g.tensor([[1], [2, 3]]),
    ShapeError,
    'tensor: expected nested arrays of one shape (1 values on axis 1), got 2 values',
  ],
  [
    () => g.tensor([[1, 2], 3]),
    ShapeError,
    'tensor: expected nested arrays of one shape (2 values on axis 1), got a number',
  ],
  [
    () => g.tensor([1, [2]]),
    ShapeError,
    'tensor: expected nested arrays of one shape (no values on axis 1), got 1 values',
  ],
  [
    () => g.tensor([[[1]], [2]]),
    ShapeError,
    'tensor: expected nested arrays of one shape (1 values on axis 2), got a number',
  ],
  [() => g.tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, 'tensor: expected 4 values for shape [2, 2], got 3'],
  [
    () => g.tensor(wrong('one')),
    TypeError,
    'tensor: expected numbers, booleans, nested arrays of them or a typed array, got string',
  ],
  [
    () => g.tensor(wrong(null)),
    TypeError,
    'tensor: expected numbers, booleans, nested arrays of them or a typed array, got null',
  ],
  [
    () => g.tensor(wrong([1, undefined])),
    TypeError,
    'tensor: expected numbers, booleans, nested arrays of them or a typed array, got undefined',
  ],
  [
    () => g.tensor(wrong({ length: 2 })),
    TypeError,
    'tensor: expected numbers, booleans, nested arrays of them or a typed array, got object',
  ],
  [
    () => g.tensor(wrong(new BigInt64Array(2))),
    DTypeError,
    'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got a BigInt64Array',
  ],
  [
    () => g.tensor(wrong(new BigInt64Array(2)), { dtype: 'int32' }),
    DTypeError,
    'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got a BigInt64Array',
  ],
  [
    () => g.tensor(wrong(new DataView(new ArrayBuffer(8))), { dtype: 'uint8' }),
    DTypeError,
    'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got a DataView',
  ],
  [() => g.tensor(detached()), TypeError, 'tensor: expected an attached ArrayBuffer, got a detached one'],
  [() => g.tensor([detached()]), TypeError, 'tensor: expected an attached ArrayBuffer, got a detached one'],
  [() => x.add(detached()), TypeError, 'add: expected an attached ArrayBuffer, got a detached one'],
  [
    () => g.tensor([1], { dtype: wrong('float16') }),
    DTypeError,
    'tensor: expected a dtype (bool, uint8, int32, float32, float64), got float16',
  ],
  [() => g.zeros([2, -1]), ShapeError, 'zeros: expected extents from 0 to 2147483647, got [2, -1]'],
  [() => g.ones([1.5]), ShapeError, 'ones: expected extents from 0 to 2147483647, got [1.5]'],
  [() => g.zeros(wrong('3')), ShapeError, 'zeros: expected a shape (an array of extents), got 3'],
  [() => g.zeros(rank9), ShapeError, 'zeros: expected at most 8 axes, got 9'],
  [
    () => g.arange(0, 1, { step: 0 }),
    RangeError,
    'arange: expected finite bounds and a step other than 0, got 0, 1, 0',
  ],
  [() => g.arange(Infinity), RangeError, 'arange: expected finite bounds and a step other than 0, got 0, Infinity, 1'],
  [() => g.linspace(0, 1, -1), RangeError, 'linspace: expected a count that is a natural number, got -1'],
  [() => g.randn([2], { dtype: 'int32' }), DTypeError, 'randn: expected float32 or float64, got int32'],
  [() => g.uniform([2], { seed: -1 }), RangeError, 'uniform: expected an integer seed from 0 to 2³² − 1, got -1'],
  [() => g.randomStream(-1), RangeError, 'randomStream: expected an integer seed from 0 to 2³² − 1, got -1'],
  [() => g.randomStream(1).run(wrong(3)), TypeError, 'randomStream.run: expected a function, got 3'],
  [() => g.guard(wrong(true)), TypeError, 'guard: expected a function that gives the value, got true'],
  [
    () => g.updates.momentum(update, { momentum: NaN }),
    RangeError,
    'updates.momentum: expected a finite momentum, got NaN',
  ],
  [() => g.updates.momentum(update, wrong({})), TypeError, 'updates.momentum: expected a momentum, got undefined'],
  [
    () => g.updates.adam(update, { beta1: wrong('1') }),
    TypeError,
    'updates.adam: expected beta1 to be a number, got "1"',
  ],
  [
    () => g.updates.adam(update, { epsilon: Infinity }),
    RangeError,
    'updates.adam: expected a finite epsilon, got Infinity',
  ],
  [() => g.setSeed(0.5), RangeError, 'setSeed: expected an integer seed from 0 to 2³² − 1, got 0.5'],
]

const shapes: readonly Mistake[] = [
  [() => x.add(y), ShapeError, 'add: shapes [2, 3] and [4] do not broadcast'],
  [() => x.greater(0).where(y, 0), ShapeError, 'where: shapes [2, 3] and [4] do not broadcast'],
  [() => g.ones([2, 4]).matmul(g.ones([3, 3])), ShapeError, 'matmul: inner dimensions differ: [2, 4] × [3, 3]'],
  [() => x.matmul(y), ShapeError, 'matmul: inner dimensions differ: [2, 3] × [4]'],
  [() => g.ones([2, 3, 4]).matmul(g.ones([3, 4, 5])), ShapeError, 'matmul: shapes [2] and [3] do not broadcast'],
  [() => x.matmul(2), ShapeError, 'matmul: expected operands of at least one axis, got [2, 3] × []'],
  [() => x.reshape([4]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [4]'],
  [() => x.reshape([4, -1]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [4, -1]'],
  [() => x.reshape([-1, -1]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [-1, -1]'],
  [() => x.reshape(wrong('6')), ShapeError, 'reshape: expected a shape (an array of extents), got 6'],
  [() => g.ones([1]).reshape(rank9), ShapeError, 'reshape: expected at most 8 axes, got 9'],
  [
    () => g.oneHot(g.zeros(rank9.slice(1), { dtype: 'int32' }), 2),
    ShapeError,
    'oneHot: expected at most 8 axes, got 9',
  ],
  [
    () => g.ones([2, 1, 1, 1, 1]).gather(g.zeros([1, 1, 1, 1, 1], { dtype: 'int32' })),
    ShapeError,
    'gather: expected at most 8 axes, got 9',
  ],
  [() => x.broadcastTo([3]), ShapeError, 'broadcastTo: expected a shape that [2, 3] broadcasts to, got [3]'],
  [() => x.broadcastTo([4, 3]), ShapeError, 'broadcastTo: shapes [2, 3] and [4, 3] do not broadcast'],
  [
    () => g.ones([1e6, 1]).matmul(g.ones([1, 1e5])),
    ShapeError,
    'matmul: expected at most 2147483647 elements, got [1000000, 100000]',
  ],
  [
    () => g.ones([1e6, 1]).add(g.ones([1e5])),
    ShapeError,
    'add: expected at most 2147483647 elements, got [1000000, 100000]',
  ],
  [() => x.transpose([0, 0]), ShapeError, 'transpose: expected a permutation of 2 axes, got [0, 0]'],
  [() => x.transpose([0]), ShapeError, 'transpose: expected a permutation of 2 axes, got [0]'],
  [() => x.transpose([0, 2]), ShapeError, 'transpose: expected an axis in [-2, 2), got 2'],
  [
    () => g.takeAlongAxis(x, [1, 2], 0),
    ShapeError,
    'takeAlongAxis: expected indices of as many axes as [2, 3], got [2]',
  ],
  [
    () => g.takeAlongAxis(x, [[0], [1], [0]], 1),
    ShapeError,
    'takeAlongAxis: shapes [2, 1] and [3, 1] do not broadcast',
  ],
  [() => g.takeAlongAxis(x, g.zeros([2, 3]), 1), DTypeError, 'takeAlongAxis: expected int32 indices, got float32'],
  [
    () => g.putAlongAxis(g.ones([1, 3]), [[0], [1]], 0, 1),
    ShapeError,
    'putAlongAxis: expected indices that broadcast to [1, 3], got [2, 1]',
  ],
  [
    () => g.putAlongAxis(x, [[0], [1]], counts.reshape([2, 1]), 1),
    DTypeError,
    'putAlongAxis: expected updates of float32, got int32',
  ],
  [
    () => g.scatterAddAlongAxis(g.zeros([2], { dtype: 'uint8' }), [0], 1, 0),
    DTypeError,
    'scatterAddAlongAxis: expected float or int32 operands, got uint8',
  ],
  [() => x.slice([0, 0, 0]), ShapeError, 'slice: expected bounds for at most 2 axes, got 3'],
  [
    () => x.slice(0, 2, { step: 0 }),
    ShapeError,
    'slice: expected integer bounds and steps other than 0, got start [0], end [2], step [0]',
  ],
  [
    () => x.slice(0.5),
    ShapeError,
    'slice: expected integer bounds and steps other than 0, got start [0.5], end [], step [1]',
  ],
  [() => g.concat([]), ShapeError, 'concat: expected at least one tensor, got none'],
  [() => g.concat([x, g.ones([2, 4])]), ShapeError, 'concat: expected [2, 3] except on axis 0, got [2, 4]'],
  [() => g.concat([x, y]), ShapeError, 'concat: expected [2, 3] except on axis 0, got [4]'],
  [() => g.concat([x, x], 2), ShapeError, 'concat: expected an axis in [-2, 2), got 2'],
  [() => g.concat([1, 2]), ShapeError, 'concat: expected an axis in [0, 0), got 0'],
  [() => x.sum(2), ShapeError, 'sum: expected an axis in [-2, 2), got 2'],
  [() => x.mean([1, -1]), ShapeError, 'mean: expected distinct axes, got [1, 1]'],
  [() => x.max(0.5), ShapeError, 'max: expected an axis in [-2, 2), got 0.5'],
  [() => g.zeros([2, 0]).max(1), ShapeError, 'max: expected at least one element, got none'],
  [() => g.zeros([0]).argmax(), ShapeError, 'argmax: expected at least one element, got none'],
  [() => x.softmax(-3), ShapeError, 'softmax: expected an axis in [-2, 2), got -3'],
  [() => g.softmax(1), ShapeError, 'softmax: expected an axis in [0, 0), got -1'],
  [() => g.ones([]).gather(counts), ShapeError, 'gather: expected a tensor of at least one axis, got []'],
  [() => x.scatterAdd(counts, g.ones([2, 4])), ShapeError, 'scatterAdd: expected updates [2, 3], got [2, 4]'],
  [() => g.oneHot(counts, 0), ShapeError, 'oneHot: expected a positive depth, got 0'],
  [
    () => g.ones([3, 4]).softmaxCrossEntropy(counts),
    ShapeError,
    'softmaxCrossEntropy: expected integer labels of shape [3] for logits [3, 4], got [2]',
  ],
  [
    () => x.softmaxCrossEntropy(g.ones([2, 4])),
    ShapeError,
    'softmaxCrossEntropy: expected one-hot labels of shape [2, 3] for logits [2, 3], got [2, 4]',
  ],
  [
    () => g.ones([3, 0]).softmaxCrossEntropy(g.zeros([3], { dtype: 'int32' })),
    ShapeError,
    'softmaxCrossEntropy: expected logits[…, classes], got [3, 0]',
  ],
  [() => x.itemSync(), ShapeError, 'item: expected a tensor of one element, got [2, 3]'],
  [() => g.variable([1, 2]).assign([1, 2, 3]), ShapeError, 'assign: expected shape [2], got [3]'],
]

const dtypes: readonly Mistake[] = [
  [() => counts.norm(), DTypeError, 'norm: expected float32 or float64, got int32'],
  [() => x.where(1, 0), DTypeError, 'where: expected a bool condition, got float32'],
  [() => x.gather(g.ones([2])), DTypeError, 'gather: expected int32 indices, got float32'],
  [() => x.gather(g.tensor([true, false])), DTypeError, 'gather: expected int32 indices, got bool'],
  [() => g.oneHot(g.ones([2]), 3), DTypeError, 'oneHot: expected int32 indices, got float32'],
  [
    () => x.scatterAdd(counts, g.ones([2, 3], { dtype: 'int32' })),
    DTypeError,
    'scatterAdd: expected float or int32 operands of one dtype, got float32 and int32',
  ],
  [
    () => x.softmaxCrossEntropy(g.tensor([true, false])),
    DTypeError,
    'softmaxCrossEntropy: expected integer or float labels, got bool',
  ],
  [() => x.gelu({ approximate: wrong('fast') }), TypeError, "gelu: expected approximate: 'none' or 'tanh', got fast"],
  [() => x.cast(wrong('half')), DTypeError, 'cast: expected a dtype (bool, uint8, int32, float32, float64), got half'],
  [
    () => x.add(wrong('1')),
    TypeError,
    'add: expected numbers, booleans, nested arrays of them or a typed array, got string',
  ],
  [() => g.variable([1, 2]).assign(counts), DTypeError, 'assign: expected float32, got int32'],
]

const notDifferentiable =
  "the value does not depend on argument 0 by a differentiable path (a plain tensor's history ends when it is evaluated; variables keep theirs)"

const derivatives: readonly Mistake[] = [
  [() => g.gradients(x.sum(), [y]), GradientError, `gradients: ${notDifferentiable}`],
  [() => g.gradients(x.sum(), [g.variable([1])]), GradientError, `gradients: ${notDifferentiable}`],
  [() => g.grad((_: g.Tensor) => g.ones([]))(x), GradientError, `grad: ${notDifferentiable}`],
  [() => g.grad((a: g.Tensor) => a.stopGradient().sum())(x), GradientError, `grad: ${notDifferentiable}`],
  [() => g.grad((a: g.Tensor) => a.cast('int32').cast('float32'))(x), GradientError, `grad: ${notDifferentiable}`],
  [
    () => g.grad((a: g.Tensor) => a.argmax())(x),
    DTypeError,
    'gradients: expected a float32 or float64 value to differentiate, got int32',
  ],
  [evaluatedBefore, GradientError, `gradients: ${notDifferentiable}`],
  [() => g.gradients(x.exp(), [x], y), ShapeError, 'gradients: expected a cotangent of shape [2, 3], got [4]'],
  [() => g.gradients(wrong(1), [x]), TypeError, 'gradients: expected a tensor to differentiate, got 1'],
  [() => g.gradients(x.sum(), wrong([1])), TypeError, 'gradients: expected a list of tensors or variables, got [1]'],
]

function evaluatedBefore(): unknown {
  const a = g.tensor([1, 2])
  const total = a.square().sum()
  total.dataSync()
  return g.gradients(total, [a])
}

const settings: readonly Mistake[] = [
  [() => g.setBackend(wrong('gpu')), RangeError, "setBackend: expected 'native' or 'reference', got gpu"],
  [() => g.setNumThreads(0), RangeError, 'setNumThreads: expected an integer from 1 to 64, got 0'],
  [() => g.setNumThreads(1.5), RangeError, 'setNumThreads: expected an integer from 1 to 64, got 1.5'],
]

describe.each([
  ['values', values],
  ['shapes', shapes],
  ['dtypes', dtypes],
  ['the gradient of what has none', derivatives],
  ['settings', settings],
])('%s', (_, mistakes) => {
  test.each(byMessage(mistakes))('%s', (_, mistake) => expectMistake(mistake))
})

/** The place an error points at: the first frame outside the library. */
function placeOf(error: Error): string {
  const library = fileURLToPath(new URL('../../lib/', import.meta.url))
  const frames = error.stack!.split('\n').filter((line) => /^ +at /.test(line))
  return frames.find((line) => !line.includes(library))!.replace(/^.*?([^/]+:\d+):\d+\)?$/, '$1')
}

test('an error points at the line of the mistake, where nothing was computed yet', () => {
  const places = [
    [() => x.matmul(y), placeOf(new Error('here'))],
    [() => g.concat([x, y]), placeOf(new Error('here'))],
    [() => x.reshape([7]).exp().sum(), placeOf(new Error('here'))],
    [() => g.nn.linear(3, 2).forward(y), placeOf(new Error('here'))],
  ] as const
  for (const [mistake, place] of places) {
    expect(place).toMatch(/^errors\.test\.ts:\d+$/)
    expect(mistake).toThrow(expect.toSatisfy((error: Error) => placeOf(error) === place))
  }
})

/** Mistakes in the data, which show when it is read. */
const inData: readonly Mistake[] = [
  [() => x.gather([0, 2]).dataSync(), RangeError, 'gather: expected indices in [0, 2), got 2 at position 1'],
  [() => x.gather([0, 1, -1]).dataSync(), RangeError, 'gather: expected indices in [0, 2), got -1 at position 2'],
  [() => g.zeros([0, 3]).gather([0]).dataSync(), RangeError, 'gather: expected indices in [0, 0), got 0 at position 0'],
  [
    () => x.scatterAdd([5], [[1, 1, 1]]).dataSync(),
    RangeError,
    'scatterAdd: expected indices in [0, 2), got 5 at position 0',
  ],
  [
    () => x.softmaxCrossEntropy(g.tensor([0, 3], { dtype: 'int32' })).dataSync(),
    RangeError,
    'softmaxCrossEntropy: expected labels in [0, 3), got 3 at row 1',
  ],
  [
    () => x.softmaxCrossEntropy(g.tensor([-1, 0], { dtype: 'int32' })).dataSync(),
    RangeError,
    'softmaxCrossEntropy: expected labels in [0, 3), got -1 at row 0',
  ],
]

describe.each(backendNames)('data, on the %s backend', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test.each(byMessage(inData))('%s', (_, mistake) => expectMistake(mistake))

  test('it is the same asynchronously, and what follows runs', async () => {
    await expect(x.gather([7]).data()).rejects.toThrow(
      new RangeError('gather: expected indices in [0, 2), got 7 at position 0'),
    )
    expect(await x.gather([1]).array()).toEqual([[1, 1, 1]])
  })

  test.each(['sync', 'async'] as const)(
    'a bad label in a compiled step leaves every variable as it was: %s',
    async (how) => {
      const w = g.variable([[1, 2, 3]])
      const steps = g.variable(0)
      const step = g.compile((images: g.Tensor, labels: g.Tensor) => {
        const loss = g.losses.crossEntropy(images.matmul(w), labels)
        const [dw] = g.gradients(loss, [w])
        w.assign(w.sub(dw.mul(0.5)))
        steps.assign(steps.add(1))
        return loss
      })
      const run = async (labels: number[]) => {
        const args = [g.ones([2, 1]), g.tensor(labels, { dtype: 'int32' })] as const
        return how === 'sync' ? step.sync(...args) : step(...args)
      }
      await run([0, 1])
      const before = w.arraySync()
      await expect(run([0, 3])).rejects.toThrow(
        new RangeError('softmaxCrossEntropy: expected labels in [0, 3), got 3 at row 1'),
      )
      expect([w.arraySync(), steps.itemSync()]).toEqual([before, 1])
      await run([2, 2])
      expect(steps.itemSync()).toBe(2)
      expect(w.arraySync()).not.toEqual(before)
    },
  )

  test('more than the memory of this machine is refused, and what follows runs', async () => {
    const largest = () => g.zeros([2 ** 31 - 1])
    const tooMany = Array.from({ length: Math.ceil(totalmem() / (4 * (2 ** 31 - 1))) + 1 }, largest)
    expect(() => g.evaluateSync(...tooMany)).toThrow(RangeError)
    await expect(g.evaluate(...tooMany)).rejects.toThrow(RangeError)
    expect(g.zeros([2]).arraySync()).toEqual([0, 0])
  })
})
