/** Sums of products over labelled axes, as few products of matrices as there are pairs of operands. */

import { elementAt } from '../base/lists.ts'
import { extentAt, sizeOf } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { matmul } from '../graph/ops/matmul.ts'
import { permute } from '../graph/ops/movement.ts'
import { sum } from '../graph/ops/reduce.ts'
import { nodeOf, wrap } from '../tensor/tensor.ts'
import { diagonal } from './diagonals.ts'

/** An operand whose axes have labels: letters, or, of an ellipsis, their distance from its end. */
export interface Term {
  readonly node: Node
  readonly labels: readonly string[]
}

const extentsOf = ({ node, labels }: Term, wanted: readonly string[]): number[] =>
  wanted.map((label) => extentAt(node.shape, labels.indexOf(label)))

const orderedBy = ({ node, labels }: Term, order: readonly string[]): Node =>
  permute(
    node,
    order.map((label) => labels.indexOf(label)),
  )

/** Σ over the axes whose labels nobody needs. */
function sumOut({ node, labels }: Term, isNeeded: (label: string) => boolean): Term {
  const axes = labels.flatMap((label, axis) => (isNeeded(label) ? [] : [axis]))
  return axes.length === 0 ? { node, labels } : { node: sum(node, axes), labels: labels.filter(isNeeded) }
}

/** A label of two axes is one of their diagonal. */
function withDistinctLabels({ node, labels }: Term): Term {
  const axis2 = labels.findIndex((label, axis) => labels.indexOf(label) < axis)
  if (axis2 === -1) return { node, labels }
  const axis1 = labels.indexOf(elementAt(labels, axis2))
  const others = labels.filter((_, axis) => axis !== axis1 && axis !== axis2)
  return withDistinctLabels({
    node: nodeOf(diagonal(wrap(node), { axis1, axis2 })),
    labels: [...others, elementAt(labels, axis2)],
  })
}

/**
 * Σ a·b over the labels of both that nobody needs: one product of matrices a[batch, m, k] · b[batch, k, n], with the
 * axes of a kind as one. Where there is nothing to sum, or m = n = 1, elements are multiplied instead.
 */
function contract(a: Term, b: Term, isNeeded: (label: string) => boolean): Term {
  const [left, right] = [
    sumOut(a, (x) => isNeeded(x) || b.labels.includes(x)),
    sumOut(b, (x) => isNeeded(x) || a.labels.includes(x)),
  ]
  const shared = left.labels.filter((label) => right.labels.includes(label))
  const batch = shared.filter(isNeeded)
  const summed = shared.filter((label) => !isNeeded(label))
  const ofLeft = left.labels.filter((label) => !shared.includes(label))
  const ofRight = right.labels.filter((label) => !shared.includes(label))
  const [batchExtents, leftExtents] = [extentsOf(left, batch), extentsOf(left, ofLeft)]
  const rightExtents = extentsOf(right, ofRight)
  const [size, m, n, k] = [batchExtents, leftExtents, rightExtents, extentsOf(left, summed)].map(sizeOf) as [
    number,
    number,
    number,
    number,
  ]
  const rows = reshape(orderedBy(left, [...batch, ...ofLeft, ...summed]), [size, m, k])
  const isProduct = summed.length > 0 && (ofLeft.length > 0 || ofRight.length > 0)
  let product: Node
  if (isProduct) product = matmul(rows, reshape(orderedBy(right, [...batch, ...summed, ...ofRight]), [size, k, n]))
  else {
    const columns = reshape(orderedBy(right, [...batch, ...ofRight, ...summed]), [size, 1, n, k])
    product = sum(mul(reshape(rows, [size, m, 1, k]), columns), -1)
  }
  const labels = [...batch, ...ofLeft, ...ofRight]
  return { node: reshape(product, [...batchExtents, ...leftExtents, ...rightExtents]), labels }
}

/** Operands contracted from left to right, with the axes of the result in the order of `output`. */
export function contractAll(terms: readonly Term[], output: readonly string[]): Node {
  const [first, ...rest] = terms.map(withDistinctLabels) as [Term, ...Term[]]
  const result = rest.reduce((product, term, i) => {
    const later = rest.slice(i + 1)
    return contract(product, term, (x) => output.includes(x) || later.some(({ labels }) => labels.includes(x)))
  }, first)
  return orderedBy(
    sumOut(result, (label) => output.includes(label)),
    output,
  )
}
