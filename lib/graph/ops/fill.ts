/** What is known of values without computing them. */
import type { Node } from '../node.ts'
import { broadcastToOp, reshapeOp } from './broadcast.ts'
import { isLiteral, literalValue } from './leaf.ts'
import { castOp } from './promotion.ts'

const keepsZero: readonly unknown[] = [castOp, reshapeOp, broadcastToOp]

/** Whether a node is known to be 0 everywhere, as `zeros` is; −0 is another number. */
export function isZeros(node: Node): boolean {
  let x = node
  for (let from = x.inputs[0]; from !== undefined && keepsZero.includes(x.def); from = x.inputs[0]) x = from
  return isLiteral(x) && Object.is(literalValue(x), 0)
}
