/** What those that write event files may be told. */
import { checkNumber } from '../base/arguments.ts'
import type { OptionTypes } from '../base/options.ts'

export interface SummaryWriterOptions {
  /** How long events wait at most until they are written, from 0; 2 unless given. */
  flushSeconds?: number
  /** The length of a file at which a new one begins; Infinity unless given. */
  maxBytes?: number
}

export const summaryWriterOptions: OptionTypes<SummaryWriterOptions> = { flushSeconds: 'number', maxBytes: 'number' }

/** @throws RangeError */
export function checkWriterOptions(op: string, options: SummaryWriterOptions): Required<SummaryWriterOptions> {
  const { flushSeconds = 2, maxBytes = Infinity } = options
  checkNumber(op, 'flushSeconds from 0 to 86400', flushSeconds, (x) => x >= 0 && x <= 86400)
  checkNumber(op, 'maxBytes of at least 1', maxBytes, (x) => x >= 1)
  return { flushSeconds, maxBytes }
}
