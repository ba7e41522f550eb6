/** Activations made of several micro-ops, whose slopes are written out: those by the rules lose their tails. */
import type { Binary, Node, Unary } from '../node.ts'
import {
  abs,
  add,
  atLeast,
  atMost,
  bounded,
  div,
  mul,
  reciprocal,
  sigmoid,
  slopeOfSigmoid,
  softplus,
  square,
  squaredSech,
  tanh,
} from './elementwise.ts'
import { floatDType, toDType } from './promotion.ts'
import { composed } from './rule.ts'

const toFloat = (x: Node): Node => toDType(x, floatDType(x.dtype))

/** x·tanh(softplus x), whose limit at −∞ is 0; mish' = tanh s + x·σ/cosh² s with s = softplus x. */
const mishOp = composed<Unary>(
  'mish',
  (x) => mul(atLeast(x, -1000), tanh(softplus(x))),
  (ct, _y, x) => {
    const s = softplus(x)
    return [mul(ct, add(tanh(s), mul(bounded(x), mul(squaredSech(s), sigmoid(x)))))]
  },
)

/** From here on 1 + |x| is |x| in every dtype. */
const greatest = 2 ** 60

/** x/(1 + |x|), whose slope is 1/(1 + |x|)². */
const softsignOp = composed<Unary>(
  'softsign',
  (x) => {
    const within = atMost(atLeast(x, -greatest), greatest)
    return div(within, add(abs(within), 1))
  },
  (ct, _y, x) => [mul(ct, square(reciprocal(add(abs(x), 1))))],
)

/** a·σ(b). Their product with the slope of σ comes before that with the cotangent, which may overflow. */
const gateOp = composed<Binary>(
  'gate',
  (a, b) => mul(a, sigmoid(b)),
  (ct, _y, a, b) => [mul(ct, sigmoid(b)), mul(ct, mul(a, slopeOfSigmoid(b)))],
)

export const mish = (x: Node): Node => mishOp(toFloat(x))
export const softsign = (x: Node): Node => softsignOp(toFloat(x))
export const gate = (a: Node, b: Node): Node => gateOp(toFloat(a), toFloat(b))
