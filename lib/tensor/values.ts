/** JavaScript values in and out of tensors: always copies, so that no memory is shared with user code. */

import { allocateChecked } from '../base/arrays.ts'
import { checkDType, type DType, dtypeOfArray, type TypedArray, writeElements } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { foreignKind } from '../base/identity.ts'
import type { OptionTypes } from '../base/options.ts'
import { checkShape, formatShape, maxRank, type Shape, sizeOf } from '../base/shape.ts'

export type AnyTypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array

/** Numbers or booleans, nested to any depth, or a typed array. */
export type TensorValues = number | boolean | AnyTypedArray | readonly TensorValues[]

export interface TensorOptions {
  /** The shape of a flat array. */
  shape?: Shape
  /** Otherwise a typed array's own, bool for booleans, float32 for numbers. */
  dtype?: DType
}

export const tensorOptions: OptionTypes<TensorOptions> = { shape: 'other', dtype: 'dtype' }

export interface ParsedValues {
  array: TypedArray
  dtype: DType
  shape: Shape
}

function checkedDType(op: string, array: ArrayBufferView): DType {
  const dtype = dtypeOfArray(array)
  if (dtype !== undefined) return dtype
  const what = 'numbers, booleans or a typed array of at most 32-bit integers or floats'
  throw new DTypeError(expected(op, what, array))
}

/** What is read of a tensor of another copy of the library: by its methods, and checked like any other values. */
interface ForeignTensor {
  readonly shape: Shape
  readonly dtype: DType
  graph(): string
  dataSync(): AnyTypedArray
}

/**
 * A tensor of another copy, where that is its values: one that is computed, and from which no gradient leads further.
 * Anything else would be cut off from its history, or would have to be computed here and now.
 */
function parseForeign(op: string, x: ForeignTensor, { shape, dtype }: TensorOptions): ParsedValues {
  const isValue = foreignKind(x) === 'tensor' && typeof x.graph === 'function' && !x.graph().trim().includes('\n')
  const values = isValue ? x.dataSync() : undefined
  if (!ArrayBuffer.isView(values))
    throw new TypeError(expected(op, 'a tensor, or one that is nothing but its values (tensor(await x.data()))', x))
  return parseValues(op, values, { shape: shape ?? x.shape, dtype: dtype ?? x.dtype })
}

/** The first of some values that is no integer, if there is one: a boolean is none. */
export function firstNonInteger(values: TensorValues): number | boolean | undefined {
  if (typeof values === 'number' || typeof values === 'boolean') return Number.isInteger(values) ? undefined : values
  for (const value of values as Iterable<TensorValues>) {
    const found = firstNonInteger(value)
    if (found !== undefined) return found
  }
  return undefined
}

/** Copies values; `shape` and `dtype` are inferred where they are not given. */
export function parseValues(op: string, values: TensorValues, { shape, dtype }: TensorOptions): ParsedValues {
  const given = dtype === undefined ? undefined : checkDType(op, dtype)
  if (ArrayBuffer.isView(values)) {
    const own = checkedDType(op, values)
    checkAttached(op, values)
    return fill(op, values as unknown as ArrayLike<number>, given ?? own, shape ?? [values.length])
  }
  if (foreignKind(values) !== undefined)
    return parseForeign(op, values as unknown as ForeignTensor, { ...(shape && { shape }), ...(dtype && { dtype }) })
  const nested: number[] = []
  const elements: (number | boolean)[] = []
  flatten(op, values, 0, nested, elements)
  const hasTruths = elements.some((x) => typeof x === 'boolean')
  const type = given ?? (hasTruths && elements.every((x) => typeof x === 'boolean') ? 'bool' : 'float32')
  return fill(op, hasTruths ? elements.map(Number) : (elements as number[]), type, shape ?? nested)
}

/** A detached buffer has length 0, which would pass for an empty array. */
function checkAttached(op: string, view: ArrayBufferView): void {
  if (view.byteLength > 0 || view.buffer.byteLength > 0) return
  try {
    new Uint8Array(view.buffer)
  } catch {
    throw new TypeError(expected(op, 'an attached ArrayBuffer', 'a detached one'))
  }
}

function fill(op: string, elements: ArrayLike<number>, dtype: DType, shape: Shape): ParsedValues {
  checkShape(op, shape)
  if (sizeOf(shape) !== elements.length)
    throw new ShapeError(expected(op, `${sizeOf(shape)} values for shape ${formatShape(shape)}`, elements.length))
  const array = allocateChecked(op, dtype, shape)
  writeElements(op, elements, dtype, array)
  return { array, dtype, shape: shape.slice() }
}

/** Appends the elements in order; the first branch sets the shape and every other one must have it. */
function flatten(
  op: string,
  values: TensorValues,
  depth: number,
  shape: number[],
  elements: (number | boolean)[],
): void {
  if (typeof values === 'number' || typeof values === 'boolean') {
    if (depth !== shape.length) throw raggedError(op, shape, depth, 'a number')
    elements.push(values)
    return
  }
  if (!Array.isArray(values) && !ArrayBuffer.isView(values))
    throw new TypeError(
      expected(
        op,
        'numbers, booleans, nested arrays of them or a typed array',
        values === null ? 'null' : typeof values,
      ),
    )
  if (depth >= maxRank) throw new ShapeError(expected(op, `at most ${maxRank} axes`, 'arrays that are nested deeper'))
  if (ArrayBuffer.isView(values)) checkAttached(op, values)
  const list = values as readonly TensorValues[]
  if (elements.length === 0 && depth === shape.length) shape.push(list.length)
  if (shape[depth] !== list.length) throw raggedError(op, shape, depth, `${list.length} values`)
  for (const item of list) {
    if (typeof item === 'number' && depth + 1 === shape.length) elements.push(item)
    else flatten(op, item, depth + 1, shape, elements)
  }
}

const raggedError = (op: string, shape: Shape, depth: number, got: string) =>
  new ShapeError(expected(op, `nested arrays of one shape (${shape[depth] ?? 'no'} values on axis ${depth})`, got))
