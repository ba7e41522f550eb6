/** From a function to a program: recording it with placeholders for its tensors, and where each run takes its inputs from. */

import type { TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { isThenable, mapTree } from '../base/tree.ts'
import type { NodeUpdate } from '../graph/lower.ts'
import type { Node, TensorType } from '../graph/node.ts'
import { nodeCount, storageOf } from '../graph/node.ts'
import { isUnstarted, leafArray, placeholder, watch } from '../graph/ops/leaf.ts'
import { structureOf } from '../graph/structure.ts'
import { startLeaves, startLeavesSync } from '../runtime/evaluate.ts'
import { type GraphInputs, hold, type PreparedGraph, prepareGraph } from '../runtime/execution.ts'
import type { PreparedGraphs } from '../runtime/prepared.ts'
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
  /** Variables, or former values of variables, that had no value yet when it was recorded; null once they have. */
  unstarted: readonly LeafHolder[] | null
}

interface LeafHolder {
  readonly leaf: Node
}

/** Before a call is bound: sees to it that all variables have values, off the event loop. */
export const startTraced = (traced: Traced): void =>
  // Whoever reads a value waits for it, and has the error.
  startWith(traced, (leaves) => void startLeaves(leaves).catch(() => {}))

/** `startTraced`, here and now. */
export const startTracedSync = (traced: Traced): void => startWith(traced, startLeavesSync)

function startWith(traced: Traced, start: (leaves: readonly Node[]) => void): void {
  if (traced.unstarted === null) return
  start(traced.unstarted.map(({ leaf }) => leaf).filter(isUnstarted))
  traced.unstarted = null
}

/** A tensor of the result, by its index among the program's results. */
export class ResultIndex {
  constructor(readonly index: number) {}
}

export const isArgument = (x: unknown): x is Tensor => x instanceof Tensor && !(x instanceof Variable)

/** Those among the arguments that a run binds. */
export function tensorsIn(args: unknown[]): Node[] {
  if (args.every(isArgument)) return args.map(nodeOf)
  const nodes: Node[] = []
  mapTree('compile', args, (x) => isArgument(x) && nodes.push(nodeOf(x)))
  return nodes
}

/** What a function did when it was recorded. */
export interface Recording {
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
    const replaced = mapTree('compile', args, (x) => {
      if (!isArgument(x)) return x
      const leaf = placeholder(x.dtype, x.shape)
      leaves.push(leaf)
      // Watched like any input of a gradient, so that its history is kept.
      return wrap(watch(leaf))
    })
    const result = fn(...(replaced as A))
    if (isThenable(result)) {
      // What is left of it works on values without data: that it fails says nothing new.
      result.then(undefined, () => {})
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
/**
 * What is read anew for each step: all of one step before the next one, so that it is the same in one run of many steps as in many
 * runs. The first of the sources reads for all of them.
 */
function dynamicSources(reads: readonly (() => TypedArray)[]): Source[] {
  let parts: TypedArray[] = []
  return reads.map((_, i) => (_, steps) => {
    if (i === 0) parts = steps === 1 ? reads.map((read) => read()) : readSteps(reads, steps)
    return elementAt(parts, i)
  })
}

function readSteps(reads: readonly (() => TypedArray)[], steps: number): TypedArray[] {
  const perStep = Array.from({ length: steps }, () => reads.map((read) => read()))
  return reads.map((_, i) => concatenate(perStep.map((parts) => elementAt(parts, i))))
}

function concatenate(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts as readonly [TypedArray]
  const whole = new (first.constructor as new (size: number) => TypedArray)(parts.length * first.length)
  parts.forEach((part, i) => {
    whole.set(part, i * first.length)
  })
  return whole
}

const constantSource =
  (array: TypedArray): Source =>
  () =>
    array
/** Of what gets its value before the first run. */
const unstartedSource =
  (leaf: Node): Source =>
  () =>
    storageOf(leaf).array
const outerSource = (leaf: Node): Source =>
  isUnstarted(leaf) ? unstartedSource(leaf) : constantSource(leafArray(leaf))

/** Prepares it by itself. */
export const prepareAlone = ({ nodes, trace }: Recording): GraphInputs => prepareGraph(nodes, updatesOf(trace))

/** Finds what was prepared for its structure, or prepares it. */
export function prepareAmong(prepared: PreparedGraphs, { nodes, trace }: Recording): GraphInputs {
  const updates = updatesOf(trace)
  return prepared.find(structureOf(nodes, updates), nodes, updates)
}

function updatesOf(trace: Trace): NodeUpdate[] {
  const updates: NodeUpdate[] = []
  for (const traced of trace.variables.values()) if (traced.value !== traced.leaf) updates.push(traced)
  return updates
}

/** A recording with what was prepared for it. It holds that, until it is released. */
export function tracedWith(recording: Recording, { graph, inputs }: GraphInputs): Traced {
  const { leaves, nodes, shape, trace, since } = recording
  hold(graph)
  const sources = sourcesOf(recording, inputs)
  const updated: Cell[] = []
  for (const [cell, { leaf, value }] of trace.variables) if (value !== leaf) updated.push(cell)
  const unstarted: LeafHolder[] = inputs.filter(isUnstarted).map((leaf) => ({ leaf }))
  for (const cell of trace.variables.keys()) if (isUnstarted(cell.leaf)) unstarted.push(cell)
  return {
    graph,
    sources: inputs.map((leaf) => sources.get(leaf) ?? outerSource(leaf)),
    updated,
    results: nodes.map(({ dtype, shape }) => ({ dtype, shape })),
    histories: resultHistories(nodes, { leaves, trace, since, inputs }),
    shape,
    guards: trace.guards,
    unstarted: unstarted.length > 0 ? unstarted : null,
  }
}

/** Those of all leaves that are no constants; `inputs` are the leaves in the order in which they are read. */
function sourcesOf({ leaves, trace }: Recording, inputs: readonly Node[]): Map<Node, Source> {
  const sources = new Map<Node, Source>()
  leaves.forEach((leaf, i) => {
    sources.set(leaf, argumentSource(i))
  })
  const reads = new Map(trace.dynamicInputs.map(({ leaf, read }) => [leaf, read]))
  const dynamic = inputs.filter((leaf) => reads.has(leaf))
  dynamicSources(dynamic.map((leaf) => reads.get(leaf)!)).forEach((source, i) => {
    sources.set(elementAt(dynamic, i), source)
  })
  for (const [cell, { leaf }] of trace.variables) sources.set(leaf, variableSource(cell))
  return sources
}

/** The tensors of a result, each once, and the result with an index in place of each. */
export function collectResults(result: unknown): { nodes: Node[]; shape: unknown } {
  const nodes: Node[] = []
  const shape = mapTree('compile', result, (x) => {
    if (!(x instanceof Tensor)) return x
    const node = nodeOf(x)
    const known = nodes.indexOf(node)
    return new ResultIndex(known >= 0 ? known : nodes.push(node) - 1)
  })
  return { nodes, shape }
}
