/** Leaves of the graph, and the identities that mark a value for gradients. */
import { type DType, elementOf, scalarArray, type TypedArray } from '../../base/dtype.ts'
import { InternalError } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import { Node, newStorage, type OpDef, type Storage, storageOf, type Unary } from '../node.ts'

/** A value that exists: bound as an input of whichever program reads it. */
const dataOp: OpDef<null> = {
  name: 'data',
  infer: inferLeaf,
  lower() {
    throw new InternalError('a data leaf is bound, not lowered')
  },
}

function inferLeaf(): never {
  throw new InternalError('a leaf is made with its type')
}

/** A value that each run of a compiled function binds anew. */
const placeholderOp: OpDef<null> = { ...dataOp, name: 'placeholder' }

const literalOp: OpDef<{ value: number; weak: boolean }> = {
  name: 'literal',
  infer: inferLeaf,
  lower: (emitter, { dtype, shape, params }) => emitter.repeated(emitter.literal(dtype, params.value), shape),
}

const identityOf = (name: string): OpDef<null, Unary> => ({
  name,
  infer: ([x]) => x,
  vjp: (cotangent) => [cotangent],
  lower: (emitter, { inputs: [x] }) => emitter.viewOf(x),
})

const watchOp = identityOf('watch')
const stopGradientOp: OpDef<null, Unary> = { ...identityOf('stopGradient'), vjp: () => [null] }

export const data = (array: TypedArray, dtype: DType, shape: Shape, tracked = false): Node =>
  leafOf(newStorage(array), dtype, shape, tracked)

export function leafOf(storage: Storage, dtype: DType, shape: Shape, tracked: boolean): Node {
  const node = new Node(dataOp, [], null, { dtype, shape }, tracked)
  node.storage = storage
  return node
}

/** What leaves without a value will start from: nodes that nobody else holds. */
const starts = new WeakMap<Node, Node>()

/** A leaf that takes the value of a node when it is first needed; to gradients it has no history from the start. */
export function leafFrom(start: Node, tracked: boolean): Node {
  const leaf = new Node(dataOp, [], null, start, tracked)
  // A node of its own: who holds `start` would hold the buffer too.
  starts.set(leaf, stopGradient(start))
  return leaf
}

/** Whether it is a leaf that has no value yet. */
export const isUnstarted = (node: Node): boolean => node.storage === null && node.def === dataOp

/** The node whose value an unstarted leaf is to take. */
export function startOf(leaf: Node): Node {
  const start = starts.get(leaf)
  if (start === undefined) throw new InternalError('a leaf that has a value does not start')
  return start
}

/** Lets go of what a leaf was made from, which has its value now. */
export const forgetStart = (leaf: Node): unknown => starts.delete(leaf)

export const placeholder = (dtype: DType, shape: Shape, tracked = false): Node =>
  new Node(placeholderOp, [], null, { dtype, shape }, tracked)

/** Nothing before it counts for gradients, whether it has one or not. */
export const stopsGradient = (node: Node): boolean => node.def === stopGradientOp

export const isPlaceholder = (node: Node): boolean => node.def === placeholderOp

/**
 * A number that a user gave, as a scalar of a dtype.
 * @throws RangeError where an integer dtype does not hold it
 */
export const elementLiteral = (op: string, value: number | boolean, dtype: DType): Node =>
  literal(elementOf(op, value, dtype), dtype)

const noInputs: readonly [] = []
const scalar: Shape = []

/** A constant, one number for all elements. A weak one, a JavaScript number, takes the dtype of what it meets. */
export const literal = (value: number, dtype: DType, weak = false, shape = scalar): Node =>
  new Node(literalOp, noInputs, { value, weak }, { dtype, shape }, false)

export const isLiteral = (node: Node): boolean => node.def === literalOp

/** The number of a literal. */
export const literalValue = (node: Node): number => (node.params as { value: number }).value

/** What a run binds for a leaf: its data or, of a literal that is an input of the program, its number. */
export const leafArray = (node: Node): TypedArray =>
  node.storage === null && isLiteral(node) ? scalarArray(node.dtype, literalValue(node)) : storageOf(node).array

/** The number that a weak literal stands for, or undefined. */
export function weakValue(node: Node): number | undefined {
  if (node.def !== literalOp) return undefined
  const { value, weak } = node.params as { value: number; weak: boolean }
  return weak ? value : undefined
}

/** The same value, with its history kept from here on. */
export function watch(x: Node): Node {
  const node = new Node(watchOp, [x], null, x, true)
  node.held = x.held
  return node
}

/** The same value, a constant to gradients. */
export const stopGradient = (x: Node): Node => new Node(stopGradientOp, [x], null, x, false)

export const leafOps = {
  data: dataOp,
  placeholder: placeholderOp,
  literal: literalOp,
  watch: watchOp,
  stopGradient: stopGradientOp,
}
