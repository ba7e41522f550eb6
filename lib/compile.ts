import { activeBackend } from './backend/active.ts'
import type { TypedArray } from './dtype.ts'
import { expected, ShapeError } from './errors.ts'
import { evaluateNodes, evaluateNodesSync } from './evaluate.ts'
import {
  bindRun,
  type PreparedGraph,
  prepareGraph,
  type Run,
  type StateBinding,
  submitAsync,
  submitSync,
} from './execution.ts'
import type { Node, Storage, TensorType } from './graph/node.ts'
import { leafOf, placeholder, watch } from './graph/ops/leaf.ts'
import { formatProgram } from './program/text.ts'
import { formatShape } from './shape.ts'
import { Tensor, wrap } from './tensor.ts'
import { activeTrace, type Trace, traced } from './trace.ts'
import { mapTree, treeKey } from './tree.ts'
import { Variable } from './variable.ts'

/** A function whose calls replay a prepared program. */
export interface Compiled<A extends unknown[], R> {
  /** Runs off the event loop. */
  (...args: A): Promise<R>
  /** Runs here and now. */
  sync(...args: A): R
  /**
   * Runs the function once for each entry of the first axis of the tensors among the arguments, as JAX's `scan` does:
   * variables carry over from step to step, and each result is that of all steps, stacked along a new first axis.
   * All steps are one crossing into the native core, which a short step is worth.
   *
   * @throws (rejects with) ShapeError where first axes differ; RangeError for an index in the data that is out of
   * range: the steps before it have taken place
   *
   * @example
   * const losses = await step.scan(images.reshape([10, 32, 784]), labels.reshape([10, 32])) // ten steps, losses[10]
   */
  scan(...args: A): Promise<R>
  /** The program for these arguments, as text. */
  program(...args: A): string
  /** How many signatures have been traced. */
  readonly traces: number
}

/** Where a program input comes from at each run, of one step or of several. */
type Source = (args: readonly Node[], steps: number) => TypedArray

interface Traced {
  readonly graph: PreparedGraph
  readonly sources: readonly Source[]
  /** Variables that the function assigns, in the order of the program's states. */
  readonly updated: readonly Variable[]
  readonly results: readonly TensorType[]
  /** The function's result, with the index of a result in place of each tensor. */
  readonly shape: unknown
}

/** A tensor of the result, by its index among the program's results. */
class ResultIndex {
  constructor(readonly index: number) {}
}

const isArgument = (x: unknown): x is Tensor => x instanceof Tensor && !(x instanceof Variable)

const variableIds = new WeakMap<Variable, number>()
let variableCount = 0

function variableId(variable: Variable): number {
  let id = variableIds.get(variable)
  if (id === undefined) {
    id = variableCount++
    variableIds.set(variable, id)
  }
  return id
}

/** Tensors count by type, variables by identity, everything else by value; no text stands for two different leaves. */
function signatureOf(args: unknown[]): string {
  return treeKey(args, (x) => {
    if (x instanceof Variable) return `variable ${variableId(x)}`
    if (x instanceof Tensor) return `${x.dtype}[${x.shape.join()}]`
    if (typeof x === 'function' || typeof x === 'symbol' || (typeof x === 'object' && x !== null))
      throw new TypeError(
        expected('compile', 'arguments of tensors, plain values and nested arrays or objects of them', String(x)),
      )
    if (typeof x === 'string') return JSON.stringify(x)
    return `${typeof x} ${Object.is(x, -0) ? '-0' : String(x)}`
  })
}

function tensorsIn(args: unknown[]): Node[] {
  const nodes: Node[] = []
  mapTree(args, (x) => isArgument(x) && nodes.push(x.node))
  return nodes
}

/** What a function did when it was recorded. */
interface Recording {
  /** Of the tensors among the arguments. */
  readonly leaves: readonly Node[]
  readonly nodes: readonly Node[]
  readonly shape: unknown
  readonly trace: Trace
}

function recordFunction<A extends unknown[]>(fn: (...args: A) => unknown, args: A): Recording {
  const leaves: Node[] = []
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
  return { leaves, ...result, trace }
}

// Made here, so that they keep alive what they name and nothing else of the recording.
const argumentSource =
  (i: number): Source =>
  (args) =>
    args[i]!.storage!.array
const variableSource =
  (variable: Variable): Source =>
  () =>
    variable.storage.array
/** Read anew for each step. */
const dynamicSource =
  (read: () => TypedArray): Source =>
  (_, steps) =>
    steps === 1 ? read() : concatenate(Array.from({ length: steps }, read))
const constantSource =
  ({ array }: Storage): Source =>
  () =>
    array

function prepareTraced({ leaves, nodes, shape, trace }: Recording): Traced {
  const sources = new Map<Node, Source>()
  leaves.forEach((leaf, i) => {
    sources.set(leaf, argumentSource(i))
  })
  for (const { leaf, read } of trace.dynamicInputs) sources.set(leaf, dynamicSource(read))
  for (const [variable, { leaf }] of trace.variables) sources.set(leaf, variableSource(variable))
  const changed = [...trace.variables].filter(([, { leaf, value }]) => value !== leaf)
  const graph = prepareGraph(
    nodes,
    changed.map(([, traced]) => traced),
  )
  return {
    graph: { ...graph, inputs: [] },
    sources: graph.inputs.map((leaf) => sources.get(leaf) ?? constantSource(leaf.storage!)),
    updated: changed.map(([variable]) => variable),
    results: nodes.map(({ dtype, shape }) => ({ dtype, shape })),
    shape,
  }
}

/** The tensors of a result, each once, and the result with an index in place of each. */
function collectResults(result: unknown): { nodes: Node[]; shape: unknown } {
  const nodes: Node[] = []
  const shape = mapTree(result, (x) => {
    if (!(x instanceof Tensor)) return x
    const { node } = x
    const known = nodes.indexOf(node)
    return new ResultIndex(known >= 0 ? known : nodes.push(node) - 1)
  })
  return { nodes, shape }
}

function bind({ graph, sources, updated }: Traced, args: readonly Node[], steps = 1): Run {
  const inputs: TypedArray[] = []
  for (const source of sources) inputs.push(source(args, steps))
  const states: StateBinding[] = []
  for (const variable of updated) states.push(variable.bindUpdate())
  return bindRun(graph, inputs, states, steps)
}

/** The variables hold what the run writes, from when it was submitted on. */
function commit({ updated }: Traced, { states }: Run): void {
  for (let i = 0; i < updated.length; i++) updated[i]!.commitUpdate(states[i]!)
}

/** The results, with a leading axis of the steps where `stacked`. */
function unpack({ results, shape }: Traced, run: Run, stacked = false): unknown {
  const tensors = results.map(({ dtype, shape }, i) => {
    const type = stacked ? [run.steps, ...shape] : shape
    return wrap(leafOf({ array: run.results[i]!, pending: null }, dtype, type, false))
  })
  return mapTree(shape, (x) => (x instanceof ResultIndex ? tensors[x.index] : x))
}

function concatenate(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts as readonly [TypedArray]
  const whole = new (first.constructor as new (size: number) => TypedArray)(parts.length * first.length)
  parts.forEach((part, i) => {
    whole.set(part, i * first.length)
  })
  return whole
}

/** How many steps the arguments of `scan` are, and the arguments of one of them, without data. */
function stepArguments<A extends unknown[]>(args: A): { steps: number; of: A } {
  let steps: number | undefined
  const of = mapTree(args, (x) => {
    if (!isArgument(x)) return x
    const [length, ...shape] = x.shape
    if (length === undefined || length === 0)
      throw new ShapeError(expected('scan', 'tensors with a first axis of at least one step', formatShape(x.shape)))
    steps ??= length
    if (length !== steps) throw new ShapeError(expected('scan', `${steps} steps in every tensor`, length))
    return wrap(placeholder(x.dtype, shape))
  })
  if (steps === undefined) throw new TypeError(expected('scan', 'a tensor among the arguments', 'none'))
  return { steps, of: of as A }
}

/** Settles when the last call that waits for its arguments has them. */
let waiting: Promise<void> | null = null

/** Settles when all nodes have their values and no earlier call waits any more: calls keep their order. */
function inTurn(nodes: readonly Node[]): Promise<void> {
  const before = waiting
  const ready = evaluateNodes(nodes).finally(() => before)
  const turn = ready
    .catch(() => {})
    .then(() => {
      if (waiting === turn) waiting = null
    })
  waiting = turn
  return ready
}

async function runInTurn(entry: Traced, args: readonly Node[], steps: number): Promise<Run> {
  if (waiting !== null || args.some(({ storage }) => storage === null)) await inTurn(args)
  const run = bind(entry, args, steps)
  const done = submitAsync(run)
  commit(entry, run)
  await done
  return run
}

/**
 * A function that is recorded once per signature (the dtypes and shapes of its tensors, and its other arguments) and
 * then replayed as one prepared program: no recording, and nothing allocated but the results. Variables it assigns
 * are updated in place. Numbers and branches are frozen when it is recorded: what changes between calls is an
 * argument or a variable. Inside another compiled function it becomes part of that one.
 *
 * Calls run in the order in which they are made. An asynchronous call with an argument that is still to be computed
 * is made once that has its value: synchronous calls may overtake it until then.
 *
 * @example
 * const step = compile((x, y) => optimizer.minimize(() => losses.crossEntropy(model.forward(x), y)))
 * const loss = await step(images, labels)
 *
 * @param fn takes tensors, plain values, and arrays or plain objects of them; returns the same. Not async.
 */
// Parameters without a type are tensors.
export function compile<F extends (...args: Tensor[]) => unknown, const R>(
  fn: F & ((...args: never[]) => R),
): Compiled<Parameters<F>, R>
export function compile<A extends unknown[], const R>(fn: (...args: A) => R): Compiled<A, R>
export function compile<A extends unknown[], const R>(fn: (...args: A) => R): Compiled<A, R> {
  if (typeof fn !== 'function') throw new TypeError(expected('compile', 'a function', typeof fn))
  const cache = new Map<string, Traced>()
  const find = (args: A): Traced => {
    const key = signatureOf(args)
    let entry = cache.get(key)
    if (entry === undefined || entry.graph.chosen !== activeBackend()) {
      entry = prepareTraced(recordFunction(fn, args))
      cache.set(key, entry)
    }
    return entry
  }
  const compiled = async (...args: A): Promise<R> => {
    if (activeTrace() !== null) return fn(...args)
    const entry = find(args)
    return unpack(entry, await runInTurn(entry, tensorsIn(args), 1)) as R
  }
  const scan = async (...args: A): Promise<R> => {
    if (activeTrace() !== null) throw new TypeError(expected('scan', 'a call outside compile', 'one inside'))
    const { steps, of } = stepArguments(args)
    const entry = find(of)
    return unpack(entry, await runInTurn(entry, tensorsIn(args), steps), true) as R
  }
  const sync = (...args: A): R => {
    if (activeTrace() !== null) return fn(...args)
    const entry = find(args)
    const nodes = tensorsIn(args)
    evaluateNodesSync(nodes)
    const run = bind(entry, nodes)
    submitSync(run)
    commit(entry, run)
    return unpack(entry, run) as R
  }
  const program = (...args: A): string => formatProgram(find(args).graph.program)
  return Object.defineProperty(Object.assign(compiled, { sync, scan, program }), 'traces', {
    get: () => cache.size,
  }) as Compiled<A, R>
}
