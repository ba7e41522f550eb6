// A model's operations in groups by the path of their layers: which are open, and what is seen of the graph then.

/**
 * @typedef {import('../../events/record.ts').GraphNodeValue} GraphNode
 * @typedef {{ id: string, label: string, parent: string | null, children: string[], nodes: GraphNode[], parameters: number }} Scope of nodes anywhere in it
 * @typedef {{ id: string, kind: 'scope' | 'node', label: string, scope: Scope | null, node: GraphNode | null }} Item
 * @typedef {{ from: string, to: string, shapes: string[] }} Edge
 * @typedef {{ nodes: Map<string, GraphNode>, scopes: Map<string, Scope>, scopeOf: Map<string, string> }} ModelGraph
 */

/** The whole model, which is always open. */
export const whole = ''

/** @param {string} name */
function pathOf(name) {
  const slash = name.lastIndexOf('/')
  return slash < 0
    ? []
    : name
        .slice(0, slash)
        .split(/[./]/)
        .filter((part) => part !== '')
}

/** @param {readonly number[]} shape */
const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1)

/**
 * @param {readonly GraphNode[]} list
 * @returns {ModelGraph}
 */
export function modelGraph(list) {
  const nodes = new Map(list.map((node) => [node.name, node]))
  /** @type {Map<string, Scope>} */
  const scopes = new Map([[whole, { id: whole, label: 'model', parent: null, children: [], nodes: [], parameters: 0 }]])
  /** @type {Map<string, string>} */
  const scopeOf = new Map()
  for (const node of nodes.values()) {
    let id = whole
    count(scopes, id, node)
    for (const part of pathOf(node.name)) {
      const parent = id
      id = `${parent}${parent === whole ? '' : '.'}${part}`
      if (!scopes.has(id)) {
        scopes.set(id, { id, label: part, parent, children: [], nodes: [], parameters: 0 })
        scopes.get(parent)?.children.push(id)
      }
      count(scopes, id, node)
    }
    scopeOf.set(node.name, id)
  }
  return { nodes, scopes, scopeOf }
}

/** @param {Map<string, Scope>} scopes @param {string} id @param {GraphNode} node */
function count(scopes, id, node) {
  const scope = /** @type {Scope} */ (scopes.get(id))
  scope.nodes.push(node)
  if (node.op === 'parameter') scope.parameters += sizeOf(node.shape)
}

/** From the whole model inwards. @param {ModelGraph} graph @param {string | null} id */
export function chainOf({ scopes }, id) {
  /** @type {string[]} */
  const chain = []
  for (let at = id; at !== null; at = scopes.get(at)?.parent ?? null) chain.unshift(at)
  return chain
}

/**
 * As many groups as can be opened, the outer ones first, before more than `most` boxes would be seen.
 * @param {ModelGraph} graph
 * @param {number} most
 */
export function openAtFirst(graph, most) {
  const open = new Set([whole])
  const queue = [...(graph.scopes.get(whole)?.children ?? [])]
  const own = /** @param {string} id */ (id) => itemsOf(graph, id, false).length
  let seen = own(whole)
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const more = own(id)
    if (seen + more > most) continue
    seen += more
    open.add(id)
    queue.push(...(graph.scopes.get(id)?.children ?? []))
  }
  return open
}

/**
 * What stands directly in a group: groups, and operations.
 * @param {ModelGraph} graph
 * @param {string} id
 * @param {boolean} withParameters
 * @returns {Item[]}
 */
export function itemsOf({ scopes, scopeOf }, id, withParameters) {
  const scope = scopes.get(id)
  if (scope === undefined) return []
  const groups = scope.children.flatMap((child) => {
    const found = scopes.get(child)
    const isEmpty = !withParameters && found?.nodes.every(({ op }) => op === 'parameter')
    return found === undefined || isEmpty
      ? []
      : [{ id: `scope ${child}`, kind: /** @type {const} */ ('scope'), label: found.label, scope: found, node: null }]
  })
  const nodes = scope.nodes
    .filter((node) => scopeOf.get(node.name) === id && (withParameters || node.op !== 'parameter'))
    .map((node) => ({
      id: `node ${node.name}`,
      kind: /** @type {const} */ ('node'),
      label: node.name.slice(node.name.lastIndexOf('/') + 1),
      scope: null,
      node,
    }))
  return [...groups, ...nodes]
}

/**
 * The boxes that stand for a node, from the outermost to the one that is seen: groups that are open, then a closed one or the node itself.
 * @param {ModelGraph} graph
 * @param {ReadonlySet<string>} open
 * @param {string} name
 */
export function boxesOf(graph, open, name) {
  /** @type {string[]} */
  const boxes = []
  for (const id of chainOf(graph, graph.scopeOf.get(name) ?? whole).slice(1)) {
    boxes.push(`scope ${id}`)
    if (!open.has(id)) return boxes
  }
  return [...boxes, `node ${name}`]
}

/**
 * Lines between what is seen, with the shapes that go along them.
 * @param {ModelGraph} graph
 * @param {ReadonlySet<string>} open
 * @param {boolean} withParameters
 * @returns {Edge[]}
 */
export function edgesOf(graph, open, withParameters) {
  /** @type {Map<string, Edge>} */
  const edges = new Map()
  for (const node of graph.nodes.values())
    for (const input of node.inputs) {
      const source = graph.nodes.get(input)
      if (source === undefined || (!withParameters && source.op === 'parameter')) continue
      const [from, to] = [boxesOf(graph, open, input).at(-1), boxesOf(graph, open, node.name).at(-1)]
      if (from === undefined || to === undefined || from === to) continue
      const key = JSON.stringify([from, to])
      const edge = edges.get(key) ?? { from, to, shapes: [] }
      const shape = source.shape.length === 0 ? 'scalar' : source.shape.join('×')
      if (!edge.shapes.includes(shape)) edge.shapes.push(shape)
      edges.set(key, edge)
    }
  return [...edges.values()]
}
