/** Functions of tensors from those of nodes: elementwise operations of one micro-op. */
import { refuseSurplus } from '../base/arguments.ts'
import type { Node } from '../graph/node.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export const unary =
  (op: string, f: (x: Node) => Node) =>
  (x: TensorLike, ...surplus: []): Tensor => {
    const y = f(toNode(op, x))
    if (surplus.length > 0) refuseSurplus(op, 1, surplus)
    return wrap(y)
  }

export const binary =
  (op: string, f: (x: Node, y: Node) => Node) =>
  (x: TensorLike, y: TensorLike, ...surplus: []): Tensor => {
    const z = f(toNode(op, x), toNode(op, y))
    if (surplus.length > 0) refuseSurplus(op, 2, surplus)
    return wrap(z)
  }
