/**
 * The data types of the Open Inference Protocol, and their elements as bytes: little endian, row after row, without gaps.
 * https://github.com/kserve/open-inference-protocol
 */
import type { DType, TypedArray } from '../../base/dtype.ts'
import { decode, type StoredName, storedBytes } from '../../files/stored.ts'
import { invalid } from './faults.ts'

/** Those of numbers, as what they are in files. BF16 is Triton's. */
const numeric = {
  BOOL: 'BOOL',
  UINT8: 'U8',
  UINT16: 'U16',
  UINT32: 'U32',
  UINT64: 'U64',
  INT8: 'I8',
  INT16: 'I16',
  INT32: 'I32',
  INT64: 'I64',
  FP16: 'F16',
  BF16: 'BF16',
  FP32: 'F32',
  FP64: 'F64',
} as const satisfies Readonly<Record<string, StoredName>>

export type Datatype = keyof typeof numeric

const names: Readonly<Record<DType, Datatype>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  int32: 'INT32',
  float32: 'FP32',
  float64: 'FP64',
}

export const datatypeOf = (dtype: string): Datatype => names[dtype as DType]

/** @throws RequestError for another one */
export function checkDatatype(input: string, datatype: unknown): Datatype {
  if (typeof datatype === 'string' && Object.hasOwn(numeric, datatype)) return datatype as Datatype
  throw invalid(`input ${input}: a datatype of ${Object.keys(numeric).join(', ')} is expected`)
}

/** Numbers of 16 bits come as bytes alone: no list of either protocol says how they are rounded. */
export const isBytesAlone = (datatype: Datatype): boolean => datatype === 'FP16' || datatype === 'BF16'

/**
 * The elements in bytes, which may stand at any offset, as those of a dtype.
 * @throws RequestError where there are more or fewer; RangeError for a number that the dtype does not hold
 */
export function elementsOf(
  input: string,
  datatype: Datatype,
  bytes: Uint8Array,
  count: number,
  dtype: DType,
): TypedArray {
  const type = numeric[datatype]
  const size = count * storedBytes(type)
  if (bytes.byteLength !== size)
    throw invalid(`input ${input}: ${size} bytes for its shape are expected, got ${bytes.byteLength}`)
  return decode('infer', type, bytes, dtype)
}

/** The bytes of an array, as a view of it: the machines this runs on are little endian. */
export const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** Texts (BYTES) as bytes: each with its length before it, as 32 bits. */
export function bytesOfTexts(texts: readonly string[]): Uint8Array {
  const parts = texts.flatMap((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
