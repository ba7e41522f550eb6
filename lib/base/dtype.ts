/** The dtypes of elements, and the typed arrays that hold them. */
import { DTypeError, expected } from './errors.ts'

/** Element types. Convolutions, pooling, normalization and attention of float64 are computed by the reference backend only. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool'

export type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>

/** In the order of promotion: the later of two operands' dtypes is that of the result. */
export const dtypes = ['bool', 'uint8', 'int32', 'float32', 'float64'] as const satisfies readonly DType[]

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/** The class of a typed array of any realm, by the getter of the engine, which nothing else can pass for. */
const classOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!

const dtypesByClass: Readonly<Record<string, DType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Int32Array: 'int32',
  Int8Array: 'int32',
  Int16Array: 'int32',
  Uint16Array: 'int32',
}

/** The smallest dtype that has all that a typed array may hold; undefined for 64-bit integers and what is none. */
export const dtypeOfArray = (array: unknown): DType | undefined => dtypesByClass[classOf.call(array) as string]

export const bytesPerElement = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT

export const isFloat = (dtype: DType): dtype is 'float32' | 'float64' => dtype === 'float32' || dtype === 'float64'

/** The dtype of `a op b`: bool < uint8 < int32 < float32 < float64. */
export const promote = (a: DType, b: DType): DType => (dtypes.indexOf(a) >= dtypes.indexOf(b) ? a : b)

export const isDType = (x: unknown): x is DType => (dtypes as readonly unknown[]).includes(x)

export function checkDType(op: string, dtype: unknown): DType {
  if (!isDType(dtype)) throw new DTypeError(expected(op, `a dtype (${dtypes.join(', ')})`, dtype))
  return dtype
}

/** What integers truncate to lies strictly between these. */
const limits = { int32: [-(2 ** 31) - 1, 2 ** 31], uint8: [-1, 256] } as const

const integerRange = { int32: '−2³¹ to 2³¹ − 1', uint8: '0 to 255' } as const

const outOfRange = (op: string, dtype: 'int32' | 'uint8', value: number): RangeError =>
  new RangeError(expected(op, `numbers that ${dtype} holds (${integerRange[dtype]})`, value))

/**
 * What a JavaScript number is as an element of a dtype: integers truncate it toward zero, as PyTorch and numpy do, and of
 * bool it is 1 unless it is 0.
 * @throws RangeError for what an integer dtype does not hold: NaN, infinities and numbers out of its range
 */
export function elementOf(op: string, value: number | boolean, dtype: DType): number {
  if (typeof value !== 'number' && typeof value !== 'boolean')
    throw new TypeError(expected(op, 'a number', value === null ? 'null' : typeof value))
  const number = Number(value)
  if (isFloat(dtype)) return number
  if (dtype === 'bool') return number === 0 ? 0 : 1
  const [low, high] = limits[dtype]
  if (!(number > low && number < high)) throw outOfRange(op, dtype, number)
  return Math.trunc(number) + 0
}

/** Whether every element of a typed array is one of an integer dtype. */
function holdsAllOf(dtype: 'int32' | 'uint8', array: unknown): boolean {
  const own = dtypeOfArray(array)
  return own === 'uint8' || (own === 'int32' && dtype === 'int32')
}

/**
 * Writes numbers as elements, each as `elementOf` says.
 * @throws RangeError as elementOf
 */
export function writeElements(op: string, from: ArrayLike<number>, dtype: DType, to: TypedArray): void {
  if (dtype === 'bool') for (let i = 0; i < from.length; i++) to[i] = from[i] === 0 ? 0 : 1
  else if (isFloat(dtype) || holdsAllOf(dtype, from)) to.set(from)
  else writeIntegers(op, from, dtype, to)
}

function writeIntegers(op: string, from: ArrayLike<number>, dtype: 'int32' | 'uint8', to: TypedArray): void {
  const [low, high] = limits[dtype]
  for (let i = 0; i < from.length; i++) {
    const x = from[i]!
    if (!(x > low && x < high)) throw outOfRange(op, dtype, x)
    to[i] = x
  }
}

/** A zeroed array of `size` elements. */
export const allocate = (dtype: DType, size: number): TypedArray => new arrays[dtype](size)

/** A cache line, so that two threads that write small arrays do not take lines from each other. */
const roomAlignment = 64

/** Arrays of so many bytes at most share a room: a view of one costs a tenth of a buffer of its own. */
const smallBytes = 256

/** What a small array may keep alive is no more than this. */
const roomBytes = 4096

let room = new ArrayBuffer(0)
let roomUsed = 0

/** `allocate` for memory that native code is given and users are not: small arrays lie in one buffer, each in lines of its own. */
export function allocateInRoom(dtype: DType, size: number): TypedArray {
  const bytes = size * bytesPerElement(dtype)
  if (!(bytes <= smallBytes)) return allocate(dtype, size)
  if (roomUsed + bytes > room.byteLength) {
    room = new ArrayBuffer(roomBytes)
    roomUsed = 0
  }
  const array = arrayAt(dtype, room, roomUsed, size)
  roomUsed += Math.ceil(bytes / roomAlignment) * roomAlignment
  return array
}

/** An array of one number. */
export function scalarArray(dtype: DType, x: number): TypedArray {
  const array = allocateInRoom(dtype, 1)
  array[0] = x
  return array
}

export const isArrayOf = (dtype: DType, array: unknown): boolean => array instanceof arrays[dtype]

/** A view of `size` elements from a byte offset on. */
export const arrayAt = (dtype: DType, buffer: ArrayBuffer, offset: number, size: number): TypedArray =>
  new arrays[dtype](buffer, offset, size)
