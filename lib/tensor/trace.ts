/** What `compile` collects while it runs a function once to record it. */

import { checkFunction } from '../base/arguments.ts'
import type { DType, TypedArray } from '../base/dtype.ts'
import type { Shape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { data, placeholder } from '../graph/ops/leaf.ts'
import { activePrecision } from '../graph/precision.ts'
import type { Cell } from './cell.ts'

/** A variable that the function reads: the leaf of its value before the run, and its value as recorded so far. */
export interface TracedVariable {
  readonly leaf: Node
  value: Node
}

/** A leaf that is read anew at each run. */
export interface DynamicInput {
  readonly leaf: Node
  readonly read: () => TypedArray
}

/** Whether something that the function read while it was recorded is still what it was. */
export type Guard = () => boolean

export interface Trace {
  readonly variables: Map<Cell, TracedVariable>
  readonly dynamicInputs: DynamicInput[]
  readonly guards: Guard[]
}

let active: Trace | null = null

export const activeTrace = (): Trace | null => active

/** Runs a function as if nothing were being recorded: variables have the values that they hold now. */
export function untraced<T>(fn: () => T): T {
  const outer = active
  active = null
  try {
    return fn()
  } finally {
    active = outer
  }
}

/** Runs a function with every variable and dynamic input it meets recorded in a fresh trace. */
export function traced<T>(fn: () => T): { result: T; trace: Trace } {
  const outer = active
  const precision = activePrecision()
  const guards: Guard[] = [() => activePrecision() === precision]
  const trace: Trace = { variables: new Map(), dynamicInputs: [], guards }
  active = trace
  try {
    return { result: fn(), trace }
  } finally {
    active = outer
  }
}

/** Runs a function that is being recorded; what it assigns to variables is no part of the recording. */
export function withoutAssignments<T>(fn: () => T): T {
  const variables = activeTrace()?.variables ?? new Map<Cell, TracedVariable>()
  const before = new Map(Array.from(variables, ([cell, { value }]) => [cell, value]))
  try {
    return fn()
  } finally {
    for (const [cell, traced] of variables) traced.value = before.get(cell) ?? traced.leaf
  }
}

/**
 * Whether a function is being recorded by `compile`: values have no data then, and what a variable is assigned becomes
 * part of the function.
 */
export const isCompiling = (): boolean => active !== null

/**
 * What `read` gives. A compiled function that reads something in this way is recorded anew where it is another value by
 * the time of a call: a mode, a switch, whatever decides between branches and is no argument.
 *
 * @param read gives the value, compared by `===`; it has no effects, as it is called again before each run
 * @throws TypeError for what is no function
 *
 * @example
 * let sharpen = false
 * const filter = compile((x) => (guard(() => sharpen) ? x.mul(2) : x)) // follows `sharpen`
 */
export function guard<T>(read: () => T): T {
  checkFunction('guard', 'a function that gives the value', read)
  const value = read()
  active?.guards.push(() => read() === value)
  return value
}

/** A leaf whose data `read` gives: once here and now, or at each run of the function being compiled. */
export function dynamicInput(dtype: DType, shape: Shape, read: () => TypedArray): Node {
  if (active === null) return data(read(), dtype, shape)
  const leaf = placeholder(dtype, shape)
  active.dynamicInputs.push({ leaf, read })
  return leaf
}
