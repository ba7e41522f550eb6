/** From nodes to a draft program: every node that has a value, or gets one before the run, becomes an input, every other one emits its instructions. */

import { denseStrides, sizeOf } from '../base/shape.ts'
import { addValue, type Draft, emptyDraft, instruction } from '../program/draft.ts'
import { valueAt } from '../program/program.ts'
import { Emitter } from './emitter.ts'
import { type Node, pendingInputs, topologicalOrder } from './node.ts'
import { isPlaceholder, isUnstarted } from './ops/leaf.ts'

/** A leaf whose buffer the program updates, and the node of its new value. */
export interface NodeUpdate {
  readonly leaf: Node
  readonly value: Node
}

export interface Lowered {
  readonly draft: Draft
  /** The leaves in the order of the program's inputs. */
  readonly inputs: readonly Node[]
}

const noNumbers: ReadonlySet<Node> = new Set()

/** `numbers` are literals that are inputs, for each run to bind, instead of constants. */
export function lower(
  results: readonly Node[],
  updates: readonly NodeUpdate[] = [],
  numbers: ReadonlySet<Node> = noNumbers,
): Lowered {
  const isLeaf = (node: Node): boolean =>
    node.storage !== null || isPlaceholder(node) || isUnstarted(node) || numbers.has(node)
  const draft = emptyDraft()
  const emitter = new Emitter(draft)
  const states = new Map(updates.map(({ leaf }, index) => [leaf, index]))
  draft.stateCount = updates.length
  const inputs: Node[] = []
  const bind = (node: Node) => {
    const state = states.get(node)
    const place =
      state === undefined
        ? ({ kind: 'input', index: inputs.push(node) - 1 } as const)
        : ({ kind: 'state', index: state } as const)
    const isNumber = numbers.has(node)
    const value = addValue(draft, node.dtype, isNumber ? [] : node.shape, place)
    emitter.setView(node, isNumber ? emitter.repeated(value, node.shape) : emitter.denseView(value))
  }
  for (const { leaf } of updates) bind(leaf)
  const roots = [...results, ...updates.map(({ value }) => value)]
  const order = topologicalOrder(roots, pendingInputs)
  for (let i = 0; i < order.length; i++) order[i]!.def.announce?.(emitter, order[i]!)
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!
    if (!isLeaf(node)) emitter.setView(node, node.def.lower(emitter, node))
    else if (!states.has(node)) bind(node)
  }
  draft.inputCount = inputs.length
  draft.resultCount = results.length
  results.forEach((node, index) => {
    bindResult(emitter, node, index)
  })
  updates.forEach(({ value }, state) => {
    draft.updates.push({ state, value: emitter.dense(value) })
  })
  return { draft, inputs }
}

/** A result is a value of its own buffer: computed there, or copied where it already has another place. */
export function bindResult(emitter: Emitter, node: Node, index: number): void {
  const { draft } = emitter
  const view = emitter.viewOf(node)
  const place = { kind: 'result', index } as const
  const value = emitter.denseValue(view)
  const made = valueAt(draft, value)
  if (made.place === null) {
    made.place = place
    return
  }
  const copy = addValue(draft, node.dtype, node.shape, place)
  const params = { shape: [sizeOf(node.shape)], offset: 0, strides: denseStrides([1]) }
  draft.instructions.push(instruction('copy', [value], [copy], params))
}
