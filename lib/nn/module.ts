import { loadState, type StateDict, stateOf } from '../state-dict.ts'
import type { Tensor, TensorLike } from '../tensor.ts'
import { Variable } from '../variable.ts'

/**
 * A part of a model. Its parameters are the variables among its properties and those of the modules among them, also
 * in arrays; a variable or module that occurs twice counts once.
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
  abstract forward(x: Tensor): Tensor

  /** The trainable variables by the path of properties that leads to them: `inner.weight`. */
  namedParameters(): Record<string, Variable> {
    return Object.fromEntries([...variablesIn(this)].filter(([, { trainable }]) => trainable))
  }

  /** The trainable variables. */
  parameters(): Variable[] {
    return Object.values(this.namedParameters())
  }

  /** The values of all variables by name. The tensors stay what they are when training goes on. */
  stateDict(): StateDict {
    return stateOf(variablesIn(this))
  }

  /**
   * Takes over values by name.
   *
   * @throws TypeError for a missing or an unknown name, ShapeError, DTypeError for values that do not fit; nothing is
   * changed then.
   */
  loadStateDict(state: Readonly<Record<string, TensorLike>>): void {
    loadState(variablesIn(this), state)
  }
}

function variablesIn(module: Module): Map<string, Variable> {
  const found = new Map<string, Variable>()
  const seen = new Set<unknown>()
  const visit = (name: string, value: unknown): void => {
    if (seen.has(value)) return
    seen.add(value)
    if (value instanceof Variable) found.set(name, value)
    else if (value instanceof Module || Array.isArray(value))
      for (const [key, part] of Object.entries(value)) visit(name === '' ? key : `${name}.${key}`, part)
  }
  visit('', module)
  return found
}
