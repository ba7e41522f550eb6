/** Functions of one kind refuse the same junk: indices that are no integers, axes that are none, padding, ranges. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const x = g.tensor([
  [3, 1, 2],
  [6, 5, 4],
])
const junk = (value: unknown): never => value as never

/** What reads indices, with a table of two rows or elements. */
const readers: Readonly<Record<string, (indices: g.TensorLike) => g.Tensor>> = {
  gather: (i) => g.gather(x, i),
  take: (i) => g.take(x, i),
  takeAlongAxis: (i) => g.takeAlongAxis([1, 2], i, 0),
  putAlongAxis: (i) => g.putAlongAxis([1, 2], i, [9], 0),
  scatterAddAlongAxis: (i) => g.scatterAddAlongAxis([1, 2], i, [9], 0),
  scatterAdd: (i) => g.scatterAdd([1, 2], i, [9]),
  embedding: (i) => g.embedding(i, x),
  oneHot: (i) => g.oneHot(i, 3),
  bincount: (i) => g.bincount(i, 3),
}

describe.each(Object.entries(readers))('indices of %s', (name, read) => {
  test.each([[[0.5]], [[true]], [Float32Array.of(1.5)]])('%j are refused', (indices) => {
    expect(() => read(indices)).toThrow(g.DTypeError)
    expect(() => read(indices)).toThrow(`${name}: expected integers, got`)
  })

  test('NaN and ∞ are refused', () => {
    for (const each of [NaN, Infinity]) expect(() => read([each])).toThrow(RangeError)
  })

  test('tensors of floats and booleans, too', () => {
    for (const indices of [g.tensor([1]), g.tensor([true])]) expect(() => read(indices)).toThrow(g.DTypeError)
  })

  test('and what is outside the table when evaluated', () => {
    if (name === 'oneHot') expect(read([7]).sum().itemSync()).toBe(0)
    else expect(() => read([7]).dataSync()).toThrow(RangeError)
    if (name !== 'oneHot') expect(() => read([-1]).dataSync()).toThrow(RangeError)
    expect(read([1]).dataSync().length).toBeGreaterThan(0)
    expect(read(Float64Array.of(1)).dataSync()).toEqual(read(g.tensor([1], { dtype: 'int32' })).dataSync())
  })
})

test.each([
  [() => g.sum(x, junk('x')), 'sum: expected an axis in [-2, 2), got x'],
  [() => g.median(x, junk('x')), 'median: expected an axis in [-2, 2), got x'],
  [() => g.flip(x, junk('x')), 'flip: expected an axis in [-2, 2), got x'],
  [() => g.squeeze(x, junk({})), 'squeeze: expected an axis or a list of axes, got an object'],
  [() => g.quantile(x, junk('0.5')), 'quantile: expected q in [0, 1], or a list of such, got "0.5"'],
  [() => g.quantile(x, []), 'quantile: expected a number q, or several, got '],
  [
    () => g.histogram(x, { range: junk([0, 1, 2]) }),
    'histogram: expected a finite range [low, high] with low ≤ high, got [0, 1, 2]',
  ],
])('%s is refused', (call, message) => {
  expect(call).toThrow(message)
})
