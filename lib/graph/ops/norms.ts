/** Norms, spread and log-sum-exp over axes: scaled by the greatest element where they would overflow, and with slopes of their own. */
import { pick } from '../../base/lists.ts'
import { sizeOf } from '../../base/shape.ts'
import type { Node } from '../node.ts'
import { sumOver } from './broadcast.ts'
import {
  abs,
  add,
  bitwiseAnd,
  bitwiseOr,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  maximum,
  mul,
  neg,
  notEqual,
  pow,
  sign,
  sqrt,
  square,
  sub,
  where,
} from './elementwise.ts'
import { stopGradient } from './leaf.ts'
import { maxOver, minOver } from './reduce.ts'
import { composedBy } from './rule.ts'

/** Axes, which keep extent 1. */
type Over = { readonly axes: readonly number[] }

/** A positive finite number as it is, others as 1: what nothing is lost by dividing by. */
const scaleOf = (x: Node): Node => where(bitwiseAnd(greater(x, 0), less(x, Infinity)), x, 1)

/** The greatest |x|, by two passes that only read. */
const greatestSize = (x: Node, axes: readonly number[]): Node => maximum(maxOver(x, axes), neg(minOver(x, axes)))

/** x/h of norms h; 0 where h is, which has no slope there, and ±1 of infinite x. */
function perNorm(x: Node, h: Node): Node {
  const none = equal(h, 0)
  const infinite = equal(abs(x), Infinity)
  return where(infinite, sign(x), div(where(bitwiseOr(none, infinite), 0, x), where(none, 1, h)))
}

/**
 * √Σx², and its gradient x/√Σx²: 0 at 0. Of elements divided by the greatest, as neither great nor tiny ones have
 * squares.
 */
const euclidean = composedBy<Over>(
  'norm',
  (x, { axes }) => {
    const scale = scaleOf(greatestSize(x, axes))
    return mul(sqrt(sumOver(square(div(x, scale)), axes)), scale)
  },
  (ct, h, x) => mul(ct, perNorm(x, h)),
)

/**
 * (Σ|x|ᵖ)^(1/p), of elements divided by the one that counts most, and its gradient ±(|x|/h)ᵖ⁻¹. It is 0 at 0, for an
 * element and for the norm.
 */
const normOfOrder = composedBy<Over & { readonly order: number }>(
  'norm',
  (x, { order, axes }) => {
    const size = abs(x)
    const scale = scaleOf((order > 0 ? maxOver : minOver)(size, axes))
    return mul(pow(sumOver(pow(div(size, scale), order), axes), 1 / order), scale)
  },
  (ct, h, x, { order }) => {
    const counts = bitwiseAnd(notEqual(x, 0), notEqual(h, 0))
    const part = div(where(counts, abs(x), 1), where(counts, h, 1))
    return mul(ct, where(counts, mul(sign(x), pow(part, order - 1)), 0))
  },
)

export const normOver = (x: Node, order: number, axes: readonly number[]): Node =>
  order === 2 ? euclidean(x, { axes }) : normOfOrder(x, { order, axes })

/** x less its mean over axes. */
const deviations = (x: Node, axes: readonly number[]): Node =>
  sub(x, div(sumOver(x, axes), sizeOf(pick(x.shape, axes))))

type Spread = Over & { readonly divisor: number }

/** Σd²/divisor of deviations d. Its slope 2·d/divisor goes by d alone, as these add up to 0. */
const varianceOf = composedBy<Spread>(
  'variance',
  (x, { axes, divisor }) => div(sumOver(square(deviations(x, axes)), axes), divisor),
  (ct, _y, x, { axes, divisor }) => mul(ct, mul(deviations(x, axes), 2 / divisor)),
)

/** √(Σd²/divisor), as a norm. */
const stdOf = composedBy<Spread>(
  'std',
  (x, { axes, divisor }) => div(euclidean(deviations(x, axes), { axes }), Math.sqrt(divisor)),
  (ct, _y, x, { axes, divisor }) => {
    const d = deviations(x, axes)
    return mul(ct, div(perNorm(d, euclidean(d, { axes })), Math.sqrt(divisor)))
  },
)

export const varianceOver = (x: Node, axes: readonly number[], divisor: number): Node =>
  varianceOf(x, { axes, divisor })
export const stdOver = (x: Node, axes: readonly number[], divisor: number): Node => stdOf(x, { axes, divisor })

/** e^(x − m) with the greatest m, and their sum: none of them overflows, and each infinite x counts as 1. */
function powersOf(x: Node, axes: readonly number[]) {
  const greatest = stopGradient(maxOver(x, axes))
  const shift = where(equal(greatest, -Infinity), 0, greatest)
  const powers = exp(where(equal(x, Infinity), 0, sub(x, shift)))
  return { shift, powers, total: sumOver(powers, axes) }
}

/** log Σeˣ; its gradient is softmax x, and 0 of a row of −∞. */
const logSumExp = composedBy<Over>(
  'logSumExp',
  (x, { axes }) => {
    const { shift, total } = powersOf(x, axes)
    return add(log(total), shift)
  },
  (ct, _y, x, { axes }) => {
    const { powers, total } = powersOf(x, axes)
    return mul(ct, div(powers, where(equal(total, 0), 1, total)))
  },
)

export const logSumExpOver = (x: Node, axes: readonly number[]): Node => logSumExp(x, { axes })
