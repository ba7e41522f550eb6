/** What compiled functions keep of their calls, so that gradients go through their results as through any other value. */
import type { TypedArray } from '../base/dtype.ts'
import { elementAt } from '../base/lists.ts'
import { type Node, type TensorType, topologicalOrder } from '../graph/node.ts'
import { type Call, callResult, type EndedHistory, endedResult, type Recorded, writesOf } from '../graph/ops/call.ts'
import { data } from '../graph/ops/leaf.ts'
import { type Cell, trainableOfLeaf } from '../tensor/cell.ts'
import { type Tensor, wrap } from '../tensor/tensor.ts'
import type { Trace } from '../tensor/trace.ts'

/** What a call has in place of a node of the recording. */
type Origin =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'variable'; readonly cell: Cell; readonly updated: boolean }
  /** What was read for the call, at this place among the program's inputs. */
  | { readonly kind: 'dynamic'; readonly input: number }
  /** The node itself: it is older than the recording, and has a history of its own. */
  | { readonly kind: 'older' }

/** A result of the recording, and where a call finds what it has in place of each source. */
export interface ResultHistory {
  readonly recorded: Recorded
  /** One list for results that are made from the same sources. */
  readonly origins: readonly Origin[]
  /** The arguments of which one has to have a history for the result to have one; null where it always has. */
  readonly deciding: readonly number[] | null
}

/** Where a recording found its values. */
export interface Origins {
  readonly leaves: readonly Node[]
  readonly trace: Trace
  /** The number of nodes there were before. */
  readonly since: number
  /** The leaves of the program's inputs. */
  readonly inputs: readonly Node[]
}

/** The history that each of the results may have, or null. */
export function resultHistories(results: readonly Node[], origins: Origins): (ResultHistory | null)[] {
  const known = knownOrigins(origins)
  const originOf = (node: Node): Origin | undefined =>
    known.get(node) ?? (node.id < origins.since && node.tracked ? { kind: 'older' } : undefined)
  const histories: (ResultHistory | null)[] = []
  for (const result of results) {
    const history = result.tracked ? resultHistory(result, originOf) : null
    const alike = history && histories.find((other) => other !== null && sameSources(other, history))
    histories.push(alike ? { ...history, origins: alike.origins } : history)
  }
  return histories
}

const sameSources = ({ recorded: a }: ResultHistory, { recorded: b }: ResultHistory): boolean =>
  a.sources.length === b.sources.length && a.sources.every((source, i) => source === b.sources[i])

/** Whether the function updates it. */
const isUpdated = (origin: Origin): boolean => origin.kind === 'variable' && origin.updated

function resultHistory(result: Node, originOf: (node: Node) => Origin | undefined): ResultHistory | null {
  const inputsOf = (node: Node) => (originOf(node) === undefined ? node.inputs : [])
  const onPath = new Set(topologicalOrder([result], (node) => (node.tracked ? inputsOf(node) : [])))
  const found = topologicalOrder([result], inputsOf).flatMap((source) => {
    const origin = originOf(source)
    return origin === undefined ? [] : [{ source, origin }]
  })
  const sources = found.map(({ source }) => source)
  const origins = found.map(({ origin }) => origin)
  const differentiable = found.map(({ source, origin }) => origin.kind !== 'dynamic' && onPath.has(source))
  if (!differentiable.includes(true)) return null
  const own = origins.map(({ kind }) => kind === 'argument' || kind === 'dynamic')
  const kept = origins.some(isUpdated) ? null : result
  return {
    recorded: { result: kept, sources, differentiable, own, ...variablesAt(origins) },
    origins,
    deciding: decidingArguments(origins.filter((_, i) => differentiable[i])),
  }
}

/** Variables and older values have a history, or they would be no sources of it. */
function decidingArguments(onPath: readonly Origin[]): readonly number[] | null {
  const indices = onPath.flatMap((origin) => (origin.kind === 'argument' ? [origin.index] : []))
  return indices.length < onPath.length ? null : indices
}

/** What there is to say and to do about the variables among the inputs of a call. */
function variablesAt(origins: readonly Origin[]): Pick<Recorded, 'keep' | 'describe'> {
  const cells = origins.map((origin) => (origin.kind === 'variable' ? origin.cell : null))
  return {
    keep(inputs) {
      inputs.forEach((input, i) => {
        cells[i]?.keep(input)
      })
    },
    describe: (i) => String(cells[i]?.variable),
  }
}

function knownOrigins({ leaves, trace, inputs }: Origins): Map<Node, Origin> {
  const known = new Map<Node, Origin>()
  leaves.forEach((leaf, index) => {
    known.set(leaf, { kind: 'argument', index })
  })
  for (const [cell, { leaf, value }] of trace.variables)
    known.set(leaf, { kind: 'variable', cell, updated: value !== leaf })
  for (const { leaf } of trace.dynamicInputs) {
    const input = inputs.indexOf(leaf)
    if (input >= 0) known.set(leaf, { kind: 'dynamic', input })
  }
  return known
}

function inputOf(origin: Origin, source: Node, args: readonly Node[], arrays: readonly TypedArray[]): Node {
  switch (origin.kind) {
    case 'older':
      return source
    case 'variable':
      return origin.cell.leaf
    case 'argument':
      return elementAt(args, origin.index)
    case 'dynamic':
      return data(elementAt(arrays, origin.input), source.dtype, source.shape)
  }
}

function startResult({ recorded, origins }: ResultHistory, args: readonly Node[], arrays: readonly TypedArray[]): Call {
  // Of their length from the start, as every call makes them.
  const inputs = new Array<Node>(origins.length)
  const writes = new Array<number>(origins.length)
  for (let i = 0; i < origins.length; i++) {
    const input = inputOf(elementAt(origins, i), elementAt(recorded.sources, i), args, arrays)
    inputs[i] = input
    writes[i] = writesOf(input)
  }
  return { recorded, inputs, writes }
}

function isKept(history: ResultHistory | null, args: readonly Node[]): history is ResultHistory {
  if (history === null) return false
  if (history.deciding === null) return true
  for (const i of history.deciding) if (args[i]?.tracked) return true
  return false
}

/**
 * To be called when a run is bound, before it writes to variables: what each of its results will have been computed from,
 * null for one that depends on plain data alone, or null where all of them do.
 */
export function startCall(
  histories: readonly (ResultHistory | null)[],
  args: readonly Node[],
  arrays: readonly TypedArray[],
): readonly (Call | null)[] | null {
  let calls: (Call | null)[] | null = null
  let before: ResultHistory | null = null
  let shared: Call | null = null
  for (let i = 0; i < histories.length; i++) {
    const history = histories[i] ?? null
    if (!isKept(history, args)) continue
    const { recorded } = history
    shared =
      shared !== null && before?.origins === history.origins
        ? { recorded, inputs: shared.inputs, writes: shared.writes }
        : startResult(history, args, arrays)
    before = history
    calls ??= new Array<Call | null>(histories.length).fill(null)
    calls[i] = shared
  }
  return calls
}

/** The history of a call as one that is gone. */
function ended({ recorded, inputs }: Call, reason: string): EndedHistory {
  const onPath = inputs.flatMap((input, i) => (input.tracked && recorded.differentiable[i] ? [i] : []))
  const variables = onPath.filter((i) => trainableOfLeaf(elementAt(recorded.sources, i)) !== undefined)
  return {
    reason,
    ids: onPath.map((i) => elementAt(inputs, i).id),
    onOlder: onPath.some((i) => elementAt(inputs, i).inputs.length > 0),
    leaves: variables.map((i) => elementAt(recorded.sources, i)),
  }
}

const cutReason =
  'the value comes from more compiled calls after each other than are kept: take the gradient inside one compiled function, or make the value a constant with stopGradient'

const scanReason =
  'scan keeps no history of its steps: take the gradient inside the function, or make the value a constant with stopGradient'

const updatedReason =
  'the compiled function updated a variable from which it computed the value: return the gradient from the function, or make the value a constant with stopGradient'

/** A result of a call as a tensor. */
export function finishResult(call: Call | null, array: TypedArray, type: TensorType): Tensor {
  if (call === null) return wrap(data(array, type.dtype, type.shape))
  if (call.recorded.result === null) return wrap(endedResult(ended(call, updatedReason), array, type))
  return wrap(callResult(call, array, type) ?? endedResult(ended(call, cutReason), array, type))
}

/** A result of several steps at once. */
export const finishSteps = (call: Call | null, array: TypedArray, type: TensorType): Tensor =>
  call === null ? finishResult(null, array, type) : wrap(endedResult(ended(call, scanReason), array, type))
