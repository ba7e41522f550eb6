/** What the headers of a shared library say of the machine that it is for: read before the system is asked to load it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Libc, Machine } from './machine.ts'

/** A file by position. What is read is shorter where the file ends. */
export interface Bytes {
  readonly size: number
  read(position: number, length: number): Buffer
}

export interface LibraryHeader {
  readonly format: 'ELF' | 'Mach-O' | 'PE'
  /** As `process.arch` has them; several in a universal file of macOS. */
  readonly archs: readonly string[]
  /** Where the library asks for one. */
  readonly libc?: Libc
}

const damaged = 'is cut off or damaged'

/** The fields beyond the end of a file are RangeErrors of its Buffer; so are those that a damaged file points to. */
const beyondEnd = () => new RangeError(damaged)

/** The header of a library of any system; undefined for another file. @throws RangeError where it is cut off. */
export function headerOf(bytes: Bytes): LibraryHeader | undefined {
  const magic = bytes.read(0, 4).toString('latin1')
  if (magic === '\x7fELF') return elfHeader(bytes)
  if (magic === '\xcf\xfa\xed\xfe') return machHeader([bytes.read(4, 4).readUInt32LE()])
  if (magic === '\xca\xfe\xba\xbe') return universalHeader(bytes)
  if (magic.startsWith('MZ')) return peHeader(bytes)
  return undefined
}

const elfMachines: Readonly<Record<number, string>> = {
  3: 'ia32',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

const loaded = 1
const dynamic = 2

function elfHeader(bytes: Bytes): LibraryHeader {
  const head = bytes.read(0, 64)
  const isLittle = head.readUInt8(5) === 1
  const number = isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18)
  const archs = [elfMachines[number] ?? `machine ${number}`]
  // Machines of 32 bits or with the other order of bytes have no prebuilt addon: their own linker may say the rest.
  if (head.readUInt8(4) !== 2 || !isLittle) return { format: 'ELF', archs }
  const sectionsEnd = wordAt(head, 40) + head.readUInt16LE(58) * head.readUInt16LE(60)
  const segments = segmentsOf(bytes, head)
  const ends = segments.filter(({ type }) => type === loaded).map(({ offset, size }) => offset + size)
  // Linux maps what is missing all the same, and then kills the process that reads there.
  if (Math.max(sectionsEnd, ...ends) > bytes.size) throw beyondEnd()
  return { format: 'ELF', archs, libc: libcOf(neededBy(bytes, segments)) }
}

const wordAt = (buffer: Buffer, offset: number): number => Number(buffer.readBigUInt64LE(offset))

function segmentsOf(bytes: Bytes, head: Buffer): Segment[] {
  const size = head.readUInt16LE(54)
  const count = head.readUInt16LE(56)
  const table = bytes.read(wordAt(head, 32), size * count)
  return Array.from({ length: count }, (_, i) => {
    const row = table.subarray(i * size, (i + 1) * size)
    return { type: row.readUInt32LE(0), offset: wordAt(row, 8), address: wordAt(row, 16), size: wordAt(row, 32) }
  })
}

/** Names of the libraries that this one needs. */
function neededBy(bytes: Bytes, segments: readonly Segment[]): string[] {
  const section = segments.find(({ type }) => type === dynamic)
  if (section === undefined) return []
  const table = bytes.read(section.offset, Math.min(section.size, 1 << 16))
  const rows = Array.from({ length: Math.floor(table.length / 16) }, (_, i) => table.subarray(i * 16, (i + 1) * 16))
  const valuesOf = (tag: number) => rows.filter((row) => wordAt(row, 0) === tag).map((row) => wordAt(row, 8))
  const [address = 0] = valuesOf(5)
  const home = segments.find((it) => it.type === loaded && it.address <= address && address < it.address + it.size)
  if (home === undefined) return []
  const names = home.offset + address - home.address
  return valuesOf(1).map((offset) => {
    const text = bytes.read(names + offset, 64)
    return text.toString('latin1', 0, text.indexOf(0))
  })
}

/** `libc.so.6` is glibc's; musl's is libc.so, or names its machine too. */
function libcOf(needed: readonly string[]): Libc | undefined {
  if (needed.includes('libc.so.6')) return 'glibc'
  return needed.some((name) => /^libc\.(musl-.*)?so/.test(name)) ? 'musl' : undefined
}

const machTypes: Readonly<Record<number, string>> = { 16777223: 'x64', 16777228: 'arm64' }

const machHeader = (types: readonly number[]): LibraryHeader => ({
  format: 'Mach-O',
  archs: types.map((type) => machTypes[type] ?? `machine ${type}`),
})

/** More parts than there are machines are those of a Java class, which begins alike. */
function universalHeader(bytes: Bytes): LibraryHeader | undefined {
  const count = bytes.read(4, 4).readUInt32BE()
  if (count > 16) return undefined
  const table = bytes.read(8, count * 20)
  return machHeader(Array.from({ length: count }, (_, i) => table.readUInt32BE(i * 20)))
}

const peMachines: Readonly<Record<number, string>> = { 332: 'ia32', 34404: 'x64', 43620: 'arm64' }

function peHeader(bytes: Bytes): LibraryHeader | undefined {
  const head = bytes.read(bytes.read(60, 4).readUInt32LE(), 6)
  if (head.toString('latin1', 0, 4) !== 'PE\0\0') return undefined
  const machine = head.readUInt16LE(4)
  return { format: 'PE', archs: [peMachines[machine] ?? `machine ${machine}`] }
}

/** Why a machine does not load the library of these bytes, as far as its headers tell: the rest of a sentence that begins with its name. */
export function mismatchOf(bytes: Bytes, { platform, arch, libc }: Machine): string | undefined {
  let header: LibraryHeader | undefined
  try {
    header = headerOf(bytes)
  } catch {
    return damaged
  }
  if (header === undefined) return bytes.size === 0 ? 'is empty' : 'is no library of any system'
  const format = platform === 'win32' ? 'PE' : platform === 'darwin' ? 'Mach-O' : 'ELF'
  if (header.format !== format || !header.archs.includes(arch))
    return `is ${header.format} for ${header.archs.join(' and ')}, where ${platform} ${arch} loads ${format} for ${arch}`
  if (header.libc && libc() && header.libc !== libc())
    return `is built for ${header.libc}, where this process has ${libc()}`
  return undefined
}

/** Calls with the bytes of a file, which is open meanwhile. */
export function withBytes<T>(path: string, use: (bytes: Bytes) => T): T {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const read = (position: number, length: number) => {
      // What a damaged file names may be beyond any file.
      if (position > size) throw beyondEnd()
      const buffer = Buffer.alloc(Math.min(length, size - position))
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, position))
    }
    return use({ size, read })
  } finally {
    closeSync(file)
  }
}
