/** The classifier as an ONNX model, encoded by the field numbers of onnx.proto (onnx/onnx, version 1.17). */
import { PbfWriter } from 'pbf'
import { mlp, numbers } from './rows.ts'

const float32 = 1

type Write<T> = (value: T, pbf: PbfWriter) => void

interface Initializer {
  readonly name: string
  readonly shape: readonly number[]
}

const writeInitializer: Write<Initializer> = ({ name, shape }, pbf) => {
  for (const extent of shape) pbf.writeVarintField(1, extent)
  pbf.writeVarintField(2, float32)
  pbf.writeStringField(8, name)
  pbf.writeBytesField(9, new Uint8Array(numbers(shape.reduce((a, b) => a * b)).map((x) => x / 8).buffer))
}

/** y = relu?(x·w + b), as one Gemm and one Relu. */
const writeNode: Write<{ op: string; inputs: readonly string[]; output: string }> = ({ op, inputs, output }, pbf) => {
  for (const input of inputs) pbf.writeStringField(1, input)
  pbf.writeStringField(2, output)
  pbf.writeStringField(4, op)
}

/** float32[batch, extent], the batch by name. */
const writeValue: Write<{ name: string; extent: number }> = ({ name, extent }, pbf) => {
  pbf.writeStringField(1, name)
  pbf.writeMessage(
    2,
    (_: null, type) => {
      type.writeMessage(
        1,
        (_: null, tensor) => {
          tensor.writeVarintField(1, float32)
          tensor.writeMessage(
            2,
            (_: null, shape) => {
              shape.writeMessage(1, (_: null, axis) => axis.writeStringField(2, 'batch'), null)
              shape.writeMessage(1, (_: null, axis) => axis.writeVarintField(1, extent), null)
            },
            null,
          )
        },
        null,
      )
    },
    null,
  )
}

const writeGraph: Write<null> = (_, pbf) => {
  const last = mlp.length - 2
  for (let i = 0; i <= last; i++) {
    const output = i === last ? 'y' : `sum${i}`
    pbf.writeMessage(1, writeNode, { op: 'Gemm', inputs: [i === 0 ? 'x' : `relu${i - 1}`, `w${i}`, `b${i}`], output })
    if (i < last) pbf.writeMessage(1, writeNode, { op: 'Relu', inputs: [output], output: `relu${i}` })
  }
  pbf.writeStringField(2, 'mlp')
  for (let i = 0; i <= last; i++) {
    pbf.writeMessage(5, writeInitializer, { name: `w${i}`, shape: [mlp[i]!, mlp[i + 1]!] })
    pbf.writeMessage(5, writeInitializer, { name: `b${i}`, shape: [mlp[i + 1]!] })
  }
  pbf.writeMessage(11, writeValue, { name: 'x', extent: mlp[0] })
  pbf.writeMessage(12, writeValue, { name: 'y', extent: mlp.at(-1)! })
}

export function onnxModel(): Uint8Array {
  const pbf = new PbfWriter()
  pbf.writeVarintField(1, 8)
  pbf.writeMessage(7, writeGraph, null)
  pbf.writeMessage(8, (_: null, opset) => opset.writeVarintField(2, 17), null)
  return pbf.finish()
}
