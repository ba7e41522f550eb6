/** How well classes are told: of counts of what was found, what there is, and what is right of it, as scikit-learn defines them. */
import { checkInteger, checkNumber } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { elementAt, zipWith } from '../../base/lists.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { extentAt } from '../../base/shape.ts'
import { bincount } from '../../operations/histogram.ts'
import { takeAlongAxis } from '../../operations/indexing.ts'
import { expandDims } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { StreamingMetric } from '../streaming.ts'
import type { MetricTotals } from '../totals.ts'
import {
  checkDecisions,
  checkTask,
  classOf,
  type DecisionOptions,
  type Decisions,
  decisionOptions,
  decisionsOf,
  givenOf,
  labelledCases,
  rowsOf,
  type ScoreOptions,
  scoreOptions,
} from './cases.ts'
import { scalarOf, valuesOf, weighed } from './common.ts'

/** How often each class occurs, each case as often as its weight says. A class outside [0, classes) is a RangeError when evaluated. */
const countOf = (labels: Tensor, classes: number, weights: Tensor | undefined): Tensor =>
  bincount(labels, classes, weights === undefined ? {} : { weights })

interface Right {
  readonly right: Tensor
  readonly cases: Tensor
}

/** The counts of the labels are what finds one that is no class. */
const rightOf = (right: Tensor, labels: Tensor, classes: number, weights: Tensor | undefined): Right => ({
  right: weighed(right.cast('int32'), weights).sum(),
  cases: countOf(labels, classes, weights).sum(),
})

const shareRight = (totals: MetricTotals): number => scalarOf(totals, 'right') / scalarOf(totals, 'cases')

/**
 * The fraction of cases whose class was found, or of elements where yes or no is right; scikit-learn's accuracy_score, Keras's
 * SparseCategoricalAccuracy, CategoricalAccuracy and BinaryAccuracy. Labels of the shape of the predictions are one-hot rows here, as for `metrics.accuracy`, unless
 * the task is said. Of multilabel all labels of a case have to be right.
 *
 * @throws ShapeError, DTypeError (from update or batch) for labels that do not fit; RangeError when evaluated, for a label that is no class
 */
export function accuracy(options?: DecisionOptions, ...surplus: []): StreamingMetric {
  const given = checkOptions('accuracy', options, decisionOptions, surplus)
  const { name = 'accuracy' } = given
  checkDecisions('accuracy', given)
  return new StreamingMetric({
    name,
    batch(x, y, w) {
      const { task, found, actual, weights, classes } = decisionsOf(name, x, y, w, given, 'multiclass')
      if (task !== 'multilabel') return { sums: { ...rightOf(found.equal(actual), actual, classes, weights) } }
      const right = found.equal(actual).all(-1)
      return { sums: { ...rightOf(right, right.cast('int32').mul(0), 1, weights) } }
    },
    compute: shareRight,
  })
}

export interface TopKAccuracyOptions extends ScoreOptions {
  /** 5 unless given. */
  k?: number
}

const topKOptions: OptionTypes<TopKAccuracyOptions> = { ...scoreOptions, k: 'number' }

/**
 * The fraction of cases where fewer than k scores are above that of the label, so that ties count as right; scikit-learn's
 * top_k_accuracy_score, Keras's SparseTopKCategoricalAccuracy.
 *
 * @throws as `accuracy`; RangeError for a k that is no positive integer
 */
export function topKAccuracy(options?: TopKAccuracyOptions, ...surplus: []): StreamingMetric {
  const given = checkOptions('topKAccuracy', options, topKOptions, surplus)
  const { name = 'topKAccuracy', k = 5 } = given
  checkInteger('topKAccuracy', 'a positive integer k', k, 1)
  checkTask('topKAccuracy', given)
  return new StreamingMetric({
    name,
    batch(x, y, w) {
      const { prediction, target } = givenOf(name, x, y, { ...given, task: 'multiclass' })
      const count = extentAt(prediction.shape, -1)
      const { labels, weights } = labelledCases(name, classOf(target, prediction), w, given)
      const scores = rowsOf(prediction)
      const ofLabel = takeAlongAxis(scores, expandDims(labels, -1), -1)
      const right = scores.greater(ofLabel).sum(-1).less(k)
      return { sums: { ...rightOf(right, labels, count, weights) } }
    },
    compute: shareRight,
  })
}

/** Of each class (of yes alone, where the answer is yes or no) or of each label: what was found, what there is, and what is right. */
function classCounts({ task, found, actual, weights, classes }: Decisions) {
  if (task === 'multilabel') {
    const count = (x: Tensor) => weighed(x.cast('int32'), weights).sum(0)
    return { right: count(found.logicalAnd(actual)), found: count(found), actual: count(actual) }
  }
  const hits = found.equal(actual)
  const right = hits.cast(weights?.dtype ?? 'int32').mul(weights ?? 1)
  const counts = {
    right: bincount(actual, classes, { weights: right }),
    found: countOf(found, classes, weights),
    actual: countOf(actual, classes, weights),
  }
  if (task === 'multiclass') return counts
  const yes = (x: Tensor) => x.slice(1, 2)
  return { right: yes(counts.right), found: yes(counts.found), actual: yes(counts.actual) }
}

interface ClassCount {
  readonly right: number
  readonly found: number
  readonly actual: number
}

/** A number, or one for each class. */
export type ClassScores = number | number[]

export interface AverageOptions extends DecisionOptions {
  /**
   * How the values of several classes or labels become one, as scikit-learn has it: `'macro'` unless given, the mean over those that
   * occur among labels or predictions; `'weighted'`, the mean weighted by how often each occurs; `'micro'`, the value of all
   * counts together; `'none'`, the list. Of yes or no it is always the value of yes.
   */
  average?: 'macro' | 'micro' | 'weighted' | 'none'
}

const averageOptions: OptionTypes<AverageOptions> = {
  ...decisionOptions,
  average: ['macro', 'micro', 'weighted', 'none'],
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0)

function averaged(counts: ClassCount[], score: (count: ClassCount) => number, average: string): ClassScores {
  const [only] = counts
  if (counts.length === 1 && only !== undefined) return score(only)
  const values = counts.map(score)
  if (average === 'none') return values
  if (average === 'micro')
    return score({
      right: sumOf(counts.map(({ right }) => right)),
      found: sumOf(counts.map(({ found }) => found)),
      actual: sumOf(counts.map(({ actual }) => actual)),
    })
  const shares = counts.map(({ found, actual }) => (average === 'weighted' ? actual : Number(found + actual > 0)))
  const total = sumOf(shares)
  return total === 0 && average === 'weighted' ? 0 : sumOf(zipWith(values, shares, (x, share) => x * share)) / total
}

function averagedMetric(
  op: string,
  options: AverageOptions | undefined,
  surplus: readonly unknown[],
  score: (count: ClassCount) => number,
): StreamingMetric<Tensor, Tensor, ClassScores> {
  const given = checkOptions(op, options, averageOptions, surplus)
  const { name = op, average = 'macro' } = given
  checkDecisions(op, given)
  return new StreamingMetric<Tensor, Tensor, ClassScores>({
    name,
    batch: (x, y, w) => ({ sums: classCounts(decisionsOf(name, x, y, w, given)) }),
    compute({ sums }) {
      const [right, found, actual] = (['right', 'found', 'actual'] as const).map((part) => valuesOf(sums, part))
      const counts = Array.from(right!, (x, i) => ({
        right: x,
        found: elementAt(found!, i),
        actual: elementAt(actual!, i),
      }))
      return averaged(counts, score, average)
    },
  })
}

/** 0 where there is nothing to divide by, as scikit-learn's zero_division has it. */
const ratio = (x: number, of: number): number => (of === 0 ? 0 : x / of)

/**
 * The fraction of what was found that is right; scikit-learn's precision_score. 0 where nothing was found. Labels of the shape of the predictions are yes or no each,
 * unless the task is said.
 * @throws as `accuracy`
 */
export const precision = (options?: AverageOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  averagedMetric('precision', options, surplus, ({ right, found }) => ratio(right, found))

/** The fraction of what there is that was found; scikit-learn's recall_score. 0 where there is none. See `precision`. */
export const recall = (options?: AverageOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  averagedMetric('recall', options, surplus, ({ right, actual }) => ratio(right, actual))

const fScore =
  (beta: number) =>
  ({ right, found, actual }: ClassCount): number =>
    ratio((1 + beta ** 2) * right, beta ** 2 * actual + found)

/** The harmonic mean of precision and recall; scikit-learn's f1_score. 0 where there is neither. See `precision`. */
export const f1 = (options?: AverageOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  averagedMetric('f1', options, surplus, fScore(1))

export interface FBetaOptions extends AverageOptions {
  /** How many times as much recall counts as precision; 1 unless given. */
  beta?: number
}

/** The harmonic mean of precision and β² times recall; scikit-learn's fbeta_score. See `precision`. */
export function fBeta(options?: FBetaOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> {
  const given = checkOptions<FBetaOptions>('fBeta', options, { ...averageOptions, beta: 'number' }, surplus)
  const { beta = 1, ...rest } = given
  checkNumber('fBeta', 'a finite beta of at least 0', beta, (x) => Number.isFinite(x) && x >= 0)
  return averagedMetric('fBeta', rest, [], fScore(beta))
}

/**
 * Intersection over union, right / (found + actual − right), of each class or label; scikit-learn's jaccard_score, Keras's MeanIoU. For
 * segmented images [n, classes, height, width] `axis: 1`. See `precision`.
 */
export const iou = (options?: AverageOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  averagedMetric('iou', options, surplus, ({ right, found, actual }) => ratio(right, found + actual - right))

/** Dice's coefficient, 2·right / (found + actual): the name that `f1` has for segmented images. See `iou`. */
export const dice = (options?: AverageOptions, ...surplus: []): StreamingMetric<Tensor, Tensor, ClassScores> =>
  averagedMetric('dice', options, surplus, fScore(1))

export interface BalancedAccuracyOptions extends DecisionOptions {
  /** Whether chance is 0, and not 1 / classes; false unless given. */
  adjusted?: boolean
}

const balancedOptions: OptionTypes<BalancedAccuracyOptions> = { ...decisionOptions, adjusted: 'boolean' }

/** The metrics that take yes and no as two classes have no labels one by one. */
function refuseMultilabel(op: string, task: string | undefined): void {
  if (task === 'multilabel')
    throw new RangeError(expected(op, "task 'binary' or 'multiclass'", "'multilabel': take a metric for each label"))
}

/** The mean recall of the classes that occur among the labels, no and yes being two; scikit-learn's balanced_accuracy_score. */
export function balancedAccuracy(options?: BalancedAccuracyOptions, ...surplus: []): StreamingMetric {
  const op = 'balancedAccuracy'
  const given = checkOptions(op, options, balancedOptions, surplus)
  const { name = op, adjusted = false } = given
  checkDecisions(op, given)
  refuseMultilabel(op, given.task)
  return new StreamingMetric({
    name,
    batch: (x, y, w) => ({
      sums: classCounts({ ...decisionsOf(name, x, y, w, given), task: 'multiclass' }),
    }),
    compute({ sums }) {
      const right = valuesOf(sums, 'right')
      const recalls = Array.from(valuesOf(sums, 'actual'), (actual, i) => elementAt(right, i) / actual).filter(
        (_, i) => elementAt(valuesOf(sums, 'actual'), i) > 0,
      )
      const score = sumOf(recalls) / recalls.length
      const chance = 1 / recalls.length
      return adjusted ? (score - chance) / (1 - chance) : score
    },
  })
}

export interface ConfusionMatrixOptions extends DecisionOptions {
  /** What adds up to 1: the cases of each label (`'true'`), of each prediction (`'pred'`), or all. Counts unless given. */
  normalize?: 'true' | 'pred' | 'all'
}

const confusionOptions: OptionTypes<ConfusionMatrixOptions> = { ...decisionOptions, normalize: ['true', 'pred', 'all'] }

/**
 * How many cases of each class (rows) were found to be of each class (columns), as nested lists, no and yes being two;
 * scikit-learn's confusion_matrix. Labels of the shape of the predictions[…, classes] are one-hot rows, unless the task is said.
 */
export function confusionMatrix(
  options?: ConfusionMatrixOptions,
  ...surplus: []
): StreamingMetric<Tensor, Tensor, number[][]> {
  const op = 'confusionMatrix'
  const given = checkOptions(op, options, confusionOptions, surplus)
  const { name = op, normalize } = given
  checkDecisions(op, given)
  refuseMultilabel(op, given.task)
  return new StreamingMetric<Tensor, Tensor, number[][]>({
    name,
    batch(x, y, w) {
      const { found, actual, weights, classes } = decisionsOf(name, x, y, w, given, 'multiclass')
      // A class that there is not must not count in another row.
      const isClass = (x: Tensor) => x.greaterEqual(0).logicalAnd(x.less(classes))
      const cells = isClass(found)
        .logicalAnd(isClass(actual))
        .where(actual.mul(classes).add(found), classes ** 2)
      return { sums: { cells: countOf(cells, classes ** 2, weights) } }
    },
    compute: ({ sums }) => normalized(squareOf(valuesOf(sums, 'cells')), normalize),
  })
}

function squareOf(cells: Float64Array): number[][] {
  const size = Math.round(Math.sqrt(cells.length))
  return Array.from({ length: size }, (_, i) => [...cells.subarray(i * size, (i + 1) * size)])
}

function normalized(matrix: number[][], by: ConfusionMatrixOptions['normalize']): number[][] {
  if (by === undefined) return matrix
  const all = sumOf(matrix.flat())
  const columns = matrix.map((_, j) => sumOf(matrix.map((row) => elementAt(row, j))))
  return matrix.map((row) => {
    const ofRow = sumOf(row)
    return row.map((x, j) => ratio(x, by === 'all' ? all : by === 'true' ? ofRow : elementAt(columns, j)))
  })
}
