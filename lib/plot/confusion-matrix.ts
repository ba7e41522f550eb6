/** Which classes are taken for which. */
import { checkList, checkText } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { oneLine } from '../base/terminal.ts'
import { type TensorLike, toTensor } from '../tensor/tensor.ts'
import { panelOf } from './chart.ts'
import { Plot } from './plot.ts'
import { shortText } from './scale.ts'

export interface ConfusionMatrixPlotOptions {
  /** Of the classes; their numbers unless given. */
  labels?: readonly string[]
  /** The share of rows that are on the diagonal, unless given. */
  title?: string
}

const confusionMatrixPlotOptions: OptionTypes<ConfusionMatrixPlotOptions> = { labels: 'other', title: 'string' }

const mostClasses = 500

/**
 * Counts of rows by their class and the one that was predicted, shaded by their share of the class.
 * @param counts [classes, classes], of the label's class and then the predicted one, as `metrics.confusionMatrix` gives them
 * @throws (rejects with) ShapeError for what is no such matrix; RangeError for other counts than finite ones from 0, as many labels as classes, or more than
 * 500 classes
 *
 * @example
 * const counts = metrics.confusionMatrix(logits, labels)
 * console.log(await plot.confusionMatrix(counts, { labels: ['cat', 'dog', 'bird'] }))
 */
export async function confusionMatrix(
  counts: TensorLike,
  options?: ConfusionMatrixPlotOptions,
  ...surplus: []
): Promise<Plot> {
  const { labels, title } = checkOptions('confusionMatrix', options, confusionMatrixPlotOptions, surplus)
  const t = toTensor('confusionMatrix', counts)
  const [classes, columns] = t.shape
  if (t.ndim !== 2 || classes !== columns || classes === 0)
    throw new ShapeError(expected('confusionMatrix', 'counts as [classes, classes]', t))
  if (classes! > mostClasses)
    throw new RangeError(expected('confusionMatrix', `at most ${mostClasses} classes`, classes))
  const names = labels ?? Array.from({ length: classes! }, (_, i) => String(i))
  const checked = checkList('confusionMatrix', 'a list of labels', names)
  if (checked.length !== classes)
    throw new RangeError(expected('confusionMatrix', `${classes} labels`, String(checked.length)))
  const rows = rowsOf(await t.data(), classes)
  return new Plot([
    {
      kind: 'matrix',
      ...panelOf({ title: title ?? shareText(rows) }, '', 'predicted', 'actual'),
      labels: checked.map((label) => oneLine(checkText('confusionMatrix', 'labels that are texts', label))),
      counts: rows,
    },
  ])
}

function rowsOf(values: ArrayLike<number>, classes: number): number[][] {
  const all = Array.from(values)
  const wrong = all.find((count) => !Number.isFinite(count) || count < 0)
  if (wrong !== undefined) throw new RangeError(expected('confusionMatrix', 'finite counts from 0', wrong))
  return Array.from({ length: classes }, (_, i) => all.slice(i * classes, (i + 1) * classes))
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** `950 of 1000 right (95.0%)`. */
function shareText(rows: readonly (readonly number[])[]): string {
  const [right, all] = [sumOf(rows.map((row, i) => row[i]!)), sumOf(rows.flat())]
  return all === 0 ? '' : `${shortText(right)} of ${shortText(all)} right (${((100 * right) / all).toFixed(1)}%)`
}
