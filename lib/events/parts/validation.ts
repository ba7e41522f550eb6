/** Which classes are taken for which on the validation set, and the rows that are predicted worst: both of the steps that score it. */

import { isFloat } from '../../base/dtype.ts'
import { expected, ShapeError } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import { withMode } from '../../nn/module.ts'
import { takeAlongAxis } from '../../operations/index.ts'
import { tensor } from '../../tensor/creation.ts'
import { randomStream } from '../../tensor/random.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { EpochInfo } from '../../train/events.ts'
import { RowSource } from '../../train/source.ts'
import { parametersOf } from '../../train/steps.ts'
import type { SeenRows, WatchedTensors } from '../../train/watching.ts'
import { compile } from '../../transforms/compile.ts'
import { imagesOf, pixelsOf } from '../pictures.ts'
import type { ExampleValue, ImageValue } from '../record.ts'
import type { Part, Recording } from '../recording.ts'
import { inputOf } from '../sample.ts'

export interface ValidationOptions {
  readonly confusion: boolean
  /** How many of the worst examples. */
  readonly examples: number
  /** The names of the classes. */
  readonly labels: readonly string[] | undefined
  readonly imageShape: Shape | undefined
}

/** A matrix of more classes is nothing to look at. */
const mostClasses = 256

export class ValidationRows implements Part {
  readonly #options: ValidationOptions
  #classes = 0
  #row = 0
  #counts = new Int32Array(0)
  #worst: ExampleValue[] = []

  constructor(options: ValidationOptions) {
    this.#options = options
  }

  beginEpoch(): void {
    this.#row = 0
    this.#worst = []
    this.#counts = new Int32Array(0)
  }

  rows({ prediction, target, rows }: SeenRows): WatchedTensors {
    const { logits, label } = this.#checked(prediction, target, rows)
    const probability = takeAlongAxis(logits.softmax(1), label.reshape([rows, 1]), 1).reshape([rows])
    return { label, predicted: logits.argmax(1).cast('int32'), ...(this.#options.examples > 0 && { probability }) }
  }

  /** @throws ShapeError for what is no classification */
  #checked(prediction: unknown, target: unknown, rows: number): { logits: Tensor; label: Tensor } {
    const what = 'a number for each class of each row as prediction, and labels, for confusion and examples'
    const isOfRows = (x: unknown): x is Tensor => x instanceof Tensor && x.shape[0] === rows
    if (!isOfRows(prediction) || prediction.ndim !== 2 || !isFloat(prediction.dtype) || !isOfRows(target))
      throw new ShapeError(expected('observe', what, `${prediction} and ${target}`))
    const classes = prediction.shape[1]!
    const isOneHot = target.ndim === 2 && target.shape[1] === classes && classes > 1
    if (!isOneHot && (target.size !== rows || isFloat(target.dtype)))
      throw new ShapeError(expected('observe', what, `${prediction} and ${target}`))
    this.#checkClasses(classes)
    return { logits: prediction, label: (isOneHot ? target.argmax(1) : target.reshape([rows])).cast('int32') }
  }

  #checkClasses(classes: number): void {
    const { confusion, labels } = this.#options
    if (labels !== undefined && labels.length !== classes)
      throw new RangeError(expected('observe', `a label for each of ${classes} classes`, labels.length))
    if (confusion && classes > mostClasses)
      throw new RangeError(expected('observe', `at most ${mostClasses} classes for confusion`, classes))
    this.#classes = classes
  }

  onRows({ label, predicted, probability }: WatchedTensors): void {
    const [labels, found] = [label!.dataSync(), predicted!.dataSync()] as [Int32Array, Int32Array]
    const probabilities = probability?.dataSync()
    if (this.#counts.length === 0) this.#counts = new Int32Array(this.#classes ** 2)
    for (let i = 0; i < labels.length; i++) {
      const [label, predicted] = [labels[i]!, found[i]!]
      this.#counts[label * this.#classes + predicted]!++
      if (label !== predicted && probabilities !== undefined)
        this.#note({ row: this.#row + i, label, predicted, probability: probabilities[i]! })
    }
    this.#row += labels.length
  }

  /** Keeps it where it is among the worst so far, which are in order. */
  #note(example: ExampleValue): void {
    const worst = this.#worst
    const { examples } = this.#options
    if (worst.length === examples && !(example.probability < worst.at(-1)!.probability)) return
    const place = worst.findIndex(({ probability }) => example.probability < probability)
    worst.splice(place < 0 ? worst.length : place, 0, example)
    if (worst.length > examples) worst.pop()
  }

  async epoch(recording: Recording, { validation }: EpochInfo): Promise<void> {
    if (validation === undefined || this.#row === 0) return
    const { confusion, examples } = this.#options
    const classes = this.#classes
    const labels = this.#options.labels ?? Array.from({ length: classes }, (_, i) => String(i))
    const place = recording.place()
    const row = (i: number) => Array.from(this.#counts.subarray(i * classes, (i + 1) * classes))
    const counts = Array.from({ length: classes }, (_, i) => row(i))
    if (confusion) recording.write({ type: 'confusion', ...place, labels, counts })
    if (examples === 0) return
    const images = await this.#images(recording)
    const found = this.#worst.map((example, i) => ({ ...example, ...(images[i] && { image: images[i] }) }))
    recording.write({ type: 'examples', ...place, labels, examples: found })
  }

  /** Of the worst, where they are rows in memory and pictures by their shape. */
  async #images({ run: { settings } }: Recording): Promise<ImageValue[]> {
    const { op, model, validation, seed } = settings
    const source = validation?.source
    if (!(source instanceof RowSource) || this.#worst.length === 0) return []
    this.#pixels ??= compile((rows: Tensor) =>
      randomStream(seed).run(() =>
        withMode(model, parametersOf(op, model), false, () => {
          const x = inputOf(source.batch(rows))
          return x && pixelsOf('observe', x, this.#options.imageShape)
        }),
      ),
    )
    const pixels = await this.#pixels(tensor(Int32Array.from(this.#worst, ({ row }) => row)))
    return pixels === undefined ? [] : imagesOf(pixels)
  }

  #pixels: ((rows: Tensor) => Promise<Tensor | undefined>) | undefined
}
