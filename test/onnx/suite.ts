/** The cases of ONNX's public test suite, as Debian's libonnx-testdata has them: a model, its inputs, and what it gives. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { sizeOf } from '../../lib/base/shape.ts'
import { setSeed, type Tensor } from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { type ElementType, typeOfCode } from '../../lib/onnx/types.ts'
import { HostArray, type Value } from '../../lib/onnx/values.ts'
import { decodeModel } from '../../lib/onnx/wire/messages.ts'
import { TensorProtoSchema, type TypeProto } from '../../lib/onnx/wire/onnx_pb.ts'
import { decodeTensor } from '../../lib/onnx/wire/tensors.ts'

export const dataFolder = '/usr/share/libonnx-testdata/data'

/** Where the suite is; the package is a development tool of Debian. */
export const hasData = existsSync(dataFolder)

export const casesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'model.onnx')))
    .sort()

const tolerance = { relative: 1e-3, absolute: 1e-5 }

/** The types that the library promises to compute with. */
const promised: ReadonlySet<ElementType> = new Set(['float', 'double', 'int32', 'int64', 'int8', 'uint8', 'bool'])

/** Whether all inputs and outputs of a case are tensors of the promised types. */
export function isPromised(folder: string): boolean {
  const { graph } = decodeModel(readFileSync(join(folder, 'model.onnx')), folder)
  const ofType = (type: TypeProto | undefined) => {
    const element = type?.value.case === 'tensorType' ? typeOfCode(type.value.value.elemType) : undefined
    return element !== undefined && promised.has(element)
  }
  return [...graph!.input, ...graph!.output].every(({ type }) => ofType(type))
}

function read(path: string): Value {
  return decodeTensor(fromBinary(TensorProtoSchema, readFileSync(path)), 'float32', path)
}

const numbersOf = (value: Value): ArrayLike<number> =>
  value instanceof HostArray ? Array.from(value.data as ArrayLike<number | bigint>, Number) : value.tensor.dataSync()

const tensorOf = (value: Value): Tensor => (value instanceof HostArray ? value.tensor('float32') : value.tensor)

function isClose(x: number, y: number): boolean {
  if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) return true
  return Math.abs(x - y) <= tolerance.absolute + tolerance.relative * Math.abs(y)
}

function difference(name: string, got: Tensor, wanted: Value): string | undefined {
  if (got.shape.join() !== wanted.shape.join()) return `${name}: shape [${got.shape}] for [${wanted.shape}]`
  const [found, values] = [got.dataSync(), numbersOf(wanted)]
  for (let i = 0; i < sizeOf(wanted.shape); i++)
    if (!isClose(found[i]!, values[i]!)) return `${name}: ${found[i]} for ${values[i]} at ${i}`
  return undefined
}

/** What is wrong with a case; undefined where it passes. */
export async function faultOf(folder: string): Promise<string | undefined> {
  setSeed(1)
  try {
    const model = await onnx.load(join(folder, 'model.onnx'))
    for (const set of readdirSync(folder).filter((name) => name.startsWith('test_data_set_'))) {
      const fault = faultOfSet(model, join(folder, set))
      if (fault !== undefined) return fault
    }
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function faultOfSet(model: onnx.OnnxModel, folder: string): string | undefined {
  const files = (prefix: string) => readdirSync(folder).filter((name) => name.startsWith(prefix)).length
  const inputs = model.inputs
    .slice(0, files('input_'))
    .map(({ name }, i) => [name, read(join(folder, `input_${i}.pb`))] as const)
  const given = model.forward(Object.fromEntries(inputs.map(([name, value]) => [name, tensorOf(value)])))
  const { outputs } = model
  for (const [i, { name }] of outputs.entries()) {
    const got: Tensor = outputs.length === 1 ? given : given[name]!
    const fault = difference(name, got, read(join(folder, `output_${i}.pb`)))
    if (fault !== undefined) return fault
  }
  return undefined
}
