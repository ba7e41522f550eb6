import { describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import type { InstructionParams } from '../../lib/program/instructions.ts'
import type { MicroInstruction, MicroOpName } from '../../lib/program/micro-ops.ts'
import { float } from '../support/malformed-programs.ts'
import { bind, bool, f32, f64, i32, instruction, program, runnerOf, type Typed, u8 } from '../support/run.ts'
import { expectClose, expectSame, ulps } from '../support/tolerance.ts'

const reference = createReferenceBackend()

const run = runnerOf(reference)

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
