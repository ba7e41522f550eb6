/** Matrix multiplication: 2-D and batched, transposes folded into how the operands are read. */
import { promote } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import { elementAt } from '../../base/lists.ts'
import { broadcastShapes, extentAt, formatShape, lastTwo, type Shape, sizeOf } from '../../base/shape.ts'
import type { MatrixLayout, Precision } from '../../program/vocabulary.ts'
import type { Emitter, View } from '../emitter.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'
import { type ProductParams, precisionOf, productParams } from '../precision.ts'
import { broadcastTo, reshape } from './broadcast.ts'
import { isTransposed, transposeMatrices } from './movement.ts'
import { arithmeticDType, cast } from './promotion.ts'

const matmulOp: OpDef<ProductParams, Binary> = {
  name: 'matmul',
  infer([a, b]) {
    return { dtype: a.dtype, shape: [...a.shape.slice(0, -1), extentAt(b.shape, -1)] }
  },
  // C[m,n] = A[m,k]·B[k,n]: dA[m,k] = dC·Bᵀ, dB[k,n] = Aᵀ·dC
  vjp: (ct, { inputs: [a, b] }) => [productLike(a, ct, transposeMatrices(b)), productLike(b, transposeMatrices(a), ct)],
  lower(emitter, node) {
    const { dtype, shape } = node
    const [x, y] = node.inputs
    const [a, b] = [matrixOperand(emitter, x), matrixOperand(emitter, y)]
    const params = {
      batch: sizeOf(shape.slice(0, -2)),
      m: extentAt(shape, -2),
      n: extentAt(shape, -1),
      k: extentAt(x.shape, -1),
      a: a.layout,
      b: b.layout,
      activation: 'none',
      slope: 0,
      precision: precisionOf(node as Node),
    } as const
    return emitter.denseView(emitter.emit('matmul', [a.value, b.value], [{ dtype, shape }], mergeRows(params))[0])
  },
}

/** x·y; where the operand it is the gradient of was transposed as (yᵀ·xᵀ)ᵀ, so that what was transposed gets a dense one. */
function productLike(operand: Node, x: Node, y: Node): Node {
  if (!isTransposed(operand)) return matmul(x, y)
  return transposeMatrices(matmul(transposeMatrices(y), transposeMatrices(x)))
}

type MatmulExtents = {
  batch: number
  m: number
  n: number
  k: number
  a: MatrixLayout
  b: MatrixLayout
  activation: 'none'
  slope: number
  precision: Precision
}

/** One B for a whole batch of dense A: a single tall product. */
function mergeRows(params: MatmulExtents): MatmulExtents {
  const { batch, m, a, b } = params
  const rowsFollow = !a.transpose && a.batchStride === m * a.leadingDimension
  if (batch <= 1 || b.batchStride !== 0 || !rowsFollow) return params
  return { ...params, batch: 1, m: batch * m, a: { ...a, batchStride: 0 } }
}

interface MatrixOperand {
  value: number
  layout: MatrixLayout
}

function matrixOperand(emitter: Emitter, node: Node): MatrixOperand {
  const view = emitter.viewOf(node)
  const layout = layoutOf(view)
  if (layout !== null) return { value: view.value, layout }
  const [rows, columns] = lastTwo(view.shape)
  const batchStride = sizeOf(view.shape) === rows * columns ? 0 : rows * columns
  const dense = { offset: 0, batchStride, leadingDimension: columns, transpose: false }
  return { value: emitter.denseValue(view), layout: dense }
}

/** How a matmul can read the view without a copy; null where it cannot, as where it would have to read backwards. */
function layoutOf({ shape, strides, offset }: View): MatrixLayout | null {
  if (strides.some((stride, axis) => stride < 0 && extentAt(shape, axis) > 1)) return null
  const [rows, columns] = lastTwo(shape)
  const [rowStride, columnStride] = lastTwo(strides)
  const batchStride = batchStrideOf(shape.slice(0, -2), strides.slice(0, -2))
  if (batchStride === null) return null
  if (columns === 1 || columnStride === 1)
    return { offset, batchStride, leadingDimension: rows === 1 ? columns : rowStride, transpose: false }
  if (rows === 1 || rowStride === 1) return { offset, batchStride, leadingDimension: columnStride, transpose: true }
  return null
}

/** The one distance between successive matrices: 0 where all are the same; null where there is no such distance. */
function batchStrideOf(shape: Shape, strides: readonly number[]): number | null {
  let expectedStride: number | null = null
  let batchStride = 0
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const [extent, stride] = [extentAt(shape, axis), elementAt(strides, axis)]
    if (extent === 1) continue
    if (expectedStride === null) batchStride = stride
    else if (stride !== expectedStride) return null
    expectedStride = batchStride === 0 ? 0 : stride * extent
  }
  return batchStride
}

/**
 * a[…, m, k] · b[…, k, n]; leading axes broadcast. A 1-D operand is a row on the left, a column on the right, and its
 * axis is dropped from the result, as in numpy.
 */
export function matmul(a: Node, b: Node): Node {
  const dtype = arithmeticDType(promote(a.dtype, b.dtype))
  if (a.shape.length === 0 || b.shape.length === 0)
    throw new ShapeError(
      expected('matmul', 'operands of at least one axis', `${formatShape(a.shape)} × ${formatShape(b.shape)}`),
    )
  const x = a.shape.length === 1 ? reshape(a, [1, ...a.shape]) : a
  const y = b.shape.length === 1 ? reshape(b, [...b.shape, 1]) : b
  if (x.shape.at(-1) !== y.shape.at(-2))
    throw new ShapeError(`matmul: inner dimensions differ: ${formatShape(a.shape)} × ${formatShape(b.shape)}`)
  // One B for all of A is a single tall product, and so is B's gradient, which would be a sum of products otherwise.
  if (y.shape.length === 2 && x.shape.length > 2 && y === b) {
    const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), extentAt(x.shape, -1)])
    return reshape(matmul(rows, y), [...x.shape.slice(0, -1), extentAt(y.shape, 1)])
  }
  const batch = broadcastShapes('matmul', x.shape.slice(0, -2), y.shape.slice(0, -2))
  const left = broadcastTo(cast(x, dtype), [...batch, ...x.shape.slice(-2)])
  const right = broadcastTo(cast(y, dtype), [...batch, ...y.shape.slice(-2)])
  const product = record(matmulOp, [left, right], productParams(left))
  if (x === a && y === b) return product
  return reshape(product, [...batch, ...(x === a ? x.shape.slice(-2, -1) : []), ...(y === b ? y.shape.slice(-1) : [])])
}

export const matmulOps = { matmul: matmulOp }
