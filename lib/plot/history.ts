/** How a training went. */
import { checkList, checkText, describe } from '../base/arguments.ts'
import { columnsOf } from '../base/columns.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkDrawable, type LinesPanel, panelOf, seriesOf } from './chart.ts'
import { Plot } from './plot.ts'

export interface HistoryPlotOptions {
  /** Which scores, such as `['loss', 'accuracy']`; all that are numbers unless given. */
  scores?: readonly string[]
  /** Whether the axis of scores is logarithmic; false unless given. */
  yLog?: boolean
}

export const historyPlotOptions: OptionTypes<HistoryPlotOptions> = { scores: 'other', yLog: 'boolean' }

/** What `fit` gives, or what was kept of it. */
export interface HistoryLike {
  readonly epochs: readonly object[]
}

type Row = Readonly<Record<string, unknown>>

const noScores = ['epoch', 'seconds', 'waiting']
const ofValidation = 'validation.'

/**
 * The loss and each metric by epoch, of training and of the validation set.
 * @throws RangeError for a history without epochs, or scores that it has not; TypeError for what is no history
 *
 * @example
 * console.log(plot.history(await fit(model, dataset, options)))
 */
export function history(history: HistoryLike, options?: HistoryPlotOptions, ...surplus: []): Plot {
  const { scores, yLog = false } = checkOptions('history', options, historyPlotOptions, surplus)
  const rows = rowsOf(history)
  const known = [...new Set(rows.flatMap(scoresIn))]
  const wanted = scores === undefined ? known : checkList('history', 'a list of names of scores', scores)
  for (const name of wanted)
    if (!known.includes(checkText('history', 'a name of a score', name)))
      throw new RangeError(expected('history', `a score of ${known.join(', ')}`, JSON.stringify(name)))
  if (wanted.length === 0) throw new RangeError(expected('history', 'epochs with at least one score', 'none'))
  return new Plot(wanted.map((name) => panelOfScore(name, rows, yLog)))
}

function rowsOf(history: HistoryLike): Row[] {
  const epochs: unknown = history?.epochs
  if (!Array.isArray(epochs)) throw new TypeError(expected('history', 'a history', describe(history)))
  if (epochs.length === 0) throw new RangeError(expected('history', 'a history of at least one epoch', 'none'))
  for (const info of epochs)
    if (typeof info !== 'object' || info === null)
      throw new TypeError(expected('history', 'epochs that are objects', describe(info)))
  return epochs.map((info: Row) => columnsOf(info))
}

/** The names of what is a number, those of the validation set without saying so. */
const scoresIn = (row: Row): string[] =>
  Object.entries(row)
    .filter(([name, value]) => typeof value === 'number' && !noScores.includes(name))
    .map(([name]) => (name.startsWith(ofValidation) ? name.slice(ofValidation.length) : name))

function panelOfScore(score: string, rows: readonly Row[], yLog: boolean): LinesPanel {
  const series = Object.entries({ training: score, validation: ofValidation + score }).flatMap(([name, column]) => {
    // Validation may not be scored after each epoch: its line goes from one score to the next.
    const points = rows
      .map((row, i) => ({ x: epochOf(row, i), y: row[column] }))
      .filter(({ y }) => typeof y === 'number')
    const [x, y] = [points.map((point) => point.x), points.map((point) => point.y as number)]
    return points.length === 0 ? [] : [seriesOf('history', name, { x, y })]
  })
  const { x, ...panel } = panelOf({ yLog }, score, 'epoch', '')
  return checkDrawable('history', { kind: 'lines', ...panel, x: { ...x, isWhole: true }, series })
}

/** From 1, as people count. */
const epochOf = ({ epoch }: Row, i: number): number => (typeof epoch === 'number' ? epoch : i) + 1
