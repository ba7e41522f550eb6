/** How the elements of a tensor are spread. */
import { checkInteger } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { histogram as countsOf } from '../operations/index.ts'
import { evaluate, type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { type AxisOptions, axisOptions, panelOf } from './chart.ts'
import { Plot } from './plot.ts'

export interface HistogramPlotOptions extends Omit<AxisOptions, 'xLog' | 'yLog'> {
  /** How many intervals of equal width: 30 unless given. */
  bins?: number
  /** From where to where; from the least to the greatest finite element unless given. */
  range?: readonly [number, number]
}

const { xLog: _x, yLog: _y, ...labelOptions } = axisOptions
const histogramPlotOptions: OptionTypes<HistogramPlotOptions> = { ...labelOptions, bins: 'number', range: 'other' }

/**
 * How the elements of a tensor are spread, counted in the program. What is NaN or infinite stands nowhere, and the title says how much of it there is.
 * @throws (rejects with) ShapeError for a tensor without elements; RangeError where none is finite, and as `g.histogram`
 *
 * @example
 * console.log(await plot.histogram(model.parameters()[0]))
 */
export async function histogram(x: TensorLike, options?: HistogramPlotOptions, ...surplus: []): Promise<Plot> {
  const given = checkOptions('histogram', options, histogramPlotOptions, surplus)
  const { bins = 30 } = given
  checkInteger('histogram', 'from 1 to 10000 bins', bins, 1, 10_000)
  const t = toTensor('histogram', x)
  if (t.size === 0) throw new ShapeError(expected('histogram', 'at least one element', t))
  const numbers = t.dtype === 'float64' ? t : t.cast('float32')
  const { low, high, lost } = await extentOf(numbers)
  if (lost === t.size) throw new RangeError(expected('histogram', 'at least one finite element', 'none'))
  const { counts, edges } = countsOf(numbers, { bins, range: given.range ?? [low, high] })
  await evaluate(counts, edges)
  const panel = panelOf(given, lost === 0 ? '' : `${lost} of ${t.size} are not finite`, '', 'count')
  const values = { edges: Array.from(await edges.data()), counts: Array.from(await counts.data()) }
  return new Plot([{ kind: 'bars', ...panel, y: { ...panel.y, isWhole: true }, ...values }])
}

/** Of the finite elements, and how many are none. */
async function extentOf(x: Tensor): Promise<{ low: number; high: number; lost: number }> {
  const finite = x.isFinite()
  const low = finite.where(x, Infinity).min()
  const high = finite.where(x, -Infinity).max()
  const lost = finite.logicalNot().cast('int32').sum()
  await evaluate(low, high, lost)
  return { low: await low.item(), high: await high.item(), lost: await lost.item() }
}
