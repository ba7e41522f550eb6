/** What every layer and model is: parameters by name, and a mode. */
import { loadStateDict, type StateDict, stateDict } from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { guard } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'

/** The modules whose mode `withMode` says, and which one. */
let chosen: { readonly modules: ReadonlySet<Module>; readonly training: boolean } | null = null

/**
 * A part of a model. Its parameters are the variables among its properties and those of the modules among them, also
 * in arrays; a variable or module that occurs twice counts once.
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
    for (const module of modulesIn(this)) module.#training = mode
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

  /** The values of all variables by name. The tensors stay what they are when training goes on. */
  stateDict(): StateDict {
    return stateDict(variablesIn(this))
  }

  /**
   * Takes over values by name.
   *
   * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit; nothing is
   * changed then.
   */
  loadStateDict(state: Readonly<Record<string, TensorLike>>): void {
    loadStateDict(variablesIn(this), state)
  }
}

/** Runs `fn` with every module in `model` in one mode, and leaves their own mode as it is. */
export function withMode<T>(model: object, training: boolean, fn: () => T): T {
  const outer = chosen
  chosen = { modules: modulesIn(model), training }
  try {
    return fn()
  } finally {
    chosen = outer
  }
}

/** Visits the properties of a model, those of the modules among them, and so on, each once. */
function visitParts(model: object, visit: (name: string, part: unknown) => void): void {
  const seen = new Set<unknown>()
  const enter = (name: string, value: unknown): void => {
    if (seen.has(value)) return
    seen.add(value)
    visit(name, value)
    if (value === model || value instanceof Module || Array.isArray(value))
      for (const [key, part] of Object.entries(value as object)) enter(name === '' ? key : `${name}.${key}`, part)
  }
  enter('', model)
}

function modulesIn(model: object): Set<Module> {
  const found = new Set<Module>()
  visitParts(model, (_, part) => part instanceof Module && found.add(part))
  return found
}

function variablesIn(model: Module): Record<string, Variable> {
  const found: [string, Variable][] = []
  visitParts(model, (name, part) => part instanceof Variable && found.push([name, part]))
  return Object.fromEntries(found)
}
