export type { StateDict } from '../state-dict.ts'
export type { Initializer, InitializerOptions } from './init.ts'
export * as init from './init.ts'
export {
  celu,
  elu,
  flatten,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu,
  relu6,
  type Sequential,
  selu,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
  threshold,
} from './layers.ts'
export { type Linear, type LinearOptions, linear } from './linear.ts'
export { Module } from './module.ts'
export { type PRelu, type PReluOptions, prelu } from './prelu.ts'
