/** Bad input to operations: what is thrown, when, and what stays as it was. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

type Thrown = abstract new (...args: never[]) => Error

/** What to do, the class of the error and its message. */
type Mistake = readonly [what: string, run: () => unknown, error: Thrown, message: string]

const { ShapeError, DTypeError, GradientError } = g
const x = g.ones([2, 3])
const y = g.ones([4])
const counts = g.tensor([1, 2], { dtype: 'int32' })

/** A value that the type system would refuse. */
const wrong = (value: unknown): never => value as never

function expectMistake([, run, error, message]: Mistake): void {
  let thrown: unknown
  try {
    run()
  } catch (caught) {
    thrown = caught
  }
  expect(thrown).toBeInstanceOf(error)
  expect((thrown as Error).message).toBe(message)
}

function detached(): Float32Array {
  const array = new Float32Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const rank9 = Array.from({ length: 9 }, () => 1)

const values: readonly Mistake[] = [
  ['ragged rows', () => g.tensor([[1, 2], [3]]), ShapeError, 'tensor: expected nested arrays of one shape (2 values on axis 1), got 1 values'],
  ['a row too long', () => g.tensor([[1], [2, 3]]), ShapeError, 'tensor: expected nested arrays of one shape (1 values on axis 1), got 2 values'],
  ['a number among rows', () => g.tensor([[1, 2], 3]), ShapeError, 'tensor: expected nested arrays of one shape (2 values on axis 1), got a number'],
  ['rows among numbers', () => g.tensor([1, [2]]), ShapeError, 'tensor: expected nested arrays of one shape (no values on axis 1), got 1 values'],
  ['rows that end at different depths', () => g.tensor([[[1]], [2]]), ShapeError, 'tensor: expected nested arrays of one shape (1 values on axis 2), got a number'],
  ['too few values for a shape', () => g.tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, 'tensor: expected 4 values for shape [2, 2], got 3'],
  ['text', () => g.tensor(wrong('one')), TypeError, 'tensor: expected numbers, booleans, nested arrays of them or a typed array, got string'],
  ['null', () => g.tensor(wrong(null)), TypeError, 'tensor: expected numbers, booleans, nested arrays of them or a typed array, got null'],
  ['undefined in a row', () => g.tensor(wrong([1, undefined])), TypeError, 'tensor: expected numbers, booleans, nested arrays of them or a typed array, got undefined'],
  ['an object', () => g.tensor(wrong({ length: 2 })), TypeError, 'tensor: expected numbers, booleans, nested arrays of them or a typed array, got object'],
  ['64-bit integers', () => g.tensor(wrong(new BigInt64Array(2))), DTypeError, 'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got BigInt64Array'],
  ['64-bit integers as int32', () => g.tensor(wrong(new BigInt64Array(2)), { dtype: 'int32' }), DTypeError, 'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got BigInt64Array'],
  ['a DataView', () => g.tensor(wrong(new DataView(new ArrayBuffer(8))), { dtype: 'uint8' }), DTypeError, 'tensor: expected numbers, booleans or a typed array of at most 32-bit integers or floats, got DataView'],
  ['a detached ArrayBuffer', () => g.tensor(detached()), TypeError, 'tensor: expected an attached ArrayBuffer, got a detached one'],
  ['a detached ArrayBuffer in a row', () => g.tensor([detached()]), TypeError, 'tensor: expected an attached ArrayBuffer, got a detached one'],
  ['a detached ArrayBuffer as an operand', () => x.add(detached()), TypeError, 'tensor: expected an attached ArrayBuffer, got a detached one'],
  ['an unknown dtype', () => g.tensor([1], { dtype: wrong('float16') }), DTypeError, 'tensor: expected a dtype (bool, uint8, int32, float32, float64), got float16'],
  ['a negative extent', () => g.zeros([2, -1]), ShapeError, 'full: expected extents from 0 to 2147483647, got [2, -1]'],
  ['half an element', () => g.ones([1.5]), ShapeError, 'full: expected extents from 0 to 2147483647, got [1.5]'],
  ['a number as a shape', () => g.zeros(wrong(3)), ShapeError, 'full: expected a shape (an array of extents), got 3'],
  ['nine axes', () => g.zeros(rank9), ShapeError, 'full: expected at most 8 axes, got 9'],
  ['a step of 0', () => g.arange(0, 1, { step: 0 }), RangeError, 'arange: expected finite bounds and a step other than 0, got 0, 1, 0'],
  ['an endless range', () => g.arange(Infinity), RangeError, 'arange: expected finite bounds and a step other than 0, got 0, Infinity, 1'],
  ['no points', () => g.linspace(0, 1, 0), RangeError, 'linspace: expected a positive count, got 0'],
  ['random integers', () => g.randn([2], { dtype: 'int32' }), DTypeError, 'randn: expected float32 or float64, got int32'],
  ['a negative seed', () => g.uniform([2], { seed: -1 }), RangeError, 'uniform: expected an integer seed from 0 to 2³² − 1, got -1'],
  ['a global seed of a half', () => g.setSeed(0.5), RangeError, 'setSeed: expected an integer seed from 0 to 2³² − 1, got 0.5'],
]

const shapes: readonly Mistake[] = [
  ['addends that do not broadcast', () => x.add(y), ShapeError, 'add: shapes [2, 3] and [4] do not broadcast'],
  ['choices that do not broadcast', () => x.greater(0).where(y, 0), ShapeError, 'where: shapes [2, 3] and [4] do not broadcast'],
  ['inner dimensions', () => g.ones([2, 4]).matmul(g.ones([3, 3])), ShapeError, 'matmul: inner dimensions differ: [2, 4] × [3, 3]'],
  ['inner dimensions of a vector', () => x.matmul(y), ShapeError, 'matmul: inner dimensions differ: [2, 3] × [4]'],
  ['batch axes', () => g.ones([2, 3, 4]).matmul(g.ones([3, 4, 5])), ShapeError, 'matmul: shapes [2] and [3] do not broadcast'],
  ['a scalar factor', () => x.matmul(2), ShapeError, 'matmul: expected operands of at least one axis, got [2, 3] × []'],
  ['a reshape to another size', () => x.reshape([4]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [4]'],
  ['an extent that does not divide', () => x.reshape([4, -1]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [4, -1]'],
  ['two extents to infer', () => x.reshape([-1, -1]), ShapeError, 'reshape: expected a shape of 6 elements (those of [2, 3]), got [-1, -1]'],
  ['a reshape to a number', () => x.reshape(wrong(6)), ShapeError, 'reshape: expected a shape (an array of extents), got 6'],
  ['a reshape to nine axes', () => g.ones([1]).reshape(rank9), ShapeError, 'reshape: expected at most 8 axes, got 9'],
  ['a ninth axis by oneHot', () => g.oneHot(g.zeros(rank9.slice(1), { dtype: 'int32' }), 2), ShapeError, 'reshape: expected at most 8 axes, got 9'],
  ['a ninth axis by gather', () => g.ones([2, 1, 1, 1, 1]).gather(g.zeros([1, 1, 1, 1, 1], { dtype: 'int32' })), ShapeError, 'gather: expected at most 8 axes, got 9'],
  ['a broadcast to less', () => x.broadcastTo([3]), ShapeError, 'broadcastTo: expected a shape that [2, 3] broadcasts to, got [3]'],
  ['a broadcast to other extents', () => x.broadcastTo([4, 3]), ShapeError, 'broadcastTo: shapes [2, 3] and [4, 3] do not broadcast'],
  ['more elements than there can be', () => g.ones([1e6, 1]).matmul(g.ones([1, 1e5])), ShapeError, 'matmul: expected at most 8589934592 elements, got [1000000, 100000]'],
  ['a sum of more elements than there can be', () => g.ones([1e6, 1]).add(g.ones([1e5])), ShapeError, 'broadcastTo: expected at most 8589934592 elements, got [1000000, 100000]'],
  ['an axis twice', () => x.transpose([0, 0]), ShapeError, 'transpose: expected a permutation of 2 axes, got [0, 0]'],
  ['an axis too few', () => x.transpose([0]), ShapeError, 'transpose: expected a permutation of 2 axes, got [0]'],
  ['an axis out of range', () => x.transpose([0, 2]), ShapeError, 'transpose: expected an axis in [-2, 2), got 2'],
  ['bounds for too many axes', () => x.slice([0, 0, 0]), ShapeError, 'slice: expected bounds for at most 2 axes, got 3'],
  ['a step backwards', () => x.slice(0, 2, { step: -1 }), ShapeError, 'slice: expected integer bounds and positive steps, got start [0], end [2], step [-1]'],
  ['a bound between elements', () => x.slice(0.5), ShapeError, 'slice: expected integer bounds and positive steps, got start [0.5], end [], step [1]'],
  ['nothing to join', () => g.concat([]), ShapeError, 'concat: expected at least one tensor, got none'],
  ['parts of other extents', () => g.concat([x, g.ones([2, 4])]), ShapeError, 'concat: expected [2, 3] except on axis 0, got [2, 4]'],
  ['parts of other ranks', () => g.concat([x, y]), ShapeError, 'concat: expected [2, 3] except on axis 0, got [4]'],
  ['parts along no axis', () => g.concat([x, x], 2), ShapeError, 'concat: expected an axis in [-2, 2), got 2'],
  ['scalars to join', () => g.concat([1, 2]), ShapeError, 'concat: expected an axis in [0, 0), got 0'],
  ['a sum over no axis', () => x.sum(2), ShapeError, 'sum: expected an axis in [-2, 2), got 2'],
  ['a mean over an axis twice', () => x.mean([1, -1]), ShapeError, 'mean: expected distinct axes, got [1, 1]'],
  ['a max over a fraction', () => x.max(0.5), ShapeError, 'max: expected an axis in [-2, 2), got 0.5'],
  ['the greatest of nothing', () => g.zeros([2, 0]).max(1), ShapeError, 'max: expected at least one element, got none'],
  ['the place of the greatest of nothing', () => g.zeros([0]).argmax(), ShapeError, 'argmax: expected at least one element, got none'],
  ['a softmax along no axis', () => x.softmax(-3), ShapeError, 'softmax: expected an axis in [-2, 2), got -3'],
  ['a softmax of a scalar', () => g.softmax(1), ShapeError, 'softmax: expected an axis in [0, 0), got -1'],
  ['rows of a scalar', () => g.ones([]).gather(counts), ShapeError, 'gather: expected a tensor of at least one axis, got []'],
  ['updates of another shape', () => x.scatterAdd(counts, g.ones([2, 4])), ShapeError, 'scatterAdd: expected updates [2, 3], got [2, 4]'],
  ['one class', () => g.oneHot(counts, 0), ShapeError, 'oneHot: expected a positive depth, got 0'],
  ['labels of another number of rows', () => g.ones([3, 4]).softmaxCrossEntropy(counts), ShapeError, 'softmaxCrossEntropy: expected integer labels of shape [3] for logits [3, 4], got [2]'],
  ['probabilities of another number of classes', () => x.softmaxCrossEntropy(g.ones([2, 4])), ShapeError, 'softmaxCrossEntropy: expected one-hot labels of shape [2, 3] for logits [2, 3], got [2, 4]'],
  ['logits without classes', () => g.ones([3, 0]).softmaxCrossEntropy(g.zeros([3], { dtype: 'int32' })), ShapeError, 'softmaxCrossEntropy: expected logits[…, classes], got [3, 0]'],
  ['the item of several', () => x.itemSync(), ShapeError, 'item: expected a tensor of one element, got [2, 3]'],
  ['another shape for a variable', () => g.variable([1, 2]).assign([1, 2, 3]), ShapeError, 'assign: expected shape [2], got [3]'],
]

const dtypes: readonly Mistake[] = [
  ['a product of integers', () => g.ones([2, 2], { dtype: 'int32' }).matmul(counts), DTypeError, 'matmul: expected float32 or float64, got int32 × int32'],
  ['a norm of integers', () => counts.norm(), DTypeError, 'norm: expected float32 or float64, got int32'],
  ['a float condition', () => x.where(1, 0), DTypeError, 'where: expected a bool condition, got float32'],
  ['float indices', () => x.gather(g.ones([2])), DTypeError, 'gather: expected int32 indices, got float32'],
  ['bool indices', () => x.gather(g.tensor([true, false])), DTypeError, 'gather: expected int32 indices, got bool'],
  ['float classes', () => g.oneHot(g.ones([2]), 3), DTypeError, 'oneHot: expected int32 indices, got float32'],
  ['updates of another dtype', () => x.scatterAdd(counts, g.ones([2, 3], { dtype: 'int32' })), DTypeError, 'scatterAdd: expected float or int32 operands of one dtype, got float32 and int32'],
  ['parts of another dtype', () => g.concat([y, counts]), DTypeError, 'concat: expected float32 everywhere, got int32'],
  ['bool labels', () => x.softmaxCrossEntropy(g.tensor([true, false])), DTypeError, 'softmaxCrossEntropy: expected integer or float labels, got bool'],
  ['a cast to nothing known', () => x.cast(wrong('half')), DTypeError, 'cast: expected a dtype (bool, uint8, int32, float32, float64), got half'],
  ['text as an operand', () => x.add(wrong('1')), TypeError, 'tensor: expected numbers, booleans, nested arrays of them or a typed array, got string'],
  ['another dtype for a variable', () => g.variable([1, 2]).assign(counts), DTypeError, 'assign: expected float32, got int32'],
]

const notDifferentiable =
  'the value does not depend on argument 0 by a differentiable path (a plain tensor\'s history ends when it is evaluated; variables keep theirs)'

const derivatives: readonly Mistake[] = [
  ['something else', () => g.gradients(x.sum(), [y]), GradientError, `gradients: ${notDifferentiable}`],
  ['a variable that is not used', () => g.gradients(x.sum(), [g.variable([1])]), GradientError, `gradients: ${notDifferentiable}`],
  ['an argument that is not used', () => g.grad((_: g.Tensor) => g.ones([]))(x), GradientError, `grad: ${notDifferentiable}`],
  ['a path cut by stopGradient', () => g.grad((a: g.Tensor) => a.stopGradient().sum())(x), GradientError, `grad: ${notDifferentiable}`],
  ['a path through integers', () => g.grad((a: g.Tensor) => a.cast('int32').cast('float32'))(x), GradientError, `grad: ${notDifferentiable}`],
  ['an integer', () => g.grad((a: g.Tensor) => a.argmax())(x), DTypeError, 'gradients: expected a float32 or float64 value to differentiate, got int32'],
  ['a value that has let go of its history', evaluatedBefore, GradientError, `gradients: ${notDifferentiable}`],
  ['a cotangent of another shape', () => g.gradients(x.exp(), [x], y), ShapeError, 'gradients: expected a cotangent of shape [2, 3], got [4]'],
  ['a number', () => g.gradients(wrong(1), [x]), TypeError, 'gradients: expected a tensor to differentiate, got number'],
  ['with respect to a number', () => g.gradients(x.sum(), wrong([1])), TypeError, 'gradients: expected a list of tensors or variables, got object'],
]

function evaluatedBefore(): unknown {
  const a = g.tensor([1, 2])
  const total = a.square().sum()
  total.dataSync()
  return g.gradients(total, [a])
}

describe.each([
  ['values', values],
  ['shapes', shapes],
  ['dtypes', dtypes],
  ['the gradient of', derivatives],
])('%s', (_, mistakes) => {
  test.each(mistakes)('%s', (...mistake) => expectMistake(mistake))
})

/** The line of the test file on which an error was made: the first frame outside the library. */
function lineOf(error: Error): string | undefined {
  const library = fileURLToPath(new URL('../../lib/', import.meta.url))
  return error.stack!.split('\n').find((line) => /^ +at /.test(line) && !line.includes(library))
}

test('an error points at the line that made the mistake, before anything is computed', () => {
  const made: [error: Error, here: Error][] = []
  const attempt = (run: () => Error) => {
    try {
      made.push([new Error('nothing was thrown'), run()])
    } catch (error) {
      made.push([error as Error, made.length as never])
    }
  }
  attempt(() => g.ones([2, 4]).matmul(g.ones([3, 3])) as never)
  for (const [error] of made) expect(lineOf(error)).toContain('errors.test.ts')
})
