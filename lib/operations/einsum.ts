/** Sums of products in Einstein's notation. */

import { checkText } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo } from '../graph/ops/broadcast.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { contractAll, type Term } from './contraction.ts'

const failed = (what: string, got: unknown): ShapeError => new ShapeError(expected('einsum', what, got))

/** The labels of one operand, or of the result: `count` of them for the ellipsis. */
function labelsOf(text: string, count: number): string[] {
  const [before, after, ...more] = text.split('...')
  const letters = `${before}${after ?? ''}`
  if (more.length > 0 || !/^[A-Za-z]*$/.test(letters)) throw failed('letters and at most one ellipsis', `'${text}'`)
  if (after === undefined) return [...letters]
  return [...before!, ...Array.from({ length: count }, (_, i) => `.${count - i}`), ...after]
}

function ellipsisAxes(text: string, { shape }: Node): number {
  const letters = text.replace('...', '').length
  const axes = shape.length - letters
  if (axes < 0 || (axes > 0 && !text.includes('...'))) throw failed(`${letters} axes for '${text}'`, formatShape(shape))
  return axes
}

/** Axes of one label have one extent, or 1, which is broadcast; those of a diagonal have just one. */
function broadcastLabels(terms: readonly Term[]): Term[] {
  const extents = new Map<string, number>()
  for (const { node, labels } of terms)
    labels.forEach((label, axis) => {
      const [extent, known] = [extentAt(node.shape, axis), extents.get(label) ?? 1]
      const isDiagonal = labels.indexOf(label) < axis
      if (extent !== known && (isDiagonal || (extent !== 1 && known !== 1))) {
        const name = label.startsWith('.') ? 'the ellipsis' : label
        throw failed(`one extent for ${name}`, `${known} and ${extent}`)
      }
      extents.set(label, known === 1 ? extent : known)
    })
  return terms.map(({ node, labels }) => ({
    node: broadcastTo(
      node,
      labels.map((label) => extents.get(label)!),
    ),
    labels,
  }))
}

/** Without an arrow: the ellipsis, then in alphabetical order what is there once. */
function implicitOutput(terms: readonly Term[]): string[] {
  const all = terms.flatMap(({ labels }) => labels)
  const letters = all.filter((label) => !label.startsWith('.'))
  const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label)).sort()
  const longest = Math.max(0, ...all.map((label) => (label.startsWith('.') ? Number(label.slice(1)) : 0)))
  return [...labelsOf('...', longest), ...once]
}

/**
 * Sums of products of tensors, in Einstein's notation: each axis of the operands has a letter, axes with the same letter run
 * together, and what the result does not name is summed. `...` stands for all the other axes, which broadcast; a letter
 * twice in one operand is a diagonal; without `->` the result has, in alphabetical order, the letters that are there
 * once. More than two operands are multiplied from left to right, so their order decides about the work.
 *
 * @example
 * einsum('ij,jk->ik', x, y)            // x.matmul(y)
 * einsum('bhqd,bhkd->bhqk', q, k)      // the scores of an attention
 * einsum('ii', x)                      // the trace
 * einsum('...i,i->...', x, weights)    // weighted sums of the last axis
 *
 * @throws ShapeError for an expression that does not fit the operands, or whose letters have several extents
 * @pytorch torch.einsum
 * @tensorflow tf.einsum
 * @numpy np.einsum
 */
export function einsum(expression: string, ...operands: readonly TensorLike[]): Tensor {
  const [inputs, output, ...more] = checkText('einsum', 'an expression', expression)
    .replaceAll(/\s/g, '')
    .split('->') as [string, string?, ...string[]]
  const texts = inputs.split(',')
  if (more.length > 0) throw failed('at most one arrow', `'${expression}'`)
  if (texts.length !== operands.length) throw failed(`${texts.length} operands for '${expression}'`, operands.length)
  const nodes = operands.map((x) => toNode('einsum', x))
  const counts = texts.map((text, i) => ellipsisAxes(text, elementAt(nodes, i)))
  const terms = broadcastLabels(
    texts.map((text, i) => ({ node: elementAt(nodes, i), labels: labelsOf(text, elementAt(counts, i)) })),
  )
  const labels = output === undefined ? implicitOutput(terms) : labelsOf(output, Math.max(...counts))
  const unknown = labels.find(
    (label, i) => labels.indexOf(label) < i || !terms.some((term) => term.labels.includes(label)),
  )
  if (unknown !== undefined) throw failed('letters of the operands, each once, as the result', `'${output}'`)
  return wrap(contractAll(terms, labels))
}
