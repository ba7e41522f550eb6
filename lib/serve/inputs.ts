/** What a request's rows are: checked, and laid out as the elements of each input. */
import { checkInteger, checkNumber, describe } from '../base/arguments.ts'
import { allocateChecked } from '../base/arrays.ts'
import { checkDType, type DType, type TypedArray } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { checkShape, formatShape, type Shape, sizeOf } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { parseValues, type TensorValues } from '../tensor/values.ts'

/** The shape of one row; null for the one axis, the first, that is as long as a row says. */
export type RowShape = readonly (number | null)[]

/** What a row, or several of them, may be of one input: numbers in nested arrays, a typed array of them all, a computed tensor. */
export type InputValues = TensorValues | Tensor

/** Of a model of one input its values, of several a record of them. */
export type RowValues = InputValues | Readonly<Record<string, InputValues>>

/** How rows of unlike lengths are brought to a few lengths. */
export interface LengthOptions {
  /** The lengths that rows are padded to, ascending; the last one is the longest that is taken. */
  readonly lengths?: readonly number[] | undefined
  /** What they are padded with; 0 unless given. */
  readonly padValue?: number | undefined
  /** Under which name the model is given how long each row was before that, as int32[rows]. */
  readonly lengthsAs?: string | undefined
}

/** Elements of the dtype that is wanted, in memory that nobody else has: they are read without a copy. */
export class OwnElements {
  constructor(
    readonly array: TypedArray,
    readonly shape: Shape,
  ) {}
}

export interface InputSpec {
  /** '' for the one input of a model that takes a bare tensor. */
  readonly name: string
  readonly shape: RowShape
  readonly dtype: DType
}

/** Of each input the elements of a row, in the order of the inputs, and how long its variable axes are. */
export interface Row {
  readonly parts: readonly TypedArray[]
  /** 0 where no input has such an axis. */
  readonly length: number
}

/** The rows of a batch. */
export interface JoinedRows {
  /** The elements of each input, and its shape with the rows first. */
  readonly parts: readonly TypedArray[]
  readonly shapes: readonly (readonly number[])[]
  /** How long each row was. */
  readonly lengths: Int32Array<ArrayBuffer>
}

/** @throws TypeError, RangeError for what are no shapes of rows */
export function inputSpecs(op: string, shapes: unknown, dtypes: unknown): readonly InputSpec[] {
  const isSeveral = isPlainObject(shapes)
  if (!isSeveral && !Array.isArray(shapes))
    throw new TypeError(expected(op, 'an inputShape: that of one row, or a record of such', describe(shapes)))
  const entries = isSeveral ? Object.entries(shapes as Record<string, unknown>) : [['', shapes] as const]
  if (entries.length === 0) throw new TypeError(expected(op, 'an inputShape of at least one input', 'none'))
  return entries.map(([name, shape]) => {
    const what = name === '' ? 'inputShape' : `inputShape.${name}`
    const dtype = typeof dtypes === 'string' ? dtypes : new Map(Object.entries(dtypes ?? {})).get(name)
    return { name, shape: rowShape(op, what, shape), dtype: checkDType(op, dtype ?? 'float32') }
  })
}

function rowShape(op: string, what: string, shape: unknown): RowShape {
  if (!Array.isArray(shape)) throw new TypeError(expected(op, `a list of extents as ${what}`, describe(shape)))
  const fixed = shape.map((extent, i) => (extent === null && i === 0 ? 1 : extent)) as Shape
  checkShape(op, fixed)
  if (sizeOf(fixed) === 0) throw new ShapeError(expected(op, `extents of at least 1 as ${what}`, formatShape(fixed)))
  return [...shape]
}

const isVariable = ({ shape }: InputSpec): boolean => shape[0] === null

const formatRowShape = (shape: RowShape): string => `[${shape.map((extent) => extent ?? 'any length').join(', ')}]`

/** Reads rows for the inputs of a model. */
export class RowReader {
  readonly #isBare: boolean
  /** The places of the inputs that have any length. */
  readonly #variable: readonly number[]
  readonly lengths: readonly number[]
  readonly padValue: number

  constructor(
    private readonly op: string,
    readonly specs: readonly InputSpec[],
    { lengths, padValue = 0, lengthsAs }: LengthOptions,
    private readonly finiteOnly: boolean,
  ) {
    this.#isBare = specs.length === 1 && specs[0]!.name === ''
    this.#variable = specs.flatMap((spec, i) => (isVariable(spec) ? [i] : []))
    this.lengths = this.#checkedLengths(lengths)
    this.padValue = checkNumber(op, 'a finite padValue', padValue, Number.isFinite)
    if (lengthsAs !== undefined && (this.#isBare || this.lengths.length === 0))
      throw new TypeError(expected(op, 'lengthsAs for inputs by name, one of which has any length', lengthsAs))
  }

  #checkedLengths(lengths: readonly number[] | undefined): readonly number[] {
    const { op } = this
    if (this.#variable.length === 0) {
      if (lengths !== undefined) throw new TypeError(expected(op, 'lengths for an inputShape with null', lengths))
      return []
    }
    if (!Array.isArray(lengths) || lengths.length === 0)
      throw new TypeError(expected(op, 'lengths, to which rows of any length are padded', describe(lengths)))
    for (const [i, length] of lengths.entries())
      checkInteger(op, 'ascending integers as lengths', length, i === 0 ? 1 : lengths[i - 1]! + 1)
    return [...lengths]
  }

  /** The length that a row is padded to. */
  padded(length: number): number {
    return this.lengths.find((most) => length <= most) ?? 0
  }

  /**
   * @returns the rows, and whether it is one by itself, whose answer is by itself as well
   * @throws TypeError, ShapeError, RangeError for what are no rows of the inputs
   */
  read(given: unknown): { rows: readonly Row[]; isSingle: boolean } {
    const { op, specs } = this
    const values = this.#isBare ? [given] : this.#byName(given)
    const read = values.map((value, i) => this.#readInput(specs[i]!, value))
    const [first] = read as [{ rows: TypedArray[]; lengths: number[]; isSingle: boolean }]
    for (const [i, { rows, isSingle }] of read.entries()) {
      if (rows.length === first.rows.length && isSingle === first.isSingle) continue
      const counts = [first, { rows, isSingle }].map((x) => (x.isSingle ? 'one row' : `${x.rows.length} rows`))
      throw new ShapeError(
        expected(op, `as many rows in ${specs[i]!.name} as in ${specs[0]!.name}`, counts.toReversed().join(' and ')),
      )
    }
    const rows = first.rows.map((_, row) => {
      const lengths = this.#variable.map((i) => read[i]!.lengths[row]!)
      if (lengths.some((length) => length !== lengths[0]))
        throw new ShapeError(expected(op, 'inputs of one length in a row', lengths.join(' and ')))
      return { parts: read.map((input) => input.rows[row]!), length: lengths[0] ?? 0 }
    })
    return { rows, isSingle: first.isSingle }
  }

  #byName(given: unknown): unknown[] {
    const { op, specs } = this
    const names = specs.map(({ name }) => name)
    if (!isPlainObject(given))
      throw new TypeError(expected(op, `the inputs ${names.join(', ')} by name`, describe(given)))
    for (const name of Object.keys(given))
      if (!names.includes(name))
        throw new TypeError(expected(op, `the inputs ${names.join(', ')}`, `an unknown ${name}`))
    return names.map((name) => {
      const value = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined
      if (value === undefined) throw new TypeError(expected(op, `the inputs ${names.join(', ')}`, `no ${name}`))
      return value
    })
  }

  #readInput(spec: InputSpec, value: unknown): { rows: TypedArray[]; lengths: number[]; isSingle: boolean } {
    const { dtype } = spec
    if (isVariable(spec) && Array.isArray(value) && isListOfRows(value, spec.shape.length))
      return this.#listOfRows(spec, value)
    const { array, shape } = parsed(this.op, value, dtype)
    const rank = spec.shape.length
    const isFlat = shape.length === 1 && ArrayBuffer.isView(value) && !isVariable(spec)
    const rowSize = spec.shape.reduce<number>(
      (size, extent, i) => size * (extent ?? shape[shape.length - rank + i] ?? 1),
      1,
    )
    if (isFlat ? array.length % rowSize !== 0 || array.length === 0 : !this.#fits(spec, shape))
      throw this.#misfit(spec, shape)
    const isSingle = isFlat ? array.length === rowSize && rank > 0 : shape.length === rank
    const count = isSingle ? 1 : isFlat ? array.length / rowSize : shape[0]!
    const length = isVariable(spec) ? shape[shape.length - rank]! : 0
    this.#checkLength(spec, length)
    this.#checkFinite(spec, array)
    const rows = Array.from({ length: count }, (_, i) =>
      count === 1 ? array : array.subarray(i * rowSize, (i + 1) * rowSize),
    )
    return { rows, lengths: rows.map(() => length), isSingle }
  }

  /** Rows of unlike lengths. */
  #listOfRows(spec: InputSpec, value: readonly unknown[]) {
    const all = value.map((row) => this.#readInput(spec, row))
    return { rows: all.flatMap(({ rows }) => rows), lengths: all.flatMap(({ lengths }) => lengths), isSingle: false }
  }

  #fits({ shape: expectedShape }: InputSpec, shape: Shape): boolean {
    const extra = shape.length - expectedShape.length
    return (
      (extra === 0 || (extra === 1 && shape[0]! > 0)) &&
      expectedShape.every((extent, i) => extent === null || extent === shape[i + extra])
    )
  }

  #misfit({ name, shape }: InputSpec, got: Shape): ShapeError {
    const what = `a row of shape ${formatRowShape(shape)}${name === '' ? '' : ` as ${name}`}, or rows of it`
    return new ShapeError(expected(this.op, what, `shape ${formatShape(got)}`))
  }

  #checkLength(spec: InputSpec, length: number): void {
    if (!isVariable(spec)) return
    const most = this.lengths.at(-1)!
    if (length < 1 || length > most)
      throw new ShapeError(expected(this.op, `a row of a length from 1 to ${most}`, length))
  }

  #checkFinite({ name }: InputSpec, array: TypedArray): void {
    if (!this.finiteOnly || !(array instanceof Float32Array || array instanceof Float64Array)) return
    const place = array.findIndex((x) => !Number.isFinite(x))
    if (place === -1) return
    throw new RangeError(
      expected(this.op, `finite numbers${name === '' ? '' : ` as ${name}`}`, `${array[place]} at ${place}`),
    )
  }

  /** A row of zeros, of the shortest length unless given. */
  zeros(length = this.lengths[0] ?? 0): Row {
    const parts = this.specs.map(({ dtype, shape }) =>
      allocateChecked(
        this.op,
        dtype,
        shape.map((extent) => extent ?? length),
      ),
    )
    return { parts, length }
  }

  /** The rows of a batch as one array for each input, padded to a count of rows, and to a length that is theirs unless given. */
  join(rows: readonly Row[], count: number, length = rows[0]!.length): JoinedRows {
    const padded = length === 0 ? 0 : this.padded(length)
    const lengths = new Int32Array(count).fill(this.lengths[0] === undefined ? 0 : 1)
    for (const [i, row] of rows.entries()) lengths[i] = row.length
    const shapes = this.specs.map(({ shape }) => [count, ...shape.map((extent) => extent ?? padded)])
    const parts = this.specs.map((spec, input) => {
      const all = allocateChecked(this.op, spec.dtype, shapes[input]!)
      const rowSize = all.length / count
      if (isVariable(spec) && this.padValue !== 0) all.fill(this.padValue)
      for (const [i, row] of rows.entries()) all.set(row.parts[input]!, i * rowSize)
      return all
    })
    return { parts, lengths, shapes }
  }
}

function parsed(op: string, value: unknown, dtype: DType): { array: TypedArray; shape: Shape } {
  if (value instanceof OwnElements) return value
  if (!(value instanceof Tensor)) return parseValues(op, value as TensorValues, { dtype })
  const [array, shape] = [value.dataSync(), value.shape]
  // A copy by itself, which needs no other one.
  return value.dtype === dtype ? { array, shape } : parseValues(op, array, { dtype, shape })
}

/** Whether nested values are several rows, of which each may have another length. */
function isListOfRows(value: readonly unknown[], rank: number): boolean {
  let depth = 0
  for (let inner: unknown = value; ; depth++) {
    if (ArrayBuffer.isView(inner)) return depth + 1 === rank + 1
    if (inner instanceof Tensor) return depth + inner.ndim === rank + 1
    if (!Array.isArray(inner)) return depth === rank + 1
    if (inner.length === 0) return false
    inner = inner[0]
  }
}
