/** Functions of tensors from those of nodes: elementwise operations of one micro-op. */
import { refuseSurplus } from '../base/arguments.ts'
import { broadcastShapes } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, toTensor, wrap } from '../tensor/tensor.ts'

/**
 * Two operands of what is made of several operations, none of which can then refuse them by its own name.
 * @throws ShapeError where their shapes do not broadcast
 */
export function operandsOf(op: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const [a, b] = [toTensor(op, x), toTensor(op, y)]
  broadcastShapes(op, nodeOf(a).shape, nodeOf(b).shape)
  return [a, b]
}

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
