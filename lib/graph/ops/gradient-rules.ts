/** Values with gradient rules that are not those of the operations that made them. */
import { mapTuple, zipWith } from '../../base/lists.ts'
import { gradients } from '../autograd.ts'
import { Node, type OpDef, record, topologicalOrder } from '../node.ts'
import { isLiteral } from './leaf.ts'
import { customGradientOp } from './rule.ts'

/** The value of the first input once all of them are there, computed apart from whatever else needs the first. */
const barrierOp: OpDef<null, AtLeastOne> = {
  name: 'barrier',
  infer: ([x]) => x,
  vjp: (ct, { inputs }) => mapTuple(inputs, (_, i) => (i === 0 ? ct : null)),
  lower(emitter, { inputs }) {
    const [view, ...after] = mapTuple(inputs, (x) => emitter.viewOf(x))
    const value = emitter.barrier(
      view.value,
      after.map(({ value }) => value),
    )
    return { ...view, value }
  },
}

export const barrier = (x: Node, after: readonly Node[]): Node => record(barrierOp, [x, ...after], null)

type AtLeastOne = readonly [Node, ...Node[]]

/**
 * The first input, computed again from the other ones for its gradient: once the cotangent is there, so that nothing of
 * the first time has to stay; and the gradients leave together, so that nothing of the second time stays for one of them.
 */
const checkpointOp: OpDef<null, AtLeastOne> = {
  name: 'checkpoint',
  infer: ([y]) => y,
  vjp(ct, { inputs: [y, ...sources] }) {
    const again = sources.map((x) => barrier(x, [ct]))
    const found = gradients(replay(y, new Map(zipWith(sources, again, (x, other) => [x, other]))), again, ct)
    const present = found.filter((gradient) => gradient !== null)
    return [null, ...found.map((gradient) => gradient && barrier(gradient, present))]
  },
  lower: (emitter, { inputs: [y] }) => emitter.viewOf(y),
}

/**
 * y with other nodes in place of those that `copies` has: the nodes between are recorded once more. Their copies join
 * the others.
 */
export function replay(y: Node, copies: Map<Node, Node>): Node {
  for (const node of topologicalOrder([y], (node) => (copies.has(node) ? [] : node.inputs))) {
    const inputs = node.inputs.map((x) => copies.get(x) ?? x)
    if (copies.has(node) || inputs.every((x, i) => x === node.inputs[i])) continue
    copies.set(node, new Node(node.def, inputs, node.params, node, node.tracked))
  }
  return copies.get(y) ?? y
}

/** y, which is recorded by nodes from id `since` on, as a function of what these read that is older, and of leaves. */
export function checkpoint(y: Node, since: number): Node {
  const isSource = (node: Node) => node.id < since || node.inputs.length === 0
  const nodes = topologicalOrder([y], (node) => (isSource(node) ? [] : node.inputs))
  const sources = nodes.filter((node) => isSource(node) && !isLiteral(node))
  return record(checkpointOp, [y, ...sources], null)
}

export const gradientRuleOps = { barrier: barrierOp, customGradient: customGradientOp, checkpoint: checkpointOp }
