/** The variables that an optimizer keeps between steps, and what they are called outside: by the parameters they belong to. */
import { describe } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkRecord } from '../base/options.ts'
import { sameShape } from '../base/shape.ts'
import { loadStateDict, type StateDict, stateDict } from '../tensor/state-dict.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable, variable } from '../tensor/variable.ts'
import type { NamedVariables } from './parameters.ts'

/** A variable of the state, and which part of the optimizer keeps it, so that no two take it for theirs. */
interface Slot {
  readonly variable: Variable
  readonly owner: object
}

export class OptimizerState {
  /** What belongs to no parameter, such as the count of steps. */
  readonly #shared = new Map<string, Slot>()
  readonly #slots = new Map<Variable, Map<string, Slot>>()
  readonly #names = new Map<Variable, string>()
  /** What was loaded before the variables were known that it belongs to. */
  #pending: ReadonlyMap<string, Tensor> | null = null

  /** From now on these are the names. */
  learn({ names }: NamedVariables): void {
    for (const [parameter, name] of names) this.#names.set(parameter, name)
  }

  /** What a parameter is called: in the record or module it was given in last, or by itself. */
  nameOf(parameter: Variable): string | undefined {
    return this.#names.get(parameter) ?? (parameter.name || undefined)
  }

  /** A variable that belongs to no parameter; its name has no dot in it. */
  shared(owner: object, name: string, start: () => Tensor): Variable {
    const known = this.#shared.get(name)
    if (known !== undefined) return checkedOwner(owner, name, known)
    const made = this.#begin(name, start)
    this.#shared.set(name, { variable: made, owner })
    return made
  }

  /** What a variable that belongs to no parameter holds by now, or what was loaded for it. */
  sharedValue(name: string): Tensor | undefined {
    return this.#pending?.get(name) ?? this.#shared.get(name)?.variable
  }

  /** A variable that belongs to a parameter. */
  slot(owner: object, parameter: Variable, kind: string, start: () => Tensor): Variable {
    const slots = this.#slots.get(parameter) ?? new Map<string, Slot>()
    this.#slots.set(parameter, slots)
    const known = slots.get(kind)
    if (known !== undefined) return checkedOwner(owner, kind, known)
    const path = this.#pending === null ? this.nameOf(parameter) : this.#pathOf('loadStateDict', parameter)
    const made = this.#begin(path === undefined ? kind : `${path}.${kind}`, start)
    slots.set(kind, { variable: made, owner })
    return made
  }

  /** A variable of the state that was asked for before. */
  find(parameter: Variable, kind: string): Variable | undefined {
    return this.#slots.get(parameter)?.get(kind)?.variable
  }

  /** What does not fit is refused once all is known. */
  #begin(name: string, start: () => Tensor): Variable {
    const initial = start()
    const loaded = this.#pending?.get(name)
    return variable(loaded && isLike(loaded, initial) ? loaded : initial, { name, trainable: false })
  }

  #pathOf(op: string, parameter: Variable): string {
    const name = this.nameOf(parameter)
    if (name !== undefined) return name
    throw new TypeError(expected(op, 'a name for each parameter: pass the model, or all of them by name', parameter))
  }

  /** All variables by name. */
  #named(op: string): Record<string, Variable> {
    const found = new Map([...this.#shared].map(([name, { variable }]) => [name, variable]))
    for (const [parameter, slots] of this.#slots)
      for (const [kind, { variable }] of slots) {
        const name = `${this.#pathOf(op, parameter)}.${kind}`
        if (found.has(name))
          throw new TypeError(
            expected(op, 'another name for each parameter: pass the model, or all of them by name', `two ${name}`),
          )
        found.set(name, variable)
      }
    return Object.fromEntries(found)
  }

  /** The values of all variables, which stay what they are. */
  save(): StateDict {
    return this.#pending === null ? stateDict(this.#named('stateDict')) : Object.fromEntries(this.#pending)
  }

  /** Where `fn` throws, what it added is gone again. */
  attempt(fn: () => void): void {
    const before = { shared: new Map(this.#shared), slots: new Map(this.#slots), pending: this.#pending }
    try {
      fn()
    } catch (error) {
      this.#pending = before.pending
      restore(this.#shared, before.shared)
      restore(this.#slots, before.slots)
      throw error
    }
  }

  /**
   * Takes over values, now where the variables are known, or as soon as they are. Of no values nothing is left to do where there are no
   * variables either: that is the state before the first step.
   * @param areKnown whether all parameters are known that it has to be of
   */
  load(values: ReadonlyMap<string, Tensor>, areKnown: boolean): void {
    if (!areKnown && this.#shared.size + this.#slots.size === 0) {
      this.#pending = values.size === 0 ? null : values
      return
    }
    this.#pending = null
    const named = this.#named('loadStateDict')
    checkNames(Object.keys(named), [...values.keys()])
    loadStateDict(named, Object.fromEntries(values))
  }

  /** @throws TypeError where what was loaded is not the state of the variables that are there now */
  settle(): void {
    if (this.#pending === null) return
    const named = this.#named('loadStateDict')
    checkNames(Object.keys(named), [...this.#pending.keys()])
    for (const [name, loaded] of this.#pending)
      if (!isLike(loaded, named[name]!))
        throw new ShapeError(expected('loadStateDict', `${name} like ${named[name]}`, loaded))
    this.#pending = null
  }
}

function restore<K, V>(map: Map<K, V>, before: ReadonlyMap<K, V>): void {
  map.clear()
  for (const [key, value] of before) map.set(key, value)
}

const isLike = (a: Tensor, b: Tensor): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)

function checkedOwner(owner: object, name: string, slot: Slot): Variable {
  if (slot.owner === owner) return slot.variable
  throw new TypeError(expected('optimizer', 'a state of another name for each of its parts', `two ${name}`))
}

function checkNames(own: readonly string[], given: readonly string[]): void {
  const missing = own.filter((name) => !given.includes(name))
  const unknown = given.filter((name) => !own.includes(name))
  const faults = [
    missing.length > 0 && `no ${missing.join(', ')}`,
    unknown.length > 0 && `an unknown ${unknown.join(', ')}`,
  ]
  const got = faults.filter(Boolean).join(' and ')
  if (got !== '')
    throw new TypeError(expected('loadStateDict', 'the state of such an optimizer of these parameters', got))
}

/** What was given as a state, as values that stay what they are. */
export function checkedState(state: Readonly<Record<string, Tensor>>): Map<string, Tensor> {
  const values = new Map<string, Tensor>()
  for (const [name, value] of Object.entries(checkRecord('loadStateDict', 'values by name', state))) {
    if (!(value instanceof Tensor))
      throw new TypeError(expected('loadStateDict', `a tensor as ${name}`, describe(value)))
    values.set(name, value instanceof Variable ? value.value : value)
  }
  return values
}
