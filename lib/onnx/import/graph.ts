/** Graphs made ready: each node with its row, names checked, initializers as variables or numbers; and their evaluation. */
import { type Variable, variable } from '../../tensor/variable.ts'
import { Attributes } from '../attributes.ts'
import { formatError, type UnsupportedOperator, UnsupportedOperatorError } from '../errors.ts'
import { type Doubles, isFloatType } from '../types.ts'
import { HostArray, TensorValue, type Value, valueFrom } from '../values.ts'
import type { FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto } from '../wire/onnx_pb.ts'
import { decodeTensor, typeOfProto } from '../wire/tensors.ts'
import { Call, type Inner } from './call.ts'
import { functionKey, substituted } from './functions.ts'
import { domainOf, meaningOf } from './registry.ts'
import type { Row } from './row.ts'

/** Functions and branches are graphs in graphs: so many steps in all, and so deep. */
const mostSteps = 500_000
const deepest = 100

/** What the graphs of a model share while they are made ready. */
export class Building {
  /** Initializers that are variables, by name. */
  readonly variables = new Map<string, Variable>()
  readonly #unsupported = new Map<string, UnsupportedOperator & { readonly nodes: string[] }>()
  #steps = 0

  constructor(
    /** What messages call the file. */
    readonly file: string,
    readonly functions: ReadonlyMap<string, FunctionProto>,
    readonly doubles: Doubles,
    readonly isTrainable: (name: string) => boolean,
    /** Those tensors of the file that were decoded beforehand. */
    readonly decoded: ReadonlyMap<TensorProto, Value>,
  ) {}

  countStep(): void {
    if (++this.#steps > mostSteps)
      throw formatError(`at most ${mostSteps} nodes, with those of functions in each place`, 'more', this.file)
  }

  lacks(operator: string, opset: number, reason: string, node: string): void {
    const key = `${operator} ${opset}`
    const known = this.#unsupported.get(key)
    if (known === undefined) this.#unsupported.set(key, { operator, opset, reason, nodes: [node] })
    else known.nodes.push(node)
  }

  /** @throws UnsupportedOperatorError for all that was lacking */
  checkSupported(): void {
    if (this.#unsupported.size > 0) throw new UnsupportedOperatorError([...this.#unsupported.values()], this.file)
  }
}

/** The names that nodes of a graph may read, and how those of initializers are read. */
class Names {
  readonly #own = new Set<string>()
  readonly #uses = new Map<string, { asHost: boolean; asTensor: boolean; asBuffer: boolean }>()
  /** Numbers that are known before anything is evaluated: initializers and constants. */
  readonly constants = new Map<string, () => Value>()

  constructor(
    readonly outer: Names | null,
    readonly file: string,
  ) {}

  define(name: string, place: string): void {
    if (this.#own.has(name)) throw formatError('different names of values', `two ${name}`, place)
    this.#own.add(name)
  }

  /** @throws DataFormatError for what nothing before has defined */
  use(name: string, { host, buffers }: Pick<Row, 'host' | 'buffers'>, input: number, place: string): void {
    const owner = this.ownerOf(name)
    if (owner === undefined)
      throw formatError('inputs that come before the node', `${name}, which does not`, `input ${input} of ${place}`)
    const use = owner.usesOf(name)
    const isHost = host?.includes(input) ?? false
    if (isHost) use.asHost = true
    else use.asTensor = true
    if (buffers?.includes(input)) use.asBuffer = true
  }

  usesOf(name: string) {
    const known = this.#uses.get(name) ?? { asHost: false, asTensor: false, asBuffer: false }
    this.#uses.set(name, known)
    return known
  }

  ownerOf(name: string): Names | undefined {
    return this.#own.has(name) ? this : this.outer?.ownerOf(name)
  }

  /** A value that is in the file; undefined for what is computed. */
  constantOf(name: string): Value | undefined {
    return this.ownerOf(name)?.constants.get(name)?.()
  }
}

/** The values of names while a graph is evaluated. */
class Scope {
  readonly values = new Map<string, Value>()

  constructor(
    readonly outer: Scope | null,
    readonly constants: ReadonlyMap<string, Value> = new Map(),
  ) {}

  get(name: string): Value | undefined {
    return this.values.get(name) ?? this.constants.get(name) ?? this.outer?.get(name)
  }
}

interface Step {
  readonly place: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whether it gives the same for the same numbers, on the host where they are there. */
  readonly folds: boolean
  run(inputs: readonly (Value | undefined)[], scope: Scope): readonly (Value | undefined)[]
}

/** The version of each domain that nodes are meant by. */
export type Opsets = ReadonlyMap<string, number>

export function opsetsOf(imports: readonly OperatorSetIdProto[]): Opsets {
  return new Map(imports.map(({ domain, version }) => [domainOf(domain), Number(version)]))
}

/** What is around a graph: the names that it may read, and the functions that it is in. */
interface Around {
  readonly names: Names | null
  readonly opsets: Opsets
  readonly within: readonly string[]
  readonly depth: number
}

/** `node conv1 (Conv)`; a node without a name is called by its place in the list. */
const placeOf = ({ name, opType, domain }: NodeProto, index: number): string => {
  const operator = domainOf(domain) === '' ? opType : `${domain}.${opType}`
  return name === '' ? `node #${index} (${operator})` : `node ${name} (${operator})`
}

/** What of a graph or a function is evaluated. */
interface Content {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly NodeProto[]
  readonly initializers: readonly TensorProto[]
}

export class Graph {
  readonly #names: Names
  readonly #steps: Step[] = []
  readonly #constants = new Map<string, Value>()
  readonly #initializers: readonly TensorProto[]
  readonly #inner: Graph[] = []

  constructor(
    readonly content: Content,
    readonly building: Building,
    readonly around: Around,
  ) {
    if (around.depth > deepest)
      throw formatError(`graphs and functions at most ${deepest} deep`, 'deeper ones', building.file)
    this.#names = new Names(around.names, building.file)
    // Files of IR version 3 have initializers among the inputs, too.
    const names = new Set(content.initializers.map(({ name }) => name))
    this.#initializers = content.initializers
    for (const proto of content.initializers) this.#defineInitializer(proto)
    for (const name of content.inputs) if (!names.has(name)) this.#names.define(name, `inputs of ${building.file}`)
    for (const [index, node] of content.nodes.entries()) this.#add(node, placeOf(node, index))
    for (const name of content.outputs) this.#names.use(name, {}, 0, `the outputs of ${building.file}`)
  }

  /** The inputs that are no initializers. */
  get inputs(): string[] {
    const names = new Set(this.#initializers.map(({ name }) => name))
    return this.content.inputs.filter((name) => !names.has(name))
  }

  #defineInitializer(proto: TensorProto): void {
    const { building } = this
    const place = `initializer ${proto.name} of ${building.file}`
    this.#names.define(proto.name, place)
    const decoded = building.decoded.get(proto)
    this.#names.constants.set(proto.name, () => decoded ?? decodeTensor(proto, building.doubles, place))
  }

  #add(node: NodeProto, place: string): void {
    const { building, around } = this
    building.countStep()
    const step = this.#functionStep(node, place) ?? this.#operatorStep(node, place, around.opsets)
    for (const name of node.output) if (name !== '') this.#names.define(name, place)
    if (step !== undefined) this.#steps.push(step)
  }

  /** A function of the model is the graph that it stands for. */
  #functionStep(node: NodeProto, place: string): Step | undefined {
    const { building, around } = this
    const key = functionKey(node)
    const fn = building.functions.get(key)
    if (fn === undefined) return undefined
    if (around.within.includes(key)) throw formatError('functions that do not call themselves', key, place)
    for (const [i, name] of node.input.entries()) if (name !== '') this.#names.use(name, {}, i, place)
    const graph = new Graph(
      { inputs: fn.input, outputs: fn.output, nodes: substituted(fn, node), initializers: [] },
      building,
      { names: null, opsets: opsetsOf(fn.opsetImport), within: [...around.within, key], depth: around.depth + 1 },
    )
    this.#inner.push(graph)
    const run: Step['run'] = (inputs) => graph.run(inputs, null)
    return { place, inputs: node.input, outputs: node.output, folds: false, run }
  }

  #operatorStep(node: NodeProto, place: string, opsets: Opsets): Step | undefined {
    const domain = domainOf(node.domain)
    const opset = opsets.get(domain) ?? (domain === '' ? 0 : 1)
    const meaning = meaningOf(domain, node.opType, opset)
    if ('reason' in meaning) {
      this.building.lacks(domain === '' ? node.opType : `${domain}.${node.opType}`, opset, meaning.reason, place)
      // Names are checked all the same.
      for (const [i, name] of node.input.entries()) if (name !== '') this.#names.use(name, {}, i, place)
      return undefined
    }
    return this.#stepOf(node, meaning.row, meaning.since, place)
  }

  #stepOf(node: NodeProto, row: Row, since: number, place: string): Step {
    const { building } = this
    for (const [i, name] of node.input.entries()) if (name !== '') this.#names.use(name, row, i, place)
    const attributes = new Attributes(node.attribute, place)
    const graphs = this.#graphsIn(node)
    const outputs = node.output
    const info = { place, operator: node.opType, since, attributes, outputs, doubles: building.doubles }
    const run: Step['run'] = (inputs, scope) => {
      const inner = (attribute: string): Inner => {
        const graph = graphs.get(attribute)
        if (graph === undefined) throw attributes.error(attribute, 'a graph', 'none')
        const run = (values: readonly Value[]) => graph.run(values, scope)
        return { inputs: graph.inputs.length, outputs: graph.content.outputs.length, run }
      }
      const given = row.body(new Call(info, inputs, inner))
      const list = Array.isArray(given) ? (given as readonly (typeof given)[]) : [given]
      return list.map((result) => (result === undefined ? undefined : valueFrom(result as Value, inputs)))
    }
    if (node.opType === 'Constant' && row.folds)
      for (const name of outputs) this.#names.constants.set(name, () => run([], new Scope(null))[0]!)
    return { place, inputs: node.input, outputs, folds: row.folds ?? false, run }
  }

  /** The graphs in a node's attributes. Of a choice that is made in the file only the branch that is taken is needed. */
  #graphsIn(node: NodeProto): Map<string, Graph> {
    const { building, around } = this
    const graphs = new Map<string, Graph>()
    const condition = node.opType === 'If' ? this.#names.constantOf(node.input[0] ?? '') : undefined
    const isTaken = condition instanceof HostArray && condition.size === 1 ? Number(condition.data[0]) !== 0 : undefined
    const unused = isTaken === undefined ? undefined : isTaken ? 'else_branch' : 'then_branch'
    for (const { name, g } of node.attribute) {
      if (g === undefined || name === unused) continue
      const graph = new Graph(contentOf(g), building, { ...around, names: this.#names, depth: around.depth + 1 })
      graphs.set(name, graph)
      this.#inner.push(graph)
    }
    return graphs
  }

  /** Decides what each initializer is, once it is known who reads it, and does at load what does not depend on inputs. */
  finish(): void {
    for (const proto of this.#initializers) this.#constants.set(proto.name, this.#initialValue(proto))
    for (const graph of this.#inner) graph.finish()
    this.#fold()
  }

  /** A variable where floats are read as a tensor, else what is in the file. */
  #initialValue(proto: TensorProto): Value {
    const { building } = this
    const place = `initializer ${proto.name} of ${building.file}`
    const value = this.#names.constants.get(proto.name)!()
    const { asHost, asTensor, asBuffer } = this.#names.usesOf(proto.name)
    if (!isFloatType(typeOfProto(proto, place)) || (asHost && !asTensor)) return value
    if (building.variables.has(proto.name) || proto.name === '' || proto.name === '__proto__')
      throw formatError('initializers of different names', proto.name === '' ? 'none' : proto.name, place)
    const made = variable(value instanceof HostArray ? value.tensor(building.doubles) : value.tensor, {
      name: proto.name,
      trainable: !asBuffer && building.isTrainable(proto.name),
    })
    building.variables.set(proto.name, made)
    return new TensorValue(made, value.type, asHost && value instanceof HostArray ? value : undefined)
  }

  #fold(): void {
    const left = this.#steps.filter((step) => {
      if (!step.folds) return true
      const inputs = step.inputs.map((name) => this.#constants.get(name))
      const isKnown = inputs.every((value, i) => value instanceof HostArray || step.inputs[i] === '')
      if (!isKnown) return true
      assign(step, runStep(step, withoutEnd(inputs), new Scope(null)), this.#constants)
      return false
    })
    this.#steps.splice(0, this.#steps.length, ...left)
  }

  /** The values of the outputs, from those of the inputs in their order; `outer` are the values around it. */
  run(inputs: readonly (Value | undefined)[], outer: Scope | null): Value[] {
    const scope = new Scope(outer, this.#constants)
    for (const [i, name] of this.inputs.entries()) {
      const value = inputs[i]
      if (value !== undefined) scope.values.set(name, value)
    }
    for (const step of this.#steps) {
      const given = step.inputs.map((name) => (name === '' ? undefined : scope.get(name)))
      assign(step, runStep(step, withoutEnd(given), scope), scope.values)
    }
    return this.content.outputs.map((name) => {
      const value = scope.get(name)
      if (value === undefined) throw formatError('a value for each output', `none for ${name}`, this.building.file)
      return value
    })
  }
}

/** What is left out at the end is as if it were not there. */
const withoutEnd = (values: readonly (Value | undefined)[]): readonly (Value | undefined)[] =>
  values.slice(0, values.findLastIndex((value) => value !== undefined) + 1)

/** Gives the outputs of a step their values. */
function assign({ outputs }: Step, results: readonly (Value | undefined)[], values: Map<string, Value>): void {
  for (const [i, name] of outputs.entries()) {
    const value = results[i]
    if (name !== '' && value !== undefined) values.set(name, value)
  }
}

export const contentOf = ({ input, output, node, initializer, sparseInitializer }: GraphProto): Content => {
  if (sparseInitializer.length > 0) throw formatError('dense initializers', 'a sparse one', 'the graph')
  return {
    inputs: input.map(({ name }) => name),
    outputs: output.map(({ name }) => name),
    nodes: node,
    initializers: initializer,
  }
}

/** Errors that say already where they are from. */
const placed = new WeakSet<Error>()

function runStep(step: Step, inputs: readonly (Value | undefined)[], scope: Scope): readonly (Value | undefined)[] {
  try {
    return step.run(inputs, scope)
  } catch (error) {
    if (!(error instanceof Error) || placed.has(error) || error.message.includes(step.place)) throw error
    const Kind = error.constructor as new (message: string, options: ErrorOptions) => Error
    const located = new Kind(`${error.message} (${step.place})`, { cause: error })
    placed.add(located)
    throw located
  }
}
