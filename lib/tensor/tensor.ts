/** The handle of a value that users hold. Its operations are functions, in lib/operations, which puts them on it as methods. */
import {
  type Abortable,
  type CallOptions,
  callOptions,
  liveSignal,
  unlessAborted,
  withoutSignal,
} from '../base/abort.ts'
import { notCloned } from '../base/cloning.ts'
import type { DType, TypedArray } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { brand, foreignKind } from '../base/identity.ts'
import { inspection } from '../base/inspection.ts'
import { checkOptions } from '../base/options.ts'
import { formatShape, type Shape, sizeOf } from '../base/shape.ts'
import { formatGraph, Node } from '../graph/node.ts'
import { data, literal } from '../graph/ops/leaf.ts'
import { evaluateNodes, evaluateNodesSync } from '../runtime/evaluate.ts'
import { settledArray } from '../runtime/execution.ts'
import { Cell } from './cell.ts'
import { formatValues } from './format.ts'
import { type NestedArray, nestedArray, nestedArrayInTurns } from './nested.ts'
import { firstNonInteger, parseValues, type TensorValues } from './values.ts'

/** What an operation takes: a tensor, a variable, a number (of the other operand's dtype), or nested arrays. */
export type TensorLike = Tensor | TensorValues

const uncloned = notCloned('a tensor: send its data() and shape, and make a tensor() of them there')

let sourceOf: (x: Tensor) => Node | Cell

/** The node of a tensor; of a variable that of its present value, which is handed out by it. */
export function nodeOf(x: Tensor): Node {
  const source = sourceOf(x)
  return source instanceof Cell ? source.node : source
}

/** The node whose value an evaluation here and now fills and reads. */
function evaluatedNodeOf(x: Tensor): Node {
  const source = sourceOf(x)
  return source instanceof Cell ? source.evaluated : source
}

/** The same for a value that is read later. */
function awaitedNodeOf(x: Tensor): Node {
  const source = sourceOf(x)
  return source instanceof Cell ? source.awaited : source
}

/** The node that has the type. */
function typedNodeOf(x: Tensor): Node {
  const source = sourceOf(x)
  return source instanceof Cell ? source.leaf : source
}

/**
 * An immutable value, computed when it is asked for. Operations check shapes and dtypes at once and record what to
 * compute; `data`, `item`, `array` and `evaluate` compute it. Every operation is a method here and a function of the
 * package: `x.add(y)` is `add(x, y)`. Shapes broadcast as numpy's; dtypes promote bool < uint8 < int32 < float32 <
 * float64, and a plain number takes the dtype of the other operand.
 */
export class Tensor {
  readonly #source: Node | Cell
  protected readonly notCloned = uncloned

  static {
    sourceOf = (x) => {
      if (#source in x) return x.#source
      throw new TypeError(expected('Tensor', 'a tensor', 'an object that only inherits from Tensor'))
    }
  }

  /** @internal */
  constructor(source: Node | Cell) {
    if (!(source instanceof Node || source instanceof Cell))
      throw new TypeError(expected('Tensor', 'tensor(values)', 'a call of its constructor'))
    this.#source = source
  }

  /** The extent of each axis, as a copy. */
  get shape(): Shape {
    return typedNodeOf(this).shape.slice()
  }

  get dtype(): DType {
    return typedNodeOf(this).dtype
  }

  /** The number of axes. */
  get ndim(): number {
    return typedNodeOf(this).shape.length
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(typedNodeOf(this).shape)
  }

  /**
   * The elements in row-major order, as a copy; computed off the event loop. Uint8Array for uint8 and bool.
   * @throws (rejects with) the signal's reason once it is aborted: what is not computed yet is not computed then
   * @example await x.data({ signal: AbortSignal.timeout(1000) })
   */
  async data(options?: CallOptions): Promise<TypedArray> {
    const signal = signalOf('data', options)
    const node = awaitedNodeOf(this)
    if (node.storage === null) await evaluateNodes([node], signal)
    const storage = node.storage!
    // Copied at once where nothing has to be waited for: the next step may write to the buffer.
    if (storage.pending !== null)
      await (signal === undefined ? storage.pending : unlessAborted(signal, storage.pending))
    return storage.array.slice()
  }

  /** `data`, here and now. */
  dataSync(): TypedArray {
    const node = evaluatedNodeOf(this)
    evaluateNodesSync([node])
    return settledArray(node.storage!).slice()
  }

  /**
   * The elements as nested arrays (a number for a scalar; booleans for bool). Who knows how deep says so:
   * `await x.array<number[][]>()`. JavaScript makes them, a million elements in some 15 to 100 ms, the fewer in a row the
   * longer: in pieces, between which the event loop turns. `data` is a thousand times as fast for many elements.
   */
  async array<T extends NestedArray = NestedArray>(options?: CallOptions): Promise<T> {
    const signal = signalOf('array', options)
    const elements = await this.data(signal && { signal })
    return (await unlessAborted(signal, nestedArrayInTurns(elements, this.dtype, this.shape))) as T
  }

  /** `array`, here and now. */
  arraySync<T extends NestedArray = NestedArray>(): T {
    return nestedArray(this.dataSync(), this.dtype, this.shape) as T
  }

  /**
   * The one element as a number (bool: 0 or 1).
   * @throws ShapeError where there is not exactly one.
   */
  async item(options?: CallOptions): Promise<number> {
    this.checkScalar()
    const signal = signalOf('item', options)
    return (await this.data(signal && { signal }))[0]!
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
    return formatGraph([evaluatedNodeOf(this)])
  }

  toString(): string {
    return `Tensor ${this.dtype}${formatShape(this.shape)}`
  }

  /** What JSON has of it: its type, without the values. */
  toJSON(): { dtype: DType; shape: Shape } {
    return { dtype: this.dtype, shape: this.shape }
  }

  /** In the console: its type, and its values where they are computed. */
  [inspection](): string {
    if (!(#source in this)) return 'Tensor'
    const { storage } = typedNodeOf(this)
    if (storage === null || storage.pending !== null) return this.toString()
    return `${this}\n${formatValues(storage.array, this.dtype, this.shape)}`
  }

  /**
   * Refuses JavaScript's operators, which would make a text or NaN of a tensor: `x + 1`, `3 * x`, `x > y`. In a text
   * (`${x}`) it is its type and shape.
   * @throws TypeError
   */
  [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string {
    if (hint === 'string') return this.toString()
    throw new TypeError(
      `${this} has no operators: write x.add(y), x.sub(y), x.mul(y), x.div(y), x.pow(y), x.neg(), x.less(y), x.greater(y) or x.equal(y), and x.itemSync() for a number`,
    )
  }
}

brand(Tensor.prototype, 'tensor')

export const wrap = (node: Node): Tensor => new Tensor(node)

/** An operand as a tensor. */
export const toTensor = (op: string, x: TensorLike): Tensor => (x instanceof Tensor ? x : wrap(toNode(op, x)))

/** The node of integers that an operation reads: of arrays too, where 0.5 would be 0. */
export function toIntegers(op: string, value: TensorLike): Node {
  if (value instanceof Tensor) return nodeOf(value)
  if (foreignKind(value) !== undefined) return toNode(op, value)
  const { array, dtype, shape } = parseValues(op, value, { dtype: 'int32' })
  const other = firstNonInteger(value)
  if (other !== undefined) throw new DTypeError(expected(op, 'integers', other))
  return data(array, dtype, shape, false)
}

/** The node of an operand. A number is a weak literal; arrays are copied, of the dtype where there is one. */
export const toNode = (op: string, value: TensorLike, dtype?: DType): Node =>
  value instanceof Tensor ? nodeOf(value) : nodeOfValues(op, value, dtype)

function nodeOfValues(op: string, value: TensorValues, dtype?: DType): Node {
  if (typeof value === 'number' && dtype === undefined) return literal(value, 'float32', true)
  const parsed = parseValues(op, value, dtype === undefined ? {} : { dtype })
  return data(parsed.array, parsed.dtype, parsed.shape, false)
}

const signalOf = (op: string, options: CallOptions | undefined): Abortable | undefined =>
  options === undefined ? undefined : liveSignal(op, checkOptions(op, options, callOptions))

function checkTensor(op: string, x: Tensor): Tensor {
  if (!(x instanceof Tensor)) throw new TypeError(expected(op, 'tensors, each an argument', x))
  return x
}

/**
 * Computes several tensors in one program, off the event loop. An AbortSignal may follow them: `evaluate(x, y, { signal })`.
 * @returns the same tensors, evaluated.
 * @throws (rejects with) the signal's reason once it is aborted: what is not computed yet is not computed then
 */
export async function evaluate<T extends readonly Tensor[]>(...args: readonly [...T, CallOptions]): Promise<T>
export async function evaluate<T extends readonly Tensor[]>(...tensors: T): Promise<T>
export async function evaluate<T extends Tensor[]>(...args: T | [...T, CallOptions]): Promise<T> {
  const [tensors, signal] = withoutSignal<T>(args)
  const nodes = tensors.map((x) => evaluatedNodeOf(checkTensor('evaluate', x)))
  await evaluateNodes(nodes, signal)
  // A variable may be written to by a run that was submitted before.
  for (const { storage } of nodes)
    if (storage !== null && storage.pending !== null) await unlessAborted(signal, storage.pending)
  return tensors
}

/** `evaluate`, here and now. */
export function evaluateSync<T extends readonly Tensor[]>(...tensors: T): T {
  evaluateNodesSync(tensors.map((x) => evaluatedNodeOf(checkTensor('evaluateSync', x))))
  return tensors
}
