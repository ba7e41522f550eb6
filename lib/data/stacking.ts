/**
 * Elements stacked into a batch, and a batch taken apart into elements.
 *
 * An element that is an array of two or three is `[x, y]` or `[x, y, weights]`, each stacked by itself. Below that, and in records, an array
 * of numbers is one value, as a typed array or a tensor is, and an array of anything else is a list of parts. Values become
 * tensors with a first axis of rows; null is NaN; texts become a list, as tensors hold none.
 */
import { describe } from '../base/arguments.ts'
import { allocateChecked } from '../base/arrays.ts'
import {
  checkDType,
  type DType,
  dtypeOfArray,
  elementOf,
  isDType,
  type TypedArray,
  writeElements,
} from '../base/dtype.ts'
import { expected, PipelineError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { isPlainObject } from '../base/options.ts'
import { extentAt, formatShape, maxRank, type Shape, sameShape, sizeOf } from '../base/shape.ts'
import { leavesOf } from '../base/tree.ts'
import { tensor } from '../tensor/creation.ts'
import { evaluate, Tensor } from '../tensor/tensor.ts'

/** Numbers in nested arrays. */
export type NestedNumbers = number | boolean | null | readonly NestedNumbers[]

type Value = Tensor | ArrayBufferView | NestedNumbers

/** What stacked parts of an element become. */
export type StackedPart<T> = [T] extends [string | null]
  ? [T] extends [null]
    ? Tensor
    : T[]
  : [T] extends [Value]
    ? Tensor
    : T extends readonly unknown[] | Readonly<Record<string, unknown>>
      ? { -readonly [K in keyof T]: StackedPart<T[K]> }
      : Tensor

/** The batch that elements become. */
export type Stacked<T> = T extends readonly [unknown, unknown] | readonly [unknown, unknown, unknown]
  ? { -readonly [K in keyof T]: StackedPart<T[K]> }
  : StackedPart<T>

type Single = number | boolean | string | null

/** The lengths of sequences in an element, by the places where they are; what is one number or text has none. */
export type Lengths<T> = [T] extends [Value]
  ? Tensor
  : T extends readonly unknown[]
    ? { -readonly [K in keyof T]: Lengths<T[K]> }
    : T extends Readonly<Record<string, unknown>>
      ? { -readonly [K in keyof T as T[K] extends Single ? never : K]: Lengths<T[K]> }
      : Tensor

/** A dtype for all values, or for those of each part: `['float32', 'int32']` of `[x, y]`. */
export type DTypes = DType | readonly DTypes[] | { readonly [name: string]: DTypes }

/** @throws TypeError or DTypeError for anything that is no dtype of something */
export function checkDTypes(op: string, dtypes: unknown): void {
  for (const [, dtype] of leavesOf(op, 'dtype', dtypes)) checkDType(op, dtype)
}

/** What becomes of the extents of a value that differ from one element to another. */
export interface Padding {
  /** The shape that values of some shapes get. */
  shape(shapes: readonly Shape[]): Shape
  /** What stands where an element has nothing. */
  readonly value: number
}

export interface Stacking {
  readonly op: string
  /** The number of the first element. */
  readonly first: number
  readonly dtype: DTypes | undefined
  readonly padding?: Padding | undefined
  /** That of what comes after x. */
  readonly targetPadding?: Padding | undefined
}

interface Part extends Stacking {
  /** What it is called: `x`, `y.name`. */
  readonly path: string
  /** How many arrays and records it is in. */
  readonly depth: number
}

/** Far more than anybody nests. */
const mostDepth = 64

const isTuple = (x: unknown): x is readonly unknown[] => Array.isArray(x) && (x.length === 2 || x.length === 3)

/** Whether an array, of as many axes as a tensor may have, is nothing but numbers. */
const isNumbers = (x: unknown, axes = maxRank): x is NestedNumbers =>
  typeof x === 'number' ||
  typeof x === 'boolean' ||
  x === null ||
  (Array.isArray(x) && axes > 0 && x.every((part) => isNumbers(part, axes - 1)))

const isValue = (x: unknown): x is Value => x instanceof Tensor || ArrayBuffer.isView(x) || isNumbers(x)

const partNames = ['x', 'y', 'weights']

/** The tensors in an element are computed here: its values are copied. */
export async function stacked(elements: readonly unknown[], stacking: Stacking): Promise<unknown> {
  await computed(elements)
  const [first] = elements
  if (!isTuple(first)) return stackedPart(elements, { ...stacking, path: '', depth: 0 })
  return first.map((_, i) => {
    const part = named(stacking, partNames[i]!, i)
    const { padding, targetPadding } = stacking
    return stackedPart(
      columnOf(elements, i, first.length, stacking),
      i === 0 ? part : { ...part, padding: targetPadding ?? padding },
    )
  })
}

/**
 * The extents of the first axis of values that were stacked, in the structure that they have; what has no axis has none.
 * Of elements that are `[x, y]` those of x.
 */
export function lengthsOf(elements: readonly unknown[]): unknown {
  return lengthsOfPart(isTuple(elements[0]) ? elements.map((element) => (element as readonly unknown[])[0]) : elements)
}

function lengthsOfPart(values: readonly unknown[]): unknown {
  const first = firstKnown(values)
  if (isValue(first)) {
    if (shapeOf(first).length === 0) return undefined
    return tensor(Int32Array.from(values, (value) => shapeOf(value as Value)[0] ?? 0))
  }
  const inside = (key: string) =>
    lengthsOfPart(values.map((value) => (value as Readonly<Record<string, unknown>>)[key]))
  if (Array.isArray(first)) return first.map((_, i) => inside(String(i)))
  if (!isPlainObject(first)) return undefined
  const entries = Object.keys(first).map((name) => [name, inside(name)] as const)
  return Object.fromEntries(entries.filter(([, lengths]) => lengths !== undefined))
}

/** @throws TypeError for an element that has itself in it */
function tensorsIn(x: unknown, depth = 0): Tensor[] {
  if (x instanceof Tensor) return [x]
  if (isNumbers(x)) return []
  if (depth > mostDepth)
    throw new TypeError(
      expected('stream', `elements nested at most ${mostDepth} deep`, 'deeper ones, or in themselves'),
    )
  const parts: readonly unknown[] = Array.isArray(x) ? x : isPlainObject(x) ? Object.values(x) : []
  return parts.flatMap((part) => tensorsIn(part, depth + 1))
}

/** The same element, once its tensors are computed: whoever uses them does not wait for it. */
export async function computed<T>(element: T): Promise<T> {
  const tensors = tensorsIn(element)
  if (tensors.length > 0) await evaluate(...tensors)
  return element
}

/** The part of a name or place, with its dtypes. */
function named(
  of: Stacking & { readonly path?: string; readonly depth?: number },
  path: string,
  key: string | number,
): Part {
  const dtypes = of.dtype
  const dtype = typeof dtypes === 'object' ? (dtypes as Readonly<Record<string, DTypes>>)[key] : dtypes
  return { ...of, path: of.path ? `${of.path}.${path}` : path, dtype, depth: (of.depth ?? 0) + 1 }
}

function refuse(
  { op, first, path }: Stacking & { readonly path?: string },
  i: number,
  what: string,
  got: unknown,
): never {
  throw new PipelineError(`${expected(op, `element ${first + i} ${what}`, got)}${path ? ` at ${path}` : ''}`)
}

function columnOf(
  elements: readonly unknown[],
  key: number,
  length: number,
  of: Stacking & { readonly path?: string },
): unknown[] {
  return elements.map((element, i) => {
    if (!Array.isArray(element) || element.length !== length)
      refuse(
        of,
        i,
        `to be an array of ${length}, as the first of its batch`,
        Array.isArray(element) ? `one of ${element.length}` : describe(element),
      )
    return element[key]
  })
}

/** Elements that are records, all with the same names. */
function recordsOf(
  elements: readonly unknown[],
  names: readonly string[],
  of: Part,
): Readonly<Record<string, unknown>>[] {
  for (const [i, element] of elements.entries()) {
    const own = isPlainObject(element) ? Object.keys(element) : undefined
    if (
      own === undefined ||
      own.length !== names.length ||
      !names.every((name) => Object.hasOwn(element as object, name))
    )
      refuse(of, i, `to have ${names.join(', ')}, as the first of its batch`, own?.join(', ') ?? describe(element))
  }
  return elements as Readonly<Record<string, unknown>>[]
}

/** The first value that is there, or null. */
function firstKnown(values: readonly unknown[]): unknown {
  const place = values.findIndex((value) => value !== null)
  return place < 0 ? null : values[place]
}

function stackedPart(values: readonly unknown[], part: Part): unknown {
  // What is missing says nothing about what it would be.
  const first = firstKnown(values)
  if (part.depth > mostDepth) refuse(part, 0, `to be nested at most ${mostDepth} deep`, 'a deeper one')
  if (typeof first === 'string') return texts(values, part)
  if (isValue(first)) return stackedValues(values, part)
  if (Array.isArray(first))
    return first.map((_, i) => stackedPart(columnOf(values, i, first.length, part), named(part, String(i), i)))
  if (!isPlainObject(first))
    refuse(part, values.indexOf(first), 'to be made of numbers, texts, arrays or tensors', describe(first))
  const names = Object.keys(first)
  const records = recordsOf(values, names, part)
  const column = (name: string) => records.map((record) => record[name])
  return Object.fromEntries(names.map((name) => [name, stackedPart(column(name), named(part, name, name))]))
}

function texts(values: readonly unknown[], part: Part): readonly unknown[] {
  for (const [i, value] of values.entries())
    if (typeof value !== 'string' && value !== null) refuse(part, i, 'to be a text or null', describe(value))
  return values
}

function shapeOf(value: Value): Shape {
  if (value instanceof Tensor) return value.shape
  if (ArrayBuffer.isView(value)) return [(value as unknown as ArrayLike<number>).length]
  const shape: number[] = []
  for (let x: NestedNumbers | undefined = value; Array.isArray(x); x = x[0]) shape.push(x.length)
  return shape
}

function dtypeOf(value: Value): DType | undefined {
  if (value instanceof Tensor) return value.dtype
  if (ArrayBuffer.isView(value)) return dtypeOfArray(value)
  let first: NestedNumbers | undefined = value
  while (Array.isArray(first)) first = first[0]
  return typeof first === 'boolean' ? 'bool' : 'float32'
}

function stackedValues(values: readonly unknown[], part: Part): Tensor {
  const first = values.find((value) => value !== null) as Value | undefined
  const own = dtypeOf(first ?? null)
  if (own === undefined)
    refuse(part, values.indexOf(first), 'of integers of at most 32 bits or floats', describe(first))
  const dtype = isDType(part.dtype) ? part.dtype : own
  if (dtype === 'float32' && values.every((value) => typeof value === 'number' || value === null))
    return tensor(Float32Array.from(values as (number | null)[], (value) => value ?? Number.NaN))
  const shapes = values.map((value, i) => {
    if (!isValue(value)) refuse(part, i, 'to be numbers, as others of its batch', describe(value))
    if (part.dtype === undefined && value !== null && dtypeOf(value) !== own)
      refuse(part, i, `to be ${own}, as others of its batch`, dtypeOf(value) ?? describe(value))
    return value === null ? shapeOf(first ?? null) : shapeOf(value)
  })
  const shape = commonShape(shapes, part)
  const array = allocateChecked(part.op, dtype, [values.length, ...shape])
  if (part.padding !== undefined) array.fill(elementOf(part.op, part.padding.value, dtype))
  for (const [i, value] of values.entries()) write(value as Value, i, elementAt(shapes, i), shape, array, dtype, part)
  return tensor(array, { shape: [values.length, ...shape], dtype })
}

function commonShape(shapes: readonly Shape[], part: Part): Shape {
  const first = elementAt(shapes, 0)
  const other = shapes.findIndex((shape) => !sameShape(shape, first))
  if (part.padding === undefined && other >= 0)
    refuse(
      part,
      other,
      `of shape ${formatShape(first)}, as the first of its batch`,
      formatShape(elementAt(shapes, other)),
    )
  const rank = shapes.findIndex(({ length }) => length !== first.length)
  if (rank >= 0)
    refuse(part, rank, `of ${first.length} axes, as the first of its batch`, formatShape(elementAt(shapes, rank)))
  return part.padding?.shape(shapes) ?? first
}

function write(value: Value, i: number, from: Shape, to: Shape, array: TypedArray, dtype: DType, part: Part): void {
  const size = sizeOf(to)
  const row = array.subarray(i * size, (i + 1) * size) as TypedArray
  try {
    if (value === null) row.fill(elementOf(part.op, Number.NaN, dtype))
    else if (typeof value === 'number' || typeof value === 'boolean') row[0] = elementOf(part.op, value, dtype)
    else place(flatOf(value, from, part, i), from, to, row, dtype, part.op)
  } catch (error) {
    if (error instanceof PipelineError) throw error
    throw new PipelineError(`${part.op}: element ${part.first + i}: ${(error as Error).message}`, { cause: error })
  }
}

function flatOf(value: Value, shape: Shape, part: Part, i: number): ArrayLike<number> {
  if (value instanceof Tensor) return value.dataSync()
  if (ArrayBuffer.isView(value)) return value as unknown as ArrayLike<number>
  const flat = (value as readonly NestedNumbers[]).flat(maxRank) as readonly (number | boolean | null)[]
  if (flat.length !== sizeOf(shape) || !isRectangular(value, shape, 0))
    refuse(part, i, 'of nested arrays of one shape', 'ragged ones')
  return flat.map((x) => (x === null ? Number.NaN : Number(x)))
}

const isRectangular = (value: NestedNumbers, shape: Shape, axis: number): boolean =>
  Array.isArray(value)
    ? value.length === shape[axis] && value.every((x) => isRectangular(x, shape, axis + 1))
    : axis === shape.length

/** Writes a value at the beginning of every axis of a place that is as large at least. */
function place(from: ArrayLike<number>, shape: Shape, to: Shape, row: TypedArray, dtype: DType, op: string): void {
  if (sameShape(shape, to)) {
    writeElements(op, from, dtype, row)
    return
  }
  const [rest, restTo] = [shape.slice(1), to.slice(1)]
  const [step, stepTo] = [sizeOf(rest), sizeOf(restTo)]
  for (let i = 0; i < extentAt(shape, 0); i++) {
    const part = Array.prototype.slice.call(from, i * step, (i + 1) * step) as number[]
    place(part, rest, restTo, row.subarray(i * stepTo, (i + 1) * stepTo) as TypedArray, dtype, op)
  }
}

const isTexts = (x: unknown): x is readonly (string | null)[] =>
  Array.isArray(x) && x.length > 0 && x.every((text) => typeof text === 'string' || text === null)

/** How many rows there are in a batch, and each of them. */
export interface Rows {
  readonly count: number
  row(i: number): unknown
}

/**
 * The rows of a batch: of each tensor its entries along the first axis, and of each list of texts its texts.
 * @throws PipelineError for what has no rows, or parts of unlike numbers of them
 */
export async function rowsOfBatch(op: string, batch: unknown): Promise<Rows> {
  await computed(batch)
  const counts = new Set<number>()
  const row = rowReader(op, batch, counts)
  const [count = 0, other] = counts
  if (other !== undefined)
    throw new PipelineError(expected(op, 'parts of as many rows', `of ${[...counts].join(' and ')}`))
  return { count, row }
}

function rowReader(op: string, batch: unknown, counts: Set<number>): (i: number) => unknown {
  if (batch instanceof Tensor) return tensorReader(op, batch, counts)
  if (isTexts(batch)) {
    counts.add(batch.length)
    return (i) => batch[i]
  }
  if (Array.isArray(batch)) {
    const readers = batch.map((part) => rowReader(op, part, counts))
    return (i) => readers.map((read) => read(i))
  }
  if (!isPlainObject(batch)) throw new PipelineError(expected(op, 'batches of tensors', describe(batch)))
  const readers = Object.entries(batch).map(([name, part]) => [name, rowReader(op, part, counts)] as const)
  return (i) => Object.fromEntries(readers.map(([name, read]) => [name, read(i)]))
}

function tensorReader(op: string, x: Tensor, counts: Set<number>): (i: number) => Tensor {
  const [count, ...shape] = x.shape
  if (count === undefined) throw new PipelineError(expected(op, 'tensors with an axis of rows', 'a scalar'))
  counts.add(count)
  const [data, size, { dtype }] = [x.dataSync(), sizeOf(shape), x]
  return (i) => tensor(data.subarray(i * size, (i + 1) * size), { shape, dtype })
}
