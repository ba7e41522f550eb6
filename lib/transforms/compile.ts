/** Functions that are recorded once per signature and replayed. */
import { type Abortable, type CallOptions, unlessAborted, withoutSignal } from '../base/abort.ts'
import { checkFunction, refuseSurplus } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt, zipWith } from '../base/lists.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { mapTree, treeKey } from '../base/tree.ts'
import type { Node, TensorType } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import type { Call } from '../graph/ops/call.ts'
import { placeholder } from '../graph/ops/leaf.ts'
import { concat } from '../graph/ops/movement.ts'
import { isNoting } from '../graph/origin.ts'
import { formatProgram } from '../program/text.ts'
import { evaluateNodes, evaluateNodesSync } from '../runtime/evaluate.ts'
import { bindRun, hold, type Run, release, type StateBinding, submitAsync, submitSync } from '../runtime/execution.ts'
import { nodeOf, Tensor, wrap } from '../tensor/tensor.ts'
import { activeTrace } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { finishResult, finishSteps, startCall } from './call-history.ts'
import { noteCompiled } from './differentiable.ts'
import {
  collectResults,
  isArgument,
  ResultIndex,
  recordFunction,
  startTraced,
  startTracedSync,
  type Traced,
  tensorsIn,
} from './recording.ts'
import { Recordings } from './recordings.ts'

/** A function whose calls replay a prepared program. */
export interface Compiled<A extends unknown[], R> {
  /**
   * Runs off the event loop. An AbortSignal may follow the arguments, as `{ signal }`: once it is aborted the promise is rejected with
   * its reason at once, a call that has not begun does not, and one that is under way stops after the instruction that runs,
   * unless it has begun to update variables: these have all their old values or all their new ones.
   * @example await predict(images, { signal: AbortSignal.timeout(100) })
   */
  (...args: [...A, CallOptions]): Promise<R>
  (...args: A): Promise<R>
  /** Runs here and now. */
  sync(...args: A): R
  /**
   * Runs the function once for each entry of the first axis of the tensors among the arguments, as JAX's `scan` does:
   * variables carry over from step to step, and each result is that of all steps, stacked along a new first axis.
   * All steps are one crossing into the native core, which a short step is worth.
   *
   * @throws (rejects with) ShapeError where first axes differ; RangeError for an index in the data that is out of
   * range, or the reason of a signal that follows the arguments, as `{ signal }`: the steps before it have taken place
   *
   * @example
   * const losses = await step.scan(images.reshape([10, 32, 784]), labels.reshape([10, 32])) // ten steps, losses[10]
   */
  scan(...args: [...A, CallOptions]): Promise<R>
  scan(...args: A): Promise<R>
  /** The program for these arguments, as text. Numbers that differed between calls are inputs of it. */
  program(...args: A): string
  /**
   * How many recordings it keeps: one for each signature, and for each mode of the modules it met. At most 128: the one
   * that was used longest ago goes first.
   */
  readonly traces: number
}

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
  return treeKey('compile', args, (x) => {
    if (x instanceof Variable) return `variable ${variableId(x)}`
    if (x instanceof Tensor) return `${x.dtype}[${x.shape.join()}]`
    if (typeof x === 'function' || typeof x === 'symbol' || (typeof x === 'object' && x !== null))
      throw new TypeError(
        expected('compile', 'arguments of tensors, plain values and nested arrays or objects of them', x),
      )
    if (typeof x === 'string') return JSON.stringify(x)
    return `${typeof x} ${Object.is(x, -0) ? '-0' : String(x)}`
  })
}

/**
 * `signatureOf`, from the call before where the arguments are tensors of the same types as those of that one: a text takes
 * longer to make than all else that a small call does.
 */
function signatures(): (args: unknown[]) => string {
  let types: readonly TensorType[] = []
  let last: string | null = null
  const areAlike = (args: unknown[]): boolean =>
    args.length === types.length &&
    args.every((x, i) => {
      if (!isArgument(x)) return false
      const { dtype, shape } = nodeOf(x)
      return dtype === types[i]?.dtype && sameShape(shape, types[i].shape)
    })
  return (args) => {
    if (last !== null && areAlike(args)) return last
    const signature = signatureOf(args)
    const areTensors = args.every(isArgument)
    types = areTensors ? args.map((x) => ({ dtype: x.dtype, shape: x.shape })) : []
    last = areTensors ? signature : null
    return signature
  }
}

/** A run that is bound, and what its results will have been computed from. */
interface BoundCall {
  readonly run: Run
  readonly calls: readonly (Call | null)[] | null
}

function bind({ graph, sources, updated, histories }: Traced, args: readonly Node[], steps = 1): BoundCall {
  const inputs: TypedArray[] = []
  for (const source of sources) inputs.push(source(args, steps))
  const calls = startCall(histories, args, inputs)
  const states: StateBinding[] = []
  for (const cell of updated) states.push(cell.bindUpdate())
  return { run: bindRun(graph, inputs, states, steps), calls }
}

/** The variables hold what the run writes, from when it was submitted on. */
function commit({ updated }: Traced, { states }: Run): void {
  zipWith(updated, states, (cell, state) => cell.commitUpdate(state))
}

const callAt = (calls: BoundCall['calls'], i: number): Call | null => (calls === null ? null : (calls[i] ?? null))

/** The results, with a leading axis of the steps where `stacked`. */
function unpack({ results, shape }: Traced, { run, calls }: BoundCall, stacked = false): unknown {
  const tensors = zipWith(results, run.results, (type, array, i) =>
    stacked
      ? finishSteps(callAt(calls, i), array, { dtype: type.dtype, shape: [run.steps, ...type.shape] })
      : finishResult(callAt(calls, i), array, type),
  )
  const tensorOf = (x: unknown) => (x instanceof ResultIndex ? tensors[x.index] : x)
  return shape instanceof ResultIndex ? tensorOf(shape) : mapTree('compile', shape, tensorOf)
}

/** How many steps the arguments of `scan` are, and the arguments of one of them, without data. */
function stepArguments<A extends unknown[]>(args: A): { steps: number; of: A } {
  let steps: number | undefined
  const of = mapTree('scan', args, (x) => {
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

/** While anomalies are looked for, the function itself runs: its values are checked one operation after the other. */
function runChecked<A extends unknown[], R>(fn: (...args: A) => R, args: A): R {
  const result = fn(...args)
  evaluateNodesSync(tensorsIn([result]))
  return result
}

function scanChecked<A extends unknown[], R>(fn: (...args: A) => R, args: A, steps: number): R {
  const results = Array.from({ length: steps }, (_, step) => {
    const of = mapTree('scan', args, (x) => (isArgument(x) ? x.gather(step) : x)) as A
    return collectResults(runChecked(fn, of))
  })
  const stacked = (index: number) =>
    wrap(concat(results.map(({ nodes }) => elementAt(nodes, index)).map((row) => reshape(row, [1, ...row.shape]))))
  return mapTree('scan', results[0]?.shape, (x) => (x instanceof ResultIndex ? stacked(x.index) : x)) as R
}

/** Settles when the last call that waits for its arguments has them. */
let waiting: Promise<void> | null = null

/** Settles when all nodes have their values and no earlier call waits any more: calls keep their order. */
function inTurn(nodes: readonly Node[], signal?: Abortable): Promise<void> {
  const before = waiting
  const ready = evaluateNodes(nodes, signal).finally(() => before)
  const turn = ready
    .catch(() => {})
    .then(() => {
      if (waiting === turn) waiting = null
    })
  waiting = turn
  return ready
}

/** The recording is held while the call waits, as other calls may have it dropped meanwhile. */
async function runInTurn(
  entry: Traced,
  args: readonly Node[],
  steps: number,
  signal: Abortable | undefined,
): Promise<BoundCall> {
  let call: BoundCall
  let done: Promise<void>
  hold(entry.graph)
  try {
    if (waiting !== null || args.some(({ storage }) => storage === null))
      await unlessAborted(signal, inTurn(args, signal))
    startTraced(entry)
    call = bind(entry, args, steps)
    done = submitAsync(call.run, signal)
    commit(entry, call.run)
  } finally {
    release(entry.graph)
  }
  await (signal === undefined ? done : unlessAborted(signal, done))
  return call
}

/**
 * A function that is recorded once per signature (the dtypes and shapes of its tensors, and its other arguments) and
 * then replayed as one prepared program: no recording, and nothing allocated but the results. Variables it assigns
 * are updated in place. Numbers and branches are frozen when it is recorded: what changes between calls is an
 * argument or a variable. It is also recorded anew where a module that it read is in another mode (training or
 * evaluation) than when it was recorded. Inside another compiled function it becomes part of that one.
 *
 * Numbers among the arguments belong to the signature, since the function may branch on them. With a new one it runs again to
 * be recorded, but nothing is prepared again where the operations are the same and the number only meets tensors; a tensor
 * in its place (`tensor(x)`) saves the recording, too. Each new shape is prepared, which takes far longer. 128 recordings
 * are kept, those used last. A function that makes new ones all the time says so in a warning (code
 * `GALVANI_MANY_SIGNATURES`), once: pass numbers that change as tensors, and pad or batch data to a few fixed shapes.
 *
 * Gradients go through its results, with respect to arguments and to variables that it read; `grad` and its kin also take
 * the compiled function itself. They are a GradientError where that is impossible: a variable that the result depends on
 * was updated by the function, or in place since; the results of `scan`; and where more than some thousands of calls
 * (64 with arguments above half a megabyte) follow on each other. `stopGradient` makes such a result a constant.
 *
 * Calls have the values that they would have in the order in which they are made. One that updates nothing is answered before updates
 * under way that it does not depend on: it waits for an instruction of theirs, not for a step. An asynchronous call with an argument
 * that is still to be computed is made once that has its value: synchronous calls may overtake it until then.
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
export function compile<A extends unknown[], const R>(fn: (...args: A) => R, ...surplus: []): Compiled<A, R> {
  refuseSurplus('compile', 1, surplus)
  checkFunction('compile', 'a function', fn)
  const recordings = new Recordings(typeof fn.name === 'string' ? fn.name : '')
  const signatureFor = signatures()
  const find = (args: A): Traced => {
    const signature = signatureFor(args)
    return recordings.find(signature) ?? recordings.add(signature, recordFunction(fn, args))
  }
  const compiled = async (...given: A | [...A, CallOptions]): Promise<R> => {
    const [args, signal] = withoutSignal<A>(given)
    if (activeTrace() !== null) return fn(...args)
    if (isNoting()) return runChecked(fn, args)
    const entry = find(args)
    return unpack(entry, await runInTurn(entry, tensorsIn(args), 1, signal)) as R
  }
  const scan = async (...given: A | [...A, CallOptions]): Promise<R> => {
    const [args, signal] = withoutSignal<A>(given)
    if (activeTrace() !== null) throw new TypeError(expected('scan', 'a call outside compile', 'one inside'))
    const { steps, of } = stepArguments(args)
    if (isNoting()) return scanChecked(fn, args, steps)
    const entry = find(of)
    return unpack(entry, await runInTurn(entry, tensorsIn(args), steps, signal), true) as R
  }
  const sync = (...args: A): R => {
    if (activeTrace() !== null) return fn(...args)
    if (isNoting()) return runChecked(fn, args)
    const entry = find(args)
    const nodes = tensorsIn(args)
    evaluateNodesSync(nodes)
    startTracedSync(entry)
    const call = bind(entry, nodes)
    submitSync(call.run)
    commit(entry, call.run)
    return unpack(entry, call) as R
  }
  const program = (...args: A): string => formatProgram(find(args).graph.program)
  for (const form of [compiled, sync]) noteCompiled(form, fn)
  return Object.defineProperty(Object.assign(compiled, { sync, scan, program }), 'traces', {
    get: () => recordings.size,
  }) as Compiled<A, R>
}
