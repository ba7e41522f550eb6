/** What methods are called on, and functions that no export is but that exports give. */
import * as g from '../../../lib/index.ts'

const matrix = () =>
  g.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])

/** A metric that has seen a batch. */
function seen() {
  const metric = g.metrics.streaming.meanSquaredError()
  metric.add(metric.batch(g.tensor([1, 2]), g.tensor([1, 3])))
  return metric
}

const state = () => ({ w: matrix(), n: g.variable([1, 2], { dtype: 'int32' }) })

/** By the class that the compiler names: one to call methods on, whose state nobody else sees. */
export const receivers: Readonly<Record<string, () => object | Promise<object>>> = {
  Tensor: matrix,
  Variable: () => g.variable(matrix()),
  Optimizer: () => g.optim.adam(),
  LbfgsOptimizer: () => g.optim.lbfgs(),
  AveragingOptimizer: () => g.optim.ema(g.optim.adam()),
  Schedule: () => g.schedules.step({ start: 0.1, stepSize: 2 }),
  PlateauSchedule: () => g.schedules.reduceOnPlateau({ start: 0.1 }),
  Dataset: () => g.data.fromTensors(matrix(), [0, 1]),
  StreamingMetric: seen,
  Standardize: () => g.data.preprocessing.standardize(3),
  MinMax: () => g.data.preprocessing.minMax(3),
  FillMissing: () => g.data.preprocessing.fillMissing(3),
  Discretize: () => g.data.preprocessing.discretize(3),
  Hashing: () => g.data.preprocessing.hashing(4),
  Vocabulary: () => g.data.preprocessing.vocabulary(4, { words: ['a'] }),
  Augmentation: () => g.data.augment.randomCrop(),
  Stream: () => g.data.fromArrays([1, 2, 3]),
  StreamIterator: () => g.data.fromArrays([1, 2, 3]).open(),
  History: () =>
    g.fit(g.nn.linear(3, 1), g.data.fromTensors(matrix(), [[0], [1]]), { loss: 'mse', optimizer: g.optim.adam() }),
  Plot: () => g.plot.lines({ loss: [3, 2, 1] }),
  RandomStream: () => g.randomStream(1),
  TensorFile: () => g.open(g.serializeSync(state())),
  Inspection: () => g.inspect((x: g.Tensor) => x.exp(), matrix()),
  Module: () => g.nn.sequential(g.nn.linear(3, 2), g.nn.relu()),
  Sequential: () => g.nn.sequential(g.nn.linear(3, 2), g.nn.relu()),
  ModuleList: () => g.nn.moduleList([g.nn.linear(3, 2)]),
  ModuleDict: () => g.nn.moduleDict({ a: g.nn.linear(3, 2) }),
  Linear: () => g.nn.linear(3, 2),
  Embedding: () => g.nn.embedding(4, 2),
  EmbeddingBag: () => g.nn.embeddingBag(4, 2),
  ConvolutionLayer: () => g.nn.conv2d(2, 3, 2),
  BatchNorm: () => g.nn.batchNorm1d(3),
  Normalization: () => g.nn.layerNorm(3),
  MultiHeadAttention: () => g.nn.multiHeadAttention(4, 2),
  TransformerEncoderLayer: () => g.nn.transformerEncoderLayer(4, 2),
  TransformerDecoderLayer: () => g.nn.transformerDecoderLayer(4, 2),
  TransformerEncoder: () => g.nn.transformerEncoder(4, 2, 1),
  TransformerDecoder: () => g.nn.transformerDecoder(4, 2, 1),
  Transformer: () => g.nn.transformer(4, 2, { encoderLayers: 1, decoderLayers: 1 }),
  RotaryEmbedding: () => g.nn.rotaryEmbedding(2),
  SinusoidalPositions: () => g.nn.sinusoidalPositions(8, 3),
  Residual: () => g.nn.residual(g.nn.linear(3, 3)),
  KeyValueCache: () => g.nn.kvCache({ capacity: 8 }),
  PRelu: () => g.nn.prelu(),
  Recurrent: () => g.nn.gru(3, 2),
  RecurrentCell: () => g.nn.gruCell(3, 2),
}

const training = () => [
  g.nn.linear(3, 1),
  g.data.fromTensors(matrix(), [[0], [1]]),
  { loss: g.losses.meanSquaredError, optimizer: g.optim.sgd({ learningRate: 0.01 }) },
]

const debugging = [
  ...training().slice(0, 2),
  { loss: g.losses.meanSquaredError, optimizer: () => g.optim.sgd({ learningRate: 0.01 }), steps: 3 },
]

/** Arguments that come first where chance would hardly find any. */
export const recipes: Readonly<Record<string, () => readonly unknown[]>> = {
  fit: training,
  train: training,
  predict: () => training().slice(0, 2),
  lrFinder: () => debugging,
  overfitOneBatch: () => debugging,
  save: () => ['file', state()],
  saveCheckpoint: () => ['file', { epoch: 1 }],
  saveSync: () => ['file', state()],
  serialize: () => [state()],
  serializeSync: () => [state()],
  load: () => [g.serializeSync(state())],
  loadSync: () => [g.serializeSync(state())],
  open: () => [g.serializeSync(state())],
  'TensorFile.prototype.read': () => ['w'],
  saveNpy: () => ['file', matrix()],
  'data.fromText': () => ['file', { tokenizer: g.data.characterTokenizer('ab'), length: 2 }],
  saveNpz: () => ['file', state()],
  'Optimizer.prototype.applyGradients': () => [[[g.variable([1, 2]), g.tensor([1, 1])]]],
  'optim.optimizer': () => [{ name: 'own', learningRate: 0.1, rule: ({ parameter }: never) => ({ parameter }) }],
  'schedules.warmup': () => [g.schedules.constant({ rate: 0.1 }), { steps: 2 }],
  'schedules.sequential': () => [[g.schedules.constant({ rate: 0.1 })], { milestones: [] }],
  'schedules.chained': () => [[g.schedules.constant({ rate: 0.1 })]],
  generate: () => [{ forward: (x: g.Tensor) => g.ones([1, x.shape[1]!, 3]) }, [1], { cache: false, maxTokens: 2 }],
  generateTokens: () => [
    { forward: (x: g.Tensor) => g.ones([1, x.shape[1]!, 3]) },
    [1],
    { cache: false, maxTokens: 2 },
  ],
  'nn.init.fanInUniform': () => [[2, 2]],
  'nn.lambda': () => [(x: g.Tensor) => x.exp()],
  ...{
    conv1d: () => [g.ones([1, 2, 8]), g.ones([3, 2, 3])],
    conv3d: () => [g.ones([1, 1, 4, 4, 4]), g.ones([1, 1, 2, 2, 2])],
    convTranspose1d: () => [g.ones([1, 3, 8]), g.ones([3, 2, 3])],
    convTranspose2d: () => [g.ones([1, 3, 6, 6]), g.ones([3, 2, 2, 2])],
    affineGrid: () => [g.ones([1, 2, 3]), [1, 1, 2, 2]],
    embeddingBag: () => [g.tensor([[0, 1]], { dtype: 'int32' }), g.ones([4, 2])],
    indexPut: () => [matrix(), [[0], [1]], 5],
  },
  ...{
    'metrics.StreamingMetric': () => [{ name: 'own', batch: (x: g.Tensor) => ({ sums: { x } }), compute: () => 1 }],
    'metrics.StreamingMetric.prototype.batch': () => [matrix(), matrix()],
    'metrics.StreamingMetric.prototype.update': () => [matrix(), matrix()],
    'metrics.StreamingMetric.prototype.add': () => [{ sums: { error: g.ones([1]), weight: g.tensor(1) } }],
    'metrics.StreamingMetric.prototype.compute': () => [seen().state()],
    'metrics.StreamingMetric.prototype.loadState': () => [seen().state()],
    'metrics.StreamingMetric.prototype.merge': () => [seen()],
  },
  whileLoop: () => [(x: g.Tensor) => g.sum(x).less(3), (x: g.Tensor) => g.add(x, 1), g.zeros([3]), { maxSteps: 2 }],
  cond: () => [g.tensor(true), (x: g.Tensor) => g.exp(x), (x: g.Tensor) => g.exp(x), matrix()],
  scan: () => [(sum: g.Tensor, x: g.Tensor) => [g.add(sum, x), x], g.zeros([3]), matrix()],
  'nn.Recurrent.prototype.forward': () => [matrix(), null],
  unflatten: () => [g.ones([2, 6]), 1, [3, 2]],
  customGradient: () => [(x: g.Tensor) => [x.exp(), (dy: g.Tensor) => [dy]]],
}
