/** Rows of the functions of math.ts and special.ts: sizes, dtypes, views, special values, and where floats come close to their limits. */

import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/operations/index.ts'
import { type MicroOpName, microOps } from '../../../lib/program/micro-ops.ts'
import { type Tensor, toTensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, type Operand, operand, type Range, shapesOf, type Values } from '../../support/cases.ts'
import { specials } from './elementwise.ts'

/** The micro-ops of one float that are a method of their own. */
type Unary = keyof Tensor &
  { [K in MicroOpName]: (typeof microOps)[K] extends { arity: 1; kind: 'float' } ? K : never }[MicroOpName]
type Rounding = 'floor' | 'ceil' | 'round' | 'trunc'
type Binary = 'atan2' | 'hypot' | 'mod' | 'fmod' | 'floorDiv'

/** Halves, the ends of the range in which floats have fractions, and what the ends of the inverse functions are. */
const awkward = [
  ...specials,
  1.5,
  -1.5,
  2.5,
  3.5,
  -3.5,
  0.49999997,
  -0.49999997,
  0.99999994,
  -0.99999994,
  1.0000001,
  8388607.5,
  -8388607.5,
  4194304.5,
  8388608,
  16777215,
  2 ** 23 + 1,
  1000,
  0.001,
  8,
  100,
  27,
]

/** Sizes, a view, special values, a wide range, and integers. */
function unaryRows(name: Unary | Rounding, range?: Range): OpCase[] {
  const f = (x: Tensor) => x[name]()
  const contract = { ulps: microOps[name satisfies MicroOpName].ulps }
  const rowOf = (note: string, shape: Shape): OpCase => {
    return { note, f, contract, differentiable: true, inputs: [operand(shape, range)] }
  }
  return [
    ...shapesOf('. 0 130 5,17').map((shape) => rowOf('one shape', shape)),
    { ...rowOf('transposed', [5, 17]), f: (x) => f(x!.transpose()) },
    { note: 'special values', f, contract, inputs: [operand([awkward.length], awkward)] },
    { note: 'a wide range', f, contract, inputs: [operand([1500], { low: -110, high: 110 })] },
    { note: 'integers', f, contract, inputs: [operand([19], undefined, 'int32')] },
    { note: 'bytes', f, contract, inputs: [operand([19], undefined, 'uint8')] },
  ]
}

const large = (f: (x: Tensor) => Tensor, ulps: number): OpCase => ({
  note: 'large',
  f: (x) => f(x!),
  contract: { ulps },
  inputs: [operand([99991], { low: -3, high: 3 })],
})

/** Every one against every other one. */
const pairsOf = (values: readonly number[], dtype: 'float32' | 'int32'): Operand[] => [
  operand([values.length, 1], values, dtype),
  operand([values.length], values, dtype),
]

/** Shapes that broadcast, a view, numbers on either side, special values, and integers where they stay so. */
function binaryRows(name: Binary, a: Range, b: Range): OpCase[] {
  const f = (x: Tensor, y: Tensor) => x[name](y)
  const contract = { ulps: microOps[name satisfies MicroOpName].ulps }
  const rowOf = (shapes: string): OpCase => {
    const [x, y] = shapesOf(shapes)
    return { f, contract, differentiable: true, inputs: [operand(x!, a), operand(y!, b)] }
  }
  const integers = [0, 1, -1, 2, -2, 3, -7, 10, 127, 46341, 2 ** 31 - 1, -(2 ** 31)]
  return [
    ...['. .', '0 0', '5,17 17', '5,1 5,17', '130 .', '. 17'].map(rowOf),
    { ...rowOf('5,17 17,5'), note: 'one transposed', f: (x, y) => f(x!, y!.transpose()) },
    { note: 'with a number', f: (x) => x![name](-1.5), contract, inputs: [operand([33])] },
    { note: 'special values', f, contract, inputs: pairsOf(awkward, 'float32') },
    { note: 'large quotients', f, contract, inputs: [operand([40], { low: 1e9, high: 1e30 }), operand([40])] },
    { note: 'integers', f, contract, inputs: pairsOf(integers, 'int32') },
  ]
}

const positive: Range = { low: 0.3, high: 3 }
const away: Range = { low: -2, high: 2, gap: 0.3 }
/** Without an integer quotient near. */
const quotients: [Range, Range] = [
  { low: 4.1, high: 4.9 },
  { low: 1.8, high: 1.95 },
]
const fractions: Range = { low: 1.1, high: 1.4 }

/** Between two poles of the gamma function, without a zero of its derivatives near. */
const belowZero: Range = { low: -2.6, high: -2.45 }

const polygammaRow = (n: number, values: Values, differentiable = false, dtype: DType = 'float32'): OpCase => ({
  note: `order ${n}`,
  f: (x) => g.polygamma(x!, n),
  contract: { ulps: n === 0 ? microOps.digamma.ulps : microOps.polygamma.ulps },
  differentiable,
  inputs: [operand([130], values, dtype)],
})

const pairOfShapes = (shapes: string, dtype: DType): Operand[] =>
  shapesOf(shapes).map((shape) => operand(shape, undefined, dtype))

/** Zeros, ends of the range, primes and their products. */
const divisible = [0, 1, -1, 2, -6, 12, 97, 46368, 28657, -(3 ** 19), 2 ** 30, 2 ** 31 - 1, -(2 ** 31)]

const integerRows = (f: (x: Tensor, y: Tensor) => Tensor): OpCase[] => [
  { note: 'every pair', f: (x, y) => f(x!, y!), contract: exactly, inputs: pairsOf(divisible, 'int32') },
  { note: 'a view', f: (x, y) => f(x!, y!.transpose()), contract: exactly, inputs: pairOfShapes('5,17 17,5', 'int32') },
  {
    note: 'with a number',
    f: (x) => f(x!, toTensor('divisible', 12)),
    contract: exactly,
    inputs: pairOfShapes('33', 'int32'),
  },
  {
    note: 'bytes and integers',
    f: (x, y) => f(x!, y!.cast('uint8')),
    contract: exactly,
    inputs: pairOfShapes('9 9', 'int32'),
  },
]

/** What is near 0 is the difference of what is not. */
const logAddExpRow = (note: string, inputs: Operand[], differentiable: boolean): OpCase => ({
  note,
  f: (x, y) => g.logAddExp(x!, y!),
  contract: { depth: 4, magnitude: (x, y) => x!.abs().add(y!.abs()).add(1) },
  differentiable,
  inputs,
})

/** Near its zero it is as exact as elsewhere. */
const logitRow = (note: string, x: Operand, differentiable: boolean, options?: g.LogitOptions): OpCase => ({
  note,
  f: (p) => g.logit(p!, options),
  contract: { depth: 4, magnitude: (p) => g.logit(p!, options).abs() },
  differentiable,
  inputs: [x],
})

const xlogyRow = (note: string, inputs: Operand[], differentiable: boolean): OpCase => ({
  note,
  f: (x, y) => g.xlogy(x!, y!),
  contract: { ulps: microOps.log.ulps + 1 },
  differentiable,
  inputs,
})

const clampRow = (note: string, inputs: Operand[], f: OpCase['f'], differentiable = true): OpCase => ({
  note,
  f,
  contract: { ulps: 0 },
  differentiable,
  inputs,
})

export const mathCases = {
  floor: [...unaryRows('floor', fractions), large(g.floor, 0)],
  ceil: unaryRows('ceil', fractions),
  round: unaryRows('round', fractions),
  trunc: unaryRows('trunc', fractions),
  exp2: unaryRows('exp2'),
  log2: unaryRows('log2', positive),
  log10: unaryRows('log10', positive),
  cbrt: unaryRows('cbrt', away),
  tan: unaryRows('tan', { low: -1.2, high: 1.2 }),
  asin: unaryRows('asin', { low: -0.9, high: 0.9 }),
  acos: unaryRows('acos', { low: -0.9, high: 0.9 }),
  atan: [...unaryRows('atan'), large(g.atan, microOps.atan.ulps)],
  sinc: [
    ...unaryRows('sinc', { low: -3.4, high: 3.4 }),
    ...unaryRows('sinc', { low: -0.3, high: 0.3 }).map((row) => ({ ...row, note: 'near 0' })),
  ],
  sinh: unaryRows('sinh'),
  cosh: unaryRows('cosh'),
  asinh: unaryRows('asinh'),
  acosh: unaryRows('acosh', { low: 1.2, high: 4 }),
  atanh: unaryRows('atanh', { low: -0.9, high: 0.9 }),
  erfc: unaryRows('erfc'),
  erfinv: unaryRows('erfinv', { low: -0.9, high: 0.9 }),
  lgamma: [...unaryRows('lgamma', { low: 0.3, high: 4 }), ...unaryRows('lgamma', belowZero).slice(2, 3)],
  digamma: [...unaryRows('digamma', { low: 0.3, high: 4 }), ...unaryRows('digamma', belowZero).slice(2, 3)],
  polygamma: [
    ...[0, 1, 2, 5].flatMap((n) => [polygammaRow(n, { low: 1, high: 4 }, true), polygammaRow(n, belowZero, true)]),
    ...[0, 1, 2, 30, 170].flatMap((n) => [
      polygammaRow(n, awkward),
      polygammaRow(n, { low: -30, high: 60 }),
      polygammaRow(n, { low: 0, high: 256 }, false, 'uint8'),
    ]),
  ],
  gcd: [
    ...integerRows(g.gcd),
    { note: 'bytes', f: (x, y) => g.gcd(x!, y!), contract: exactly, inputs: pairOfShapes('5,17 17', 'uint8') },
  ],
  lcm: integerRows(g.lcm),
  atan2: binaryRows('atan2', away, away),
  hypot: binaryRows('hypot', away, away),
  mod: binaryRows('mod', ...quotients),
  fmod: binaryRows('fmod', ...quotients),
  floorDiv: binaryRows('floorDiv', ...quotients),
  logAddExp: [
    ...['. .', '5,17 17', '0 0'].map((shapes) =>
      logAddExpRow(
        'shapes',
        shapesOf(shapes).map((shape) => operand(shape)),
        true,
      ),
    ),
    logAddExpRow('the same', [operand([3], [1, -2, 0]), operand([3], [1, -2, 0])], true),
    logAddExpRow('special values', pairsOf(specials, 'float32'), false),
    logAddExpRow('integers', [operand([9], undefined, 'int32'), operand([9], undefined, 'int32')], false),
  ],
  clamp: [
    clampRow('numbers', [operand([5, 17], { low: -2, high: 2 })], (x) => g.clamp(x!, -0.5, 1)),
    clampRow('a least one', [operand([17], away)], (x) => g.clamp(x!, 0)),
    clampRow('a greatest one', [operand([17], away)], (x) => g.clamp(x!, null, 0)),
    clampRow('tensors', [operand([5, 17]), operand([17]), operand([5, 1])], (x, low, high) => g.clamp(x!, low, high)),
    clampRow('empty', [operand([0, 3])], (x) => g.clamp(x!, 0, 1)),
    clampRow('special values', [operand([specials.length], specials)], (x) => g.clamp(x!, -0.5, 1e4), false),
    clampRow('integers', [operand([19], undefined, 'int32')], (x) => g.clamp(x!, -3, 5), false),
  ],
  atLeast: [clampRow('NaN', pairsOf(specials, 'float32'), (x, y) => g.clamp(x!, y), false)],
  atMost: [clampRow('NaN', pairsOf(specials, 'float32'), (x, y) => g.clamp(x!, null, y), false)],
  lerp: [
    clampRow('a small weight', [operand([5, 17]), operand([17])], (x, y) => g.lerp(x!, y!, 0.3)),
    clampRow('a large weight', [operand([5, 17]), operand([17])], (x, y) => g.lerp(x!, y!, 0.7)),
    clampRow('weights', [operand([5, 17]), operand([17]), operand([5, 1])], (x, y, w) => g.lerp(x!, y!, w!)),
    clampRow('integers', [operand([9], undefined, 'int32'), operand([9])], (x, y) => g.lerp(x!, y!, 0.5), false),
  ],
  logit: [
    ...shapesOf('. 0 130 5,17').map((shape) => logitRow('a shape', operand(shape, { low: 0.02, high: 0.98 }), true)),
    logitRow('near its zero', operand([99], { low: 0.4999, high: 0.5001 }), false),
    logitRow('special values', operand([specials.length], specials), false),
    logitRow('the ends', operand([6], [1e-30, 1e-7, 0.25, 0.2499999, 0.99999994, 0.75]), false),
    logitRow('bounded', operand([17], { low: 0.2, high: 0.8 }), true, { epsilon: 0.1 }),
    logitRow('brought to bounds', operand([17], { low: -1, high: 2 }), false, { epsilon: 0.1 }),
    logitRow('truths', operand([9], undefined, 'bool'), false, { epsilon: 0.1 }),
  ],
  xlogy: [
    ...['. .', '0 0', '5,17 17', '5,1 5,17'].map((shapes) => {
      const [a, b] = shapesOf(shapes)
      return xlogyRow('shapes', [operand(a!), operand(b!, positive)], true)
    }),
    xlogyRow('special values', pairsOf(specials, 'float32'), false),
    xlogyRow('integers', [operand([9], undefined, 'int32'), operand([9], { low: 0, high: 5 }, 'int32')], false),
  ],
  frac: [
    clampRow('a shape', [operand([5, 17], fractions)], (x) => g.frac(x!)),
    clampRow('special values', [operand([awkward.length], awkward)], (x) => g.frac(x!), false),
    clampRow('integers', [operand([9], undefined, 'int32')], (x) => g.frac(x!), false),
  ],
  copySign: [
    clampRow('signs', [operand([5, 17], away), operand([17], away)], (x, y) => g.copySign(x!, y!)),
    clampRow('special values', pairsOf(specials, 'float32'), (x, y) => g.copySign(x!, y!), false),
    clampRow('integers', [operand([9], undefined, 'int32'), operand([9])], (x, y) => g.copySign(x!, y!), false),
  ],
  heaviside: [
    clampRow('values', [operand([5, 3], [1, 0, -1], 'int32'), operand([3])], (x, y) => g.heaviside(x!, y!)),
    clampRow('special values', pairsOf(specials, 'float32'), (x, y) => g.heaviside(x!, y!), false),
    clampRow('integers', pairsOf([0, 1, -2, 5], 'int32'), (x, y) => g.heaviside(x!, y!), false),
  ],
  nanToNum: [
    clampRow('ordinary numbers', [operand([5, 17])], (x) => g.nanToNum(x!)),
    clampRow('special values', [operand([specials.length], specials)], (x) => g.nanToNum(x!), false),
    clampRow('others', [operand([specials.length], specials)], (x) => g.nanToNum(x!, { nan: 1, posInf: 2 }), false),
    clampRow('integers', [operand([9], undefined, 'int32')], (x) => g.nanToNum(x!), false),
  ],
} satisfies Record<string, readonly OpCase[]>
