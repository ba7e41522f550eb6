/** The messages of ONNX as far as the export fills them, as plain data that the generated code takes. */
import type { DType } from '../../base/dtype.ts'
import { elementTypes } from '../types.ts'

export type ElementType = DType | 'int64'

/** The numbers of element types in files. */
export const dataTypes: Readonly<Record<ElementType, number>> = {
  float32: elementTypes.float.code,
  float64: elementTypes.double.code,
  int32: elementTypes.int32.code,
  uint8: elementTypes.uint8.code,
  bool: elementTypes.bool.code,
  int64: elementTypes.int64.code,
}

/** An AttributeProto without its name; `type` says which field holds the value. */
export type Attribute =
  | { readonly type: 1; readonly f: number }
  | { readonly type: 2; readonly i: bigint }
  | { readonly type: 3; readonly s: Uint8Array<ArrayBuffer> }
  | { readonly type: 4; readonly t: TensorMessage }
  | { readonly type: 5; readonly g: GraphMessage }
  | { readonly type: 7; readonly ints: bigint[] }

export interface NodeMessage {
  readonly name: string
  readonly opType: string
  input: string[]
  output: string[]
  readonly attribute: (Attribute & { readonly name: string })[]
}

export interface TensorMessage {
  readonly name: string
  readonly dataType: number
  readonly dims: bigint[]
  readonly rawData: Uint8Array<ArrayBuffer>
}

type Dimension = { case: 'dimValue'; value: bigint } | { case: 'dimParam'; value: string } | { case: undefined }

export interface ValueMessage {
  readonly name: string
  readonly type: {
    readonly value: {
      readonly case: 'tensorType'
      readonly value: { readonly elemType: number; readonly shape: { readonly dim: { value: Dimension }[] } }
    }
  }
}

export interface GraphMessage {
  readonly name: string
  readonly node: NodeMessage[]
  readonly initializer: TensorMessage[]
  readonly input: ValueMessage[]
  readonly output: ValueMessage[]
}
