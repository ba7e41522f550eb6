/** Data sets: rows of tensors that are mapped, shuffled and read in batches. */

import {
  checkFunction,
  checkInteger,
  checkNumber,
  checkValues,
  refuseSurplus,
  describe as shownAs,
} from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, isPlainObject, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { leavesOf, mapTree } from '../base/tree.ts'
import { inputOf } from '../nn/inputs.ts'
import { tensor } from '../tensor/creation.ts'
import { randomStream } from '../tensor/random.ts'
import { evaluate, Tensor, type TensorLike } from '../tensor/tensor.ts'
import type { StreamIterator } from './pass.ts'
import { permutationSync, range } from './permutation.ts'
import { checkSeed, samplingOf } from './sampling.ts'
import { datasetStage } from './sources/dataset.ts'
import { Stream } from './stream.ts'
import type { Fold } from './transforms/split.ts'

/** The inputs of a model, or its targets: a tensor, or several in a list or by name. */
export type Batch = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>

/** What a batch is made of. */
export type Rows = TensorLike | readonly Tensor[] | Readonly<Record<string, TensorLike>>

/** The batch that rows become. */
export type BatchOf<R> = R extends TensorLike
  ? Tensor
  : R extends readonly unknown[] | Readonly<Record<string, unknown>>
    ? { readonly [K in keyof R]: Tensor }
    : never

/** What becomes of a batch of rows. It is recorded into the compiled step, not called for each batch. */
export type BatchMap<
  X extends Batch = Tensor,
  Y extends Batch = Tensor,
  X2 extends Batch = Tensor,
  Y2 extends Batch = Tensor,
> = (x: X, y: Y) => readonly [X2, Y2]

/** What rows consist of: x, and targets and weights where there are some. */
export type Parts<X, Y, W> = [Y] extends [Batch] ? ([W] extends [Batch] ? [X, Y, W] : [X, Y]) : [X]

/** A row of a stream: x alone, `[x, y]` or `[x, y, weights]`. */
export type Row<X, Y, W> = [Y] extends [Batch] ? Parts<X, Y, W> : X

type AnyMap = (...parts: never[]) => readonly Batch[] | Batch

export interface SplitOptions {
  /** Whether rows are chosen at random; false unless given, then they are parts as they stand. */
  shuffle?: boolean
  /** Of the choice; otherwise it follows from `setSeed`. */
  seed?: number
}

export interface StreamOptions extends SplitOptions {
  /** A weight of each row, by which it is drawn, possibly more than once. */
  weights?: readonly number[] | Float32Array | Float64Array | Int32Array
  /** Whether rows are drawn such that all classes are as likely, by integer labels as y; false unless given. */
  balanced?: boolean
  /** How many rows are drawn in a pass, by weights or balanced; as many as there are unless given. */
  count?: number
}

const splitOptions: OptionTypes<SplitOptions> = { shuffle: 'boolean', seed: 'number' }
const streamOptions: OptionTypes<StreamOptions> = {
  ...splitOptions,
  weights: 'other',
  balanced: 'boolean',
  count: 'number',
}

/**
 * Rows of inputs x with their targets y, held in memory as they are. `fit` gathers the rows of each batch inside its
 * compiled step, and maps them there. Rows may have weights too, or no targets.
 */
export class Dataset<
  X extends Batch = Tensor,
  Y extends Batch | undefined = Tensor,
  W extends Batch | undefined = undefined,
> {
  protected readonly notCloned = notCloned('a data set: send the data() of its tensors')
  readonly #parts: readonly Batch[]
  readonly #maps: readonly AnyMap[]
  /** Which rows of the parts are those of this; all unless given. */
  readonly #rows: Tensor | undefined

  /** @internal */
  constructor(parts: readonly Batch[], maps: readonly AnyMap[], rows?: Tensor) {
    this.#parts = parts
    this.#maps = maps
    this.#rows = rows
  }

  toString(): string {
    return `Dataset of ${this.size} rows`
  }

  /** The number of rows. */
  get size(): number {
    return extentAt((this.#rows ?? elementAt(tensorsIn(elementAt(this.#parts, 0)), 0)).shape, 0)
  }

  /**
   * The same rows, mapped batch by batch when they are used: bytes in memory stay bytes until the step casts them. Of rows without targets
   * it may make some, as of a record of tensors that holds both.
   *
   * @example
   * fromTensors(images, labels).map((x, y) => [x.cast('float32').div(255), y])
   * fromTensors({ image: images, label: labels }).map(({ image, label }) => [image, label])
   */
  map<X2 extends Batch, Y2 extends Batch>(fn: (...parts: Parts<X, Y, W>) => readonly [X2, Y2]): Dataset<X2, Y2>
  map<X2 extends Batch, Y2 extends Batch, W2 extends Batch>(
    fn: (...parts: Parts<X, Y, W>) => readonly [X2, Y2, W2],
  ): Dataset<X2, Y2, W2>
  map<X2 extends Tensor | Readonly<Record<string, Tensor>>>(
    this: Dataset<X, undefined>,
    fn: (x: X) => X2,
  ): Dataset<X2, undefined>
  map(fn: unknown): unknown {
    checkFunction('map', 'a function of x and y', fn)
    return new Dataset(this.#parts, [...this.#maps, fn as AnyMap], this.#rows)
  }

  /** Rows start ≤ i < end; negative bounds count from the end, and bounds beyond it are clamped. */
  slice(start: number, end: number = this.size): Dataset<X, Y, W> {
    for (const bound of [start, end]) checkInteger('slice', 'an integer as bound', bound)
    if (this.#rows !== undefined) return new Dataset(this.#parts, this.#maps, this.#rows.slice(start, end))
    const parts = this.#parts.map((part) => mapBatch(part, (x) => x.slice(start, end)))
    return new Dataset(parts, this.#maps)
  }

  /**
   * The given rows, in the given order, which may come more than once. Nothing is copied.
   * @param rows integers; one outside [0, size) is a RangeError when it is used
   * @pytorch torch.utils.data.Subset
   */
  select(rows: TensorLike): Dataset<X, Y, W> {
    const indices = indicesOf('select', rows)
    if (indices.ndim !== 1) throw new ShapeError(expected('select', 'a list of rows', formatShape(indices.shape)))
    return new Dataset(this.#parts, this.#maps, this.#rows === undefined ? indices : this.#rows.gather(indices))
  }

  /**
   * The first rows, and the other ones: a count of them, or a fraction between 0 and 1, which is rounded to whole rows. With `shuffle`, as many rows
   * chosen at random.
   * @example const [train, test] = dataset.split(0.8, { shuffle: true, seed: 1 })
   * @pytorch torch.utils.data.random_split
   */
  split(count: number, options?: SplitOptions, ...surplus: []): [Dataset<X, Y, W>, Dataset<X, Y, W>] {
    const shuffled = this.#shuffled('split', options, surplus)
    checkNumber(
      'split',
      `an integer from 0 to ${this.size}`,
      count,
      (n) => n >= 0 && n <= this.size && (n < 1 || Number.isInteger(n)),
    )
    const first = count < 1 ? Math.round(count * this.size) : count
    return [shuffled.slice(0, first), shuffled.slice(first)]
  }

  /**
   * k folds, each with about one part in k of the rows for validation and the others for training; each row is in the validation of one
   * fold. Parts are as the rows stand, or with `shuffle` chosen at random.
   * @sklearn sklearn.model_selection.KFold
   */
  kFold(k: number, options?: SplitOptions, ...surplus: []): Fold<Dataset<X, Y, W>>[] {
    const shuffled = this.#shuffled('kFold', options, surplus)
    const { size } = this
    checkInteger('kFold', `a number of folds from 2 to ${size}`, k, 2, size)
    const bound = (fold: number) => Math.floor((fold * size) / k)
    return Array.from({ length: k }, (_, fold) => {
      const [start, end] = [bound(fold), bound(fold + 1)]
      const others = range(size).filter((row) => row < start || row >= end)
      return { train: shuffled.select(others), validation: shuffled.slice(start, end) }
    })
  }

  /**
   * A stream of the rows, as `[x, y]`, for what only streams do; `fit` needs none, and is quicker without. `batch` after it gathers whole batches.
   *
   * With `shuffle` all rows come in another order in each epoch. With `weights`, or `balanced`, rows are drawn in proportion to them, with
   * replacement.
   *
   * @throws ShapeError for weights of another number than rows, RangeError for negative ones; for `balanced`, where y are no integer labels
   * @pytorch torch.utils.data.WeightedRandomSampler
   */
  stream(options?: StreamOptions, ...surplus: []): Stream<Row<X, Y, W>> {
    const given = checkOptions('stream', options, streamOptions, surplus)
    const { seed = randomStream().seed } = given
    const sampling = samplingOf({ ...given, seed, size: this.size, labels: () => this.#labels() })
    const batch = (rows: Tensor) => this.batch(rows) as Batch[]
    return new Stream(datasetStage({ batch, seed, sampling }))
  }

  /** The rows, one after the other. */
  [Symbol.asyncIterator](): StreamIterator<Row<X, Y, W>> {
    return this.stream().open()
  }

  /**
   * The given rows, mapped: x and y of as many rows, without y where there are no targets, and with weights where there are some.
   * An index outside [0, size) is a RangeError when evaluated.
   */
  batch(rows: TensorLike): Parts<X, Y, W> {
    const given = indicesOf('batch', rows)
    const indices = this.#rows === undefined ? given : this.#rows.gather(given)
    let batch: readonly Batch[] = this.#parts.map((part) => mapBatch(part, (x) => x.gather(indices)))
    for (const fn of this.#maps) batch = checkedBatch(fn(...(batch as never[])), batch.length, indices.size)
    return [...batch] as Parts<X, Y, W>
  }

  /** Computes x and y where they are not computed yet. */
  async load(): Promise<void> {
    await evaluate(...this.#parts.flatMap(tensorsIn), ...(this.#rows === undefined ? [] : [this.#rows]))
  }

  #shuffled(op: string, options: SplitOptions | undefined, surplus: readonly unknown[]): Dataset<X, Y, W> {
    const { shuffle = false, seed = 0 } = checkOptions(op, options, splitOptions, surplus)
    checkSeed(op, seed)
    if (!shuffle) return this
    const { seed: chosen } = options?.seed === undefined ? randomStream() : { seed }
    return this.select(permutationSync(this.size, chosen, 0))
  }

  /** The labels of the rows, before they are mapped. */
  #labels(): Tensor {
    const [, y] = this.#parts
    const { dtype = 'none', ndim = 0 } = y instanceof Tensor ? y : {}
    if (!(y instanceof Tensor) || ndim !== 1 || !['int32', 'uint8', 'bool'].includes(dtype))
      throw new ShapeError(expected('stream', 'integer labels y[rows] to balance classes', y ?? 'no targets'))
    return this.#rows === undefined ? y : y.gather(this.#rows)
  }
}

brand(Dataset.prototype, 'data set')
showAsText(Dataset.prototype)

const mapBatch = (batch: Batch, fn: (x: Tensor) => Tensor): Batch =>
  mapTree('map', batch, (x) => fn(x as Tensor)) as Batch

const tensorsIn = (batch: Batch): Tensor[] => leavesOf('map', '', batch).map(([, leaf]) => leaf as Tensor)

const isBatch = (x: unknown): x is Batch => {
  const leaves = leavesOf('map', '', x)
  return leaves.length > 0 && leaves.every(([, leaf]) => leaf instanceof Tensor)
}

const partNames = ['x', 'y', 'weights']

/** `x [4, 2] and y [3]`, or of several tensors `x.image [4, 2], x.text [4] and y [3]`. */
function describe(parts: readonly Batch[]): string {
  const texts = parts.map((part, i) =>
    leavesOf('map', elementAt(partNames, i), part)
      .map(([path, leaf]) => `${path} ${formatShape((leaf as Tensor).shape)}`)
      .join(', '),
  )
  return [texts.slice(0, -1).join(', '), ...texts.slice(-1)].filter((text) => text !== '').join(' and ')
}

const indicesOf = (op: string, rows: TensorLike): Tensor =>
  rows instanceof Tensor ? rows : tensor(checkValues(op, rows), { dtype: 'int32' })

const forms = ['x, or [x, y]', '[x, y], two tensors', '[x, y, weights], three tensors']

/** The parts that a map gives, of as many rows; it may add some, but not leave any out. */
function checkedBatch(given: readonly Batch[] | Batch, least: number, rows: number): readonly Batch[] {
  const isAlone = least === 1 && (given instanceof Tensor || isPlainObject(given))
  const parts = (isAlone ? [given] : given) as readonly Batch[]
  if (!Array.isArray(parts) || parts.length < least || parts.length > 3 || !parts.every(isBatch))
    throw new TypeError(expected('map', `a function that returns ${elementAt(forms, least - 1)}`, shownAs(given)))
  if (parts.flatMap(tensorsIn).every(({ shape }) => shape[0] === rows)) return parts
  throw new ShapeError(expected('map', `x and y of ${rows} rows, as many as it was given`, describe(parts)))
}

/** A list of which an element is a tensor is a list of tensors, any other one is an array of numbers. */
function batchOf(rows: Rows): Batch {
  if (Array.isArray(rows) && rows.some((x) => x instanceof Tensor)) return rows.map(rowsOf)
  if (!isPlainObject(rows)) return rowsOf(rows as TensorLike)
  return Object.fromEntries(Object.entries(rows).map(([name, x]) => [name, rowsOf(x as TensorLike)]))
}

const rowsOf = (x: TensorLike): Tensor => inputOf('fromTensors', x)

/**
 * A data set of rows x[i] with targets y[i], and weights[i] where they are given. Each is a tensor, or several tensors of as many rows in a list or by
 * name, for models of several inputs or outputs. A record, or a tensor, by itself is rows without targets: for `predict`, or to be mapped.
 *
 * @throws ShapeError where there are not as many targets as rows.
 *
 * @example
 * fromTensors(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([0, 1, 1, 0], { dtype: 'int32' }))
 * fromTensors({ image: images, text: words }, labels)
 * fromTensors({ image: images, label: labels }).map(({ image, label }) => [image, label])
 * @pytorch torch.utils.data.TensorDataset
 * @tensorflow tf.data.Dataset.from_tensor_slices
 */
export function fromTensors<const X extends Rows, const Y extends Rows, const W extends Rows>(
  x: X,
  y: Y,
  weights: W,
): Dataset<BatchOf<X>, BatchOf<Y>, BatchOf<W>>
export function fromTensors<const X extends Rows, const Y extends Rows>(x: X, y: Y): Dataset<BatchOf<X>, BatchOf<Y>>
export function fromTensors<const X extends TensorLike | Readonly<Record<string, TensorLike>>>(
  x: X,
): Dataset<BatchOf<X>, undefined>
export function fromTensors(...given: readonly Rows[]): Dataset<Batch, Batch | undefined, Batch | undefined> {
  if (given.length === 0 || given.length > 3) refuseSurplus('fromTensors', 3, given.slice(3))
  const parts = (given.length === 0 ? [undefined as never] : trimmed(given)).map(batchOf)
  const all = parts.flatMap(tensorsIn)
  const rows = all[0]?.shape[0]
  const isEmpty = parts.some((part) => tensorsIn(part).length === 0)
  if (parts.length === 1 && Array.isArray(parts[0]))
    throw new TypeError(expected('fromTensors', 'x and y one after the other, or x by itself', 'a list of tensors'))
  if (isEmpty || rows === undefined || all.some(({ shape }) => shape[0] !== rows))
    throw new ShapeError(
      expected('fromTensors', 'x[rows, …] and y[rows, …] of as many rows', isEmpty ? 'none' : describe(parts)),
    )
  return new Dataset(parts, [])
}

/** What is not given at the end is not there. */
function trimmed(given: readonly Rows[]): readonly Rows[] {
  const last = given.findLastIndex((part) => part !== undefined)
  return given.slice(0, Math.max(1, last + 1))
}
