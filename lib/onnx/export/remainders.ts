/** Remainders and the quotients that belong to them. Of integers they are computed in int64, and a division by 0 gives 0. */
import { Arithmetic } from './arithmetic.ts'
import { type Builder, int } from './builder.ts'
import type { Rows, Write } from './row.ts'

/** a − b·trunc(a/b), with the sign of a. */
const truncated = (builder: Builder, a: string, b: string): string => builder.node('Mod', [a, b], { fmod: int(1) })

/** The same with the sign of b. */
function floored(m: Arithmetic, a: string, b: string): string {
  const remainder = truncated(m.builder, a, b)
  const isOther = m.apply('Less', m.mul(m.sign(remainder), m.sign(b)), 0)
  return m.where(isOther, m.add(remainder, b), remainder)
}

/** Of floats by one function, of integers by another one, whose operands are int64 and whose divisor is not 0. */
const byKind =
  (
    ofFloats: (m: Arithmetic, a: string, b: string) => string,
    ofIntegers: (builder: Builder, a: string, b: string, isZero: string) => string,
  ): Write =>
  ({ builder }, { dtype }, a, b) => {
    if (dtype !== 'int32') return ofFloats(new Arithmetic(builder, dtype), a!, b!)
    const isZero = builder.node('Equal', [b!, builder.scalar(0, 'int32')])
    const divisor = builder.node('Where', [isZero, builder.scalar(1, 'int32'), b!])
    const result = ofIntegers(builder, builder.cast(a!, 'int64'), builder.cast(divisor, 'int64'), isZero)
    return builder.cast(result, 'int32')
  }

/** ⌊a/b⌋ as a whole number of times that b is in what the remainder leaves, which the rounding of a/b does not change. */
function floorDiv(m: Arithmetic, a: string, b: string): string {
  const quotient = m.round(m.div(m.sub(a, floored(m, a, b)), b))
  return m.where(m.equal(b, 0), m.div(a, b), quotient)
}

/** The quotient toward 0, less 1 where a remainder has another sign than the divisor. */
function integerQuotient(builder: Builder, a: string, b: string, isZero: string): string {
  const long = (value: bigint) => builder.constant('int64', [], BigInt64Array.of(value))
  const remainder = truncated(builder, a, b)
  const isNegative = (x: string) => builder.node('Less', [x, long(0n)])
  const isInexact = builder.node('Not', [builder.node('Equal', [remainder, long(0n)])])
  const isOther = builder.node('Xor', [isNegative(remainder), isNegative(b)])
  const excess = builder.cast(builder.node('And', [isInexact, isOther]), 'int64')
  const quotient = builder.node('Sub', [builder.node('Div', [a, b]), excess])
  return builder.node('Where', [isZero, long(0n), quotient])
}

const integerMod = (builder: Builder, a: string, b: string): string => builder.node('Mod', [a, b])

export const remainderRows: Rows<'mod' | 'fmod' | 'floorDiv'> = {
  mod: byKind(floored, integerMod),
  fmod: byKind((m, a, b) => truncated(m.builder, a, b), truncated),
  floorDiv: byKind(floorDiv, integerQuotient),
}
