/** From recorded nodes to their values: graphs of the same structure share one executable. */

import { type Abortable, unlessAborted } from '../base/abort.ts'
import { expected, InternalError } from '../base/errors.ts'
import { type Node, newStorage } from '../graph/node.ts'
import { isPlaceholder, isUnstarted, leafArray } from '../graph/ops/leaf.ts'
import { isNoting } from '../graph/origin.ts'
import { type Structure, structureOf } from '../graph/structure.ts'
import { bindRun, type Run, submitAsync, submitSync } from './execution.ts'
import { checkAnomaly, withPendingOperands } from './first-nan.ts'
import { PreparedGraphs } from './prepared.ts'
import { startAsync, startSync } from './starts.ts'

/** What uncompiled code has evaluated. */
const evaluated = new PreparedGraphs(256)

/** How many structures of uncompiled code are kept. */
export const evaluatedCount = (): number => evaluated.size

/** Nodes that have no value yet, each once. */
function pendingNodes(nodes: readonly Node[]): readonly Node[] {
  const pending = nodes.filter((node) => node.storage === null)
  return pending.length > 1 ? [...new Set(pending)] : pending
}

/** @throws TypeError where a node has no data, as it stands for an argument of a compiled function */
export function checkHasData(order: readonly Node[]): void {
  if (order.some(isPlaceholder))
    throw new TypeError(
      expected('evaluate', 'a value that has data', 'one recorded inside compile: return it from the function'),
    )
}

function bind(structure: Structure): Run {
  const { graph, inputs } = evaluated.find(structure, structure.roots)
  return bindRun(graph, inputs.map(leafArray))
}

const bindNodes = (roots: readonly Node[]): Run => bind(structureOf(roots))

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

/** The leaves that have to be started before the rest can be bound; null where there are none. */
function unstartedIn({ order }: Structure): Node[] | null {
  checkHasData(order)
  return order.some(isUnstarted) ? order.filter(isUnstarted) : null
}

export function evaluateNodesSync(nodes: readonly Node[]): void {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const computed = withOperands(roots)
  const structure = structureOf(computed)
  const unstarted = unstartedIn(structure)
  if (unstarted !== null) {
    startLeavesSync(unstarted)
    evaluateNodesSync(nodes)
    return
  }
  const run = bind(structure)
  submitSync(run)
  settleChecked(roots, computed, run)
}

export async function evaluateNodes(nodes: readonly Node[], signal?: Abortable): Promise<void> {
  const roots = pendingNodes(nodes)
  if (roots.length === 0) return
  const computed = withOperands(roots)
  const structure = structureOf(computed)
  const unstarted = unstartedIn(structure)
  if (unstarted !== null) {
    const started = startLeaves(unstarted)
    await Promise.all([evaluateNodes(nodes, signal), started])
    return
  }
  const run = bind(structure)
  const done = submitAsync(run, signal)
  await (signal === undefined ? done : unlessAborted(signal, done))
  settleChecked(roots, computed, run)
}

/** Has leaves that have no value yet computed, in one program: whatever is submitted later finds their values. */
export const startLeaves = (leaves: readonly Node[]): Promise<void> => startAsync(leaves, bindNodes)

/** `startLeaves`, here and now. */
export const startLeavesSync = (leaves: readonly Node[]): void => startSync(leaves, bindNodes)
