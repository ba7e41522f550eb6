/** The order of elements along an axis, by rows of a tensor whose last axis it is. */
import { extentAt, sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record, type Unary } from '../node.ts'
import { arithmeticDType, cast } from './promotion.ts'

const argsortOp: OpDef<{ count: number; descending: boolean }, Unary> = {
  name: 'argsort',
  infer: ([x], { count }) => ({ dtype: 'int32', shape: [...x.shape.slice(0, -1), count] }),
  lower(emitter, node) {
    const [x] = node.inputs
    const [rows, columns] = [sizeOf(x.shape.slice(0, -1)), extentAt(x.shape, -1)]
    return emitter.emitNode('argsort', node, { rows, columns, ...node.params })
  },
}

/** The int32 indices of the first `count` elements of each row, in order. */
export const argsortRows = (x: Node, count: number, descending: boolean): Node =>
  record(argsortOp, [cast(x, arithmeticDType(x.dtype))], { count, descending })

export const sortOps = { argsort: argsortOp }
