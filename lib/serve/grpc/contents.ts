/** The elements of tensors by type (InferTensorContents): the one list that a datatype has is read and written. */
import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { Datatype } from '../protocol/datatypes.ts'
import { invalid, RequestError } from '../protocol/faults.ts'
import type { NamedResult } from '../protocol/results.ts'
import { InferTensorContentsSchema } from './wire/inference_pb.ts'

type List = keyof typeof InferTensorContentsSchema.field

const integers: Readonly<Record<string, List>> = { INT8: 'intContents', INT16: 'intContents', INT32: 'intContents' }
const naturals: Readonly<Record<string, List>> = {
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
}

/** FP16 and BF16 have none. */
const lists: Readonly<Record<string, List>> = {
  ...integers,
  ...naturals,
  BOOL: 'boolContents',
  INT64: 'int64Contents',
  UINT64: 'uint64Contents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
}

const readers: Readonly<Partial<Record<List, (reader: BinaryReader) => number>>> = {
  boolContents: (reader) => Number(reader.bool()),
  intContents: (reader) => reader.int32(),
  int64Contents: (reader) => Number(reader.int64()),
  uintContents: (reader) => reader.uint32(),
  uint64Contents: (reader) => Number(reader.uint64()),
  fp32Contents: (reader) => reader.float(),
  fp64Contents: (reader) => reader.double(),
}

/**
 * The numbers of an input, as many as its shape has.
 * @throws RequestError where there are more or fewer, or the bytes are no such message
 */
export function numbersIn(input: string, datatype: Datatype, contents: Uint8Array, size: number): number[] {
  const list = lists[datatype]
  if (list === undefined) throw invalid(`input ${input}: raw_input_contents are expected of ${datatype}`)
  const { name, number } = InferTensorContentsSchema.field[list]
  const refuse = (got: string) => invalid(`input ${input}: ${size} numbers are expected as ${name}, got ${got}`)
  const numbers: number[] = []
  try {
    for (const run of runsOf(contents, number)) {
      const reader = new BinaryReader(run)
      while (reader.pos < reader.len) {
        if (numbers.length === size) throw refuse('more')
        numbers.push(readers[list]!(reader))
      }
    }
  } catch (error) {
    throw error instanceof RequestError ? error : refuse((error as Error).message)
  }
  if (numbers.length !== size) throw refuse(String(numbers.length))
  return numbers
}

/** The bytes of a field that is repeated: many numbers in a run, or each for itself. */
function* runsOf(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  const reader = new BinaryReader(message)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const start = reader.pos
    const isRun = type === WireType.LengthDelimited
    if (!isRun) reader.skip(type, number)
    const run = isRun ? reader.bytes() : message.subarray(start, reader.pos)
    if (number === wanted) yield run
  }
}

export function contentsOf({ datatype, list }: NamedResult): Uint8Array {
  const elements = datatype === 'BYTES' ? list().map((text) => Buffer.from(text as string)) : list()
  return toBinary(InferTensorContentsSchema, create(InferTensorContentsSchema, { [lists[datatype]!]: elements }))
}
