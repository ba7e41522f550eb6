/** Where nodes were recorded: noted only while anomalies are looked for, as a stack costs more than a node. */
import type { Node } from './node.ts'

export interface Origin {
  readonly stack: string
  /** The node whose gradient rule recorded it; null for what a user's function did. */
  readonly gradientOf: Node | null
}

/** So many frames: those of the user stand below those of the library. */
const frames = 64

let origins: WeakMap<Node, Origin> | null = null
let differentiated: Node | null = null
let depth = 0

/** From here on, until as many calls of `stopNoting`, origins are noted. */
export function startNoting(): void {
  origins ??= new WeakMap()
  depth++
}

export function stopNoting(): void {
  if (--depth === 0) origins = null
}

export const isNoting = (): boolean => origins !== null

export const originOf = (node: Node): Origin | undefined => origins?.get(node)

export function noteOrigin(node: Node): void {
  if (origins === null) return
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = frames
  origins.set(node, { stack: new Error().stack ?? '', gradientOf: differentiated })
  Error.stackTraceLimit = limit
}

/** Runs the gradient rule of a node: what it records is of that node's gradient. */
export function notingGradientOf<T>(node: Node, rule: () => T): T {
  const outer = differentiated
  differentiated = node
  try {
    return rule()
  } finally {
    differentiated = outer
  }
}
