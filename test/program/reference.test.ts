import { describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { inverseNormal, log, philox } from '../../lib/backend/reference/random.ts'
import type { DType, TypedArray } from '../../lib/dtype.ts'
import type { InstructionParams, MatrixLayout, MicroInstruction, MicroOpName } from '../../lib/program/instructions.ts'
import { float } from '../support/malformed-programs.ts'
import {
  bind,
  bool,
  f32,
  f64,
  i32,
  instruction,
  program,
  programOf,
  runInstruction,
  type Typed,
  u8,
  value,
} from '../support/run.ts'
import { expectClose, expectSame, ulps } from '../support/tolerance.ts'

const reference = createReferenceBackend()

const run: typeof runInstruction extends (backend: never, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never = (...rest) => runInstruction(reference, ...rest)

describe('matmul', () => {
  const layout = (leadingDimension: number, more: Partial<MatrixLayout> = {}): MatrixLayout => ({
    offset: 0,
    batchStride: 0,
    leadingDimension,
    transpose: false,
    ...more,
  })
  const plain = { batch: 1, m: 2, n: 2, k: 3, a: layout(3), b: layout(2), activation: 'none' as const, slope: 0 }
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

describe('elementwise', () => {
  /** One micro-op over dense operands. */
  function micro(op: MicroOpName, dtype: DType, inputs: (TypedArray | Typed)[], to?: DType): TypedArray {
    const size = 'data' in inputs[0]! ? inputs[0].data.length : inputs[0]!.length
    const step: MicroInstruction = { op, dtype, args: inputs.map((_, i) => i), ...(to && { to }) }
    const operands = inputs.map(() => ({ offset: 0, strides: [1] }))
    const comparisons: readonly MicroOpName[] = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual']
    const result = to ?? (comparisons.includes(op) ? 'bool' : dtype)
    return run('elementwise', { shape: [size], operands, code: [step], results: [inputs.length] }, inputs, [
      [result, size],
    ])[0]!
  }

  const unary: { [K in MicroOpName]?: [x: number[], y: number[]] } = {
    identity: [
      [-0, NaN, 3],
      [-0, NaN, 3],
    ],
    neg: [
      [1, -2, 0, Infinity, NaN],
      [-1, 2, -0, -Infinity, NaN],
    ],
    abs: [
      [-1, 2, -0, -Infinity, NaN],
      [1, 2, 0, Infinity, NaN],
    ],
    sign: [
      [-3, 5, 0, -0, -Infinity, NaN],
      [-1, 1, 0, -0, -1, NaN],
    ],
    square: [
      [-3, 0.5, 1e30, NaN],
      [9, 0.25, Infinity, NaN],
    ],
    sqrt: [
      [9, 2, -0, -1, Infinity],
      [3, Math.SQRT2, -0, NaN, Infinity],
    ],
    exp: [
      [0, 1, -Infinity, Infinity, 89, -104, NaN],
      [1, Math.E, 0, Infinity, Infinity, 0, NaN],
    ],
    log: [
      [1, Math.E, 0, -0, -1, Infinity, 1e-45, NaN],
      [0, 1, -Infinity, -Infinity, NaN, Infinity, -149 * Math.LN2, NaN],
    ],
    step: [
      [-1, 0, -0, 1e-45, Infinity, NaN],
      [0, 0, 0, 1, 1, NaN],
    ],
    sigmoid: [
      [0, Math.log(3), -Math.log(3), 200, -200, Infinity, -Infinity, NaN],
      [0.5, 0.75, 0.25, 1, 0, 1, 0, NaN],
    ],
    tanh: [
      [0, -0, Math.log(3), 50, -Infinity, NaN],
      [0, -0, 0.8, 1, -1, NaN],
    ],
    relu: [
      [-1, 2, -Infinity, Infinity, NaN],
      [0, 2, 0, Infinity, NaN],
    ],
    softplus: [
      [0, 200, -200, -Infinity, Infinity, NaN],
      [Math.LN2, 200, 0, 0, Infinity, NaN],
    ],
  }

  test.each(Object.entries(unary))('%s of floats', (op, [x, y]) => {
    expectClose(micro(op as MicroOpName, 'float32', [f32(...x)]), f32(...y), ulps(1))
    if (!['exp', 'log', 'square', 'sigmoid', 'softplus'].includes(op))
      expectClose(micro(op as MicroOpName, 'float64', [f64(...x)]), f64(...y), ulps(2))
  })

  test('signs of zeros stay', () => {
    expectSame(micro('neg', 'float32', [f32(0, -0)]), f32(-0, 0))
    expectSame(micro('sign', 'float32', [f32(0, -0)]), f32(0, -0))
    expectSame(micro('maximum', 'float32', [f32(-0, 0), f32(0, -0)]), f32(0, 0))
    expectSame(micro('minimum', 'float32', [f32(-0, 0), f32(0, -0)]), f32(-0, -0))
  })

  test('tails keep their relative accuracy', () => {
    expectClose(micro('sigmoid', 'float64', [f64(-40)]), f64(4.248354255291589e-18), ulps(1))
    expectClose(micro('softplus', 'float64', [f64(-40)]), f64(4.248354255291589e-18), ulps(1))
    expectClose(micro('sigmoid', 'float32', [f32(-100)]), f32(3.720075976020836e-44), ulps(0))
  })

  const binary: { [K in MicroOpName]?: [a: number[], b: number[], y: number[]] } = {
    add: [
      [1, Infinity, 3e38],
      [2, -Infinity, 3e38],
      [3, NaN, Infinity],
    ],
    sub: [
      [1, Infinity],
      [2, Infinity],
      [-1, NaN],
    ],
    mul: [
      [3, 0, 1e-30],
      [-2, Infinity, 1e-30],
      [-6, NaN, 0],
    ],
    div: [
      [1, 1, 0, 1],
      [4, 0, 0, -0],
      [0.25, Infinity, NaN, -Infinity],
    ],
    pow: [
      [2, 4, -8, -2, 0, 0, 1, -1, NaN, 0.5, -Infinity],
      [10, 0.5, 1 / 3, 3, -1, 0, NaN, Infinity, 0, Infinity, 3],
      [1024, 2, NaN, -8, Infinity, 1, 1, 1, 1, 0, -Infinity],
    ],
    maximum: [
      [1, NaN, 2, -Infinity],
      [2, 1, NaN, 0],
      [2, NaN, NaN, 0],
    ],
    minimum: [
      [1, NaN, 2, -Infinity],
      [2, 1, NaN, 0],
      [1, NaN, NaN, -Infinity],
    ],
    leakyRelu: [
      [2, -2, -Infinity, NaN],
      [0.5, 0.5, 0.5, 0.5],
      [2, -1, -Infinity, NaN],
    ],
    equal: [
      [1, 2, NaN, 0],
      [1, 3, NaN, -0],
      [1, 0, 0, 1],
    ],
    notEqual: [
      [1, 2, NaN, 0],
      [1, 3, NaN, -0],
      [0, 1, 1, 0],
    ],
    less: [
      [1, 2, NaN, 3],
      [2, 2, 1, -Infinity],
      [1, 0, 0, 0],
    ],
    lessEqual: [
      [1, 2, NaN, 3],
      [2, 2, 1, -Infinity],
      [1, 1, 0, 0],
    ],
    greater: [
      [1, 2, NaN, 3],
      [2, 2, 1, -Infinity],
      [0, 0, 0, 1],
    ],
    greaterEqual: [
      [1, 2, NaN, 3],
      [2, 2, 1, -Infinity],
      [0, 1, 0, 1],
    ],
  }

  test.each(Object.entries(binary))('%s of floats', (op, [a, b, y]) => {
    const actual = micro(op as MicroOpName, 'float32', [f32(...a), f32(...b)])
    expect(Array.from(actual)).toEqual(Array.from(actual instanceof Uint8Array ? y : f32(...y)))
  })

  test('int32 wraps', () => {
    const [least, greatest] = [-(2 ** 31), 2 ** 31 - 1]
    expect(micro('add', 'int32', [i32(greatest, 1), i32(1, 2)])).toEqual(i32(least, 3))
    expect(micro('sub', 'int32', [i32(least), i32(1)])).toEqual(i32(greatest))
    expect(micro('mul', 'int32', [i32(65537, 123456789, -7), i32(65537, 987654321, 3)])).toEqual(
      i32(131073, -67153019, -21),
    )
    expect(micro('square', 'int32', [i32(123456789, -3)])).toEqual(i32(-1757895751, 9))
    expect(micro('neg', 'int32', [i32(least, 5)])).toEqual(i32(least, -5))
    expect(micro('abs', 'int32', [i32(least, -5)])).toEqual(i32(least, 5))
    expect(micro('sign', 'int32', [i32(least, 0, 9)])).toEqual(i32(-1, 0, 1))
    expect(micro('relu', 'int32', [i32(-4, 4)])).toEqual(i32(0, 4))
    expect(micro('maximum', 'int32', [i32(least), i32(greatest)])).toEqual(i32(greatest))
  })

  test('comparisons and identity of bytes and bools', () => {
    expect(micro('less', 'uint8', [u8(1, 255), u8(2, 0)])).toEqual(u8(1, 0))
    expect(micro('equal', 'bool', [bool(1, 0), bool(1, 1)])).toEqual(u8(1, 0))
    expect(micro('identity', 'uint8', [u8(7)])).toEqual(u8(7))
  })

  test('where', () => {
    const params: InstructionParams['elementwise'] = {
      shape: [3],
      operands: [0, 1, 2].map(() => ({ offset: 0, strides: [1] })),
      code: [{ op: 'where', dtype: 'float32', args: [0, 1, 2] }],
      results: [3],
    }
    const out = run('elementwise', params, [bool(1, 0, 1), f32(1, NaN, NaN), f32(NaN, 5, 6)], [['float32', 3]])
    expect(out).toEqual([f32(1, 5, NaN)])
  })

  const casts: [from: DType, x: TypedArray | Typed, to: DType, y: TypedArray][] = [
    ['float32', f32(1.9, -1.9, 3e9, -3e9, NaN, Infinity), 'int32', i32(1, -1, 2 ** 31 - 1, -(2 ** 31), 0, 2 ** 31 - 1)],
    ['float32', f32(1.9, -1.9, 255.9, 256, NaN, -Infinity), 'uint8', u8(1, 0, 255, 255, 0, 0)],
    ['float32', f32(0, -0, 0.1, NaN), 'bool', u8(0, 0, 1, 1)],
    ['float32', f32(0.1), 'float64', f64(Math.fround(0.1))],
    ['float64', f64(0.1, 1e300), 'float32', f32(0.1, Infinity)],
    ['int32', i32(255, 256, -1), 'uint8', u8(255, 0, 255)],
    ['int32', i32(2 ** 24 + 1, -3), 'float32', f32(2 ** 24, -3)],
    ['int32', i32(0, 256), 'bool', u8(0, 1)],
    ['uint8', u8(0, 200), 'int32', i32(0, 200)],
    ['uint8', u8(0, 200), 'bool', u8(0, 1)],
    ['bool', bool(0, 1), 'float32', f32(0, 1)],
    ['bool', bool(0, 1), 'int32', i32(0, 1)],
  ]

  test.each(casts)('cast from %s %o to %s', (from, x, to, y) => {
    expect(micro('cast', from, [x], to)).toEqual(y)
  })

  test('operands are read by their patterns, and a group has several results', () => {
    const params: InstructionParams['elementwise'] = {
      shape: [2, 3],
      operands: [
        { offset: 0, strides: [1, 2] },
        { offset: 1, strides: [-1, 0] },
        { offset: 0, strides: [0, 0] },
      ],
      code: [
        { op: 'add', dtype: 'float32', args: [0, 1] },
        { op: 'mul', dtype: 'float32', args: [3, 2] },
      ],
      results: [4, 3, 0],
    }
    const transposed = f32(1, 2, 3, 4, 5, 6)
    const outputs = run(
      'elementwise',
      params,
      [transposed, f32(10, 20), f32(2)],
      [
        ['float32', 6],
        ['float32', 6],
        ['float32', 6],
      ],
    )
    expect(outputs).toEqual([f32(42, 46, 50, 24, 28, 32), f32(21, 23, 25, 12, 14, 16), f32(1, 3, 5, 2, 4, 6)])
  })

  test('each step rounds to its dtype', () => {
    const groupOf = (dtype: DType) => ({
      shape: [1],
      operands: [
        { offset: 0, strides: [1] },
        { offset: 0, strides: [1] },
      ],
      code: [
        { op: 'add' as const, dtype, args: [0, 1] },
        { op: 'sub' as const, dtype, args: [2, 0] },
      ],
      results: [3],
    })
    expect(run('elementwise', groupOf('float32'), [f32(1e8), f32(1)], [['float32', 1]])).toEqual([f32(0)])
    expect(run('elementwise', groupOf('float64'), [f64(1e8), f64(1)], [['float64', 1]])).toEqual([f64(1)])
  })

  test('more elements than a block, over the operand itself', () => {
    const size = 2500
    const neg = instruction(
      'elementwise',
      {
        shape: [size],
        operands: [
          { offset: 0, strides: [1] },
          { offset: 0, strides: [0] },
        ],
        code: [{ op: 'sub', dtype: 'float32', args: [1, 0] }],
        results: [2, 0],
      },
      [1, 0],
      [2, 3],
    )
    const copy = (x: number, out: number) => instruction('copy', { shape: [size], offset: 0, strides: [1] }, [x], [out])
    const inPlace = program({
      values: [
        float([size], 'input', 0),
        float([size], 'arena', 0),
        float([size], 'arena', 0),
        float([size], 'result', 0),
        float([size], 'result', 1),
      ],
      instructions: [copy(0, 1), neg, copy(2, 4)],
      inputCount: 1,
      resultCount: 2,
      arenaBytes: size * 4 + 48,
    })
    const x = Float32Array.from({ length: size }, (_, i) => i + 1)
    const { buffers, results } = bind(inPlace, [x])
    reference.prepare(inPlace).run(buffers)
    expect(results).toEqual([x, x.map((y) => 1 - y)])
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

  test('an index out of range fails', () => {
    const gather = () =>
      run('gather', { rows: 5, rowSize: 1, count: 3 }, [f32(1, 2, 3, 4, 5), i32(0, 4, 7)], [['float32', 3]])
    expect(gather).toThrow(new RangeError('gather: expected indices in [0, 5), got 7 at position 2'))
    const scatter = () =>
      run('scatterAdd', { rows: 2, rowSize: 1, count: 1 }, [f32(1, 2), i32(-1), f32(1)], [['float32', 2]])
    expect(scatter).toThrow(new RangeError('scatterAdd: expected indices in [0, 2), got -1 at position 0'))
  })
})

describe('random', () => {
  test.each([
    // The known answers that come with Random123, the authors' implementation.
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('philox of %o', (counter, [key0, key1], expected) => {
    const words = new Uint32Array(4)
    philox(words, counter, key0!, key1!)
    expect(Array.from(words)).toEqual(expected)
  })

  test('uniform and normal are those of the words', () => {
    const draw = (distribution: 'uniform' | 'normal', dtype: DType) =>
      run('random', { distribution }, [i32(0, 0)], [[dtype, 4]])[0]!
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    expect(draw('uniform', 'float32')).toEqual(f32(...words.map((word) => (word >>> 8) / 2 ** 24)))
    expect(draw('uniform', 'float64')).toEqual(f64(...words.map((word) => word / 2 ** 32)))
    // The inverse of the cumulative distribution at (word + ½) / 2³², by Python's statistics.NormalDist.
    const normal = [-0.2558159704329815, 1.1775912391721348, 0.6301836563560435, 0.26756224939052]
    expectClose(draw('normal', 'float64'), f64(...normal), ulps(8))
    expect(draw('normal', 'float32')).toEqual(f32(...normal))
  })

  test('the counter is the number of the block', () => {
    const key = i32(-7, 12345)
    const words = new Uint32Array(4)
    philox(words, [3, 0, 0, 0], -7, 12345)
    const [out] = run('random', { distribution: 'uniform' }, [key], [['float64', 15]])
    expect(Array.from(out!.subarray(12))).toEqual(Array.from(words.subarray(0, 3), (word) => word / 2 ** 32))
  })

  test('the normal distribution from one end to the other', () => {
    const ends = [2 ** -33, 1e-6, 0.3, 1 - 2 ** -33]
    // By Python's statistics.NormalDist.
    const expected = [-6.337957754553789, -4.753424308822899, -0.5244005127080407, 6.337957754553789]
    expectClose(Float64Array.from(ends, inverseNormal), Float64Array.from(expected), ulps(8))
  })

  test('its logarithm is one', () => {
    const x = Float64Array.from({ length: 1000 }, (_, i) => 2 ** (-33 + i / 30) + i * 1e-10)
    expectClose(x.map(log), x.map(Math.log), ulps(3))
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

describe('the executable', () => {
  /** state' = state − rate · gradient */
  const training = program({
    values: [float([2], 'state', 0), float([2], 'input', 0), float([], 'literal', 0), float([2], 'state', 0)],
    instructions: [instruction('sgd', { size: 2 }, [0, 1, 2], [3])],
    literals: [f32(0.5)],
    inputCount: 1,
    stateCount: 1,
  })

  test('a state is updated in place, or from its old buffer into a new one', () => {
    const executable = reference.prepare(training)
    const [inPlace, old, renewed] = [f32(1, 2), f32(1, 2), f32(9, 9)]
    executable.run([f32(2, 4), inPlace, inPlace])
    executable.run([f32(2, 4), old, renewed])
    expect([inPlace, old, renewed]).toEqual([f32(0, 0), f32(1, 2), f32(0, 0)])
  })

  test('runs keep the order of submission, whichever way', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    const settled: string[] = []
    const submit = (name: string, g: number) =>
      executable.runAsync([f32(g, g), state, state]).then(() => settled.push(name))
    const first = submit('first', 2)
    const second = submit('second', 4)
    expect(state).toEqual(f32(0, 0))
    executable.run([f32(8, 8), state, state])
    expect(state).toEqual(f32(-7, -7))
    const third = submit('third', 16)
    await Promise.all([first, second, third])
    expect(state).toEqual(f32(-15, -15))
    expect(settled).toEqual(['first', 'second', 'third'])
  })

  test('an async run is a macrotask of its own', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    const done = executable.runAsync([f32(2, 2), state, state])
    await Promise.resolve()
    expect(state).toEqual(f32(0, 0))
    await done
    expect(state).toEqual(f32(-1, -1))
  })

  test('drain runs what was submitted', () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    void executable.runAsync([f32(2, 2), state, state])
    reference.drain()
    expect(state).toEqual(f32(-1, -1))
  })

  test('a failure rejects, and the next run goes on', async () => {
    const gather = programOf('gather', { rows: 1, rowSize: 1, count: 1 }, [f32(5), i32(0)], [['float32', 1]])
    const executable = reference.prepare(gather)
    const [bad, good] = [bind(gather, [f32(5), i32(1)]), bind(gather, [f32(5), i32(0)])]
    const failing = executable.runAsync(bad.buffers)
    const working = executable.runAsync(good.buffers)
    await expect(failing).rejects.toThrow(new RangeError('gather: expected indices in [0, 1), got 1 at position 0'))
    await working
    expect(good.results).toEqual([f32(5)])
  })

  test('buffers that do not fit are refused', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    expect(() => executable.run([f32(1, 2), state])).toThrow(new TypeError('run: expected 3 buffers, got 2'))
    expect(() => executable.run([f32(1), state, state])).toThrow(
      new TypeError('run: expected float32[2] as buffer 0, got Float32Array of 1'),
    )
    expect(() => executable.run([f32(1, 2), f64(1, 2), state])).toThrow(
      'run: expected float32[2] as buffer 1, got Float64Array of 2',
    )
    const detached = f32(1, 2)
    structuredClone(detached, { transfer: [detached.buffer] })
    expect(() => executable.run([detached, state, state])).toThrow(
      'run: expected float32[2] as buffer 0, got Float32Array of 0',
    )
    await expect(executable.runAsync([detached, state, state])).rejects.toThrow(TypeError)
  })

  test('a disposed executable does not run', () => {
    const executable = reference.prepare(training)
    executable.dispose()
    expect(() => executable.run([f32(1, 2), f32(0, 0), f32(0, 0)])).toThrow('internal: a disposed executable was run')
  })

  test('a malformed program is not prepared', () => {
    expect(() => reference.prepare(program({ values: [value('float32', [2], 'input', 0)] }))).toThrow('one of 0 inputs')
  })

  test('info', () => {
    expect(reference.info()).toEqual({
      backend: 'reference',
      isa: 'javascript',
      supportedIsas: ['javascript'],
      threads: 1,
    })
  })
})
