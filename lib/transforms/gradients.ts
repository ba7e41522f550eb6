/** Gradients of tensors and of functions. */

import { describe, refuseSurplus } from '../base/arguments.ts'
import { expected, GradientError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { gradients as nodeGradients } from '../graph/autograd.ts'
import { allInputs, type Node, topologicalOrder } from '../graph/node.ts'
import { watch } from '../graph/ops/leaf.ts'
import { trainableOfLeaf } from '../tensor/cell.ts'
import { nodeOf, Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type Differentiable, plainFunction, valueAt } from './differentiable.ts'

export type TensorsFor<T extends readonly unknown[]> = { -readonly [K in keyof T]: Tensor }

function required(gradient: Node | null, i: number, of: string): Tensor {
  if (gradient !== null) return wrap(gradient)
  throw new GradientError(
    `${of}: the value does not depend on argument ${i} by a differentiable path (a plain tensor's history ends when it is evaluated; variables keep theirs)`,
  )
}

export interface GradientsOptions {
  /** Whether an x that y does not depend on has null for its gradient, instead of an error; false unless given. */
  allowUnused?: boolean
}

const gradientsOptions: OptionTypes<GradientsOptions> = { allowUnused: 'boolean' }

/**
 * The gradients of y with respect to each x, recorded like any other value, so that they have gradients too. Where y
 * is not a scalar it is the gradient of the sum of its elements; `cotangent`, of y's shape, weighs them.
 *
 * @example
 * const w = variable([1, 2, 3])
 * const [dw] = gradients(w.square().sum(), [w])
 * dw.arraySync() // [2, 4, 6]
 *
 * @throws GradientError where y does not depend on an x, unless that is allowed.
 * @pytorch torch.autograd.grad
 * @tensorflow tf.GradientTape.gradient
 */
export function gradients<const T extends readonly Tensor[]>(
  y: Tensor,
  xs: T,
  cotangent?: TensorLike,
  options?: { allowUnused?: false },
): TensorsFor<T>
export function gradients<const T extends readonly Tensor[]>(
  y: Tensor,
  xs: T,
  cotangent: TensorLike | undefined,
  options: GradientsOptions,
): { -readonly [K in keyof T]: Tensor | null }
export function gradients(
  y: Tensor,
  xs: readonly Tensor[],
  cotangent?: TensorLike,
  options?: GradientsOptions,
): (Tensor | null)[] {
  const { allowUnused = false } = checkOptions('gradients', options, gradientsOptions)
  if (!(y instanceof Tensor)) throw new TypeError(expected('gradients', 'a tensor to differentiate', describe(y)))
  // A copy has no holes, which `some` would leave out.
  if (!Array.isArray(xs) || [...xs].some((x) => !(x instanceof Tensor)))
    throw new TypeError(expected('gradients', 'a list of tensors or variables', xs))
  const found = nodeGradients(
    nodeOf(y),
    xs.map(nodeOf),
    cotangent === undefined ? undefined : toNode('gradients', cotangent),
  )
  return found.map((gradient, i) => (gradient === null && allowUnused ? null : required(gradient, i, 'gradients')))
}

/** What a function of tensors may be called with. */
export type LikesFor<T extends readonly unknown[]> = { [K in keyof T]: TensorLike }

/** One tensor for a function of one argument, a list for several. */
export type Gradient<F extends Differentiable> = Parameters<F>['length'] extends 1 ? Tensor : TensorsFor<Parameters<F>>

/**
 * The function that gives f's value and its gradient with respect to each argument: one tensor for a function of one
 * argument, a list for several.
 *
 * @example
 * const { value, gradient } = valueAndGrad((x) => x.square().sum())(tensor([1, 2]))
 * @pytorch torch.func.grad_and_value
 * @tensorflow tf.GradientTape.gradient
 */
export function valueAndGrad<F extends Differentiable>(
  f: F,
  ...surplus: []
): (...xs: LikesFor<Parameters<F>>) => { value: Tensor; gradient: Gradient<F> } {
  refuseSurplus('valueAndGrad', 1, surplus)
  return valueAndGradOf('valueAndGrad', f)
}

function valueAndGradOf<F extends Differentiable>(
  op: string,
  f: F,
): (...xs: LikesFor<Parameters<F>>) => { value: Tensor; gradient: Gradient<F> } {
  plainFunction(op, f)
  return (...xs) => {
    const watched = xs.map((x) => watch(toNode(op, x as TensorLike)))
    const value = valueAt(op, f, watched.map(wrap))
    const found = nodeGradients(nodeOf(value), watched).map((gradient, i) => required(gradient, i, op))
    return { value, gradient: (xs.length === 1 ? found[0] : found) as Gradient<F> }
  }
}

/**
 * The function that gives the gradient of f with respect to its arguments.
 *
 * @example
 * grad((x) => x.pow(3))(tensor(2)).itemSync() // 12
 * grad(grad((x) => x.pow(3)))(tensor(2)).itemSync() // 12
 * @pytorch torch.func.grad
 * @tensorflow tf.GradientTape.gradient
 */
export function grad<F extends Differentiable>(f: F, ...surplus: []): (...xs: LikesFor<Parameters<F>>) => Gradient<F> {
  refuseSurplus('grad', 1, surplus)
  const both = valueAndGradOf('grad', f)
  return (...xs) => both(...xs).gradient
}

/**
 * Every trainable variable that y was computed from, in the order of its first use.
 * @tensorflow tf.GradientTape.watched_variables
 */
export function variablesOf(y: Tensor): Variable[] {
  if (!(y instanceof Tensor)) throw new TypeError(expected('variablesOf', 'a tensor', describe(y)))
  const found = new Set<Variable>()
  for (const node of topologicalOrder([nodeOf(y)], allInputs)) {
    const variable = node.inputs.length === 0 ? trainableOfLeaf(node) : undefined
    if (variable?.trainable) found.add(variable)
  }
  return [...found]
}
