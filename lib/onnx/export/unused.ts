/** Nodes and initializers that nothing reads, and other names for values. */
import type { GraphMessage, NodeMessage } from './messages.ts'

/** The graphs in a node. */
const bodiesOf = ({ attribute }: NodeMessage): GraphMessage[] =>
  attribute.flatMap((each) => (each.type === 5 ? [each.g] : []))

/** Without the nodes that none of `read` depends on, in bodies too; adds to `read` what those that stay read. */
export function withoutUnused(nodes: readonly NodeMessage[], read: Set<string>): NodeMessage[] {
  const kept: NodeMessage[] = []
  for (const node of nodes.toReversed()) {
    if (!node.output.some((name) => read.has(name))) continue
    for (const name of node.input) read.add(name)
    for (const graph of bodiesOf(node)) {
      for (const { name } of graph.output) read.add(name)
      graph.node.splice(0, Infinity, ...withoutUnused(graph.node, read))
    }
    kept.push(node)
  }
  return kept.reverse()
}

/** Gives values other names, wherever they are read. */
export function rename(nodes: readonly NodeMessage[], names: ReadonlyMap<string, string>): void {
  const renamed = (name: string) => names.get(name) ?? name
  for (const node of nodes) {
    node.input = node.input.map(renamed)
    node.output = node.output.map(renamed)
    for (const graph of bodiesOf(node)) rename(graph.node, names)
  }
}
