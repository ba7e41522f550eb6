/** Tensors in events: their numbers, and how others are made of numbers and texts. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { storedTypes } from '../files/stored.ts'
import type { TensorProto, TensorProtoSchema } from './wire/tensorboard_pb.ts'

type TensorInit = MessageInitShape<typeof TensorProtoSchema>

interface NumberType {
  /** Of elements that are a run of bytes. */
  readonly bytes: number
  readonly numbers: (buffer: ArrayBuffer) => ArrayLike<number>
  /** Of elements that are not. */
  readonly values: (tensor: TensorProto) => ArrayLike<number | bigint | boolean>
}

const { F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL, F16, BF16 } = storedTypes

const ints = ({ intVal }: TensorProto) => intVal
const bits = ({ halfVal }: TensorProto) => Uint16Array.from(halfVal).buffer

/** TensorFlow's number of the texts among its dtypes, and of float32. */
export const [stringType, floatType] = [7, 1]

/** By TensorFlow's numbers of dtypes. */
const numberTypes: Readonly<Record<number, NumberType>> = {
  [floatType]: { ...F32, values: ({ floatVal }) => floatVal },
  2: { ...F64, values: ({ doubleVal }) => doubleVal },
  3: { ...I32, values: ints },
  4: { ...U8, values: ints },
  5: { ...I16, values: ints },
  6: { ...I8, values: ints },
  9: { ...I64, values: ({ int64Val }) => int64Val },
  10: { ...BOOL, values: ({ boolVal }) => boolVal },
  14: { ...BF16, values: (tensor) => BF16.numbers(bits(tensor)) },
  17: { ...U16, values: ints },
  19: { ...F16, values: (tensor) => F16.numbers(bits(tensor)) },
  22: { ...U32, values: ({ uint32Val }) => uint32Val },
  23: { ...U64, values: ({ uint64Val }) => uint64Val },
}

export const shapeOf = ({ tensorShape }: TensorProto): readonly number[] =>
  (tensorShape?.dim ?? []).map(({ size }) => Number(size))

/** A tensor of one value may be written as one; more of them are a mistake, or meant to be a burden. */
const mostRepeated = 1 << 16

/** The numbers in the order of rows; undefined for what is not of numbers, or has not as many as its shape says. */
export function numbersOf(tensor: TensorProto): readonly number[] | undefined {
  const type = numberTypes[tensor.dtype]
  const size = shapeOf(tensor).reduce((product, length) => product * length, 1)
  if (type === undefined) return undefined
  const { tensorContent: content } = tensor
  if (content.length > 0)
    return content.length === size * type.bytes ? Array.from(type.numbers(content.slice().buffer)) : undefined
  const values = Array.from(type.values(tensor), Number)
  if (values.length === size) return values
  // The last one stands for all that follow, and none for zeros.
  if (!(size > values.length && size <= mostRepeated)) return undefined
  return Array.from({ length: size }, (_, i) => values[i] ?? values.at(-1) ?? 0)
}

/** Texts or files, as a list, or one alone. */
export const stringTensor = (values: readonly Uint8Array[], isScalar = false): TensorInit => ({
  dtype: stringType,
  tensorShape: { dim: isScalar ? [] : [{ size: BigInt(values.length) }] },
  stringVal: [...values],
})

export const floatTensor = (shape: readonly number[], values: readonly number[]): TensorInit => ({
  dtype: floatType,
  tensorShape: { dim: shape.map((size) => ({ size: BigInt(size) })) },
  floatVal: [...values],
})
