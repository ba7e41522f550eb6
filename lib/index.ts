/** The public surface: re-exports only. */
import './operations/methods.ts'

export { type BackendName, backendInfo, setBackend, setNumThreads } from './backend/active.ts'
export type { BackendInfo } from './backend/backend.ts'
export type { Abortable, CallOptions } from './base/abort.ts'
export type { DType, TypedArray } from './base/dtype.ts'
export {
  AnomalyError,
  DataFormatError,
  DatasetNotFoundError,
  DTypeError,
  GradientError,
  PipelineError,
  ShapeError,
} from './base/errors.ts'
export type { Pair, Triple } from './base/pair.ts'
export { MissingPackageError } from './base/peer.ts'
export type { Shape } from './base/shape.ts'
export { type Batch, Dataset } from './data/dataset.ts'
export * as datasets from './data/datasets.ts'
export * as data from './data/index.ts'
export { Stream } from './data/stream.ts'
export type { Saveable, SerializeOptions } from './files/content.ts'
export { type LoadNpyOptions, loadNpy, saveNpy } from './files/npy.ts'
export { type LoadNpzOptions, loadNpz, saveNpz } from './files/npz.ts'
export {
  type LoadOptions,
  load,
  loadSync,
  open,
  type SaveOptions,
  save,
  saveSync,
  serialize,
  serializeSync,
} from './files/safetensors.ts'
export type { LoadDType, StoredFloat, StoredName } from './files/stored.ts'
export { type ReadOptions, TensorFile, type TensorInfo } from './files/tensor-file.ts'
export * as losses from './losses/index.ts'
export * as metrics from './metrics/index.ts'
export { type GenerateOptions, generate, generateTokens, type LanguageModel } from './nn/generate.ts'
export * as nn from './nn/index.ts'
export { type QuantizeOptions, quantize } from './nn/quantize.ts'
export { type SampleOptions, sample } from './nn/sampling.ts'
export * as fft from './operations/fft.ts'
export * from './operations/index.ts'
export * as linalg from './operations/linalg.ts'
export * as updates from './operations/updates.ts'
export * as optim from './optim/index.ts'
export * as schedules from './optim/schedules/index.ts'
export * as plot from './plot/index.ts'
export type { Precision } from './program/vocabulary.ts'
export { arange, eye, full, fullLike, linspace, ones, onesLike, tensor, zeros, zerosLike } from './tensor/creation.ts'
export {
  bernoulli,
  beta,
  categorical,
  exponential,
  gamma,
  multinomial,
  normal,
  permutation,
  poisson,
  randint,
  shuffle,
  truncatedNormal,
} from './tensor/distributions.ts'
export type { NestedArray } from './tensor/nested.ts'
export { RandomStream, randLike, randn, randnLike, randomStream, setSeed, uniform } from './tensor/random.ts'
export { geomspace, type LogspaceOptions, logspace } from './tensor/spacing.ts'
export {
  type LoadedStateDict,
  type LoadStateDictOptions,
  loadStateDict,
  type StateDict,
  stateDict,
} from './tensor/state-dict.ts'
export {
  evaluateSync,
  Tensor,
  type TensorLike,
} from './tensor/tensor.ts'
export { guard, isCompiling } from './tensor/trace.ts'
export type { TensorOptions, TensorValues } from './tensor/values.ts'
export { Variable, type VariableOptions, variable } from './tensor/variable.ts'
export type { Callbacks, TrainCloseInfo, TrainingContext } from './train/callbacks/callback.ts'
export * as callbacks from './train/callbacks/index.ts'
export type { CheckpointInterval, CheckpointOptions } from './train/checkpoints.ts'
export {
  type LrFinderOptions,
  type LrFinderResult,
  lrFinder,
  type OverfitOptions,
  overfitOneBatch,
} from './train/debugging.ts'
export { type EvaluateOptions, evaluate } from './train/evaluate.ts'
export type {
  BatchInfo,
  EpochBeginInfo,
  EpochInfo,
  StepInfo,
  TrainEndInfo,
  TrainEvent,
  TrainInfo,
  ValidationInfo,
} from './train/events.ts'
export { fit } from './train/fit.ts'
export { History } from './train/history.ts'
export type { ClassWeights, LossesByOutput, LossFunction } from './train/loss.ts'
export type { MonitorOptions } from './train/monitor.ts'
export type { FitOptions, Trainable, TrainingData, Validation } from './train/options.ts'
export { restoreCheckpoint, saveCheckpoint } from './train/own-checkpoints.ts'
export { type PredictData, type PredictOptions, predict } from './train/predict.ts'
export type { Metric, MetricFunction, MetricsByOutput, Scores } from './train/scores.ts'
export { type TrainOptions, train } from './train/train.ts'
export { type CheckGradientsOptions, checkGradients } from './transforms/check-gradients.ts'
export { checkpoint } from './transforms/checkpoint.ts'
export { type Compiled, compile } from './transforms/compile.ts'
export { cond, type WhileLoopOptions, whileLoop } from './transforms/control-flow.ts'
export { type Backward, customGradient } from './transforms/custom-gradient.ts'
export { hessian, hvp, jacobian, jvp, type VectorJacobianProduct, vjp } from './transforms/derivatives.ts'
export { detectAnomaly } from './transforms/detect-anomaly.ts'
export {
  type GradientsOptions,
  grad,
  gradients,
  valueAndGrad,
  variablesOf,
} from './transforms/gradients.ts'
export { type InspectedInstruction, Inspection, type InspectOptions, inspect } from './transforms/inspect.ts'
export { withPrecision } from './transforms/precision.ts'
export { type ScanOptions, scan } from './transforms/scan.ts'
export type { Tensors } from './transforms/step-function.ts'
