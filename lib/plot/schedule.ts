/** How a learning rate goes. */
import { checkInteger, describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { type OptionTypes, requireOptions } from '../base/options.ts'
import { Schedule } from '../optim/schedules/index.ts'
import { tensor } from '../tensor/creation.ts'
import { checkDrawable, panelOf, seriesOf } from './chart.ts'
import { Plot } from './plot.ts'

export interface SchedulePlotOptions {
  /** From the first one on. */
  steps: number
  /** Whether the axis of rates is logarithmic; false unless given. */
  yLog?: boolean
}

const schedulePlotOptions: OptionTypes<SchedulePlotOptions> = { steps: 'number', yLog: 'boolean' }

/** More than there are columns or pixels. */
const mostPoints = 2000

/**
 * The learning rates of a schedule by step.
 * @throws (rejects with) TypeError for what is no schedule; RangeError for steps that are no positive integer
 *
 * @example
 * console.log(await plot.schedule(schedules.cosine({ peak: 0.1, steps: 1000, warmup: 100 }), { steps: 1000 }))
 */
export async function schedule(schedule: Schedule, options: SchedulePlotOptions, ...surplus: []): Promise<Plot> {
  const { steps, yLog = false } = requireOptions('schedule', options, schedulePlotOptions, ['steps'], surplus)
  if (!(schedule instanceof Schedule)) throw new TypeError(expected('schedule', 'a schedule', describe(schedule)))
  checkInteger('schedule', 'a positive number of steps', steps, 1, 2 ** 31 - 1)
  const points = Math.min(steps, mostPoints)
  const x = Array.from({ length: points }, (_, i) => Math.round((i * (steps - 1)) / Math.max(1, points - 1)))
  const rates = await schedule.at(tensor(x, { dtype: 'float32' })).data()
  const { x: xAxis, ...panel } = panelOf({ yLog }, 'learning rate', 'step', '')
  const series = [seriesOf('schedule', 'learning rate', { x, y: rates })]
  return new Plot([checkDrawable('schedule', { kind: 'lines', ...panel, x: { ...xAxis, isWhole: true }, series })])
}
