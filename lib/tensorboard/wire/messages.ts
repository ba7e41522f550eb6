/** Events and what is in them as bytes: decoding within limits. */
import { type DescMessage, fromBinary, type MessageShape, ScalarType } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { DataFormatError, expected } from '../../base/errors.ts'
import { type Event, EventSchema, GraphDefSchema, HParamsPluginDataSchema } from './tensorboard_pb.ts'

export const decodeEvent = (op: string, bytes: Uint8Array, place: string): Event =>
  decode(op, EventSchema, bytes, place)

export const decodeGraph = (op: string, bytes: Uint8Array, place: string) => decode(op, GraphDefSchema, bytes, place)

export const decodeHyperparameters = (op: string, bytes: Uint8Array, place: string) =>
  decode(op, HParamsPluginDataSchema, bytes, place)

/** An event is seldom long, and what a short one becomes is of no account. */
const shortBytes = 1 << 20
const mostParts = 1 << 21

/** @throws DataFormatError for bytes that are no such message, or one of very many parts */
function decode<D extends DescMessage>(op: string, schema: D, bytes: Uint8Array, place: string): MessageShape<D> {
  const refuse = (got: string) => new DataFormatError(`${expected(op, `a message ${schema.name}`, got)} (${place})`)
  try {
    if (bytes.length > shortBytes && partsLeft(within(schema), bytes, mostParts) < 0)
      throw refuse(`one of more than ${mostParts} parts`)
    return fromBinary(schema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw error instanceof DataFormatError ? error : refuse((error as Error).message)
  }
}

/** What a field of a message is, by its number. */
type Within = (number: number) => Within | 'numbers' | 'bytes'

function within(schema: DescMessage): Within {
  return (number) => {
    const field = schema.fields.find((field) => field.number === number)
    if (field?.message) {
      const inner = within(field.message)
      return field.fieldKind === 'map' ? (number) => (number === 2 ? inner : 'bytes') : inner
    }
    const isText = field?.scalar === ScalarType.STRING || field?.scalar === ScalarType.BYTES
    return field?.fieldKind === 'list' && !isText ? 'numbers' : 'bytes'
  }
}

/**
 * What is left of `most` when a message's parts are counted, negative where there are more: a number of one byte, or a message of two, becomes an
 * object of up to a hundred.
 */
function partsLeft(fields: Within, bytes: Uint8Array, most: number): number {
  const reader = new BinaryReader(bytes)
  let left = most
  while (reader.pos < reader.len && left >= 0) {
    const [number, type] = reader.tag()
    left--
    if (type !== WireType.LengthDelimited) reader.skip(type, number)
    else {
      const [field, part] = [fields(number), reader.bytes()]
      if (field === 'numbers') left -= part.length
      else if (field !== 'bytes') left = partsLeft(field, part, left)
    }
  }
  return left
}
