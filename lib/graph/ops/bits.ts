/** Operations on the bits of integers; of bool, on truth. They have no gradient. */
import type { DType } from '../../base/dtype.ts'
import { DTypeError, expected } from '../../base/errors.ts'
import type { Node, OpDef } from '../node.ts'
import { binary, microOp, type Operand, operandNode, promotedDType } from './elementwise.ts'
import { literal } from './leaf.ts'

const ops = {
  bitwiseAnd: microOp('bitwiseAnd'),
  bitwiseOr: microOp('bitwiseOr'),
  bitwiseXor: microOp('bitwiseXor'),
  leftShift: microOp('leftShift'),
  rightShift: microOp('rightShift'),
} satisfies Record<string, OpDef<null>>

const integers: readonly DType[] = ['int32', 'uint8']
const withBool: readonly DType[] = [...integers, 'bool']

function checkBits(op: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) throw new DTypeError(expected(op, allowed.join(' or '), dtype))
}

function ofBits(def: OpDef<null>, allowed: readonly DType[]) {
  const recorded = binary(def, (dtype) => dtype)
  return (a: Operand, b: Operand): Node => {
    checkBits(def.name, promotedDType(operandNode(a), operandNode(b)), allowed)
    return recorded(a, b)
  }
}

export const bitwiseAnd = ofBits(ops.bitwiseAnd, withBool)
export const bitwiseOr = ofBits(ops.bitwiseOr, withBool)
export const bitwiseXor = ofBits(ops.bitwiseXor, withBool)
export const leftShift = ofBits(ops.leftShift, integers)
export const rightShift = ofBits(ops.rightShift, integers)

/** By dtype, the number all of whose bits are set. */
const allBits: { readonly [K in DType]?: number } = { int32: -1, uint8: 255, bool: 1 }

export function bitwiseNot(x: Node): Node {
  checkBits('bitwiseNot', x.dtype, withBool)
  return bitwiseXor(x, literal(allBits[x.dtype]!, x.dtype))
}

export const bitOps = ops
