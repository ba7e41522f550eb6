/** The records of a run as event files: what `fit` records, under the tags that TensorBoard shows them by. */
import { checkOptions } from '../base/options.ts'
import type { ExampleValue, ImageValue, RecordSink, RunRecord, RunRecords } from '../events/record.ts'
import { checkPath } from '../files/file-error.ts'
import { type Channels, encodePng } from '../files/png.ts'
import {
  type EventPlace,
  graphFrame,
  histogramValue,
  imagesValue,
  prCurveValue,
  scalarValue,
  sessionEndValue,
  sessionStartValue,
  summaryFrame,
  textValue,
} from './encode.ts'
import { RecordQueue } from './record-queue.ts'
import { checkWriterOptions, type SummaryWriterOptions, summaryWriterOptions } from './writer-options.ts'

type Encoded = Uint8Array | (() => Promise<Uint8Array>)

/** Of what has no place: the beginning of the run, now. */
const atBegin = (): EventPlace => ({ step: 0, time: Date.now() })

const bytesOf = ({ png }: ImageValue): Uint8Array => Buffer.from(png, 'base64')

/** A table in Markdown. */
function table(heads: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cell = (value: unknown) => String(value).replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
  return [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')
}

/** Pixels along a cell of a confusion matrix. */
const cellPixels = 16

/** Rows are the labels; the more of a row's are in a cell, the darker it is. */
async function confusionImage({ counts }: RunRecords['confusion']): Promise<{ file: Buffer; size: number }> {
  const size = counts.length * cellPixels
  const pixels = new Uint8Array(size * size)
  for (const [i, row] of counts.entries()) {
    const total = Math.max(
      1,
      row.reduce((sum, count) => sum + count, 0),
    )
    for (const [j, count] of row.entries())
      for (let y = i * cellPixels; y < (i + 1) * cellPixels; y++)
        pixels.fill(Math.round(255 * (1 - count / total)), y * size + j * cellPixels, y * size + (j + 1) * cellPixels)
  }
  return { file: await encodePng(pixels, { width: size, height: size, channels: 1 as Channels }), size }
}

const nameOf = (labels: readonly string[], label: number): string => labels[label] ?? String(label)

const percent = (x: number): string => `${(100 * x).toFixed(1)}%`

function examplesText({ labels, examples }: RunRecords['examples']): string {
  const cells = ({ row, label, predicted, probability }: ExampleValue) => [
    row,
    nameOf(labels, label),
    nameOf(labels, predicted),
    percent(probability),
  ]
  return table(['row', 'label', 'predicted', 'probability of the label'], examples.map(cells))
}

function programText({ title, instructions, gigaflops, gigabytesPerSecond }: RunRecords['program']): string {
  const heads = ['instruction', 'bytes', 'FLOPs', 'µs', 'limit in µs']
  const figure = (x: number | undefined) => (x === undefined ? '' : x.toFixed(1))
  const rows = instructions.map(({ text, bytes, flops, microseconds, limitMicroseconds }) => [
    `\`${text}\``,
    bytes,
    flops,
    figure(microseconds),
    figure(limitMicroseconds),
  ])
  const limits = gigaflops === undefined ? '' : `${figure(gigaflops)} GFLOP/s, ${figure(gigabytesPerSecond)} GB/s`
  return [`**${title}**`, limits, table(heads, rows)].filter((text) => text !== '').join('\n\n')
}

const encoders: { readonly [Type in keyof RunRecords]: (record: RunRecords[Type]) => readonly Encoded[] } = {
  run: ({ name, epochs, parameters }) => {
    const rows = Object.entries({ name, epochs, parameters }).filter(([, value]) => value !== undefined)
    return [summaryFrame(atBegin(), textValue('run', table(['', ''], rows)))]
  },
  hyperparameters: ({ values }) => [summaryFrame(atBegin(), sessionStartValue(values, Date.now()))],
  scalars: ({ values, ...place }) => [
    summaryFrame(place, ...Object.entries(values).map(([tag, value]) => scalarValue(tag, value))),
  ],
  histogram: ({ tag, value, ...place }) => [summaryFrame(place, histogramValue(tag, value))],
  images: ({ tag, images, ...place }) =>
    images.length === 0 ? [] : [summaryFrame(place, imagesValue(tag, images[0]!, images.map(bytesOf)))],
  text: ({ tag, text, ...place }) => [summaryFrame(place, textValue(tag, text))],
  prCurve: ({ tag, value, ...place }) => [summaryFrame(place, prCurveValue(tag, value))],
  confusion: (record) => {
    const { labels, counts } = record
    const rows = counts.map((row, i) => [`**${nameOf(labels, i)}**`, ...row])
    const image = async () => {
      const { file, size } = await confusionImage(record)
      return summaryFrame(record, imagesValue('confusion/matrix', { width: size, height: size }, [file]))
    }
    return [
      summaryFrame(record, textValue('confusion/table', table(['', ...labels], rows))),
      ...(counts.length > 0 ? [image] : []),
    ]
  },
  examples: (record) => {
    const images = record.examples.flatMap(({ image }) => image ?? [])
    return [
      summaryFrame(record, textValue('examples/table', examplesText(record))),
      ...(images.length > 0
        ? [summaryFrame(record, imagesValue('examples/images', images[0]!, images.map(bytesOf)))]
        : []),
    ]
  },
  graph: ({ nodes }) => [graphFrame(atBegin(), nodes)],
  program: (record) => [summaryFrame(atBegin(), textValue(`program/${record.title}`, programText(record)))],
  system: ({ rss, eventLoopDelay, processors, threads, ...place }) => {
    const values = { memory: rss, eventLoopDelay, processors, threads }
    const named = Object.entries(values).map(([name, value]) => scalarValue(`system/${name}`, value))
    return [summaryFrame(place, ...named)]
  },
  end: ({ time, state, message }) => [
    ...(message === undefined ? [] : [summaryFrame({ step: 0, time }, textValue('end', `${state}: ${message}`))]),
    summaryFrame({ step: 0, time }, sessionEndValue(state === 'failed', time)),
  ],
}

/** Opens its file with the first record, and another one with the first after it was closed: a training may be gone on with. */
class TensorBoardSink implements RecordSink {
  #queue: RecordQueue | undefined

  constructor(private readonly open: () => RecordQueue) {}

  write(record: RunRecord): void {
    this.#queue ??= this.open()
    const encode = encoders[record.type] as (record: RunRecord) => readonly Encoded[]
    for (const encoded of encode(record)) this.#queue.add(encoded)
  }

  async flush(): Promise<void> {
    await this.#queue?.flush()
  }

  async close(): Promise<void> {
    const queue = this.#queue
    this.#queue = undefined
    await queue?.close()
  }
}

/**
 * A sink that writes the records of a run as event files of TensorBoard in a folder, for `observe`. What has no tag is under one of its own: memory and the like
 * under `system`, the confusion matrix as an image and a table, the worst examples as images and a table, a program as a text.
 *
 * @param folder of the run, which is made where there is none
 * @throws TypeError, RangeError for a folder or options; when a record is written or at the end, Error with the `code` of the file system
 *
 * @example
 * callbacks: [observe([tensorBoardSink('runs/first'), jsonLines('runs/first')])]
 */
export function tensorBoardSink(folder: string, options?: SummaryWriterOptions, ...surplus: unknown[]): RecordSink {
  const op = 'tensorBoardSink'
  const { flushSeconds, maxBytes } = checkWriterOptions(op, checkOptions(op, options, summaryWriterOptions, surplus))
  const path = checkPath(op, folder)
  return new TensorBoardSink(() => new RecordQueue(op, path, flushSeconds, maxBytes))
}
