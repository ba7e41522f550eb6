/** The types of elements that ONNX has, by name: their numbers in files, how files store them and what tensors hold of them. */
import type { DType } from '../base/dtype.ts'
import type { StoredName } from '../files/stored.ts'

interface TypeRow {
  /** Its number in TensorProto.DataType. */
  readonly code: number
  /** What a tensor holds it as; null for what is not computed with. */
  readonly dtype: DType | null
  /** How files store it; null for what has a form of its own. */
  readonly stored: StoredName | null
}

export const elementTypes = {
  float: { code: 1, dtype: 'float32', stored: 'F32' },
  uint8: { code: 2, dtype: 'uint8', stored: 'U8' },
  int8: { code: 3, dtype: 'int32', stored: 'I8' },
  uint16: { code: 4, dtype: 'int32', stored: 'U16' },
  int16: { code: 5, dtype: 'int32', stored: 'I16' },
  int32: { code: 6, dtype: 'int32', stored: 'I32' },
  int64: { code: 7, dtype: 'int32', stored: 'I64' },
  string: { code: 8, dtype: null, stored: null },
  bool: { code: 9, dtype: 'bool', stored: 'BOOL' },
  float16: { code: 10, dtype: 'float32', stored: 'F16' },
  double: { code: 11, dtype: 'float32', stored: 'F64' },
  uint32: { code: 12, dtype: 'int32', stored: 'U32' },
  uint64: { code: 13, dtype: 'int32', stored: 'U64' },
  complex64: { code: 14, dtype: null, stored: 'C64' },
  complex128: { code: 15, dtype: null, stored: null },
  bfloat16: { code: 16, dtype: 'float32', stored: 'BF16' },
  float8e4m3fn: { code: 17, dtype: null, stored: null },
  float8e4m3fnuz: { code: 18, dtype: null, stored: null },
  float8e5m2: { code: 19, dtype: null, stored: null },
  float8e5m2fnuz: { code: 20, dtype: null, stored: null },
  uint4: { code: 21, dtype: 'int32', stored: null },
  int4: { code: 22, dtype: 'int32', stored: null },
  float4e2m1: { code: 23, dtype: null, stored: null },
  float8e8m0: { code: 24, dtype: null, stored: null },
  uint2: { code: 25, dtype: 'int32', stored: null },
  int2: { code: 26, dtype: 'int32', stored: null },
  float6e2m3: { code: 27, dtype: null, stored: null },
  float6e3m2: { code: 28, dtype: null, stored: null },
} as const satisfies Readonly<Record<string, TypeRow>>

export type ElementType = keyof typeof elementTypes

const byCode = new Map(Object.entries(elementTypes).map(([name, { code }]) => [code as number, name as ElementType]))

/** The type of a number in a file; undefined for one that there is none of. */
export const typeOfCode = (code: number): ElementType | undefined => byCode.get(code)

/** What tensors hold `double` as. */
export type Doubles = 'float32' | 'float64'

/** What a tensor holds elements of a type as; null for types that are not computed with. */
export const dtypeOfType = (type: ElementType, doubles: Doubles): DType | null =>
  type === 'double' ? doubles : elementTypes[type].dtype

/** The type that elements of a tensor have where nothing says another one. */
export const typeOfDType = {
  float32: 'float',
  float64: 'double',
  int32: 'int32',
  uint8: 'uint8',
  bool: 'bool',
} as const satisfies Readonly<Record<DType, ElementType>>

/** Those of 64 bits are kept exactly, as bigint. */
export const isWide = (type: ElementType): boolean => type === 'int64' || type === 'uint64'

const floats: ReadonlySet<ElementType> = new Set(['float', 'double', 'float16', 'bfloat16'])

export const isFloatType = (type: ElementType): boolean => floats.has(type)

/** What a type of integers holds; undefined for other types. */
export function rangeOf(type: ElementType): readonly [least: bigint, most: bigint] | undefined {
  const [, unsigned, digits] = /^(u?)int(\d+)$/.exec(type) ?? []
  if (digits === undefined) return undefined
  const bits = BigInt(digits)
  return unsigned === 'u' ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
}

/** The type of the kind of an attribute, by its number in AttributeProto.AttributeType. */
export const attributeKinds = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  typeProto: 13,
} as const

/** Where the elements of a tensor are, by TensorProto.DataLocation. */
export const dataLocations = { inside: 0, external: 1 } as const
