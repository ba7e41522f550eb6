/** Operations on the bits of integers; of bool, on truth. They have no gradient. */
import type { DType } from '../../base/dtype.ts'
import { DTypeError, expected } from '../../base/errors.ts'
import type { Node } from '../node.ts'
import { bitwiseXor, elementwise } from './elementwise.ts'
import { literal } from './leaf.ts'

export { bitwiseAnd, bitwiseXor } from './elementwise.ts'
export const { bitwiseOr, leftShift, rightShift } = elementwise

/** By dtype, the number all of whose bits are set. */
const allBits: { readonly [K in DType]?: number } = { int32: -1, uint8: 255, bool: 1 }

export function bitwiseNot(x: Node): Node {
  const ones = allBits[x.dtype]
  if (ones === undefined) throw new DTypeError(expected('bitwiseNot', Object.keys(allBits).join(' or '), x.dtype))
  return bitwiseXor(x, literal(ones, x.dtype))
}
