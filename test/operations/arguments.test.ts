/** What is no argument of an operation is refused by its name, before anything is recorded. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: calls that the compiler refuses
const unchecked = g as any

function cyclic(): unknown[] {
  const list: unknown[] = [1]
  list.push(list)
  return list
}

/** A list whose first element is itself. */
function endless(): unknown[] {
  const list: unknown[] = []
  list.push(list)
  return list
}

const x = g.tensor([
  [1, 2, 3],
  [4, 5, 6],
])

describe('numbers, flags and lists', () => {
  test.each<[() => unknown, string]>([
    [() => unchecked.elu(x, 'x'), 'elu: expected a finite alpha, got "x"'],
    [() => unchecked.elu(x, Number.NaN), 'elu: expected a finite alpha, got NaN'],
    [() => unchecked.elu(x, g.ones([2])), 'elu: expected a finite alpha, got Tensor float32[2]'],
    [() => unchecked.leakyRelu(x, []), 'leakyRelu: expected a finite slope, got an array'],
    [() => unchecked.threshold(x, x, 0), 'threshold: expected a number as threshold, got Tensor float32[2, 3]'],
    [() => unchecked.threshold(x, 0, true), 'threshold: expected a number as value, got true'],
    [() => unchecked.gcd(cyclic(), 2), 'gcd: expected nested arrays of one shape'],
    [() => unchecked.lcm([2], endless()), 'lcm: expected at most 8 axes, got arrays that are nested deeper'],
    [() => unchecked.einsum(5, x), 'einsum: expected an expression, got 5'],
    [() => unchecked.diag([1, 2], '1'), 'diag: expected a diagonal numbered by an integer, got "1"'],
    [
      () => unchecked.diag([1, 2], 2 ** 31),
      'diag: expected extents from 0 to 2147483647, got [2147483650, 2147483650]',
    ],
    [() => unchecked.dropout(x, 0.5, { seed: -1 }), 'dropout: expected an integer seed from 0 to 2³² − 1, got -1'],
    [() => unchecked.select(x, 0, '0'), 'select: expected an index in [-2, 2) of axis 0, got "0"'],
    [() => unchecked.at(x, 0, 3), 'at: expected an index in [-3, 3) of axis 0, got 3'],
    [() => unchecked.slice(x, new Map()), 'slice: expected integer bounds and steps other than 0, got start [a Map]'],
    [
      () => unchecked.slice(x, [Object.create(null)]),
      'slice: expected integer bounds and steps other than 0, got start',
    ],
    [() => unchecked.slice(x, x), 'slice: expected integer bounds and steps other than 0, got start [Tensor float32[2'],
    [() => unchecked.histogram(x, { range: null }), 'histogram: expected a value for range, got null'],
    [() => unchecked.trapezoid(x, x, { spacing: Number.NaN }), 'trapezoid: expected a finite spacing, got NaN'],
    [() => unchecked.split(x, [Symbol('s')]), 'split: expected sizes that add up to the 2 elements of axis 0, got ['],
    [() => unchecked.chunk(x, '2'), 'chunk: expected a positive count, got "2"'],
    [() => unchecked.reshape(x, [6n]), 'reshape: expected a shape (an array of extents), got [6n]'],
    [() => unchecked.take(x, [0], null), 'take: expected an axis in [-2, 2), got null'],
    [() => unchecked.indexAdd(x, [0], 1, 0, { alpha: Number.NaN }), 'indexAdd: expected a finite alpha, got NaN'],
    [() => unchecked.indexPut(x, 0, 1), 'indexPut: expected a list of indices for each axis, got 0'],
    [
      () => unchecked.linalg.pinv(x, { relativeTolerance: -1 }),
      'pinv: expected a finite relativeTolerance of at least',
    ],
    [() => unchecked.linalg.matrixPower(x, '2'), 'matrixPower: expected an integer power, got "2"'],
    [() => unchecked.linalg.cond(x, { order: null }), 'cond: expected a value for order, got null'],
    [() => unchecked.linalg.multiDot(new Array(2)), 'multiDot: expected numbers, booleans, nested arrays'],
    [() => unchecked.fft.fftFreq(1e300), 'fftFreq: expected extents from 0 to 2147483647'],
    [() => unchecked.fft.fft(g.ones([8, 2]), { n: 2 ** 31 }), 'fft: expected extents from 0 to 2147483647'],
    [() => unchecked.fft.rfftn(x, { sizes: [undefined] }), 'rfftn: expected a length of at least 1, got undefined'],
    [() => unchecked.fft.rfft2(x, { axes: 0 }), 'rfft2: expected axes to be a list, got 0'],
    [() => unchecked.embeddingBag([0.5], x, { offsets: [0] }), 'embeddingBag: expected integers, got 0.5'],
    [
      () => unchecked.scaledDotProductAttention(x, x, x, { dropout: 2 }),
      'scaledDotProductAttention: expected a dropout',
    ],
    [
      () => unchecked.conv3d(g.ones([1, 1, 2, 2, 2]), g.ones([1, 1, 1, 1, 1]), { padding: new Array(3) }),
      'conv3d: expected padding',
    ],
    [() => unchecked.normalize(x, { order: Number.NaN }), 'normalize: expected an order, got NaN'],
  ])('%s', (call, message) => expect(call).toThrow(message))

  test('a mask that is its own element', () => {
    expect(() => unchecked.scaledDotProductAttention(x, x, x, { mask: endless() })).toThrow(
      'scaledDotProductAttention: expected at most 8 axes',
    )
  })
})

/** Operations that are made of others. */
describe('the name is that of the operation which was called', () => {
  const other = g.ones([5])
  const text = 'x' as never
  test.each<[string, () => unknown]>([
    ['hardSigmoid', () => g.hardSigmoid(text)],
    ['relu6', () => g.relu6(text)],
    ['selu', () => g.selu(text)],
    ['logSigmoid', () => g.logSigmoid(text)],
    ['fmax', () => g.fmax(x, other)],
    ['fmin', () => g.fmin(x, text)],
    ['lerp', () => g.lerp(x, other, 0.5)],
    ['lerp', () => g.lerp(x, x, other)],
    ['isClose', () => g.isClose(x, other)],
    ['allClose', () => g.allClose(x, other)],
    ['logicalAnd', () => g.logicalAnd(x, other)],
    ['logicalOr', () => g.logicalOr(x, text)],
    ['logicalXor', () => g.logicalXor(x, other)],
    ['logicalNot', () => g.logicalNot(text)],
    ['logAddExp', () => g.logAddExp(x, other)],
    ['frac', () => g.frac(text)],
    ['copySign', () => g.copySign(x, other)],
    ['heaviside', () => g.heaviside(x, other)],
    ['pow', () => g.pow(text, 2)],
    ['pow', () => g.pow(x, text)],
    ['maskedFill', () => g.maskedFill(x, other.greater(0), 1)],
    ['maskedFill', () => g.maskedFill(x, x, 1)],
    ['nonzeroSync', () => g.nonzeroSync(text)],
    ['trace', () => g.trace(other)],
    ['embedding', () => g.embedding(g.ones([2]), x)],
    ['take', () => g.take(x, g.ones([2]), 0)],
    ['take', () => g.take(text, [0])],
    ['scatter', () => g.scatter(x, g.ones([2]), x)],
    ['indexAdd', () => g.indexAdd(g.ones([2], { dtype: 'int32' }), [0], g.ones([1]))],
    ['indexPut', () => g.indexPut(x, [[0]], other)],
    ['indexFill', () => g.indexFill(x, [0], g.tensor(1, { dtype: 'int32' }))],
    ['bincount', () => g.bincount([0, 1], 2, { weights: other })],
    ['unbind', () => g.unbind(x, 5)],
    ['broadcastTensors', () => g.broadcastTensors(x, other)],
    ['swapAxes', () => g.swapAxes(x, 0, 7)],
  ])('%s', (name, call) => expect(call).toThrow(`${name}: `))

  test('where it is a promise', async () => {
    await expect(g.nonzero(text)).rejects.toThrow('nonzero: ')
    await expect(g.booleanMask(x, x)).rejects.toThrow('booleanMask: ')
  })
})

test('a diagonal far beyond the corners is none, whatever int32 makes of its number', () => {
  expect(g.triu(x, 2 ** 32).arraySync()).toEqual(g.zeros([2, 3]).arraySync())
  expect(g.tril(x, 2 ** 32).arraySync()).toEqual(x.arraySync())
  expect(g.triu(x, -(2 ** 32)).arraySync()).toEqual(x.arraySync())
})

/** Such as the flags of functions of the same name elsewhere. */
describe('arguments beyond those that there are', () => {
  const counts: Readonly<Record<number, string>> = {
    1: `relu6 hardSigmoid hardSwish selu logSigmoid isNaN isFinite isInf logicalNot bitwiseNot nonzeroSync frac linalg.cholesky
      linalg.inverse linalg.det linalg.slogdet linalg.lu linalg.qr linalg.svd linalg.eigh linalg.eigvalsh linalg.matrixRank
      linalg.matrixExp linalg.multiDot`,
    2: `leakyRelu elu prelu celu glu fmax fmin gcd lcm triu tril diag gather logicalAnd logicalOr logicalXor booleanMaskSync
      logAddExp copySign heaviside linalg.solve linalg.matrixPower unstack unbind`,
    3: 'threshold clamp lerp where scatterAdd take scatter select takeAlongAxis split chunk tensorSplit maskedFill',
    4: 'putAlongAxis scatterAddAlongAxis indexFill',
  }
  const all = Object.entries(counts).flatMap(([count, names]) =>
    names.split(/\s+/).map((name) => [name, Number(count)]),
  )

  test.each(all as [string, number][])('%s', (path, count) => {
    const [name, owner] = path.startsWith('linalg.') ? [path.slice(7), unchecked.linalg] : [path, unchecked]
    const what = count === 1 ? 'one argument' : `${count} arguments`
    expect(() => owner[name](...new Array(count + 1).fill(x))).toThrow(`${name}: expected ${what}, got ${count + 1}`)
    if (owner === unchecked)
      expect(() => unchecked.ones([2])[name](...new Array(count).fill(x))).toThrow(`${name}: expected ${what}`)
  })

  test('where it is a promise', async () => {
    await expect(unchecked.nonzero(x, true)).rejects.toThrow('nonzero: expected one argument, got 2')
    await expect(unchecked.booleanMask(x, x.greater(1), 0)).rejects.toThrow('booleanMask: expected 2 arguments, got 3')
  })
})
