/** Sums that are one operator with what they add to: a product and a bias, a convolution and a bias, a batch normalization. */
import { isFloat } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import type { Convolution } from '../../program/schema.ts'
import { float, int } from './builder.ts'
import { convolution } from './convolution.ts'
import { type Dim, isFixed, type Symbolic, sameDim, sameDims } from './dims.ts'
import { beforeBroadcast, type Operation } from './graph.ts'
import type { Scope } from './scope.ts'

/** The operator that a sum is the last step of; null where it is an Add. */
export const fusedSum = (scope: Scope, sum: Operation<unknown>): string | null =>
  isFloat(sum.dtype) ? (gemm(scope, sum) ?? biased(scope, sum) ?? normalization(scope, sum)) : null

/** The operand of an operation that is `name` and that nothing else reads, and the other operand. */
function parts(
  { graph }: Scope,
  { inputs }: Operation<unknown>,
  name: string,
): { inner: Operation; other: Operation } | null {
  const [a, b] = inputs
  if (a === undefined || b === undefined) return null
  const isInner = (x: Operation) => x.name === name && graph.readersOf(x).length === 1
  if (isInner(a)) return { inner: a, other: beforeBroadcast(b) }
  return isInner(b) ? { inner: b, other: beforeBroadcast(a) } : null
}

/** A matrix that is read as it is, or transposed. */
function factorOf(operation: Operation): { of: Operation; transposed: number } {
  const isTransposed = operation.name === 'permute' && operation.shape.length === 2
  return isTransposed ? { of: elementAt(operation.inputs, 0), transposed: 1 } : { of: operation, transposed: 0 }
}

/** Whether a bias broadcasts to a matrix of so many columns: [n] or [1, n]. */
const isRow = ({ shape }: Operation, columns: Dim): boolean =>
  shape.length > 0 && shape.length <= 2 && sameDim(shape.at(-1)!, columns) && (shape.length === 1 || shape[0] === 1)

/** a·b + bias of matrices. */
function gemm(scope: Scope, sum: Operation<unknown>): string | null {
  const found = parts(scope, sum, 'matmul')
  if (found === null || sum.shape.length !== 2 || !isRow(found.other, elementAt(sum.shape, 1))) return null
  const { builder, of } = scope
  const [a, b] = found.inner.inputs.map(factorOf) as [ReturnType<typeof factorOf>, ReturnType<typeof factorOf>]
  const transposed = { transA: int(a.transposed), transB: int(b.transposed) }
  return builder.node('Gemm', [of(a.of), of(b.of), of(found.other)], transposed)
}

/** The [channels] that an operand has along axis 1 of x, and 1 along all others; null where it is something else. */
function perChannel(operand: Operation, { shape }: Operation<unknown>): Operation | null {
  const reshaped = beforeBroadcast(operand)
  const [of] = reshaped.inputs
  if (reshaped.name !== 'reshape' || of?.shape.length !== 1 || reshaped.shape.length !== shape.length) return null
  const fits = reshaped.shape.every((dim, axis) => (axis === 1 ? sameDim(dim, elementAt(shape, 1)) : dim === 1))
  return fits && isFixed(elementAt(of.shape, 0)) ? of : null
}

/** A convolution with a bias for each channel. */
function biased(scope: Scope, sum: Operation<unknown>): string | null {
  const found = parts(scope, sum, 'conv2d')
  const bias = found && perChannel(found.other, sum)
  return found && bias && convolution(scope, found.inner as Operation<Symbolic<Convolution>>, bias)
}

/** What a normalization is made of: (x − mean)·(variance + ε)^−½·weight + bias. */
interface Normalization {
  readonly x: Operation
  readonly mean: Operation
  readonly variance: Operation
  readonly epsilon: number
  readonly weight: Operation
  readonly bias: Operation
}

function normalization(scope: Scope, sum: Operation<unknown>): string | null {
  const scaled = parts(scope, sum, 'mul')
  const normalized = scaled && parts(scope, scaled.inner, 'mul')
  const centred = normalized && parts(scope, normalized.inner, 'sub')
  const spread = centred && spreadOf(centred.other)
  if (!scaled || !normalized || !centred || !spread) return null
  const [x, mean] = centred.inner.inputs as [Operation, Operation]
  const found = { x, mean: beforeBroadcast(mean), ...spread, weight: normalized.other, bias: scaled.other }
  return batchNormalization(scope, found) ?? layerNormalization(scope, found)
}

/** The variance and ε of (variance + ε)^−½. */
function spreadOf({ name, inputs: [sum] }: Operation): { variance: Operation; epsilon: number } | null {
  if (name !== 'rsqrt' || sum?.name !== 'add') return null
  const [variance, term] = sum.inputs as [Operation, Operation]
  const { params } = beforeBroadcast(term)
  return typeof params?.value === 'number' ? { variance, epsilon: params.value } : null
}

/** Where all of it is [channels]. */
function batchNormalization({ builder, of }: Scope, parts: Normalization): string | null {
  const { x, weight, bias, mean, variance, epsilon } = parts
  const channels = [weight, bias, mean, variance].map((each) => perChannel(each, x))
  if (x.shape.length < 2 || !channels.every((each) => each !== null)) return null
  return builder.node('BatchNormalization', [x, ...channels].map(of), { epsilon: float(epsilon) })
}

/** Where mean and variance are those of x over its last axes, which weight and bias have. */
function layerNormalization(scope: Scope, parts: Normalization): string | null {
  const { builder } = scope
  const { x, weight, bias, mean, variance, epsilon } = parts
  const axis = Number(variance.params?.end)
  const of = [weight, bias].map((each) => ofLast(each, x, axis))
  const areOwn = [
    [mean, 'meanOfChannels'],
    [variance, 'varianceOfChannels'],
  ] as const
  const isOwn = areOwn.every(([each, name]) => {
    return each.name === name && each.inputs[0] === x && each.params.first === 0 && each.params.end === axis
  })
  if (builder.opset < 17 || !isOwn || !of.every((each) => each !== null)) return null
  const attributes = { axis: int(axis), epsilon: float(epsilon) }
  return builder.node('LayerNormalization', [x, ...of].map(scope.of), attributes)
}

/** The operand of the last axes of x, from one on, that an operand is with 1 along all others; null where it is something else. */
function ofLast(operand: Operation, { shape }: Operation<unknown>, axis: number): Operation | null {
  const of = operand.name === 'reshape' ? beforeBroadcast(elementAt(operand.inputs, 0)) : operand
  const last = shape.slice(axis)
  return sameDims(operand.shape.slice(-last.length), last) && sameDims(of.shape, last) ? of : null
}
