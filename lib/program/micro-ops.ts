/** The micro-ops, of which the code of elementwise groups consists: one row each. */
import type { DType } from '../base/dtype.ts'

/**
 * What a micro-op takes and gives.
 * - `same`: float32, float64, int32 (wrapping), and the same dtype out.
 * - `float`: float32, float64.
 * - `bits`: int32, uint8, bool. `integer`: int32, uint8.
 * - `comparison`: every dtype, to bool.
 * - `any`: every dtype, which it moves. `cast`: every dtype, to every dtype.
 */
export type MicroOpKind = 'same' | 'float' | 'any' | 'comparison' | 'cast' | 'bits' | 'integer'

interface MicroOpFacts {
  readonly arity: 1 | 2 | 3
  readonly kind: MicroOpKind
  /** How far results of backends may be apart, in representable numbers: 0 where IEEE 754 or the row defines the result. */
  readonly ulps: number
  /** The same of float64, where it is more: as far as the reference's own formulas are off, also beside a root. */
  readonly ulps64?: number
  /** Whether it is a machine instruction or two. */
  readonly cheap: boolean
}

/** Of operands a, b and c. native/program/micro_ops.inc has the rows of C++. */
export const microOps = {
  identity: { arity: 1, kind: 'any', ulps: 0, cheap: true },
  add: { arity: 2, kind: 'same', ulps: 0, cheap: true },
  sub: { arity: 2, kind: 'same', ulps: 0, cheap: true },
  mul: { arity: 2, kind: 'same', ulps: 0, cheap: true },
  /** Integer division is `floorDiv`. */
  div: { arity: 2, kind: 'float', ulps: 0, cheap: false },
  /** aᵇ, with all special cases of IEEE 754. Integer powers do not exist. */
  pow: { arity: 2, kind: 'float', ulps: 2, cheap: false },
  /** NaN where either is, and +0 is greater than −0. */
  maximum: { arity: 2, kind: 'same', ulps: 0, cheap: true },
  /** NaN where either is, and −0 is less than +0. */
  minimum: { arity: 2, kind: 'same', ulps: 0, cheap: true },
  neg: { arity: 1, kind: 'same', ulps: 0, cheap: true },
  abs: { arity: 1, kind: 'same', ulps: 0, cheap: true },
  /** −1, 0 or 1; ±0 and NaN stay. */
  sign: { arity: 1, kind: 'same', ulps: 0, cheap: true },
  /** a². */
  square: { arity: 1, kind: 'same', ulps: 0, cheap: true },
  sqrt: { arity: 1, kind: 'float', ulps: 0, cheap: false },
  exp: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  log: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** a > 0 ? 1 : 0, and NaN of NaN. */
  step: { arity: 1, kind: 'float', ulps: 0, cheap: true },
  /** 1/(1 + e⁻ᵃ). */
  sigmoid: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  tanh: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** a > 0 ? a : 0; NaN stays NaN. */
  relu: { arity: 1, kind: 'same', ulps: 0, cheap: true },
  /** a > 0 ? a : b·a, with the slope b. */
  leakyRelu: { arity: 2, kind: 'float', ulps: 0, cheap: true },
  /** log(1 + eᵃ), as max(a, 0) + log1p(e^−|a|). */
  softplus: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** eᵃ − 1. */
  expm1: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** log(1 + a). */
  log1p: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  sin: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  cos: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** 1/√a; of ±0 ±∞. */
  rsqrt: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** 1/a. */
  reciprocal: { arity: 1, kind: 'float', ulps: 0, cheap: false },
  /** The error function. */
  erf: { arity: 1, kind: 'float', ulps: 2, ulps64: 4, cheap: false },
  /** a·sigmoid(a); at −∞ its limit, 0. */
  silu: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** a > 0 ? a : b·expm1(a), with the alpha b. */
  elu: { arity: 2, kind: 'float', ulps: 2, cheap: false },
  /** a·Φ(a) with the normal distribution function Φ(a) = erfc(−a/√2)/2; at −∞ its limit, 0. */
  gelu: { arity: 1, kind: 'float', ulps: 2, ulps64: 16, cheap: false },
  /** a·sigmoid(2·√(2/π)·(a + 0.044715·a³)), an approximation of gelu; at −∞ its limit, 0. */
  geluTanh: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** The derivative of gelu, Φ(a) + a·φ(a) with the normal density φ; at ±∞ its limits, 0 and 1. */
  geluDerivative: { arity: 1, kind: 'float', ulps: 2, ulps64: 4096, cheap: false },
  floor: { arity: 1, kind: 'float', ulps: 0, cheap: true },
  ceil: { arity: 1, kind: 'float', ulps: 0, cheap: true },
  /** Ties to even. */
  round: { arity: 1, kind: 'float', ulps: 0, cheap: true },
  /** Toward zero. */
  trunc: { arity: 1, kind: 'float', ulps: 0, cheap: true },
  /** 2ᵃ. */
  exp2: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  log2: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  log10: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  /** ∛a. */
  cbrt: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  tan: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  asin: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  acos: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  atan: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  sinh: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  cosh: { arity: 1, kind: 'float', ulps: 2, cheap: false },
  asinh: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  acosh: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  atanh: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  /** sin(πa)/(πa), and 1 of 0. */
  sinc: { arity: 1, kind: 'float', ulps: 3, cheap: false },
  /** 1 − erf(a). */
  erfc: { arity: 1, kind: 'float', ulps: 2, ulps64: 16, cheap: false },
  /** The inverse of erf; ±∞ of ±1, NaN beyond. */
  erfinv: { arity: 1, kind: 'float', ulps: 3, ulps64: 16, cheap: false },
  /** log |Γ(a)|; ∞ at 0, the negative integers and ±∞. */
  lgamma: { arity: 1, kind: 'float', ulps: 4, ulps64: 4096, cheap: false },
  /** ψ(a) = Γ'(a)/Γ(a); ∓∞ at ±0, NaN at the negative integers and −∞. */
  digamma: { arity: 1, kind: 'float', ulps: 3, ulps64: 256, cheap: false },
  /**
   * The derivative of order b of ψ at a, for an integer b in [1, 170], and NaN for another b; (−1)ᵇ⁺¹·∞ at 0 and the
   * negative integers, NaN at −∞.
   */
  polygamma: { arity: 2, kind: 'float', ulps: 1, ulps64: 8, cheap: false },
  /** The angle of the point (b, a), in [−π, π]. */
  atan2: { arity: 2, kind: 'float', ulps: 3, cheap: false },
  /** √(a² + b²), without overflow, and ∞ where either is infinite. */
  hypot: { arity: 2, kind: 'float', ulps: 2, cheap: false },
  /** fmod, plus b where that is not 0 and has another sign than b. Of integers by 0 it is 0. */
  mod: { arity: 2, kind: 'same', ulps: 0, cheap: false },
  /** a − b·trunc(a/b) exactly, with the sign of a. Of integers by 0 it is 0. */
  fmod: { arity: 2, kind: 'same', ulps: 0, cheap: false },
  /** ⌊a/b⌋ rounded once, and a/b where b is 0. Of integers by 0 it is 0. */
  floorDiv: { arity: 2, kind: 'same', ulps: 0, cheap: false },
  /** The greatest common divisor of |a| and |b|, and 0 of zeros; 2³¹ wraps. */
  gcd: { arity: 2, kind: 'integer', ulps: 0, cheap: false },
  bitwiseAnd: { arity: 2, kind: 'bits', ulps: 0, cheap: true },
  bitwiseOr: { arity: 2, kind: 'bits', ulps: 0, cheap: true },
  bitwiseXor: { arity: 2, kind: 'bits', ulps: 0, cheap: true },
  /** Fills with zeros; by less than 0 or more than 31, as if by 32. */
  leftShift: { arity: 2, kind: 'integer', ulps: 0, cheap: true },
  /** Fills with zeros, or of int32 with copies of the sign; by less than 0 or more than 31, as if by 32. */
  rightShift: { arity: 2, kind: 'integer', ulps: 0, cheap: true },
  equal: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  notEqual: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  less: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  lessEqual: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  greater: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  greaterEqual: { arity: 2, kind: 'comparison', ulps: 0, cheap: true },
  /** a ? b : c, where a is bool. */
  where: { arity: 3, kind: 'any', ulps: 0, cheap: true },
  /**
   * To another dtype. float → integer truncates toward zero and saturates, NaN gives 0; int32 → uint8 keeps the low byte;
   * any → bool is a ≠ 0.
   */
  cast: { arity: 1, kind: 'cast', ulps: 0, cheap: true },
} as const satisfies Record<string, MicroOpFacts>

export type MicroOpName = keyof typeof microOps

export const microOpNames = Object.keys(microOps) as readonly MicroOpName[]

/**
 * One step of an elementwise group. `dtype` is that of the operands (for `where`, of the two choices; for `cast`,
 * of the source). Registers 0..operands-1 are the operands, the next ones the results of the steps in order.
 */
export interface MicroInstruction {
  readonly op: MicroOpName
  readonly dtype: DType
  readonly to?: DType
  readonly args: readonly number[]
}

/** The dtype a micro-instruction gives. */
export function microResultDType({ op, dtype, to = dtype }: MicroInstruction): DType {
  const { kind } = microOps[op]
  if (kind === 'comparison') return 'bool'
  return kind === 'cast' ? to : dtype
}
