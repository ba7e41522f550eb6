/** Open files of tensors: what is in them is known, and read when it is asked for. */
import { checkInteger, checkList, checkText, describe } from '../base/arguments.ts'
import { notCloned } from '../base/cloning.ts'
import type { DType } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { brand } from '../base/identity.ts'
import { showAsText } from '../base/inspection.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { formatShape, maxElements, type Shape, sizeOf } from '../base/shape.ts'
import { turnIfDue } from '../base/turns.ts'
import { concat } from '../operations/joining.ts'
import { tensor } from '../tensor/creation.ts'
import { evaluate, type Tensor } from '../tensor/tensor.ts'
import type { Part } from './parts.ts'
import type { Entry, Metadata } from './safetensors-header.ts'
import { memorySource, type Reading, readIn, type Source } from './source.ts'
import { decode, dtypeOf, type LoadDType, loadDTypes, type StoredName, storedBytes } from './stored.ts'

/** What a file says of a tensor. */
export interface TensorInfo {
  /** The type of its elements there: `F32`, `BF16`, `I64`, … */
  dtype: StoredName
  shape: Shape
  /** How many bytes it takes there. */
  bytes: number
}

export interface ReadOptions {
  /**
   * The dtype that it becomes. Unless given, F16, BF16, F32 and F64 become float32, all integers but U8 int32, U8 uint8, BOOL bool;
   * `stored` is the same, but for F64, which stays float64.
   */
  dtype?: LoadDType
  /** Only rows start ≤ i < end of the first axis: no others are read. */
  rows?: readonly [start: number, end: number]
}

const readOptions: OptionTypes<ReadOptions> = { dtype: loadDTypes, rows: 'other' }

/** So many elements are converted before the event loop turns. */
const piece = 2 ** 18

/**
 * A file of tensors that `open` opened, or several in shards. `tensors` and `metadata` are known; `read` reads one tensor, by its
 * position, and no other byte.
 */
export class TensorFile {
  protected readonly notCloned = notCloned('a file of tensors: send its path')
  readonly #parts: readonly Part<Source>[]
  readonly #places: ReadonlyMap<string, readonly [Entry, Source]>
  #isOpen = true

  /** @internal */
  constructor(parts: readonly Part<Source>[]) {
    this.#parts = parts
    this.#places = new Map(
      parts.flatMap(({ source, header }) =>
        Array.from(header.entries, ([name, entry]) => [name, [entry, source]] as const),
      ),
    )
  }

  /** A line for each tensor: `weight: F32 [2, 3]`. */
  toString(): string {
    const lines = Array.from(this.#places, ([name, [{ type, shape }]]) => `\n  ${name}: ${type} ${formatShape(shape)}`)
    return `TensorFile of ${lines.length} tensors${lines.join('')}`
  }

  /** What the tensors are, by name, in the order of the file. */
  get tensors(): Record<string, TensorInfo> {
    return Object.fromEntries(
      Array.from(this.#places, ([name, [{ type, shape, start, end }]]) => [
        name,
        { dtype: type, shape: shape.slice(), bytes: end - start },
      ]),
    )
  }

  /** The texts that were saved with them. */
  get metadata(): Metadata {
    return Object.assign({}, ...this.#parts.map(({ header }) => header.metadata))
  }

  /**
   * One tensor, or some rows of it. The event loop turns while a large one is converted.
   *
   * @throws (rejects with) RangeError for a name that is not there, rows outside of the tensor, or a number that an integer dtype
   * does not hold, as of I64
   */
  async read(name: string, options?: ReadOptions, ...surplus: unknown[]): Promise<Tensor> {
    const given = checkOptions('read', options, readOptions, surplus)
    if (!this.#isOpen) throw new TypeError(expected('read', 'an open file', 'a closed one'))
    const found = this.#places.get(checkText('read', 'the name of a tensor', name))
    if (found === undefined) throw new RangeError(expected('read', 'the name of a tensor in the file', describe(name)))
    const [entry, source] = found
    const asked = given.rows === undefined ? entry : rowsOf(entry, given.rows)
    const result = await readIn(source, readTensor('read', asked, given.dtype))
    await evaluate(result)
    return result
  }

  /** Closes it, once what is being read has been. Nothing can be read then. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await Promise.all(this.#parts.map(({ source }) => source.close()))
  }
}

brand(TensorFile.prototype, 'file of tensors')
showAsText(TensorFile.prototype)

function rowsOf(entry: Entry, rows: readonly [number, number]): Entry {
  const bounds = checkList('read', 'rows as [start, end]', rows)
  if (bounds.length !== 2) throw new TypeError(expected('read', 'rows as [start, end]', bounds))
  const [extent, ...rest] = entry.shape
  if (extent === undefined)
    throw new ShapeError(expected('read', `a tensor with rows as ${entry.name}`, formatShape(entry.shape)))
  const start = checkInteger('read', `a first row from 0 to ${extent}`, bounds[0], 0, extent)
  const end = checkInteger('read', `an end of rows from ${start} to ${extent}`, bounds[1], start, extent)
  const bytes = sizeOf(rest) * storedBytes(entry.type)
  return {
    ...entry,
    shape: [end - start, ...rest],
    start: entry.start + start * bytes,
    end: entry.start + end * bytes,
  }
}

/** The tensor of an entry, not computed yet where it was read in pieces. */
export function* readTensor(op: string, entry: Entry, asked: LoadDType | undefined): Reading<Tensor> {
  const { name, type, shape, start } = entry
  const dtype = dtypeOf(type, asked)
  if (dtype === null) throw new DTypeError(expected(op, `${name} to be of a type that tensors have`, type))
  const size = sizeOf(shape)
  if (size > maxElements)
    throw new RangeError(expected(op, `${name} to have at most ${maxElements} elements`, formatShape(shape)))
  const bytes = storedBytes(type)
  const pieces: Tensor[] = []
  for (let i = 0; i === 0 || i < size; i += piece) {
    const end = Math.min(i + piece, size)
    const values = decodeNamed(op, entry, yield [start + i * bytes, start + end * bytes], dtype)
    if (size <= piece) return tensor(values, { dtype, shape })
    pieces.push(tensor(values, { dtype }))
    yield
  }
  return concat(pieces).reshape(shape)
}

/** The tensor of bytes that are there, decoded in pieces between which the event loop turns. */
export async function tensorOfBytes(
  op: string,
  { name, type, shape }: Pick<Entry, 'name' | 'type' | 'shape'>,
  bytes: Uint8Array,
  dtype: LoadDType,
): Promise<Tensor> {
  const source = memorySource(op, bytes, name)
  const [x] = await evaluate(
    await readIn(source, readTensor(op, { name, type, shape, start: 0, end: bytes.length }, dtype)),
  )
  await turnIfDue()
  return x
}

function decodeNamed(op: string, { name, type, bigEndian = false }: Entry, bytes: Uint8Array, dtype: DType) {
  try {
    return decode(op, type, bigEndian ? swapped(bytes, storedBytes(type)) : bytes, dtype)
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${error.message} in ${name}; { dtype } has another`)
    throw error
  }
}

/** A copy in which the bytes of each element are in the other order. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  for (let i = 0; i < copy.length; i += size) copy.subarray(i, i + size).reverse()
  return copy
}
