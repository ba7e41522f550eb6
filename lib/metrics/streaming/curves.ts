/** Areas under ROC curves and curves of precision and recall: exact from all scores, or from counts of binned ones. */
import { checkInteger } from '../../base/arguments.ts'
import { elementAt } from '../../base/lists.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { extentAt } from '../../base/shape.ts'
import { inTurns } from '../../base/turns.ts'
import { asFloat } from '../../losses/common.ts'
import { sigmoid } from '../../operations/activations.ts'
import { bincount } from '../../operations/histogram.ts'
import { oneHot } from '../../operations/indexing.ts'
import { softmax } from '../../operations/softmax.ts'
import { argsort } from '../../operations/sort.ts'
import { arange, tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { StreamingMetric } from '../streaming.ts'
import type { MetricParts, MetricTotals } from '../totals.ts'
import { type Area, areaOfBins, areaOfSorted, type Curve, type Scored } from './areas.ts'
import { checkTask, classOf, givenOf, isYes, labelledCases, rowsOf, type ScoreOptions, scoreOptions } from './cases.ts'
import type { ClassScores } from './classes.ts'
import { flatWeights, valuesOf, weighed } from './common.ts'

export interface CurveOptions extends ScoreOptions {
  /**
   * So many thresholds from 0 to 1, evenly spaced: a probability counts as the greatest of them that is not above it, and counts are all that is kept.
   * Without it the area is exact, and all scores are kept. TorchMetrics: thresholds, Keras: num_thresholds.
   */
  thresholds?: number
  /**
   * How the areas of several classes (each against the others) or labels become one: `'macro'` unless given, their mean; `'weighted'`, the mean weighted by how
   * often each occurs; `'micro'`, the area of all scores together; `'none'`, the list.
   */
  average?: 'macro' | 'micro' | 'weighted' | 'none'
}

const curveOptions: OptionTypes<CurveOptions> = {
  ...scoreOptions,
  thresholds: 'number',
  average: ['macro', 'micro', 'weighted', 'none'],
}

/** Scores and whether each is of yes, [cases, columns]: a column for each class or label. */
interface Scores {
  readonly scores: Tensor
  readonly yes: Tensor
  /** [cases] */
  readonly weights: Tensor | undefined
}

/** Of yes or no logits rank as probabilities do, and ties are only where logits tie; bins need probabilities. */
function scoresOf(name: string, x: Tensor, y: Tensor, w: Tensor | undefined, options: CurveOptions): Scores {
  const { from = 'logits', thresholds, ignoreIndex } = options
  const { task, prediction, target, shape } = givenOf(name, x, y, options)
  const ofYes = (t: Tensor) => (from === 'logits' && thresholds !== undefined ? sigmoid(asFloat(t)) : asFloat(t))
  if (task === 'binary') {
    const scores = ofYes(prediction).flatten().reshape([prediction.size, 1])
    const kept =
      ignoreIndex === undefined ? target : target.equal(ignoreIndex).where(ignoreIndex, isYes(target).cast('int32'))
    const { labels, weights } = labelledCases(name, kept, w, options)
    return { scores, yes: isYes(labels).reshape([labels.size, 1]), weights }
  }
  const rows = rowsOf(prediction)
  if (task === 'multilabel')
    return { scores: ofYes(rows), yes: isYes(rowsOf(target)), weights: flatWeights(name, w, shape) }
  const { labels, weights } = labelledCases(name, classOf(target, prediction), w, options)
  const scores = from === 'logits' ? softmax(asFloat(rows), -1) : asFloat(rows)
  const classes = extentAt(rows.shape, -1)
  // The table is what refuses a label that is no class.
  return { scores, yes: classTable(classes).gather(labels), weights }
}

/** bool[classes, classes]: yes for each class at its own place. */
const classTable = (classes: number): Tensor => oneHot(arange(0, classes, { dtype: 'int32' }), classes).cast('bool')

/** How much of yes and of no is in each bin of each column, [columns, bins], and one bin more for NaN. */
function binsOf({ scores, yes, weights }: Scores, thresholds: number): MetricParts {
  const columns = extentAt(scores.shape, 1)
  const bins = thresholds + 1
  const bin = scores
    .isNaN()
    .where(
      thresholds,
      scores
        .clamp(0, 1)
        .mul(thresholds - 1)
        .floor(),
    )
    .cast('int32')
  const places = bin.add(arange(0, columns, { dtype: 'int32' }).mul(bins))
  const count = (of: Tensor) => {
    const added = weighed(of.cast('int32'), weights)
    return bincount(places, columns * bins, { weights: added })
  }
  return { sums: { yes: count(yes), no: count(yes.logicalNot()) } }
}

function areasOfBins(curve: Curve, { sums }: MetricTotals, thresholds: number, isMicro: boolean): Area[] {
  const bins = thresholds + 1
  const [yes, no] = [valuesOf(sums, 'yes'), valuesOf(sums, 'no')]
  const columns = yes.length / bins
  const column = (counts: Float64Array, j: number) => counts.subarray(j * bins, (j + 1) * bins)
  const added = (counts: Float64Array) =>
    Float64Array.from({ length: bins }, (_, i) =>
      Array.from({ length: columns }, (_, j) => elementAt(counts, j * bins + i)).reduce((sum, x) => sum + x, 0),
    )
  if (isMicro) return [areaOfBins(curve, added(yes), added(no))]
  return Array.from({ length: columns }, (_, j) => areaOfBins(curve, column(yes, j), column(no, j)))
}

async function areasOfRows(curve: Curve, { rows }: MetricTotals, isMicro: boolean): Promise<Area[]> {
  const { shape, values } = valuesOf(rows, 'scores')
  const yes = valuesOf(rows, 'yes').values
  const weights = Object.hasOwn(rows, 'weights') ? rows.weights?.values : undefined
  const columns = elementAt(shape, 1)
  // The scores that have an area in common stand in one row, where the program can sort them.
  const table = isMicro ? tensor(values, { shape: [1, values.length] }) : tensor(values, { shape }).transpose()
  const [scores, order] = await Promise.all([table.data(), argsort(table, { descending: true }).data()])
  const [lists, count] = [extentAt(table.shape, 0), extentAt(table.shape, 1)]
  const areas: Area[] = []
  for (let j = 0; j < lists; j++) {
    const placeOf = (i: number): number => (isMicro ? i : i * columns + j)
    const scored: Scored = {
      scores: scores.subarray(j * count, (j + 1) * count),
      yes: (i) => yes[placeOf(i)] !== 0,
      weight: (i) => weights?.[Math.floor(placeOf(i) / columns)] ?? 1,
    }
    areas.push(await inTurns(areaOfSorted(curve, order.subarray(j * count, (j + 1) * count), scored)))
  }
  return areas
}

function averaged(areas: readonly Area[], average: string): ClassScores {
  const [only] = areas
  if (areas.length === 1 && only !== undefined) return only.value
  const values = areas.map(({ value }) => value)
  if (average === 'none') return values
  const shares = areas.map(({ yes }) => (average === 'weighted' ? yes : 1))
  const total = shares.reduce((sum, x) => sum + x, 0)
  return values.reduce((sum, x, i) => sum + x * elementAt(shares, i), 0) / total
}

function areaMetric(
  op: string,
  curve: Curve,
  options: CurveOptions | undefined,
  surplus: readonly unknown[],
): StreamingMetric<Tensor, Tensor, ClassScores> {
  const given = checkOptions(op, options, curveOptions, surplus)
  const { name = op, thresholds, average = 'macro' } = given
  if (thresholds !== undefined) checkInteger(op, 'an integer of thresholds from 2 to 2²⁰', thresholds, 2, 2 ** 20)
  checkTask(op, given)
  return new StreamingMetric<Tensor, Tensor, ClassScores>({
    name,
    batch(x, y, w): MetricParts {
      const found = scoresOf(name, x, y, w, given)
      if (thresholds !== undefined) return binsOf(found, thresholds)
      const { scores, yes, weights } = found
      return { rows: { scores, yes, ...(weights === undefined ? {} : { weights: asFloat(weights) }) } }
    },
    async compute(totals) {
      const isMicro = average === 'micro'
      const areas =
        thresholds === undefined
          ? await areasOfRows(curve, totals, isMicro)
          : areasOfBins(curve, totals, thresholds, isMicro)
      return averaged(areas, average)
    },
  })
}

/**
 * The area under the ROC curve, of true positives over false ones: how often a yes has a greater score than a no, where ties are half right; scikit-learn's
 * roc_auc_score, with classes each against the others (`multi_class='ovr'`). Predictions are scores of yes for labels of their shape, or of several classes;
 * of two classes it is that of either. NaN of a class that never occurs or always does, and of scores that are NaN. Keras: AUC.
 *
 * @throws ShapeError, DTypeError (from update or batch) for labels that do not fit; RangeError when evaluated, for a label that is no class
 *
 * @example
 * const auc = metrics.streaming.rocAuc()                     // exact, keeps 5 bytes for each case
 * const binned = metrics.streaming.rocAuc({ thresholds: 200 }) // counts alone
 */
export const rocAuc = (options?: CurveOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  areaMetric('rocAuc', 'roc', options, surplus)

/**
 * The average precision, Σ (recall − recall before)·precision as the threshold falls from score to score; scikit-learn's average_precision_score, Keras's
 * AUC(curve='PR') but for its interpolation. 0 of a class that never occurs, NaN of scores that are NaN. See `rocAuc`.
 */
export const prAuc = (options?: CurveOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  areaMetric('prAuc', 'precisionRecall', options, surplus)
