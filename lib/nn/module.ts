/** What every layer and model is: parameters by name, and a mode. */
import { expected } from '../base/errors.ts'
import { loadStateDict, type StateDict, stateDict } from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { guard } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { partsOf } from './parts.ts'
import { changeWithin, withoutAliases } from './state.ts'

/** The modules whose mode `withMode` says, and which one. */
let chosen: { readonly modules: ReadonlySet<Module>; readonly training: boolean } | null = null

/**
 * A part of a model. Its parameters are the variables among its properties and those of the modules among them, also
 * in arrays, plain objects, maps and sets; a variable or module that occurs twice counts once. Private fields (`#inner`) cannot
 * be seen: where a loss depends on a variable in one, `fit` says so.
 *
 * A module is in training mode until `eval` is called: dropout drops and batch normalization takes the statistics of
 * the batch. `fit` trains in training mode and validates in evaluation mode, whatever the mode; it does not change it.
 *
 * @example
 * class Residual extends Module {
 *   inner = linear(64, 64)
 *   forward(x) {
 *     return x.add(this.inner.forward(x).relu())
 *   }
 * }
 */
export abstract class Module {
  #training = true

  abstract forward(x: Tensor): Tensor

  /** Whether it is in training mode. A compiled function that read it is recorded anew where it has changed. */
  get training(): boolean {
    return chosen?.modules.has(this) ? chosen.training : guard(() => this.#training)
  }

  /** Puts it and the modules in it into training mode, or with `false` into evaluation mode. */
  train(mode = true): this {
    for (const module of modulesIn(this).keys()) module.#training = mode
    return this
  }

  /** Puts it and the modules in it into evaluation mode. */
  eval(): this {
    return this.train(false)
  }

  /** The trainable variables by the path of properties that leads to them: `inner.weight`. */
  namedParameters(): Record<string, Variable> {
    return Object.fromEntries(Object.entries(variablesIn(this)).filter(([, { trainable }]) => trainable))
  }

  /** The trainable variables. */
  parameters(): Variable[] {
    return Object.values(this.namedParameters())
  }

  /**
   * The values of all variables by name, under the names and in the layouts of PyTorch, whose `load_state_dict` takes them: by
   * the path of properties, but for a few (`running_mean` of a batch normalization, `in_proj_weight` of attention). The
   * tensors stay what they are when training goes on.
   */
  stateDict(): StateDict {
    let state: StateDict = stateDict(variablesIn(this))
    for (const [module, path] of [...modulesIn(this)].toReversed())
      state = changeWithin(state, path, (own) => module.exportState(own))
    return state
  }

  /**
   * Takes over values by name: those of `stateDict`, of a PyTorch module with the same layers, or by the paths of properties. What
   * has several paths, such as an embedding that is the last layer too, may come under each of them.
   *
   * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit; nothing is
   * changed then.
   */
  loadStateDict(state: Readonly<Record<string, TensorLike>>): void {
    let own = state
    for (const [module, path] of modulesIn(this)) own = changeWithin(own, path, (inside) => module.importState(inside))
    loadStateDict(variablesIn(this), withoutAliases(own, partsOf(this).aliases))
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

/** Runs `fn` with every module in `model` in one mode, and leaves their own mode as it is. */
export function withMode<T>(model: object, training: boolean, fn: () => T): T {
  const outer = chosen
  chosen = { modules: new Set(modulesIn(model).keys()), training }
  try {
    return fn()
  } finally {
    chosen = outer
  }
}

function modulesIn(model: object): Map<Module, string> {
  return new Map([...partsOf(model).paths].filter((entry): entry is [Module, string] => entry[0] instanceof Module))
}

/** @throws TypeError where two variables would have one name, as by a key with a dot in it */
function variablesIn(model: Module): Record<string, Variable> {
  const found: Record<string, Variable> = {}
  for (const [part, path] of partsOf(model).paths) {
    if (!(part instanceof Variable)) continue
    if (Object.hasOwn(found, path))
      throw new TypeError(expected('Module', 'another name for each variable', `two ${path}`))
    found[path] = part
  }
  return found
}
