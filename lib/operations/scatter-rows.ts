/** Rows of a table written over, by the name of the operation that does so. */
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape, sizeOf } from '../base/shape.ts'
import { putAlongAxis } from '../graph/ops/along-axis.ts'
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.ts'
import { reshape } from './shape.ts'

/** t with rows of [indices…, rest…] at some of its places along the first axis, the last one of several. */
export function scatterRows(op: string, t: Tensor, at: Tensor, rows: Tensor): Tensor {
  const [extent, ...row] = t.shape
  if (extent === undefined) throw new ShapeError(expected(op, 'a tensor of at least one axis', formatShape(t.shape)))
  if (!sameShape(rows.shape, [...at.shape, ...row]))
    throw new ShapeError(expected(op, `updates ${formatShape([...at.shape, ...row])}`, formatShape(rows.shape)))
  const [count, size] = [at.size, sizeOf(row)]
  const [table, places, values] = [reshape(t, [extent, size]), reshape(at, [count, 1]), reshape(rows, [count, size])]
  return reshape(wrap(putAlongAxis(nodeOf(table), nodeOf(places), nodeOf(values), 0, op)), t.shape)
}
