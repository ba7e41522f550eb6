/** Schedules made of others, and of functions of your own. */
import { checkFunction, checkList, refuseSurplus } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { where } from '../../operations/index.ts'
import { checkMilestones } from './decays.ts'
import { checkRates, checkSteps, ramp } from './numbers.ts'
import { checkSchedule, type RateFunction, Schedule } from './schedule.ts'

function checkSchedules(op: string, schedules: readonly Schedule[]): readonly Schedule[] {
  const list = checkList(op, 'a list of schedules', schedules).map((x) => checkSchedule(op, x))
  if (list.length === 0) throw new RangeError(expected(op, 'at least one schedule', 'none'))
  return list
}

const keptBy = (schedules: readonly Schedule[]) => [...new Set(schedules.flatMap(({ kept }) => kept))]

export interface WarmupOptions {
  /** How many steps go up to the first rate of the schedule. */
  steps: number
  /** The rate of the first of them; 0 unless given. */
  start?: number
}

const warmupOptions: OptionTypes<WarmupOptions> = { steps: 'number', start: 'number' }

/**
 * Goes up to the first rate of a schedule along a line, and then by the schedule, which counts its steps from there. PyTorch's LinearLR before
 * another one in a SequentialLR.
 *
 * @example
 * warmup(exponential({ start: 0.1, gamma: 0.999 }), { steps: 100 })
 */
export function warmup(schedule: Schedule, options: WarmupOptions, ...surplus: []): Schedule {
  const { steps, start = 0 } = requireOptions('warmup', options, warmupOptions, ['steps'], surplus)
  checkSchedule('warmup', schedule)
  checkSteps('warmup', 'steps', steps)
  checkRates('warmup', { start })
  const rate: RateFunction = (t) => {
    const up = schedule
      .at(t.mul(0))
      .sub(start)
      .mul(ramp(t, 0, steps))
      .add(start)
    return where(t.less(steps), up, schedule.at(t.sub(steps)))
  }
  return new Schedule('warmup', rate, schedule.kept)
}

export interface SequentialOptions {
  /** The steps at which the next one begins, in rising order: one less than there are schedules. */
  milestones: readonly number[]
}

const sequentialOptions: OptionTypes<SequentialOptions> = { milestones: 'other' }

/** One schedule after the other, each of which counts its steps from where it begins. PyTorch's SequentialLR. */
export function sequential(schedules: readonly Schedule[], options: SequentialOptions, ...surplus: []): Schedule {
  const given = requireOptions('sequential', options, sequentialOptions, ['milestones'], surplus)
  const list = checkSchedules('sequential', schedules)
  const milestones = checkMilestones('sequential', given.milestones)
  if (milestones.length !== list.length - 1)
    throw new RangeError(expected('sequential', `${list.length - 1} milestones`, milestones.length))
  const rate: RateFunction = (t) =>
    milestones.reduce(
      (rate, milestone, i) => where(t.greaterEqual(milestone), list[i + 1]!.at(t.sub(milestone)), rate),
      list[0]!.at(t),
    )
  return new Schedule('sequential', rate, keptBy(list))
}

/**
 * The product of schedules: the first gives rates, the others factors that begin at 1, such as `linear({ start: 0.1, end: 1, steps: 100 })`.
 * PyTorch's ChainedScheduler, and its MultiplicativeLR with `lambda`.
 */
export function chained(schedules: readonly Schedule[], ...surplus: []): Schedule {
  refuseSurplus('chained', 1, surplus)
  const list = checkSchedules('chained', schedules)
  const rate: RateFunction = (t) =>
    list
      .slice(1)
      .map((schedule) => schedule.at(t))
      .reduce((a, b) => a.mul(b), list[0]!.at(t))
  return new Schedule('chained', rate, keptBy(list))
}

/**
 * A schedule of your own: a function of the step, a tensor that counts from 0, on tensors of any shape. It becomes part of the
 * program, so what changes is computed from the step: `where(step.less(100), …)` and no `if`. PyTorch's LambdaLR, optax's schedules.
 *
 * @example
 * lambda((step) => step.add(1).rsqrt().mul(0.1)) // 0.1/√(t + 1)
 */
export function lambda(rate: RateFunction, ...surplus: []): Schedule {
  refuseSurplus('lambda', 1, surplus)
  checkFunction('lambda', 'a function from steps to rates', rate)
  return new Schedule('lambda', rate)
}
