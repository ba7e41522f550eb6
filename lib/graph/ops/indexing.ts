/** Reading and writing rows by index. */
import { arrayOf } from '../../base/arrays.ts'
import { type DType, isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { checkShape, extentAt, formatShape, type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import { type Binary, type Node, type OpDef, record, type Ternary } from '../node.ts'
import { reshape } from './broadcast.ts'
import { equal, zerosLike } from './elementwise.ts'
import { data } from './leaf.ts'
import { cast } from './promotion.ts'

const extentsOf = (table: Shape, indices: Shape) => ({
  rows: extentAt(table, 0),
  rowSize: sizeOf(table.slice(1)),
  count: sizeOf(indices),
})

const gatherOp: OpDef<null, Binary> = {
  name: 'gather',
  infer: ([x, indices]) => ({ dtype: x.dtype, shape: [...indices.shape, ...x.shape.slice(1)] }),
  vjp(ct, { inputs: [x, indices] }) {
    return [scatterAdd(zerosLike(x), indices, ct), null]
  },
  lower(emitter, node) {
    const [x, indices] = node.inputs
    return emitter.emitNode('gather', node, extentsOf(x.shape, indices.shape))
  },
}

const scatterAddOp: OpDef<null, Ternary> = {
  name: 'scatterAdd',
  infer: ([x]) => x,
  vjp: (ct, { inputs: [, indices] }) => [ct, null, gather(ct, indices)],
  lower(emitter, node) {
    const [x, indices] = node.inputs
    return emitter.emitNode('scatterAdd', node, extentsOf(x.shape, indices.shape))
  },
}

export function checkIndices(op: string, indices: Node): Node {
  if (isFloat(indices.dtype) || indices.dtype === 'bool')
    throw new DTypeError(expected(op, 'int32 indices', indices.dtype))
  return cast(indices, 'int32')
}

/** x[indices]: rows of x along its first axis; the result has the shape of indices, then that of a row. */
export function gather(x: Node, indices: Node, op = 'gather'): Node {
  if (x.shape.length === 0) throw new ShapeError(expected(op, 'a tensor of at least one axis', formatShape(x.shape)))
  return record(gatherOp, [x, checkIndices(op, indices)], null)
}

/** x with updates[i…] added to row indices[i…], in ascending order of i. */
export function scatterAdd(x: Node, indices: Node, updates: Node, op = 'scatterAdd'): Node {
  if (x.shape.length === 0) throw new ShapeError(expected(op, 'a tensor of at least one axis', formatShape(x.shape)))
  if (x.dtype === 'bool' || x.dtype === 'uint8' || x.dtype !== updates.dtype)
    throw new DTypeError(expected(op, 'float or int32 operands of one dtype', `${x.dtype} and ${updates.dtype}`))
  const shape = [...indices.shape, ...x.shape.slice(1)]
  if (!sameShape(updates.shape, shape))
    throw new ShapeError(expected(op, `updates ${formatShape(shape)}`, formatShape(updates.shape)))
  return record(scatterAddOp, [x, checkIndices(op, indices), updates], null)
}

/** Rows with a 1 at the class; zeros where a class is outside [0, depth). */
export function oneHot(classes: Node, depth: number, dtype: DType = 'float32'): Node {
  if (!Number.isInteger(depth) || depth < 1) throw new ShapeError(expected('oneHot', 'a positive depth', depth))
  const indices = checkIndices('oneHot', classes)
  checkShape('oneHot', [...indices.shape, depth])
  const columns = data(
    arrayOf('oneHot', 'int32', [depth], (i) => i),
    'int32',
    [depth],
  )
  return cast(equal(reshape(indices, [...indices.shape, 1]), columns), dtype)
}

export const indexingOps = { gather: gatherOp, scatterAdd: scatterAddOp }
