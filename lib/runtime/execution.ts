/** Prepared graphs: a program with its executable, and the buffers of one run. */
import { activeBackend, backendOf } from '../backend/active.ts'
import type { Backend, Buffers, Executable } from '../backend/backend.ts'
import type { Abortable } from '../base/abort.ts'
import { allocateInRoom, type TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { maxExtent } from '../base/shape.ts'
import { lower, type NodeUpdate } from '../graph/lower.ts'
import type { Node, Storage } from '../graph/node.ts'
import { build } from '../program/build.ts'
import type { PassEffect } from '../program/passes/index.ts'
import { type Program, type ResultType, resultTypes } from '../program/program.ts'
import { bodiesOf } from '../program/signatures.ts'
import { settleAll, settleOthers, startInLine } from './line.ts'
import { checkMemoryOf, memoryError } from './memory.ts'

export interface PreparedGraph {
  readonly program: Program
  /** What the passes did for it. */
  readonly effects: readonly PassEffect[]
  /** The backend that was chosen when it was prepared; another choice needs another preparation. */
  readonly chosen: Backend
  /** The backend that runs it. */
  readonly backend: Backend
  readonly executable: Executable
  /** What a run allocates. */
  readonly results: readonly ResultType[]
  /** Whether there is a loop in it that may go on for ever. */
  readonly isUnbounded: boolean
  /** How many hold it, for runs to come; see `hold`. */
  holders: number
}

/** A prepared graph, and the leaves that its inputs are in one recording, in the order of the program. */
export interface GraphInputs {
  readonly graph: PreparedGraph
  readonly inputs: readonly Node[]
}

/** Literals among `numbers` are inputs of the program. */
export function prepareGraph(
  results: readonly Node[],
  updates: readonly NodeUpdate[] = [],
  numbers?: ReadonlySet<Node>,
): GraphInputs {
  const { draft, inputs } = lower(results, updates, numbers)
  const { program, effects } = build(draft)
  checkMemoryOf(program)
  const backend = backendOf(program)
  const graph = {
    program,
    effects,
    chosen: activeBackend(),
    backend,
    executable: prepared(backend, program),
    results: resultTypes(program),
    isUnbounded: isUnbounded(program),
    holders: 0,
  }
  return { graph, inputs }
}

const isUnbounded = ({ instructions }: Program): boolean =>
  instructions.some(
    (next) => (next.opcode === 'whileLoop' && next.params.limit === maxExtent) || bodiesOf(next).some(isUnbounded),
  )

function prepared(backend: Backend, program: Program): Executable {
  try {
    return backend.prepare(program)
  } catch (cause) {
    throw cause instanceof RangeError ? memoryError(program, cause) : cause
  }
}

/** Keeps the executable of a graph, until `release`. */
export function hold(graph: PreparedGraph): void {
  graph.holders++
}

/** Disposes of the executable where nobody holds the graph any more. Runs that were submitted end as usual. */
export function release(graph: PreparedGraph): void {
  graph.holders--
  if (graph.holders === 0) graph.executable.dispose()
}

/** One state of a run: the buffer it is read from and the one it is written to, the same one in place. */
export interface StateBinding {
  readonly read: Storage
  readonly written: Storage
}

/** A run that is bound but not submitted. */
export interface Run {
  readonly graph: PreparedGraph
  readonly buffers: Buffers
  readonly results: readonly TypedArray[]
  readonly states: readonly StateBinding[]
  /** How many times the program runs; results and the inputs that differ from step to step are as many times as long. */
  readonly steps: number
}

/** `inputs` is a list of the run's own: the other buffers are appended to it. */
export function bindRun(
  graph: PreparedGraph,
  inputs: TypedArray[],
  states: readonly StateBinding[] = [],
  steps = 1,
): Run {
  const buffers = inputs
  for (const { read } of states) buffers.push(read.array)
  for (const { written } of states) buffers.push(written.array)
  const results = resultsFor(graph, steps)
  for (const result of results) buffers.push(result)
  return { graph, buffers, results, states, steps }
}

function resultsFor(graph: PreparedGraph, steps: number): TypedArray[] {
  const results: TypedArray[] = []
  try {
    for (const { dtype, size } of graph.results) results.push(allocateInRoom(dtype, steps * size))
    return results
  } catch (cause) {
    throw memoryError(graph.program, cause)
  }
}

export function submitSync({ graph, buffers }: Run): void {
  if (graph.isUnbounded)
    throw new TypeError(expected('whileLoop', 'maxSteps where it runs here and now, as nothing could end it', 'none'))
  settleOthers(graph.backend)
  graph.executable.run(buffers)
}

/** Until it settles, whoever reads a written state's array waits. An aborted run settles once it has stopped. */
export function submitAsync({ graph, buffers, states, steps }: Run, signal?: Abortable): Promise<void> {
  let isHeld = false
  const start = () => {
    const done = graph.executable.runAsync(buffers, steps, signal)
    if (isHeld) release(graph)
    return done
  }
  const done = startInLine(graph.backend, start, () => {
    hold(graph)
    isHeld = true
  })
  if (states.length > 0)
    markPending(
      states.map(({ written }) => written),
      done,
    )
  return done
}

/** Until `done` settles, whoever reads one of the arrays waits. */
export function markPending(storages: readonly Storage[], done: Promise<void>): void {
  const settled = done.then(clear, clear)
  for (const storage of storages) storage.pending = settled
  function clear(): void {
    for (const storage of storages) if (storage.pending === settled) storage.pending = null
  }
}

/** The array once no run writes to it any more. */
export function settledArray(storage: Storage): TypedArray {
  if (storage.pending !== null) {
    settleAll()
    storage.pending = null
  }
  return storage.array
}
