/**
 * What pipelines are made of: stages, each of which can begin a pass over its elements at any place that a pass once stood at.
 * Sources (arrays, generators, readers of files) are stages without parents, transformations have some.
 */
import type { Abortable } from '../base/abort.ts'

/** Plain data that JSON keeps. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** One pass over the elements. */
export interface Pass {
  /** Which one; the order that `shuffle` makes follows from its seed and this. */
  readonly epoch: number
  readonly signal?: Abortable | undefined
}

/**
 * Where elements come from, one after the other. Nobody calls `next` before the last one has settled, nor after one that threw;
 * once it is done it stays so. `close` may come at any time, also while `next` waits.
 */
export interface Cursor<T> {
  next(): Promise<IteratorResult<T, undefined>>
  /** Where the pass stands after the last element: a new one that begins there goes on with the same elements. Quick, and not asked for while `next` waits. */
  position(): Json
  /** Lets go of what is open. */
  close(): Promise<void>
}

/** A source of elements, or a transformation of those of others. */
export interface Stage<T> {
  /** With what makes the order or number of elements another one: `shuffle(100, seed 3)`. Saved states are of a pipeline of such names. */
  readonly name: string
  readonly parents: readonly Stage<unknown>[]
  /** Whether an element is a batch: tensors whose first axis is that of rows. */
  readonly batched: boolean
  /** The number of elements in a pass, Infinity where there is no end, undefined where it is not known. */
  readonly size: number | undefined
  /** Whether its elements come in another order, or others do, in each epoch. */
  readonly reordered: boolean
  /** Begins a pass, or goes on where `position` of one stood. */
  open(pass: Pass, position?: Json): Cursor<T>
  /** The stage of batches of so many rows, where the source has a quicker way to them than row by row. */
  readonly gathered?: (size: number, dropLast: boolean) => Stage<unknown>
}

export const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** The position that a stage itself saved, of the form that it has. */
export function savedAs<P extends Json>(position: Json | undefined): P | undefined {
  return position as P | undefined
}

/** The structure of a pipeline, in the order in which elements go through it: `fromArrays(5) → batch(2)`. */
export function structureOf(stage: Stage<unknown>): string {
  const parents = stage.parents.map(structureOf)
  if (parents.length === 0) return stage.name
  return parents.length === 1 ? `${parents[0]} → ${stage.name}` : `[${parents.join('; ')}] → ${stage.name}`
}

/** A stage over one parent, of which it is what it does not say of itself. */
export function over<T>(
  parent: Stage<unknown>,
  own: Pick<Stage<T>, 'name' | 'open'> & Partial<Omit<Stage<T>, 'parents' | 'gathered'>>,
): Stage<T> {
  const { batched, size, reordered } = parent
  return { batched, size, reordered, parents: [parent], ...own }
}

/** The size that a known one becomes. */
export const sizeBy = (size: number | undefined, change: (size: number) => number): number | undefined =>
  size === undefined ? undefined : change(size)
