/** Variables: the one mutable thing. */
import { allocate } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import type { Node, Storage } from '../graph/node.ts'
import { newStorage, storageOf } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { data, leafOf, placeholder, stopGradient } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { evaluateNodesSync } from '../runtime/evaluate.ts'
import type { StateBinding } from '../runtime/execution.ts'
import { Tensor, type TensorLike, toNode, wrap } from './tensor.ts'
import { activeTrace, guard, type TracedVariable, untraced } from './trace.ts'
import { parseValues, type TensorOptions, type TensorValues, tensorOptions } from './values.ts'

export interface VariableOptions extends TensorOptions {
  /** What messages and state dictionaries call it. */
  name?: string
  /** Whether optimizers update it when they are given no list of variables; true unless given. */
  trainable?: boolean
}

const variableOptions: OptionTypes<VariableOptions> = { ...tensorOptions, name: 'string', trainable: 'boolean' }

/**
 * The one mutable thing: a cell that holds an immutable value. It is accepted wherever a tensor is, and what is
 * computed from it keeps its history, so that gradients with respect to it may be asked for.
 */
export class Variable extends Tensor {
  readonly name: string | undefined
  /** As it was made: whether it is a parameter at all, or state that no optimizer touches unless told to. */
  private readonly mayLearn: boolean
  /** Set by `freeze` of a module. @internal */
  frozen = false
  /** Somebody else holds the node that was recorded last, a leaf, so its buffer must not change any more. */
  private handedOut = false

  /** @internal */
  constructor(leaf: Node, { name, trainable = true }: { name?: string; trainable?: boolean }) {
    super(leaf)
    this.name = name
    this.mayLearn = trainable
    this.claim(leaf)
  }

  /** Whether optimizers update it: as it was made, until a module with it is frozen. */
  get trainable(): boolean {
    return this.mayLearn && !this.isFrozen
  }

  /** A compiled function that read it is recorded anew where it has changed. @internal */
  get isFrozen(): boolean {
    return guard(() => this.frozen)
  }

  /** @internal */
  override get node(): Node {
    const trace = activeTrace()
    if (trace !== null) return this.tracedIn(trace.variables).value
    this.handedOut = true
    return this.recorded
  }

  /** Reading the data copies it: that does not hand out the buffer, unless the reader has to wait. @internal */
  protected override get evaluated(): Node {
    return activeTrace() === null && this.storage.pending === null ? this.recorded : this.node
  }

  private tracedIn(variables: Map<Variable, TracedVariable>): TracedVariable {
    let traced = variables.get(this)
    if (traced === undefined) {
      const leaf = placeholder(this.recorded.dtype, this.recorded.shape, true)
      traced = { leaf, value: leaf }
      variables.set(this, traced)
      this.claim(leaf)
    }
    return traced
  }

  /** Has a leaf lead back to a variable that is trained. There are many more that are not: the state of optimizers. */
  private claim(leaf: Node): void {
    if (this.mayLearn) trainedLeaves.set(leaf, this)
  }

  /** The value it holds now; it stays what it is when the variable changes. */
  get value(): Tensor {
    const { node } = this
    return wrap(node === this.recorded ? leafOf(this.storage, node.dtype, node.shape, false) : stopGradient(node))
  }

  /**
   * Replaces the value. Outside `compile` a value that was not computed yet is computed here and now.
   * @throws ShapeError, DTypeError where shape or dtype differ from the variable's.
   */
  assign(value: TensorLike): void {
    const node = toNode(value, value instanceof Tensor ? undefined : this.dtype, 'assign')
    if (!sameShape(node.shape, this.shape))
      throw new ShapeError(expected('assign', `shape ${formatShape(this.shape)}`, formatShape(node.shape)))
    if (node.dtype !== this.dtype) throw new DTypeError(expected('assign', this.dtype, node.dtype))
    const trace = activeTrace()
    if (trace !== null) {
      this.tracedIn(trace.variables).value = node
      return
    }
    evaluateNodesSync([node])
    // The tensor that was assigned may live on elsewhere: the buffer is shared until the next update in place.
    this.replaceLeaf(storageOf(node), true)
  }

  private replaceLeaf(storage: Storage, handedOut: boolean): void {
    this.recorded = leafOf(storage, this.recorded.dtype, this.recorded.shape, true)
    this.handedOut = handedOut
    this.claim(this.recorded)
  }

  /** The node of the value that it holds now, without handing it out. @internal */
  get leaf(): Node {
    return this.recorded
  }

  /** Has the value of a leaf, if it is the present one, stay what it is at the next update. @internal */
  keep(leaf: Node): void {
    if (leaf === this.recorded) this.handedOut = true
  }

  /** The buffer a program reads the value from. @internal */
  get storage(): Storage {
    return storageOf(this.recorded)
  }

  /** Where a program reads the old value and writes the new one: the same buffer, unless somebody holds the old one. @internal */
  bindUpdate(): StateBinding {
    const read = this.storage
    if (!this.handedOut) return { read, written: read }
    return { read, written: newStorage(allocate(this.dtype, read.array.length)) }
  }

  /** Takes over what a submitted run writes. @internal */
  commitUpdate({ written }: StateBinding): void {
    if (written !== this.storage) this.replaceLeaf(written, false)
    else written.writes++
  }

  override toString(): string {
    return `Variable ${this.name === undefined ? '' : `${this.name} `}${this.dtype}${formatShape(this.shape)}`
  }
}

const trainedLeaves = new WeakMap<Node, Variable>()

/** Which variable that is, or was before it was frozen, a parameter a leaf of a recorded graph is the value of. */
export const trainableOfLeaf = (leaf: Node): Variable | undefined => trainedLeaves.get(leaf)

/**
 * A variable that starts with a copy of some values, or with the value of a tensor. Made while a function is compiled,
 * it starts from what another variable holds then, and is not made anew when the function runs.
 *
 * @example
 * const w = variable(randn([784, 10]), { name: 'w' })
 * w.assign(w.sub(gradient.mul(0.1)))
 */
export function variable(value: Tensor | TensorValues, options?: VariableOptions): Variable {
  const given = checkOptions('variable', options, variableOptions)
  if (!(value instanceof Tensor)) {
    const { array, dtype, shape } = parseValues('variable', value, given)
    return new Variable(data(array, dtype, shape, true), given)
  }
  const { dtype = value.dtype, shape = value.shape } = given
  const start = untraced(() => wrap(reshape(cast(value.node, dtype), shape)).dataSync())
  const { array } = parseValues('variable', start, { dtype, shape })
  return new Variable(data(array, dtype, shape, true), given)
}
