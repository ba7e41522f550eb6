/** Variables: the one mutable thing. */

import { allocateChecked } from '../base/arrays.ts'
import { bytesPerElement, type DType } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../base/shape.ts'
import { Node, newStorage, pendingInputs, storageOf, topologicalOrder } from '../graph/node.ts'
import { reshape } from '../graph/ops/broadcast.ts'
import { isZeros } from '../graph/ops/fill.ts'
import { data, leafFrom, leafOf, stopGradient } from '../graph/ops/leaf.ts'
import { cast } from '../graph/ops/promotion.ts'
import { isNoting } from '../graph/origin.ts'
import { checkHasData, evaluateNodesSync } from '../runtime/evaluate.ts'
import { checkMemory } from '../runtime/memory.ts'
import { Cell } from './cell.ts'
import { nodeOf, Tensor, type TensorLike, toNode, wrap } from './tensor.ts'
import { activeTrace, untraced } from './trace.ts'
import { parseValues, type TensorOptions, type TensorValues, tensorOptions } from './values.ts'

export interface VariableOptions extends TensorOptions {
  /** What messages and state dictionaries call it. */
  name?: string
  /** Whether optimizers update it when they are given no list of variables; true unless given. */
  trainable?: boolean
}

const variableOptions: OptionTypes<VariableOptions> = { ...tensorOptions, name: 'string', trainable: 'boolean' }

/** What is behind a variable, for the library alone. */
export let cellOf: (variable: Variable) => Cell

/**
 * The one mutable thing: a cell that holds an immutable value. It is accepted wherever a tensor is, and what is
 * computed from it keeps its history, so that gradients with respect to it may be asked for.
 */
export class Variable extends Tensor {
  readonly #cell: Cell
  readonly #name: string | undefined

  static {
    cellOf = (variable) => {
      if (#cell in variable) return variable.#cell
      throw new TypeError(expected('Variable', 'a variable', 'an object that only inherits from Variable'))
    }
  }

  /** @internal */
  constructor(leaf: Node, { name, trainable = true }: { name?: string; trainable?: boolean } = {}, isShared = false) {
    if (!(leaf instanceof Node))
      throw new TypeError(expected('Variable', 'variable(values)', 'a call of its constructor'))
    const cell = new Cell(leaf, trainable, isShared)
    super(cell)
    cell.variable = this
    this.#cell = cell
    this.#name = name
  }

  /** What messages and state dictionaries call it. */
  get name(): string | undefined {
    return this.#name
  }

  /** Whether optimizers update it: as it was made, until it is frozen. */
  get trainable(): boolean {
    const cell = cellOf(this)
    return cell.mayLearn && !cell.isFrozen
  }

  /** Whether it was made with `trainable: false`: state of a model that is no parameter, frozen or not; PyTorch's buffer. */
  get isBuffer(): boolean {
    return !cellOf(this).mayLearn
  }

  /** Whether it stays as it is while the rest of a model is trained; `freeze` and `unfreeze` of a module set it. */
  get frozen(): boolean {
    return cellOf(this).isFrozen
  }

  set frozen(value: boolean) {
    if (typeof value !== 'boolean') throw new TypeError(expected('frozen', 'true or false', typeof value))
    cellOf(this).frozen = value
  }

  /** The value it holds now; it stays what it is when the variable changes. */
  get value(): Tensor {
    const { node, leaf } = cellOf(this)
    const { storage, dtype, shape } = leaf
    return wrap(node === leaf && storage !== null ? leafOf(storage, dtype, shape, false) : stopGradient(node))
  }

  /**
   * Replaces the value. Outside `compile` a value that was not computed yet is computed here and now.
   * @throws ShapeError, DTypeError where shape or dtype differ from the variable's.
   */
  assign(value: TensorLike): void {
    const cell = cellOf(this)
    const node = toNode('assign', value, value instanceof Tensor ? undefined : this.dtype)
    if (!sameShape(node.shape, cell.shape))
      throw new ShapeError(expected('assign', `shape ${formatShape(cell.shape)}`, formatShape(node.shape)))
    if (node.dtype !== cell.dtype) throw new DTypeError(expected('assign', cell.dtype, node.dtype))
    const trace = activeTrace()
    if (trace !== null) {
      cell.tracedIn(trace.variables).value = node
      return
    }
    if (node.storage === null && isZeros(node)) {
      cell.replaceLeaf(newStorage(allocateChecked('assign', node.dtype, node.shape)), false)
      return
    }
    evaluateNodesSync([node])
    // The tensor that was assigned may live on elsewhere: the buffer is shared until the next update in place.
    cell.replaceLeaf(storageOf(node), true)
  }

  override toString(): string {
    return `Variable ${this.name === undefined ? '' : `${this.name} `}${this.dtype}${formatShape(this.shape)}`
  }

  override toJSON(): { dtype: DType; shape: Shape; name?: string } {
    return this.name === undefined ? super.toJSON() : { ...super.toJSON(), name: this.name }
  }
}

brand(Variable.prototype, 'variable')

/**
 * A variable that starts with a copy of some values, or with the value of a tensor. Made while a function is compiled,
 * it starts from what another variable holds then, and is not made anew when the function runs.
 *
 * A tensor that is not computed yet is computed with the first evaluation that needs the variable, together with the starts of
 * all other variables that this one needs: off the event loop in the forms that are awaited (`data`, `evaluate`, compiled
 * calls, `fit`), here and now in the others. So making a model costs next to nothing, and what is assigned or loaded before
 * then replaces a start that is never computed. `await evaluate(...model.parameters())` computes it. Random numbers do not
 * depend on when that is.
 *
 * @throws RangeError where memory cannot hold it; what else is wrong with a tensor's data (an index out of range) is an error
 * of the evaluation that computes it
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
  const node = untraced(() => nodeOf(value))
  const start = reshape(cast(node, dtype), shape)
  // What gives NaN is looked for where it is recorded.
  if (isNoting()) evaluateNodesSync([start])
  const storage = start.storage ?? (dtype === node.dtype ? node.storage : null)
  // A value that exists is shared until the first update.
  if (storage !== null) return new Variable(leafOf(storage, dtype, start.shape, true), given, true)
  return new Variable(leafOfStart(start), given)
}

function leafOfStart(start: Node): Node {
  const { dtype, shape } = start
  if (isZeros(start)) return data(allocateChecked('variable', dtype, shape), dtype, shape, true)
  checkMemory('variable', sizeOf(shape) * bytesPerElement(dtype))
  if (activeTrace() !== null) checkHasData(topologicalOrder([start], pendingInputs))
  return leafFrom(start, true)
}
