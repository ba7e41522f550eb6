/** What a predictor serves: a model in evaluation mode on values of its variables that nobody else changes. */
import { types } from 'node:util'
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { storageOf } from '../graph/node.ts'
import { data } from '../graph/ops/leaf.ts'
import { withMode } from '../nn/module.ts'
import { partsOf } from '../nn/parts.ts'
import { evaluateNodesSync } from '../runtime/evaluate.ts'
import type { Cell } from '../tensor/cell.ts'
import { nodeOf, Tensor, wrap } from '../tensor/tensor.ts'
import { activeTrace, traced } from '../tensor/trace.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import type { AnyTrainable } from '../train/options.ts'
import { type SharedParameter, type SharedParameters, SharedReader } from './shared-parameters.ts'
import { followShared, Publisher } from './sharing.ts'

/**
 * The variables that a model reads in its forward pass, wherever they are in it, each with another one in its place. A swap gives all of these
 * their values in one turn: a run that was submitted has the old ones, the next one the new ones, and none has both. Values are
 * shared with the model until it changes them, which copies them then.
 */
export class Snapshot {
  readonly #standIns = new Map<Cell, Variable>()
  #version = 1
  #publisher: Publisher | undefined
  /** Ends that it follows another one; undefined where it does not. */
  #stop: (() => void) | undefined

  constructor(
    private readonly model: AnyTrainable,
    /** Runs the forward pass on inputs without data. */
    tryForward: () => void,
  ) {
    const { trace } = traced(() => this.#inEvaluation(tryForward))
    for (const cell of trace.variables.keys())
      this.#standIns.set(cell, variable(cell.variable.value, { trainable: false }))
  }

  /** 1 for the values at the beginning, and one more after each swap; that of the one that it follows. */
  get version(): number {
    return this.#version
  }

  /** What the model holds now, by its variables. */
  get values(): ReadonlyMap<Variable, Tensor> {
    return new Map([...this.#standIns].map(([{ variable }, { value }]) => [variable, value]))
  }

  /** Takes over what the variables of the model hold now, or what they are given here, as the next version unless given. */
  swap(values: ReadonlyMap<Variable, Tensor> = new Map(), version = this.#version + 1): void {
    if (this.#stop !== undefined)
      throw new TypeError(expected('swap', 'a predictor with parameters of its own', 'one that follows another one'))
    if (!types.isMap(values)) throw new TypeError(expected('swap', 'a map of variables to values', describe(values)))
    const next = [...this.#standIns.keys()].map(({ variable }) =>
      values.has(variable) ? checkedValue(variable, values.get(variable)) : variable.value,
    )
    // So that what cannot be computed is refused before anything is taken over.
    evaluateNodesSync(next.map(nodeOf))
    this.#serve(version, next)
  }

  /** @param next of each stand-in the value, in their order */
  #serve(version: number, next: readonly Tensor[]): void {
    for (const [i, standIn] of [...this.#standIns.values()].entries()) standIn.assign(next[i]!)
    this.#version = version
    this.#publish()
  }

  /** What others follow: it has this version now, and will have the next ones. */
  share(): SharedParameters {
    if (this.#publisher === undefined) {
      this.#publisher = new Publisher(this.#parameters)
      this.#publish()
    }
    return this.#publisher.shared
  }

  #publish(): void {
    const storages = [...this.#standIns.values()].map((standIn) => storageOf(nodeOf(standIn)))
    this.#publisher?.publish({ version: this.#version, storages })
  }

  /** Takes over the versions of another one, which it is in step with from then on. */
  follow(shared: SharedParameters): () => void {
    const parameters = this.#parameters
    const reader = new SharedReader(shared, parameters)
    this.unfollow()
    const stop = followShared(reader, ({ version, arrays }) => {
      const next = parameters.map(({ dtype, shape }, i) => wrap(data(arrays[i]!, dtype, shape)))
      this.#serve(version, next)
    })
    this.#stop = stop
    return () => {
      if (this.#stop === stop) this.unfollow()
    }
  }

  unfollow(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** By the paths that lead to them, where one does. */
  get #parameters(): SharedParameter[] {
    const { paths } = partsOf(this.model)
    return [...this.#standIns.keys()].map(({ variable, dtype, shape }, i) => ({
      name: paths.get(variable) ?? variable.name ?? String(i),
      dtype,
      shape,
    }))
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

/** @throws TypeError for what the variable cannot hold */
function checkedValue(variable: Variable, value: unknown): Tensor {
  if (!(value instanceof Tensor)) throw new TypeError(expected('swap', 'a tensor for each variable', describe(value)))
  if (value.dtype === variable.dtype && sameShape(value.shape, variable.shape)) return value
  const [own, given] = [variable, value].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
  throw new TypeError(expected('swap', `${own} for a variable of that`, given))
}
