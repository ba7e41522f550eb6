/** Schedules of learning rates, as `g.schedules`. */
export {
  type ConstantOptions,
  constant,
  type ExponentialOptions,
  exponential,
  type LinearOptions,
  linear,
  type MultiStepOptions,
  multiStep,
  type PolynomialOptions,
  polynomial,
  type StepOptions,
  step,
} from './decays.ts'
export { chained, lambda, type SequentialOptions, sequential, type WarmupOptions, warmup } from './joining.ts'
export { PlateauSchedule, type ReduceOnPlateauOptions, reduceOnPlateau } from './plateau.ts'
export { type RateFunction, Schedule } from './schedule.ts'
export {
  type CosineOptions,
  type CosineRestartsOptions,
  cosine,
  cosineRestarts,
  type OneCycleOptions,
  oneCycle,
} from './waves.ts'
