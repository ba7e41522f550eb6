/** What writes event files: scalars, histograms, images, texts and the rest, each under a tag and at a step. */
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { checkFunction, checkInteger, checkNumber, checkText, describe, refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { checkOptions, checkRecord, type OptionTypes } from '../base/options.ts'
import type { Batch } from '../data/dataset.ts'
import { counted, histogramOf } from '../events/counting.ts'
import { graphOf } from '../events/model-graph.ts'
import { checkPath } from '../files/file-error.ts'
import { evaluate, type TensorLike, toTensor } from '../tensor/tensor.ts'
import type { Trainable } from '../train/options.ts'
import type { Argument } from '../train/source.ts'
import { Inspection } from '../transforms/inspect.ts'
import {
  type EventPlace,
  experimentValue,
  graphFrame,
  type Hyperparameters,
  histogramValue,
  imagesValue,
  prCurveValue,
  scalarValue,
  sessionStartValue,
  summaryFrame,
  textValue,
} from './encode.ts'
import { pixelsIn, pngsOf, sheetOf } from './images.ts'
import { prCurveOf, prCurveTensors } from './pr-curves.ts'
import { configText, type EmbeddingEntry, folderOf, metadataText, rowsText, writeFiles } from './projector.ts'
import { RecordQueue } from './record-queue.ts'
import { traceText } from './trace.ts'
import { checkWriterOptions, type SummaryWriterOptions, summaryWriterOptions } from './writer-options.ts'

export interface SummaryOptions {
  /** The step that it is of; unless given how many there were before under the tag. */
  step?: number
  /** When it was, in milliseconds since 1970: now unless given. */
  time?: number
}

export interface HistogramSummaryOptions extends SummaryOptions {
  /** How many intervals: 30 unless given. */
  bins?: number
}

export interface ImageSummaryOptions extends SummaryOptions {
  /** How many of several images are written: 8 unless given. */
  maxImages?: number
}

export interface PrCurveSummaryOptions extends SummaryOptions {
  /** How many thresholds, at equal distances from 0 to 1: 201 unless given. */
  thresholds?: number
}

export interface EmbeddingOptions {
  /** 'embedding' unless given. */
  name?: string
  /** What each row is called, or several such columns by name. */
  labels?: readonly unknown[] | Readonly<Record<string, readonly unknown[]>>
  /** An image of each row, [n, h, w, c]. */
  images?: TensorLike
}

const summaryOptions: OptionTypes<SummaryOptions> = { step: 'number', time: 'number' }
const histogramOptions: OptionTypes<HistogramSummaryOptions> = { ...summaryOptions, bins: 'number' }
const imageOptions: OptionTypes<ImageSummaryOptions> = { ...summaryOptions, maxImages: 'number' }
const prCurveOptions: OptionTypes<PrCurveSummaryOptions> = { ...summaryOptions, thresholds: 'number' }
const embeddingOptions: OptionTypes<EmbeddingOptions> = { name: 'string', labels: 'other', images: 'other' }

/** The widest sheet of images that TensorBoard shows. */
const mostPixels = 8192

/** Writes one run; see `summaryWriter`. */
export class SummaryWriter {
  readonly #folder: string
  readonly #queue: RecordQueue
  /** What each tag is of, and how many there were under it. */
  readonly #tags = new Map<string, { readonly kind: string; readonly count: number }>()
  readonly #embeddings = new Map<string, EmbeddingEntry>()

  /** @internal */
  constructor(folder: string, options: SummaryWriterOptions) {
    const { flushSeconds, maxBytes } = checkWriterOptions('summaryWriter', options)
    this.#folder = folder
    this.#queue = new RecordQueue('summaryWriter', folder, flushSeconds, maxBytes)
  }

  /** The event file that is written to. */
  get path(): string {
    return this.#queue.path
  }

  /** Where something stands that has tags. */
  #placeOf(op: string, tags: readonly string[], { step, time = Date.now() }: SummaryOptions): EventPlace {
    this.#queue.check()
    const kind = op === 'scalars' ? 'scalar' : op
    for (const tag of tags) this.#checkTag(op, tag, kind)
    checkNumber(op, 'a finite time in milliseconds', time, Number.isFinite)
    const before = Math.max(0, ...tags.map((tag) => this.#tags.get(tag)?.count ?? 0))
    checkInteger(op, 'an integer step', step ?? before, -(2 ** 53), 2 ** 53)
    for (const tag of tags) this.#tags.set(tag, { kind, count: before + 1 })
    return { step: step ?? before, time }
  }

  /** TensorBoard shows all that a run has under a tag on one page, or none of it. */
  #checkTag(op: string, tag: string, kind: string): void {
    if (checkText(op, 'a tag', tag) === '') throw new RangeError(expected(op, 'a tag', 'an empty text'))
    const before = this.#tags.get(tag)?.kind ?? kind
    if (before !== kind) throw new TypeError(expected(op, `a tag that is not of ${before} already`, describe(tag)))
  }

  /**
   * A number under a tag: `loss/train` stands among the charts of `loss`. What is no finite number is shown as such.
   * @throws TypeError, RangeError for arguments and options; Error for what an earlier write met
   */
  scalar(tag: string, value: number, options?: SummaryOptions, ...surplus: []): void {
    const place = this.#placeOf('scalar', [tag], checkOptions('scalar', options, summaryOptions, surplus))
    this.#queue.add(
      summaryFrame(
        place,
        scalarValue(
          tag,
          checkNumber('scalar', 'a number', value, () => true),
        ),
      ),
    )
  }

  /** Several numbers of one step by their tags. */
  scalars(values: Readonly<Record<string, number>>, options?: SummaryOptions, ...surplus: []): void {
    const checked = checkOptions('scalars', options, summaryOptions, surplus)
    const entries = Object.entries(checkRecord('scalars', 'numbers by tag', values))
    for (const [, value] of entries) checkNumber('scalars', 'numbers by tag', value, () => true)
    const place = this.#placeOf('scalars', Object.keys(values), checked)
    if (entries.length > 0) this.#queue.add(summaryFrame(place, ...entries.map(([tag, x]) => scalarValue(tag, x))))
  }

  /**
   * How the elements of a tensor are spread, for the pages Histograms and Distributions. They are counted by the program that computes the tensor, off
   * the event loop; what is not finite counts nowhere.
   */
  histogram(tag: string, x: TensorLike, options?: HistogramSummaryOptions, ...surplus: []): void {
    const { bins = 30, ...rest } = checkOptions('histogram', options, histogramOptions, surplus)
    checkInteger('histogram', 'a positive integer of bins', bins, 1, 1e5)
    const t = toTensor('histogram', x)
    if (t.size === 0) throw new ShapeError(expected('histogram', 'a tensor with elements', t))
    const place = this.#placeOf('histogram', [tag], rest)
    const counts = counted(t, bins)
    const record = async () => {
      await evaluate(counts.counts, counts.figures)
      return summaryFrame(place, histogramValue(tag, histogramOf(counts)))
    }
    this.#queue.add(record)
  }

  /**
   * An image [h, w] or [h, w, c], or several, [n, h, w, c], with 1, 3 or 4 channels: uint8, or floats from 0 to 1.
   * @throws ShapeError, TypeError, RangeError for arguments and options; Error for what an earlier write met
   */
  image(tag: string, x: TensorLike, options?: ImageSummaryOptions, ...surplus: []): void {
    const { maxImages = 8, ...rest } = checkOptions('image', options, imageOptions, surplus)
    checkInteger('image', 'a positive integer maxImages', maxImages, 1)
    const pixels = pixelsIn('image', x)
    const place = this.#placeOf('image', [tag], rest)
    const record = async () => summaryFrame(place, imagesValue(tag, pixels, await pngsOf(pixels, maxImages)))
    this.#queue.add(record)
  }

  /** A text, which TensorBoard shows as Markdown. */
  text(tag: string, text: string, options?: SummaryOptions, ...surplus: []): void {
    const place = this.#placeOf('text', [tag], checkOptions('text', options, summaryOptions, surplus))
    this.#queue.add(summaryFrame(place, textValue(tag, checkText('text', 'a text', text))))
  }

  /**
   * The graph of a model's forward pass, with its layers as scopes; nothing is computed.
   * @param input what its `forward` takes: a tensor, or several by name or in a list
   * @throws TypeError for what is no model; what `forward` throws
   */
  graph(model: Trainable<never, unknown>, input: Batch, ...surplus: []): void {
    refuseSurplus('graph', 2, surplus)
    this.#queue.check()
    checkFunction('graph', 'a model with forward and parameters', (model as Partial<typeof model> | null)?.forward)
    checkFunction('graph', 'a model with forward and parameters', (model as Partial<typeof model>).parameters)
    const source = { batch: (argument: Argument) => ({ ...alone, x: (argument as readonly Batch[])[0]! }) }
    const nodes = graphOf({ op: 'graph', model, source, seed: 0 }, [input])
    this.#queue.add(graphFrame({ step: 0, time: Date.now() }, nodes))
  }

  /**
   * The hyper-parameters of the run, for the page HParams, which compares the runs of a folder of folders.
   * @param values numbers, texts and truths by name
   * @param metrics the tags whose last numbers stand beside them, or numbers by tag, which are written as scalars; unless given all scalars
   */
  hparams(
    values: Hyperparameters,
    metrics?: readonly string[] | Readonly<Record<string, number>>,
    ...surplus: []
  ): void {
    refuseSurplus('hparams', 2, surplus)
    for (const [name, value] of Object.entries(checkRecord('hparams', 'hyper-parameters by name', values)))
      if (!['number', 'string', 'boolean'].includes(typeof value))
        throw new TypeError(expected('hparams', `a number, a text or a truth as ${name}`, describe(value)))
    const [tags, numbers] = Array.isArray(metrics) ? [metrics, {}] : [Object.keys(metrics ?? {}), metrics ?? {}]
    for (const tag of tags) checkText('hparams', 'tags of metrics', tag)
    const place = { step: 0, time: Date.now() }
    const experiment = metrics === undefined ? [] : [experimentValue(values, tags, place.time)]
    this.#queue.add(summaryFrame(place, ...experiment, sessionStartValue(values, place.time)))
    this.scalars(numbers as Readonly<Record<string, number>>)
  }

  /**
   * Precision and recall of a classifier of two classes by threshold.
   * @param labels whether each row is of the class: not 0
   * @param predictions from 0 to 1, of the shape of the labels
   */
  prCurve(
    tag: string,
    labels: TensorLike,
    predictions: TensorLike,
    options?: PrCurveSummaryOptions,
    ...surplus: []
  ): void {
    const { thresholds = 201, ...rest } = checkOptions('prCurve', options, prCurveOptions, surplus)
    const { positives, negatives } = prCurveTensors('prCurve', labels, predictions, thresholds)
    const place = this.#placeOf('prCurve', [tag], rest)
    const record = async () => {
      await evaluate(positives, negatives)
      return summaryFrame(place, prCurveValue(tag, prCurveOf(positives.dataSync(), negatives.dataSync())))
    }
    this.#queue.add(record)
  }

  /**
   * Vectors for the projector, a row of the matrix each: with another name, others. Files are written beside the event file.
   * @param matrix [rows, columns]
   * @throws (rejects with) ShapeError, TypeError, RangeError for arguments and options; Error with the `code` of the file system
   */
  async embedding(matrix: TensorLike, options?: EmbeddingOptions, ...surplus: []): Promise<void> {
    const op = 'embedding'
    const { name = 'embedding', labels, images } = checkOptions(op, options, embeddingOptions, surplus)
    this.#queue.check()
    if (name === '') throw new RangeError(expected(op, 'a name', '""'))
    const t = toTensor(op, matrix)
    const [rows = 0, columns = 0] = t.shape
    if (t.ndim !== 2 || t.size === 0) throw new ShapeError(expected(op, 'a matrix [rows, columns] with elements', t))
    const text = labels === undefined ? undefined : labelsText(op, labels, rows)
    const sprite = images === undefined ? undefined : spriteIn(op, images, rows)
    const folder = folderOf(name)
    await writeFiles(op, this.#folder, {
      [`${folder}/tensors.tsv`]: rowsText(await t.data(), rows, columns),
      ...(text !== undefined && { [`${folder}/metadata.tsv`]: text }),
      ...(sprite !== undefined && { [`${folder}/sprite.png`]: await sheetOf(sprite) }),
    })
    const entry = { name, shape: [rows, columns], hasLabels: text !== undefined, ...(sprite && { sprite }) } as const
    this.#embeddings.set(name, entry)
    const config = Buffer.from(configText([...this.#embeddings.values()]))
    await writeFiles(op, this.#folder, { 'projector_config.pbtxt': config })
  }

  /**
   * Writes the profile of a program as a trace, which TensorBoard's profiler, Perfetto and chrome://tracing open: gives the path of the file.
   * @param inspection what `inspect` gives with `{ profile: true }`
   */
  async trace(inspection: Inspection, options?: { name?: string }, ...surplus: []): Promise<string> {
    const { name = 'program' } = checkOptions<{ name?: string }>('trace', options, { name: 'string' }, surplus)
    this.#queue.check()
    if (!(inspection instanceof Inspection) || inspection.machine === undefined)
      throw new TypeError(expected('trace', 'what inspect gives with { profile: true }', describe(inspection)))
    const file = `plugins/profile/${name.replaceAll(/[^\w.-]/g, '_')}/${hostname()}.trace.json.gz`
    await writeFiles('trace', this.#folder, { [file]: await zip(traceText(name, inspection.instructions)) })
    return `${this.#folder}/${file}`
  }

  /** Settles when all so far is in the file. Rejects with what the file system said. */
  async flush(): Promise<void> {
    await this.#queue.flush()
  }

  /** Writes the rest and closes the file. Rejects with what the file system said. */
  async close(): Promise<void> {
    await this.#queue.close()
  }
}

/** Of a batch that is but an input. */
const alone = { y: undefined, weights: undefined, rows: 1 }

const zip = promisify(gzip)

function labelsText(op: string, labels: NonNullable<EmbeddingOptions['labels']>, rows: number): Buffer {
  const lists = Array.isArray(labels) ? [labels] : Object.values(checkRecord(op, 'labels', labels))
  for (const list of lists)
    if (!Array.isArray(list) || list.length !== rows)
      throw new TypeError(
        expected(op, `a list of ${rows} labels`, Array.isArray(list) ? `${list.length}` : describe(list)),
      )
  return Buffer.from(metadataText(labels))
}

function spriteIn(op: string, images: TensorLike, rows: number) {
  const pixels = pixelsIn(op, images)
  if (pixels.count !== rows) throw new ShapeError(expected(op, `${rows} images`, pixels.count))
  const side = Math.ceil(Math.sqrt(rows)) * Math.max(pixels.width, pixels.height)
  if (side > mostPixels) throw new ShapeError(expected(op, `a sheet of at most ${mostPixels} pixels`, side))
  return pixels
}

/**
 * A writer of TensorBoard's event files: of one run, whose name is its folder's; TensorBoard shows the runs below a folder beside each other. What it is given
 * is written every few seconds, off the event loop, and the rest by `close`, or when the process exits. A process that is killed leaves a file that is
 * readable up to the last write.
 *
 * @param folder of the run, which is made where there is none
 * @throws TypeError, RangeError for a folder or options; Error with the `code` of the file system
 *
 * @example
 * const writer = summaryWriter('runs/first')
 * writer.scalar('loss/train', 0.25, { step: 1 })
 * await writer.close()
 */
export function summaryWriter(folder: string, options?: SummaryWriterOptions, ...surplus: []): SummaryWriter {
  const checked = checkOptions('summaryWriter', options, summaryWriterOptions, surplus)
  return new SummaryWriter(checkPath('summaryWriter', folder), checked)
}
