/** Rows of questions about numbers, of logic and of operations on bits. */
import type { DType } from '../../../lib/base/dtype.ts'
import * as g from '../../../lib/operations/index.ts'
import type { Tensor } from '../../../lib/tensor/tensor.ts'
import { exactly, type OpCase, type Operand, operand, shapesOf } from '../../support/cases.ts'
import { dtypes, specials } from './elementwise.ts'

const unaryRows = (f: (x: Tensor) => Tensor, taken: readonly DType[]): OpCase[] => [
  ...shapesOf('. 0 5,17').map((shape) => ({ f, contract: exactly, inputs: [operand(shape, undefined, taken[0])] })),
  ...taken.map((dtype) => ({ f, contract: exactly, inputs: [operand([33], undefined, dtype)] })),
  ...(taken.includes('float32')
    ? [{ note: 'special values', f, contract: exactly, inputs: [operand([specials.length], specials)] }]
    : []),
]

/** Every one against every other one. */
const pairsOf = (values: readonly number[], dtype: DType): Operand[] => [
  operand([values.length, 1], values, dtype),
  operand([values.length], values, dtype),
]

const integers = [0, 1, -1, 2, 5, 31, 32, 33, -31, 127, 255, 65536, 2 ** 31 - 1, -(2 ** 31)]
const bytes = [0, 1, 2, 7, 8, 9, 31, 32, 127, 128, 255]
const pairs: readonly Operand[][] = [pairsOf(integers, 'int32'), pairsOf(bytes, 'uint8'), pairsOf([0, 1], 'bool')]

type Binary = (x: Tensor, y: Tensor | number) => Tensor

const binaryRows = (f: Binary, operands: readonly Operand[][]): OpCase[] => [
  ...operands.map((inputs) => ({ f, contract: exactly, inputs })),
  ...['. .', '0 0', '130 130', '5,17 17', '5,1 5,17'].map((shapes) => ({
    f,
    contract: exactly,
    inputs: shapesOf(shapes).map((shape) => operand(shape, undefined, 'int32')),
  })),
  { note: 'with a number', f: (x) => f(x!, 3), contract: exactly, inputs: [operand([33], undefined, 'uint8')] },
  {
    note: 'bytes and integers',
    f: (x, y) => f(x!, y!.transpose()),
    contract: exactly,
    inputs: [operand([5, 7], undefined, 'uint8'), operand([7, 5], undefined, 'int32')],
  },
]

const logicalRows = (f: Binary): OpCase[] => [
  ...binaryRows(f, pairs),
  { note: 'special values', f, contract: exactly, inputs: pairsOf([0, -0, 1, NaN, Infinity, 1e-45], 'float32') },
]

const bitDTypes: readonly DType[] = ['int32', 'uint8', 'bool']

export const logicCases = {
  isNaN: unaryRows((x) => g.isNaN(x), dtypes),
  isFinite: unaryRows((x) => g.isFinite(x), dtypes),
  isInf: unaryRows((x) => g.isInf(x), dtypes),
  logicalNot: unaryRows((x) => g.logicalNot(x), dtypes),
  logicalAnd: logicalRows(g.logicalAnd),
  logicalOr: logicalRows(g.logicalOr),
  logicalXor: logicalRows(g.logicalXor),
  bitwiseNot: unaryRows((x) => g.bitwiseNot(x), bitDTypes),
  bitwiseAnd: binaryRows(g.bitwiseAnd, pairs),
  bitwiseOr: binaryRows(g.bitwiseOr, pairs),
  bitwiseXor: binaryRows(g.bitwiseXor, pairs),
  leftShift: binaryRows(g.leftShift, pairs.slice(0, 2)),
  rightShift: binaryRows(g.rightShift, pairs.slice(0, 2)),
} satisfies Record<string, readonly OpCase[]>
