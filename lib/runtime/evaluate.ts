/** From recorded nodes to their values. Graphs of the same structure share one executable, found by their hash. */

import { activeBackend } from '../backend/active.ts'
import { expected, InternalError } from '../base/errors.ts'
import { pick } from '../base/lists.ts'
import { type Shape, sameShape } from '../base/shape.ts'
import {
  type Node,
  newStorage,
  numberedOrder,
  type OpDef,
  type Params,
  pendingInputs,
  sameParams,
  storageOf,
  structuralHash,
} from '../graph/node.ts'
import { isPlaceholder } from '../graph/ops/leaf.ts'
import { isNoting } from '../graph/origin.ts'
import { bindRun, type PreparedGraph, prepareGraph, type Run, submitAsync, submitSync } from './execution.ts'
import { checkAnomaly, withPendingOperands } from './first-nan.ts'

/** What tells one structure from another, per node in the order of evaluation; `def` is null for a leaf. */
interface NodeKey {
  readonly def: OpDef | null
  readonly params: Params
  readonly inputs: readonly number[]
  readonly dtype: string
  readonly shape: Shape
}

interface Entry {
  readonly keys: readonly NodeKey[]
  readonly roots: readonly number[]
  readonly graph: PreparedGraph
  /** For each input of the program, its position in the order of evaluation. */
  readonly leaves: readonly number[]
}

/** How many executables are kept; the one that was used longest ago goes first. */
const cacheSize = 256
const cache = new Map<number, Entry[]>()
let cachedEntries = 0

/** The graph under some roots, its nodes numbered. */
interface Structure {
  readonly order: readonly Node[]
  readonly roots: readonly Node[]
  readonly hash: number
}

function structureOf(roots: readonly Node[]): Structure {
  const order = numberedOrder(roots, pendingInputs)
  if (order.some(isPlaceholder))
    throw new TypeError(
      expected('evaluate', 'a value that has data', 'one recorded inside compile: return it from the function'),
    )
  return { order, roots, hash: structuralHash(order, roots) }
}

const keyOf = (node: Node): NodeKey => ({
  def: node.storage === null ? node.def : null,
  params: node.storage === null ? node.params : null,
  inputs: pendingInputs(node).map(({ position }) => position),
  dtype: node.dtype,
  shape: node.shape,
})

function matchesKey(key: NodeKey, node: Node | undefined): boolean {
  if (node === undefined) return false
  if (node.storage !== null) return key.def === null && key.dtype === node.dtype && sameShape(key.shape, node.shape)
  if (key.def !== node.def || key.inputs.length !== node.inputs.length) return false
  if (node.inputs.some(({ position }, i) => position !== key.inputs[i])) return false
  if (node.inputs.length === 0 && (key.dtype !== node.dtype || !sameShape(key.shape, node.shape))) return false
  return sameParams(key.params, node.params)
}

function matches(entry: Entry, { order, roots }: Structure): boolean {
  if (entry.keys.length !== order.length || entry.roots.length !== roots.length) return false
  if (roots.some(({ position }, i) => position !== entry.roots[i])) return false
  let position = 0
  for (const key of entry.keys) if (!matchesKey(key, order[position++])) return false
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

function createEntry({ order, roots }: Structure): Entry {
  const graph = prepareGraph(roots)
  return {
    keys: order.map(keyOf),
    roots: roots.map(({ position }) => position),
    leaves: graph.inputs.map(({ position }) => position),
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
function pendingNodes(nodes: readonly Node[]): readonly Node[] {
  const pending = nodes.filter((node) => node.storage === null)
  return pending.length > 1 ? [...new Set(pending)] : pending
}

function bindNodes(roots: readonly Node[]): Run {
  const structure = structureOf(roots)
  const { graph, leaves } = findEntry(structure)
  return bindRun(
    graph,
    pick(structure.order, leaves).map((leaf) => storageOf(leaf).array),
  )
}

/** An evaluated node holds its value; unless gradients may be asked for, it lets go of what it was made from. */
function settle(roots: readonly Node[], { results }: Run): void {
  roots.forEach((node, i) => {
    const array = results[i]
    if (array === undefined) throw new InternalError(`result ${i} is missing`)
    if (node.storage === null) node.storage = newStorage(array)
    if (!node.tracked) node.inputs = []
  })
}

/** While anomalies are looked for, the results are the roots and then every other value on the way to them. */
const withOperands = (roots: readonly Node[]): readonly Node[] => (isNoting() ? withPendingOperands(roots) : roots)

function settleChecked(roots: readonly Node[], computed: readonly Node[], run: Run): void {
  settle(roots, run)
  if (isNoting()) checkAnomaly(computed, run.results)
}

export function evaluateNodesSync(nodes: readonly Node[]): void {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const computed = withOperands(roots)
  const run = bindNodes(computed)
  submitSync(run)
  settleChecked(roots, computed, run)
}

export async function evaluateNodes(nodes: readonly Node[]): Promise<void> {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const computed = withOperands(roots)
  const run = bindNodes(computed)
  await submitAsync(run)
  settleChecked(roots, computed, run)
}
