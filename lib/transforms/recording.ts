/** From a function to a program: recording it with placeholders for its tensors, and where each run takes its inputs from. */

import type { TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { mapTree } from '../base/tree.ts'
import type { Node, Storage, TensorType } from '../graph/node.ts'
import { nodeCount, storageOf } from '../graph/node.ts'
import { placeholder, watch } from '../graph/ops/leaf.ts'
import { type PreparedGraph, prepareGraph } from '../runtime/execution.ts'
import type { Cell } from '../tensor/cell.ts'
import { nodeOf, Tensor, wrap } from '../tensor/tensor.ts'
import { type Guard, type Trace, traced } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { type ResultHistory, resultHistories } from './call-history.ts'

/** Where a program input comes from at each run, of one step or of several. */
export type Source = (args: readonly Node[], steps: number) => TypedArray

/** A function as it was recorded, as a program. */
export interface Traced {
  readonly graph: PreparedGraph
  readonly sources: readonly Source[]
  /** Variables that the function assigns, in the order of the program's states. */
  readonly updated: readonly Cell[]
  readonly results: readonly TensorType[]
  /** What gradients through each result would replay; null where there are none. */
  readonly histories: readonly (ResultHistory | null)[]
  /** The function's result, with the index of a result in place of each tensor. */
  readonly shape: unknown
  /** What has to hold for a call to be this recording. */
  readonly guards: readonly Guard[]
}

/** A tensor of the result, by its index among the program's results. */
export class ResultIndex {
  constructor(readonly index: number) {}
}

export const isArgument = (x: unknown): x is Tensor => x instanceof Tensor && !(x instanceof Variable)

/** Those among the arguments that a run binds. */
export function tensorsIn(args: unknown[]): Node[] {
  const nodes: Node[] = []
  mapTree(args, (x) => isArgument(x) && nodes.push(nodeOf(x)))
  return nodes
}

/** What a function did when it was recorded. */
interface Recording {
  /** Of the tensors among the arguments. */
  readonly leaves: readonly Node[]
  readonly nodes: readonly Node[]
  readonly shape: unknown
  readonly trace: Trace
  /** How many nodes there were before. */
  readonly since: number
}

export function recordFunction<A extends unknown[]>(fn: (...args: A) => unknown, args: A): Recording {
  const leaves: Node[] = []
  const since = nodeCount()
  const { result, trace } = traced(() => {
    const replaced = mapTree(args, (x) => {
      if (!isArgument(x)) return x
      const leaf = placeholder(x.dtype, x.shape)
      leaves.push(leaf)
      // Watched like any input of a gradient, so that its history is kept.
      return wrap(watch(leaf))
    })
    const result = fn(...(replaced as A))
    if (result instanceof Promise) {
      // What is left of it works on values without data: that it fails says nothing new.
      result.catch(() => {})
      throw new TypeError(expected('compile', 'a function that is not async', 'one that returned a promise'))
    }
    return collectResults(result)
  })
  return { leaves, ...result, trace, since }
}

// Made here, so that they keep alive what they name and nothing else of the recording.
const argumentSource =
  (i: number): Source =>
  (args) =>
    storageOf(elementAt(args, i)).array
const variableSource =
  (cell: Cell): Source =>
  () =>
    cell.storage.array
/** Read anew for each step. */
const dynamicSource =
  (read: () => TypedArray): Source =>
  (_, steps) =>
    steps === 1 ? read() : concatenate(Array.from({ length: steps }, read))
function concatenate(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts as readonly [TypedArray]
  const whole = new (first.constructor as new (size: number) => TypedArray)(parts.length * first.length)
  parts.forEach((part, i) => {
    whole.set(part, i * first.length)
  })
  return whole
}

const constantSource =
  ({ array }: Storage): Source =>
  () =>
    array

export function prepareTraced({ leaves, nodes, shape, trace, since }: Recording): Traced {
  const sources = new Map<Node, Source>()
  leaves.forEach((leaf, i) => {
    sources.set(leaf, argumentSource(i))
  })
  for (const { leaf, read } of trace.dynamicInputs) sources.set(leaf, dynamicSource(read))
  for (const [cell, { leaf }] of trace.variables) sources.set(leaf, variableSource(cell))
  const changed = [...trace.variables].filter(([, { leaf, value }]) => value !== leaf)
  const graph = prepareGraph(
    nodes,
    changed.map(([, traced]) => traced),
  )
  return {
    graph: { ...graph, inputs: [] },
    sources: graph.inputs.map((leaf) => sources.get(leaf) ?? constantSource(storageOf(leaf))),
    updated: changed.map(([cell]) => cell),
    results: nodes.map(({ dtype, shape }) => ({ dtype, shape })),
    histories: resultHistories(nodes, { leaves, trace, since, inputs: graph.inputs }),
    shape,
    guards: trace.guards,
  }
}

/** The tensors of a result, each once, and the result with an index in place of each. */
export function collectResults(result: unknown): { nodes: Node[]; shape: unknown } {
  const nodes: Node[] = []
  const shape = mapTree(result, (x) => {
    if (!(x instanceof Tensor)) return x
    const node = nodeOf(x)
    const known = nodes.indexOf(node)
    return new ResultIndex(known >= 0 ? known : nodes.push(node) - 1)
  })
  return { nodes, shape }
}
