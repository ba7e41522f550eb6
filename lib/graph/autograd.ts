/** Reverse mode, graph to graph: gradients are recorded with the operations of the library, so they have gradients too. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, GradientError, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { allInputs, lastWalk, type Node, numberedOrder } from './node.ts'
import { add } from './ops/elementwise.ts'
import { literal } from './ops/leaf.ts'
import { broadcastTo } from './ops/movement.ts'
import { isNoting, notingGradientOf } from './origin.ts'

/** By position, whether a node of `order` depends on any of xs, xs included. */
function dependents(order: readonly Node[], xs: readonly Node[]): Uint8Array {
  const depends = new Uint8Array(order.length)
  for (const x of xs) if (order[x.position] === x) depends[x.position] = 1
  for (let i = 0; i < order.length; i++)
    for (const input of order[i]!.inputs) if (depends[input.position] === 1) depends[i] = 1
  return depends
}

function derivatives(node: Node, cotangent: Node): readonly (Node | null)[] {
  if (node.def.vjp === undefined) throw new GradientError(`gradients: ${node.def.name} has no gradient`)
  return isNoting() ? notingGradientOf(node, () => node.def.vjp!(cotangent, node)) : node.def.vjp(cotangent, node)
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
  const order = numberedOrder([y], allInputs)
  const onPath = dependents(order, xs)
  const wanted = new Uint8Array(order.length)
  for (const x of xs) if (order[x.position] === x) wanted[x.position] = 1
  const cotangents = new Array<Node | null>(order.length).fill(null)
  if (onPath[y.position] === 1) cotangents[y.position] = cotangent ?? broadcastTo(literal(1, y.dtype), y.shape)
  let walk = lastWalk()
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!
    const ct = cotangents[i]!
    if (ct === null || !node.inputs.some((input) => onPath[input.position] === 1)) continue
    if (wanted[i] === 0) cotangents[i] = null
    const shares = derivatives(node, ct)
    // A rule may take gradients itself, which numbers nodes anew.
    if (lastWalk() !== walk) {
      order.forEach((each, position) => {
        each.position = position
      })
      walk = lastWalk()
    }
    shares.forEach((share, j) => {
      const { position } = node.inputs[j]!
      if (share === null || onPath[position] === 0) return
      const sum = cotangents[position]!
      cotangents[position] = sum === null ? share : add(sum, share)
    })
  }
  return xs.map((x) => (order[x.position] === x ? cotangents[x.position]! : null))
}
