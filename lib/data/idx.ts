// The IDX format of the MNIST files, as Yann LeCun's page defines it (http://yann.lecun.com/exdb/mnist/): two zero
// bytes, the code of the element type, the rank, the extents as big-endian uint32, then the elements, big-endian in
// row-major order. A header is untrusted: its claim is compared with the bytes that are there before anything is allocated.

import { readFile } from 'node:fs/promises'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { allocate, type DType, type TypedArray } from '../base/dtype.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { formatShape, sizeOf } from '../base/shape.ts'
import { atOnce, inTurns, type Pieces, stepsPerPiece } from '../base/turns.ts'

/** The content of an IDX file. int8 and int16 elements are widened to int32. */
export interface IdxArray {
  dtype: DType
  shape: number[]
  data: TypedArray
}

interface Header {
  type: ElementType
  shape: number[]
  /** Where the elements begin. */
  start: number
  /** The length of the whole file that the header claims; possibly Infinity. */
  length: number
}

interface ElementType {
  dtype: DType
  bytes: number
  read: (view: DataView, offset: number) => number
}

const elementTypes: Readonly<Record<number, ElementType>> = {
  8: { dtype: 'uint8', bytes: 1, read: (view, offset) => view.getUint8(offset) },
  9: { dtype: 'int32', bytes: 1, read: (view, offset) => view.getInt8(offset) },
  11: { dtype: 'int32', bytes: 2, read: (view, offset) => view.getInt16(offset) },
  12: { dtype: 'int32', bytes: 4, read: (view, offset) => view.getInt32(offset) },
  13: { dtype: 'float32', bytes: 4, read: (view, offset) => view.getFloat32(offset) },
  14: { dtype: 'float64', bytes: 8, read: (view, offset) => view.getFloat64(offset) },
}

/** What a gzipped file may expand to; EMNIST, the largest of the family, takes half of it. */
const maxExpandedBytes = 2 ** 30
/** Of one byte deflate makes so many at most. */
const maxExpansion = 1032

function fail(name: string, what: string, got: unknown): never {
  throw new DataFormatError(`${expected('idx', what, got)} (${name})`)
}

/**
 * Parses the bytes of an IDX file; the result shares no memory with them.
 *
 * @param name what messages call the file
 * @throws DataFormatError for a wrong magic number, an unknown element type, rank 0, and a header that claims more or
 * less than the bytes hold
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const parsed = atOnce(parsing(bytes, name))
  return parsed.dtype === 'uint8' ? { ...parsed, data: parsed.data.slice() as TypedArray } : parsed
}

/** Bytes stay where they are. */
function* parsing(bytes: Uint8Array, name: string): Pieces<IdxArray> {
  const { type, shape, start, length } = parseHeader(bytes, name)
  if (bytes.length !== length) fail(name, `${length} bytes, as the header ${formatShape(shape)} claims`, bytes.length)
  if (type.dtype === 'uint8') {
    const data = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, length - start)
    return { dtype: 'uint8', shape, data }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start)
  const data = allocate(type.dtype, view.byteLength / type.bytes)
  for (let start = 0; start < data.length; start += stepsPerPiece) {
    if (start > 0) yield
    decode(data, start, Math.min(start + stepsPerPiece, data.length), view, type)
  }
  return { dtype: type.dtype, shape, data }
}

function decode(to: TypedArray, start: number, end: number, view: DataView, { read, bytes }: ElementType): void {
  for (let i = start; i < end; i++) to[i] = read(view, i * bytes)
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length < 4) fail(name, 'a header of at least 4 bytes', bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const magic = `0x${view.getUint32(0).toString(16).padStart(8, '0')}`
  if (view.getUint16(0) !== 0) fail(name, 'a magic number that starts with two zero bytes', magic)
  const type =
    elementTypes[view.getUint8(2)] ?? fail(name, 'element type 0x08, 0x09 or 0x0b to 0x0e', `magic number ${magic}`)
  const rank = view.getUint8(3)
  if (rank === 0) fail(name, 'at least one axis', `magic number ${magic}`)
  const start = 4 + 4 * rank
  if (bytes.length < start) fail(name, `a header of ${start} bytes for ${rank} axes`, bytes.length)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  // In floating point an overflowing product is merely inexact or Infinity; zero first, for 0 * Infinity is NaN.
  const size = shape.includes(0) ? 0 : sizeOf(shape)
  return { type, shape, start, length: start + size * type.bytes }
}

/**
 * Reads an IDX file, plain or gzipped (told apart by the first bytes, not by the name).
 *
 * @throws DataFormatError as parseIdx does, and for a damaged gzip stream or one that expands to more than its IDX
 * header claims, or to more than 1 GiB. The event loop turns while elements are decoded.
 */
export async function readIdxFile(path: string): Promise<IdxArray> {
  const bytes = await readFile(path)
  const isGzipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return inTurns(parsing(isGzipped ? await expand(bytes, path) : bytes, path))
}

/** Decompresses no more than the header at the start of the stream claims. */
async function expand(compressed: Uint8Array, name: string): Promise<Uint8Array> {
  const { length } = parseHeader(expandPrefix(compressed, name), name)
  const most = Math.min(maxExpandedBytes, maxExpansion * compressed.length)
  if (length > most) fail(name, `a header that claims at most ${most} bytes`, length)
  // Chunk by chunk into its place: a list of chunks and their concatenation would be twice as much memory.
  const bytes = new Uint8Array(length)
  let end = 0
  try {
    for await (const chunk of createGunzip({ chunkSize: 1 << 18 }).end(compressed) as AsyncIterable<Buffer>) {
      if (end + chunk.length > length) fail(name, `${length} bytes, as the header claims`, 'more')
      bytes.set(chunk, end)
      end += chunk.length
    }
  } catch (error) {
    if (error instanceof DataFormatError) throw error
    fail(name, 'an intact gzip stream', (error as Error).message)
  }
  return bytes.subarray(0, end)
}

/** The beginning of the decompressed stream: at least the longest IDX header, and at most 1032 times 8 KiB. */
function expandPrefix(compressed: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(compressed.subarray(0, 8192), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    return fail(name, 'an intact gzip stream', (error as Error).message)
  }
}
