/** Operations on the bits of integers, by int32 arithmetic where the operator set has no operators for them. */
import { Arithmetic } from './arithmetic.ts'
import { type Builder, int } from './builder.ts'
import type { Rows, Write } from './row.ts'

const lowest = -(2 ** 31)

/** 2ⁿ as int32, of which 2³¹ is the lowest number. */
const powers = (builder: Builder, count: number): string =>
  builder.constant(
    'int32',
    [count],
    Int32Array.from({ length: count }, (_, n) => 2 ** n),
  )

/** The bits of an int32 but for the sign, the lowest first, along a new last axis: bool[…, 31]. */
function bitsOf(m: Arithmetic, x: string): string {
  const magnitude = m.where(m.less(x, 0), m.sub(x, lowest), x)
  const column = m.builder.node('Unsqueeze', [magnitude, m.builder.ints([-1])])
  return m.builder.cast(m.apply('Mod', m.div(column, powers(m.builder, 31)), 2), 'bool')
}

/** The operator on truth values, applied to each bit. */
function byBits(m: Arithmetic, name: string, a: string, b: string): string {
  const { builder } = m
  const bits = builder.node(name, [bitsOf(m, a), bitsOf(m, b)])
  const terms = m.mul(builder.cast(bits, 'int32'), powers(builder, 31))
  const magnitude = builder.node('ReduceSum', [terms, builder.ints([-1])], { keepdims: int(0) })
  const isNegative = builder.node(name, [m.less(a, 0), m.less(b, 0)])
  return m.where(isNegative, m.add(magnitude, lowest), magnitude)
}

/** A function of int32 operands, of bytes by their numbers. */
const ofIntegers =
  (f: (m: Arithmetic, a: string, b: string) => string): Write =>
  ({ builder }, { dtype }, a, b) => {
    const m = new Arithmetic(builder, 'int32')
    return dtype === 'int32'
      ? f(m, a!, b!)
      : builder.cast(f(m, builder.cast(a!, 'int32'), builder.cast(b!, 'int32')), dtype)
  }

const bitwise =
  (name: 'And' | 'Or' | 'Xor'): Write =>
  (scope, operation, ...operands) => {
    const { builder } = scope
    if (operation.dtype === 'bool') return builder.node(name, operands)
    if (builder.opset >= 18) return builder.node(`Bitwise${name}`, operands)
    return ofIntegers((m, a, b) => byBits(m, name, a, b))(scope, operation, ...operands)
  }

/** 2ⁿ for shifts by n bits of 32, and 0 for those that leave nothing. */
function factorOf(m: Arithmetic, by: string): { factor: string; isBeyond: string } {
  const isBeyond = m.either(m.less(by, 0), m.greater(by, 31))
  const places = m.where(isBeyond, 0, by)
  return { factor: m.builder.node('Gather', [powers(m.builder, 32), places]), isBeyond }
}

const complement = (m: Arithmetic, x: string): string => m.sub(m.neg(x), 1)

/** A product that wraps. */
function leftShift(m: Arithmetic, x: string, by: string): string {
  const { factor, isBeyond } = factorOf(m, by)
  return m.where(isBeyond, 0, m.mul(x, factor))
}

/** A quotient; of a negative number that of its complement, as its bits are filled with copies of the sign. */
function rightShift(m: Arithmetic, x: string, by: string): string {
  const { factor, isBeyond } = factorOf(m, by)
  const isNegative = m.less(x, 0)
  const shifted = m.where(isBeyond, 0, m.div(m.where(isNegative, complement(m, x), x), factor))
  return m.where(isNegative, complement(m, shifted), shifted)
}

export const bitRows: Rows<'bitwiseAnd' | 'bitwiseOr' | 'bitwiseXor' | 'leftShift' | 'rightShift' | 'gcd'> = {
  bitwiseAnd: bitwise('And'),
  bitwiseOr: bitwise('Or'),
  bitwiseXor: bitwise('Xor'),
  leftShift: ofIntegers(leftShift),
  rightShift: ofIntegers(rightShift),
  gcd: { unsupported: 'ONNX has no greatest common divisor' },
}
