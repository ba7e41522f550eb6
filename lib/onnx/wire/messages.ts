/** Models as bytes: decoding within limits, and encoding. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { DataFormatError } from '../../base/errors.ts'
import { formatError } from '../errors.ts'
import { type ModelProto, ModelProtoSchema } from './onnx_pb.ts'

/** A graph in an attribute of a node of a graph, and so on: each takes four messages. */
const deepest = 200

/**
 * The message of a file. Bytes of tensors are views of those given.
 * @throws DataFormatError for bytes that are no model
 */
export function decodeModel(bytes: Uint8Array, place: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false, recursionLimit: deepest })
  } catch (error) {
    if (error instanceof DataFormatError) throw error
    throw formatError('an ONNX model', (error as Error).message, place)
  }
}

/** A file's bytes. What is at its default is left out. */
export const encodeModel = (model: ModelProto): Uint8Array<ArrayBuffer> =>
  toBinary(ModelProtoSchema, model, { writeUnknownFields: false })

export { create }
