/** The dtype in which operands meet: numpy's promotion, with JavaScript numbers that take the dtype of the other operand. */
import { type DType, isFloat, promote } from '../../base/dtype.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { literal, weakValue } from './leaf.ts'

export const castOp: OpDef<{ to: DType }, Unary> = {
  name: 'cast',
  infer: ([x], { to }) => ({ dtype: to, shape: x.shape }),
  vjp: (ct, { inputs: [x] }) => [isFloat(x.dtype) ? cast(ct, x.dtype) : null],
  lower: (emitter, { inputs: [x], dtype, shape }) =>
    emitter.elementwise({ dtype, shape }, [emitter.viewOf(x)], { op: 'cast', dtype: x.dtype, to: dtype }),
}

export function cast(x: Node, dtype: DType): Node {
  return x.dtype === dtype ? x : record(castOp, [x], { to: dtype })
}

/** A node, or a JavaScript number that takes the dtype of the other operand. */
export type Operand = Node | number

export const operandNode = (x: Operand): Node => (typeof x === 'number' ? literal(x, 'float32', true) : x)

/** A number is what the other operand is, unless that would round it: integers meet 0.5 in float32. */
export function promotedDType(a: Node, b: Node): DType {
  const [x, y] = [weakValue(a), weakValue(b)]
  if (x !== undefined && y === undefined) return weakDType(x, b.dtype)
  if (y !== undefined && x === undefined) return weakDType(y, a.dtype)
  return promote(a.dtype, b.dtype)
}

const isInt32 = (value: number): boolean => value === (value | 0)

function weakDType(value: number, other: DType): DType {
  if (isFloat(other)) return other
  const fits = Number.isInteger(value) && (other === 'uint8' ? value >= 0 && value <= 255 : isInt32(value))
  if (fits) return other === 'bool' ? 'int32' : other
  return isInt32(value) ? 'int32' : 'float32'
}

/** What arithmetic computes in: bytes widen to int32, so that 200 + 100 is 300. */
export const arithmeticDType = (dtype: DType): DType => (dtype === 'bool' || dtype === 'uint8' ? 'int32' : dtype)

export const floatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32')

/** x in a dtype; a JavaScript number is one from the beginning, rather than by a cast. */
export function toDType(x: Node, dtype: DType): Node {
  const value = weakValue(x)
  return value === undefined ? cast(x, dtype) : literal(value, dtype)
}
