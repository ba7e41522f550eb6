/**
 * Sums over the steps of a loop that are taken after it: of products one product, in which the steps are part of the axis that
 * is summed over, and of sums one sum. What is neither is added up from step to step.
 */
import { elementAt } from '../../base/lists.ts'
import { extentAt } from '../../base/shape.ts'
import type { Precision } from '../../program/vocabulary.ts'
import type { Node, OpDef } from '../node.ts'
import { precisionOf, withActivePrecision } from '../precision.ts'
import { reshape, reshapeOp, sumOp, sumOver } from './broadcast.ts'
import { add, elementwiseOps } from './elementwise.ts'
import type { LoopResults } from './loop.ts'
import { matmul, matmulOps } from './matmul.ts'
import { isTransposed, movementOps, pad, permute, transposeMatrices } from './movement.ts'

/** A node around the loop, from the results of the loop. */
export type AfterLoop = (results: LoopResults) => Node

export interface LoopParts {
  /** By what stands for a part of a sequence, the sequence. */
  readonly wholes: ReadonlyMap<Node, Node>
  readonly length: number
  /** Whether a node differs from step to step. */
  isInside(node: Node): boolean
  /** Has a node of the step stacked; gives its place among the outputs. */
  stack(node: Node): number
  /** Has a node of the step added up; gives its place among the carries. */
  accumulate(node: Node): number
}

const is = <P>(node: Node, def: { lower: OpDef['lower'] } & P): boolean => node.def === (def as unknown as OpDef)

/** Σ over the steps of a node of the step; `isTurned` where what is wanted dense is its transpose. */
export function sumAfterLoop(node: Node, isTurned: boolean, parts: LoopParts): AfterLoop {
  const moved = movedSum(node, isTurned, parts)
  if (moved !== null) return moved
  const place = parts.accumulate(node)
  return ({ finals }) => elementAt(finals, place)
}

/** The same where it is a product, a sum, or made of such by what is linear; else null. */
function movedSum(node: Node, isTurned: boolean, parts: LoopParts): AfterLoop | null {
  const { inputs, params } = node
  const [a, b] = inputs as [Node, Node]
  if (is(node, matmulOps.matmul) && node.shape.length === 2 && parts.isInside(a) && parts.isInside(b))
    return sumOfProducts(a, b, isTurned, parts, precisionOf(node))
  if (is(node, sumOp)) return sumOfSums(a, (params as { axes: readonly number[] }).axes, parts)
  if (is(node, elementwiseOps.add)) {
    const [left, right] = [sumAfterLoop(a, isTurned, parts), sumAfterLoop(b, isTurned, parts)]
    return (results) => add(left(results), right(results))
  }
  const linear = linearOf(node)
  if (linear === null) return null
  const inner = movedSum(a, linear.turns ? !isTurned : isTurned, parts)
  return inner && ((results) => linear.apply(inner(results)))
}

interface Linear {
  readonly turns?: boolean
  apply(x: Node): Node
}

function linearOf(node: Node): Linear | null {
  const { params, shape } = node
  if (is(node, reshapeOp)) return { apply: (x) => reshape(x, shape) }
  if (is(node, movementOps.permute)) {
    const { axes } = params as { axes: readonly number[] }
    return { turns: isTransposed(node), apply: (x) => permute(x, axes) }
  }
  if (is(node, movementOps.pad)) {
    const { starts, steps } = params as { starts: readonly number[]; steps: readonly number[] }
    return { apply: (x) => pad(x, shape, starts, steps) }
  }
  return null
}

/** Σ a[m, k]·b[k, n] as one product over [steps, k]. */
function sumOfProducts(a: Node, b: Node, isTurned: boolean, parts: LoopParts, precision: Precision): AfterLoop {
  const [m, n] = [extentAt(a.shape, 0), extentAt(b.shape, 1)]
  const summed = parts.length * extentAt(b.shape, 0)
  const [left, right] = [stacked(transposeMatrices(a), parts), stacked(b, parts)]
  return (results) => {
    const x = reshape(left(results), [summed, m])
    const y = reshape(right(results), [summed, n])
    return withActivePrecision(precision, () =>
      isTurned ? transposeMatrices(matmul(transposeMatrices(y), x)) : matmul(transposeMatrices(x), y),
    )
  }
}

function sumOfSums(x: Node, axes: readonly number[], parts: LoopParts): AfterLoop | null {
  if (!parts.isInside(x)) return null
  const whole = stacked(x, parts)
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
  return (results) => reshape(sumOver(whole(results), [0, ...axes.map((axis) => axis + 1)]), kept)
}

/** A node of the step over all steps: a sequence that it is a part of, seen as the node sees its part, or what is stacked. */
function stacked(node: Node, parts: LoopParts): AfterLoop {
  const { inputs, params, shape } = node
  const whole = parts.wholes.get(node)
  if (whole !== undefined) return () => whole
  const [x] = inputs
  if (x !== undefined && parts.isInside(x)) {
    if (is(node, movementOps.permute)) {
      const { axes } = params as { axes: readonly number[] }
      const inner = stacked(x, parts)
      return (results) => permute(inner(results), [0, ...axes.map((axis) => axis + 1)])
    }
    if (is(node, reshapeOp)) {
      const inner = stacked(x, parts)
      return (results) => reshape(inner(results), [parts.length, ...shape])
    }
  }
  const place = parts.stack(node)
  return ({ outputs }) => elementAt(outputs, place)
}
