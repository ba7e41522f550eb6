/** What a training gives: its epochs, as data and as a table. */
import { refuseSurplus } from '../base/arguments.ts'
import { columnsOf } from '../base/columns.ts'
import { type HistoryPlotOptions, history } from '../plot/history.ts'
import type { Plot } from '../plot/plot.ts'
import type { EpochInfo } from './events.ts'

/** The epochs of a training (Keras's History). */
export class History {
  readonly epochs: EpochInfo[]

  /** @internal */
  constructor(epochs: readonly EpochInfo[] = []) {
    this.epochs = [...epochs]
  }

  /**
   * A line for each epoch under a line of names: `epoch,loss,seconds,validation.loss`. What an epoch lacks is empty, and numbers
   * are written so that they are read back as they were.
   */
  toCSV(...surplus: []): string {
    refuseSurplus('toCSV', 0, surplus)
    const rows = this.epochs.map(columnsOf)
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    const lines = [names, ...rows.map((row) => names.map((name) => row[name]))]
    return lines.map((cells) => `${cells.map(csvCell).join(',')}\n`).join('')
  }

  /**
   * The loss and each metric by epoch, of training and of the validation set: `console.log(history.plot())`, `await history.plot().save('history.svg')`.
   * @throws RangeError for a history without epochs, or scores that it has not
   */
  plot(options?: HistoryPlotOptions, ...surplus: []): Plot {
    return history(this, options, ...surplus)
  }
}

/** Quoted where it has to be (RFC 4180). */
export function csvCell(value: unknown): string {
  const text = value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
