/** Models exported, run by onnxruntime for another size of the batch too, and compared: every layer, and those of the examples. */
import { describe, expect, test } from 'vitest'
import { CharGpt } from '../../examples/char-gpt.ts'
import { CharLstm } from '../../examples/char-lstm.ts'
import { createModel as createSpirals } from '../../examples/custom-optimizer.ts'
import { createNetwork } from '../../examples/dqn.ts'
import { createModel as createCnn } from '../../examples/fashion-cnn.ts'
import { DamageModel } from '../../examples/tabular.ts'
import { createModel as createMlp } from '../../examples/train-mnist.ts'
import { Autoencoder } from '../../examples/vae.ts'
import { leavesOf } from '../../lib/base/tree.ts'
import * as g from '../../lib/index.ts'
import { type ExportOptions, exportModel } from '../../lib/onnx/export/index.ts'
import { difference, hasRuntime, install, runOnnx } from '../support/onnx-runtime.ts'

const { nn } = g

type Model = g.nn.AnyModule | ((...xs: never[]) => unknown)

/** An input for so many rows. */
type Inputs = (rows: number) => unknown

const tensorsIn = (tree: unknown): g.Tensor[] =>
  leavesOf('test', '', tree).flatMap(([, leaf]) => (leaf instanceof g.Tensor ? [leaf] : []))

const call = (model: Model, args: unknown[]): unknown =>
  model instanceof nn.Module ? model.forward(...(args as [never])) : (model as (...xs: unknown[]) => unknown)(...args)

/** Exports a model for two rows, and compares what it gives for two and for five. */
async function expectSame(model: Model, inputs: Inputs, options: ExportOptions = {}): Promise<void> {
  const bytes = await exportModel(model as (...xs: never[]) => unknown, inputs(2), options)
  if (model instanceof nn.Module) model.eval()
  for (const rows of options.dynamicBatch === false ? [2] : [2, 5]) {
    const given = inputs(rows)
    const { outputs } = await runOnnx(bytes, tensorsIn(given))
    const found = [...outputs.values()]
    const wanted = tensorsIn(call(model, Array.isArray(given) ? given : [given]))
    expect(found).toHaveLength(wanted.length)
    wanted.forEach((y, i) => {
      expect(difference(found[i]!, y), `output ${i} for ${rows} rows`).toBeNull()
    })
  }
}

const rows =
  (...shape: number[]): Inputs =>
  (n) =>
    g.randn([n, ...shape])
const tokens =
  (classes: number, ...shape: number[]): Inputs =>
  (n) =>
    g.randint([n, ...shape], classes)
const both =
  (...inputs: Inputs[]): Inputs =>
  (n) =>
    inputs.map((input) => input(n))

const [vector, sequence, image] = [rows(8), rows(5, 8), rows(4, 9, 8)]
const volume = rows(2, 5, 6, 7)

/** Every function of `g.nn` that makes a layer. */
type LayerName = {
  [K in keyof typeof nn]: (typeof nn)[K] extends (...args: never[]) => g.nn.AnyModule ? K : never
}[keyof typeof nn]

const decoder = both(sequence, rows(4, 8))

/** The model that runs what is in a container. */
const listed = (container: g.nn.ModuleList | g.nn.ModuleDict): Model =>
  nn.sequential(...(container.children() as g.nn.Module[]))

/** The layers, each with an input. Wrappers and containers have one inside. */
const layers: { readonly [K in LayerName]: readonly [model: () => Model, inputs: Inputs, options?: ExportOptions] } = {
  linear: [() => nn.linear(8, 3), sequence],
  conv1d: [() => nn.conv1d(5, 6, 3, { stride: 2, padding: 1 }), sequence],
  conv2d: [() => nn.conv2d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }), image],
  // It looks up slices of all images at once, at places that depend on how many there are.
  conv3d: [() => nn.conv3d(2, 3, 2, { padding: 1 }), volume, { dynamicBatch: false }],
  convTranspose1d: [() => nn.convTranspose1d(5, 3, 3, { stride: 2 }), sequence],
  convTranspose2d: [() => nn.convTranspose2d(4, 3, 3, { stride: 2, padding: 1, outputPadding: 1 }), image],
  embedding: [() => nn.embedding(11, 4), tokens(11, 3)],
  embeddingBag: [() => nn.embeddingBag(11, 4), tokens(11, 3)],
  batchNorm1d: [() => nn.batchNorm1d(8), vector],
  batchNorm2d: [() => nn.batchNorm2d(4), image],
  batchNorm3d: [() => nn.batchNorm3d(2), volume],
  layerNorm: [() => nn.layerNorm(8), sequence],
  rmsNorm: [() => nn.rmsNorm(8), sequence],
  groupNorm: [() => nn.groupNorm(2, 4), image],
  instanceNorm: [() => nn.instanceNorm(4), image],
  spectralNorm: [() => nn.spectralNorm(nn.linear(8, 3)), vector],
  weightNorm: [() => nn.weightNorm(nn.linear(8, 3)), vector],
  dropout: [() => nn.dropout(0.5), vector],
  dropout1d: [() => nn.dropout1d(0.5), sequence],
  dropout2d: [() => nn.dropout2d(0.5), image],
  dropout3d: [() => nn.dropout3d(0.5), volume],
  alphaDropout: [() => nn.alphaDropout(0.5), vector],
  rnn: [() => nn.rnn(8, 3, { batchFirst: true, nonlinearity: 'relu' }), sequence],
  gru: [() => nn.gru(8, 3, { batchFirst: true, layers: 2 }), sequence],
  lstm: [() => nn.lstm(8, 3, { batchFirst: true, bidirectional: true }), sequence],
  rnnCell: [() => nn.rnnCell(8, 3), vector],
  gruCell: [() => nn.gruCell(8, 3), vector],
  lstmCell: [() => nn.lstmCell(8, 3), vector],
  multiHeadAttention: [() => nn.multiHeadAttention(8, 2), sequence],
  transformerEncoderLayer: [() => nn.transformerEncoderLayer(8, 2), sequence],
  transformerEncoder: [() => nn.transformerEncoder(8, 2, 2), sequence],
  transformerDecoderLayer: [() => nn.transformerDecoderLayer(8, 2), decoder],
  transformerDecoder: [() => nn.transformerDecoder(8, 2, 2), decoder],
  transformer: [() => nn.transformer(8, 2, { encoderLayers: 1, decoderLayers: 1 }), decoder],
  rotaryEmbedding: [() => nn.rotaryEmbedding(8), rows(2, 5, 8)],
  sinusoidalPositions: [() => nn.sinusoidalPositions(10, 8), sequence],
  sequential: [() => nn.sequential(nn.linear(8, 4), nn.tanh()), vector],
  moduleList: [() => listed(nn.moduleList([nn.linear(8, 4), nn.relu()])), vector],
  moduleDict: [() => listed(nn.moduleDict({ first: nn.linear(8, 4) })), vector],
  residual: [() => nn.residual(nn.linear(8, 8)), vector],
  prelu: [() => nn.prelu(), sequence],
  celu: [() => nn.celu(), vector],
  elu: [() => nn.elu(), vector],
  flatten: [() => nn.flatten(), image],
  gelu: [() => nn.gelu(), vector],
  glu: [() => nn.glu(), vector],
  hardSigmoid: [() => nn.hardSigmoid(), vector],
  hardSwish: [() => nn.hardSwish(), vector],
  hardTanh: [() => nn.hardTanh(), vector],
  lambda: [() => nn.lambda((x) => x.square().mean(1)), vector],
  leakyRelu: [() => nn.leakyRelu(), vector],
  logSigmoid: [() => nn.logSigmoid(), vector],
  mish: [() => nn.mish(), vector],
  relu: [() => nn.relu(), vector],
  relu6: [() => nn.relu6(), vector],
  selu: [() => nn.selu(), vector],
  sigmoid: [() => nn.sigmoid(), vector],
  silu: [() => nn.silu(), vector],
  softmax: [() => nn.softmax(), vector],
  softplus: [() => nn.softplus(), vector],
  softsign: [() => nn.softsign(), vector],
  tanh: [() => nn.tanh(), vector],
  threshold: [() => nn.threshold(0.1, 2), vector],
  fold: [() => nn.fold([9, 8], [1, 2], { stride: 2 }), rows(8, 20)],
  identity: [() => nn.identity(), vector],
  localResponseNorm: [() => nn.localResponseNorm(3), image],
  pixelShuffle: [() => nn.pixelShuffle(2), image],
  pixelUnshuffle: [() => nn.pixelUnshuffle(2), rows(2, 4, 6)],
  unflatten: [() => nn.unflatten(1, [2, 4]), vector],
  unfold: [() => nn.unfold([3, 2]), image],
  adaptiveAvgPool1d: [() => nn.adaptiveAvgPool1d(3), sequence],
  adaptiveAvgPool2d: [() => nn.adaptiveAvgPool2d(3), image],
  adaptiveAvgPool3d: [() => nn.adaptiveAvgPool3d(2), volume],
  adaptiveMaxPool1d: [() => nn.adaptiveMaxPool1d(3), sequence],
  adaptiveMaxPool2d: [() => nn.adaptiveMaxPool2d(3), image],
  adaptiveMaxPool3d: [() => nn.adaptiveMaxPool3d(2), volume],
  avgPool1d: [() => nn.avgPool1d(2), sequence],
  avgPool2d: [() => nn.avgPool2d(3, { stride: 2, padding: 1 }), image],
  avgPool3d: [() => nn.avgPool3d(2), volume],
  maxPool1d: [() => nn.maxPool1d(2), sequence],
  maxPool2d: [() => nn.maxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), image],
  maxPool3d: [() => nn.maxPool3d(2), volume],
  upsample: [() => nn.upsample({ scale: 2, mode: 'bilinear' }), image],
}

describe.skipIf(!hasRuntime)('onnxruntime gives what models give', () => {
  test.each(Object.entries(layers))('%s', { meta: { install } }, async (_, [model, inputs, options]) => {
    g.setSeed(1)
    await expectSame(model(), inputs, options)
  })
})

const examples: Readonly<Record<string, readonly [model: () => Model, inputs: Inputs]>> = {
  'train-mnist': [createMlp, rows(28, 28)],
  'fashion-cnn': [() => createCnn(4), rows(1, 28, 28)],
  'char-gpt': [() => new CharGpt(19, { layers: 2, features: 16, context: 8 }), tokens(19, 7)],
  'char-lstm': [() => new CharLstm(19, { layers: 2, features: 12 }), tokens(19, 7)],
  vae: [() => new Autoencoder(5), rows(784)],
  'custom-optimizer': [createSpirals, rows(2)],
  dqn: [createNetwork, rows(4)],
  tabular: [() => new DamageModel(), (n) => ({ speed: g.randn([n, 1]), places: g.randint([n, 6], 6) })],
}

describe.skipIf(!hasRuntime)('onnxruntime gives what the models of the examples give', () => {
  test.each(Object.entries(examples))('%s', { meta: { install } }, async (_, [model, inputs]) => {
    g.setSeed(1)
    await expectSame(model(), inputs)
  })
})
