/** What else a configuration may name: optimizers, schedules, callbacks, losses and metrics. */
import * as optim from '../../optim/index.ts'
import * as schedules from '../../optim/schedules/index.ts'
import * as callbackMakers from '../../train/callbacks/index.ts'
import { lossesByName, metricsByName, streamingByName } from '../../train/names.ts'
import { callable } from './calls.ts'

export const optimizers = {
  adadelta: callable(optim.adadelta, 'options'),
  adafactor: callable(optim.adafactor, 'options'),
  adagrad: callable(optim.adagrad, 'options'),
  adam: callable(optim.adam, 'options'),
  adamw: callable(optim.adamw, 'options'),
  adamax: callable(optim.adamax, 'options'),
  lamb: callable(optim.lamb, 'options'),
  lion: callable(optim.lion, 'options'),
  nadam: callable(optim.nadam, 'options'),
  radam: callable(optim.radam, 'options'),
  rmsprop: callable(optim.rmsprop, 'options'),
  rprop: callable(optim.rprop, 'options'),
  sgd: callable(optim.sgd, 'options'),
} as const

/** Of a function of options alone, which have it by its names: what is inferred stands there unless it is given. */
const withDefaults = (make: (options: never) => unknown, spec: string) => {
  const names = spec.split(' ').map((word) => word.split('=')[0]!)
  const called = (...args: readonly unknown[]) => {
    const named = Object.fromEntries(names.map((name, i) => [name, args[i]]))
    return make({ ...named, ...(args[names.length] as object) } as never)
  }
  return callable(called, `${spec} options`)
}

/**
 * Schedules of the learning rate. What they begin with, or rise to, is the learning rate of the optimizer unless it is given, and their steps are
 * all those of the training.
 */
export const schedulesByName = {
  cosine: withDefaults(schedules.cosine, 'peak=rate steps=steps'),
  cosineRestarts: withDefaults(schedules.cosineRestarts, 'peak=rate period=steps'),
  oneCycle: withDefaults(schedules.oneCycle, 'peak=rate steps=steps'),
  exponential: withDefaults(schedules.exponential, 'start=rate gamma steps=one'),
  linear: withDefaults(schedules.linear, 'start=rate end=zero steps=steps'),
  polynomial: withDefaults(schedules.polynomial, 'start=rate steps=steps'),
  step: withDefaults(schedules.step, 'start=rate stepSize'),
  multiStep: withDefaults(schedules.multiStep, 'start=rate milestones'),
} as const

export const callbacks = {
  earlyStopping: callable(callbackMakers.earlyStopping, 'options'),
  reduceLROnPlateau: callable(callbackMakers.reduceLROnPlateau, 'options'),
  modelCheckpoint: callable(callbackMakers.modelCheckpoint, 'path options'),
  csvLogger: callable(callbackMakers.csvLogger, 'path'),
  jsonLogger: callable(callbackMakers.jsonLogger, 'path'),
} as const

export const lossNames = Object.keys(lossesByName)
export const metricNames = [...new Set([...Object.keys(metricsByName), ...Object.keys(streamingByName)])]
