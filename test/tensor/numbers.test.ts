/** Numbers that a dtype does not hold are refused where they become elements; the others are what PyTorch makes of them. */
import { afterEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const bytes = g.tensor([1, 2], { dtype: 'uint8' })
const integers = g.tensor([1, 2], { dtype: 'int32' })

const uint8 = 'expected numbers that uint8 holds (0 to 255), got'
const int32 = 'expected numbers that int32 holds (−2³¹ to 2³¹ − 1), got'

describe('a RangeError where it is made', () => {
  test.each<[() => unknown, string]>([
    [() => g.tensor(300, { dtype: 'uint8' }), `tensor: ${uint8} 300`],
    [() => g.tensor(256, { dtype: 'uint8' }), `tensor: ${uint8} 256`],
    [() => g.tensor([0, [1, -1]].flat(), { dtype: 'uint8' }), `tensor: ${uint8} -1`],
    [() => g.tensor([[1, 2 ** 31]], { dtype: 'int32' }), `tensor: ${int32} 2147483648`],
    [() => g.tensor(-(2 ** 31) - 1, { dtype: 'int32' }), `tensor: ${int32} -2147483649`],
    [() => g.tensor(Number.NaN, { dtype: 'int32' }), `tensor: ${int32} NaN`],
    [() => g.tensor([1, Infinity], { dtype: 'uint8' }), `tensor: ${uint8} Infinity`],
    [() => g.tensor(Float32Array.of(1, 300), { dtype: 'uint8' }), `tensor: ${uint8} 300`],
    [() => g.tensor(Float64Array.of(2 ** 40), { dtype: 'int32' }), `tensor: ${int32} 1099511627776`],
    [() => g.tensor(Int32Array.of(-5), { dtype: 'uint8' }), `tensor: ${uint8} -5`],
    [() => g.tensor(Int8Array.of(-5), { dtype: 'uint8' }), `tensor: ${uint8} -5`],
    [() => g.tensor(Uint16Array.of(256), { dtype: 'uint8' }), `tensor: ${uint8} 256`],
    [() => g.variable(256, { dtype: 'uint8' }), `variable: ${uint8} 256`],
    [() => g.variable([0], { dtype: 'int32' }).assign([2 ** 31]), `assign: ${int32} 2147483648`],
    [() => g.variable(0, { dtype: 'uint8' }).assign(-1), `assign: ${uint8} -1`],
    [() => g.full([1], -1, { dtype: 'uint8' }), `full: ${uint8} -1`],
    [() => g.full([0], Number.NaN, { dtype: 'int32' }), `full: ${int32} NaN`],
    [() => g.fullLike(bytes, 256), `fullLike: ${uint8} 256`],
    [() => g.arange(250, 260, { dtype: 'uint8' }), `arange: ${uint8} 256`],
    [() => g.arange(2 ** 31 - 2, 2 ** 31 + 1, { dtype: 'int32' }), `arange: ${int32} 2147483648`],
    [() => g.linspace(0, 256, 3, { dtype: 'uint8' }), `linspace: ${uint8} 256`],
    [() => g.logspace(0, 10, 3, { dtype: 'int32' }), `logspace: ${int32} 10000000000`],
    [() => g.pad(bytes, 1, { value: 256 }), `pad: ${uint8} 256`],
    [() => g.pad(bytes, 0, { value: -1 }), `pad: ${uint8} -1`],
    [() => g.pad(integers, [1, 0], { value: 2 ** 31 }), `pad: ${int32} 2147483648`],
    [() => g.putAlongAxis(bytes, [0], 256, 0), `putAlongAxis: ${uint8} 256`],
    [() => g.scatterAddAlongAxis(integers, [0], 2 ** 31, 0), `scatterAddAlongAxis: ${int32} 2147483648`],
    [() => g.indexFill(bytes, [0], -1), `indexFill: ${uint8} -1`],
    [() => g.indexPut(bytes, [[0]], 256), `indexPut: ${uint8} 256`],
    [() => g.indexAdd(integers, [0], 2 ** 31), `indexAdd: ${int32} 2147483648`],
    [() => g.scatterReduce(integers, [0], -(2 ** 40), 0, 'sum'), `scatterReduce: ${int32} -1099511627776`],
    [() => g.gather([1, 2], [2 ** 32]), `gather: ${int32} 4294967296`],
    [() => g.oneHot([2 ** 32], 3), `oneHot: ${int32} 4294967296`],
    [() => g.randint([2], { max: 2 ** 31 + 1 }), 'randint: expected'],
  ])('%s', (make, message) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(message)
  })

  test('a boolean is a number, and a string none', () => {
    expect(g.full([2], true as unknown as number, { dtype: 'int32' }).arraySync()).toEqual([1, 1])
    expect(() => g.full([2], '3' as unknown as number)).toThrow(new TypeError('full: expected a number, got string'))
  })
})

describe.each(backendNames)('%s: what integers make of numbers', (backend) => {
  afterEach(() => g.setBackend(backendNames.at(-1)!))

  test.each<[() => g.Tensor, g.NestedArray]>([
    [() => g.tensor([1.9, -1.9, -0.5, 2147483647.5], { dtype: 'int32' }), [1, -1, 0, 2147483647]],
    [() => g.tensor([-0.9, 255.9], { dtype: 'uint8' }), [0, 255]],
    [() => g.tensor(Float32Array.of(0.5, 254.5), { dtype: 'uint8' }), [0, 254]],
    [() => g.tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' }), [-(2 ** 31), 2 ** 31 - 1]],
    [() => g.full([2], 1.5, { dtype: 'int32' }), [1, 1]],
    [() => g.pad(integers, 1, { value: -1.5 }), [-1, 1, 2, -1]],
    [() => g.linspace(0, 10, 4, { dtype: 'int32' }), [0, 3, 6, 10]],
    [() => g.tensor([0, -0, 0.1, 300, -1, Number.NaN], { dtype: 'bool' }), [false, false, true, true, true, true]],
    [() => g.tensor(Float32Array.of(Number.NaN, 0), { dtype: 'bool' }), [true, false]],
    [() => g.full([2], 7, { dtype: 'bool' }), [true, true]],
    [() => g.full([1], 7, { dtype: 'bool' }).cast('int32'), [1]],
    [() => g.putAlongAxis(g.zeros([2], { dtype: 'bool' }), [0], 2, 0).cast('int32'), [1, 0]],
    [() => g.pad(g.zeros([1], { dtype: 'bool' }), 1, { value: 3 }).cast('int32'), [1, 0, 1]],
    [() => integers.add(-(2 ** 31)), [-2147483647, -2147483646]],
    [() => integers.add(2 ** 31), [2147483648, 2147483648]],
    [() => bytes.add(300), [301, 302]],
    [() => g.where([true, false], bytes, 300), [1, 300]],
    [() => bytes.clamp(0, 300), [1, 2]],
    [() => bytes.maximum(-1), [1, 2]],
  ])('%s', (make, elements) => {
    g.setBackend(backend)
    expect(make().arraySync()).toEqual(elements)
  })
})

describe('arange', () => {
  test('repeats no number', () => {
    const start = 2 ** 24 - 1
    expect(g.arange(start, start + 2).arraySync()).toEqual([start, start + 1])
    expect(() => g.arange(start, start + 3)).toThrow(
      new RangeError("arange: expected numbers that float32 tells apart (dtype 'int32' may), got 16777217"),
    )
    expect(() => g.arange(2 ** 24, 2 ** 24 + 4, { step: 3 })).toThrow(RangeError)
    expect(g.arange(2 ** 24, 2 ** 24 + 4, { step: 2 }).arraySync()).toEqual([2 ** 24, 2 ** 24 + 2])
    expect(g.arange(start, start + 3, { dtype: 'int32' }).arraySync()).toEqual([start, start + 1, start + 2])
    expect(() => g.arange(1e6, 1e6 + 1, { step: 0.01 })).toThrow(RangeError)
    expect(() => g.arange(0, 2, { step: 0.5, dtype: 'int32' })).toThrow(RangeError)
    expect(g.arange(0, 1, { step: 0.1 }).size).toBe(10)
  })

  test('takes a step by its place, too', () => {
    expect(g.arange(0, 10, 4).arraySync()).toEqual([0, 4, 8])
    expect(g.arange(3, 0, -1, { dtype: 'int32' }).arraySync()).toEqual([3, 2, 1])
    const unchecked = g.arange as unknown as (...args: unknown[]) => g.Tensor
    expect(() => unchecked(0, 10, 2, 'int32')).toThrow(
      new TypeError('arange: expected options ({ dtype }), got "int32"; did you mean { dtype: \'int32\' }?'),
    )
    expect(() => unchecked(0, 10, undefined, 'int32')).toThrow(TypeError)
    expect(() => unchecked(0, 10, { step: 2 }, 'int32')).toThrow(TypeError)
    expect(() => unchecked(0, '10')).toThrow(TypeError)
    expect(() => unchecked(0, { step: 2 })).toThrow(TypeError)
  })
})
