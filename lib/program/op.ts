/** What a row of the schema may say, and what the compiler checks of it. */
import type { DType } from '../base/dtype.ts'
import type { Parameter } from './parameters.ts'

/**
 * What an operand holds and how many elements: the dtypes that it may have, or the name of an operand of the same
 * dtype; and a product of parameters, or `checked`.
 */
export type Operand = readonly [dtype: readonly DType[] | string, size: string]

/** The size of an operand that the row's check sees to. */
export const checked = '?'

export interface Either<A extends Operand = Operand, B extends Operand = Operand> {
  readonly either: readonly [A, B]
}
export interface Optional<X extends Operand | Either = Operand | Either> {
  readonly optional: X
}
export interface Rest<X extends Operand = Operand> {
  readonly rest: X
}
export type OperandRow = Operand | Either | Optional | Rest

/** The first where the operand has one of its dtypes. */
export const either = <const A extends Operand, const B extends Operand>(a: A, b: B): Either<A, B> => ({
  either: [a, b],
})

/** May be left out, with all that follow. */
export const optional = <const X extends Operand | Either>(optional: X): Optional<X> => ({ optional })

/** One or more, and the last. */
export const rest = <const X extends Operand>(rest: X): Rest<X> => ({ rest })

// biome-ignore lint/suspicious/noExplicitAny: parameters of all types
export type ParameterRow = Readonly<Record<string, Parameter<any>>>

/** The values of parameters. */
export type ParamsOf<P> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never }

/** What an instruction is. */
export interface Row<
  P extends ParameterRow = ParameterRow,
  I extends Readonly<Record<string, OperandRow>> = Readonly<Record<string, OperandRow>>,
  O extends Readonly<Record<string, OperandRow>> = Readonly<Record<string, OperandRow>>,
  C extends string = string,
> {
  readonly params: P
  readonly inputs: I
  readonly outputs: O
  /** A rule of checks.ts and of check_operands.cc, for what is no product. */
  readonly check?: C
  /** Which output may be written where which input stands, if nothing reads that later. */
  readonly replaces?: { readonly [K in keyof O]?: keyof I }
  /** It looks at each index once, reading all operands before it writes there, so that a replaced operand may also be another one. */
  readonly inStep?: true
  /** The operand whose elements, where they have a dtype of its first alternative, end the run if they are out of range. Every such instruction stands before the first that writes a state. */
  readonly fails?: keyof I
  /** Programs with float64 in it run on the reference backend: C++ has no kernels of it. */
  readonly float64?: 'reference'
  /** Operations on real numbers, if any: a function such as exp or √ counts as one, moving and comparing labels as none. */
  readonly flops?: string | { of(params: ParamsOf<P>): number }['of']
  /** How many elements of an operand are touched, where that is not all. */
  readonly touches?: { readonly [K in keyof I | keyof O]?: string }
}

type CountOf<P> = { [K in keyof P]: P[K] extends Parameter<number, 'count'> ? K : never }[keyof P] & string

type Factor<P> = CountOf<P> | `min(${CountOf<P>},${CountOf<P>})` | `${number}`

/** The product itself where each factor is a parameter, and else what is wrong. */
type Product<S, P, Whole = S> = S extends `${infer First} ${infer Others}`
  ? First extends Factor<P>
    ? Product<Others, P, Whole>
    : `no count is named ${First}`
  : S extends Factor<P>
    ? Whole
    : `no count is named ${S & string}`

type Size<S, P> = S extends typeof checked ? S : Product<S, P>

/** Operands where each size is a product of counts of P and each name of an operand one of Names; else what is wrong. */
type Sound<X, P, Names> = X extends readonly [infer D, infer S]
  ? readonly [D extends readonly DType[] | Names ? D : `no operand is named ${D & string}`, Size<S, P>]
  : X extends Either<infer A, infer B>
    ? { readonly either: readonly [Sound<A, P, Names>, Sound<B, P, Names>] }
    : X extends Optional<infer Y>
      ? { readonly optional: Sound<Y, P, Names> }
      : X extends Rest<infer Y>
        ? { readonly rest: Sound<Y, P, Names> }
        : never

type SoundOperands<X, P, Names> = { readonly [K in keyof X]: Sound<X[K], P, Names> }

type Products<F, P> = { readonly [K in keyof F]: Product<F[K], P> }

/** A row, as it is. */
export function op<
  const P extends ParameterRow,
  const I extends Readonly<Record<string, OperandRow>>,
  const O extends Readonly<Record<string, OperandRow>>,
  const C extends string = never,
  const F extends string = never,
  const T extends { readonly [K in keyof I | keyof O]?: string } = Record<never, never>,
>(
  row: Omit<Row<P, I, O, C>, 'flops'> & {
    readonly inputs: SoundOperands<I, P, keyof I>
    readonly outputs: SoundOperands<O, P, keyof I>
    readonly flops?: (F & Product<F, P>) | { of(params: ParamsOf<P>): number }['of']
    readonly touches?: T & Products<T, P>
  },
): Row<P, I, O, C> {
  return row as Row<P, I, O, C>
}
