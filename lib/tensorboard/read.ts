/** Event files as a stream of events. */
import { types } from 'node:util'
import { checkInteger, checkText, describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { openSource, type PathOrBytes } from '../files/source.ts'
import { eventIn } from './decode.ts'
import type { TensorBoardEvent } from './event.ts'
import { framesIn } from './wire/frames.ts'

export interface ReadEventsOptions {
  /** The byte of the file to begin at, where a record starts: the `end` of the last event of an earlier call; 0 unless given. */
  from?: number
  /** The most bytes of one event; 64 MiB unless given. */
  maxEventBytes?: number
  /** The plugin of each tag so far, which the call adds to: the same map for all calls that go on with a file. A new one unless given. */
  plugins?: Map<string, string>
}

const readEventsOptions: OptionTypes<ReadEventsOptions> = { from: 'number', maxEventBytes: 'number', plugins: 'other' }

const op = 'readEvents'

/**
 * The events of a file of TensorBoard's (`events.out.tfevents.…`), or of its bytes: of files that TensorFlow, PyTorch and others wrote, too. A record at
 * the end that is not there whole is one that is being written: reading ends before it, and goes on from there with `from`.
 *
 * @throws (while it is read) DataFormatError with the place for what is damaged or no event; RangeError for a `from` that is behind the end; Error with
 * the `code` of the file system
 *
 * @example
 * for await (const { step, values } of readEvents('runs/1/events.out.tfevents.1767225600.host.1.0'))
 *   for (const { tag, kind, ...rest } of values) console.log(step, tag, kind, rest)
 */
export function readEvents(
  from: PathOrBytes,
  options?: ReadEventsOptions,
  ...surplus: unknown[]
): AsyncGenerator<TensorBoardEvent, void> {
  const checked = checkOptions(op, options, readEventsOptions, surplus)
  const { from: start = 0, maxEventBytes = 2 ** 26, plugins = new Map() } = checked
  checkInteger(op, 'a from that is a natural number', start, 0)
  checkInteger(op, 'a positive integer maxEventBytes', maxEventBytes, 1)
  if (!(plugins instanceof Map)) throw new TypeError(expected(op, 'a Map of plugins', plugins))
  if (!types.isUint8Array(from) && typeof from !== 'string')
    throw new TypeError(expected(op, 'a path or a Uint8Array', describe(from)))
  return events(from, start, maxEventBytes, plugins)
}

async function* events(from: PathOrBytes, start: number, most: number, plugins: Map<string, string>) {
  const source = await openSource(op, from)
  try {
    if (start > source.size)
      throw new RangeError(expected(op, `a from of at most the ${source.size} bytes of ${source.name}`, start))
    for await (const frame of framesIn(op, source, start, most)) yield eventIn(op, frame, plugins, source.name)
  } finally {
    await source.close()
  }
}

/**
 * Whether a file is one of TensorBoard's event files by its name, or path.
 * @throws TypeError for what is no text
 */
export function isEventFile(path: string, ...surplus: unknown[]): boolean {
  refuseSurplus('isEventFile', 1, surplus)
  return /(^|[/\\])[^/\\]*tfevents[^/\\]*$/.test(checkText('isEventFile', 'a path', path))
}
