/** Schedules that go from a rate to lower ones: by steps, by a power, by a line. */
import { checkNumbers } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { where } from '../../operations/index.ts'
import { along, checkFactor, checkRates, checkSteps, powerOf, ramp } from './numbers.ts'
import { Schedule } from './schedule.ts'

export interface ConstantOptions {
  rate: number
}

const constantOptions: OptionTypes<ConstantOptions> = { rate: 'number' }

/** The same rate at every step: a part of joined schedules, as a number does elsewhere. */
export function constant(options: ConstantOptions, ...surplus: []): Schedule {
  const { rate } = requireOptions('constant', options, constantOptions, ['rate'], surplus)
  checkRates('constant', { rate })
  return new Schedule('constant', (step) => step.mul(0).add(rate))
}

export interface StepOptions {
  /** The rate of the first steps. */
  start: number
  /** So many steps have the same rate. */
  stepSize: number
  /** What the rate is multiplied by then; 0.1 unless given. */
  gamma?: number
}

const stepOptions: OptionTypes<StepOptions> = { start: 'number', stepSize: 'number', gamma: 'number' }

/**
 * Another rate every `stepSize` steps: start · gamma^⌊t / stepSize⌋. PyTorch's StepLR, Keras's ExponentialDecay with `staircase`.
 *
 * @example
 * step({ start: 0.1, stepSize: 1000 }).values(2001)[2000] // 0.001
 */
export function step(options: StepOptions, ...surplus: []): Schedule {
  const given = requireOptions('step', options, stepOptions, ['start', 'stepSize'], surplus)
  const { start, stepSize, gamma = 0.1 } = given
  checkRates('step', { start })
  checkSteps('step', 'stepSize', stepSize)
  checkFactor('step', 'gamma', gamma)
  return new Schedule('step', (t) => powerOf(gamma, t.div(stepSize).floor()).mul(start))
}

export interface MultiStepOptions {
  start: number
  /** The steps from which on the rate is another one, in rising order. */
  milestones: readonly number[]
  /** What the rate is multiplied by at each; 0.1 unless given. */
  gamma?: number
}

const multiStepOptions: OptionTypes<MultiStepOptions> = { start: 'number', milestones: 'other', gamma: 'number' }

/** Steps in rising order, as a copy. */
export function checkMilestones(op: string, milestones: readonly number[]): readonly number[] {
  const list = checkNumbers(op, 'milestones, a list of steps', milestones, (x) => Number.isInteger(x) && x >= 0)
  list.forEach((step, i) => {
    if (i > 0 && step <= list[i - 1]!) throw new RangeError(expected(op, 'milestones in rising order', list))
  })
  return list
}

/** start · gamma^(how many milestones have been reached). PyTorch's MultiStepLR, Keras's PiecewiseConstantDecay. */
export function multiStep(options: MultiStepOptions, ...surplus: []): Schedule {
  const given = requireOptions('multiStep', options, multiStepOptions, ['start', 'milestones'], surplus)
  const { start, gamma = 0.1 } = given
  checkRates('multiStep', { start })
  checkFactor('multiStep', 'gamma', gamma)
  const milestones = checkMilestones('multiStep', given.milestones)
  return new Schedule('multiStep', (t) =>
    milestones.reduce(
      (rate, milestone, i) => where(t.greaterEqual(milestone), start * gamma ** (i + 1), rate),
      t.mul(0).add(start),
    ),
  )
}

export interface ExponentialOptions {
  start: number
  /** What the rate is multiplied by in `steps` steps. */
  gamma: number
  /** 1 unless given. */
  steps?: number
}

const exponentialOptions: OptionTypes<ExponentialOptions> = { start: 'number', gamma: 'number', steps: 'number' }

/** start · gamma^(t / steps). PyTorch's ExponentialLR, Keras's ExponentialDecay. */
export function exponential(options: ExponentialOptions, ...surplus: []): Schedule {
  const given = requireOptions('exponential', options, exponentialOptions, ['start', 'gamma'], surplus)
  const { start, gamma, steps = 1 } = given
  checkRates('exponential', { start })
  checkFactor('exponential', 'gamma', gamma)
  checkSteps('exponential', 'steps', steps)
  return new Schedule('exponential', (t) => powerOf(gamma, t.div(steps)).mul(start))
}

export interface PolynomialOptions {
  start: number
  /** The rate is `end` from this step on. */
  steps: number
  /** 1, a line, unless given. */
  power?: number
  /** 0 unless given. */
  end?: number
}

const polynomialOptions: OptionTypes<PolynomialOptions> = {
  start: 'number',
  steps: 'number',
  power: 'number',
  end: 'number',
}

/** end + (start − end) · (1 − t / steps)^power. PyTorch's PolynomialLR, Keras's PolynomialDecay. */
export function polynomial(options: PolynomialOptions, ...surplus: []): Schedule {
  const given = requireOptions('polynomial', options, polynomialOptions, ['start', 'steps'], surplus)
  const { start, steps, power = 1, end = 0 } = given
  checkRates('polynomial', { start, end })
  checkSteps('polynomial', 'steps', steps)
  checkFactor('polynomial', 'power', power)
  return new Schedule('polynomial', (t) => along(ramp(t, 0, steps).neg().add(1).pow(power), end, start))
}

export interface LinearOptions {
  start: number
  end: number
  /** The rate is `end` from this step on. */
  steps: number
}

const linearOptions: OptionTypes<LinearOptions> = { start: 'number', end: 'number', steps: 'number' }

/** From one rate to another, up or down, along a line. PyTorch's LinearLR. */
export function linear(options: LinearOptions, ...surplus: []): Schedule {
  const { start, end, steps } = requireOptions('linear', options, linearOptions, ['start', 'end', 'steps'], surplus)
  checkRates('linear', { start, end })
  checkSteps('linear', 'steps', steps)
  return new Schedule('linear', (t) => along(ramp(t, 0, steps), start, end))
}
