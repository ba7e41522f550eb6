/** A layer of an imported model: its variables under the names of Keras, and what it computes of them. */
import { isFloat } from '../base/dtype.ts'
import { Module } from '../nn/module.ts'
import { titled } from '../nn/repr.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type LayerSpec, Reference, type Structure } from './architecture.ts'
import type { Config } from './config.ts'
import { masked, maskOf } from './masks.ts'

/** A variable that a layer has. */
export interface Slot {
  readonly name: string
  /** Its extents as far as the options say them; null for those of the input, and for all of them. */
  readonly shape: readonly (number | null)[] | null
  /** False for running statistics. */
  readonly trainable?: boolean
  /** In which parts of the layer Keras 3 keeps it in a file. */
  readonly path?: readonly string[]
}

/** A layer within a layer. */
export interface Part {
  readonly spec: LayerSpec
  /** Where Keras 3 keeps its variables in a file, from the layer on. */
  readonly path: readonly string[]
}

/** Tensors in the form in which a layer gets or gives them. */
export type Value = Tensor | string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }
export type Output = Tensor | Tensor[]

/** What a kind of layer is, once its options are read. */
export interface Made {
  readonly slots?: readonly Slot[]
  /** By the property that holds each. */
  readonly parts?: Readonly<Record<string, Part>>
  forward(layer: KerasLayer, given: Given): Output
  /** Whether the mask of the input is that of the output, too. */
  readonly keepsMask?: boolean
}

/** Reads the options of a layer, and refuses those that it cannot keep. */
export type Make = (config: Config) => Made

/** The arguments of a call. */
export class Given {
  constructor(
    readonly config: Config,
    readonly args: readonly Value[],
    readonly kwargs: Readonly<Record<string, Value>>,
  ) {}

  /** An argument by its place or its name; undefined where it is not given, or null. */
  get(place: number, name: string): Value | undefined {
    return this.args[place] ?? this.kwargs[name] ?? undefined
  }

  /** A tensor that may not be given. */
  optional(place: number, name: string): Tensor | undefined {
    const value = this.get(place, name)
    if (value === undefined || value instanceof Tensor) return value
    return this.config.fail(`a tensor as ${name}`, value)
  }

  /** The tensor that most layers take, alone or as the first of a list. */
  get x(): Tensor {
    const [first] = this.args
    const value = Array.isArray(first) ? (first as readonly Value[])[0] : (first ?? Object.values(this.kwargs)[0])
    return value instanceof Tensor ? value : this.config.fail('a tensor as the input', value)
  }

  /** The same as floats. */
  get floats(): Tensor {
    return asFloat(this.x)
  }

  /** The tensors that a layer of several takes, in a list or one by one. */
  get list(): Tensor[] {
    const [first] = this.args
    const list = Array.isArray(first) ? (first as readonly Value[]) : this.args
    const isTensors = list.every((value) => value instanceof Tensor)
    return isTensors && list.length > 0 ? [...(list as Tensor[])] : this.config.fail('tensors as inputs', list)
  }

  /** A truth that a call may set. */
  flag(name: string): boolean {
    return this.kwargs[name] === true
  }
}

/** Keeps integers from where floats are computed with. */
export const asFloat = (x: Tensor): Tensor => (isFloat(x.dtype) ? x : x.cast('float32'))

/** All that a call in a model gives to a layer, where its input alone is not all. */
export class CallArguments {
  constructor(
    readonly args: readonly Value[],
    readonly kwargs: Readonly<Record<string, Value>>,
  ) {}
}

/** The options that the text of a layer has. */
const shownOptions = 'units filters kernel_size pool_size strides padding rate activation'.split(' ')

/** A layer of Keras; it is made by `keras.load` and `tfjs.load`. */
export class KerasLayer extends Module<Value | CallArguments, Output> {
  readonly #spec: LayerSpec
  readonly #made: Made

  /** @internal */
  constructor(spec: LayerSpec, made: Made, parts: Readonly<Record<string, Module<never, unknown> | Variable>>) {
    super()
    this.#spec = spec
    this.#made = made
    titled(this, spec.className, Object.fromEntries(shownOptions.map((name) => [name, spec.config.get(name)])))
    Object.assign(this, parts)
  }

  /** The class that Keras has for it. */
  get className(): string {
    return this.#spec.className
  }

  /** Its options as Keras writes them, as a copy. */
  get config(): Record<string, unknown> {
    return structuredClone(this.#spec.config.values) as Record<string, unknown>
  }

  /** A variable of it. */
  variable(name: string): Variable {
    return (this as unknown as Record<string, Variable>)[name]!
  }

  /** The same, or undefined for a variable that its options leave out. */
  optional(name: string): Variable | undefined {
    return (this as unknown as Record<string, Variable | undefined>)[name]
  }

  /** A layer in it. */
  part(name: string): Module<never, unknown> {
    return (this as unknown as Record<string, Module<never, unknown>>)[name]!
  }

  /** What it gives for one tensor, or several in a list. */
  forward(x: Value | CallArguments): Output {
    const { args, kwargs } = x instanceof CallArguments ? x : new CallArguments([x], {})
    const given = new Given(this.#spec.config, args, kwargs)
    // A mask that a call names is that of the input.
    if (kwargs.mask instanceof Tensor) masked(given.x, kwargs.mask)
    const output = this.#made.forward(this, given)
    return this.#made.keepsMask === true ? masked(output, maskOf(given.x)) : output
  }
}

/** The values that references stand for, in the same form. */
export function resolve(structure: Structure, value: (reference: Reference) => Value): Value {
  if (structure instanceof Reference) return value(structure)
  if (typeof structure !== 'object' || structure === null) return structure
  if (Array.isArray(structure)) return structure.map((part: Structure) => resolve(part, value))
  return Object.fromEntries(Object.entries(structure).map(([name, part]) => [name, resolve(part, value)]))
}
