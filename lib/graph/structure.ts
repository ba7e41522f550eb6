/**
 * The structure of a graph: all that its program depends on, but for the numbers in it. Data and literals are what
 * graphs of one structure differ in.
 */
import { dtypes } from '../base/dtype.ts'
import { hashData, hashText, mix, sameData } from '../base/hash.ts'
import { type Shape, sameShape } from '../base/shape.ts'
import type { NodeUpdate } from './lower.ts'
import { type Node, numberedOrder, type OpDef, type Params, pendingInputs, type TensorType } from './node.ts'
import { isLiteral } from './ops/leaf.ts'

/** A graph with its nodes numbered, until another walk numbers nodes. */
export interface Structure {
  readonly order: readonly Node[]
  /** The results, then the new values of the states. */
  readonly roots: readonly Node[]
  /** Where the leaf of each state stands in the order; −1 where nothing reads it. */
  readonly states: readonly number[]
  readonly hash: number
}

const noStates: readonly number[] = []

export function structureOf(results: readonly Node[], updates: readonly NodeUpdate[] = []): Structure {
  const roots = updates.length === 0 ? results : [...results, ...updates.map(({ value }) => value)]
  const order = numberedOrder(roots, pendingInputs)
  const states =
    updates.length === 0 ? noStates : updates.map(({ leaf }) => (order[leaf.position] === leaf ? leaf.position : -1))
  return { order, roots, states, hash: structuralHash(order, roots, states) }
}

// --- Its hash ---------------------------------------------------------------------------------------------------------

/**
 * What an operation is to a program: how it is lowered. Operations that differ in their gradients alone are one, and a
 * rule that a user gave for them is not kept alive.
 */
type Lowering = OpDef['lower']

const opHashes = new WeakMap<Lowering, number>()

function hashOp({ lower, name }: OpDef): number {
  let hash = opHashes.get(lower)
  if (hash === undefined) {
    hash = hashText(0, name)
    opHashes.set(lower, hash)
  }
  return hash
}

function hashNode(node: Node): number {
  let hash = hashOp(node.def)
  if (!isLiteral(node)) hash = hashData(hash, node.params)
  return node.inputs.length === 0 ? hashType(hash, node) : hash
}

/** Of the operation, its parameters and, of a leaf, its type. */
function hashOf(node: Node): number {
  node.hashed ??= hashNode(node)
  return node.hashed
}

function hashType(hash: number, { dtype, shape }: TensorType): number {
  hash = mix(hash, dtypes.indexOf(dtype))
  for (const extent of shape) hash = mix(hash, extent)
  return hash
}

/** Equal for equal structures, as an evaluation sees them: what has a value is a leaf, whatever it was made from. */
function structuralHash(order: readonly Node[], roots: readonly Node[], states: readonly number[]): number {
  let hash = order.length
  for (const node of order) {
    if (node.storage !== null) hash = hashType(hash, node)
    else {
      hash = mix(hash, hashOf(node))
      for (const input of node.inputs) hash = mix(hash, input.position)
    }
  }
  for (const root of roots) hash = mix(hash, root.position)
  for (const position of states) hash = mix(hash, position)
  return hash
}

// --- Its comparison ---------------------------------------------------------------------------------------------------

/** What tells one structure from another, per node in its order; `lower` is null for a node that has its value. */
interface NodeKey {
  readonly lower: Lowering | null
  /** null for a literal, too: its number is no part of the structure. */
  readonly params: Params
  readonly inputs: readonly number[]
  readonly dtype: string
  readonly shape: Shape
}

/** A structure without its nodes, for comparison with others. */
export interface StructureKey {
  readonly nodes: readonly NodeKey[]
  readonly roots: readonly number[]
  readonly states: readonly number[]
}

export const keyOf = ({ order, roots, states }: Structure): StructureKey => ({
  nodes: order.map(keyOfNode),
  roots: roots.map(({ position }) => position),
  states,
})

const keyOfNode = (node: Node): NodeKey => ({
  lower: node.storage === null ? node.def.lower : null,
  params: node.storage === null && !isLiteral(node) ? node.params : null,
  inputs: pendingInputs(node).map(({ position }) => position),
  dtype: node.dtype,
  shape: node.shape,
})

export function matches(key: StructureKey, { order, roots, states }: Structure): boolean {
  const { nodes } = key
  if (nodes.length !== order.length || key.roots.length !== roots.length || key.states.length !== states.length)
    return false
  for (let i = 0; i < roots.length; i++) if (roots[i]!.position !== key.roots[i]) return false
  for (let i = 0; i < states.length; i++) if (states[i] !== key.states[i]) return false
  for (let i = 0; i < order.length; i++) if (!matchesNode(nodes[i]!, order[i]!)) return false
  return true
}

function matchesNode(key: NodeKey, node: Node): boolean {
  if (node.storage !== null) return key.lower === null && sameType(key, node)
  const { inputs } = node
  if (key.lower !== node.def.lower || key.inputs.length !== inputs.length) return false
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.position !== key.inputs[i]) return false
  if (inputs.length === 0 && !sameType(key, node)) return false
  return isLiteral(node) || sameData(key.params, node.params)
}

const sameType = (key: NodeKey, { dtype, shape }: Node): boolean => key.dtype === dtype && sameShape(key.shape, shape)
