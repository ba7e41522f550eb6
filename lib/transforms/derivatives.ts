/** Products with Jacobians and Hessians, and these themselves, from reverse mode alone. */
import { checkList, describe } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { elementAt, zipWith } from '../base/lists.ts'
import { checkShape, formatShape, sameShape, sizeOf } from '../base/shape.ts'
import { gradients as nodeGradients } from '../graph/autograd.ts'
import type { Node } from '../graph/node.ts'
import { broadcastTo, reshape } from '../graph/ops/broadcast.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { literal, watch } from '../graph/ops/leaf.ts'
import { concat, sliceAt } from '../graph/ops/movement.ts'
import { cast } from '../graph/ops/promotion.ts'
import { sum } from '../graph/ops/reduce.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { type Differentiable, plainFunction, valueAt } from './differentiable.ts'
import type { Gradient, LikesFor, TensorsFor } from './gradients.ts'

const zerosLike = ({ dtype, shape }: Node): Node => broadcastTo(literal(0, dtype), shape)

/** The gradients of Σ y·cotangent; zeros where y does not depend on an x. */
function gradientsOrZeros(y: Node, xs: readonly Node[], cotangent?: Node): Node[] {
  return zipWith(nodeGradients(y, xs, cotangent), xs, (gradient, x) => gradient ?? zerosLike(x))
}

const gradientOrZeros = (y: Node, x: Node): Node => nodeGradients(y, [x])[0] ?? zerosLike(x)

/** Arguments whose gradients may be asked for, and the value of the function there. */
function recordAt(op: string, f: Differentiable, args: readonly TensorLike[]): { xs: Node[]; y: Node } {
  checkList(op, 'a list of arguments', args)
  if (args.length === 0) throw new TypeError(expected(op, 'at least one argument', 'none'))
  const xs = args.map((x) => {
    const node = toNode(op, x)
    if (!isFloat(node.dtype)) throw new DTypeError(expected(op, 'float32 or float64 arguments', node.dtype))
    return watch(node)
  })
  return { xs, y: nodeOf(valueAt(op, f, xs.map(wrap))) }
}

/** One tensor for each argument, of its shape and dtype. */
function directionsOf(op: string, xs: readonly Node[], directions: readonly TensorLike[]): Node[] {
  if (!Array.isArray(directions) || directions.length !== xs.length)
    throw new TypeError(
      expected(
        op,
        `a list of ${xs.length} tangents`,
        Array.isArray(directions) ? `${directions.length}` : describe(directions),
      ),
    )
  return zipWith(directions, xs, (direction, { dtype, shape }, i) => {
    const node = toNode(op, direction)
    if (!sameShape(node.shape, shape))
      throw new ShapeError(expected(op, `tangent ${i} of shape ${formatShape(shape)}`, formatShape(node.shape)))
    return cast(node, dtype)
  })
}

const innerProducts = (xs: readonly Node[], ys: readonly Node[]): Node[] => zipWith(xs, ys, (x, y) => sum(mul(x, y)))

/** What `vjp` gives. */
export interface VectorJacobianProduct<F extends Differentiable> {
  readonly value: Tensor
  /**
   * cotangentᵀ·J of a cotangent of the value's shape (ones unless given): one tensor for a function of one argument, a
   * list for several. It may be called any number of times.
   * @throws ShapeError for another shape.
   */
  readonly pullback: (cotangent?: TensorLike) => Gradient<F>
}

/**
 * The value of f at xs, and the function that takes a cotangent of the value back to the arguments (reverse mode).
 * Where f does not depend on an argument, its share is zeros.
 *
 * @example
 * const { value, pullback } = vjp((x) => x.square(), [1, 2, 3])
 * pullback([1, 0, 10]).arraySync() // [2, 0, 60]
 * @pytorch torch.func.vjp
 * @tensorflow tf.GradientTape.gradient
 */
export function vjp<F extends Differentiable>(f: F, ...xs: LikesFor<Parameters<F>>): VectorJacobianProduct<F> {
  const { xs: at, y } = recordAt('vjp', f, xs as readonly TensorLike[])
  const pullback = (cotangent?: TensorLike): Gradient<F> => {
    const weights = cotangent === undefined ? undefined : cast(toNode('vjp', cotangent), y.dtype)
    const found = gradientsOrZeros(y, at, weights).map(wrap)
    return (at.length === 1 ? found[0] : found) as Gradient<F>
  }
  return { value: wrap(y), pullback }
}

/**
 * The value of f at xs and its derivative along tangents, J·v (forward mode): the gradient of the pullback, which is
 * linear in its cotangent u, as ∂⟨uᵀ·J, v⟩/∂u = J·v.
 *
 * @param tangents one for each argument, of its shape
 * @example
 * jvp((x) => x.square(), [[1, 2, 3]], [[1, 0, 10]]).tangent.arraySync() // [2, 0, 60]
 * @pytorch torch.func.jvp
 * @tensorflow tf.autodiff.ForwardAccumulator
 */
export function jvp<F extends Differentiable>(
  f: F,
  xs: LikesFor<Parameters<F>>,
  tangents: LikesFor<Parameters<F>>,
): { value: Tensor; tangent: Tensor } {
  const { xs: at, y } = recordAt('jvp', f, xs as readonly TensorLike[])
  const along = directionsOf('jvp', at, tangents as readonly TensorLike[])
  const u = watch(zerosLike(y))
  const terms = innerProducts(gradientsOrZeros(y, at, u), along)
  const tangent = terms.map((term) => gradientOrZeros(term, u)).reduce((a, b) => nodeOf(wrap(a).add(wrap(b))))
  return { value: wrap(y), tangent: wrap(tangent) }
}

/** The gradient of each element of y, one after the other: [...y.shape, ...x.shape]. */
function jacobianOf(y: Node, x: Node): Node {
  const shape = checkShape('jacobian', [...y.shape, ...x.shape])
  const size = sizeOf(y.shape)
  if (sizeOf(shape) === 0) return broadcastTo(literal(0, x.dtype), shape)
  const elements = reshape(y, [size])
  const rows = Array.from({ length: size }, (_, i) => {
    return reshape(gradientOrZeros(sliceAt(elements, [i], [1]), x), [1, sizeOf(x.shape)])
  })
  return reshape(concat(rows), shape)
}

/**
 * The function that gives the Jacobian of f: ∂f(x)ᵢ/∂xⱼ as a tensor of shape [...f(x).shape, ...x.shape]; a list of
 * them for a function of several arguments. One backward pass is recorded for each element of f(x).
 *
 * @throws ShapeError where value and argument have more than 8 axes together
 * @example
 * jacobian((x) => x.square())([1, 2]).arraySync() // [[2, 0], [0, 4]]
 * @pytorch torch.func.jacrev
 * @tensorflow tf.GradientTape.jacobian
 */
export function jacobian<F extends Differentiable>(f: F): (...xs: LikesFor<Parameters<F>>) => Gradient<F> {
  plainFunction('jacobian', f)
  return (...xs) => {
    const { xs: at, y } = recordAt('jacobian', f, xs as readonly TensorLike[])
    const found = at.map((x) => wrap(jacobianOf(y, x)))
    return (at.length === 1 ? found[0] : found) as Gradient<F>
  }
}

/** The value, which has to be one number for a Hessian to be a matrix. */
function scalarAt(op: string, f: Differentiable, args: readonly TensorLike[]): { xs: Node[]; y: Node } {
  const recorded = recordAt(op, f, args)
  if (sizeOf(recorded.y.shape) !== 1)
    throw new ShapeError(expected(op, 'a function whose value is one number', formatShape(recorded.y.shape)))
  return recorded
}

/**
 * The function that gives the Hessian ∂²f/∂xᵢ∂xⱼ of a function of one tensor whose value is one number, of shape
 * [...x.shape, ...x.shape]. One backward pass is recorded for each element of x: for a product with it take `hvp`.
 *
 * @example
 * hessian((x) => x.pow(3).sum())([1, 2]).arraySync() // [[6, 0], [0, 12]]
 * @pytorch torch.func.hessian
 * @tensorflow tf.GradientTape.jacobian
 */
export function hessian(f: Differentiable): (x: TensorLike) => Tensor {
  plainFunction('hessian', f)
  return (x) => {
    const { xs, y } = scalarAt('hessian', f, [x])
    const at = elementAt(xs, 0)
    return wrap(jacobianOf(gradientOrZeros(y, at), at))
  }
}

/**
 * The products H·v of the Hessian of f with a vector, one part for each argument: the gradient of ⟨∇f, v⟩ (Pearlmutter
 * 1994, "Fast exact multiplication by the Hessian"), for the price of two gradients.
 *
 * @example
 * const [product] = hvp((x) => x.pow(3).sum(), [[1, 2]], [[1, 1]])
 * product.arraySync() // [6, 12]
 * @pytorch torch.autograd.functional.hvp
 */
export function hvp<F extends Differentiable>(
  f: F,
  xs: LikesFor<Parameters<F>>,
  vs: LikesFor<Parameters<F>>,
): TensorsFor<Parameters<F>> {
  const { xs: at, y } = scalarAt('hvp', f, xs as readonly TensorLike[])
  const terms = innerProducts(gradientsOrZeros(y, at), directionsOf('hvp', at, vs as readonly TensorLike[]))
  const slope = terms.reduce((a, b) => nodeOf(wrap(a).add(wrap(b))))
  return gradientsOrZeros(slope, at).map(wrap) as TensorsFor<Parameters<F>>
}
