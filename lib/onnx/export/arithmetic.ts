/** Arithmetic of one element type, for what is made of several operators. */
import type { DType } from '../../base/dtype.ts'
import type { Builder } from './builder.ts'

/** The name of a value, or a number. */
export type Term = string | number

export class Arithmetic {
  constructor(
    readonly builder: Builder,
    readonly dtype: DType,
  ) {}

  term(x: Term): string {
    return typeof x === 'number' ? this.builder.scalar(x, this.dtype) : x
  }

  apply(opType: string, ...terms: Term[]): string {
    return this.builder.node(
      opType,
      terms.map((x) => this.term(x)),
    )
  }

  add = (a: Term, b: Term): string => this.apply('Add', a, b)
  sub = (a: Term, b: Term): string => this.apply('Sub', a, b)
  mul = (a: Term, b: Term): string => this.apply('Mul', a, b)
  div = (a: Term, b: Term): string => this.apply('Div', a, b)
  pow = (a: Term, b: Term): string => this.apply('Pow', a, b)
  max = (a: Term, b: Term): string => this.apply('Max', a, b)
  min = (a: Term, b: Term): string => this.apply('Min', a, b)
  neg = (x: Term): string => this.apply('Neg', x)
  abs = (x: Term): string => this.apply('Abs', x)
  sign = (x: Term): string => this.apply('Sign', x)
  exp = (x: Term): string => this.apply('Exp', x)
  log = (x: Term): string => this.apply('Log', x)
  sqrt = (x: Term): string => this.apply('Sqrt', x)
  tanh = (x: Term): string => this.apply('Tanh', x)
  floor = (x: Term): string => this.apply('Floor', x)
  ceil = (x: Term): string => this.apply('Ceil', x)
  round = (x: Term): string => this.apply('Round', x)
  square = (x: string): string => this.mul(x, x)
  sigmoid = (x: Term): string => this.apply('Sigmoid', x)
  equal = (a: Term, b: Term): string => this.apply('Equal', a, b)
  less = (a: Term, b: Term): string => this.apply('Less', a, b)
  greater = (a: Term, b: Term): string => this.apply('Greater', a, b)
  isNaN = (x: Term): string => this.apply('IsNaN', x)
  isInfinite = (x: Term): string => this.apply('IsInf', x)

  /** Of conditions. */
  both = (a: string, b: string): string => this.builder.node('And', [a, b])
  either = (a: string, b: string): string => this.builder.node('Or', [a, b])
  not = (a: string): string => this.builder.node('Not', [a])

  where(condition: string, a: Term, b: Term): string {
    return this.builder.node('Where', [condition, this.term(a), this.term(b)])
  }

  /** Σ cᵢ·xⁱ, of coefficients from the highest on. */
  polynomial(x: string, coefficients: readonly number[]): string {
    const [first = 0, ...others] = coefficients
    return others.reduce<Term>((sum, c) => this.add(this.mul(sum, x), c), first) as string
  }
}
