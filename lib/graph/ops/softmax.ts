/** Softmax and cross-entropy along the last axis: fused instructions, each with its derivative in plain operations. */
import { isFloat, promote } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { extentAt, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../base/shape.ts'
import type { Emitter, View } from '../emitter.ts'
import { type Binary, type Node, type OpDef, record, type Unary } from '../node.ts'
import { reshape } from './broadcast.ts'
import { exp, mul, neg, sub } from './elementwise.ts'
import { oneHot } from './indexing.ts'
import { permute } from './movement.ts'
import { cast } from './promotion.ts'
import { sum } from './reduce.ts'

const rowsOf = (shape: Shape) => ({ rows: sizeOf(shape.slice(0, -1)), columns: extentAt(shape, -1) })

const softmaxOp: OpDef<null, Unary> = {
  name: 'softmax',
  infer: ([x]) => x,
  // s·(ct − Σ s·ct)
  vjp: (ct, s) => [mul(s, sub(ct, sum(mul(s, ct), -1, true)))],
  lower: (emitter, node) => emitter.emitNode('softmax', node, rowsOf(node.shape)),
}

const logSoftmaxOp: OpDef<null, Unary> = {
  name: 'logSoftmax',
  infer: ([x]) => x,
  // ct − softmax·Σ ct
  vjp: (ct, y) => [sub(ct, mul(exp(y), sum(ct, -1, true)))],
  lower: (emitter, node) => emitter.emitNode('logSoftmax', node, rowsOf(node.shape)),
}

/** One instruction gives losses and gradient, which are two nodes. */
function lowerCrossEntropy(output: 'losses' | 'gradient') {
  return (emitter: Emitter, { inputs: [logits, labels], dtype }: Node<null, Binary>): View => {
    const { shape } = logits
    const operands = [emitter.dense(logits), emitter.dense(labels)]
    const types = [{ dtype, shape: shape.slice(0, -1) }, logits] as const
    const [losses, gradient] = emitter.emitShared('softmaxCrossEntropy', operands, types, rowsOf(shape))
    return emitter.denseView({ losses, gradient }[output])
  }
}

const isClasses = (labels: Node): boolean => labels.dtype === 'int32'

/** The labels as rows of probabilities. */
const probabilities = (logits: Node, labels: Node): Node =>
  isClasses(labels) ? oneHot(labels, extentAt(logits.shape, -1), logits.dtype) : labels

const softmaxCrossEntropyOp: OpDef<null, Binary> = {
  name: 'softmaxCrossEntropy',
  infer: ([logits]) => ({ dtype: logits.dtype, shape: logits.shape.slice(0, -1) }),
  vjp(ct, { inputs: [logits, labels] }) {
    const rows = reshape(ct, [...ct.shape, 1])
    const gradient = record(softmaxCrossEntropyGradientOp, [logits, labels], null)
    return [mul(rows, gradient), isClasses(labels) ? null : neg(mul(rows, logSoftmax(logits)))]
  },
  lower: lowerCrossEntropy('losses'),
}

/** softmax(logits)·Σp − p */
const softmaxCrossEntropyGradientOp: OpDef<null, Binary> = {
  name: 'softmaxCrossEntropyGradient',
  infer: ([logits]) => logits,
  vjp(ct, { inputs: [logits, labels] }) {
    const [s, p] = [softmax(logits), probabilities(logits, labels)]
    const product = mul(s, ct)
    const inner = sum(product, -1, true)
    const weight = sum(p, -1, true)
    return [mul(weight, sub(product, mul(s, inner))), isClasses(labels) ? null : sub(inner, ct)]
  },
  lower: lowerCrossEntropy('gradient'),
}

/** Runs an operation along the last axis, whichever one was asked for. */
function alongAxis(name: string, def: OpDef<null, Unary>) {
  return (x: Node, axis = -1): Node => {
    const float = isFloat(x.dtype) ? x : cast(x, 'float32')
    const rank = x.shape.length
    const along = normalizeAxis(name, axis, rank)
    if (along === rank - 1) return record(def, [float], null)
    const order = x.shape.map((_, i) => i)
    order[along] = rank - 1
    order[rank - 1] = along
    return permute(record(def, [permute(float, order)], null), order)
  }
}

export const softmax = alongAxis('softmax', softmaxOp)
export const logSoftmax = alongAxis('logSoftmax', logSoftmaxOp)

/** Per-row losses of logits[…, classes] against classes[…] (integers) or rows of probabilities[…, classes]. */
export function softmaxCrossEntropy(logits: Node, labels: Node): Node {
  if (logits.shape.length === 0 || logits.shape.at(-1) === 0)
    throw new ShapeError(expected('softmaxCrossEntropy', 'logits[…, classes]', formatShape(logits.shape)))
  const classes = !isFloat(labels.dtype)
  const shape = classes ? logits.shape.slice(0, -1) : logits.shape
  if (labels.dtype === 'bool')
    throw new DTypeError(expected('softmaxCrossEntropy', 'integer or float labels', labels.dtype))
  if (!sameShape(labels.shape, shape))
    throw new ShapeError(
      `softmaxCrossEntropy: expected ${classes ? 'integer' : 'one-hot'} labels of shape ${formatShape(shape)} for logits ${formatShape(logits.shape)}, got ${formatShape(labels.shape)}`,
    )
  const dtype = classes
    ? isFloat(logits.dtype)
      ? logits.dtype
      : 'float32'
    : promote(promote(logits.dtype, 'float32'), labels.dtype)
  return record(softmaxCrossEntropyOp, [cast(logits, dtype), cast(labels, classes ? 'int32' : dtype)], null)
}

export const softmaxOps = {
  softmax: softmaxOp,
  logSoftmax: logSoftmaxOp,
  softmaxCrossEntropy: softmaxCrossEntropyOp,
  softmaxCrossEntropyGradient: softmaxCrossEntropyGradientOp,
}
