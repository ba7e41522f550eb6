/** Reads models of ONNX files. */
import { dirname } from 'node:path'
import { checkChoice } from '../base/arguments.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
import { openSource, type PathOrBytes } from '../files/source.ts'
import { formatError, op } from './errors.ts'
import { readExternalData } from './external-data.ts'
import { functionKey } from './import/functions.ts'
import { Building, contentOf, Graph, type Opsets, opsetsOf } from './import/graph.ts'
import { OnnxModel } from './model.ts'
import { declaredOf } from './signature.ts'
import type { Doubles } from './types.ts'
import type { Value } from './values.ts'
import { newestOpset } from './versions.ts'
import { decodeModel } from './wire/messages.ts'
import type { ModelProto, TensorProto } from './wire/onnx_pb.ts'
import { decodeInPieces } from './wire/tensors.ts'

export interface LoadOptions {
  /** Whether the initializers of floats are parameters, or which of them by name; all unless given. The others are buffers. */
  trainable?: boolean | ((name: string) => boolean)
  /** The files that tensors of the model stand in, by the names that the model has for them; those beside the file unless given. */
  externalData?: Readonly<Record<string, Uint8Array>>
  /** What tensors of doubles are; float32 unless given. Convolutions, pooling, normalization and attention of float64 are computed by the reference backend. */
  doubles?: Doubles
}

const loadOptions: OptionTypes<LoadOptions> = {
  trainable: 'other',
  externalData: 'other',
  doubles: 'dtype',
}

const irVersions = [3, 14] as const
/** Of opsets before 7 most operators have changed since: those that have not are read. */
const leastOpset = 1

/**
 * A model of an ONNX file, or bytes of one, as a module that computes the same, and can be trained on: its float initializers
 * are parameters under their names in the file. IR versions 3 to 14, opsets 7 to 28 of the main domain, functions of the model, and
 * weights in files beside it are read; docs/onnx.md lists the operators.
 *
 * int64, int8 and the like are int32 in tensors, and exact where shapes are computed from them; double, float16 and bfloat16
 * are float32.
 *
 * @param from a path, or the bytes of a file
 *
 * @throws (rejects with) DataFormatError for what is no such file, is damaged, or has weights outside of its folder;
 * UnsupportedOperatorError with all operators that are not supported and the nodes they stand in; Error with the `code` of the file system
 *
 * @example
 * const model = await onnx.load('resnet.onnx')
 * const { logits } = await model.run({ image })
 * await fit(model, dataset, { loss: 'crossEntropy', optimizer: optim.adam({ learningRate: 1e-4 }) })
 */
export async function load(from: PathOrBytes, options?: LoadOptions, ...surplus: unknown[]): Promise<OnnxModel> {
  const { trainable = true, externalData, doubles = 'float32' } = checkOptions(op, options, loadOptions, surplus)
  checkChoice(op, 'doubles', doubles, ['float32', 'float64'])
  const files = externalData && checkRecord(op, 'externalData, bytes by name', externalData)
  const { model, file } = await readModel(from)
  await readExternalData(
    model,
    files === undefined && typeof from === 'string' ? { folder: dirname(from) } : { files: files ?? {} },
    file,
  )
  const decoded = await decodeInPieces(model.graph?.initializer ?? [], doubles, file)
  return importModel(model, file, typeof trainable === 'function' ? trainable : () => trainable, doubles, decoded)
}

async function readModel(from: PathOrBytes): Promise<{ model: ModelProto; file: string }> {
  const source = await openSource(op, from)
  try {
    return { model: decodeModel(await source.read(0, source.size), source.name), file: source.name }
  } finally {
    await source.close()
  }
}

function importModel(
  model: ModelProto,
  file: string,
  isTrainable: (name: string) => boolean,
  doubles: Doubles,
  decoded: ReadonlyMap<TensorProto, Value>,
): OnnxModel {
  const { graph: proto } = model
  if (proto === undefined) throw formatError('a graph', 'none', file)
  const opsets = checkVersions(model, file)
  const functions = new Map(model.functions.map((fn) => [functionKey(fn), fn]))
  if (functions.size < model.functions.length) throw formatError('different functions', 'two of one name', file)
  const building = new Building(file, functions, doubles, isTrainable, decoded)
  const graph = new Graph(contentOf(proto), building, { names: null, opsets, within: [], depth: 0 })
  building.checkSupported()
  const inputs = graph.inputs.map((name) =>
    declaredOf(proto.input.find((input) => input.name === name)!, doubles, `${file}: input`),
  )
  const outputs = proto.output.map((output) => declaredOf(output, doubles, `${file}: output`))
  graph.finish()
  return new OnnxModel({ graph, variables: building.variables, inputs, outputs, doubles, info: infoOf(model, opsets) })
}

const infoOf = ({ producerName, producerVersion, irVersion, metadataProps }: ModelProto, opsets: Opsets) => ({
  producer: `${producerName} ${producerVersion}`.trim(),
  irVersion: Number(irVersion),
  opsets: Object.fromEntries(opsets),
  metadata: Object.fromEntries(metadataProps.map(({ key, value }) => [key, value])),
})

/** @throws DataFormatError for versions of which it is not known what they mean */
function checkVersions({ irVersion, opsetImport }: ModelProto, file: string): Opsets {
  const [least, most] = irVersions
  if (irVersion < BigInt(least) || irVersion > BigInt(most))
    throw formatError(`an IR version from ${least} to ${most}`, irVersion, file)
  const opsets = opsetsOf(opsetImport)
  const main = opsets.get('')
  if (main === undefined ? opsets.size === 0 : main < leastOpset || main > newestOpset)
    throw formatError(`an opset from ${leastOpset} to ${newestOpset}`, main ?? 'none', file)
  return opsets
}
