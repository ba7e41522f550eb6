import { inspect } from 'node:util'
import { checkDType, type DType, type TypedArray } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkShape, formatShape, type Shape, sizeOf } from '../base/shape.ts'
import { type SliceBounds, type SliceOptions, sliceRanges } from '../base/slice-bounds.ts'
import { formatGraph, type Node } from '../graph/node.ts'
import * as ops from '../graph/ops/elementwise.ts'
import { gather, oneHot, scatterAdd } from '../graph/ops/indexing.ts'
import { leafOf, literal, stopGradient } from '../graph/ops/leaf.ts'
import { matmul } from '../graph/ops/matmul.ts'
import { broadcastTo, permute, reshape, sliceAt } from '../graph/ops/movement.ts'
import { norm } from '../graph/ops/norm.ts'
import { type Axes, argmax, max, mean, min, sum } from '../graph/ops/reduce.ts'
import { logSoftmax, softmax, softmaxCrossEntropy } from '../graph/ops/softmax.ts'
import type { OperationMethods } from '../operations/methods.ts'
import { evaluateNodes, evaluateNodesSync } from '../runtime/evaluate.ts'
import { settledArray } from '../runtime/execution.ts'
import { type NestedArray, nestedArray, parseValues, type TensorValues } from './values.ts'

/** What an operation takes: a tensor, a variable, a number (of the other operand's dtype), or nested arrays. */
export type TensorLike = Tensor | TensorValues

export interface ReduceOptions {
  /** Reduced axes stay, with extent 1. */
  keepDims?: boolean
}

export interface NormOptions extends ReduceOptions {
  /** 2 unless given; any number, Infinity and −Infinity among them. */
  order?: number
}

export interface GeluOptions {
  /** 'none' unless given: the normal distribution function itself. */
  approximate?: ops.GeluForm
}

/** The operations that operations/methods.ts puts on the prototype. */
export interface Tensor extends OperationMethods {}

/**
 * An immutable value, computed when it is asked for. Operations check shapes and dtypes at once and record what to
 * compute; `data`, `item`, `array` and `evaluate` compute it. Every operation is a method here and a function of the
 * package: `x.add(y)` is `add(x, y)`. Shapes broadcast as numpy's; dtypes promote bool < uint8 < int32 < float32 <
 * float64, and a plain number takes the dtype of the other operand.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: each operation is defined once, as a function.
export class Tensor {
  /** @internal */
  constructor(protected recorded: Node) {}

  /** @internal */
  get node(): Node {
    return this.recorded
  }

  /** The node whose value an evaluation fills and reads. @internal */
  protected get evaluated(): Node {
    return this.node
  }

  get shape(): Shape {
    return this.recorded.shape
  }

  get dtype(): DType {
    return this.recorded.dtype
  }

  /** The number of axes. */
  get ndim(): number {
    return this.shape.length
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  /** The elements in row-major order, as a copy; computed off the event loop. Uint8Array for uint8 and bool. */
  async data(): Promise<TypedArray> {
    const node = this.evaluated
    if (node.storage === null) await evaluateNodes([node])
    const storage = node.storage!
    // Copied at once where nothing has to be waited for: the next step may write to the buffer.
    if (storage.pending !== null) await storage.pending
    return storage.array.slice()
  }

  /** `data`, here and now. */
  dataSync(): TypedArray {
    const node = this.evaluated
    evaluateNodesSync([node])
    return settledArray(node.storage!).slice()
  }

  /** The elements as nested arrays (a number for a scalar; booleans for bool). */
  async array(): Promise<NestedArray> {
    return nestedArray(await this.data(), this.dtype, this.shape)
  }

  /** `array`, here and now. */
  arraySync(): NestedArray {
    return nestedArray(this.dataSync(), this.dtype, this.shape)
  }

  /**
   * The one element as a number (bool: 0 or 1).
   * @throws ShapeError where there is not exactly one.
   */
  async item(): Promise<number> {
    this.checkScalar()
    return (await this.data())[0]!
  }

  /** `item`, here and now. */
  itemSync(): number {
    this.checkScalar()
    return this.dataSync()[0]!
  }

  private checkScalar(): void {
    if (this.size !== 1) throw new ShapeError(expected('item', 'a tensor of one element', formatShape(this.shape)))
  }

  /** The recorded graph as text. */
  graph(): string {
    return formatGraph([this.evaluated])
  }

  toString(): string {
    return `Tensor ${this.dtype}${formatShape(this.shape)}`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /** x + y */
  add(y: TensorLike): Tensor {
    return wrap(ops.add(this.node, toNode(y)))
  }

  /** x − y */
  sub(y: TensorLike): Tensor {
    return wrap(ops.sub(this.node, toNode(y)))
  }

  /** x · y, element by element. */
  mul(y: TensorLike): Tensor {
    return wrap(ops.mul(this.node, toNode(y)))
  }

  /** x / y; float32 for integers. */
  div(y: TensorLike): Tensor {
    return wrap(ops.div(this.node, toNode(y)))
  }

  /** xʸ; float32 for integers. */
  pow(y: TensorLike): Tensor {
    return wrap(y === 2 ? ops.square(this.node) : ops.pow(this.node, toNode(y)))
  }

  /** The greater of x and y; NaN where either is. At a tie each gets half of the gradient. */
  maximum(y: TensorLike): Tensor {
    return wrap(ops.maximum(this.node, toNode(y)))
  }

  /** The lesser of x and y; NaN where either is. At a tie each gets half of the gradient. */
  minimum(y: TensorLike): Tensor {
    return wrap(ops.minimum(this.node, toNode(y)))
  }

  /** x = y, as bool. */
  equal(y: TensorLike): Tensor {
    return wrap(ops.equal(this.node, toNode(y)))
  }

  /** x ≠ y, as bool. */
  notEqual(y: TensorLike): Tensor {
    return wrap(ops.notEqual(this.node, toNode(y)))
  }

  /** x < y, as bool. */
  less(y: TensorLike): Tensor {
    return wrap(ops.less(this.node, toNode(y)))
  }

  /** x ≤ y, as bool. */
  lessEqual(y: TensorLike): Tensor {
    return wrap(ops.lessEqual(this.node, toNode(y)))
  }

  /** x > y, as bool. */
  greater(y: TensorLike): Tensor {
    return wrap(ops.greater(this.node, toNode(y)))
  }

  /** x ≥ y, as bool. */
  greaterEqual(y: TensorLike): Tensor {
    return wrap(ops.greaterEqual(this.node, toNode(y)))
  }

  /** x where this bool tensor is true, else y. */
  where(x: TensorLike, y: TensorLike): Tensor {
    return wrap(ops.where(this.node, toNode(x), toNode(y)))
  }

  /** −x */
  neg(): Tensor {
    return wrap(ops.neg(this.node))
  }

  /** |x|; its gradient at 0 is 0. */
  abs(): Tensor {
    return wrap(ops.abs(this.node))
  }

  /** −1, 0 or 1; NaN stays NaN. */
  sign(): Tensor {
    return wrap(ops.sign(this.node))
  }

  /** x² */
  square(): Tensor {
    return wrap(ops.square(this.node))
  }

  /** √x; NaN below 0. */
  sqrt(): Tensor {
    return wrap(ops.sqrt(this.node))
  }

  /** eˣ */
  exp(): Tensor {
    return wrap(ops.exp(this.node))
  }

  /** The natural logarithm; −∞ at 0, NaN below. */
  log(): Tensor {
    return wrap(ops.log(this.node))
  }

  /** eˣ − 1, without the cancellation near 0. */
  expm1(): Tensor {
    return wrap(ops.expm1(this.node))
  }

  /** log(1 + x), without the cancellation near 0; −∞ at −1, NaN below. */
  log1p(): Tensor {
    return wrap(ops.log1p(this.node))
  }

  /** The sine of radians of any size. */
  sin(): Tensor {
    return wrap(ops.sin(this.node))
  }

  /** The cosine of radians of any size. */
  cos(): Tensor {
    return wrap(ops.cos(this.node))
  }

  /** 1 / √x; ±∞ at ±0, NaN below. */
  rsqrt(): Tensor {
    return wrap(ops.rsqrt(this.node))
  }

  /** 1 / x; float32 for integers. */
  reciprocal(): Tensor {
    return wrap(ops.reciprocal(this.node))
  }

  /** The error function 2/√π · ∫₀ˣ e^(−t²) dt. */
  erf(): Tensor {
    return wrap(ops.erf(this.node))
  }

  /** 1 / (1 + e⁻ˣ) */
  sigmoid(): Tensor {
    return wrap(ops.sigmoid(this.node))
  }

  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return wrap(ops.tanh(this.node))
  }

  /** max(x, 0); its gradient at 0 is 0. */
  relu(): Tensor {
    return wrap(ops.relu(this.node))
  }

  /** x above 0, else slope · x; its gradient at 0 is the slope. `slope` is 0.01 unless given, as in PyTorch. */
  leakyRelu(slope = 0.01): Tensor {
    return wrap(ops.leakyRelu(this.node, slope))
  }

  /** log(1 + eˣ), without overflow. */
  softplus(): Tensor {
    return wrap(ops.softplus(this.node))
  }

  /** x · sigmoid(x), also named swish; its limit 0 at −∞. */
  silu(): Tensor {
    return wrap(ops.silu(this.node))
  }

  /** x · sigmoid(x): another name of `silu`. */
  swish(): Tensor {
    return this.silu()
  }

  /** x above 0, else alpha · (eˣ − 1); its gradient at 0 is alpha. `alpha` is 1 unless given. */
  elu(alpha = 1): Tensor {
    return wrap(ops.elu(this.node, alpha))
  }

  /**
   * x · Φ(x) with the normal distribution function Φ; its limit 0 at −∞. As in PyTorch, `approximate: 'tanh'` takes
   * (1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2 for Φ, as some models were trained with.
   */
  gelu({ approximate = 'none' }: GeluOptions = {}): Tensor {
    return wrap(ops.gelu(this.node, approximate))
  }

  /** The same elements as another dtype. Floats truncate toward zero and saturate; NaN gives 0. */
  cast(dtype: DType): Tensor {
    return wrap(ops.cast(this.node, checkDType('cast', dtype)))
  }

  /** x[…, m, k] · y[…, k, n] → [… , m, n]; leading axes broadcast; a 1-D operand is a row or a column. */
  matmul(y: TensorLike): Tensor {
    return wrap(matmul(this.node, toNode(y)))
  }

  /** Axis i of the result is axis `axes[i]` of x; without axes, their order is reversed. */
  transpose(axes?: readonly number[]): Tensor {
    return wrap(permute(this.node, axes ?? this.shape.map((_, i) => this.ndim - 1 - i), 'transpose'))
  }

  /** The same elements in the same order under another shape; one extent may be −1. */
  reshape(shape: Shape): Tensor {
    return wrap(reshape(this.node, shape))
  }

  /** One axis from `axis` on: [a, b, c].flatten(1) is [a, b·c]. */
  flatten(axis = 0): Tensor {
    return this.reshape([...this.shape.slice(0, axis), sizeOf(this.shape.slice(axis))])
  }

  /** Repeated along new leading axes and axes of extent 1, as numpy's rules allow. */
  broadcastTo(shape: Shape): Tensor {
    return wrap(broadcastTo(this.node, checkShape('broadcastTo', shape)))
  }

  /**
   * Elements start, start + step, … before end of each axis. Arrays speak of the first axes, the other ones are whole;
   * negative bounds count from the end and bounds beyond it are clamped, as in numpy. A negative step goes backwards,
   * and null is a bound that is not given: x.slice(null, null, { step: -1 }) is x from its last row to its first.
   */
  slice(start: SliceBounds, end?: SliceBounds, { step = 1 }: SliceOptions = {}): Tensor {
    const { starts, sizes, steps } = sliceRanges(this.shape, start, end, step)
    return wrap(sliceAt(this.node, starts, sizes, steps))
  }

  /** Rows x[indices]: [n, …] and indices[k…] give [k…, …]. An index outside [0, n) is a RangeError when evaluated. */
  gather(indices: TensorLike): Tensor {
    return wrap(gather(this.node, toNode(indices, 'int32')))
  }

  /** x with updates[i…] added to row indices[i…]; repeated indices add up. */
  scatterAdd(indices: TensorLike, updates: TensorLike): Tensor {
    return wrap(scatterAdd(this.node, toNode(indices, 'int32'), toNode(updates)))
  }

  /** The sum over axes, all of them without any. int32 for bool and uint8. */
  sum(axis?: Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
    return wrap(sum(this.node, axis, keepDims))
  }

  /** The arithmetic mean over axes; float32 for integers; NaN of nothing. */
  mean(axis?: Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
    return wrap(mean(this.node, axis, keepDims))
  }

  /** The greatest element over axes; NaN wins. Elements that tie share the gradient evenly. */
  max(axis?: Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
    return wrap(max(this.node, axis, keepDims))
  }

  /** The least element over axes; NaN wins. Elements that tie share the gradient evenly. */
  min(axis?: Axes, { keepDims = false }: ReduceOptions = {}): Tensor {
    return wrap(min(this.node, axis, keepDims))
  }

  /** The int32 index of the first greatest element along an axis; of the flattened tensor without one. NaN is greatest. */
  argmax(axis?: number, { keepDims = false }: ReduceOptions = {}): Tensor {
    return wrap(argmax(this.node, axis, keepDims))
  }

  /**
   * The norm (Σ|x|ᵖ)^(1/p) of order p over axes, 2 unless given: the Euclidean one. Order Infinity is the greatest |x|,
   * −Infinity the least, 0 counts what is not 0. Its gradient at 0 is 0.
   */
  norm(axis?: Axes, { keepDims = false, order = 2 }: NormOptions = {}): Tensor {
    return wrap(norm(this.node, axis, keepDims, order))
  }

  /** eˣ / Σeˣ along an axis, the last one unless given. */
  softmax(axis = -1): Tensor {
    return wrap(softmax(this.node, axis))
  }

  /** log(softmax(x)) along an axis, without overflow or underflow. */
  logSoftmax(axis = -1): Tensor {
    return wrap(logSoftmax(this.node, axis))
  }

  /**
   * Losses −log softmax(x)[label] of each row of logits[…, classes]: labels are integers[…] or rows of probabilities
   * [… , classes]. A class outside [0, classes) is a RangeError when evaluated, before anything is written.
   */
  softmaxCrossEntropy(labels: TensorLike): Tensor {
    return wrap(softmaxCrossEntropy(this.node, toNode(labels)))
  }

  /** Rows of `depth` elements with a 1 at the class, of integers[…]: [… , depth]. */
  oneHot(depth: number, { dtype = 'float32' }: { dtype?: DType } = {}): Tensor {
    return wrap(oneHot(this.node, depth, checkDType('oneHot', dtype)))
  }

  /** The same value, a constant to gradients. */
  stopGradient(): Tensor {
    return wrap(stopGradient(this.node))
  }
}

export const wrap = (node: Node): Tensor => new Tensor(node)

/** The node of an operand. A number is a weak literal; arrays are copied. */
export function toNode(value: TensorLike, dtype?: DType): Node {
  if (value instanceof Tensor) return value.node
  if (typeof value === 'number' && dtype === undefined) return literal(value, 'float32', true)
  const parsed = parseValues('tensor', value, dtype === undefined ? {} : { dtype })
  return leafOf({ array: parsed.array, pending: null }, parsed.dtype, parsed.shape, false)
}

/**
 * Computes several tensors in one program, off the event loop.
 * @returns the same tensors, evaluated.
 */
export async function evaluate<T extends readonly Tensor[]>(...tensors: T): Promise<T> {
  await evaluateNodes(tensors.map(({ node }) => node))
  return tensors
}

/** `evaluate`, here and now. */
export function evaluateSync<T extends readonly Tensor[]>(...tensors: T): T {
  evaluateNodesSync(tensors.map(({ node }) => node))
  return tensors
}
