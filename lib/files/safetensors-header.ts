/**
 * The header of a safetensors file, as https://github.com/huggingface/safetensors defines the format: its length in 8 bytes, JSON that
 * says of each tensor its type, its shape and where its bytes begin and end, then these bytes without gaps. It is untrusted: all
 * that it claims is checked before anything is read by it.
 */
import { DataFormatError, expected } from '../base/errors.ts'
import { maxRank, type Shape, sizeOf } from '../base/shape.ts'
import { isWellFormed, JsonReader } from './json.ts'
import type { Reading } from './source.ts'
import { isStoredName, type StoredName, storedBytes, storedTypes } from './stored.ts'

/** Where a tensor is in a file. */
export interface Entry {
  readonly name: string
  readonly type: StoredName
  readonly shape: Shape
  /** Its bytes in the file. */
  readonly start: number
  readonly end: number
  /** Whether elements begin with their high bytes, as they may in other formats. */
  readonly bigEndian?: boolean
}

/** What a file says of itself, as texts by name. */
export type Metadata = Record<string, string>

export interface Header {
  readonly metadata: Metadata
  /** In the order of the file. */
  readonly entries: ReadonlyMap<string, Entry>
}

/** As in the reference implementation. */
const maxHeaderBytes = 100_000_000
const lengthBytes = 8
/** So many tensors are read before the event loop turns. */
const tensorsPerPiece = 2 ** 12
const metadataName = '__metadata__'

/**
 * The checked header of a file of `size` bytes.
 * @throws DataFormatError for whatever is not as the format says
 */
export function* readHeader(name: string, size: number): Reading<Header> {
  const fail = (what: string, got: string): never => {
    throw new DataFormatError(`${expected('safetensors', what, got)} (${name})`)
  }
  if (size < lengthBytes) fail(`at least ${lengthBytes} bytes`, `${size}`)
  const length = Number(littleEndian64(yield [0, lengthBytes]))
  if (length > maxHeaderBytes) fail(`a header of at most ${maxHeaderBytes} bytes`, `${length}`)
  const start = lengthBytes + length
  if (start > size) fail(`a header of ${length} bytes`, `${size - lengthBytes} bytes`)
  const text = decodeUtf8(yield [lengthBytes, start]) ?? fail('a header in UTF-8', 'other bytes')
  const json = new JsonReader('safetensors', name, text)
  let metadata: Metadata = {}
  const entries: Entry[] = []
  for (const member of json.members('the header')) {
    if (member === metadataName) metadata = readTexts(json)
    else entries.push(readEntry(json, member, start))
    if (entries.length % tensorsPerPiece === tensorsPerPiece - 1) yield
  }
  json.end()
  return { metadata, entries: inOrder(json, entries, start, size) }
}

function littleEndian64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getBigUint64(0, true)
}

/** undefined for what is not UTF-8; a byte order mark is part of the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function readTexts(json: JsonReader): Metadata {
  const texts: [string, string][] = []
  for (const name of json.members(metadataName)) texts.push([name, json.string(`a text as ${name} of ${metadataName}`)])
  return Object.fromEntries(texts)
}

function readEntry(json: JsonReader, name: string, dataStart: number): Entry {
  const where = `of ${JSON.stringify(name)}`
  let type: string | undefined
  let shape: Shape | undefined
  let offsets: Shape | undefined
  for (const member of json.members(`the entry ${where}`)) {
    if (member === 'dtype') type = json.string(`a dtype ${where}`)
    else if (member === 'shape') shape = readCounts(json, 'extents', where, maxRank)
    else if (member === 'data_offsets') offsets = readCounts(json, 'data_offsets', where, 2)
    else json.fail(`dtype, shape and data_offsets ${where}`, JSON.stringify(member))
  }
  if (type === undefined || shape === undefined || offsets === undefined)
    return json.fail(`dtype, shape and data_offsets ${where}`, 'fewer')
  if (!isStoredName(type))
    return json.fail(`a dtype ${where} (${Object.keys(storedTypes).join(', ')})`, JSON.stringify(type))
  const [start, end] = offsets
  if (start === undefined || end === undefined || start > end)
    return json.fail(`a start and an end as data_offsets ${where}`, `[${offsets.join(', ')}]`)
  const bytes = sizeOf(shape) * storedBytes(type)
  if (end - start !== bytes)
    json.fail(`${bytes} bytes ${where}, which is ${type}[${shape.join(', ')}]`, `${end - start}`)
  return { name, type, shape, start: dataStart + start, end: dataStart + end }
}

/** At most `most` integers from 0 on. */
function readCounts(json: JsonReader, what: string, where: string, most: number): number[] {
  const counts: number[] = []
  for (const i of json.elements(`${what} ${where}`)) {
    if (i === most) json.fail(`at most ${most} ${what} ${where}`, 'more')
    counts.push(json.count(`integers from 0 on as ${what} ${where}`))
  }
  return counts
}

/** Each begins where the one before ends, and the last ends with the file. */
function inOrder(json: JsonReader, entries: Entry[], start: number, size: number): Map<string, Entry> {
  entries.sort((a, b) => a.start - b.start || a.end - b.end)
  let end = start
  for (const entry of entries) {
    if (entry.start !== end)
      json.fail(
        `the bytes of ${JSON.stringify(entry.name)} to begin at ${end - start}, where those before end`,
        `${entry.start - start}`,
      )
    end = entry.end
  }
  if (end !== size) json.fail(`${end} bytes, as the header claims`, `${size}`)
  return new Map(entries.map((entry) => [entry.name, entry]))
}

/** What is written of a tensor. */
export interface Described {
  readonly name: string
  readonly type: StoredName
  readonly shape: Shape
}

/**
 * The tensors in the order of the reference implementation: those of longer elements first, so that all are aligned, then by name.
 */
export const inWrittenOrder = <T extends Described>(tensors: readonly T[]): T[] =>
  tensors
    .map((each) => ({ each, rank: typeNames.indexOf(each.type), utf8: Buffer.from(each.name) }))
    .sort((a, b) => b.rank - a.rank || Buffer.compare(a.utf8, b.utf8))
    .map(({ each }) => each)

const typeNames = Object.keys(storedTypes)

/**
 * The bytes before those of the tensors, which follow in the order of `tensors`. Spaces fill it to a multiple of 8 bytes.
 * @throws RangeError for names that no file has
 */
export function writeHeader(op: string, tensors: readonly Described[], metadata: Metadata | undefined): Uint8Array {
  const members = metadata === undefined ? [] : [`"${metadataName}":${JSON.stringify(metadata)}`]
  let start = 0
  for (const { name, type, shape } of tensors) {
    if (name === metadataName || name === '__proto__' || !isWellFormed(name))
      throw new RangeError(expected(op, `names other than ${metadataName} and __proto__, in Unicode`, name))
    const end = start + sizeOf(shape) * storedBytes(type)
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: type, shape, data_offsets: [start, end] })}`)
    start = end
  }
  const text = Buffer.from(`{${members.join(',')}}`)
  const length = Math.ceil(text.length / lengthBytes) * lengthBytes
  if (length > maxHeaderBytes)
    throw new RangeError(expected(op, `names of at most ${maxHeaderBytes} bytes`, `${length}`))
  const header = new Uint8Array(lengthBytes + length).fill(' '.charCodeAt(0), lengthBytes)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(text, lengthBytes)
  return header
}
