/** Data sets: rows of tensors that are mapped, shuffled and read in batches. */

import { checkFunction, checkInteger, checkNumber, checkValues, describe as shownAs } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { elementAt } from '../base/lists.ts'
import { isPlainObject } from '../base/options.ts'
import { extentAt, formatShape } from '../base/shape.ts'
import { leavesOf, mapTree } from '../base/tree.ts'
import { inputOf } from '../nn/inputs.ts'
import { tensor } from '../tensor/creation.ts'
import { evaluate, Tensor, type TensorLike } from '../tensor/tensor.ts'

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

type AnyMap = (x: never, y: never) => readonly [Batch, Batch]

/**
 * Rows of inputs x with their targets y, held in memory as they are. `fit` gathers the rows of each batch inside its
 * compiled step, and maps them there.
 */
export class Dataset<X extends Batch = Tensor, Y extends Batch = Tensor> {
  protected readonly notCloned = notCloned('a data set: send the data() of its tensors')
  readonly #x: Batch
  readonly #y: Batch
  readonly #maps: readonly AnyMap[]

  /** @internal */
  constructor(x: Batch, y: Batch, maps: readonly AnyMap[]) {
    this.#x = x
    this.#y = y
    this.#maps = maps
  }

  /** The number of rows. */
  get size(): number {
    return extentAt(elementAt(tensorsIn(this.#x), 0).shape, 0)
  }

  /**
   * The same rows, mapped batch by batch when they are used: bytes in memory stay bytes until the step casts them.
   *
   * @example
   * fromTensors(images, labels).map((x, y) => [x.cast('float32').div(255), y])
   */
  map<X2 extends Batch, Y2 extends Batch>(fn: BatchMap<X, Y, X2, Y2>): Dataset<X2, Y2> {
    checkFunction('map', 'a function of x and y', fn)
    return new Dataset(this.#x, this.#y, [...this.#maps, fn as AnyMap])
  }

  /** Rows start ≤ i < end; negative bounds count from the end, and bounds beyond it are clamped. */
  slice(start: number, end: number = this.size): Dataset<X, Y> {
    for (const bound of [start, end]) checkInteger('slice', 'an integer as bound', bound)
    const part = (rows: Batch) => mapBatch(rows, (x) => x.slice(start, end))
    return new Dataset(part(this.#x), part(this.#y), this.#maps)
  }

  /** The first `count` rows, and the other ones. */
  split(count: number): [Dataset<X, Y>, Dataset<X, Y>] {
    checkNumber(
      'split',
      `an integer from 0 to ${this.size}`,
      count,
      (n) => Number.isInteger(n) && n >= 0 && n <= this.size,
    )
    return [this.slice(0, count), this.slice(count)]
  }

  /** The given rows, mapped: x and y of as many rows. An index outside [0, size) is a RangeError when evaluated. */
  batch(rows: TensorLike): [X, Y] {
    const indices = rows instanceof Tensor ? rows : tensor(checkValues('batch', rows), { dtype: 'int32' })
    const gathered = (part: Batch) => mapBatch(part, (x) => x.gather(indices))
    let batch: readonly [Batch, Batch] = [gathered(this.#x), gathered(this.#y)]
    for (const fn of this.#maps) batch = checkedBatch(fn(batch[0] as never, batch[1] as never), indices.size)
    return [...batch] as [X, Y]
  }

  /** Computes x and y where they are not computed yet. */
  async load(): Promise<void> {
    await evaluate(...tensorsIn(this.#x), ...tensorsIn(this.#y))
  }
}

brand(Dataset.prototype, 'data set')

const mapBatch = (batch: Batch, fn: (x: Tensor) => Tensor): Batch =>
  mapTree('map', batch, (x) => fn(x as Tensor)) as Batch

const tensorsIn = (batch: Batch): Tensor[] => leavesOf('map', '', batch).map(([, leaf]) => leaf as Tensor)

const isBatch = (x: unknown): x is Batch => {
  const leaves = leavesOf('map', '', x)
  return leaves.length > 0 && leaves.every(([, leaf]) => leaf instanceof Tensor)
}

/** `x [4, 2] and y [3]`, or of several tensors `x.image [4, 2], x.text [4] and y [3]`. */
function describe(x: Batch, y: Batch): string {
  const listed = (name: string, batch: Batch) =>
    leavesOf('map', name, batch).map(([path, leaf]) => `${path} ${formatShape((leaf as Tensor).shape)}`)
  return `${listed('x', x).join(', ')} and ${listed('y', y).join(', ')}`
}

function checkedBatch(batch: readonly [Batch, Batch], rows: number): readonly [Batch, Batch] {
  if (!Array.isArray(batch) || batch.length !== 2 || !batch.every(isBatch))
    throw new TypeError(expected('map', 'a function that returns [x, y], two tensors', shownAs(batch)))
  const [x, y] = batch as [Batch, Batch]
  if ([...tensorsIn(x), ...tensorsIn(y)].every(({ shape }) => shape[0] === rows)) return [x, y]
  throw new ShapeError(expected('map', `x and y of ${rows} rows, as many as it was given`, describe(x, y)))
}

/** A list of which an element is a tensor is a list of tensors, any other one is an array of numbers. */
function batchOf(rows: Rows): Batch {
  if (Array.isArray(rows) && rows.some((x) => x instanceof Tensor)) return rows.map(rowsOf)
  if (!isPlainObject(rows)) return rowsOf(rows as TensorLike)
  return Object.fromEntries(Object.entries(rows).map(([name, x]) => [name, rowsOf(x as TensorLike)]))
}

const rowsOf = (x: TensorLike): Tensor => inputOf('fromTensors', x)

/**
 * A data set of rows x[i] with targets y[i]. Each of both is a tensor, or several tensors of as many rows in a list or by name, for models
 * of several inputs or outputs.
 *
 * @throws ShapeError where there are not as many targets as rows.
 *
 * @example
 * fromTensors(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([0, 1, 1, 0], { dtype: 'int32' }))
 * fromTensors({ image: images, text: words }, labels)
 */
export function fromTensors<const X extends Rows, const Y extends Rows>(x: X, y: Y): Dataset<BatchOf<X>, BatchOf<Y>> {
  const [inputs, targets] = [batchOf(x), batchOf(y)]
  const all = [...tensorsIn(inputs), ...tensorsIn(targets)]
  const rows = all[0]?.shape[0]
  const isEmpty = tensorsIn(inputs).length === 0 || tensorsIn(targets).length === 0
  if (isEmpty || rows === undefined || all.some(({ shape }) => shape[0] !== rows))
    throw new ShapeError(
      expected(
        'fromTensors',
        'x[rows, …] and y[rows, …] of as many rows',
        isEmpty ? 'none' : describe(inputs, targets),
      ),
    )
  return new Dataset(inputs, targets, [])
}
