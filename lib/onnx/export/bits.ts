/** Operations on the bits of integers: of int64 that hold the 32 bits without a sign, where the operator set has no operators. */
import { type Builder, int, text } from './builder.ts'
import type { Rows, Unsupported, Write } from './row.ts'

const powers = (builder: Builder): string =>
  builder.constant(
    'int64',
    [32],
    BigInt64Array.from({ length: 32 }, (_, i) => 2n ** BigInt(i)),
  )

const long = (builder: Builder, value: bigint): string => builder.constant('int64', [], BigInt64Array.of(value))

/** The bits of x, the lowest first, along a new last axis: bool[…, 32]. */
function bitsOf(builder: Builder, x: string): string {
  const unsigned = builder.node('Mod', [builder.cast(x, 'int64'), long(builder, 2n ** 32n)])
  const column = builder.node('Unsqueeze', [unsigned, builder.ints([-1])])
  const shifted = builder.node('Div', [column, powers(builder)])
  return builder.cast(builder.node('Mod', [shifted, long(builder, 2n)]), 'bool')
}

/** The inverse, of int32 by the sign of the highest bit. */
function fromBits(builder: Builder, bits: string, isSigned: boolean): string {
  const values = builder.node('Mul', [builder.cast(bits, 'int64'), powers(builder)])
  const sum = builder.node('ReduceSum', [values, builder.ints([-1])], { keepdims: int(0) })
  return isSigned ? signed(builder, sum) : builder.cast(sum, 'uint8')
}

/** The int32 of 32 bits. */
function signed(builder: Builder, x: string): string {
  const isNegative = builder.node('GreaterOrEqual', [x, long(builder, 2n ** 31n)])
  const wrapped = builder.node('Sub', [x, long(builder, 2n ** 32n)])
  return builder.cast(builder.node('Where', [isNegative, wrapped, x]), 'int32')
}

const bitwise =
  (name: 'And' | 'Or' | 'Xor'): Write =>
  ({ builder }, { dtype }, a, b) => {
    if (dtype === 'bool') return builder.node(name, [a!, b!])
    if (builder.opset >= 18) return builder.node(`Bitwise${name}`, [a!, b!])
    return fromBits(builder, builder.node(name, [bitsOf(builder, a!), bitsOf(builder, b!)]), dtype === 'int32')
  }

/** Whether a shift is by 32 bits or more, or backwards, which leaves nothing. */
function isBeyond(builder: Builder, by: string): string {
  const isBelow = builder.node('Less', [by, builder.scalar(0, 'int32')])
  return builder.node('Or', [isBelow, builder.node('Greater', [by, builder.scalar(31, 'int32')])])
}

/** BitShift by what may be anything; beyond 31 it leaves `rest`. */
function shifted(builder: Builder, x: string, by: string, direction: 'LEFT' | 'RIGHT'): string {
  const beyond = isBeyond(builder, by)
  const within = builder.cast(builder.node('Where', [beyond, builder.scalar(0, 'int32'), by]), 'uint32')
  const zero = builder.constant('uint32', [], Int32Array.of(0))
  const kept = builder.node('BitShift', [x, within], { direction: text(direction) })
  // Through int64, as few operators choose between uint32.
  const [none, some] = [builder.cast(zero, 'int64'), builder.cast(kept, 'int64')]
  return builder.node('Where', [beyond, none, some])
}

/** The 32 bits of an int32 or a byte. */
const unsignedOf = (builder: Builder, x: string): string =>
  builder.cast(builder.node('Mod', [builder.cast(x, 'int64'), long(builder, 2n ** 32n)]), 'uint32')

const narrowed = (builder: Builder, x: string, isSigned: boolean): string =>
  isSigned ? signed(builder, x) : builder.cast(builder.node('Mod', [x, long(builder, 256n)]), 'uint8')

const leftShift: Write = ({ builder }, { dtype }, a, b) => {
  const by = builder.cast(b!, 'int32')
  return narrowed(builder, shifted(builder, unsignedOf(builder, a!), by, 'LEFT'), dtype === 'int32')
}

/** Of a negative number the complement of the shifted complement, which fills with copies of the sign. */
const rightShift: Write = ({ builder }, { dtype }, a, b) => {
  const by = builder.cast(b!, 'int32')
  if (dtype !== 'int32') return narrowed(builder, shifted(builder, unsignedOf(builder, a!), by, 'RIGHT'), false)
  const isNegative = builder.node('Less', [a!, builder.scalar(0, 'int32')])
  const complement = (x: string) => builder.node('Sub', [builder.node('Neg', [x]), builder.scalar(1, 'int32')])
  const bits = builder.node('Where', [isNegative, complement(a!), a!])
  const moved = signed(builder, shifted(builder, unsignedOf(builder, bits), by, 'RIGHT'))
  return builder.node('Where', [isNegative, complement(moved), moved])
}

const noDivisor: Unsupported = { unsupported: 'ONNX has no greatest common divisor' }

export const bitRows: Rows<'bitwiseAnd' | 'bitwiseOr' | 'bitwiseXor' | 'leftShift' | 'rightShift' | 'gcd'> = {
  bitwiseAnd: bitwise('And'),
  bitwiseOr: bitwise('Or'),
  bitwiseXor: bitwise('Xor'),
  leftShift,
  rightShift,
  gcd: noDivisor,
}
