/** Events and what is in them as bytes: decoding within limits. */
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { DataFormatError, expected } from '../../base/errors.ts'
import { hasMoreParts } from '../../files/message-parts.ts'
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
    if (bytes.length > shortBytes && hasMoreParts(schema, bytes, mostParts))
      throw refuse(`one of more than ${mostParts} parts`)
    return fromBinary(schema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw error instanceof DataFormatError ? error : refuse((error as Error).message)
  }
}
