/** Tensors of files: their elements decoded within what their shapes promise, and encoded. */
import type { DType, TypedArray } from '../../base/dtype.ts'
import { formatShape, maxElements, maxRank, type Shape, sizeOf } from '../../base/shape.ts'
import { decode, storedBytes } from '../../files/stored.ts'
import { tensorOfBytes } from '../../files/tensor-file.ts'
import { tensor } from '../../tensor/creation.ts'
import { formatError, op } from '../errors.ts'
import {
  type Doubles,
  dataLocations,
  dtypeOfType,
  type ElementType,
  elementTypes,
  isFloatType,
  isWide,
  rangeOf,
  typeOfCode,
} from '../types.ts'
import { HostArray, type HostData, TensorValue, type Value } from '../values.ts'
import { create } from './messages.ts'
import { type TensorProto, TensorProtoSchema } from './onnx_pb.ts'

/** What has more elements is a tensor from the start, unless its integers have 64 bits. */
const mostOnHost = 1024

/**
 * The shape of a tensor in a file.
 * @throws DataFormatError for what no tensor has
 */
export function shapeOfProto({ dims }: TensorProto, place: string): Shape {
  if (dims.length > maxRank) throw formatError(`at most ${maxRank} dims`, dims.length, place)
  let size = 1n
  for (const extent of dims) {
    if (extent < 0n || extent > BigInt(maxElements)) throw formatError('dims from 0 to 2³¹ − 1', extent, place)
    size *= extent
  }
  if (size > BigInt(maxElements)) throw formatError('at most 2³¹ − 1 elements', size, place)
  return dims.map(Number)
}

export function typeOfProto({ dataType }: TensorProto, place: string): ElementType {
  const type = typeOfCode(dataType)
  if (type === undefined) throw formatError('a data type', dataType, place)
  return type
}

/**
 * The elements of a tensor in a file: on the host where they are few or of 64 bits, else as a tensor.
 * @throws DataFormatError for bytes that are not as many as the shape asks for, or a type that is not computed with
 */
export function decodeTensor(proto: TensorProto, doubles: Doubles, place: string): Value {
  const type = typeOfProto(proto, place)
  const shape = shapeOfProto(proto, place)
  const dtype = dtypeOfType(type, doubles)
  if (dtype === null) throw formatError('a tensor of numbers', type, place)
  if (isWide(type)) return new HostArray(type, shape, wideElements(proto, type, sizeOf(shape), place))
  const elements = elementsOf(proto, type, dtype, sizeOf(shape), place)
  if (elements.length <= mostOnHost) return HostArray.of(type, shape, elements)
  return new TensorValue(tensor(elements, { dtype, shape }), type)
}

/** Bytes of a tensor from which on it is decoded in pieces. */
const manyBytes = 2 ** 20

/**
 * The float tensors of many bytes, decoded in pieces between which the event loop turns. What is not as it should be is left
 * out, for decodeTensor to say.
 */
export async function decodeInPieces(
  protos: readonly TensorProto[],
  doubles: Doubles,
  place: string,
): Promise<Map<TensorProto, Value>> {
  const decoded = new Map<TensorProto, Value>()
  for (const proto of protos.filter(({ rawData }) => rawData.length >= manyBytes)) {
    const [type, shape] = [typeOfProto(proto, place), shapeOfProto(proto, place)]
    const [dtype, { stored }] = [dtypeOfType(type, doubles), elementTypes[type]]
    const { name, rawData } = proto
    if (!isFloatType(type) || dtype === null || stored === null) continue
    if (rawData.length !== sizeOf(shape) * storedBytes(stored)) continue
    decoded.set(proto, new TensorValue(await tensorOfBytes(op, { name, type: stored, shape }, rawData, dtype), type))
  }
  return decoded
}

const hasBytes = ({ rawData }: TensorProto): boolean => rawData.length > 0

function checkCount(what: string, count: number, size: number, shape: Shape, place: string): void {
  if (count !== size) throw formatError(`${size} ${what} for shape ${formatShape(shape)}`, count, place)
}

function wideElements(proto: TensorProto, type: ElementType, size: number, place: string): HostData {
  const { rawData, int64Data, uint64Data } = proto
  const isSigned = type === 'int64'
  const shape = proto.dims.map(Number)
  if (!hasBytes(proto)) {
    checkCount('elements', (isSigned ? int64Data : uint64Data).length, size, shape, place)
    return isSigned ? BigInt64Array.from(int64Data) : BigUint64Array.from(uint64Data)
  }
  checkCount('bytes', rawData.length, size * 8, shape, place)
  const { buffer } = new Uint8Array(rawData)
  return isSigned ? new BigInt64Array(buffer) : new BigUint64Array(buffer)
}

function elementsOf(proto: TensorProto, type: ElementType, dtype: DType, size: number, place: string): TypedArray {
  const shape = proto.dims.map(Number)
  const bits = narrowBits(type)
  if (bits !== undefined) return narrowElements(proto, type, bits, size, place)
  const { stored } = elementTypes[type]
  if (stored === null) throw formatError('a type of numbers', type, place)
  if (hasBytes(proto)) {
    checkCount('bytes', proto.rawData.length, size * storedBytes(stored), shape, place)
    return decodeBytes(type, proto.rawData, dtype, place)
  }
  const given = numbersOf(proto, type)
  checkCount('elements', given.length, size, shape, place)
  // Halves stand in the lower bits of integers.
  if (type === 'float16' || type === 'bfloat16')
    return decodeBytes(type, new Uint8Array(Uint16Array.from(given).buffer), dtype, place)
  return checkedArray(Float64Array.from(given), dtype, type, place)
}

function decodeBytes(type: ElementType, bytes: Uint8Array, dtype: DType, place: string): TypedArray {
  try {
    return decode(op, elementTypes[type].stored!, bytes, dtype)
  } catch (error) {
    throw formatError(`${type} numbers that ${dtype} holds`, (error as Error).message, place)
  }
}

/** Elements that stand in a list of the message. */
function numbersOf(
  { floatData, doubleData, int32Data, uint64Data }: TensorProto,
  type: ElementType,
): readonly number[] {
  if (type === 'float') return floatData
  if (type === 'double') return doubleData
  return type === 'uint32' ? uint64Data.map(Number) : int32Data
}

function checkedArray(given: Float64Array<ArrayBuffer>, dtype: DType, type: ElementType, place: string): TypedArray {
  if (dtype === 'float32') return Float32Array.from(given)
  if (dtype === 'float64') return given
  if (dtype === 'bool') return Uint8Array.from(given, (x) => (x === 0 ? 0 : 1))
  const [least, most] = rangeOf(type)!
  const other = given.find((x) => x < Number(least) || x > Number(most) || (dtype === 'int32' && x >= 2 ** 31))
  if (other !== undefined) throw formatError(`numbers that ${type} and tensors hold`, other, place)
  return dtype === 'uint8' ? Uint8Array.from(given) : Int32Array.from(given)
}

/** How many bits an integer type takes where several stand in a byte. */
function narrowBits(type: ElementType): number | undefined {
  const bits = Number(/^u?int([24])$/.exec(type)?.[1])
  return Number.isNaN(bits) ? undefined : bits
}

function narrowElements(proto: TensorProto, type: ElementType, bits: number, size: number, place: string): TypedArray {
  const perByte = 8 / bits
  const bytes = hasBytes(proto) ? proto.rawData : Uint8Array.from(proto.int32Data)
  checkCount('bytes', bytes.length, Math.ceil(size / perByte), proto.dims.map(Number), place)
  const shift = 32 - bits
  return Int32Array.from({ length: size }, (_, i) => {
    const lifted = (bytes[Math.floor(i / perByte)]! >> (bits * (i % perByte))) << shift
    return type.startsWith('u') ? lifted >>> shift : lifted >> shift
  })
}

/** A tensor of a file, with the elements as raw bytes: `bytes` are those of the type. */
export function tensorProto(name: string, type: ElementType, shape: Shape, bytes: Uint8Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: elementTypes[type].code,
    dims: shape.map(BigInt),
    rawData: bytes,
    dataLocation: dataLocations.inside,
  })
}
