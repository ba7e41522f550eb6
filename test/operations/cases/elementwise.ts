/** Rows of elementwise operations: sizes, dtypes, broadcasting, operands that are views, special values. */
import type { DType } from '../../../lib/base/dtype.ts'
import type { Shape } from '../../../lib/base/shape.ts'
import { elementwise } from '../../../lib/graph/ops/elementwise.ts'
import { type MicroOpName, microOps } from '../../../lib/program/micro-ops.ts'
import { nodeOf, type Tensor, wrap } from '../../../lib/tensor/tensor.ts'
import { type OpCase, type Operand, operand, type Range, shapesOf, type Values } from '../../support/cases.ts'

export const dtypes: readonly DType[] = ['float32', 'int32', 'uint8', 'bool']

/** Zeros, ones, halves, the ends of the range of float32 and of its denormals, and beyond. */
export const specials = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2.5,
  -2.5,
  1e-3,
  87,
  -87,
  1e4,
  2 ** -149,
  -(2 ** -140),
  2 ** -126,
  2 ** -127,
  3.4e38,
  -3.4e38,
  1e-30,
  1e30,
  Infinity,
  -Infinity,
  NaN,
]

/** The ends of the ranges of the integers, as int32. */
const integerSpecials = [0, 1, -1, 2, -7, 127, 128, 255, 256, 46341, 65536, 2 ** 31 - 1, -(2 ** 31), 16777217]

const sizes = shapesOf('. 0 1 3 17 130 1023 3,0,2 2,3,4 5,17')

/** A base shape, and a view of it that lowering folds into how the operation loads it. */
export interface ViewRow {
  readonly note: string
  readonly shape: Shape
  readonly view: (x: Tensor) => Tensor
}

export const views: readonly ViewRow[] = [
  { note: 'transposed', shape: [5, 17], view: (x) => x.transpose() },
  { note: 'permuted', shape: [2, 3, 19], view: (x) => x.transpose([1, 2, 0]) },
  { note: 'sliced', shape: [6, 21], view: (x) => x.slice([1, 2], [-1, -1]) },
  { note: 'every other one', shape: [9, 21], view: (x) => x.slice([0, 1], [9, 21], { step: [2, 3] }) },
  { note: 'one column', shape: [21, 4], view: (x) => x.slice([0, 2], [21, 3]) },
  { note: 'repeated rows', shape: [17], view: (x) => x.broadcastTo([5, 17]) },
  { note: 'repeated columns', shape: [5, 1], view: (x) => x.broadcastTo([5, 17]) },
  { note: 'a repeated scalar', shape: [], view: (x) => x.broadcastTo([40]) },
  { note: 'a slice reshaped', shape: [4, 6, 5], view: (x) => x.slice([1], [3]).reshape([12, 5]) },
  { note: 'repeated in the middle', shape: [3, 1, 7], view: (x) => x.broadcastTo([3, 4, 7]).transpose([2, 0, 1]) },
]

export interface Facts {
  readonly ulps?: number
  /** Where the function is smooth. */
  readonly range?: Range
  readonly dtypes?: readonly DType[]
  readonly differentiable?: boolean
}

/** Rows of a function of one tensor. */
export function unaryRows(
  f: (x: Tensor) => Tensor,
  { ulps = 0, range, dtypes: taken = dtypes, differentiable = true }: Facts = {},
): OpCase[] {
  const contract = { ulps }
  const rowsOf = (shape: Shape): OpCase => ({ f, contract, differentiable, inputs: [operand(shape, range)] })
  const typed = taken.filter((dtype) => dtype !== 'float32').map((dtype) => [operand([19], undefined, dtype)])
  const integers = taken.includes('int32') ? [[operand([integerSpecials.length], integerSpecials, 'int32')]] : []
  return [
    ...sizes.map(rowsOf),
    ...views.map(({ note, shape, view }) => ({ ...rowsOf(shape), note, f: (x: Tensor) => f(view(x)) })),
    ...[...typed, ...integers].map((inputs) => ({ f, contract, inputs })),
    { note: 'special values', f, contract, inputs: [operand([specials.length], specials)] },
    { note: 'a wide range', f, contract, inputs: [operand([1500], { low: -110, high: 110 })] },
  ]
}

const shapePairs = [
  '. .',
  '0 0',
  '1 1',
  '3,17 3,17',
  '1023 1023',
  '17 .',
  '. 17',
  '1 1,1,1',
  '3,17 17',
  '17 3,17',
  '3,17 3,1',
  '3,1 1,17',
  '2,3,4 3,1',
  '2,1,5 1,3,1',
  '0,3 3',
  '130,7 7',
  '2,3,4,5 3,1,5',
  '4,1,6,1 3,1,5',
].map(shapesOf)

const dtypePairs = dtypes
  .flatMap((a) => dtypes.map((b) => [a, b] as const))
  .filter(([a, b]) => a !== 'float32' || a !== b)

/** Every special value against every other one. */
const specialPairs = (values: readonly number[], dtype: DType): Operand[] => [
  operand([values.length, 1], values, dtype),
  operand([values.length], values, dtype),
]

interface BinaryFacts extends Omit<Facts, 'range'> {
  readonly ranges?: readonly [Values | undefined, Values | undefined]
}

/** Rows of a function of two tensors that broadcast. */
export function binaryRows(
  f: (x: Tensor, y: Tensor | number) => Tensor,
  { ulps = 0, ranges = [undefined, undefined], dtypes: taken = dtypes, differentiable = true }: BinaryFacts = {},
): OpCase[] {
  const contract = { ulps }
  const rowOf = (a: Shape, b: Shape): OpCase => {
    return { f, contract, differentiable, inputs: [operand(a, ranges[0]), operand(b, ranges[1])] }
  }
  const pairs = dtypePairs.filter((pair) => pair.every((dtype) => taken.includes(dtype)))
  const numbers = dtypes.flatMap((dtype) => [2, 0.5].map((y) => ({ dtype, y })))
  return [
    ...shapePairs.map(([a, b]) => rowOf(a!, b!)),
    ...views.map(({ note, shape, view }) => ({
      ...rowOf(shape, shape),
      note,
      f: (x: Tensor, y: Tensor) => f(view(x), view(y)),
    })),
    { ...rowOf([5, 17], [17, 5]), note: 'one transposed', f: (x, y) => f(x, y.transpose()) },
    { ...rowOf([19], [19]), note: 'the same twice', inputs: [operand([19], ranges[0])], f: (x) => f(x, x) },
    ...pairs.map(([a, b]) => ({ f, contract, inputs: [operand([13], undefined, a), operand([13], undefined, b)] })),
    ...numbers.map(({ dtype, y }) => ({
      note: `with ${y}`,
      f: (x: Tensor) => f(x, y),
      contract,
      inputs: [operand([9], undefined, dtype)],
    })),
    { note: 'special values', f, contract, inputs: specialPairs(specials, 'float32') },
    { note: 'special values', f, contract, inputs: specialPairs(integerSpecials, 'int32') },
  ]
}

/** The micro-ops that are methods of a tensor, by how they are called. */
type MethodName = MicroOpName & keyof Tensor
type Callable<Signature> = { [K in MethodName]: Tensor[K] extends Signature ? K : never }[MethodName]

const rowsOfUnary = (name: Callable<() => Tensor>, facts: Facts = {}): OpCase[] =>
  unaryRows((x) => x[name](), { ulps: microOps[name].ulps, ...facts })

const rowsOfBinary = (name: Callable<(y: number) => Tensor>, facts: BinaryFacts = {}): OpCase[] =>
  binaryRows((x, y) => (x[name] as (y: Tensor | number) => Tensor)(y), { ulps: microOps[name].ulps, ...facts })

const awayFromZero: Range = { low: -3, high: 3, gap: 0.3 }
const positive: Range = { low: 0.3, high: 3 }
const gentle: Range = { low: -2, high: 2 }

/** Small whole numbers, so that many pairs are equal. */
const whole = [-2, -1, -0, 0, 1, 2, 3, 1, 0, 0, 2]

const comparisonRows = (name: 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual'): OpCase[] =>
  rowsOfBinary(name, { ranges: [whole, whole.toReversed()], differentiable: false })

const noted = (note: string, rows: readonly OpCase[]): OpCase[] =>
  rows.map((row) => ({ ...row, note: `${note} ${row.note ?? ''}`.trim() }))

const leakyRows = (slope: number): OpCase[] =>
  noted(
    `slope ${slope}`,
    unaryRows((x) => x.leakyRelu(slope), { range: awayFromZero }),
  )

const eluRows = (alpha: number): OpCase[] =>
  noted(
    `alpha ${alpha}`,
    unaryRows((x) => x.elu(alpha), { range: awayFromZero, ulps: microOps.elu.ulps }),
  )

/** Angles whose reduction needs many bits of π: the float nearest to a multiple of π/2 is the tenth. */
const angles = [
  1e2,
  -1e3,
  1e4,
  -1e5,
  1e6,
  -1e8,
  1e12,
  -1e20,
  1e36,
  16367173 * 2 ** 72,
  1.5707964,
  Math.fround(Math.PI),
  100000.02,
]

const circularRows = (name: 'sin' | 'cos'): OpCase[] => [
  ...rowsOfUnary(name),
  {
    note: 'large angles',
    inputs: [operand([3, 17], angles)],
    f: (x) => x[name](),
    contract: { ulps: microOps[name].ulps },
  },
]

function whereRow(note: string, condition: Operand, x: Operand, y: Operand): OpCase {
  return { note, inputs: [condition, x, y], f: (c, a, b) => c.where(a, b), contract: { ulps: 0 }, differentiable: true }
}

const flags = (shape: Shape): Operand => operand(shape, undefined, 'bool')

const whereRows: OpCase[] = [
  ...sizes.map((shape) => whereRow('one shape', flags(shape), operand(shape), operand(shape))),
  whereRow('per column', flags([17]), operand([5, 17]), operand([5, 17])),
  whereRow('per row', flags([5, 1]), operand([5, 17]), operand([17])),
  whereRow('all broadcast', flags([2, 1, 1]), operand([3, 1]), operand([4])),
  ...dtypes.map((dtype) => ({
    ...whereRow('choices', flags([33]), operand([33], undefined, dtype), operand([33], undefined, dtype)),
    differentiable: dtype === 'float32',
  })),
  { ...whereRow('mixed choices', flags([9]), operand([9], undefined, 'int32'), operand([9])) },
  {
    ...whereRow('special values', flags([23]), operand([23], specials), operand([23], specials.toReversed())),
    differentiable: false,
  },
  {
    note: 'a comparison, a number and a view',
    inputs: [operand([5, 7]), operand([7, 5])],
    f: (x, y) => x.greater(0.1).where(y.transpose(), 2),
    contract: { ulps: 0 },
    differentiable: true,
  },
]

/** Work for more than one thread, over operands that are read in each way. */
const large = (note: string, shapes: string, f: OpCase['f'], ulps = 0): OpCase => ({
  note: `large, ${note}`,
  inputs: shapesOf(shapes).map((shape) => operand(shape)),
  f,
  contract: { ulps },
})

/** Truncation, saturation and wrapping where one dtype meets the range of another. */
const castValues: { readonly [K in DType]: readonly number[] } = {
  float32: [
    ...specials,
    254.9,
    255,
    255.5,
    256,
    -0.9,
    2147483520,
    2147483648,
    -2147483648,
    -2147483904,
    1e10,
    16777215,
  ],
  float64: [],
  int32: integerSpecials,
  uint8: [0, 1, 2, 127, 128, 255],
  bool: [0, 1],
}

const castRows: OpCase[] = [
  ...dtypes.flatMap((from) =>
    dtypes.map((to) => ({
      note: `to ${to}`,
      inputs: [operand([3 * castValues[from].length], castValues[from], from)],
      f: (x: Tensor) => x.cast(to),
      contract: { ulps: 0 },
    })),
  ),
  ...views.map(({ note, shape, view }) => ({
    note: `${note}, there and back`,
    inputs: [operand(shape, undefined, 'uint8')],
    f: (x: Tensor) => view(x).cast('float32').div(255).cast('int32'),
    contract: { ulps: 0 },
  })),
]

export const elementwiseCases = {
  add: [
    ...rowsOfBinary('add'),
    large('dense', '211,500 211,500', (x, y) => x!.add(y!)),
    large('per column', '211,500 500', (x, y) => x!.add(y!)),
    large('per row', '211,500 211,1', (x, y) => x!.add(y!)),
    large('transposed', '211,500 500,211', (x, y) => x!.add(y!.transpose())),
    large('a group', '211,500 500', (x, y) => x!.add(y!).relu().mul(x!).sub(0.5)),
  ],
  sub: rowsOfBinary('sub'),
  mul: rowsOfBinary('mul'),
  div: rowsOfBinary('div', { ranges: [awayFromZero, awayFromZero] }),
  pow: [
    ...rowsOfBinary('pow', { ranges: [positive, gentle] }),
    ...[2, 3, -1, 0, 0.5].map((exponent) => ({
      note: `to the ${exponent}`,
      inputs: [operand([77], exponent === 0.5 ? positive : awayFromZero)],
      f: (x: Tensor) => x.pow(exponent),
      contract: { ulps: microOps.pow.ulps },
      differentiable: true,
    })),
  ],
  maximum: rowsOfBinary('maximum'),
  minimum: rowsOfBinary('minimum'),
  equal: comparisonRows('equal'),
  notEqual: comparisonRows('notEqual'),
  less: comparisonRows('less'),
  lessEqual: comparisonRows('lessEqual'),
  greater: comparisonRows('greater'),
  greaterEqual: comparisonRows('greaterEqual'),
  neg: rowsOfUnary('neg'),
  abs: rowsOfUnary('abs', { range: awayFromZero }),
  sign: rowsOfUnary('sign', { range: awayFromZero }),
  square: rowsOfUnary('square'),
  sqrt: rowsOfUnary('sqrt', { range: positive }),
  exp: [...rowsOfUnary('exp'), large('dense', '99991', (x) => x!.exp(), microOps.exp.ulps)],
  log: rowsOfUnary('log', { range: positive }),
  sigmoid: rowsOfUnary('sigmoid'),
  tanh: rowsOfUnary('tanh'),
  relu: rowsOfUnary('relu', { range: awayFromZero }),
  leakyRelu: [0.01, 0.2, 0, 1, -0.5].flatMap(leakyRows),
  softplus: rowsOfUnary('softplus'),
  expm1: rowsOfUnary('expm1'),
  log1p: rowsOfUnary('log1p', { range: { low: -0.7, high: 3 } }),
  sin: circularRows('sin'),
  cos: circularRows('cos'),
  rsqrt: rowsOfUnary('rsqrt', { range: positive }),
  reciprocal: rowsOfUnary('reciprocal', { range: awayFromZero }),
  erf: rowsOfUnary('erf'),
  silu: rowsOfUnary('silu'),
  swish: unaryRows((x) => x.swish(), { ulps: microOps.silu.ulps }),
  elu: [1, 0.3, 0, -1.5].flatMap(eluRows),
  gelu: [...rowsOfUnary('gelu'), large('dense', '99991', (x) => x!.gelu(), microOps.gelu.ulps)],
  geluTanh: unaryRows((x) => x.gelu({ approximate: 'tanh' }), { ulps: microOps.geluTanh.ulps }),
  geluDerivative: unaryRows((x) => wrap(elementwise.geluDerivative(nodeOf(x))), { ulps: microOps.geluDerivative.ulps }),
  where: whereRows,
  cast: castRows,
} satisfies Record<string, readonly OpCase[]>
