/** The types of elements in files, also those that no tensor has, and their numbers. */
import { allocate, type DType, dtypes, isArrayOf, type TypedArray, writeElements } from '../base/dtype.ts'

/** What a type of elements is; bytes are in the order of the machine, which is that of the files on all that Node.js runs on. */
interface StoredType {
  readonly bytes: number
  /** The dtype that it becomes unless another is asked for; null for what is not read. */
  readonly dtype: DType | null
  /** The numbers of elements, which begin where an array of them may. */
  readonly numbers?: (buffer: ArrayBuffer) => ArrayLike<number>
}

/** 16 bits of a float: a sign, an exponent and the digits after the point. */
interface Half {
  readonly exponentBits: number
  readonly fractionBits: number
}

/** IEEE 754's binary16, and the upper half of binary32. */
const float16: Half = { exponentBits: 5, fractionBits: 10 }
const bfloat16: Half = { exponentBits: 8, fractionBits: 7 }

const biasOf = ({ exponentBits }: Half): number => 2 ** (exponentBits - 1) - 1

/** The number of each pattern, made when it is needed first. */
function halves(half: Half): (buffer: ArrayBuffer) => Float32Array {
  let table: Float32Array | undefined
  return (buffer) => {
    table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => numberOf(half, bits))
    const from = new Uint16Array(buffer)
    const to = new Float32Array(from.length)
    for (let i = 0; i < to.length; i++) to[i] = table[from[i]!]!
    return to
  }
}

function numberOf(half: Half, bits: number): number {
  const { exponentBits, fractionBits } = half
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1)
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  const sign = bits >= 2 ** 15 ? -1 : 1
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 : 1 + fraction) * 2 ** (exponent - biasOf(half))
}

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** 2ⁿ for the exponents of doubles, from −1023 on. */
const powers = Float64Array.from({ length: 2047 }, (_, i) => 2 ** (i - 1023))

/**
 * The patterns that are nearest to numbers, and of two the one that ends in 0. The sum that gives one has the exponent and the digits
 * carry into each other: from the subnormal numbers to the others, and from the greatest to infinity.
 */
function toHalves(half: Half, values: TypedArray): Uint16Array<ArrayBuffer> {
  const { exponentBits, fractionBits } = half
  const bias = biasOf(half)
  const infinity = (2 ** exponentBits - 1) << fractionBits
  const notANumber = infinity | (1 << (fractionBits - 1))
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < bits.length; i++) {
    const x = values[i]!
    double[0] = x
    const sign = (words[1]! >>> 31) << 15
    const exponent = Math.max(((words[1]! >>> 20) & 0x7ff) - 1023, 1 - bias)
    if (exponent > bias) bits[i] = sign | (Number.isNaN(x) ? notANumber : infinity)
    else {
      const digits = Math.abs(x) * powers[fractionBits - exponent + 1023]!
      // Doubles from 2⁵² on are integers, so the sum is rounded to one.
      const rounded = digits + 2 ** 52 - 2 ** 52
      bits[i] = sign | (((exponent + bias - 1) << fractionBits) + rounded)
    }
  }
  return bits
}

const integers64 =
  (isSigned: boolean) =>
  (buffer: ArrayBuffer): Float64Array => {
    const [low, high] = [new Uint32Array(buffer), isSigned ? new Int32Array(buffer) : new Uint32Array(buffer)]
    const to = new Float64Array(low.length / 2)
    for (let i = 0; i < to.length; i++) to[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!
    return to
  }

/** By the names that safetensors has for them. */
export const storedTypes = {
  BOOL: { bytes: 1, dtype: 'bool', numbers: (buffer) => new Uint8Array(buffer) },
  U8: { bytes: 1, dtype: 'uint8', numbers: (buffer) => new Uint8Array(buffer) },
  I8: { bytes: 1, dtype: 'int32', numbers: (buffer) => new Int8Array(buffer) },
  F8_E5M2: { bytes: 1, dtype: null },
  F8_E4M3: { bytes: 1, dtype: null },
  F8_E8M0: { bytes: 1, dtype: null },
  I16: { bytes: 2, dtype: 'int32', numbers: (buffer) => new Int16Array(buffer) },
  U16: { bytes: 2, dtype: 'int32', numbers: (buffer) => new Uint16Array(buffer) },
  F16: { bytes: 2, dtype: 'float32', numbers: halves(float16) },
  BF16: { bytes: 2, dtype: 'float32', numbers: halves(bfloat16) },
  I32: { bytes: 4, dtype: 'int32', numbers: (buffer) => new Int32Array(buffer) },
  U32: { bytes: 4, dtype: 'int32', numbers: (buffer) => new Uint32Array(buffer) },
  F32: { bytes: 4, dtype: 'float32', numbers: (buffer) => new Float32Array(buffer) },
  C64: { bytes: 8, dtype: null },
  F64: { bytes: 8, dtype: 'float32', numbers: (buffer) => new Float64Array(buffer) },
  I64: { bytes: 8, dtype: 'int32', numbers: integers64(true) },
  U64: { bytes: 8, dtype: 'int32', numbers: integers64(false) },
} as const satisfies Readonly<Record<string, StoredType>>

export type StoredName = keyof typeof storedTypes

export const isStoredName = (name: string): name is StoredName => Object.hasOwn(storedTypes, name)

/** What elements may be asked for as: a dtype, or that which holds all of them, `stored`, where F64 stays float64. */
export type LoadDType = DType | 'stored'

export const loadDTypes = [...dtypes, 'stored'] as const satisfies readonly LoadDType[]

/** The dtype that elements become; null for what is not read. */
export function dtypeOf(type: StoredName, asked: LoadDType | undefined): DType | null {
  const { dtype }: StoredType = storedTypes[type]
  if (dtype === null || asked === undefined) return dtype
  return asked !== 'stored' ? asked : type === 'F64' ? 'float64' : dtype
}

/**
 * Elements of a file as those of a dtype, in memory that may be that of the bytes.
 * @throws RangeError for a number that an integer dtype does not hold
 */
export function decode(op: string, type: StoredName, bytes: Uint8Array, dtype: DType): TypedArray {
  const { numbers }: StoredType = storedTypes[type]
  // Those of a user may begin anywhere.
  const isOwn = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
  const from = numbers!((isOwn ? bytes : new Uint8Array(bytes)).buffer as ArrayBuffer)
  if (isArrayOf(dtype, from)) return from as TypedArray
  const to = allocate(dtype, from.length)
  writeElements(op, from, dtype, to)
  return to
}

/** What floats may be stored as. */
export type StoredFloat = 'float16' | 'bfloat16' | 'float32' | 'float64'

export const storedFloats = ['float16', 'bfloat16', 'float32', 'float64'] as const satisfies readonly StoredFloat[]

const writtenTypes = {
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Readonly<Record<StoredFloat | DType, StoredName>>

/** The type under which a dtype is written, or floats as they are asked for. */
export const typeToWrite = (dtype: DType, floats: StoredFloat | undefined): StoredName =>
  writtenTypes[(dtype === 'float32' || dtype === 'float64') && floats !== undefined ? floats : dtype]

/** Elements as a file has them: the bytes of the array itself where they are the same. */
export function encode(values: TypedArray, dtype: DType, type: StoredName): Uint8Array {
  if (type === 'F16' || type === 'BF16') return bytesOf(toHalves(type === 'F16' ? float16 : bfloat16, values))
  const stored = type === 'F32' ? 'float32' : type === 'F64' ? 'float64' : dtype
  if (stored === dtype) return bytesOf(values)
  const to = allocate(stored, values.length)
  to.set(values)
  return bytesOf(to)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

/** How many bytes each element takes in a file. */
export const storedBytes = (type: StoredName): number => storedTypes[type].bytes
