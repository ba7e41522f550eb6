/** Lines of numbers. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, isPlainObject } from '../base/options.ts'
import { type AxisOptions, axisOptions, checkDrawable, panelOf, type SeriesValues, seriesOf } from './chart.ts'
import { Plot } from './plot.ts'

/**
 * Lines by name. What is no finite number is a gap; of a long series what is drawn has no peak less.
 * @param series numbers, which stand at 0, 1, 2, …, or points { x, y }, each as a list or typed array; by name
 * @throws RangeError for no series, x and y of different lengths, or nothing that could be drawn; TypeError for what are no numbers
 *
 * @example
 * console.log(plot.lines({ sine: Array.from({ length: 60 }, (_, i) => Math.sin(i / 6)) }))
 */
export function lines(series: Readonly<Record<string, SeriesValues>>, options?: AxisOptions, ...surplus: []): Plot {
  const given = checkOptions('lines', options, axisOptions, surplus)
  if (!isPlainObject(series)) throw new TypeError(expected('lines', 'series by name', describe(series)))
  const names = Object.keys(series)
  if (names.length === 0) throw new RangeError(expected('lines', 'at least one series', 'none'))
  const all = names.map((name) => seriesOf('lines', name, series[name]!))
  const title = all.length === 1 ? all[0]!.name : ''
  const panel = panelOf(given, title, '', '')
  const x = { ...panel.x, isWhole: all.every((each) => each.x.every(Number.isInteger)) }
  return new Plot([checkDrawable('lines', { kind: 'lines', ...panel, x, series: all })])
}
