/** A GraphModel: a graph of TensorFlow whose constants are the parameters of a module. */
import { describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { fail, type Origin } from '../keras/config.ts'
import { type ModelInput, type ModelOutput, type ModelValue, tryModel } from '../keras/model.ts'
import { Module } from '../nn/module.ts'
import { tensor } from '../tensor/creation.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import type { Artifacts } from './artifacts.ts'
import { extentsOf, type GraphNode, readNodes, type Source, sourceOf } from './graph-nodes.ts'
import { graphOps, Inputs } from './graph-ops.ts'
import { type GraphValue, HostArray, hostOps, toTensor } from './host.ts'

const placeholders = new Set(['Placeholder', 'PlaceholderWithDefault'])
/** What does nothing that an output depends on. */
const ignored = new Set(['NoOp', 'Const', ...placeholders])
const batchNorms = /^FusedBatchNorm/

interface Graph {
  readonly origin: Origin
  readonly steps: readonly GraphNode[]
  readonly inputs: readonly (ModelInput & { readonly node: string })[]
  readonly outputs: readonly { readonly name: string; readonly source: Source }[]
}

/**
 * A graph of TensorFlow as a module: it takes one tensor, a list in the order of its signature or a record by its names, and gives one
 * tensor or a record. Its float constants of at least one axis are in `weights` under their names, and are trained, but for the means and
 * variances of normalizations; other constants stay what they are.
 */
export class GraphModel<Output extends ModelOutput = Tensor> extends Module<ModelValue, Output> {
  /** By the names of nodes. */
  readonly weights: Readonly<Record<string, Variable>>
  readonly #constants: ReadonlyMap<string, GraphValue>
  readonly #graph: Graph

  /** @internal */
  constructor(graph: Graph, weights: Readonly<Record<string, Variable>>, constants: ReadonlyMap<string, GraphValue>) {
    super()
    this.weights = weights
    this.#graph = graph
    this.#constants = constants
  }

  /** What it takes. */
  get inputs(): ModelInput[] {
    return this.#graph.inputs.map(({ name, shape, dtype }) => ({ name, shape, dtype }))
  }

  /** The names of what it gives. */
  get outputs(): string[] {
    return this.#graph.outputs.map(({ name }) => name)
  }

  /**
   * What it gives for its inputs.
   * @throws ShapeError for an input of another shape, TypeError for inputs that are not there or too many
   */
  forward(x: ModelValue): Output {
    const values = new Map<string, readonly GraphValue[]>()
    for (const [name, value] of this.#constants) values.set(name, [value])
    for (const [name, value] of Object.entries(this.weights)) values.set(name, [value])
    for (const [i, input] of this.#graph.inputs.entries()) values.set(input.node, [fitting(input, this.#given(x, i))])
    for (const node of this.#graph.steps) values.set(node.name, computed(node, values))
    const results = this.#graph.outputs.map(
      ({ name, source }) => [name, toTensor(sourceValue(this.#graph.origin, values, source))] as const,
    )
    return (results.length === 1 ? results[0]![1] : Object.fromEntries(results)) as Output
  }

  #given(x: ModelValue, i: number): Tensor {
    const { inputs } = this.#graph
    const { name } = inputs[i]!
    if (!(x instanceof Tensor) && isPlainObject(x)) {
      const extra = Object.keys(x).filter((key) => !inputs.some((input) => input.name === key))
      const value = (x as Readonly<Record<string, TensorLike>>)[name]
      if (value === undefined || extra.length > 0)
        throw new TypeError(
          expected('forward', `inputs ${inputs.map((input) => input.name).join(', ')}`, Object.keys(x).join(', ')),
        )
      return tensorOf(value)
    }
    if (inputs.length === 1) return tensorOf(x as TensorLike)
    if (!Array.isArray(x) || x.length !== inputs.length)
      throw new TypeError(expected('forward', `a list of ${inputs.length} inputs`, describe(x)))
    return tensorOf(x[i] as TensorLike)
  }
}

const tensorOf = (x: TensorLike): Tensor => (x instanceof Tensor ? x : tensor(x as never))

function fitting({ name, shape, dtype }: ModelInput, x: Tensor): Tensor {
  const fits =
    shape === null || (shape.length === x.ndim && shape.every((extent, i) => extent === null || extent === x.shape[i]))
  if (!fits)
    throw new ShapeError(
      expected(
        'forward',
        `an input ${name} of shape [${shape.map((extent) => extent ?? '…').join(', ')}]`,
        formatShape(x.shape),
      ),
    )
  return x.dtype === dtype || x.dtype === 'float64' ? x : x.cast(dtype)
}

function sourceValue(
  origin: Origin,
  values: ReadonlyMap<string, readonly GraphValue[]>,
  { node, output }: Source,
): GraphValue {
  return values.get(node)?.[output] ?? fail(origin, `output ${output} of the node ${node}`, 'none')
}

function computed(node: GraphNode, values: ReadonlyMap<string, readonly GraphValue[]>): readonly GraphValue[] {
  const inputs = node.inputs.map((source) => sourceValue(node.origin, values, source))
  const host = Object.hasOwn(hostOps, node.op) ? hostOps[node.op] : undefined
  const isHost =
    host !== undefined &&
    inputs.length > 0 &&
    inputs.every((input) => input instanceof HostArray && input.shape.length < 2)
  const result = isHost ? host(node, inputs as HostArray[]) : graphOps[node.op]!(new Inputs(node, inputs), node)
  return Array.isArray(result) ? (result as readonly GraphValue[]) : [result as GraphValue]
}

/**
 * The module of a graph.
 * @throws DataFormatError with all operations that are not known, for weights that are not there, circles, and nodes that are not there
 */
export function graphModel({ origin, topology, json, weights }: Artifacts): GraphModel {
  const nodes = readNodes(origin, topology)
  const signature = isPlainObject(json.signature) ? (json.signature as Record<string, unknown>) : {}
  const outputs = outputsOf(origin, nodes, signature.outputs)
  const order = orderOf(
    origin,
    nodes,
    outputs.map(({ source }) => source),
  )
  const unknown = new Map<string, string[]>()
  for (const { op, name } of order)
    if (!ignored.has(op) && !Object.hasOwn(graphOps, op)) unknown.set(op, [...(unknown.get(op) ?? []), name])
  if (unknown.size > 0)
    fail(
      origin,
      'operations that are known',
      Array.from(unknown, ([op, names]) => `${op} (${names.join(', ')})`).join(', '),
    )
  const [variables, constants] = constantsOf(origin, order, weights)
  const steps = order.filter(({ op }) => !ignored.has(op))
  const graph = { origin, steps, outputs, inputs: inputsOf(origin, nodes, order, signature.inputs) }
  const model = new GraphModel(graph, variables, constants).eval()
  tryModel(origin, model)
  return model
}

type Ends = Readonly<Record<string, { readonly name?: unknown; readonly tensorShape?: unknown }>>

/** Those of the signature, or the nodes that nobody reads. */
function outputsOf(origin: Origin, nodes: ReadonlyMap<string, GraphNode>, ends: unknown): Graph['outputs'] {
  if (isPlainObject(ends) && Object.keys(ends).length > 0)
    return Object.entries(ends as Ends).map(([name, end]) => {
      const source = sourceOf(typeof end?.name === 'string' ? end.name : name)
      return source === undefined ? fail(origin, 'a name of an output', name) : { name, source }
    })
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map(({ node }) => node)))
  const last = [...nodes.values()].filter(({ name, op }) => !read.has(name) && !ignored.has(op))
  return last.map(({ name }) => ({ name, source: { node: name, output: 0 } }))
}

/** Nodes that outputs need, each after those whose results it takes. */
function orderOf(origin: Origin, nodes: ReadonlyMap<string, GraphNode>, outputs: readonly Source[]): GraphNode[] {
  const order: GraphNode[] = []
  const states = new Map<string, 'open' | 'done'>()
  const stack: (string | GraphNode)[] = outputs.map(({ node }) => node).reverse()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next !== 'string') {
      states.set(next.name, 'done')
      order.push(next)
      continue
    }
    const node = nodes.get(next) ?? fail(origin, `a node ${next}`, 'none')
    const state = states.get(next)
    if (state === 'open') fail(origin, 'a graph without a circle', `one through ${next}`)
    if (state !== undefined) continue
    states.set(next, 'open')
    stack.push(node, ...node.inputs.map((source) => source.node).reverse())
  }
  return order
}

const dtypes: Readonly<Record<string, DType>> = {
  ...{ DT_FLOAT: 'float32', DT_HALF: 'float32', DT_DOUBLE: 'float32' },
  ...{ DT_INT32: 'int32', DT_INT64: 'int32', DT_UINT8: 'uint8', DT_BOOL: 'bool' },
}

function inputsOf(
  origin: Origin,
  nodes: ReadonlyMap<string, GraphNode>,
  order: readonly GraphNode[],
  ends: unknown,
): Graph['inputs'] {
  const used = order.filter(({ op }) => placeholders.has(op))
  const named = isPlainObject(ends)
    ? Object.entries(ends as Ends).map(
        ([name, end]) =>
          [name, sourceOf(typeof end?.name === 'string' ? end.name : name)?.node ?? name, end?.tensorShape] as const,
      )
    : []
  const all = named.length > 0 ? named : used.map((node) => [node.name, node.name, undefined] as const)
  const missing = used.filter(({ name }) => !all.some(([, node]) => node === name))
  if (missing.length > 0)
    fail(origin, 'all inputs in the signature', `no ${missing.map(({ name }) => name).join(', ')}`)
  return all.map(([name, id, shape]) => {
    const node = nodes.get(id) ?? fail(origin, `a node ${id} of the input ${name}`, 'none')
    const extents = extentsOf(shape) ?? node.shape('shape')
    const type = node.type('dtype', 'DT_FLOAT')
    const dtype = Object.hasOwn(dtypes, type) ? dtypes[type]! : node.fail('a dtype of numbers', type)
    return { name, node: id, dtype, shape: extents?.map((extent) => (extent === -1 ? null : extent)) ?? null }
  })
}

/** Variables of floats with axes, integers that are known, and other constants. */
function constantsOf(
  origin: Origin,
  order: readonly GraphNode[],
  weights: ReadonlyMap<string, Tensor>,
): [Record<string, Variable>, Map<string, GraphValue>] {
  const statistics = new Set(
    order.filter(({ op }) => batchNorms.test(op)).flatMap(({ inputs }) => inputs.slice(3, 5).map(({ node }) => node)),
  )
  const variables: Record<string, Variable> = Object.create(null)
  const constants = new Map<string, GraphValue>()
  for (const { op, name } of order) {
    if (op !== 'Const') continue
    const value = weights.get(name) ?? fail(origin, `the weight ${name}`, 'none')
    if (value.dtype === 'float32' && value.ndim > 0 && !name.includes('.'))
      variables[name] = variable(value, { name, trainable: !statistics.has(name) })
    else if (value.dtype === 'int32') constants.set(name, new HostArray(value.shape, Array.from(value.dataSync())))
    else constants.set(name, value)
  }
  return [{ ...variables }, constants]
}
