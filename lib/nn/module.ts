/** What every layer and model is: parameters by name, and a mode. */
import { checkBoolean, checkFunction, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { inspection } from '../base/inspection.ts'
import { checkRecord } from '../base/options.ts'
import { isThenable } from '../base/tree.ts'
import {
  type LoadedStateDict,
  type LoadStateDictOptions,
  loadStateDict,
  type StateDict,
  stateDict,
} from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { guard } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { isWithin, partsOf } from './parts.ts'
import { formatModule, optionsOf } from './repr.ts'
import { selection } from './selection.ts'
import { changeWithin, withoutAliases } from './state.ts'
import { formatSummary, type Summarized, watchForward } from './summary.ts'

/** A module of whatever input and output. */
export type AnyModule = Module<never, unknown>

/** What `fit` runs at the moment, and in which mode. */
interface Running {
  /** The modules that are known to belong to it. */
  readonly modules: Set<AnyModule>
  readonly parameters: ReadonlySet<Variable>
  readonly training: boolean
}

let running: Running | null = null

/**
 * A part of a model. Its parameters are the variables among its properties and those of the modules among them, also
 * in arrays, plain objects, maps and sets; a variable or module that occurs twice counts once. Private fields (`#inner`) cannot
 * be seen: where a loss depends on a variable in one, `fit` says so.
 *
 * A module is in training mode until `eval` is called: dropout drops and batch normalization takes the statistics of
 * the batch. That is for calls of `forward` of your own: `fit` trains in training mode and validates in evaluation mode, whatever the
 * mode, and does not change it. What shall stay as it is while the rest is trained is frozen (`freeze`).
 *
 * A module of several inputs or outputs says so, as a list or by name: `class Classifier extends Module<{ image: Tensor; text: Tensor }>`.
 *
 * @example
 * class Residual extends Module {
 *   inner = linear(64, 64)
 *   forward(x) {
 *     return x.add(this.inner.forward(x).relu())
 *   }
 * }
 */
export abstract class Module<Input = Tensor, Output = Tensor> {
  #training = true
  #frozen = false

  /** What it computes. A module may take more than its input: masks, a memory, options. */
  abstract forward(x: Input, ...others: never[]): Output

  /** Whether it is in training mode. A compiled function that read it is recorded anew where it has changed. */
  get training(): boolean {
    if (running === null) return guard(() => this.#training)
    if (!running.training || guard(() => this.#frozen)) return false
    return belongsTo(running, this) || guard(() => this.#training)
  }

  /** Puts it and the modules in it into training mode, or with `false` into evaluation mode. */
  train(mode = true): this {
    checkBoolean('train', 'the mode', mode)
    for (const module of modulesIn(this).keys()) module.#training = mode
    return this
  }

  /** Puts it and the modules in it into evaluation mode. */
  eval(): this {
    return this.train(false)
  }

  /**
   * Keeps it as it is while the rest of a model is trained: its parameters are no longer among `parameters()`, so that optimizers
   * leave them alone, and inside `fit` it is in evaluation mode, so that dropout drops nothing and running statistics stay.
   * What is computed from it may still be differentiated, through it to what comes before.
   *
   * @param pattern which parts of it: the path of a module or parameter, and all that is in it (`encoder.0`), or a regular
   * expression that finds something in such a path (`/bias$/`); all unless given. A module is in evaluation mode where it is in what
   * was named, or where all its variables are.
   * @throws RangeError where nothing has such a path; TypeError for another kind of pattern
   *
   * @example
   * model.freeze('encoder') // fit trains the head alone
   * model.unfreeze('encoder.11')
   */
  freeze(pattern?: string | RegExp): this {
    for (const part of selectedParts('freeze', this, pattern)) Module.#setFrozen(part, true)
    return this
  }

  /** Takes back what `freeze` did, for all of it or for the parts that a pattern names. */
  unfreeze(pattern?: string | RegExp): this {
    for (const part of selectedParts('unfreeze', this, pattern)) Module.#setFrozen(part, false)
    return this
  }

  static #setFrozen(part: AnyModule | Variable, frozen: boolean): void {
    if (part instanceof Module) part.#frozen = frozen
    else part.frozen = frozen
  }

  /** The trainable variables by the path that leads to them, of properties, indices and keys of maps: `inner.weight`, `blocks.0.bias`. */
  namedParameters(): Record<string, Variable> {
    return Object.fromEntries(Object.entries(variablesIn(this)).filter(([, { trainable }]) => trainable))
  }

  /** The trainable variables. */
  parameters(): Variable[] {
    return Object.values(this.namedParameters())
  }

  /**
   * The variables that are state and no parameters, by the path that leads to them: those made with `trainable: false`, such
   * as the running mean of a batch normalization. Frozen parameters are not among them.
   */
  namedBuffers(): Record<string, Variable> {
    return Object.fromEntries(Object.entries(variablesIn(this)).filter(([, { isBuffer }]) => isBuffer))
  }

  /** The variables that are state and no parameters. */
  buffers(): Variable[] {
    return Object.values(this.namedBuffers())
  }

  /** It and the modules in it, however deep, each once, by the path that leads to them; its own is ''. */
  namedModules(): Record<string, AnyModule> {
    return Object.fromEntries([...modulesIn(this)].map(([module, path]) => [path, module]))
  }

  /** It and the modules in it, however deep, each once: a module comes before those in it. */
  modules(): AnyModule[] {
    return [...modulesIn(this).keys()]
  }

  /** The modules in it that are in no other one of them, by the path that leads to them: `head`, `blocks.0`. */
  namedChildren(): Record<string, AnyModule> {
    return Object.fromEntries(childrenOf(this))
  }

  /** The modules in it that are in no other one of them. */
  children(): AnyModule[] {
    return childrenOf(this).map(([, child]) => child)
  }

  /**
   * Calls a function with each module in it, and with it itself, those in a module before it: to give all layers other initial
   * values, say.
   *
   * @param fn is given the module and its path; what it returns does not count
   * @throws TypeError for what is no function, or an async one
   *
   * @example
   * model.apply((module) => {
   *   if (!(module instanceof nn.Linear)) return
   *   module.weight.assign(nn.init.xavierUniform(module.weight.shape))
   *   module.bias?.assign(nn.init.zeros(module.bias.shape))
   * })
   */
  apply(fn: (module: AnyModule, path: string) => void): this {
    checkFunction('apply', 'a function of a module', fn)
    for (const [module, path] of innermostFirst(modulesIn(this))) {
      const result: unknown = fn(module, path)
      if (!isThenable(result)) continue
      result.then(undefined, () => {})
      throw new TypeError(expected('apply', 'a function that is not async', 'one that returned a promise'))
    }
    return this
  }

  /**
   * A table of its modules with the shape of what each gives, the number of parameters that are its own, not those of modules
   * in it, and their bytes, and a line of totals, as text. The forward pass is recorded in evaluation mode, and nothing is computed.
   *
   * @param inputs those of `forward`: for each tensor one that is like it, whose numbers do not matter, or its shape where
   * it is of float32; several of them as `forward` takes them, in lists or by name
   *
   * @example
   * console.log(model.summary([32, 1, 28, 28]))
   * console.log(translator.summary(g.zeros([1, 16], { dtype: 'int32' }), g.zeros([1, 12], { dtype: 'int32' })))
   */
  summary(...inputs: unknown[]): string {
    if (inputs.length === 0) throw new TypeError(expected('summary', 'an input, or its shape', describe(undefined)))
    const parts: Summarized = { modules: modulesIn(this), variables: variablesIn(this) }
    const outputs = watchForward(parts.modules, inputs, (given) => {
      const parameters = Object.values(parts.variables)
      withMode(this, parameters, false, () => this.forward(...(given as unknown as [Input])))
    })
    return formatSummary(parts, outputs)
  }

  /**
   * The values of all variables by name, under the names and in the layouts of PyTorch, whose `load_state_dict` takes them: by
   * the path of properties, but for a few (`running_mean` of a batch normalization, `in_proj_weight` of attention). The
   * tensors stay what they are when training goes on.
   */
  stateDict(): StateDict {
    let state: StateDict = stateDict(variablesIn(this))
    for (const [module, path] of [...modulesIn(this)].toReversed())
      state = changeWithin(state, path, (own) => checkRecord('exportState', 'values by name', module.exportState(own)))
    return state
  }

  /**
   * Takes over values by name: those of `stateDict`, of a PyTorch module with the same layers, or by the paths of properties. What
   * has several paths, such as an embedding that is the last layer too, may come under each of them. With `strict: false` names may
   * be missing or unknown: what is there is taken over.
   *
   * PyTorch calls it `load_state_dict`, Keras `load_weights`.
   *
   * @returns the names that are missing, and those that are not expected; none of either unless `strict` is false
   * @throws TypeError for missing and unknown names, ShapeError, DTypeError for values that do not fit, with all of them in the message;
   * nothing is changed then.
   *
   * @example
   * const { missing } = model.loadStateDict(await load('encoder.safetensors'), { strict: false })
   */
  loadStateDict(
    state: Readonly<Record<string, TensorLike>>,
    options?: LoadStateDictOptions,
    ...surplus: unknown[]
  ): LoadedStateDict {
    let own = checkRecord('loadStateDict', 'values by name', state)
    const importInto = (module: AnyModule) => (inside: Readonly<Record<string, TensorLike>>) =>
      checkRecord('importState', 'values by name', module.importState(inside))
    for (const [module, path] of modulesIn(this)) own = changeWithin(own, path, importInto(module))
    return loadStateDict(variablesIn(this), withoutAliases(own, partsOf(this).aliases), options, ...surplus)
  }

  /** What its text says of it besides its name and the modules in it: the options it was made with. A module of your own says what it likes. */
  extraRepr(): string {
    return optionsOf(this)
  }

  /** The tree of its modules, as PyTorch prints it; the console shows it. */
  toString(): string {
    const children = childrenOf(this).map(([path, child]) => [path, child.toString()] as const)
    return formatModule(this, this.extraRepr(), children)
  }

  [inspection](): string {
    return this.toString()
  }

  /**
   * What `stateDict` gives for this module, made of the values by paths of properties: the same unless a module says otherwise. Then
   * `importState` is its inverse.
   */
  protected exportState(state: StateDict): StateDict {
    return state
  }

  /** The values by paths of properties, made of what `loadStateDict` was given; names that are such paths already stay. */
  protected importState(state: Readonly<Record<string, TensorLike>>): Readonly<Record<string, TensorLike>> {
    return state
  }
}

brand(Module.prototype, 'module')

/**
 * Runs `fn` with a model in one mode, and leaves the mode of its modules as it is. In evaluation mode is then every module that is met,
 * in training mode those that belong to the model, and others by their own mode.
 */
export function withMode<T>(model: object, parameters: readonly Variable[], training: boolean, fn: () => T): T {
  const outer = running
  running = { modules: new Set(modulesIn(model).keys()), parameters: new Set(parameters), training }
  try {
    return fn()
  } finally {
    running = outer
  }
}

/** A module that cannot be seen from outside of the model, as in a closure, belongs to it by its parameters. */
function belongsTo({ modules, parameters }: Running, module: AnyModule): boolean {
  if (modules.has(module)) return true
  const parts = [...partsOf(module).paths.keys()]
  if (!parts.some((part) => part instanceof Variable && parameters.has(part))) return false
  for (const part of parts) if (part instanceof Module) modules.add(part)
  return true
}

/** The modules and variables in a model that `freeze` and `unfreeze` are about. */
function selectedParts(op: string, model: AnyModule, pattern: string | RegExp | undefined): (AnyModule | Variable)[] {
  const isVariable = (part: unknown) => part instanceof Variable
  const parts = [...partsOf(model).paths].filter(
    (entry): entry is [AnyModule | Variable, string] => entry[0] instanceof Module || isVariable(entry[0]),
  )
  const isSelected = pattern === undefined ? () => true : selection(op, parts, isVariable, pattern)
  return parts.filter(([, path]) => isSelected(path)).map(([part]) => part)
}

/** The modules in a module that are in no other one of them, by their paths. */
function childrenOf(module: AnyModule): [path: string, child: AnyModule][] {
  const children: [string, AnyModule][] = []
  for (const [part, path] of modulesIn(module))
    if (part !== module && !children.some(([other]) => isWithin(path, other))) children.push([path, part])
  return children
}

/** The same, but a module after those in it. */
function innermostFirst(modules: ReadonlyMap<AnyModule, string>): (readonly [AnyModule, string])[] {
  const order: (readonly [AnyModule, string])[] = []
  const open: (readonly [AnyModule, string])[] = []
  for (const entry of modules) {
    for (let last = open.at(-1); last !== undefined && !isWithin(entry[1], last[1]); last = open.at(-1)) {
      order.push(last)
      open.pop()
    }
    open.push(entry)
  }
  return [...order, ...open.reverse()]
}

function modulesIn(model: object): Map<AnyModule, string> {
  return new Map([...partsOf(model).paths].filter((entry): entry is [AnyModule, string] => entry[0] instanceof Module))
}

/** @throws TypeError where two variables would have one name, as by a key with a dot in it */
function variablesIn(model: AnyModule): Record<string, Variable> {
  const found: Record<string, Variable> = {}
  for (const [part, path] of partsOf(model).paths) {
    if (!(part instanceof Variable)) continue
    if (Object.hasOwn(found, path))
      throw new TypeError(expected('Module', 'another name for each variable', `two ${path}`))
    found[path] = part
  }
  return found
}
