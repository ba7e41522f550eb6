/** Products of matrices. */
import type { matmulOps } from '../../graph/ops/matmul.ts'
import type { Rows } from './row.ts'

export const matmulRows: Rows<keyof typeof matmulOps> = {
  matmul: ({ builder }, _, a, b) => builder.node('MatMul', [a, b]),
}
