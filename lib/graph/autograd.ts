/** Reverse mode, graph to graph: gradients are recorded with the operations of the library, so they have gradients too. */
import { isFloat } from '../dtype.ts'
import { DTypeError, expected, GradientError, ShapeError } from '../errors.ts'
import { formatShape, sameShape } from '../shape.ts'
import { allInputs, type Node, topologicalOrder } from './node.ts'
import { add } from './ops/elementwise.ts'
import { literal } from './ops/leaf.ts'
import { broadcastTo } from './ops/movement.ts'

/** The nodes of `order` that depend on any of xs, xs included. */
function dependents(order: readonly Node[], xs: readonly Node[]): Set<Node> {
  const found = new Set<Node>(xs)
  for (const node of order) {
    if (!found.has(node) && node.inputs.some((input) => found.has(input))) found.add(node)
  }
  return found
}

function derivatives(node: Node, cotangent: Node): readonly (Node | null)[] {
  if (node.def.vjp === undefined) throw new GradientError(`gradients: ${node.def.name} has no gradient`)
  return node.def.vjp(cotangent, node)
}

/**
 * The gradient of Σ y·cotangent (of Σ y without one) with respect to each x. null where y does not depend on x by a
 * differentiable path.
 */
export function gradients(y: Node, xs: readonly Node[], cotangent?: Node): (Node | null)[] {
  if (!isFloat(y.dtype))
    throw new DTypeError(expected('gradients', 'a float32 or float64 value to differentiate', y.dtype))
  if (cotangent && !sameShape(cotangent.shape, y.shape))
    throw new ShapeError(
      expected('gradients', `a cotangent of shape ${formatShape(y.shape)}`, formatShape(cotangent.shape)),
    )
  const order = topologicalOrder([y], allInputs)
  const onPath = dependents(order, xs)
  const cotangents = new Map<Node, Node>()
  if (onPath.has(y)) cotangents.set(y, cotangent ?? broadcastTo(literal(1, y.dtype), y.shape))
  const wanted = new Set(xs)
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!
    const ct = cotangents.get(node)
    if (ct === undefined || node.inputs.length === 0) continue
    if (!node.inputs.some((input) => onPath.has(input))) continue
    if (!wanted.has(node)) cotangents.delete(node)
    derivatives(node, ct).forEach((share, j) => {
      const input = node.inputs[j]!
      if (share === null || !onPath.has(input)) return
      const sum = cotangents.get(input)
      cotangents.set(input, sum === undefined ? share : add(sum, share))
    })
  }
  return xs.map((x) => cotangents.get(x) ?? null)
}
