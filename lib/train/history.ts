/** What a training gives: its epochs, as data and as a table. */
import { refuseSurplus } from '../base/arguments.ts'
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
}

/** The numbers in an epoch by the path that leads to them: `validation.loss`. */
export function columnsOf(info: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const columns = Object.entries(info).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, value]]
    return Object.entries(columnsOf(value as Record<string, unknown>)).map(([key, x]) => [`${name}.${key}`, x])
  })
  return Object.fromEntries(columns)
}

/** Quoted where it has to be (RFC 4180). */
export function csvCell(value: unknown): string {
  const text = value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
