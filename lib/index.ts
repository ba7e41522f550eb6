/** The public surface: re-exports only. */
import './operations/methods.ts'

export { type BackendName, backendInfo, setBackend, setNumThreads } from './backend/active.ts'
export type { BackendInfo } from './backend/backend.ts'
export { type CheckGradientsOptions, checkGradients } from './check-gradients.ts'
export { checkpoint } from './checkpoint.ts'
export { type Compiled, compile } from './compile.ts'
export { arange, eye, full, linspace, ones, onesLike, tensor, zeros, zerosLike } from './creation.ts'
export { type Backward, customGradient } from './custom-gradient.ts'
export type { Dataset } from './data/dataset.ts'
export * as data from './data/dataset.ts'
export * as datasets from './data/datasets.ts'
export { hessian, hvp, jacobian, jvp, type VectorJacobianProduct, vjp } from './derivatives.ts'
export { detectAnomaly } from './detect-anomaly.ts'
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
} from './distributions.ts'
export type { DType, TypedArray } from './dtype.ts'
export { AnomalyError, DataFormatError, DatasetNotFoundError, DTypeError, GradientError, ShapeError } from './errors.ts'
export { grad, gradients, stopGradient, valueAndGrad, variablesOf } from './gradients.ts'
export { type InspectedInstruction, Inspection, type InspectOptions, inspect } from './inspect.ts'
export * as linalg from './linalg.ts'
export * as losses from './losses/index.ts'
export * as metrics from './metrics.ts'
export * as nn from './nn/index.ts'
export * from './operations/index.ts'
export * as optim from './optim/index.ts'
export { randn, setSeed, uniform } from './random.ts'
export type { Shape } from './shape.ts'
export {
  evaluate,
  evaluateSync,
  type GeluOptions,
  type NormOptions,
  type ReduceOptions,
  Tensor,
  type TensorLike,
} from './tensor.ts'
export type {
  BatchInfo,
  Callbacks,
  EpochInfo,
  FitOptions,
  History,
  Metric,
  MetricFunction,
  Scores,
  Trainable,
} from './train/fit.ts'
export { fit } from './train/fit.ts'
export { type Unique, unique, uniqueSync } from './unique.ts'
export type { NestedArray, TensorOptions, TensorValues } from './values.ts'
export { Variable, type VariableOptions, variable } from './variable.ts'
