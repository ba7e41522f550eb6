/**
 * The Program: the contract between the graph, which writes it, and the backends, which run it. Plain data.
 *
 * Every operand is dense and row-major. A value lives in one place; an instruction reads values that were written
 * before it and writes each of its outputs once. A state is written once at most; after that only its new value is read.
 */
import { allocate, type DType, type TypedArray } from '../base/dtype.ts'
import { InternalError } from '../base/errors.ts'
import { byteLength, type Shape, sizeOf } from '../base/shape.ts'
import type { Instruction } from './instructions.ts'

/**
 * - `input`: a buffer of the caller that the program reads.
 * - `state`: a buffer of the caller that the program reads and updates in place (old and new value share the index).
 * - `literal`: bytes that belong to the program.
 * - `result`: a buffer of the caller that the program fills.
 * - `arena`: scratch memory at a byte offset (a multiple of 64), reused once nothing reads the value any more.
 */
export type Place =
  | { readonly kind: 'input' | 'state' | 'literal' | 'result'; readonly index: number }
  | { readonly kind: 'arena'; readonly offset: number }

export interface Value {
  readonly dtype: DType
  readonly shape: Shape
  readonly place: Place
}

export interface Program {
  readonly values: readonly Value[]
  readonly instructions: readonly Instruction[]
  readonly literals: readonly TypedArray[]
  readonly inputCount: number
  readonly stateCount: number
  readonly resultCount: number
  readonly arenaBytes: number
}

/** Arena offsets are multiples of this: a cache line, and the widest vector. */
export const arenaAlignment = 64

/** How deep programs may be in each other. */
export const mostNesting = 16

/** The number of buffers a run binds, in this order: inputs, states as read, states as written, results. */
export const bufferCount = (program: Program): number =>
  program.inputCount + 2 * program.stateCount + program.resultCount

export interface ResultType {
  readonly dtype: DType
  readonly size: number
}

/** The types of the results, in the order of their indices. */
export function resultTypes(program: Program): ResultType[] {
  const types = new Array<ResultType>(program.resultCount)
  for (const { place, dtype, shape } of program.values) {
    if (place.kind === 'result') types[place.index] = { dtype, size: sizeOf(shape) }
  }
  return types
}

/** Fresh zeroed buffers for every result, in the order of their indices. */
export const allocateResults = (program: Program): TypedArray[] =>
  resultTypes(program).map(({ dtype, size }) => allocate(dtype, size))

/** `float32[2,4]` */
export const formatType = (value: Pick<Value, 'dtype' | 'shape'>): string => `${value.dtype}[${value.shape.join(',')}]`

/** The value of an id that an instruction or a view holds. */
export function valueAt<V>({ values }: { readonly values: readonly V[] }, id: number | undefined): V {
  const value = id === undefined ? undefined : values[id]
  if (value === undefined) throw new InternalError(`a program of ${values.length} values has no value ${id}`)
  return value
}

/** Bytes of a value. */
export const valueBytes = (value: Value): number => byteLength(value.dtype, value.shape)
