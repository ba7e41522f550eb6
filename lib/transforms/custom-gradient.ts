/** Functions with a gradient rule of their own. */
import { expected, GradientError, ShapeError } from '../base/errors.ts'
import { zipWith } from '../base/lists.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { type Node, record } from '../graph/node.ts'
import { cast } from '../graph/ops/promotion.ts'
import { withRule } from '../graph/ops/rule.ts'
import { productParams } from '../graph/precision.ts'
import { nodeOf, Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { type Differentiable, valueAt } from './differentiable.ts'
import type { LikesFor } from './gradients.ts'

/**
 * A gradient rule: from the cotangent of the value, the value and the arguments to the cotangent of each argument, as
 * one tensor for one argument and a list for several; null where there is none.
 */
export type Backward = (cotangent: Tensor, value: Tensor, ...xs: Tensor[]) => Tensor | null | readonly (Tensor | null)[]

function checkedGradient(gradient: Tensor | null | undefined, x: Node, i: number): Node | null {
  if (gradient === null) return null
  if (!(gradient instanceof Tensor))
    throw new GradientError(expected('customGradient', `a tensor or null as gradient ${i}`, typeof gradient))
  if (!sameShape(gradient.shape, x.shape))
    throw new ShapeError(
      expected('customGradient', `gradient ${i} of shape ${formatShape(x.shape)}`, formatShape(gradient.shape)),
    )
  return cast(nodeOf(gradient), x.dtype)
}

/**
 * The same function with a gradient of your own: that of `backward`, which is recorded with the operations of the
 * library and so has gradients too. What f reads besides its arguments is a constant to gradients. Call it once and use
 * what it gives many times: each call is an operation of its own.
 *
 * @throws (when gradients are taken) ShapeError, GradientError for what `backward` gives
 *
 * @example
 * // log(1 + eˣ), whose gradient by the rules would be ∞/∞ where eˣ overflows
 * const log1pExp = customGradient(
 *   (x) => x.exp().add(1).log(),
 *   (cotangent, _value, x) => cotangent.mul(x.sigmoid()),
 * )
 * @pytorch torch.autograd.Function
 * @tensorflow tf.custom_gradient
 */
export function customGradient<F extends Differentiable>(
  f: F,
  backward: (cotangent: Tensor, value: Tensor, ...xs: Parameters<F>) => ReturnType<Backward>,
): (...xs: LikesFor<Parameters<F>>) => Tensor {
  if (typeof f !== 'function' || typeof backward !== 'function')
    throw new TypeError(expected('customGradient', 'two functions', `${typeof f} and ${typeof backward}`))
  const def = withRule((ct, y, xs) => {
    const given = (backward as Backward)(wrap(ct), wrap(y), ...xs.map(wrap))
    const gradients = Array.isArray(given) ? given : [given]
    if (gradients.length !== xs.length)
      throw new GradientError(expected('customGradient', `${xs.length} gradients`, gradients.length))
    return zipWith(gradients, xs, checkedGradient)
  })
  return (...args) => {
    const xs = args.map((x) => toNode('customGradient', x as TensorLike))
    const y = valueAt('customGradient', f, xs.map(wrap))
    return wrap(record(def, [nodeOf(y), ...xs], productParams(nodeOf(y))))
  }
}
