/** From recorded nodes to their values: graphs of the same structure share one executable. */

import { expected, InternalError } from '../base/errors.ts'
import { type Node, newStorage } from '../graph/node.ts'
import { isPlaceholder, leafArray } from '../graph/ops/leaf.ts'
import { isNoting } from '../graph/origin.ts'
import { structureOf } from '../graph/structure.ts'
import { bindRun, type Run, submitAsync, submitSync } from './execution.ts'
import { checkAnomaly, withPendingOperands } from './first-nan.ts'
import { PreparedGraphs } from './prepared.ts'

/** What uncompiled code has evaluated. */
const evaluated = new PreparedGraphs(256)

/** How many structures of uncompiled code are kept. */
export const evaluatedCount = (): number => evaluated.size

/** Nodes that have no value yet, each once. */
function pendingNodes(nodes: readonly Node[]): readonly Node[] {
  const pending = nodes.filter((node) => node.storage === null)
  return pending.length > 1 ? [...new Set(pending)] : pending
}

function bindNodes(roots: readonly Node[]): Run {
  const structure = structureOf(roots)
  if (structure.order.some(isPlaceholder))
    throw new TypeError(
      expected('evaluate', 'a value that has data', 'one recorded inside compile: return it from the function'),
    )
  const { graph, inputs } = evaluated.find(structure, roots)
  return bindRun(graph, inputs.map(leafArray))
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
