/** Reverse mode, graph to graph: gradients are recorded with the operations of the library, so they have gradients too. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, GradientError, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { allInputs, lastWalk, type Node, numberedOrder, numberNodes } from './node.ts'
import { broadcastTo } from './ops/broadcast.ts'
import { add } from './ops/elementwise.ts'
import { literal, stopsGradient } from './ops/leaf.ts'
import { isNoting, notingGradientOf } from './origin.ts'
import { precisionOf, withActivePrecision } from './precision.ts'

/** By position, whether a node of `order` depends on any of xs, xs included, and not only by way of a stopped gradient. */
function dependents(order: readonly Node[], xs: readonly Node[]): Uint8Array {
  const depends = new Uint8Array(order.length)
  for (const x of xs) if (order[x.position] === x) depends[x.position] = 1
  for (const node of order) {
    if (stopsGradient(node)) continue
    for (const input of node.inputs) if (depends[input.position] === 1) depends[node.position] = 1
  }
  return depends
}

/** Products of a derivative have the precision of the one that they are a derivative of, wherever they are recorded. */
function derivatives(node: Node, cotangent: Node, isNeeded: readonly boolean[]): readonly (Node | null)[] {
  const { def } = node
  if (def.vjp === undefined) throw new GradientError(`gradients: ${def.name} has no gradient`)
  const rule = () => withActivePrecision(precisionOf(node), () => def.vjp?.(cotangent, node, isNeeded) ?? [])
  return isNoting() ? notingGradientOf(node, rule) : rule()
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
  return pullback([{ node: y, cotangent: cotangent ?? broadcastTo(literal(1, y.dtype), y.shape) }], xs)
}

/** A value and the cotangent that it has. */
export interface Seed {
  readonly node: Node
  readonly cotangent: Node
}

/** Of two cotangents of one node. */
const sumOf = (a: Node, b: Node): Node => a.def.join?.(a, b) ?? add(a, b)

/** What the cotangents of some values are for each x; null where none of them depends on it by a differentiable path. */
export function pullback(seeds: readonly Seed[], xs: readonly Node[]): (Node | null)[] {
  const order = numberedOrder(
    seeds.map(({ node }) => node),
    allInputs,
  )
  for (const node of order) if (node.held > 0) node.def.checkHistory?.(node, xs)
  const onPath = dependents(order, xs)
  const wanted = new Uint8Array(order.length)
  for (const x of xs) if (order[x.position] === x) wanted[x.position] = 1
  const cotangents = new Array<Node | undefined>(order.length).fill(undefined)
  const give = (position: number, share: Node) => {
    const sum = cotangents[position]
    cotangents[position] = sum === undefined ? share : sumOf(sum, share)
  }
  for (const { node, cotangent } of seeds) if (onPath[node.position] === 1) give(node.position, cotangent)
  let walk = lastWalk()
  for (const node of order.toReversed()) {
    const ct = cotangents[node.position]
    if (ct === undefined) continue
    const isNeeded = node.inputs.map(({ position }) => onPath[position] === 1)
    if (!isNeeded.includes(true)) continue
    if (wanted[node.position] === 0) cotangents[node.position] = undefined
    const shares = derivatives(node, ct, isNeeded)
    // A rule may take gradients itself, which numbers nodes anew.
    if (lastWalk() !== walk) {
      numberNodes(order)
      walk = lastWalk()
    }
    node.inputs.forEach(({ position }, i) => {
      const share = shares[i] ?? null
      if (share !== null && onPath[position] === 1) give(position, share)
    })
  }
  return xs.map((x) => (order[x.position] === x ? (cotangents[x.position] ?? null) : null))
}
