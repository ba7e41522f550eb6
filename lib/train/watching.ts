/**
 * What those parts of the library that record a training see of it beyond what hooks are told: tensors of the steps while they are recorded, so
 * that what is made of them is computed in the same program, and the training itself.
 */
import type { Minimizer } from '../optim/minimizer.ts'
import { type SeenStep, watchedOptimizer } from '../optim/watch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Callbacks } from './callbacks/callback.ts'
import type { Sums } from './scores.ts'
import type { Crossing } from './source.ts'

/** Under which callbacks keep a list of what they watch. */
export const watching: unique symbol = Symbol('watching')

export type WatchedTensors = Readonly<Record<string, Tensor>>

/** What a step on the validation set has, while it is recorded. */
export interface SeenRows {
  readonly prediction: unknown
  readonly target: unknown
  readonly rows: number
}

/** Some steps of one crossing. */
export interface SeenCrossing {
  readonly crossing: Crossing
  /** Step by step. */
  readonly batches: readonly Sums[]
}

/** What is made of a step is among its results, which come back crossing by crossing: stacked where that has several steps. */
export interface Watching {
  /** Recorded in each training step. */
  step?(seen: SeenStep): WatchedTensors
  /** Called before the steps of the crossing count. */
  onSteps?(results: WatchedTensors, seen: SeenCrossing): void
  /** Recorded in each step on the validation set. */
  rows?(seen: SeenRows): WatchedTensors
  onRows?(results: WatchedTensors, seen: SeenCrossing): void
}

export const watchingOf = (callbacks: readonly Callbacks[]): readonly Watching[] =>
  callbacks.flatMap((each) => (each as { readonly [watching]?: readonly Watching[] })[watching] ?? [])

/** The optimizer, and what the watching make of the step that it records next. */
export function watchSteps(optimizer: Minimizer, all: readonly Watching[]) {
  const steps = all.filter(({ step }) => step !== undefined)
  if (steps.length === 0) return { optimizer, watched: (): WatchedTensors[] => all.map(() => ({})) }
  let seen: SeenStep = {}
  const watched = watchedOptimizer(optimizer, (step) => {
    seen = step
  })
  return { optimizer: watched, watched: (): WatchedTensors[] => all.map((each) => each.step?.(seen) ?? {}) }
}
