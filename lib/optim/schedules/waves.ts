/** Schedules along waves of the cosine, and the one cycle. */
import { checkChoice, checkNumber } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { where } from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { along, alongCosine, checkFactor, checkRates, checkSteps, ramp } from './numbers.ts'
import { Schedule } from './schedule.ts'

export interface CosineOptions {
  /** The highest rate. */
  peak: number
  /** The rate is `end` from this step on; those of the warm-up are among them. */
  steps: number
  /** So many steps go up from `start` to the peak along a line; 0 unless given. */
  warmup?: number
  /** The rate of the first step of the warm-up; 0 unless given. */
  start?: number
  /** 0 unless given. */
  end?: number
}

const cosineOptions: OptionTypes<CosineOptions> = {
  peak: 'number',
  steps: 'number',
  warmup: 'number',
  start: 'number',
  end: 'number',
}

/**
 * Half a wave of the cosine from the peak down to the end, after a warm-up: end + (peak − end) · (1 + cos(π·(t − warmup) / (steps −
 * warmup))) / 2. Loshchilov & Hutter, "SGDR" (2017), equation 5. PyTorch's CosineAnnealingLR up to its `T_max`, Keras's CosineDecay, optax's
 * `warmup_cosine_decay_schedule`.
 *
 * @example
 * adam({ learningRate: cosine({ peak: 1e-3, steps: 10_000, warmup: 500 }) })
 */
export function cosine(options: CosineOptions, ...surplus: []): Schedule {
  const {
    peak,
    steps,
    warmup = 0,
    start = 0,
    end = 0,
  } = requireOptions('cosine', options, cosineOptions, ['peak', 'steps'], surplus)
  checkRates('cosine', { peak, start, end })
  checkSteps('cosine', 'steps', steps)
  checkSteps('cosine', 'warmup', warmup, 0)
  if (warmup >= steps) throw new RangeError(expected('cosine', `a warmup below the ${steps} steps`, warmup))
  return new Schedule('cosine', (t) => {
    const down = alongCosine(ramp(t, warmup, steps), peak, end)
    return warmup === 0 ? down : where(t.less(warmup), along(ramp(t, 0, warmup), start, peak), down)
  })
}

export interface CosineRestartsOptions {
  peak: number
  /** The steps of the first wave. */
  period: number
  /** How many times longer each wave is than the one before, an integer; 1 unless given. */
  multiplier?: number
  /** 0 unless given. */
  end?: number
}

const cosineRestartsOptions: OptionTypes<CosineRestartsOptions> = {
  peak: 'number',
  period: 'number',
  multiplier: 'number',
  end: 'number',
}

/** Where in its wave a step is, from 0 to below 1. */
function phaseOf(t: Tensor, period: number, multiplier: number): Tensor {
  if (multiplier === 1) return t.sub(t.div(period).floor().mul(period)).div(period)
  // There are few waves up to the last step that is counted exactly.
  let phase = t.div(period)
  for (let start = period, length = period * multiplier; start < 2 ** 24; start += length, length *= multiplier)
    phase = where(t.greaterEqual(start), t.sub(start).div(length), phase)
  return phase
}

/**
 * Half a wave of the cosine from the peak down to the end, over and over. Loshchilov & Hutter, "SGDR: stochastic gradient
 * descent with warm restarts" (2017). PyTorch's CosineAnnealingWarmRestarts (`T_0`, `T_mult`, `eta_min`), Keras's CosineDecayRestarts.
 */
export function cosineRestarts(options: CosineRestartsOptions, ...surplus: []): Schedule {
  const given = requireOptions('cosineRestarts', options, cosineRestartsOptions, ['peak', 'period'], surplus)
  const { peak, period, multiplier = 1, end = 0 } = given
  checkRates('cosineRestarts', { peak, end })
  checkSteps('cosineRestarts', 'period', period)
  checkSteps('cosineRestarts', 'multiplier', multiplier)
  return new Schedule('cosineRestarts', (t) => alongCosine(phaseOf(t, period, multiplier), peak, end))
}

export interface OneCycleOptions {
  /** The highest rate. */
  peak: number
  /** Of the whole cycle. */
  steps: number
  /** Which part of the steps goes up; 0.3 unless given. */
  pctStart?: number
  /** The first rate is the peak divided by this; 25 unless given. */
  divFactor?: number
  /** The last rate is the first one divided by this; 10,000 unless given. */
  finalDivFactor?: number
  /** `'cos'` unless given. */
  annealStrategy?: 'cos' | 'linear'
  /** Whether it goes down to the first rate as slowly as up, and then to the last one; false unless given. */
  threePhase?: boolean
}

const oneCycleOptions: OptionTypes<OneCycleOptions> = {
  peak: 'number',
  steps: 'number',
  pctStart: 'number',
  divFactor: 'number',
  finalDivFactor: 'number',
  annealStrategy: ['cos', 'linear'],
  threePhase: 'boolean',
}

/**
 * Up to the peak, and down to far below where it began, in one run. Smith & Topin, "Super-convergence" (2018), as PyTorch's
 * OneCycleLR has it, without the cycle of the momentum. After the last step the rate stays.
 */
export function oneCycle(options: OneCycleOptions, ...surplus: []): Schedule {
  const given = requireOptions('oneCycle', options, oneCycleOptions, ['peak', 'steps'], surplus)
  const { peak, steps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = given
  const anneal = checkChoice('oneCycle', 'annealStrategy', given.annealStrategy ?? 'cos', ['cos', 'linear'])
  checkRates('oneCycle', { peak })
  checkSteps('oneCycle', 'steps', steps)
  checkNumber('oneCycle', 'a pctStart in [0, 1]', pctStart, (x) => x >= 0 && x <= 1)
  checkFactor('oneCycle', 'divFactor', divFactor)
  checkFactor('oneCycle', 'finalDivFactor', finalDivFactor)
  const first = peak / divFactor
  const last = first / finalDivFactor
  const up = pctStart * steps - 1
  const ends: readonly (readonly [until: number, rate: number])[] = given.threePhase
    ? [
        [up, peak],
        [2 * pctStart * steps - 2, first],
        [steps - 1, last],
      ]
    : [
        [up, peak],
        [steps - 1, last],
      ]
  const shape = anneal === 'cos' ? alongCosine : along
  return new Schedule('oneCycle', (t) => {
    let rate = t.mul(0).add(first)
    let [from, start] = [0, first]
    ends.forEach(([until, end], i) => {
      const phase = shape(ramp(t, from, until), start, end)
      rate = i === 0 ? phase : where(t.greater(from), phase, rate)
      ;[from, start] = [until, end]
    })
    return rate
  })
}
