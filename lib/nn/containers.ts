/** Modules that hold others: in a sequence, in a list, by name. */
import { checkInteger, checkList, checkText, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkRecord, isPlainObject } from '../base/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { lambda } from './layers.ts'
import { type AnyModule, Module } from './module.ts'
import { Recurrent, type RecurrentOutput } from './recurrent.ts'

/** What a sequence is made of. */
export type Layer<Input = Tensor, Output = Tensor> = Module<Input, Output> | ((x: Input) => Output)

/** The same, or a recurrent layer, of which the output goes on. */
export type SequenceLayer<Input = Tensor, Output = Tensor> =
  | Layer<Input, Output>
  | Module<Input, RecurrentOutput<unknown> & { output: Output }>

type Named<T> = readonly (readonly [name: string, value: T])[]

/** A property of a module that is no property of all modules, and makes one key of a path. */
function checkChildName(op: string, module: object, name: unknown): string {
  const text = checkText(op, 'names of modules', name)
  if (text === '' || text.includes('.'))
    throw new RangeError(expected(op, 'names of modules without a dot in them', describe(text)))
  if (text in module) throw new RangeError(expected(op, 'other names for its modules', describe(text)))
  return text
}

function checkModule<T extends AnyModule>(op: string, value: T, place: string | number): T {
  if (!(value instanceof Module)) throw new TypeError(expected(op, 'modules', `${describe(value)} at ${place}`))
  return value
}

/** Layers one after the other; layer i is property i, or has its name, and its parameters are named `i.weight`, `i.bias`. */
export class Sequential<Input = Tensor, Output = Tensor> extends Module<Input, Output> {
  readonly [index: number]: Module
  readonly #layers: readonly Module[]

  constructor(layers: readonly Layer<never, unknown>[] | Named<Layer<never, unknown>>) {
    super()
    const named = namedLayers(checkList<unknown>('sequential', 'a list of modules and functions', layers))
    this.#layers = named.map(([name, layer]) => {
      const module = asModule(layer, name)
      Object.assign(this, { [checkChildName('sequential', this, name)]: module })
      return module
    })
  }

  /** How many layers there are. */
  get length(): number {
    return this.#layers.length
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return [...this.#layers][Symbol.iterator]()
  }

  forward(x: Input): Output {
    return this.#layers.reduce((value: unknown, layer) => outputOf(layer, value as Tensor), x) as Output
  }
}

/** What goes on to the next layer: of a recurrent one its output, and not its state. */
const outputOf = (layer: Module<Tensor, unknown>, x: Tensor): unknown =>
  layer instanceof Recurrent ? layer.forward(x).output : layer.forward(x)

/** Pairs of name and layer as they are, or layers named by their places. */
function namedLayers(layers: readonly unknown[]): Named<unknown> {
  if (layers.length > 0 && layers.every((x): x is [string, unknown] => Array.isArray(x) && x.length === 2))
    return layers.map(([name, layer]) => [name, layer])
  return layers.map((layer, i) => [String(i), layer])
}

function asModule(layer: unknown, place: string): Module {
  if (layer instanceof Module) return layer as Module
  if (typeof layer === 'function') return lambda(layer as (x: Tensor) => Tensor)
  throw new TypeError(expected('sequential', 'modules and functions', `${describe(layer)} at ${place}`))
}

/** The modules of a sequence by their names. */
export type NamedLayers<Layers> = { readonly [K in keyof Layers]: Layers[K] extends AnyModule ? Layers[K] : Module }

/**
 * Layers one after the other: modules, and functions of a tensor, which have no parameters. They are called by their places
 * (`model[0]`, parameters `0.weight`), or by names, where they come as a record or as pairs of name and layer, as in
 * PyTorch's `OrderedDict`; in a record, names that are numbers go first, as in any object of JavaScript.
 *
 * @throws TypeError for anything else; RangeError for a name with a dot in it, one that is there already, or that of a method
 *
 * @example
 * const model = sequential(flatten(), linear(784, 128), (x) => x.relu(), linear(128, 10))
 * const named = sequential({ hidden: linear(784, 128), activation: relu(), head: linear(128, 10) })
 * named.head.weight // the parameter head.weight
 */
export function sequential(...layers: SequenceLayer[]): Sequential
/** The first layer may take several tensors, and the last one give them. */
export function sequential<Input, Output>(
  first: SequenceLayer<Input, Tensor>,
  ...others: readonly [...SequenceLayer[], SequenceLayer<Tensor, Output>]
): Sequential<Input, Output>
export function sequential<const Layers extends Readonly<Record<string, SequenceLayer>>>(
  layers: Layers,
): Sequential & NamedLayers<Layers>
export function sequential(layers: readonly (readonly [name: string, layer: SequenceLayer])[]): Sequential
export function sequential(...layers: readonly unknown[]): Sequential {
  const [first] = layers
  const isAlone = layers.length === 1
  if (isAlone && isPlainObject(first)) return new Sequential(Object.entries(first) as Named<Layer>)
  const isPairs = isAlone && Array.isArray(first) && first.length > 0 && first.every(Array.isArray)
  return new Sequential((isPairs ? first : layers) as readonly Layer[])
}

/** Modules in a list: see {@link moduleList}. */
export class ModuleList<M extends AnyModule = Module> extends Module<never, never> {
  readonly [index: number]: M
  readonly #modules: M[] = []

  /** @internal */
  constructor(modules: Iterable<M>) {
    super()
    this.extend(modules)
  }

  /** How many modules there are. */
  get length(): number {
    return this.#modules.length
  }

  [Symbol.iterator](): IterableIterator<M> {
    return [...this.#modules][Symbol.iterator]()
  }

  /** The module at a place, which counts from the end where it is negative. */
  at(index: number): M | undefined {
    return this.#modules.at(checkInteger('at', 'an integer as index', index))
  }

  /** Adds a module at the end. */
  append(module: M): this {
    return this.extend([module])
  }

  /** Adds modules at the end: all of them, or none where one is no module. */
  extend(modules: Iterable<M>): this {
    const given = listOf(modules).map((module, i) => checkModule('moduleList', module, i))
    for (const module of given) Object.assign(this, { [this.#modules.push(module) - 1]: module })
    return this
  }

  /** Has no order of calls, so it is none. @throws TypeError */
  forward(_x: never): never {
    throw new TypeError(expected('moduleList', 'calls of its modules', 'one of its own forward'))
  }
}

function listOf<M>(modules: Iterable<M>): readonly M[] {
  const isList = typeof modules === 'object' && modules !== null && Symbol.iterator in modules
  if (!isList || ArrayBuffer.isView(modules))
    throw new TypeError(expected('moduleList', 'a list of modules', describe(modules)))
  return [...modules]
}

/**
 * Modules in a list whose parameters are those of the model: `blocks.0.weight` where it is the property `blocks`. An array
 * among the properties of a module does that as well; this is a module of its own, which `apply`, `freeze` and summaries see. PyTorch's `ModuleList`.
 *
 * @throws TypeError for what is no module
 *
 * @example
 * class Deep extends Module {
 *   blocks = moduleList([linear(8, 8), linear(8, 8)])
 *   forward(x) {
 *     for (const block of this.blocks) x = block.forward(x).relu()
 *     return x
 *   }
 * }
 */
export const moduleList = <M extends AnyModule = Module>(modules?: Iterable<M>): ModuleList<M> =>
  new ModuleList(modules === undefined ? [] : modules)

/** Modules by name: see {@link moduleDict}. */
export class ModuleDict<M extends AnyModule = Module> extends Module<never, never> {
  readonly #modules = new Map<string, M>()

  /** @internal */
  constructor(modules: Readonly<Record<string, M>>) {
    super()
    const entries = Object.entries(checkRecord('moduleDict', 'modules by name', modules))
    for (const [name, module] of entries) checkModule('moduleDict', module, name)
    for (const [name, module] of entries) this.set(name, module)
  }

  /** How many modules there are. */
  get size(): number {
    return this.#modules.size
  }

  /** Pairs of name and module, in the order in which they were set. */
  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.#modules.entries()
  }

  /** The names, in the order in which they were set. */
  keys(): string[] {
    return [...this.#modules.keys()]
  }

  has(name: string): boolean {
    return this.#modules.has(checkText('has', 'a name', name))
  }

  /** The module of a name; undefined where there is none. */
  get(name: string): M | undefined {
    return this.#modules.get(checkText('get', 'a name', name))
  }

  /**
   * Has a module under a name, in place of the one that it had before.
   * @throws RangeError for a name with a dot in it, or that of a method
   */
  set(name: string, module: M): this {
    const key = this.#modules.has(name) ? name : checkChildName('moduleDict', this, name)
    this.#modules.set(key, checkModule('moduleDict', module, key))
    Object.assign(this, { [key]: module })
    return this
  }

  /** Takes a module out, and says whether there was one. */
  delete(name: string): boolean {
    if (!this.#modules.delete(checkText('delete', 'a name', name))) return false
    return Reflect.deleteProperty(this, name)
  }

  /** Has no order of calls, so it is none. @throws TypeError */
  forward(_x: never): never {
    throw new TypeError(expected('moduleDict', 'calls of its modules', 'one of its own forward'))
  }
}

/**
 * Modules by name whose parameters are those of the model: `heads.digits.weight` where it is the property `heads`. PyTorch's
 * `ModuleDict`.
 *
 * @throws TypeError for what is no module; RangeError for a name with a dot in it, or that of a method
 *
 * @example
 * const heads = moduleDict({ digits: linear(64, 10), letters: linear(64, 26) })
 * heads.get('letters')?.forward(x)
 */
export const moduleDict = <M extends AnyModule = Module>(modules?: Readonly<Record<string, M>>): ModuleDict<M> =>
  new ModuleDict(modules === undefined ? {} : modules)
