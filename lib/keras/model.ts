/** A model of Keras as a module: its layers are its properties, under their names. */
import { describe } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { DataFormatError, expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { Module } from '../nn/module.ts'
import { titled } from '../nn/repr.ts'
import { tensor, zeros } from '../tensor/creation.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { variable } from '../tensor/variable.ts'
import { type ModelSpec, type Reference, referencesIn, type Structure } from './architecture.ts'
import {
  type Blueprint,
  type CustomBlueprint,
  checkMade,
  type LayerBlueprint,
  type ModelBlueprint,
} from './blueprint.ts'
import { type Config, fail, type Origin } from './config.ts'
import { CallArguments, KerasLayer, type Output as LayerOutput, resolve, type Value } from './layer.ts'
import { masked, maskOf } from './masks.ts'
import { keyOf, planOf, type Step } from './plan.ts'
import type { Weights } from './weights.ts'

/** What a model takes: its shape with the batch first; null for an extent that may be any, and for a shape that the file does not say. */
export interface ModelInput {
  readonly name: string
  readonly shape: readonly (number | null)[] | null
  readonly dtype: DType
}

/** One tensor, or several in a list or by the names of the inputs. */
export type ModelValue = TensorLike | readonly TensorLike[] | Readonly<Record<string, TensorLike>>

/** One tensor, or several in the form in which Keras gives them. */
export type ModelOutput = Tensor | Tensor[] | Record<string, Tensor>

const dtypes: Readonly<Record<string, DType>> = {
  ...{ float16: 'float32', bfloat16: 'float32', float32: 'float32', float64: 'float32' },
  ...{
    int8: 'int32',
    int16: 'int32',
    int32: 'int32',
    int64: 'int32',
    uint8: 'uint8',
    uint16: 'int32',
    uint32: 'int32',
  },
  ...{ bool: 'bool' },
}

/** A name of Keras as a property of a module that no other one has. */
function propertyFor(module: object, name: string): string {
  let property = name.replaceAll('.', '_')
  while (property in module) property = `${property}_`
  return property
}

/**
 * A model that `keras.load` or `tfjs.load` made: a module whose properties are the layers, by their names (with `_` for dots, and
 * after a name that modules have for something else). `Output` is what it gives, one tensor unless said otherwise. It takes and gives what the model in Keras does, with channels where they are there.
 */
export class KerasModel<Output extends ModelOutput = Tensor> extends Module<ModelValue | CallArguments, Output> {
  readonly #blueprint: ModelBlueprint
  readonly #modules = new Map<Blueprint, Module<never, unknown>>()
  readonly #layers = new Map<string, Module<never, unknown>>()
  readonly #inputs: readonly ModelInput[]
  readonly #steps: readonly Step[]

  /** @internal */
  constructor(blueprint: ModelBlueprint, weights: Weights) {
    super()
    this.#blueprint = blueprint
    titled(this, blueprint.model.kind)
    this.#inputs = referencesIn(blueprint.model.inputs).map((input) => inputOf(blueprint.model, input))
    this.#steps = planOf(blueprint.model)
    for (const [name, layer] of blueprint.layers) {
      if (layer.kind === 'input') continue
      const module = this.#made(layer, weights)
      this.#layers.set(name, module)
      Object.assign(this, { [propertyFor(this, name)]: module })
    }
  }

  #made(blueprint: Exclude<Blueprint, { kind: 'input' }>, weights: Weights): Module<never, unknown> {
    const module =
      blueprint.kind === 'model'
        ? new KerasModel(blueprint, weights)
        : blueprint.kind === 'custom'
          ? custom(blueprint, weights)
          : this.#layer(blueprint, weights)
    this.#modules.set(blueprint, module)
    if (module instanceof KerasModel) for (const [part, made] of module.#modules) this.#modules.set(part, made)
    if (blueprint.spec?.trainable === false) module.freeze()
    return module
  }

  #layer(blueprint: LayerBlueprint, weights: Weights): KerasLayer {
    const values = weights.get(blueprint) ?? []
    const variables = (blueprint.made.slots ?? []).map(({ name, trainable = true }, i) => {
      const value =
        values[i] ?? fail(blueprint.spec.config.origin, `${name} of the layer ${blueprint.spec.name}`, 'none')
      return [name, variable(value, { name, trainable })] as const
    })
    const parts = Array.from(blueprint.parts, ([name, part]) => {
      const made = part.blueprint.kind === 'input' ? undefined : this.#made(part.blueprint, weights)
      return [name, made] as const
    })
    return new KerasLayer(blueprint.spec, blueprint.made, Object.fromEntries([...variables, ...parts]) as never)
  }

  /** What it takes. */
  get inputs(): ModelInput[] {
    return this.#inputs.map((input) => ({ ...input, shape: input.shape && [...input.shape] }))
  }

  /** The names of the layers that give its outputs, in order. */
  get outputs(): string[] {
    return referencesIn(this.#blueprint.model.outputs).map(({ layer }) => layer)
  }

  /** The layer of a name. */
  layer(name: string): Module<never, unknown> {
    const layer = this.#layers.get(name)
    if (layer === undefined)
      throw new RangeError(expected('layer', `one of ${[...this.#layers.keys()].join(', ')}`, name))
    return layer
  }

  /**
   * What it gives for its inputs: one tensor, a list in their order, or a record by their names. Outputs are one tensor or a list of
   * them, as in Keras.
   *
   * @throws ShapeError for an input of another shape, TypeError for inputs that are not there or too many
   */
  forward(x: ModelValue | CallArguments): Output {
    const given = flatOf(x instanceof CallArguments ? [...x.args, ...Object.values(x.kwargs)] : this.#standard(x))
    const values = new Map<string, LayerOutput>()
    if (given.length !== this.#inputs.length)
      throw new TypeError(expected('forward', `${this.#inputs.length} inputs`, String(given.length)))
    for (const [i, reference] of referencesIn(this.#blueprint.model.inputs).entries())
      values.set(keyOf(reference), fitting(this.#inputs[i]!, given[i]!))
    const value = (reference: Reference): Tensor => outputAt(this.#blueprint.model, values, reference)
    for (const { layer, call, key } of this.#steps) {
      const given = call.args.map((part) => resolve(part, value))
      const named = Object.fromEntries(Object.entries(call.kwargs).map(([name, part]) => [name, resolve(part, value)]))
      values.set(key, called(this.#layers.get(layer.name)!, given, named))
    }
    return resolve(this.#blueprint.model.outputs as Structure, value) as Output
  }

  /** The inputs in order, whichever way they were given. */
  #standard(x: ModelValue): Value {
    const names = this.#inputs.map(({ name }) => name)
    if (!(x instanceof Tensor) && isPlainObject(x)) {
      const keys = keysOf(this.#blueprint.model.inputs) ?? names
      const record = x as Readonly<Record<string, TensorLike>>
      const isNamed = names.every((name) => Object.hasOwn(record, name))
      const used = isNamed ? names : keys
      const [missing, extra] = [
        used.filter((name) => !Object.hasOwn(record, name)),
        Object.keys(record).filter((name) => !used.includes(name)),
      ]
      if (missing.length + extra.length > 0)
        throw new TypeError(expected('forward', `inputs ${used.join(', ')}`, Object.keys(record).join(', ') || 'none'))
      return used.map((name) => tensorOf(record[name]!))
    }
    if (names.length === 1)
      return tensorOf(Array.isArray(x) && x.length === 1 && x[0] instanceof Tensor ? x[0] : (x as TensorLike))
    if (!Array.isArray(x)) throw new TypeError(expected('forward', `a list of inputs ${names.join(', ')}`, describe(x)))
    return (x as TensorLike[]).map(tensorOf)
  }

  /** @internal What it was made of. */
  get blueprint(): ModelBlueprint {
    return this.#blueprint
  }

  /** @internal The module of a layer that is anywhere in it. */
  moduleOf(blueprint: LayerBlueprint | CustomBlueprint): Module<never, unknown> {
    return this.#modules.get(blueprint)!
  }
}

const tensorOf = (x: TensorLike): Tensor => (x instanceof Tensor ? x : tensor(x as never))

/** The keys of inputs that are given by name. */
const keysOf = (inputs: Structure): string[] | undefined =>
  isPlainObject(inputs) && !('layer' in inputs) ? Object.keys(inputs) : undefined

const flatOf = (value: Value): Tensor[] =>
  value instanceof Tensor
    ? [value]
    : typeof value === 'object' && value !== null
      ? (Array.isArray(value) ? value : Object.values(value)).flatMap(flatOf)
      : []

function inputOf(model: ModelSpec, { layer }: Reference): ModelInput {
  const spec = model.layers.find(({ name }) => name === layer)
  if (spec?.className !== 'InputLayer') return fail(model.origin, 'inputs that are input layers', layer)
  const { config } = spec
  return { name: layer, shape: inputShape(config), dtype: inputDType(config) }
}

function inputShape(config: Config): readonly (number | null)[] | null {
  const shape = config.get('batch_shape') ?? config.get('batch_input_shape')
  if (shape === undefined) return null
  const isExtent = (x: unknown) => x === null || (Number.isInteger(x) && (x as number) >= 0)
  if (!Array.isArray(shape) || shape.length === 0 || shape.length > 8 || !shape.every(isExtent))
    return config.fail('batch_shape of extents', shape)
  return [null, ...(shape.slice(1) as (number | null)[])]
}

function inputDType(config: Config): DType {
  const dtype = config.get('dtype') ?? 'float32'
  const name = typeof dtype === 'string' ? dtype : 'float32'
  return Object.hasOwn(dtypes, name) ? dtypes[name]! : config.fail('a dtype of numbers', name)
}

/** An input as the model takes it: of its dtype, where its shape fits. */
function fitting({ name, shape, dtype }: ModelInput, x: Tensor): Tensor {
  const fits =
    shape === null || (shape.length === x.ndim && shape.every((extent, i) => extent === null || extent === x.shape[i]))
  if (!fits) {
    const wanted = `[${shape.map((extent, i) => extent ?? (i === 0 ? 'batch' : '…')).join(', ')}]`
    throw new ShapeError(expected('forward', `an input ${name} of shape ${wanted}`, formatShape(x.shape)))
  }
  return x.dtype === dtype || x.dtype === 'float64' ? x : masked(x.cast(dtype), maskOf(x))
}

function outputAt(model: ModelSpec, values: ReadonlyMap<string, LayerOutput>, reference: Reference): Tensor {
  const output = values.get(keyOf(reference))
  const one = Array.isArray(output) ? output[reference.output] : reference.output === 0 ? output : undefined
  return one ?? fail(model.origin, `output ${reference.output} of the layer ${reference.layer}`, 'none')
}

/** Modules of a user take the arguments themselves, those by name in a record behind the others. */
function called(
  module: Module<never, unknown>,
  args: readonly Value[],
  kwargs: Readonly<Record<string, Value>>,
): LayerOutput {
  if (module instanceof KerasLayer) return module.forward(new CallArguments(args, kwargs))
  const tensors = Object.fromEntries(Object.entries(kwargs).filter(([, value]) => flatOf(value).length > 0))
  if (module instanceof KerasModel) {
    // A mask goes along with the tensor that it is about.
    const { mask, ...others } = tensors
    if (mask instanceof Tensor) masked(flatOf(args)[0], mask)
    return module.forward(new CallArguments(args, others)) as LayerOutput
  }
  const others = Object.keys(tensors).length === 0 ? [] : [tensors]
  return module.forward(...([...args, ...others] as unknown as [never])) as LayerOutput
}

function custom(blueprint: CustomBlueprint, weights: Weights): Module<never, unknown> {
  const { spec, make } = blueprint
  const config = structuredClone(spec.config.values) as Record<string, unknown>
  return checkMade(spec.config.origin.op, spec.className, make(config, weights.get(blueprint) ?? []))
}

/**
 * The model of a blueprint with its weights, in evaluation mode. Where the file says the shapes of the inputs, its forward pass is
 * recorded once, so that weights that do not fit are found here.
 *
 * @throws DataFormatError for weights that are missing or do not fit
 */
export function buildModel(blueprint: ModelBlueprint, weights: Weights): KerasModel {
  const model = new KerasModel(blueprint, weights)
  if (blueprint.spec?.trainable === false) model.freeze()
  model.eval()
  tryModel(blueprint.model.origin, model)
  return model
}

/** Records the forward pass of a model whose file says the shapes of its inputs, and refuses the file where it cannot be. */
export function tryModel(
  origin: Origin,
  model: { forward(x: ModelValue): unknown; readonly inputs: readonly ModelInput[] },
): void {
  const { inputs } = model
  const shapes = inputs.map(({ shape }) => shape?.map((extent, i) => (i === 0 ? (extent ?? 1) : extent)))
  if (!shapes.every((shape) => shape?.every((extent) => extent !== null))) return
  tried(origin, () => {
    const given = shapes.map((shape, i) => zeros(shape as number[], { dtype: inputs[i]!.dtype }))
    model.forward(given.length === 1 ? given[0]! : given)
  })
}

function tried({ op, file }: Origin, forward: () => unknown): void {
  try {
    forward()
  } catch (error) {
    // What operations refuse, they say so; anything else is a fault of whoever threw it.
    const isRefusal =
      error instanceof RangeError || (error instanceof TypeError && / (expected|dtype)/.test(error.message))
    if (!isRefusal) throw error
    throw new DataFormatError(`${expected(op, 'a model whose layers fit each other', error.message)} (${file})`, {
      cause: error,
    })
  }
}
