/** A score that is followed from epoch to epoch: which one it is, and when one value is better than another. */

import { checkChoice, checkText } from '../base/arguments.ts'
import { columnsOf } from '../base/columns.ts'
import { expected } from '../base/errors.ts'
import type { OptionTypes } from '../base/options.ts'
import type { TrainingContext } from './callbacks/callback.ts'
import type { EpochInfo } from './events.ts'

export interface MonitorOptions {
  /** A score by its path in the info of an epoch: `'validation.loss'`, which it is unless given where there is a validation set, else `'loss'`. */
  monitor?: string
  /** Whether less is better or more; unless given it follows from the name, where that says so. */
  mode?: 'min' | 'max'
}

export const monitorOptions: OptionTypes<MonitorOptions> = { monitor: 'string', mode: ['min', 'max'] }

/** Of what there is more in a better model. */
const more = /accuracy|auc|precision|recall|f1|fbeta|r2|explained|cosine|iou|dice|score|likelihood$/i
const less = /loss|error|mse|mae|mape|rmse|perplexity|entropy|huber|l1|bce|nll|hinge|divergence|logcosh|seconds/i

/** @throws TypeError for a name that does not say whether less is better or more */
function modeOf(op: string, monitor: string): 'min' | 'max' {
  const name = monitor.split('.').at(-1)!
  if (less.test(name)) return 'min'
  if (more.test(name)) return 'max'
  throw new TypeError(expected(op, `a mode, 'min' or 'max', for ${monitor}`, undefined))
}

export class Monitor {
  readonly #op: string
  readonly #name: string | undefined
  readonly #mode: 'min' | 'max' | undefined

  constructor(op: string, { monitor, mode }: MonitorOptions) {
    if (monitor !== undefined) checkText(op, 'a name as monitor', monitor)
    if (mode !== undefined) checkChoice(op, 'mode', mode, ['min', 'max'])
    this.#op = op
    this.#name = monitor
    this.#mode = mode ?? (monitor === undefined ? undefined : modeOf(op, monitor))
  }

  /**
   * The score of an epoch; undefined where it is one of the validation set, and that was not scored after this epoch.
   * @throws RangeError where there is no such score
   */
  valueIn(info: EpochInfo, { validates }: Pick<TrainingContext, 'validates'>): number | undefined {
    const name = this.#name ?? (validates ? 'validation.loss' : 'loss')
    const columns = columnsOf(info)
    const value = columns[name]
    if (typeof value === 'number') return value
    if (validates && name.startsWith('validation.') && info.validation === undefined) return undefined
    const names = Object.keys(columns).filter((key) => typeof columns[key] === 'number')
    // Keras's name for it.
    const here = name.replace(/^val_/, 'validation.')
    const hint = here !== name && names.includes(here) ? `; did you mean ${here}?` : ''
    throw new RangeError(`${expected(this.#op, `a monitor among ${names.join(', ')}`, name)}${hint}`)
  }

  /** Whether a value is better than the best so far, by more than `delta`. NaN is better than nothing, and a number better than NaN. */
  isBetter(value: number, best: number | undefined, delta = 0): boolean {
    if (best === undefined) return true
    if (Number.isNaN(best)) return !Number.isNaN(value)
    return this.#mode === 'max' ? value > best + delta : value < best - delta
  }
}
