/** Functions of tensors from those of nodes, by whose names they call themselves: elementwise operations of one micro-op. */
import { refuseSurplus } from '../base/options.ts'
import type { Node } from '../graph/node.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export const unary =
  (f: (x: Node) => Node, op?: string) =>
  (x: TensorLike, ...surplus: []): Tensor => {
    const y = f(toNode(x))
    if (surplus.length > 0) refuseSurplus(op ?? y.def.name, 1, surplus)
    return wrap(y)
  }

export const binary =
  (f: (x: Node, y: Node) => Node) =>
  (x: TensorLike, y: TensorLike, ...surplus: []): Tensor => {
    const z = f(toNode(x), toNode(y))
    if (surplus.length > 0) refuseSurplus(z.def.name, 2, surplus)
    return wrap(z)
  }
