/** Functions that are recorded as a part of an operation: the step of a loop, the branches of a condition. */
import { describe } from '../base/arguments.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { isThenable, leavesOf, mapTree, treeKey } from '../base/tree.ts'
import type { Node } from '../graph/node.ts'
import { cast } from '../graph/ops/promotion.ts'
import { Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { activeTrace, type TracedVariable } from '../tensor/trace.ts'

/** The same arrays and plain objects, with a tensor for each tensor, variable and number. */
export type Tensors<T> = T extends Tensor | number
  ? Tensor
  : T extends null | undefined
    ? T
    : { -readonly [K in keyof T]: Tensors<T[K]> }

/** The same, that may be of constants. */
export type ReadonlyTensors<T> = T extends Tensor | number
  ? Tensor
  : T extends null | undefined
    ? T
    : { readonly [K in keyof T]: ReadonlyTensors<T[K]> }

/** Nested values with a node for each leaf. */
export interface NodeTree {
  /** Each with its path. */
  readonly leaves: readonly (readonly [path: string, node: Node])[]
  /** The same containers around other nodes, as many. */
  rebuild(nodes: readonly Node[]): unknown
  readonly key: string
}

const isMissing = (x: unknown): boolean => x === undefined || x === null

/** Leaves are tensors, and numbers; where `mayMiss`, undefined and null stay as they are. */
export function nodeTree(op: string, name: string, tree: unknown, mayMiss = false): NodeTree {
  const isLeaf = (x: unknown) => !(mayMiss && isMissing(x))
  const leaves = leavesOf(op, name, tree)
    .filter(([, x]) => isLeaf(x))
    .map(([path, x]) => [path, nodeOfLeaf(op, path, x)] as const)
  return {
    leaves,
    rebuild(nodes) {
      let i = 0
      return mapTree(op, tree, (x) => (isLeaf(x) ? wrap(nodes[i++] as Node) : x))
    },
    key: treeKey(op, tree, (x) => (isLeaf(x) ? '*' : '')),
  }
}

function nodeOfLeaf(op: string, path: string, x: unknown): Node {
  if (x instanceof Tensor || typeof x === 'number') return toNode(op, x as TensorLike)
  throw new TypeError(expected(op, `${path} of tensors, numbers and nested arrays or objects of them`, describe(x)))
}

/**
 * The nodes of a tree that has to be like another one: the same containers, and leaves of the same types.
 * @throws TypeError, DTypeError, ShapeError that name the leaf
 */
export function nodesLike(op: string, name: string, tree: unknown, wanted: NodeTree): Node[] {
  const found = nodeTree(op, name, tree)
  if (found.key !== wanted.key) {
    const paths = ({ leaves }: NodeTree) => leaves.map(([path]) => path).join(', ') || 'none'
    throw new TypeError(expected(op, `tensors as they were given (${paths(wanted)})`, paths(found)))
  }
  return found.leaves.map(([path, given], i) => {
    const like = wanted.leaves[i]?.[1] as Node
    // A plain number takes the dtype.
    const node = isWeak(given) ? cast(given, like.dtype) : given
    if (node.dtype !== like.dtype) throw new DTypeError(expected(op, `${path} of ${like.dtype} as before`, node.dtype))
    if (!sameShape(node.shape, like.shape))
      throw new ShapeError(
        expected(op, `${path} of shape ${formatShape(like.shape)} as before`, formatShape(node.shape)),
      )
    return node
  })
}

const isWeak = ({ params }: Node): boolean => params !== null && 'weak' in params && params.weak === true

/**
 * What a function gives that is recorded once for many runs.
 * @throws TypeError where it is async, or assigns a variable, whose value would be that of one of these runs
 */
export function runStep<T>(op: string, fn: () => T): T {
  const variables = activeTrace()?.variables
  const before = new Map([...(variables ?? [])].map(([cell, { value }]) => [cell, value]))
  const result = fn()
  if (isThenable(result)) {
    result.then(undefined, () => {})
    throw new TypeError(expected(op, 'functions that are not async', 'one that returned a promise'))
  }
  for (const [cell, traced] of variables ?? []) {
    const value = before.get(cell) ?? traced.leaf
    if (traced.value === value) continue
    ;(traced as TracedVariable).value = value
    throw new TypeError(expected(op, 'functions that assign no variable', `one that assigns ${cell.variable}`))
  }
  return result
}
