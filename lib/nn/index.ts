/** Layers, as `g.nn`. */
export type { StateDict } from '../tensor/state-dict.ts'
export {
  MultiHeadAttention,
  type MultiHeadAttentionInputs,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from './attention.ts'
export {
  type CellOptions,
  gruCell,
  lstmCell,
  type Nonlinearity,
  RecurrentCell,
  type RnnCellOptions,
  rnnCell,
} from './cells.ts'
export {
  type Layer,
  ModuleDict,
  ModuleList,
  moduleDict,
  moduleList,
  type NamedLayers,
  type SequenceLayer,
  Sequential,
  sequential,
} from './containers.ts'
export {
  type Conv1dLayerOptions,
  type Conv2dLayerOptions,
  ConvolutionLayer,
  type ConvTranspose1dLayerOptions,
  type ConvTranspose2dLayerOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from './convolution.ts'
export { alphaDropout, dropout, dropout1d, dropout2d, dropout3d } from './dropout.ts'
export { Embedding, type EmbeddingLayerOptions, embedding } from './embedding.ts'
export { EmbeddingBag, type EmbeddingBagLayerOptions, embeddingBag } from './embedding-bag.ts'
export type { Initializer, InitializerOptions } from './init/index.ts'
export * as init from './init/index.ts'
export { type Cached, KeyValueCache, type KeyValueCacheOptions, kvCache } from './kv-cache.ts'
export {
  celu,
  elu,
  flatten,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  lambda,
  leakyRelu,
  logSigmoid,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
  threshold,
} from './layers.ts'
export { Linear, type LinearOptions, linear } from './linear.ts'
export { type AnyModule, Module } from './module.ts'
export {
  BatchNorm,
  type BatchNormLayerOptions,
  batchNorm1d,
  batchNorm2d,
  batchNorm3d,
  type ChannelNormLayerOptions,
  groupNorm,
  instanceNorm,
  type LayerNormLayerOptions,
  layerNorm,
  Normalization,
  type NormOptions,
  rmsNorm,
} from './normalization.ts'
export {
  type SpectralNormOptions,
  spectralNorm,
  type WeightNormOptions,
  weightNorm,
} from './parametrizations.ts'
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
  upsample,
} from './pooling.ts'
export {
  SinusoidalPositions,
  type SinusoidalPositionsOptions,
  sinusoidalEncoding,
  sinusoidalPositions,
} from './positions.ts'
export { PRelu, type PReluOptions, prelu } from './prelu.ts'
export { Quantized, QuantizedLinear } from './quantized.ts'
export {
  fold,
  identity,
  localResponseNorm,
  pixelShuffle,
  pixelUnshuffle,
  unflatten,
  unfold,
} from './rearranging.ts'
export {
  gru,
  lstm,
  Recurrent,
  type RecurrentInputs,
  type RecurrentOptions,
  type RecurrentOutput,
  type RnnOptions,
  rnn,
} from './recurrent.ts'
export { Residual, type ResidualOptions, residual } from './residual.ts'
export { RotaryEmbedding, type RotaryOptions, rotaryEmbedding } from './rotary.ts'
export type { SelfAttentionInputs, TransformerLayerOptions } from './transformer/common.ts'
export {
  type DecoderInputs,
  TransformerDecoder,
  TransformerDecoderLayer,
  type TransformerDecoderLayerOptions,
  transformerDecoder,
  transformerDecoderLayer,
} from './transformer/decoder.ts'
export {
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
  type TransformerStackOptions,
  transformerEncoder,
  transformerEncoderLayer,
} from './transformer/encoder.ts'
export { Transformer, type TransformerInputs, type TransformerOptions, transformer } from './transformer/transformer.ts'
export {
  adaptiveAvgPool3d,
  adaptiveMaxPool3d,
  avgPool3d,
  type Conv3dLayerOptions,
  conv3d,
  maxPool3d,
} from './volumes.ts'
