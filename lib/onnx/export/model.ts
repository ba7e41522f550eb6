/** From a recorded model to the messages of its ONNX graph. */
import { expected } from '../../base/errors.ts'
import { elementAt, zipWith } from '../../base/lists.ts'
import { type Node, storageOf } from '../../graph/node.ts'
import type { AnyModule } from '../../nn/module.ts'
import { partsOf } from '../../nn/parts.ts'
import { evaluateNodes } from '../../runtime/evaluate.ts'
import { settledArray } from '../../runtime/execution.ts'
import { nodeOf } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { Builder, bytesOf, Names } from './builder.ts'
import { type Dim, isFixed } from './dims.ts'
import { ExportedGraph, type Operation, sourceOf } from './graph.ts'
import type { GraphMessage, ValueMessage } from './messages.ts'
import {
  argumentsOf,
  batchOf,
  type Exportable,
  type ModelRecording,
  probes,
  recordModel,
  withBatch,
} from './recording.ts'
import type { ExportName } from './row.ts'
import { rows } from './rows.ts'
import { Scope, unsupported } from './scope.ts'
import { rename, withoutUnused } from './unused.ts'

export interface GraphOptions {
  readonly opset: number
  readonly dynamicBatch: boolean
  readonly inputNames: readonly string[] | undefined
  readonly outputNames: readonly string[] | undefined
  /** Whose names the parameters have. */
  readonly parametersOf: AnyModule | undefined
}

/** The graph of a model or function for arguments like the examples. */
export async function graphOf(
  op: string,
  model: Exportable,
  examples: unknown,
  options: GraphOptions,
): Promise<GraphMessage> {
  const args = argumentsOf(examples)
  const batch = options.dynamicBatch ? batchOf(args) : undefined
  const recordings = recordAll(op, model, args, batch)
  const graph = new ExportedGraph(op, batch === undefined ? [0] : probes)
  const roots = graph.merge(recordings.map(({ inputs, outputs }) => [...inputs, ...outputs]))
  const recording = elementAt(recordings, 0)
  const inputs = roots.slice(0, recording.inputs.length)
  const outputs = roots.slice(inputs.length)
  checkSupported(op, graph.operations, recording)
  const variables = variablesOf(recording, options.parametersOf)
  await evaluateNodes(graph.operations.filter(({ name }) => name === 'data').map(({ nodes }) => elementAt(nodes, 0)))
  await evaluateNodes(variables.map(({ value }) => value))
  return new GraphWriter(op, recording, graph, inputs, options).write(outputs, variables)
}

function recordAll(
  op: string,
  model: Exportable,
  args: readonly unknown[],
  batch: number | undefined,
): ModelRecording[] {
  if (batch === undefined) return [recordModel(op, model, args)]
  return probes.map((size) => {
    try {
      return recordModel(op, model, withBatch(args, batch, size))
    } catch (error) {
      // Where the examples themselves are refused, that is what is wrong.
      recordModel(op, model, args)
      const { message } = error as Error
      throw new RangeError(
        `${expected(op, 'a model that takes any size of the batch', `one that refuses ${size} in place of ${batch}`)} (${message}): pass { dynamicBatch: false }`,
        { cause: error },
      )
    }
  })
}

/** @throws TypeError that names every operation that cannot be written, and why; but for those in bodies, which say so when they are met */
function checkSupported(op: string, operations: readonly Operation[], { inputs, variables }: ModelRecording): void {
  const reasons = new Map<string, string>()
  for (const { name, nodes } of operations) {
    const leaf = elementAt(nodes, 0)
    if (inputs.includes(leaf) || variables.has(leaf)) continue
    const row = rows[name as ExportName]
    if ('unsupported' in row) reasons.set(name, row.unsupported)
  }
  // Keys of random numbers are placeholders too, and random numbers say more.
  if (reasons.size > 1) reasons.delete('placeholder')
  if (reasons.size > 0) throw unsupported(op, [...reasons])
}

/** A variable that is read: the leaf that stands for it, the value it holds, and its name in the state of a model. */
interface NamedVariable {
  readonly leaf: Node
  readonly value: Node
  readonly name: string | null
  /** What its name begins with otherwise. */
  readonly stem: string
}

/** The values of variables as they are now: they are handed out, and stay what they are. */
function variablesOf({ variables }: ModelRecording, parametersOf: AnyModule | undefined): NamedVariable[] {
  const names = parametersOf === undefined ? new Map<unknown, string>() : namesOfState(parametersOf)
  return [...variables].map(([leaf, cell]) => {
    const value = cell.node
    return { leaf, value, name: names.get(identityOf(value)) ?? null, stem: cell.variable.name ?? 'parameter' }
  })
}

/** What two nodes share that are the value of one variable: where it lives, or the leaf that has no value yet. */
function identityOf(node: Node): unknown {
  const source = sourceOf(node)
  return source.storage ?? source
}

/** The names of a model's state: those of its state dictionary, or paths where that has a variable in another form. */
function namesOfState(model: AnyModule): ReadonlyMap<unknown, string> {
  const names = new Map<unknown, string>()
  for (const [part, path] of partsOf(model).paths)
    if (part instanceof Variable) names.set(identityOf(nodeOf(part)), path)
  for (const [name, value] of Object.entries(model.stateDict())) names.set(identityOf(nodeOf(value)), name)
  return names
}

/** The writing of one graph: names first, then nodes. */
class GraphWriter {
  readonly #names = new Names()
  readonly #builder: Builder
  readonly #inputNames: readonly string[]
  readonly #outputNames: readonly string[]

  constructor(
    op: string,
    readonly recording: ModelRecording,
    readonly graph: ExportedGraph,
    readonly inputs: readonly Operation[],
    { opset, inputNames, outputNames }: GraphOptions,
  ) {
    this.#inputNames = namesFor(op, 'inputNames', recording.inputPaths, inputNames)
    this.#outputNames = namesFor(
      op,
      'outputNames',
      withoutClashes(recording.outputPaths, this.#inputNames),
      outputNames,
    )
    for (const name of this.#inputNames) this.#names.reserve(op, 'an input', name)
    for (const name of this.#outputNames) this.#names.reserve(op, 'an output', name)
    const place = inputs.findIndex(({ shape }) => shape[0] !== undefined && isBatch(shape[0]))
    this.#builder = new Builder(op, opset, this.#names, this.#inputNames[place] ?? null)
  }

  write(outputs: readonly Operation[], variables: readonly NamedVariable[]): GraphMessage {
    const builder = this.#builder
    const scope = new Scope(builder, this.graph)
    this.inputs.forEach((input, i) => {
      scope.bind(input, elementAt(this.#inputNames, i))
    })
    for (const { leaf, value, name, stem } of variables) {
      if (name !== null) this.#names.reserve(builder.op, 'a parameter', name)
      const operation = this.graph.find(leaf)
      if (operation === undefined) continue
      const { dtype, shape } = leaf
      const given = name ?? this.#names.fresh(stem)
      scope.bind(operation, builder.initializer(given, dtype, shape, bytesOf(settledArray(storageOf(value)))))
    }
    const names = this.#nameOutputs(scope.write(outputs))
    const read = new Set(this.#outputNames)
    const node = withoutUnused(builder.nodes, read)
    const typed = ({ dtype, shape }: Operation, name: string): ValueMessage => builder.value(name, dtype, shape)
    return {
      name: 'galvani',
      node,
      initializer: builder.initializers.filter(({ name }) => read.has(name)),
      input: zipWith(this.inputs, this.#inputNames, typed),
      output: zipWith(outputs, names, typed),
    }
  }

  /** Gives the nodes' outputs the names of the model's; what is no output of a node, or already another one, passes through one. */
  #nameOutputs(values: readonly string[]): readonly string[] {
    const builder = this.#builder
    const ofNodes = new Set(builder.nodes.flatMap(({ output }) => output))
    const names = new Map<string, string>()
    zipWith(values, this.#outputNames, (value, name) => {
      const isFree = ofNodes.has(value) && !names.has(value)
      names.set(isFree ? value : builder.node('Identity', [value]), name)
    })
    rename(builder.nodes, names)
    return this.#outputNames
  }
}

const isBatch = (dim: Dim): boolean => !isFixed(dim) && dim.factor === 1 && dim.offset === 0

/** An input and an output of one name, as objects may have: the output is called so as an output. */
const withoutClashes = (outputs: readonly string[], inputs: readonly string[]): string[] =>
  outputs.map((name) => (inputs.includes(name) ? `${name}_output` : name))

/** The names that were given, or those that follow from the structure of the arguments or results. */
function namesFor(
  op: string,
  option: string,
  paths: readonly string[],
  given: readonly string[] | undefined,
): readonly string[] {
  if (given !== undefined && given.length !== paths.length)
    throw new RangeError(expected(op, `${paths.length} ${option}`, given.length))
  return given ?? paths
}
