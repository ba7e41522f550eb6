/** Data sets: rows of tensors that are mapped, shuffled and read in batches. */
import { expected, ShapeError } from '../base/errors.ts'
import { checkFunction, checkNumber } from '../base/options.ts'
import { formatShape } from '../base/shape.ts'
import { tensor } from '../tensor/creation.ts'
import { evaluate, Tensor, type TensorLike } from '../tensor/tensor.ts'

/** What becomes of a batch of rows. It is recorded into the compiled step, not called for each batch. */
export type BatchMap = (x: Tensor, y: Tensor) => readonly [Tensor, Tensor]

/**
 * Rows of inputs x with their targets y, held in memory as they are. `fit` gathers the rows of each batch inside its
 * compiled step, and maps them there.
 */
export class Dataset {
  readonly #x: Tensor
  readonly #y: Tensor
  readonly #maps: readonly BatchMap[]

  /** @internal */
  constructor(x: Tensor, y: Tensor, maps: readonly BatchMap[]) {
    this.#x = x
    this.#y = y
    this.#maps = maps
  }

  /** The number of rows. */
  get size(): number {
    return this.#x.shape[0]!
  }

  /**
   * The same rows, mapped batch by batch when they are used: bytes in memory stay bytes until the step casts them.
   *
   * @example
   * fromTensors(images, labels).map((x, y) => [x.cast('float32').div(255), y])
   */
  map(fn: BatchMap): Dataset {
    checkFunction('map', 'a function of x and y', fn)
    return new Dataset(this.#x, this.#y, [...this.#maps, fn])
  }

  /** Rows start ≤ i < end; negative bounds count from the end, and bounds beyond it are clamped. */
  slice(start: number, end: number = this.size): Dataset {
    return new Dataset(this.#x.slice(start, end), this.#y.slice(start, end), this.#maps)
  }

  /** The first `count` rows, and the other ones. */
  split(count: number): [Dataset, Dataset] {
    checkNumber(
      'split',
      `an integer from 0 to ${this.size}`,
      count,
      (n) => Number.isInteger(n) && n >= 0 && n <= this.size,
    )
    return [this.slice(0, count), this.slice(count)]
  }

  /** The given rows, mapped: x and y of as many rows. An index outside [0, size) is a RangeError when evaluated. */
  batch(rows: TensorLike): [Tensor, Tensor] {
    const indices = rows instanceof Tensor ? rows : tensor(rows, { dtype: 'int32' })
    let batch: readonly [Tensor, Tensor] = [this.#x.gather(indices), this.#y.gather(indices)]
    for (const fn of this.#maps) batch = checkedBatch(fn(...batch), indices.size)
    return [...batch]
  }

  /** Computes x and y where they are not computed yet. */
  async load(): Promise<void> {
    await evaluate(this.#x, this.#y)
  }
}

function checkedBatch(batch: readonly [Tensor, Tensor], rows: number): readonly [Tensor, Tensor] {
  if (!Array.isArray(batch) || batch.length !== 2 || batch.some((x) => !(x instanceof Tensor)))
    throw new TypeError(expected('map', 'a function that returns [x, y], two tensors', typeof batch))
  const [x, y] = batch
  if (x.shape[0] === rows && y.shape[0] === rows) return batch
  const got = `x ${formatShape(x.shape)} and y ${formatShape(y.shape)}`
  throw new ShapeError(expected('map', `x and y of ${rows} rows, as many as it was given`, got))
}

/**
 * A data set of rows x[i] with targets y[i].
 *
 * @throws ShapeError where there are not as many targets as rows.
 *
 * @example
 * fromTensors(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([0, 1, 1, 0], { dtype: 'int32' }))
 */
export function fromTensors(x: TensorLike, y: TensorLike): Dataset {
  const [inputs, targets] = [tensor(x), tensor(y)]
  if (inputs.ndim === 0 || targets.ndim === 0 || inputs.shape[0] !== targets.shape[0]) {
    const got = `x ${formatShape(inputs.shape)} and y ${formatShape(targets.shape)}`
    throw new ShapeError(expected('fromTensors', 'x[rows, …] and y[rows, …] of as many rows', got))
  }
  return new Dataset(inputs, targets, [])
}
