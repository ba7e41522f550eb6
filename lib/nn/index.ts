export type { StateDict } from '../state-dict.ts'
export type { Initializer, InitializerOptions } from './init.ts'
export * as init from './init.ts'
export {
  elu,
  flatten,
  gelu,
  leakyRelu,
  relu,
  type Sequential,
  sequential,
  sigmoid,
  silu,
  softmax,
  tanh,
} from './layers.ts'
export { type Linear, type LinearOptions, linear } from './linear.ts'
export { Module } from './module.ts'
