/**
 * Zip files as PKWARE's APPNOTE.TXT (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) defines them, read by their directory and with no
 * more memory than it claims for a member, and written without compression.
 */
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { DataFormatError, expected } from '../base/errors.ts'
import { turnIfDue } from '../base/turns.ts'
import { type Reading, readIn, type Source, type Span } from './source.ts'

const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw)

/** A file in a zip file. */
export interface Member {
  readonly name: string
  /** How many bytes its name has. */
  readonly nameBytes: number
  /** Where its header is. */
  readonly start: number
  readonly method: number
  readonly crc: number
  /** Its bytes there, and when they are expanded. */
  readonly stored: number
  readonly size: number
}

const signatures = {
  local: 0x04034b50,
  directory: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
}
const lengths = { local: 30, directory: 46, end: 22, end64: 56, locator64: 20 }
/** The comment at the end may have so many bytes. */
const longestComment = 2 ** 16
const maxDirectoryBytes = 2 ** 26
/** Of one byte deflate makes so many at most. */
const maxExpansion = 1032
/** What stands for a number that is in the extra field, of 64 bits. */
const elsewhere = 0xffffffff
const isStored = 0
const isDeflated = 8

type Fail = (what: string, got: string) => never

const failure =
  (name: string): Fail =>
  (what, got) => {
    throw new DataFormatError(`${expected('zip', what, got)} (${name})`)
  }

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

function exact(value: bigint, fail: Fail): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : fail('a zip file of fewer bytes', String(value))
}

/** The members by the directory at the end of a zip file. */
export function* readDirectory(name: string, size: number): Reading<Member[]> {
  const fail = failure(name)
  const { start, bytes, count } = yield* readEnd(size, fail)
  if (bytes > maxDirectoryBytes || start + bytes > size)
    fail(`a directory in the file, of at most ${maxDirectoryBytes} bytes`, `${bytes} at ${start}`)
  const directory = viewOf(yield [start, start + bytes])
  const members: Member[] = []
  for (let at = 0; at < bytes; ) {
    if (at + lengths.directory > bytes || directory.getUint32(at, true) !== signatures.directory)
      fail('an entry of the directory', 'something else')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => directory.getUint16(at + offset, true))
    const end = at + lengths.directory + nameBytes! + extraBytes! + commentBytes!
    if (end > bytes) fail('an entry of the directory', 'less')
    members.push(memberAt(directory, at, nameBytes!, extraBytes!, fail))
    at = end
  }
  if (members.length !== count) fail(`${count} entries in the directory`, `${members.length}`)
  const names = new Set(members.map(({ name }) => name))
  if (names.size !== members.length) fail('each name once', 'one that is there twice')
  return members
}

/** Where the directory is. */
function* readEnd(size: number, fail: Fail): Reading<{ start: number; bytes: number; count: number }> {
  const from = Math.max(0, size - lengths.end - longestComment)
  const tail = viewOf(yield [from, size])
  let at = tail.byteLength - lengths.end
  while (
    at >= 0 &&
    !(
      tail.getUint32(at, true) === signatures.end &&
      at + lengths.end + tail.getUint16(at + 20, true) === tail.byteLength
    )
  )
    at--
  if (at < 0) fail('a zip file with its directory at the end', size < 4 ? `${size} bytes` : 'none')
  const locator = at - lengths.locator64
  if (locator < 0 || tail.getUint32(locator, true) !== signatures.locator64)
    return {
      start: tail.getUint32(at + 16, true),
      bytes: tail.getUint32(at + 12, true),
      count: tail.getUint16(at + 10, true),
    }
  const place = exact(tail.getBigUint64(locator + 8, true), fail)
  if (place + lengths.end64 > size) fail('the end of a directory of 64 bits in the file', `${place}`)
  const end = viewOf(yield [place, place + lengths.end64])
  if (end.getUint32(0, true) !== signatures.end64) fail('the end of a directory of 64 bits', 'something else')
  const [count, bytes, start] = [32, 40, 48].map((offset) => exact(end.getBigUint64(offset, true), fail))
  return { start: start!, bytes: bytes!, count: count! }
}

function memberAt(directory: DataView, at: number, nameBytes: number, extraBytes: number, fail: Fail): Member {
  const nameStart = at + lengths.directory
  const name = new TextDecoder().decode(new Uint8Array(directory.buffer, directory.byteOffset + nameStart, nameBytes))
  if (directory.getUint16(at + 8, true) & 1) fail(`${name} without encryption`, 'one that is encrypted')
  const [stored32, size32, start32] = [20, 24, 42].map((offset) => directory.getUint32(at + offset, true))
  // Of those that are elsewhere, the sizes and the place stand there in this order.
  const wide = extra64(directory, nameStart + nameBytes, nameStart + nameBytes + extraBytes)
  let next = 0
  const full = (value: number): number => {
    if (value !== elsewhere) return value
    if (wide === undefined || next + 8 > wide.byteLength) return fail(`the sizes of ${name}`, 'none')
    next += 8
    return exact(wide.getBigUint64(next - 8, true), fail)
  }
  const size = full(size32!)
  const stored = full(stored32!)
  const start = full(start32!)
  return {
    name,
    nameBytes,
    start,
    method: directory.getUint16(at + 10, true),
    crc: directory.getUint32(at + 16, true),
    stored,
    size,
  }
}

/** The field of numbers of 64 bits. */
function extra64(view: DataView, start: number, end: number): DataView | undefined {
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at + 2, true)
    if (view.getUint16(at, true) === 1 && at + 4 + length <= end)
      return new DataView(view.buffer, view.byteOffset + at + 4, length)
    at += 4 + length
  }
  return undefined
}

/** Where the bytes of a member are, by the header before them, which has the name, too: a sum of the bytes does not tell one that has become another. */
function* readSpan(name: string, size: number, member: Member): Reading<Span> {
  const fail = failure(name)
  const { start, stored } = member
  const nameEnd = start + lengths.local + member.nameBytes
  if (nameEnd > size) fail(`${member.name} in the file`, `byte ${start}`)
  const bytes: Uint8Array = yield [start, nameEnd]
  const header = viewOf(bytes)
  if (header.getUint32(0, true) !== signatures.local) fail(`a header of ${member.name}`, 'something else')
  const localName = new TextDecoder().decode(bytes.subarray(lengths.local))
  if (header.getUint16(26, true) !== member.nameBytes || localName !== member.name)
    fail(`${member.name} before its bytes, too`, JSON.stringify(localName))
  const dataStart = nameEnd + header.getUint16(28, true)
  if (dataStart + stored > size) fail(`${stored} bytes of ${member.name}`, `${size - dataStart}`)
  return [dataStart, dataStart + stored]
}

/**
 * Where the bytes of a member are that is stored as it is, to be read by position. Its sum is not looked at, which is one of all
 * of its bytes.
 * @throws DataFormatError for one that is compressed, or is not in the file
 */
export function* readStoredSpan(name: string, size: number, member: Member): Reading<Span> {
  if (member.method !== isStored || member.stored !== member.size)
    failure(name)(`${member.name} stored without compression`, `method ${member.method}`)
  return yield* readSpan(name, size, member)
}

/**
 * The bytes of a member.
 * @throws (rejects with) DataFormatError for one that is damaged, or is packed in another way than by deflate
 */
export async function readMember(source: Source, member: Member): Promise<Uint8Array> {
  const fail = failure(source.name)
  const { name, method, crc, stored, size } = member
  const [dataStart] = await readIn(source, readSpan(source.name, source.size, member))
  if (method !== isStored && method !== isDeflated) fail(`${name} stored or deflated`, `method ${method}`)
  if (method === isStored ? stored !== size : size > stored * maxExpansion + maxExpansion)
    fail(`${size} bytes of ${name}`, `${stored}`)
  const packed = await source.read(dataStart, dataStart + stored)
  const bytes = method === isStored ? packed : await expanded(packed, size, name, fail)
  if (bytes.length !== size || (await checksum(bytes)) !== crc) fail(`${name} as it was packed`, 'other bytes')
  return bytes
}

async function expanded(packed: Uint8Array, size: number, name: string, fail: Fail): Promise<Uint8Array> {
  try {
    return await inflate(packed, { maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    return fail(`${name} as it was packed`, (error as Error).message)
  }
}

const checksumPiece = 2 ** 21

async function checksum(bytes: Uint8Array): Promise<number> {
  let value = 0
  for (let start = 0; start < bytes.length; start += checksumPiece) {
    await turnIfDue()
    value = crc32(bytes.subarray(start, start + checksumPiece), value)
  }
  return value
}

/** A member that is written: its bytes come in chunks. */
export interface Written {
  readonly name: string
  readonly size: number
  readonly chunks: AsyncIterable<Uint8Array>
}

/** The chunks of a zip file, of less than 4 GiB, whose members are stored as they are and begin at multiples of `alignment`. */
export async function* writeZip(members: Iterable<Written>, alignment = 1): AsyncGenerator<Uint8Array, void> {
  const directory: Uint8Array[] = []
  let at = 0
  for (const { name, size, chunks } of members) {
    const utf8 = Buffer.from(name)
    const header = localHeader(utf8, at, alignment)
    yield header
    let crc = 0
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc)
      yield chunk
    }
    // What was not known before follows the bytes.
    yield words(0x08074b50, crc, size, size)
    directory.push(directoryEntry(utf8, crc, size, at))
    at += header.length + size + 16
  }
  const bytes = directory.reduce((sum, { length }) => sum + length, 0)
  yield* directory
  const end = Buffer.alloc(lengths.end)
  end.writeUInt32LE(signatures.end)
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(bytes, 12)
  end.writeUInt32LE(at, 16)
  yield end
}

const words = (...values: number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i)
  return bytes
}

/** Version 2.0; the sizes follow, and the name is in UTF-8. */
const flags = 0x0808
/** The first of January 1980, which is when the time begins. */
const date = 0x0021

/** Of a member at a place of the file. A field that nobody knows fills it, which takes four bytes at least. */
function localHeader(name: Uint8Array, at: number, alignment: number): Uint8Array {
  const end = at + lengths.local + name.length
  const filling = alignment === 1 ? 0 : Math.ceil((end + 4) / alignment) * alignment - end
  const header = Buffer.alloc(lengths.local + name.length + filling)
  header.writeUInt32LE(signatures.local)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(date, 12)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(filling, 28)
  header.set(name, lengths.local)
  if (filling > 0) {
    header.write('FB', lengths.local + name.length)
    header.writeUInt16LE(filling - 4, lengths.local + name.length + 2)
  }
  return header
}

function directoryEntry(name: Uint8Array, crc: number, size: number, at: number): Uint8Array {
  const entry = Buffer.alloc(lengths.directory + name.length)
  entry.writeUInt32LE(signatures.directory)
  entry.writeUInt16LE(20, 4)
  entry.writeUInt16LE(20, 6)
  entry.writeUInt16LE(flags, 8)
  entry.writeUInt16LE(date, 14)
  entry.writeUInt32LE(crc, 16)
  entry.writeUInt32LE(size, 20)
  entry.writeUInt32LE(size, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt32LE(at, 42)
  entry.set(name, lengths.directory)
  return entry
}

/** The members of a zip file. */
export const membersOf = (source: Source): Promise<Member[]> => readIn(source, readDirectory(source.name, source.size))
