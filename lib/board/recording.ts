/** What records a training without a page, and reads the records again. */
import { basename, resolve } from 'node:path'
import { checkFunction, checkText, refuseSurplus } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { jsonLinesSink } from '../events/json-lines.ts'
import { type ObserveOptions, observeOptions, observe as observing } from '../events/observe.ts'
import type { RecordSink, RunRecord } from '../events/record.ts'
import { type DamagedLine, RecordReader } from '../events/record-reader.ts'
import { checkPath } from '../files/file-error.ts'
import type { Callbacks } from '../train/callbacks/callback.ts'

/**
 * Callbacks for `fit` and `train` that record a training as JSON lines, for the page of runs and for programs of yours: `events.jsonl` in the folder
 * of the run. Where it is there already, what is recorded comes after it.
 *
 * @param folder of the run, whose name is that of the run unless another is given
 * @throws TypeError, RangeError for a folder or options; the training rejects with what the file system says
 *
 * @example
 * callbacks: [recordRun('runs/first', { hyperparameters: { width: 128 } })]
 */
export function recordRun(folder: string, options?: ObserveOptions, ...surplus: []): Callbacks {
  const sink = jsonLinesSink('recordRun', folder)
  const given = checkOptions('recordRun', options, observeOptions, surplus)
  return observing(sink, { name: basename(resolve(folder)), ...given })
}

/**
 * A sink for `observe` that adds records to `events.jsonl` in a folder, which is made where it is not there, a line of JSON for each. Lines are
 * written about every second and at the end; what the file system refuses is thrown at the next record or at the end.
 *
 * @throws TypeError, RangeError for a folder that is no path
 *
 * @example
 * callbacks: [observe([jsonLines('runs/first'), mySink], { every: 'step' })]
 */
export function jsonLines(folder: string, ...surplus: []): RecordSink {
  refuseSurplus('jsonLines', 1, surplus)
  return jsonLinesSink('jsonLines', folder)
}

/**
 * Callbacks for `fit` and `train` that make records of what happens, for sinks of yours. They change nothing of the training: it ends with the
 * same bits with and without them.
 *
 * @param sinks one or several, each of which is given every record, in the order in which things happen; they are closed when the training ends
 * @throws TypeError, RangeError for sinks or options; the training rejects with what a sink throws
 *
 * @example
 * const log = { write: (record) => console.log(record.type), flush: async () => {}, close: async () => {} }
 * await fit(model, dataset, { loss: 'mse', optimizer, callbacks: [observe(log, { histograms: 'epoch' })] })
 */
export function observe(
  sinks: RecordSink | readonly RecordSink[],
  options?: ObserveOptions,
  ...surplus: []
): Callbacks {
  return observing(sinks, options, ...surplus)
}

export interface ReadRecordsOptions {
  /** Is told of lines that are no records, which are passed over. */
  onDamaged?: (line: DamagedLine) => void
}

const readRecordsOptions: OptionTypes<ReadRecordsOptions> = { onDamaged: 'function' }

/**
 * The records in a file of JSON lines, as far as it is written by then, each checked to be what its type says.
 * @throws TypeError, RangeError for a path or options; while it is read, an Error with the `code` of the file system
 *
 * @example
 * for await (const record of readRecords('runs/first/events.jsonl'))
 *   if (record.type === 'scalars') console.log(record.step, record.values)
 */
export function readRecords(
  path: string,
  options?: ReadRecordsOptions,
  ...surplus: []
): AsyncGenerator<RunRecord, void, void> {
  const { onDamaged } = checkOptions('readRecords', options, readRecordsOptions, surplus)
  if (onDamaged !== undefined) checkFunction('readRecords', 'onDamaged to be a function', onDamaged)
  return recordsIn(checkPath('readRecords', checkText('readRecords', 'a path', path)), onDamaged)
}

async function* recordsIn(
  path: string,
  onDamaged: ReadRecordsOptions['onDamaged'],
): AsyncGenerator<RunRecord, void, void> {
  const reader = new RecordReader(path, { mustExist: true })
  for (let isAtEnd = false; !isAtEnd; ) {
    const found = await reader.read()
    for (const line of found.damaged) onDamaged?.(line)
    yield* found.records
    isAtEnd = found.isAtEnd
  }
}
