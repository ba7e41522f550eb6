/** Functions of losses whose derivative is another than that of the operations that compute them, or more exact. */
import { type Node, type OpDef, record } from '../node.ts'
import { ctcOps } from './ctc.ts'
import { abs, add, div, less, log1p, maximum, mul, neg, softplus, square, sub, tanh, where } from './elementwise.ts'

/** The first operand as a function of the second one, which alone is differentiated. */
const functionOf = (name: string, derivative: (ct: Node, x: Node) => Node): OpDef<null> => ({
  name,
  infer: ([value]) => value!,
  vjp: (ct, { inputs: [, x] }) => [null, derivative(ct, x!)],
  lower: (emitter, node) => emitter.viewOf(node.inputs[0]!),
})

const logCoshOp = functionOf('logCosh', (ct, x) => mul(ct, tanh(x)))
const clampedLogOp = functionOf('clampedLog', (ct, x) => div(ct, maximum(x, 1e-12)))

/** log cosh x = −½·log(1 − tanh² x), which is exact near 0, and |x| + log(1 + e^(−2|x|)) − log 2, which does not overflow. */
export function logCosh(x: Node): Node {
  const size = abs(x)
  const near = mul(log1p(neg(square(tanh(x)))), -0.5)
  const far = sub(add(size, softplus(mul(size, -2))), Math.LN2)
  return record(logCoshOp, [where(less(size, 1), near, far), x], null)
}

/** max(log x, −100) with the slope 1 / max(x, 1e-12), as PyTorch's binary_cross_entropy has it; `logarithm` is log x. */
export const clampedLog = (logarithm: Node, x: Node): Node => record(clampedLogOp, [maximum(logarithm, -100), x], null)

export const lossOps = { logCosh: logCoshOp, clampedLog: clampedLogOp, ...ctcOps }
