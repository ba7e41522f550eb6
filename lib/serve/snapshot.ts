/** What a predictor serves: a model in evaluation mode on values of its variables that nobody else changes. */
import { expected } from '../base/errors.ts'
import { withMode } from '../nn/module.ts'
import type { Cell } from '../tensor/cell.ts'
import { nodeOf, type Tensor } from '../tensor/tensor.ts'
import { activeTrace, traced } from '../tensor/trace.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import type { AnyTrainable } from '../train/options.ts'

/**
 * The variables that a model reads in its forward pass, wherever they are in it, each with another one in its place. A swap gives all of these
 * their values in one turn: a run that was submitted has the old ones, the next one the new ones, and none has both. Values are
 * shared with the model until it changes them, which copies them then.
 */
export class Snapshot {
  readonly #standIns = new Map<Cell, Variable>()
  #version = 0

  constructor(
    private readonly model: AnyTrainable,
    /** Runs the forward pass on inputs without data. */
    tryForward: () => void,
  ) {
    const { trace } = traced(() => this.#inEvaluation(tryForward))
    for (const cell of trace.variables.keys())
      this.#standIns.set(cell, variable(cell.variable.value, { trainable: false }))
  }

  /** 1 for the values at the beginning, and one more after each swap. */
  get version(): number {
    return this.#version + 1
  }

  /** What the model holds now, by its variables. */
  get values(): ReadonlyMap<Variable, Tensor> {
    return new Map([...this.#standIns].map(([{ variable }, { value }]) => [variable, value]))
  }

  /** Takes over what the variables of the model hold now, or what they are given here. */
  swap(values: ReadonlyMap<Variable, Tensor> = new Map()): void {
    const next = [...this.#standIns].map(
      ([cell, standIn]) => [standIn, values.get(cell.variable) ?? cell.variable.value] as const,
    )
    for (const [standIn, value] of next) standIn.assign(value)
    this.#version++
  }

  /** Records what `forward` does with the model, on the values of the snapshot. */
  record<T>(forward: () => T): T {
    const trace = activeTrace()
    if (trace === null)
      throw new TypeError(expected('predictor', 'a snapshot to be recorded', 'a call outside compile'))
    const replaced = [...this.#standIns].map(([cell, standIn]) => {
      const seen = cell.tracedIn(trace.variables)
      seen.value = nodeOf(standIn)
      return seen
    })
    try {
      return this.#inEvaluation(forward)
    } finally {
      // So that the recording does not take it for an update.
      for (const seen of replaced) seen.value = seen.leaf
    }
  }

  #inEvaluation<T>(fn: () => T): T {
    return withMode(this.model, this.model.parameters(), false, fn)
  }
}
