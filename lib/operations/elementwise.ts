/** Functions of tensors from those of nodes: what an elementwise operation of one micro-op is made of. */
import type { Node } from '../graph/node.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export const unary =
  (f: (x: Node) => Node) =>
  (x: TensorLike): Tensor =>
    wrap(f(toNode(x)))

export const binary =
  (f: (x: Node, y: Node) => Node) =>
  (x: TensorLike, y: TensorLike): Tensor =>
    wrap(f(toNode(x), toNode(y)))
