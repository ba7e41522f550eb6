/** Initializers whose data are in a file beside the model. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TensorProtoSchema } from '../wire/onnx_pb.ts'
import type { GraphMessage, TensorMessage } from './messages.ts'

/** TensorProto.DataLocation */
const external = 1

/** Smaller ones stay in the model: shapes and the like, which readers need before they have read any data. */
const leastBytes = 1024

/** Offsets are multiples of a page, so that a reader may map the file. */
const alignment = 4096

export const sizeOfTensors = ({ initializer }: GraphMessage): number =>
  initializer.reduce((sum, { rawData }) => sum + rawData.length, 0)

/** The initializers as the model has them, and the file of their data. */
export function externalize(
  initializers: readonly TensorMessage[],
  location: string,
): { tensors: MessageInitShape<typeof TensorProtoSchema>[]; data: Uint8Array[] } {
  const data: Uint8Array[] = []
  let end = 0
  const tensors = initializers.map((tensor): MessageInitShape<typeof TensorProtoSchema> => {
    const { rawData, ...others } = tensor
    if (rawData.length < leastBytes) return tensor
    const offset = Math.ceil(end / alignment) * alignment
    data.push(new Uint8Array(offset - end), rawData)
    end = offset + rawData.length
    const entries = { location, offset, length: rawData.length }
    return {
      ...others,
      dataLocation: external,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
    }
  })
  return { tensors, data }
}
