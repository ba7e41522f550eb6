/** Operators of matrices: products, sums of products, determinants. */
import { isFloat } from '../../base/dtype.ts'
import * as g from '../../operations/index.ts'
import { det } from '../../operations/linalg.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { required } from '../attributes.ts'
import type { Call } from './call.ts'
import { type Family, type Result, row } from './row.ts'

/** Products of integers wrap. */
function matmul(call: Call): Result {
  const [a, b] = [call.tensor(0), call.tensor(1)]
  return g.cast(g.matmul(a, b), a.dtype)
}

/** alpha·a·b + beta·c, each matrix as it is or transposed. */
function gemm(call: Call): Result {
  const { attributes } = call
  const dtype = call.tensor(0).dtype
  const operand = (input: number, flag: string): Tensor => {
    const x = call.tensor(input)
    const floats = isFloat(dtype) ? x : g.cast(x, 'float32')
    return attributes.flag(flag, false) ? g.transpose(floats) : floats
  }
  const scaled = (x: Tensor, name: string): Tensor => {
    const factor = attributes.float(name, 1)
    return factor === 1 ? x : g.mul(x, factor)
  }
  const product = scaled(g.matmul(operand(0, 'transA'), operand(1, 'transB')), 'alpha')
  const c = call.optional(2)
  const sum = c === undefined ? product : g.add(product, scaled(isFloat(dtype) ? c : g.cast(c, 'float32'), 'beta'))
  return isFloat(dtype) ? sum : g.cast(sum, dtype)
}

export const products: Family = {
  Det: row([11, 22], (call) => det(call.tensor(0))),
  Einsum: row([12, 28], (call) => g.einsum(call.attributes.string('equation', required) as string, ...call.tensors())),
  Gemm: row([1, 6, 7, 9, 11, 13], gemm),
  MatMul: row([1, 9, 13], matmul),
}
