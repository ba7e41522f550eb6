/** Functions of tensors from those of nodes: elementwise operations of one micro-op. */
import { refuseSurplus } from '../base/arguments.ts'
import { broadcastShapes } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { type ElementwiseName, elementwise as ops } from '../graph/ops/elementwise.ts'
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

type UnaryFunction = (x: TensorLike, ...surplus: []) => Tensor
type BinaryFunction = (x: TensorLike, y: TensorLike, ...surplus: []) => Tensor

/**
 * Of nodes by `f`, or by the micro-op of that name. It is looked up by the first call, since an import shall not need
 * the graph, and kept, since a look-up by name takes as long as half of what else a call does.
 */
export function unary(op: ElementwiseName<1>): UnaryFunction
export function unary(op: string, f: (x: Node) => Node): UnaryFunction
export function unary(op: string, f?: (x: Node) => Node): UnaryFunction {
  return (x, ...surplus) => {
    f ??= ops[op as ElementwiseName<1>]
    const y = f(toNode(op, x))
    if (surplus.length > 0) refuseSurplus(op, 1, surplus)
    return wrap(y)
  }
}

/** The same of two operands. */
export function binary(op: ElementwiseName<2>): BinaryFunction
export function binary(op: string, f: (x: Node, y: Node) => Node): BinaryFunction
export function binary(op: string, f?: (x: Node, y: Node) => Node): BinaryFunction {
  return (x, y, ...surplus) => {
    f ??= ops[op as ElementwiseName<2>]
    const z = f(toNode(op, x), toNode(op, y))
    if (surplus.length > 0) refuseSurplus(op, 2, surplus)
    return wrap(z)
  }
}
