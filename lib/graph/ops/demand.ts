/** What the data have to be, checked when they are known. */
import { isFloat } from '../../base/dtype.ts'
import { sizeOf } from '../../base/shape.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'
import { stopGradient } from './leaf.ts'
import { cast } from './promotion.ts'

/** The range that values have to be in, its bounds included, and the words for it: `op: expected what`. */
export interface Demand {
  readonly low: number
  readonly high: number
  readonly what: string
}

const demandOp: OpDef<{ low: number; high: number; what: string }, Binary> = {
  name: 'demand',
  infer: ([x]) => x,
  vjp: (cotangent) => [cotangent, null],
  lower(emitter, node) {
    const [x, tested] = node.inputs
    const { low, high, what } = node.params
    return emitter.emitNode('demand', node, { size: sizeOf(x.shape), count: sizeOf(tested.shape), low, high, what })
  },
}

/**
 * x itself, where all that is tested is in a range: x, unless something else is. Otherwise the run ends with a RangeError
 * before it writes anything, in every route of evaluation.
 */
export function demand(x: Node, { low, high, what }: Demand, tested = x): Node {
  const floats = stopGradient(isFloat(tested.dtype) ? tested : cast(tested, 'float32'))
  return record(demandOp, [x, floats], { low, high, what })
}

export const demandOps = { demand: demandOp }
