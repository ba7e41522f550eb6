/** Products of matrices: MatMul, and Gemm where a bias is added to one. */
import { isFloat } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import type { matmulOps } from '../../graph/ops/matmul.ts'
import { int } from './builder.ts'
import { type Dim, sameDim } from './dims.ts'
import { beforeBroadcast, type Operation } from './graph.ts'
import type { Rows } from './row.ts'
import type { Scope } from './scope.ts'

export const matmulRows: Rows<keyof typeof matmulOps> = {
  matmul: ({ builder }, _, a, b) => builder.node('MatMul', [a, b]),
}

/** A matrix that is read as it is, or transposed. */
function factorOf(operation: Operation): { of: Operation; transposed: number } {
  const isTransposed = operation.name === 'permute' && operation.shape.length === 2
  return isTransposed ? { of: elementAt(operation.inputs, 0), transposed: 1 } : { of: operation, transposed: 0 }
}

/** Whether a bias broadcasts to a matrix of so many columns: [n] or [1, n]. */
const isBias = ({ shape }: Operation, columns: Dim): boolean =>
  shape.length > 0 && shape.length <= 2 && sameDim(shape.at(-1)!, columns) && (shape.length === 1 || shape[0] === 1)

/** a·b + bias of matrices as one Gemm; null for another sum, or where the product is read elsewhere too. */
export function gemm({ builder, graph, of }: Scope, sum: Operation<unknown>): string | null {
  if (sum.shape.length !== 2 || !isFloat(sum.dtype)) return null
  const product = sum.inputs.find((input) => input.name === 'matmul' && graph.readersOf(input).length === 1)
  if (product === undefined) return null
  const bias = beforeBroadcast(elementAt(sum.inputs, product === sum.inputs[0] ? 1 : 0))
  if (!isBias(bias, elementAt(sum.shape, 1))) return null
  const [a, b] = product.inputs.map(factorOf) as [ReturnType<typeof factorOf>, ReturnType<typeof factorOf>]
  return builder.node('Gemm', [of(a.of), of(b.of), of(bias)], { transA: int(a.transposed), transB: int(b.transposed) })
}
