/**
 * Models as their configs describe them, of Keras 2, Keras 3 and TensorFlow.js, brought to one form: layers, and calls of them whose
 * arguments name what other calls gave.
 */
import { isPlainObject } from '../base/options.ts'
import { Config, fail, type Origin } from './config.ts'

/** What a call of a layer gave: which layer of the model, which of its calls, which of the outputs of that. */
export class Reference {
  constructor(
    readonly layer: string,
    readonly call: number,
    readonly output: number,
  ) {}
}

/** Tensors in the form in which a model takes or gives them, or a layer its arguments: alone, in lists, by name; literals beside them. */
export type Structure = Reference | readonly Structure[] | { readonly [name: string]: Structure } | Literal
type Literal = string | number | boolean | null

export interface Call {
  readonly args: readonly Structure[]
  readonly kwargs: Readonly<Record<string, Structure>>
}

export interface LayerSpec {
  readonly className: string
  /** The package that registered a class of the user's own: `package>Class`; else the class. */
  readonly registeredName: string
  readonly name: string
  readonly config: Config
  readonly trainable: boolean
  /** Whether it is an operation of keras.ops, which has the names of layers for some. */
  readonly isOperation: boolean
  /** What a layer that is a model consists of. */
  readonly model: ModelSpec | null
  readonly calls: readonly Call[]
  /** The number of its first call in references. */
  readonly firstCall: number
}

export interface ModelSpec {
  readonly kind: 'Sequential' | 'Functional'
  readonly name: string
  readonly origin: Origin
  readonly layers: readonly LayerSpec[]
  readonly inputs: Structure
  readonly outputs: Structure
}

/** Nested models may be so deep. */
const deepest = 16
const mostLayers = 100_000

const sequentialClasses = new Set(['Sequential'])
const functionalClasses = new Set(['Functional', 'Model'])

type Values = Readonly<Record<string, unknown>>

/** The model of a config `{ class_name, config }`. */
export function readModel(origin: Origin, value: unknown): ModelSpec {
  const layer = readLayer(origin, value, 0)
  if (layer.model === null) return fail(origin, 'a Sequential or Functional model', layer.className)
  return layer.model
}

/** A layer that is an option of another one, such as what a wrapper wraps. */
export const readPart = (config: Config, value: unknown, name?: string): LayerSpec =>
  readLayer(config.origin, value, 0, name)

function readLayer(origin: Origin, value: unknown, depth: number, givenName?: string): LayerSpec {
  if (depth > deepest) fail(origin, `models at most ${deepest} deep`, 'deeper ones')
  if (!isPlainObject(value)) return fail(origin, 'a layer as { class_name, config }', value)
  const outer = value as Values
  const className = outer.class_name
  if (typeof className !== 'string') return fail(origin, 'a class_name of a layer', className)
  const values = valuesOf(outer.config)
  if (values === undefined) return fail(origin, `a config of the ${className}`, outer.config)
  const name = givenName ?? values.name ?? outer.name ?? className.toLowerCase()
  if (typeof name !== 'string' || name === '') return fail(origin, `a name of the ${className}`, name)
  const config = new Config(origin, name, values)
  const isSequential = sequentialClasses.has(className)
  const isFunctional = functionalClasses.has(className) && 'layers' in values
  const registered = outer.registered_name
  return {
    ...{ className, name, config, registeredName: typeof registered === 'string' ? registered : className },
    trainable: values.trainable !== false,
    isOperation: String(outer.module ?? '').startsWith('keras.src.ops') || isNamedAlone(values, outer),
    model: isSequential ? readSequential(config, depth) : isFunctional ? readFunctional(config, depth) : null,
    calls: callsOf(config, outer.inbound_nodes),
    // Keras counts the call by which a functional model was made; in Keras 3 a Sequential has it inside.
    firstCall: isFunctional || (isSequential && origin.dialect === 'keras2') ? 1 : 0,
  }
}

/** Sequential models were once lists of layers. */
const valuesOf = (config: unknown): Values | undefined =>
  Array.isArray(config) ? { layers: config } : isPlainObject(config) ? (config as Values) : undefined

/** Of an operation all that a file in HDF5 has is its name; layers have more options. */
const isNamedAlone = (values: Values, outer: Values): boolean =>
  'inbound_nodes' in outer && Object.keys(values).every((option) => option === 'name')

function layersOf(config: Config, depth: number): LayerSpec[] {
  const list = config.list('layers')
  if (list.length > mostLayers) config.fail(`at most ${mostLayers} layers`, String(list.length))
  const layers = list.map((layer) => readLayer(config.origin, layer, depth + 1))
  const names = new Set(layers.map(({ name }) => name))
  const twice = layers.find(({ name }) => !names.delete(name))
  if (twice !== undefined) config.fail('each name once', `two layers ${twice.name}`)
  return layers
}

function readSequential(config: Config, depth: number): ModelSpec {
  const given = layersOf(config, depth)
  const isInput = given[0]?.className === 'InputLayer'
  const layers = isInput ? given : [implicitInput(config, given), ...given]
  const chained = layers.map((layer, i): LayerSpec => {
    const before = layers[i - 1]
    if (before === undefined) return { ...layer, calls: [] }
    return { ...layer, firstCall: 0, calls: [{ args: [new Reference(before.name, 0, 0)], kwargs: {} }] }
  })
  const output = chained.at(-1)!
  return {
    ...{ kind: 'Sequential', name: config.layer, origin: config.origin, layers: chained },
    inputs: new Reference(chained[0]!.name, 0, 0),
    outputs: new Reference(output.name, 0, 0),
  }
}

/** Where the first layer is no input, it says the shape of what it takes, or the model does, or nobody. */
function implicitInput(config: Config, layers: readonly LayerSpec[]): LayerSpec {
  const first = layers[0]
  if (first === undefined) return config.fail('layers', 'none')
  const nested = first.model === null ? undefined : shapeOfInput(first.model)
  const shape =
    first.config.get('batch_input_shape') ??
    first.config.get('batch_shape') ??
    nested ??
    config.get('build_input_shape')
  const name = uniqueName('input', layers)
  const values = { name, batch_shape: shape ?? null, dtype: first.config.get('dtype') }
  return {
    ...{ className: 'InputLayer', registeredName: 'InputLayer', name, config: new Config(config.origin, name, values) },
    ...{ trainable: true, isOperation: false, model: null, calls: [], firstCall: 0 },
  }
}

function uniqueName(name: string, layers: readonly LayerSpec[]): string {
  let unique = name
  while (layers.some((layer) => layer.name === unique)) unique = `${unique}_`
  return unique
}

const shapeOfInput = ({ layers }: ModelSpec): unknown => {
  const config = layers.find(({ className }) => className === 'InputLayer')?.config
  return config?.get('batch_shape') ?? config?.get('batch_input_shape')
}

function readFunctional(config: Config, depth: number): ModelSpec {
  const layers = layersOf(config, depth)
  const structure = (option: string) => endsOf(config, option, config.get(option))
  return {
    ...{ kind: 'Functional', name: config.layer, origin: config.origin, layers },
    inputs: structure('input_layers'),
    outputs: config.origin.dialect === 'keras2' ? alone(structure('output_layers')) : structure('output_layers'),
  }
}

/** Keras 2 and TensorFlow.js write a list of one output for an output alone. */
const alone = (outputs: Structure): Structure =>
  Array.isArray(outputs) && outputs.length === 1 ? (outputs[0] as Structure) : outputs

const isHistory = (value: unknown): value is [string, number, number] =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  Number.isInteger(value[1]) &&
  (value[2] === undefined || Number.isInteger(value[2]))

const referenceOf = ([layer, call, output]: [string, number, number]): Reference =>
  new Reference(layer, call, output ?? 0)

/** The inputs or outputs of a model: `[layer, call, output]`, or those in lists or by name. */
function endsOf(config: Config, option: string, value: unknown, depth = 0): Structure {
  if (depth > deepest) return config.fail(`${option} at most ${deepest} deep`, 'deeper ones')
  if (isHistory(value)) return referenceOf(value)
  if (Array.isArray(value) && value.length > 0) return value.map((part) => endsOf(config, option, part, depth + 1))
  if (isPlainObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, endsOf(config, option, part, depth + 1)]),
    )
  return config.fail(`${option} as [layer, call, output]`, value)
}

/** The calls of a layer: of Keras 3 `{ args, kwargs }`, of Keras 2 lists of `[layer, call, output, kwargs]`. */
function callsOf(config: Config, nodes: unknown): Call[] {
  if (nodes === undefined || nodes === null) return []
  if (!Array.isArray(nodes)) return config.fail('inbound_nodes as a list', nodes)
  return nodes.map((node: unknown) => {
    if (isPlainObject(node)) return callOfKeras3(config, node as Values)
    // A call of one tensor may stand without a list around it, as TensorFlow writes some.
    if (isHistory(node)) return callOfKeras2(config, [node])
    return Array.isArray(node) ? callOfKeras2(config, node) : config.fail('inbound_nodes of lists or objects', node)
  })
}

function callOfKeras3(config: Config, node: Values): Call {
  if (!Array.isArray(node.args)) return config.fail('args of a call as a list', node.args)
  const kwargs = node.kwargs ?? {}
  if (!isPlainObject(kwargs)) return config.fail('kwargs of a call as an object', kwargs)
  return {
    args: node.args.map((value) => argumentOf(config, value)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, argumentOf(config, value)])),
  }
}

function argumentOf(config: Config, value: unknown, depth = 0): Structure {
  if (depth > deepest) return config.fail(`arguments at most ${deepest} deep`, 'deeper ones')
  if (Array.isArray(value)) return value.map((part) => argumentOf(config, part, depth + 1))
  if (!isPlainObject(value)) return value as Literal
  const object = value as Values
  if (object.class_name !== '__keras_tensor__')
    return Object.fromEntries(Object.entries(object).map(([name, part]) => [name, argumentOf(config, part, depth + 1)]))
  const history = isPlainObject(object.config) ? (object.config as Values).keras_history : undefined
  return isHistory(history) ? referenceOf(history) : config.fail('a keras_history of a tensor', history)
}

function callOfKeras2(config: Config, node: readonly unknown[]): Call {
  const args: Structure[] = []
  const kwargs: Record<string, Structure> = {}
  for (const entry of node) {
    if (!isHistory(entry)) return config.fail('inbound_nodes of [layer, call, output]', entry)
    args.push(referenceOf(entry))
    const others: unknown = (entry as readonly unknown[])[3]
    if (!isPlainObject(others)) continue
    for (const [name, value] of Object.entries(others)) kwargs[name] = keras2Argument(config, value)
  }
  return { args: args.length === 1 ? args : [args], kwargs }
}

/** A tensor among the named arguments of Keras 2 looks like any list of a text and two numbers. */
function keras2Argument(config: Config, value: unknown): Structure {
  if (isHistory(value) && value.length >= 3) return referenceOf(value)
  if (Array.isArray(value)) return value.map((part) => keras2Argument(config, part))
  return argumentOf(config, value)
}

/** The references in a structure, in order. */
export function referencesIn(value: Structure): Reference[] {
  if (value instanceof Reference) return [value]
  if (typeof value !== 'object' || value === null) return []
  return (Array.isArray(value) ? value : Object.values(value)).flatMap(referencesIn)
}
