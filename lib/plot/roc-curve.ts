/** How many true positives are had for how many false ones. */
import { checkList, checkText } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { streaming } from '../metrics/index.ts'
import { concat, cumsum, searchSorted, sort } from '../operations/index.ts'
import { linspace } from '../tensor/creation.ts'
import { evaluate, type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { panelOf, type Series, seriesOf } from './chart.ts'
import { Plot } from './plot.ts'

export interface RocCurveOptions {
  /** The names of the classes, unless given their numbers; of one curve `['ROC']`. */
  names?: readonly string[]
  /** `ROC`, and of one curve the area under it, unless given. */
  title?: string
}

const rocCurveOptions: OptionTypes<RocCurveOptions> = { names: 'other', title: 'string' }

/** So many thresholds by the share of true positives, and as many by that of false ones. */
const thresholds = 256
const mostClasses = 20

/**
 * The ROC curve, of true positives over false ones as the threshold falls, with the area under it; of several classes a curve of each against the others. It is
 * computed in the program, and drawn at 512 thresholds; the area is exact, as that of `metrics.streaming.rocAuc`.
 * @param labels [rows]: whether a row is of yes, as bool, 0 or 1; of several classes their numbers
 * @param scores [rows], the greater the likelier; or [rows, classes]
 * @throws (rejects with) ShapeError for others; RangeError for NaN among the scores, labels of yes or of no alone, or more than 20 classes
 *
 * @example
 * console.log(await plot.rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
 */
export async function rocCurve(
  labels: TensorLike,
  scores: TensorLike,
  options?: RocCurveOptions,
  ...surplus: []
): Promise<Plot> {
  const { names, title } = checkOptions('rocCurve', options, rocCurveOptions, surplus)
  const [y, x] = [toTensor('rocCurve', labels), toTensor('rocCurve', scores)]
  checkShapes(y, x)
  const table = isFloat(x.dtype) ? x : x.cast('float32')
  const classes = classNames(names, x.ndim === 1 ? ['ROC'] : Array.from({ length: x.shape[1]! }, (_, i) => String(i)))
  const curves = await Promise.all(
    classes.map((name, i) =>
      x.ndim === 1 ? curveOf(name, table, y.greater(0.5)) : curveOf(name, table.select(1, i), y.equal(i)),
    ),
  )
  const found = curves.filter((curve) => curve !== undefined)
  if (found.length === 0) throw new RangeError(expected('rocCurve', 'labels of yes and of no', 'one kind alone'))
  const chance = { ...seriesOf('rocCurve', 'chance', { x: [0, 1], y: [0, 1] }), isReference: true }
  const usual = found.length === 1 ? `ROC, AUC ${areaText(found[0]!.area)}` : 'ROC'
  const series = found.map(({ series, area }) => ({ ...series, name: `${series.name} (AUC ${areaText(area)})` }))
  const panel = panelOf(title === undefined ? {} : { title }, usual, 'false positive rate', 'true positive rate')
  return new Plot([{ kind: 'lines', ...panel, series: [...series, chance] }])
}

const areaText = (area: number) => area.toFixed(4)

function checkShapes(labels: Tensor, scores: Tensor): void {
  if (labels.ndim !== 1 || scores.ndim < 1 || scores.ndim > 2 || scores.shape[0] !== labels.shape[0])
    throw new ShapeError(
      expected('rocCurve', 'labels [rows] and scores [rows] or [rows, classes]', `${labels}, ${scores}`),
    )
  const classes = scores.ndim === 1 ? 1 : scores.shape[1]!
  if (classes < 1 || classes > mostClasses)
    throw new RangeError(expected('rocCurve', `scores of 1 to ${mostClasses} classes`, classes))
}

function classNames(names: readonly string[] | undefined, usual: readonly string[]): readonly string[] {
  const list = checkList('rocCurve', 'a list of names', names ?? usual)
  if (list.length !== usual.length) throw new RangeError(expected('rocCurve', `${usual.length} names`, list.length))
  return list.map((name) => checkText('rocCurve', 'names that are texts', name))
}

interface Curve {
  readonly series: Series
  readonly area: number
}

/** Of scores [rows] and whether they are of yes; undefined where all are, or none is. */
async function curveOf(name: string, scores: Tensor, yes: Tensor): Promise<Curve | undefined> {
  if (scores.size === 0) return undefined
  const order = scores.argsort({ descending: true })
  const found = {
    nan: scores.isNaN().cast('int32').sum(),
    ...ratesOf(scores.gather(order), yes.gather(order).cast('int32')),
  }
  await evaluate(found.nan, found.hits, found.misses, found.truePositives, found.falsePositives)
  if ((await found.nan.item()) > 0) throw new RangeError(expected('rocCurve', 'scores that are numbers', 'NaN'))
  if ((await found.hits.item()) === 0 || (await found.misses.item()) === 0) return undefined
  const [x, y] = [await found.falsePositives.data(), await found.truePositives.data()]
  const area = streaming.rocAuc({ task: 'binary' })
  await area.update(scores, yes)
  return { series: seriesOf('rocCurve', name, { x: [0, ...x], y: [0, ...y] }), area: (await area.result()) as number }
}

/** Of scores from the greatest to the least: the rates at thresholds of evenly spread true, and false, positives. */
export function ratesOf(scores: Tensor, yes: Tensor) {
  const counts = { yes: cumsum(yes), no: cumsum(yes.mul(-1).add(1)) }
  const [hits, misses] = [counts.yes.select(0, yes.size - 1), counts.no.select(0, yes.size - 1)]
  const shares = linspace(0, 1, thresholds)
  const firstOf = (count: Tensor, all: Tensor) => searchSorted(count, shares.mul(all).ceil().cast('int32'))
  const first = sort(concat([firstOf(counts.yes, hits), firstOf(counts.no, misses)])).minimum(yes.size - 1)
  // The last of those with the same score, as a threshold takes all of them.
  const last = searchSorted(scores.neg(), scores.gather(first).neg(), { right: true }).sub(1)
  return {
    hits,
    misses,
    truePositives: counts.yes.gather(last).div(hits),
    falsePositives: counts.no.gather(last).div(misses),
  }
}
