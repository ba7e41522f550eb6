/** Rounding of floats; integers stay. */
import type { Node } from '../node.ts'
import { elementwise } from './elementwise.ts'
import { floatDType, type Operand, operandNode } from './promotion.ts'

function rounding(ofFloats: (x: Node) => Node) {
  return (x: Operand): Node => {
    const node = operandNode(x)
    return node.dtype === floatDType(node.dtype) ? ofFloats(node) : node
  }
}

export const floor = rounding(elementwise.floor)
export const ceil = rounding(elementwise.ceil)
export const round = rounding(elementwise.round)
export const trunc = rounding(elementwise.trunc)

export { atLeast, atMost } from './elementwise.ts'
export const { mod, fmod, floorDiv, exp2, log2, log10, cbrt, tan, asin, acos, atan, sinh, cosh } = elementwise
export const { asinh, acosh, atanh, erfc, atan2, hypot } = elementwise
