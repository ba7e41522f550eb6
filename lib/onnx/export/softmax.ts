/** Softmax, cross-entropy and attention. */
import { isFloat } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import type { attentionOps } from '../../graph/ops/attention.ts'
import type { softmaxOps } from '../../graph/ops/softmax.ts'
import { Arithmetic } from './arithmetic.ts'
import { type Builder, int, ints } from './builder.ts'
import type { Dim } from './dims.ts'
import type { Operation } from './graph.ts'
import type { Rows } from './row.ts'
import type { Scope } from './scope.ts'

const along = { axis: int(-1) }

/** Labels as rows of probabilities of the dtype of the logits: classes as ones in zeros. */
function probabilities({ builder, graph }: Scope, { inputs }: Operation<unknown>, labels: string): string {
  const [logits, given] = [elementAt(inputs, 0), elementAt(inputs, 1)]
  if (isFloat(given.dtype)) return labels
  const count = graph.fixed(
    'softmaxCrossEntropy',
    'the number of classes',
    elementAt(logits.shape, logits.shape.length - 1),
  )
  const classes = builder.constant(
    'int32',
    [count],
    Int32Array.from({ length: count }, (_, i) => i),
  )
  const column = builder.node('Unsqueeze', [labels, builder.ints([-1])])
  return builder.cast(builder.node('Equal', [column, classes]), logits.dtype)
}

export const softmaxRows: Rows<keyof typeof softmaxOps> = {
  softmax: ({ builder }, _, x) => builder.node('Softmax', [x], along),
  logSoftmax: ({ builder }, _, x) => builder.node('LogSoftmax', [x], along),
  softmaxCrossEntropy({ builder }, { inputs }, logits, labels) {
    const logs = builder.node('LogSoftmax', [logits], along)
    const last = builder.ints([-1])
    if (!isFloat(elementAt(inputs, 1).dtype)) {
      const column = builder.node('Unsqueeze', [labels, last])
      return builder.node('Neg', [
        builder.node('Squeeze', [builder.node('GatherElements', [logs, column], along), last]),
      ])
    }
    // Where a probability is 0 nothing is lost, also of a class that is impossible.
    const m = new Arithmetic(builder, elementAt(inputs, 1).dtype)
    const terms = m.where(m.equal(labels, 0), 0, m.mul(labels, logs))
    return m.neg(builder.node('ReduceSum', [terms, last], { keepdims: int(0) }))
  },
  softmaxCrossEntropyGradient(scope, operation, logits, labels) {
    const { builder } = scope
    const m = new Arithmetic(builder, operation.dtype)
    const rows = probabilities(scope, operation, labels)
    const softmax = builder.node('Softmax', [logits], along)
    const weight = builder.node('ReduceSum', [rows, builder.ints([-1])], { keepdims: int(1) })
    return m.sub(m.mul(softmax, weight), rows)
  },
}

type AttentionName = keyof typeof attentionOps

type GradientParams = { scale: Dim; causal: boolean; of: 'q' | 'k' | 'v' }

/** x with its last two axes exchanged. */
function transposeMatrices(builder: Builder, x: string, rank: number): string {
  const turned = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
  return builder.node('Transpose', [x], { perm: ints(turned) })
}

/** scale · q·kᵀ, and −∞ where a query does not attend to a key. */
function scores(
  scope: Scope,
  { inputs, params, dtype }: Operation<{ scale: Dim; causal: boolean }>,
  operands: readonly string[],
): string {
  const { builder, graph } = scope
  const m = new Arithmetic(builder, dtype)
  const [q, k, mask] = [operands[0]!, operands[1]!, operands[3]]
  const rank = elementAt(inputs, 0).shape.length
  const scale = graph.fixed('attention', 'the scale', params.scale)
  let result = m.mul(m.apply('MatMul', q, transposeMatrices(builder, k, rank)), scale)
  if (mask !== undefined)
    result = elementAt(inputs, 3).dtype === 'bool' ? m.where(mask, result, -Infinity) : m.add(result, mask)
  return params.causal ? m.where(causalMask(scope, inputs), result, -Infinity) : result
}

/** Whether query i attends to key j: bool[queries, keys]. */
function causalMask({ builder, graph }: Scope, [q, k]: readonly Operation[]): string {
  const [queries, keys] = [q, k].map((x) => graph.fixed('attention', 'the number of positions', x!.shape.at(-2)!)) as [
    number,
    number,
  ]
  const mask = Uint8Array.from({ length: queries * keys }, (_, i) => (i % keys <= Math.floor(i / keys) ? 1 : 0))
  return builder.constant('bool', [queries, keys], mask)
}

/** e^(scores − the greatest), and their sums; a query that attends to nothing has 0 of all. */
function weights(m: Arithmetic, x: string) {
  const { builder } = m
  const axis = [-1]
  const greatest = builder.reduce('ReduceMax', x, axis)
  const shift = m.where(m.equal(greatest, -Infinity), 0, greatest)
  const powers = m.exp(m.sub(x, shift))
  return { powers, shift, sums: builder.reduce('ReduceSum', powers, axis) }
}

const hasNoKeys = ([, k]: readonly Operation[]): boolean => k?.shape.at(-2) === 0

const constantOf = (builder: Builder, { shape, dtype }: Operation<unknown>, value: number): string =>
  builder.node('Expand', [builder.scalar(value, dtype), builder.dims(shape)])

export const attentionRows: Rows<AttentionName> = {
  attentionGradient(scope, operation: Operation<GradientParams>, q, k, v, cotangent, out, logSums) {
    const { builder } = scope
    if (hasNoKeys(operation.inputs)) return constantOf(builder, operation, 0)
    const m = new Arithmetic(builder, operation.dtype)
    const finite = m.where(m.equal(logSums, -Infinity), Infinity, logSums)
    const weights = m.exp(
      m.sub(scores(scope, operation, [q, k, v]), builder.node('Unsqueeze', [finite, builder.dims([-1])])),
    )
    const rank = elementAt(operation.inputs, 0).shape.length
    const turn = (x: string) => transposeMatrices(builder, x, rank)
    if (operation.params.of === 'v') return m.apply('MatMul', turn(weights), cotangent)
    const inner = builder.reduce('ReduceSum', m.mul(cotangent, out), [-1])
    const product = m.sub(m.apply('MatMul', cotangent, turn(v)), inner)
    const scale = scope.graph.fixed('attention', 'the scale', operation.params.scale)
    const slopes = m.mul(m.mul(weights, product), scale)
    return operation.params.of === 'q' ? m.apply('MatMul', slopes, k) : m.apply('MatMul', turn(slopes), q)
  },

  attention(scope, operation, ...operands) {
    const { builder } = scope
    if (hasNoKeys(operation.inputs)) return constantOf(builder, operation, 0)
    const m = new Arithmetic(builder, operation.dtype)
    const x = scores(scope, operation, operands)
    const v = operands[2]!
    if (operands.length === 3) return m.apply('MatMul', builder.node('Softmax', [x], along), v)
    const { powers, sums } = weights(m, x)
    return m.div(m.apply('MatMul', powers, v), m.where(m.equal(sums, 0), 1, sums))
  },
  attentionLogSums(scope, operation, ...operands) {
    const { builder } = scope
    if (hasNoKeys(operation.inputs)) return constantOf(builder, operation, -Infinity)
    const m = new Arithmetic(builder, operation.dtype)
    const { shift, sums } = weights(m, scores(scope, operation, operands))
    return builder.node('Squeeze', [m.add(m.log(sums), shift), builder.ints([-1])])
  },
}
