/** Small ONNX models written down in a test. */
import { attributeKinds, type ElementType, elementTypes } from '../../lib/onnx/types.ts'
import { create, encodeModel } from '../../lib/onnx/wire/messages.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../lib/onnx/wire/onnx_pb.ts'
import { tensorProto } from '../../lib/onnx/wire/tensors.ts'

type AttributeValue = number | bigint | string | readonly bigint[] | TensorProto | GraphProto

function attribute(name: string, value: AttributeValue): AttributeProto {
  const of = (type: keyof typeof attributeKinds, rest: object) =>
    create(AttributeProtoSchema, { name, type: attributeKinds[type], ...rest })
  if (typeof value === 'number') return of('float', { f: value })
  if (typeof value === 'bigint') return of('int', { i: value })
  if (typeof value === 'string') return of('string', { s: new TextEncoder().encode(value) })
  if (Array.isArray(value)) return of('ints', { ints: [...value] })
  return (value as TensorProto).$typeName === 'onnx.TensorProto'
    ? of('tensor', { t: value })
    : of('graph', { g: value })
}

/** Integers are attributes as bigint, floats as numbers. */
export const node = (
  opType: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = '',
): NodeProto =>
  create(NodeProtoSchema, {
    ...{ opType, input, output, domain, name: output[0] ?? '' },
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  })

/** A value of a type; extents that are strings are symbolic. */
export const value = (name: string, type: ElementType, shape: readonly (number | string)[]): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: elementTypes[type].code,
          shape: {
            dim: shape.map((extent) => ({
              value:
                typeof extent === 'number'
                  ? ({ case: 'dimValue', value: BigInt(extent) } as const)
                  : ({ case: 'dimParam', value: extent } as const),
            })),
          },
        },
      },
    },
  })

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

export const floats = (name: string, shape: readonly number[], elements: readonly number[]): TensorProto =>
  tensorProto(name, 'float', shape, bytesOf(Float32Array.from(elements)))

export const int64s = (name: string, shape: readonly number[], elements: readonly bigint[]): TensorProto =>
  tensorProto(name, 'int64', shape, bytesOf(BigInt64Array.from(elements)))

export interface GraphParts {
  readonly nodes: NodeProto[]
  readonly inputs?: ValueInfoProto[]
  readonly outputs: ValueInfoProto[]
  readonly initializers?: TensorProto[]
}

export const graph = ({ nodes, inputs = [], outputs, initializers = [] }: GraphParts): GraphProto =>
  create(GraphProtoSchema, { name: 'graph', node: nodes, input: inputs, output: outputs, initializer: initializers })

/** The bytes of a file. */
export const model = (parts: GraphParts, opset = 17, irVersion = 8): Uint8Array =>
  encodeModel(
    create(ModelProtoSchema, {
      irVersion: BigInt(irVersion),
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: graph(parts),
    }),
  )
