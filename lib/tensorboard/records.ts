/** Events as the records of a run, of which the page is made. */
import { describe, refuseSurplus } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import type { ImageValue, RecordPlace, RunRecord } from '../events/record.ts'
import type { EncodedImage, SummaryValue, TensorBoardEvent } from './event.ts'

/**
 * What an event says as records, as `fit` gives them; scalars of one event are one record, and images that are no PNG are left out.
 *
 * @example
 * for await (const event of readEvents(path)) for (const record of recordsOf(event)) console.log(record)
 */
export function recordsOf(event: TensorBoardEvent, ...surplus: unknown[]): RunRecord[] {
  refuseSurplus('recordsOf', 1, surplus)
  const { step, time, graph, values } = checkEvent(event)
  const place = { step, time }
  const scalars = values.flatMap((value) => (value.kind === 'scalar' ? [[value.tag, value.value] as const] : []))
  return [
    ...(graph === undefined ? [] : [{ type: 'graph', nodes: graph } as const]),
    ...(scalars.length === 0 ? [] : [{ type: 'scalars', ...place, values: Object.fromEntries(scalars) } as const]),
    ...values.flatMap((value) => recordOf(value, place) ?? []),
  ]
}

function checkEvent(event: TensorBoardEvent): TensorBoardEvent {
  if (typeof event === 'object' && event !== null && Array.isArray(event.values)) return event
  throw new TypeError(expected('recordsOf', 'an event that readEvents gives', describe(event)))
}

function recordOf(value: SummaryValue, place: RecordPlace): RunRecord | undefined {
  const { tag } = value
  switch (value.kind) {
    case 'histogram':
      return { type: 'histogram', ...place, tag, value: value.value }
    case 'images': {
      const images = value.images.flatMap((image) => pngImage(image) ?? [])
      return images.length === 0 ? undefined : { type: 'images', ...place, tag, images }
    }
    case 'text':
      return { type: 'text', ...place, tag, text: value.texts.join('\n') }
    case 'prCurve':
      return { type: 'prCurve', ...place, tag, value: value.value }
    case 'hyperparameters':
      return { type: 'hyperparameters', values: value.values }
    case 'end':
      return { type: 'end', time: place.time, state: value.state }
    default:
      return undefined
  }
}

/** By the number of the kind of color in the header of a PNG. */
const channels: Readonly<Record<number, ImageValue['channels']>> = { 0: 1, 2: 3, 3: 3, 4: 4, 6: 4 }
const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** The size stands in the file, whatever is said beside it. */
function pngImage({ bytes }: EncodedImage): ImageValue | undefined {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (png.length < 33 || !png.subarray(0, 8).equals(signature)) return undefined
  const color = channels[png[25]!]
  if (color === undefined) return undefined
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), channels: color, png: png.toString('base64') }
}
