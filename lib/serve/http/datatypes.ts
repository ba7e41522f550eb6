/**
 * The data types of the Open Inference Protocol: their bytes in its binary extension, little endian, and the dtypes they are here.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
 */
import type { DType, TypedArray } from '../../base/dtype.ts'
import { HttpError } from './reply.ts'

interface Datatype {
  readonly bytes: number
  readonly read: (view: DataView, offset: number) => number
}

const numeric: Readonly<Record<string, Datatype>> = {
  BOOL: { bytes: 1, read: (view, at) => view.getUint8(at) },
  UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  UINT16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  UINT32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  UINT64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  INT8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  INT16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  INT32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
}

const names: Readonly<Record<DType, string>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  int32: 'INT32',
  float32: 'FP32',
  float64: 'FP64',
}

export const datatypeOf = (dtype: string): string => names[dtype as DType]

/** @throws HttpError 400 for another one */
export function checkDatatype(input: string, datatype: unknown): string {
  if (typeof datatype === 'string' && Object.hasOwn(numeric, datatype)) return datatype
  throw new HttpError(400, `input ${input}: a datatype of ${Object.keys(numeric).join(', ')} is expected`)
}

/** The numbers in bytes, which may stand at any offset. Those of 32-bit floats are copied as they are. */
export function numbersOf(input: string, datatype: string, bytes: Uint8Array, count: number): ArrayLike<number> {
  const { bytes: size, read } = numeric[datatype]!
  if (bytes.byteLength !== count * size)
    throw new HttpError(
      400,
      `input ${input}: ${count * size} bytes for its shape are expected, got ${bytes.byteLength}`,
    )
  if (datatype === 'FP32') return new Float32Array(new Uint8Array(bytes).buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float64Array.from({ length: count }, (_, i) => read(view, i * size))
}

/** The bytes of an array, as a view of it: the machines this runs on are little endian. */
export const bytesOf = (array: TypedArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** Strings in the binary extension: each with its length before it, as 32 bits. */
export function bytesOfTexts(texts: readonly string[]): Uint8Array {
  const parts = texts.flatMap((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
