/**
 * Graphs that are part of an operation, as the step of a loop is: closed, so that all they read are leaves that stand for
 * what the operation is given.
 */
import { type Node, type OpDef, type ParamValue, Node as PlainNode, topologicalOrder } from './node.ts'
import { broadcastToOp } from './ops/broadcast.ts'
import { isLiteral } from './ops/leaf.ts'

/** What a graph inside an operation is given: it has a value there alone. */
const argumentOp: OpDef<null> = {
  name: 'argument',
  infer() {
    throw new TypeError('a leaf is made with its type')
  },
  lower() {
    throw new TypeError(
      'evaluate: expected a value that has data, got one that a step or a branch was given or computed: return it from the function',
    )
  },
}

/** A leaf that stands for what is given. Its history is kept, as somebody may ask for gradients with respect to it. */
export const argument = ({ dtype, shape }: Pick<Node, 'dtype' | 'shape'>): Node =>
  new PlainNode(argumentOp, [], null, { dtype, shape }, true) as Node

export interface Body {
  /** What it is given: first what it captured, then the arguments that it was recorded with. */
  readonly args: readonly Node[]
  /** All of its nodes, each after its inputs; every argument is among them. */
  readonly order: readonly Node[]
  readonly roots: readonly Node[]
  /** By node of the recording, the one of the closed graph. */
  readonly copies: ReadonlyMap<Node, Node>
  /** A text that two of them share exactly when their programs are the same. */
  readonly key: string
}

export interface ClosedBody {
  readonly body: Body
  /** What it reads that is none of its arguments: nodes of the graph around it, for the first of `body.args`. */
  readonly captured: readonly Node[]
}

/**
 * The graph of `roots` as a function of `args`. What depends on none of them is computed once, around it, and captured; but
 * for numbers, and what is broadcast, which would only become larger; and for what was recorded by nodes from id `since` on.
 */
export function closeBody(args: readonly Node[], roots: readonly Node[], since = Infinity): ClosedBody {
  const inside = nodesInside(args, roots, since)
  const captured: Node[] = []
  const copies = new Map<Node, Node>(args.map((arg) => [arg, arg]))
  const copyOf = (node: Node): Node => {
    const known = copies.get(node)
    if (known !== undefined) return known
    if (isLiteral(node)) return node
    const copy = argument(node)
    captured.push(node)
    copies.set(node, copy)
    return copy
  }
  for (const node of inside)
    copies.set(node, new PlainNode(node.def, node.inputs.map(copyOf), node.params, node, node.tracked) as Node)
  const closed = roots.map(copyOf)
  const all = [...captured.map(copyOf), ...args]
  const order = topologicalOrder([...all, ...closed], ({ inputs }) => inputs)
  return { body: { args: all, order, roots: closed, copies, key: keyOf(order, closed) }, captured }
}

/** Those that depend on an argument, and what is broadcast for them, each after its inputs. */
function nodesInside(args: readonly Node[], roots: readonly Node[], since: number): Node[] {
  const dependent = dependentsOf(args, roots)
  const given = new Set(args)
  const isInside = (node: Node): boolean =>
    !given.has(node) &&
    (dependent.has(node) ||
      (node.id >= since && node.inputs.length > 0) ||
      (node.storage === null && node.def === (broadcastToOp as OpDef)))
  return topologicalOrder(roots, (node) => (isInside(node) ? node.inputs : [])).filter(isInside)
}

function dependentsOf(args: readonly Node[], roots: readonly Node[]): Set<Node> {
  // A node is younger than what it depends on.
  const oldest = Math.min(...args.map(({ id }) => id))
  const dependent = new Set(args)
  for (const node of topologicalOrder(roots, ({ id, inputs }) => (id < oldest ? [] : inputs)))
    if (node.inputs.some((x) => dependent.has(x))) dependent.add(node)
  return dependent
}

/** How an operation is lowered, by a number, as several may have one name. */
const loweringIds = new WeakMap<OpDef['lower'], number>()
let loweringCount = 0

function loweringId({ lower }: OpDef): number {
  let id = loweringIds.get(lower)
  if (id === undefined) {
    id = loweringCount++
    loweringIds.set(lower, id)
  }
  return id
}

function textOf(value: ParamValue): string {
  if (typeof value === 'object') return `[${value.map(textOf).join()}]`
  return typeof value === 'string' ? JSON.stringify(value) : Object.is(value, -0) ? '-0' : String(value)
}

function keyOf(order: readonly Node[], roots: readonly Node[]): string {
  const positions = new Map(order.map((node, i) => [node, i]))
  const positionsOf = (nodes: readonly Node[]) => nodes.map((node) => positions.get(node)).join()
  const lines = order.map((node) => {
    const params = node.params === null ? '' : Object.values(node.params).map(textOf).join()
    const type = node.inputs.length === 0 ? `: ${node.dtype}[${node.shape.join()}]` : ''
    return `${node.def.name} ${loweringId(node.def)}(${positionsOf(node.inputs)}){${params}}${type}`
  })
  return `${lines.join('; ')} → ${positionsOf(roots)}`
}
