/** From recorded nodes to their values. Graphs of the same structure share one executable, found by their hash. */
import { activeBackend } from './backend/active.ts'
import { expected, InternalError } from './errors.ts'
import { bindRun, type PreparedGraph, prepareGraph, type Run, submitAsync, submitSync } from './execution.ts'
import {
  type Node,
  type OpDef,
  type Params,
  pendingInputs,
  sameParams,
  structuralHash,
  topologicalOrder,
} from './graph/node.ts'
import { isPlaceholder } from './graph/ops/leaf.ts'
import { type Shape, sameShape } from './shape.ts'

/** What tells one structure from another, per node in the order of evaluation; `def` is null for a leaf. */
interface Step {
  readonly def: OpDef | null
  readonly params: Params
  readonly inputs: readonly number[]
  readonly dtype: string
  readonly shape: Shape
}

interface Entry {
  readonly steps: readonly Step[]
  readonly roots: readonly number[]
  readonly graph: PreparedGraph
  /** For each input of the program, its position in the order of evaluation. */
  readonly leaves: readonly number[]
}

/** How many executables are kept; the one that was used longest ago goes first. */
const cacheSize = 256
const cache = new Map<number, Entry[]>()
let cachedEntries = 0

/** The graph under some roots, with the position of each node. */
interface Structure {
  readonly order: readonly Node[]
  readonly position: ReadonlyMap<Node, number>
  readonly roots: readonly Node[]
  readonly hash: number
}

function structureOf(roots: readonly Node[]): Structure {
  const order = topologicalOrder(roots, pendingInputs)
  const position = new Map<Node, number>()
  order.forEach((node, i) => {
    if (isPlaceholder(node))
      throw new TypeError(
        expected('evaluate', 'a value that has data', 'one recorded inside compile: return it from the function'),
      )
    position.set(node, i)
  })
  return { order, position, roots, hash: structuralHash(order, position, roots) }
}

const stepOf = (node: Node, position: ReadonlyMap<Node, number>): Step => ({
  def: node.storage === null ? node.def : null,
  params: node.storage === null ? node.params : null,
  inputs: pendingInputs(node).map((input) => position.get(input)!),
  dtype: node.dtype,
  shape: node.shape,
})

function matchesStep(step: Step, node: Node, position: ReadonlyMap<Node, number>): boolean {
  if (node.storage !== null) return step.def === null && step.dtype === node.dtype && sameShape(step.shape, node.shape)
  if (step.def !== node.def || step.inputs.length !== node.inputs.length) return false
  for (let i = 0; i < step.inputs.length; i++) if (position.get(node.inputs[i]!) !== step.inputs[i]) return false
  if (node.inputs.length === 0 && (step.dtype !== node.dtype || !sameShape(step.shape, node.shape))) return false
  return sameParams(step.params, node.params)
}

function matches(entry: Entry, { order, position, roots }: Structure): boolean {
  if (entry.steps.length !== order.length || entry.roots.length !== roots.length) return false
  for (let i = 0; i < roots.length; i++) if (position.get(roots[i]!) !== entry.roots[i]) return false
  for (let i = 0; i < order.length; i++) if (!matchesStep(entry.steps[i]!, order[i]!, position)) return false
  return true
}

function findEntry(structure: Structure): Entry {
  const chosen = activeBackend()
  const bucket = cache.get(structure.hash) ?? []
  const found = bucket.find((entry) => entry.graph.chosen === chosen && matches(entry, structure))
  const entry = found ?? createEntry(structure)
  // A map keeps the order of insertion: what was used last stands at the end.
  cache.delete(structure.hash)
  cache.set(structure.hash, found ? bucket : [...bucket, entry])
  if (!found) {
    cachedEntries++
    evictOldest()
  }
  return entry
}

function createEntry({ order, position, roots }: Structure): Entry {
  const graph = prepareGraph(roots)
  return {
    steps: order.map((node) => stepOf(node, position)),
    roots: roots.map((root) => position.get(root)!),
    leaves: graph.inputs.map((leaf) => position.get(leaf)!),
    graph: { ...graph, inputs: [] },
  }
}

function evictOldest(): void {
  for (const [hash, bucket] of cache) {
    if (cachedEntries <= cacheSize || cache.size === 1) return
    cache.delete(hash)
    cachedEntries -= bucket.length
    for (const { graph } of bucket) graph.executable.dispose()
  }
}

/** How many executables are held. */
export const executableCount = (): number => cachedEntries

/** Nodes that have no value yet, each once. */
const pendingNodes = (nodes: readonly Node[]): Node[] => [...new Set(nodes)].filter((node) => node.storage === null)

function bindNodes(roots: readonly Node[]): Run {
  const structure = structureOf(roots)
  const { graph, leaves } = findEntry(structure)
  return bindRun(
    graph,
    leaves.map((leaf) => structure.order[leaf]!.storage!.array),
  )
}

/** An evaluated node holds its value; unless gradients may be asked for, it lets go of what it was made from. */
function settle(roots: readonly Node[], { results }: Run): void {
  roots.forEach((node, i) => {
    const array = results[i]
    if (array === undefined) throw new InternalError(`result ${i} is missing`)
    if (node.storage === null) node.storage = { array, pending: null }
    if (!node.tracked) node.inputs = []
  })
}

export function evaluateNodesSync(nodes: readonly Node[]): void {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const run = bindNodes(roots)
  submitSync(run)
  settle(roots, run)
}

export async function evaluateNodes(nodes: readonly Node[]): Promise<void> {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const run = bindNodes(roots)
  await submitAsync(run)
  settle(roots, run)
}
