/** Elementwise operations: an operator where there is one for them, and else made of several. */
import type { DType } from '../../base/dtype.ts'
import type { elementwiseOps } from '../../graph/ops/elementwise.ts'
import { Arithmetic } from './arithmetic.ts'
import { bitRows } from './bits.ts'
import { type Builder, float, text } from './builder.ts'
import { digamma, lgamma } from './gamma.ts'
import { remainderRows } from './remainders.ts'
import type { Rows, Write } from './row.ts'
import { fusedSum } from './sums.ts'

type ElementwiseOp = keyof typeof elementwiseOps

/** One operator of the same operands. */
const operator =
  (opType: string): Write =>
  ({ builder }, _, ...xs) =>
    builder.node(opType, xs)

/** Several operators, in the dtype of the last operand. */
const made =
  (f: (m: Arithmetic, ...xs: [string, string, string]) => string): Write =>
  ({ builder }, { inputs, dtype }, ...xs) =>
    f(new Arithmetic(builder, inputs.at(-1)?.dtype ?? dtype), ...(xs as [string, string, string]))

/** Of bytes and truth values as int32: comparisons and extremes of them are in no version that runs everywhere. */
const widened = (builder: Builder, dtype: DType, x: string): string =>
  dtype === 'bool' || dtype === 'uint8' ? builder.cast(x, 'int32') : x

const comparison =
  (opType: string): Write =>
  ({ builder }, { inputs }, ...xs) =>
    builder.node(
      opType,
      xs.map((x, i) => widened(builder, inputs[i]?.dtype ?? 'float32', x)),
    )

/** log(1 + x) without the cancellation near 0, where it is 2·atanh(x/(x + 2)). */
const log1p = (m: Arithmetic, x: string): string =>
  m.where(m.less(m.abs(x), 0.5), m.mul(m.apply('Atanh', m.div(x, m.add(x, 2))), 2), m.log(m.add(x, 1)))

/** eˣ − 1 = tanh(x/2)·(eˣ + 1) */
const expm1 = (m: Arithmetic, x: string): string => {
  const power = m.exp(x)
  return m.where(m.less(m.abs(x), 0.5), m.mul(m.tanh(m.mul(x, 0.5)), m.add(power, 1)), m.sub(power, 1))
}

/** M. Giles 2012, "Approximating the erfinv function": by w = −log(1 − x²), in its middle and beyond. */
const erfinvMiddle = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3,
  0.246640727, 1.50140941,
]
const erfinvTails = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3, 1.00167406,
  2.83297682,
]

function erfinv(m: Arithmetic, x: string): string {
  const w = m.neg(m.log(m.mul(m.sub(1, x), m.add(x, 1))))
  const middle = m.polynomial(m.sub(w, 2.5), erfinvMiddle)
  const tails = m.polynomial(m.sub(m.sqrt(m.max(w, 5)), 3), erfinvTails)
  const factor = m.where(m.less(w, 5), middle, tails)
  return m.mul(x, m.where(m.equal(m.abs(x), 1), Infinity, factor))
}

/** √(a² + b²) by the greater one, whose square may overflow. */
function hypot(m: Arithmetic, a: string, b: string): string {
  const [x, y] = [m.abs(a), m.abs(b)]
  const [greater, lesser] = [m.max(x, y), m.min(x, y)]
  const isPlain = m.both(m.greater(greater, 0), m.less(greater, Infinity))
  const ratio = m.div(lesser, m.where(isPlain, greater, 1))
  const isInfinite = m.either(m.isInfinite(a), m.isInfinite(b))
  const length = m.where(isPlain, m.mul(greater, m.sqrt(m.add(m.square(ratio), 1))), greater)
  return m.where(isInfinite, Infinity, length)
}

/** The angle of (x, y) from that of its slope, turned by π to the left half. */
function atan2(m: Arithmetic, y: string, x: string): string {
  const isOrigin = m.both(m.equal(y, 0), m.equal(x, 0))
  const slope = m.apply('Atan', m.div(y, m.where(isOrigin, 1, x)))
  const turn = m.where(m.less(y, 0), -Math.PI, Math.PI)
  return m.where(m.less(x, 0), m.add(slope, turn), slope)
}

/** sin πx/πx */
function sinc(m: Arithmetic, x: string): string {
  const angle = m.mul(x, Math.PI)
  const isZero = m.equal(x, 0)
  return m.where(isZero, 1, m.div(m.apply('Sin', angle), m.where(isZero, 1, angle)))
}

export const step: Write = made((m, x) => m.where(m.isNaN(x), x, m.where(m.greater(x, 0), 1, 0)))

/** x·Φ(x) with the normal distribution function, or its approximation by tanh. */
const gelu =
  (approximate: 'none' | 'tanh'): Write =>
  ({ builder }, { dtype }, x) => {
    if (builder.opset >= 20) return builder.node('Gelu', [x!], { approximate: text(approximate) })
    const m = new Arithmetic(builder, dtype)
    const inner =
      approximate === 'none'
        ? m.apply('Erf', m.mul(x!, Math.SQRT1_2))
        : m.tanh(m.mul(m.add(x!, m.mul(m.pow(x!, 3), 0.044715)), Math.sqrt(2 / Math.PI)))
    return m.mul(m.mul(x!, 0.5), m.add(inner, 1))
  }

/** Φ(x) + x·φ(x) with the normal distribution function and its density; beyond ±1000 it is as flat, and x·φ no ∞·0. */
function geluDerivative(m: Arithmetic, x: string): string {
  const distribution = m.mul(m.add(m.apply('Erf', m.mul(x, Math.SQRT1_2)), 1), 0.5)
  const within = m.min(m.max(x, -1000), 1000)
  const density = m.mul(m.exp(m.mul(m.square(within), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return m.add(distribution, m.mul(within, density))
}

export const elementwiseRows: Rows<ElementwiseOp> = {
  add: (scope, operation, ...xs) => fusedSum(scope, operation) ?? scope.builder.node('Add', xs),
  sub: operator('Sub'),
  mul: operator('Mul'),
  div: operator('Div'),
  pow: operator('Pow'),
  maximum: operator('Max'),
  minimum: operator('Min'),
  atLeast: operator('Max'),
  atMost: operator('Min'),
  neg: operator('Neg'),
  abs: operator('Abs'),
  sign: made((m, x) => (m.dtype === 'int32' ? m.sign(x) : m.where(m.isNaN(x), x, m.sign(x)))),
  square: made((m, x) => m.square(x)),
  sqrt: operator('Sqrt'),
  exp: operator('Exp'),
  log: operator('Log'),
  step,
  sigmoid: operator('Sigmoid'),
  tanh: operator('Tanh'),
  // Relu of integers came with opset 14.
  relu: made((m, x) => (m.dtype === 'int32' ? m.max(x, 0) : m.apply('Relu', x))),
  leakyRelu: ({ builder, graph }, { params: { slope } }, x) =>
    builder.node('LeakyRelu', [x!], { alpha: float(graph.fixed('leakyRelu', 'the slope', slope)) }),
  elu: ({ builder, graph }, { params: { alpha } }, x) =>
    builder.node('Elu', [x!], { alpha: float(graph.fixed('elu', 'the alpha', alpha)) }),
  softplus: operator('Softplus'),
  expm1: made(expm1),
  log1p: made(log1p),
  sin: operator('Sin'),
  cos: operator('Cos'),
  rsqrt: made((m, x) => m.apply('Reciprocal', m.sqrt(x))),
  reciprocal: operator('Reciprocal'),
  erf: operator('Erf'),
  silu: made((m, x) => m.mul(x, m.sigmoid(x))),
  gelu: gelu('none'),
  geluTanh: gelu('tanh'),
  geluDerivative: made(geluDerivative),
  floor: operator('Floor'),
  ceil: operator('Ceil'),
  round: operator('Round'),
  trunc: made((m, x) => m.where(m.less(x, 0), m.ceil(x), m.floor(x))),
  exp2: made((m, x) => m.pow(2, x)),
  log2: made((m, x) => m.mul(m.log(x), Math.LOG2E)),
  log10: made((m, x) => m.mul(m.log(x), Math.LOG10E)),
  cbrt: made((m, x) => {
    const root = m.pow(m.abs(x), 1 / 3)
    return m.where(m.less(x, 0), m.neg(root), root)
  }),
  tan: operator('Tan'),
  asin: operator('Asin'),
  acos: operator('Acos'),
  atan: operator('Atan'),
  sinh: operator('Sinh'),
  cosh: operator('Cosh'),
  asinh: operator('Asinh'),
  acosh: operator('Acosh'),
  atanh: operator('Atanh'),
  sinc: made(sinc),
  erfc: made((m, x) => m.sub(1, m.apply('Erf', x))),
  erfinv: made(erfinv),
  lgamma: made(lgamma),
  digamma: made(digamma),
  polygamma: { unsupported: 'ONNX has no derivatives of the gamma function' },
  atan2: made(atan2),
  hypot: made(hypot),
  ...remainderRows,
  ...bitRows,
  equal: comparison('Equal'),
  notEqual: (...args) => args[0].builder.node('Not', [comparison('Equal')(...args)]),
  less: comparison('Less'),
  lessEqual: comparison('LessOrEqual'),
  greater: comparison('Greater'),
  greaterEqual: comparison('GreaterOrEqual'),
  where({ builder }, { dtype }, condition, a, b) {
    if (dtype !== 'bool') return builder.node('Where', [condition!, a!, b!])
    const chosen = builder.node('Where', [condition!, builder.cast(a!, 'uint8'), builder.cast(b!, 'uint8')])
    return builder.cast(chosen, 'bool')
  },
}
