import { describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import type { InstructionParams } from '../../lib/program/instructions.ts'
import type { MatrixLayout } from '../../lib/program/vocabulary.ts'
import { bind, f32, f64, i32, programOf, runnerOf, u8 } from '../support/run.ts'
import { expectClose, expectSame, ulps } from '../support/tolerance.ts'

const reference = createReferenceBackend()

const run = runnerOf(reference)

describe('matmul', () => {
  const layout = (leadingDimension: number, more: Partial<MatrixLayout> = {}): MatrixLayout => ({
    offset: 0,
    batchStride: 0,
    leadingDimension,
    transpose: false,
    ...more,
  })
  const plain = {
    batch: 1,
    m: 2,
    n: 2,
    k: 3,
    a: layout(3),
    b: layout(2),
    activation: 'none' as const,
    slope: 0,
    precision: 'float32' as const,
  }
  const a = f32(1, 2, 3, 4, 5, 6)
  const b = f32(1, 2, 3, 4, 5, -6)
  const multiply = (
    params: Partial<InstructionParams['matmul']>,
    inputs: TypedArray[],
    size = 4,
    dtype: DType = 'float32',
  ) => run('matmul', { ...plain, ...params }, inputs, [[dtype, size]])[0]

  test('rows times columns', () => {
    expect(multiply({}, [a, b])).toEqual(f32(22, -8, 49, -8))
  })

  test('transposed operands', () => {
    const at = f32(1, 4, 2, 5, 3, 6)
    const bt = f32(1, 3, 5, 2, 4, -6)
    const transpose = true
    expect(multiply({ a: layout(2, { transpose }), b: layout(3, { transpose }) }, [at, bt])).toEqual(
      f32(22, -8, 49, -8),
    )
  })

  test('offsets and rows that are longer than they are read', () => {
    const wide = f32(9, 1, 2, 3, 9, 4, 5, 6)
    expect(multiply({ a: layout(4, { offset: 1 }) }, [wide, b])).toEqual(f32(22, -8, 49, -8))
  })

  test('a batch against one matrix', () => {
    const twice = f32(...a, ...a.map((x) => -x))
    const params = { batch: 2, a: layout(3, { batchStride: 6 }) }
    expect(multiply(params, [twice, b], 8)).toEqual(f32(22, -8, 49, -8, -22, 8, -49, 8))
  })

  test('bias and activation', () => {
    const bias = f32(-30, 2)
    expect(multiply({ activation: 'relu' }, [a, b, bias])).toEqual(f32(0, 0, 19, 0))
    expect(multiply({ activation: 'leakyRelu', slope: 0.5 }, [a, b, bias])).toEqual(f32(-4, -3, 19, -3))
    const [one] = multiply({ m: 1, n: 1, activation: 'sigmoid' }, [f32(0, 0, 0), b, f32(Math.log(3))], 1)!
    expect(one).toBeCloseTo(0.75, 6)
    const [two] = multiply({ m: 1, n: 1, activation: 'tanh' }, [f32(0, 0, 0), b, f32(Math.log(3))], 1)!
    expect(two).toBeCloseTo(0.8, 6)
  })

  test('an empty sum is the bias', () => {
    expect(multiply({ k: 0 }, [f32(), f32(), f32(1, -2)])).toEqual(f32(1, -2, 1, -2))
  })

  test('sums in float64 and rounds once', () => {
    const x = f32(2 ** 24, 1, 1)
    expect(multiply({ m: 1, n: 1 }, [x, f32(1, 0, 1, 0, 1, 0)], 1)).toEqual(f32(2 ** 24 + 2))
    expect(multiply({ m: 1, n: 1 }, [f64(1e16, 1, -1e16), f64(1, 0, 1, 0, 1, 0)], 1, 'float64')).toEqual(f64(0))
  })

  test('zero times infinity is NaN, and no row loses it', () => {
    expect(multiply({}, [f32(0, 1, 1, 0, 0, 0), f32(Infinity, 0, 1, 1, 1, 1)])).toEqual(f32(NaN, 2, NaN, 0))
  })
})

describe('movement', () => {
  const x = f32(1, 2, 3, 4, 5, 6)

  test('copy reads by strides', () => {
    expect(run('copy', { shape: [3, 2], offset: 0, strides: [1, 3] }, [x], [['float32', 6]])).toEqual([
      f32(1, 4, 2, 5, 3, 6),
    ])
    expect(run('copy', { shape: [2, 2, 2], offset: 2, strides: [0, 3, -1] }, [x], [['float32', 8]])).toEqual([
      f32(3, 2, 6, 5, 3, 2, 6, 5),
    ])
    expect(run('copy', { shape: [], offset: 4, strides: [] }, [x], [['float32', 1]])).toEqual([f32(5)])
    expect(run('copy', { shape: [0, 3], offset: 9, strides: [3, 1] }, [x], [['float32', 0]])).toEqual([f32()])
  })

  test('pad writes by strides over zeros', () => {
    expect(run('pad', { shape: [2, 2], offset: 1, strides: [3, 1] }, [i32(1, 2, 3, 4)], [['int32', 7]])).toEqual([
      i32(0, 1, 2, 0, 3, 4, 0),
    ])
    expect(run('pad', { shape: [0], offset: 0, strides: [1] }, [u8()], [['uint8', 2]])).toEqual([u8(0, 0)])
  })

  test('concat joins inner axes', () => {
    const out = run('concat', { outer: 2, inners: [1, 0, 2] }, [u8(1, 2), u8(), u8(3, 4, 5, 6)], [['uint8', 6]])
    expect(out).toEqual([u8(1, 3, 4, 2, 5, 6)])
  })
})

describe('reductions', () => {
  const params = { outer: 2, reduced: 2, inner: 2 }

  test('sum, max and min over the middle axis', () => {
    const x = f32(1, -2, 3, 4, 5, 6, -7, 8)
    expect(run('reduce', { kind: 'sum', ...params }, [x], [['float32', 4]])).toEqual([f32(4, 2, -2, 14)])
    expect(run('reduce', { kind: 'max', ...params }, [x], [['float32', 4]])).toEqual([f32(3, 4, 5, 8)])
    expect(run('reduce', { kind: 'min', ...params }, [x], [['float32', 4]])).toEqual([f32(1, -2, -7, 6)])
  })

  test('NaN wins', () => {
    const x = f32(1, NaN, NaN, 4, NaN, -Infinity, NaN, Infinity)
    expect(run('reduce', { kind: 'max', ...params }, [x], [['float32', 4]])).toEqual([f32(NaN, NaN, NaN, Infinity)])
    expect(run('reduce', { kind: 'min', ...params }, [x], [['float32', 4]])).toEqual([f32(NaN, NaN, NaN, -Infinity)])
  })

  test('nothing reduced', () => {
    const empty = { outer: 1, reduced: 0, inner: 2 }
    expect(run('reduce', { kind: 'sum', ...empty }, [f32()], [['float32', 2]])).toEqual([f32(0, 0)])
    expect(run('reduce', { kind: 'max', ...empty }, [f32()], [['float32', 2]])).toEqual([f32(-Infinity, -Infinity)])
    expect(run('reduce', { kind: 'min', ...empty }, [f32()], [['float32', 2]])).toEqual([f32(Infinity, Infinity)])
    expect(run('reduce', { kind: 'max', ...empty }, [i32()], [['int32', 2]])).toEqual([i32(-(2 ** 31), -(2 ** 31))])
    expect(run('reduce', { kind: 'min', ...empty }, [i32()], [['int32', 2]])).toEqual([i32(2 ** 31 - 1, 2 ** 31 - 1)])
  })

  test('float32 sums in float64, int32 wraps', () => {
    const all = { kind: 'sum' as const, outer: 1, reduced: 4, inner: 1 }
    expect(run('reduce', all, [f32(2 ** 24, 1, 1, -(2 ** 24))], [['float32', 1]])).toEqual([f32(2)])
    expect(run('reduce', all, [i32(2 ** 31 - 1, 2 ** 31 - 1, 3, 0)], [['int32', 1]])).toEqual([i32(1)])
  })

  test('argmax takes the first greatest, a NaN before all', () => {
    const of = (x: TypedArray) => run('argmax', { outer: 1, reduced: 4, inner: 1 }, [x], [['int32', 1]])[0]
    expect(of(f32(1, 3, 3, 2))).toEqual(i32(1))
    expect(of(f32(1, Infinity, NaN, NaN))).toEqual(i32(2))
    expect(of(f32(-Infinity, -Infinity, -Infinity, -Infinity))).toEqual(i32(0))
    expect(of(i32(-5, -4, -3, -3))).toEqual(i32(2))
    expect(run('argmax', params, [f32(1, 2, 3, 0, 9, 9, 8, 10)], [['int32', 4]])).toEqual([i32(1, 0, 0, 1)])
  })
})

describe('softmax and its relatives', () => {
  const rows = { rows: 2, columns: 2 }
  const x = f32(0, Math.log(3), 1000, 1000)

  test('softmax', () => {
    expectClose(run('softmax', rows, [x], [['float32', 4]])[0]!, f32(0.25, 0.75, 0.5, 0.5), ulps(1))
  })

  test('logSoftmax', () => {
    const expected = f32(-Math.log(4), Math.log(3) - Math.log(4), -Math.LN2, -Math.LN2)
    expectClose(run('logSoftmax', rows, [x], [['float32', 4]])[0]!, expected, ulps(2))
  })

  test('a row with NaN or +∞, or of −∞ alone, is NaN; −∞ beside numbers has no part', () => {
    const odd = f32(NaN, 0, Infinity, 0, -Infinity, -Infinity, -Infinity, 7)
    expect(run('softmax', { rows: 4, columns: 2 }, [odd], [['float32', 8]])).toEqual([
      f32(NaN, NaN, NaN, NaN, NaN, NaN, 0, 1),
    ])
    expect(run('logSoftmax', { rows: 4, columns: 2 }, [odd], [['float32', 8]])).toEqual([
      f32(NaN, NaN, NaN, NaN, NaN, NaN, -Infinity, 0),
    ])
  })

  test('cross-entropy of classes', () => {
    const [losses, gradient] = run(
      'softmaxCrossEntropy',
      rows,
      [x, i32(1, 0)],
      [
        ['float32', 2],
        ['float32', 4],
      ],
    )
    expectClose(losses!, f32(Math.log(4 / 3), Math.LN2), ulps(2))
    expectClose(gradient!, f32(0.25, -0.25, -0.5, 0.5), ulps(2))
    expectSame(run('softmaxCrossEntropy', rows, [x, i32(1, 0)], [['float32', 2]])[0]!, losses!)
  })

  test('cross-entropy of probabilities that add up to anything', () => {
    const labels = f32(0.5, 1, 0, 1)
    const [losses, gradient] = run(
      'softmaxCrossEntropy',
      rows,
      [x, labels],
      [
        ['float32', 2],
        ['float32', 4],
      ],
    )
    expectClose(losses!, f32(0.5 * Math.log(4) + Math.log(4 / 3), Math.LN2), ulps(2))
    expectClose(gradient!, f32(0.375 - 0.5, 1.125 - 1, 0.5, -0.5), ulps(2))
  })

  test('a class out of range fails before anything is written', () => {
    const { buffers, results } = bindCrossEntropy(i32(1, 2))
    expect(() => prepared.run(buffers)).toThrow(
      new RangeError('softmaxCrossEntropy: expected labels in [0, 2), got 2 at row 1'),
    )
    expect(results).toEqual([f32(0, 0)])
    expect(() => prepared.run(bindCrossEntropy(i32(-1, 0)).buffers)).toThrow('got -1 at row 0')
  })

  const crossEntropy = programOf('softmaxCrossEntropy', rows, [x, i32(0, 0)], [['float32', 2]])
  const prepared = reference.prepare(crossEntropy)
  const bindCrossEntropy = (labels: Int32Array<ArrayBuffer>) => bind(crossEntropy, [x, labels])
})

describe('indexing', () => {
  test('gather takes rows', () => {
    const out = run(
      'gather',
      { rows: 3, rowSize: 2, count: 4 },
      [u8(1, 2, 3, 4, 5, 6), i32(2, 0, 2, 1)],
      [['uint8', 8]],
    )
    expect(out).toEqual([u8(5, 6, 1, 2, 5, 6, 3, 4)])
  })

  test('scatterAdd adds to rows, in order', () => {
    const params = { rows: 2, rowSize: 2, count: 3 }
    const updates = f32(1, 2, 3, 4, 5, 6)
    expect(run('scatterAdd', params, [f32(10, 20, 30, 40), i32(1, 0, 1), updates], [['float32', 4]])).toEqual([
      f32(13, 24, 36, 48),
    ])
    expect(
      run('scatterAdd', { rows: 1, rowSize: 1, count: 2 }, [f32(2 ** 24), i32(0, 0), f32(1, 1)], [['float32', 1]]),
    ).toEqual([f32(2 ** 24)])
    expect(
      run('scatterAdd', { rows: 1, rowSize: 1, count: 1 }, [i32(2 ** 31 - 1), i32(0), i32(1)], [['int32', 1]]),
    ).toEqual([i32(-(2 ** 31))])
  })

  test('takeAlongAxis takes elements of columns', () => {
    const params = { outer: 2, rows: 2, count: 1, inner: 3 }
    const x = f32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    expect(run('takeAlongAxis', params, [x, i32(0, 1, 0, 1, 1, 0)], [['float32', 6]])).toEqual([
      f32(1, 5, 3, 10, 11, 9),
    ])
  })

  test('scatterAlongAxis replaces or adds, in order', () => {
    const params = { outer: 1, rows: 3, count: 3, inner: 2 }
    const operands = [f32(1, 2, 3, 4, 5, 6), i32(2, 0, 2, 1, 0, 1), f32(10, 20, 30, 40, 50, 60)]
    const scatter = (accumulate: boolean) =>
      run('scatterAlongAxis', { ...params, accumulate }, operands, [['float32', 6]])
    expect(scatter(false)).toEqual([f32(50, 20, 3, 60, 30, 6)])
    expect(scatter(true)).toEqual([f32(51, 22, 3, 104, 45, 6)])
  })

  test('an index out of range fails', () => {
    const gather = () =>
      run('gather', { rows: 5, rowSize: 1, count: 3 }, [f32(1, 2, 3, 4, 5), i32(0, 4, 7)], [['float32', 3]])
    expect(gather).toThrow(new RangeError('gather: expected indices in [0, 5), got 7 at position 2'))
    const scatter = () =>
      run('scatterAdd', { rows: 2, rowSize: 1, count: 1 }, [f32(1, 2), i32(-1), f32(1)], [['float32', 2]])
    expect(scatter).toThrow(new RangeError('scatterAdd: expected indices in [0, 2), got -1 at position 0'))
    const along = { outer: 2, rows: 2, count: 1, inner: 1 }
    const take = () => run('takeAlongAxis', along, [f32(1, 2, 3, 4), i32(1, 2)], [['float32', 2]])
    expect(take).toThrow(new RangeError('takeAlongAxis: expected indices in [0, 2), got 2 at position 1'))
  })
})

describe('optimizer updates', () => {
  const p = f64(1, 2)
  const g = f64(10, -10)

  test('sgd', () => {
    expect(run('sgd', { size: 2 }, [p, g, f64(0.5)], [['float64', 2]])).toEqual([f64(-4, 7)])
  })

  test('momentum', () => {
    const step = (nesterov: boolean) =>
      run(
        'momentum',
        { size: 2, momentum: 0.5, nesterov },
        [p, g, f64(4, 0), f64(0.25)],
        [
          ['float64', 2],
          ['float64', 2],
        ],
      )
    expect(step(false)).toEqual([f64(-2, 4.5), f64(12, -10)])
    expect(step(true)).toEqual([f64(1 - 0.25 * 16, 2 + 0.25 * 15), f64(12, -10)])
  })

  test('adam', () => {
    const params = { size: 1, beta1: 0.5, beta2: 0.75, epsilon: 0.5, weightDecay: 0 }
    const outputs = [
      ['float64', 1],
      ['float64', 1],
      ['float64', 1],
    ] as const
    const first = run('adam', params, [f64(1), f64(4), f64(0), f64(0), f64(0.25), f64(1)], outputs)
    expect(first).toEqual([f64(1 - 0.25 * (4 / 4.5)), f64(2), f64(4)])
    // m' = 3, v' = 3.75 + 1; m̂ = 3/0.75, v̂ = 4.75/0.4375.
    const second = run('adam', params, [f64(1), f64(4), f64(2), f64(5), f64(0.25), f64(2)], outputs)
    expectClose(second[0]!, f64(1 - (0.25 * 4) / (Math.sqrt(7.75 / 0.4375) + 0.5)), ulps(2))
    expect(second.slice(1)).toEqual([f64(3), f64(7.75)])
    const decayed = run(
      'adam',
      { ...params, weightDecay: 2 },
      [f64(1), f64(4), f64(0), f64(0), f64(0.25), f64(1)],
      outputs,
    )
    expectClose(decayed[0]!, f64(0.5 - 0.25 * (4 / 4.5)), ulps(2))
  })
})
