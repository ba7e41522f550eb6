/** Gradients against numeric derivatives. */
import { checkInteger, checkList, checkNumber } from '../base/arguments.ts'
import { expected, GradientError } from '../base/errors.ts'
import { zipWith } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { gradients as nodeGradients } from '../graph/autograd.ts'
import { watch } from '../graph/ops/leaf.ts'
import { tensor } from '../tensor/creation.ts'
import { randn } from '../tensor/random.ts'
import { evaluateSync, nodeOf, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { type Differentiable, plainFunction, valueAt } from './differentiable.ts'

export interface CheckGradientsOptions {
  /** 2 also checks the gradient of the gradient; 1 unless given. */
  order?: 1 | 2
  /** The distance of the two points of a numeric derivative from the middle. */
  delta?: number
  /** What the two sides may differ by, relative to the greater one and 1. */
  tolerance?: number
  seed?: number
}

type Fn = (...xs: Tensor[]) => Tensor

const checkGradientsOptions: OptionTypes<CheckGradientsOptions> = {
  order: 'number',
  delta: 'number',
  tolerance: 'number',
  seed: 'number',
}

/**
 * Compares the gradients of f with numeric derivatives in float64, along one random direction: for random u and v,
 * ⟨vjp(u), v⟩ must equal ⟨u, (f(x + δv) − f(x − δv)) / 2δ⟩. One number per check, whatever the size. The points are
 * evaluated by the reference backend.
 *
 * @param f a function of tensors, smooth around xs (away from kinks).
 * @throws GradientError with both numbers where they differ.
 * @example checkGradients((x) => x.exp().sum(), [[1, 2, 3]])
 * @pytorch torch.autograd.gradcheck
 * @tensorflow tf.test.compute_gradient
 */
export function checkGradients(fn: Differentiable, xs: readonly TensorLike[], options?: CheckGradientsOptions): void {
  const given = checkOptions('checkGradients', options, checkGradientsOptions)
  const { order = 1, delta = 1e-5, tolerance = 1e-6, seed = 0 } = given
  checkInteger('checkGradients', 'an order, 1 or 2', order, 1, 2)
  const isPositive = (x: number) => x > 0 && Number.isFinite(x)
  checkNumber('checkGradients', 'a positive delta', delta, isPositive)
  checkNumber('checkGradients', 'a positive tolerance', tolerance, isPositive)
  checkInteger('checkGradients', 'an integer seed from 0 to 2³¹', seed, 0, 2 ** 31)
  plainFunction('checkGradients', fn)
  if (checkList('checkGradients', 'a list of points', xs).length === 0)
    throw new TypeError(expected('checkGradients', 'at least one point', 'none'))
  const f: Fn = (...at) => valueAt('checkGradients', fn, at)
  const points = xs.map((x) =>
    tensor(wrap(toNode('checkGradients', x)).cast('float64').dataSync(), {
      shape: wrap(toNode('checkGradients', x)).shape,
    }),
  )
  checkOnce('first', f, points, delta, tolerance, seed)
  if (order === 2) checkOnce('second', projectedGradient(f, points, seed + 100), points, delta, tolerance, seed + 200)
}

/** x ↦ ⟨∇⟨u, f(x)⟩, w⟩ for fixed random u and w: a function whose gradient is a second derivative of f. */
function projectedGradient(f: Fn, points: readonly Tensor[], seed: number): Fn {
  const u = direction(f(...points), seed)
  const weights = points.map((x, i) => direction(x, seed + 1 + i))
  return (...xs) => {
    const found = vjp(f, xs, u)
    return zipWith(found, weights, (gradient, weight) => gradient.mul(weight).sum()).reduce((a, b) => a.add(b))
  }
}

const direction = (like: Tensor, seed: number): Tensor => randn(like.shape, { dtype: 'float64', seed })

const inner = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum()

/** A gradient that does not exist counts as 0: the numeric derivative decides whether it may. */
function vjp(f: Fn, xs: readonly Tensor[], u: Tensor): Tensor[] {
  const watched = xs.map((x) => watch(nodeOf(x)))
  const y = f(...watched.map(wrap))
  return zipWith(nodeGradients(nodeOf(y), watched, nodeOf(u)), xs, (gradient, x) =>
    gradient ? wrap(gradient) : x.mul(0),
  )
}

function checkOnce(
  which: string,
  f: Fn,
  points: readonly Tensor[],
  delta: number,
  tolerance: number,
  seed: number,
): void {
  const u = direction(f(...points), seed)
  const v = points.map((x, i) => direction(x, seed + 1 + i))
  const analytic = zipWith(vjp(f, points, u), v, inner).reduce((a, b) => a.add(b))
  const shifted = (by: number) => inner(u, f(...zipWith(points, v, (x, direction) => x.add(direction.mul(by)))))
  const numeric = shifted(delta)
    .sub(shifted(-delta))
    .div(2 * delta)
  evaluateSync(analytic, numeric)
  const [a, b] = [analytic.itemSync(), numeric.itemSync()]
  const scale = Math.max(1, Math.abs(a), Math.abs(b))
  if (!(Math.abs(a - b) <= tolerance * scale))
    throw new GradientError(expected('checkGradients', `a ${which} derivative of ${b} (numeric)`, `${a} (by vjp)`))
}
