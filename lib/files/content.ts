/** What is written of a model, or of tensors by name: the bytes of safetensors files, in pieces. */
import { checkFunction, checkText, describe } from '../base/arguments.ts'
import type { TypedArray } from '../base/dtype.ts'
import { expected } from '../base/errors.ts'
import { checkRecord, type OptionTypes } from '../base/options.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { isWellFormed } from './json.ts'
import { type Described, inWrittenOrder, type Metadata, writeHeader } from './safetensors-header.ts'
import { encode, type StoredFloat, storedBytes, storedFloats, typeToWrite } from './stored.ts'

/** What is saved: a model or whatever else has a `stateDict`, or tensors by name. */
export type Saveable = { stateDict(): StateDict } | Readonly<Record<string, Tensor>>

export interface SerializeOptions {
  /** Texts by name, which the file keeps beside the tensors. */
  metadata?: Metadata
  /** What floats are stored as, rounded to the nearest; as they are unless given. Integers and truths stay what they are. */
  dtype?: StoredFloat
}

export const serializeOptions: OptionTypes<SerializeOptions> = { metadata: 'other', dtype: storedFloats }

/** What is written of a tensor, and its value. */
interface Written extends Described {
  readonly value: Tensor
  readonly bytes: number
}

/** What one file has to hold. */
export interface Content {
  readonly tensors: readonly Written[]
  readonly metadata: Metadata | undefined
}

/** What is saved, as it is now. */
export function contentOf(op: string, from: Saveable, { metadata, dtype }: SerializeOptions): Content {
  const tensors = Object.entries(stateOf(op, from)).map(([name, given]): Written => {
    if (!(given instanceof Tensor)) throw new TypeError(expected(op, `a tensor as ${name}`, describe(given)))
    const value = given instanceof Variable ? given.value : given
    const type = typeToWrite(value.dtype, dtype)
    return { name, value, type, shape: value.shape, bytes: value.size * storedBytes(type) }
  })
  return { tensors, metadata: metadata === undefined ? undefined : checkMetadata(op, metadata) }
}

function stateOf(op: string, from: Saveable): Readonly<Record<string, Tensor>> {
  const what = 'a model, or tensors by name'
  if (typeof from !== 'object' || from === null || !('stateDict' in from)) return checkRecord(op, what, from)
  checkFunction(op, 'stateDict to be a function', from.stateDict)
  const model = from as { stateDict(): StateDict }
  return checkRecord(op, what, model.stateDict())
}

function checkMetadata(op: string, metadata: Metadata): Metadata {
  for (const [name, text] of Object.entries(checkRecord(op, 'metadata, texts by name', metadata)))
    if (![name, checkText(op, `a text as ${name} of metadata`, text)].every(isWellFormed) || name === '__proto__')
      throw new RangeError(expected(op, 'metadata in Unicode', describe(name)))
  return { ...metadata }
}

export const valuesIn = (contents: readonly Content[]): Tensor[] =>
  contents.flatMap(({ tensors }) => tensors.map(({ value }) => value))

/** So many elements are copied and converted at a time. */
const piece = 2 ** 18

/** The bytes of a file, for which it is given the elements of each tensor that it yields: written once for now and for later. */
export type Writing = Generator<Uint8Array | Tensor, void, TypedArray>

export function* writing(op: string, { tensors, metadata }: Content): Writing {
  const ordered = inWrittenOrder(tensors)
  yield writeHeader(op, ordered, metadata)
  for (const { value, type } of ordered)
    for (const part of inPieces(value)) {
      const elements: TypedArray = yield part
      yield encode(elements, value.dtype, type)
    }
}

export function* inPieces(x: Tensor): Generator<Tensor, void> {
  if (x.size <= piece) yield x
  else for (let i = 0, flat = x.reshape([-1]); i < x.size; i += piece) yield flat.slice(i, i + piece)
}

const noElements = new Uint8Array(0)

export async function* chunks(writing: Writing): AsyncGenerator<Uint8Array, void> {
  let next = writing.next(noElements)
  while (!next.done) {
    const { value } = next
    if (!(value instanceof Tensor)) yield value
    next = writing.next(value instanceof Tensor ? await value.data() : noElements)
  }
}

export function* chunksSync(writing: Writing): Generator<Uint8Array, void> {
  let next = writing.next(noElements)
  while (!next.done) {
    const { value } = next
    if (!(value instanceof Tensor)) yield value
    next = writing.next(value instanceof Tensor ? value.dataSync() : noElements)
  }
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const chunk of chunks) {
    bytes.set(chunk, start)
    start += chunk.length
  }
  return bytes
}
