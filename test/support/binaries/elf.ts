/** Shared libraries of Linux: ELF, 64 bits, little-endian, with its section headers. */
import { type Binary, named, textAt } from './binary.ts'

export interface Elf extends Binary {
  readonly format: 'ELF'
  /** Versions of symbols that other libraries have to have: `GLIBC_2.17`. */
  readonly versions: readonly string[]
  readonly hasExecutableStack: boolean
  /** Whether dlclose leaves it loaded. */
  readonly staysLoaded: boolean
}

interface Section {
  readonly type: number
  readonly begin: number
  readonly end: number
  readonly link: number
  readonly info: number
}

const dynamicType = 6
const symbolsType = 11
const neededVersionsType = 0x6ffffffe
const stackSegment = 0x6474e551

const at64 = (file: Buffer, offset: number): number => Number(file.readBigUInt64LE(offset))

function sectionsOf(file: Buffer): Section[] {
  const [table, size, count] = [at64(file, 0x28), file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)]
  return Array.from({ length: count }, (_, i) => {
    const header = table + i * size
    const begin = at64(file, header + 0x18)
    return {
      type: file.readUInt32LE(header + 4),
      begin,
      end: begin + at64(file, header + 0x20),
      link: file.readUInt32LE(header + 0x28),
      info: file.readUInt32LE(header + 0x2c),
    }
  })
}

/** Offsets of the entries of the only section of this type, of so many bytes each. */
function entriesOf(sections: readonly Section[], type: number, size: number): { offsets: number[]; texts: number } {
  const section = sections.find((other) => other.type === type)
  if (section === undefined) return { offsets: [], texts: 0 }
  const count = Math.floor((section.end - section.begin) / size)
  return {
    offsets: Array.from({ length: count }, (_, i) => section.begin + i * size),
    texts: sections[section.link]!.begin,
  }
}

/** Each library's list of versions follows its head, by distances from one to the next. */
function versionsOf(file: Buffer, sections: readonly Section[]): string[] {
  const section = sections.find(({ type }) => type === neededVersionsType)
  if (section === undefined) return []
  const texts = sections[section.link]!.begin
  const versions: string[] = []
  let head = section.begin
  for (let library = 0; library < section.info; library++) {
    let version = head + file.readUInt32LE(head + 8)
    for (let left = file.readUInt16LE(head + 2); left > 0; left--) {
      versions.push(textAt(file, texts + file.readUInt32LE(version + 8)))
      version += file.readUInt32LE(version + 12)
    }
    head += file.readUInt32LE(head + 12)
  }
  return versions
}

function hasExecutableStack(file: Buffer): boolean {
  const [table, size, count] = [at64(file, 0x20), file.readUInt16LE(0x36), file.readUInt16LE(0x38)]
  const headers = Array.from({ length: count }, (_, i) => table + i * size)
  const stack = headers.find((header) => file.readUInt32LE(header) === stackSegment)
  // Without a word on it, Linux makes it executable.
  return stack === undefined || (file.readUInt32LE(stack + 4) & 1) !== 0
}

export function readElf(file: Buffer): Elf {
  const sections = sectionsOf(file)
  const dynamic = entriesOf(sections, dynamicType, 16)
  const valuesOf = (tag: number) =>
    dynamic.offsets.filter((entry) => at64(file, entry) === tag).map((entry) => at64(file, entry + 8))
  const symbols = entriesOf(sections, symbolsType, 24)
  const named64 = symbols.offsets.filter((symbol) => file.readUInt32LE(symbol) !== 0)
  const nameOf = (symbol: number) => textAt(file, symbols.texts + file.readUInt32LE(symbol))
  const isDefined = (symbol: number) => file.readUInt16LE(symbol + 6) !== 0
  return {
    format: 'ELF',
    arch: named({ 62: 'x64', 183: 'arm64' }, 'machine', file.readUInt16LE(18)),
    needs: valuesOf(1).map((offset) => textAt(file, dynamic.texts + offset)),
    exports: named64.filter(isDefined).map(nameOf),
    imports: named64.filter((symbol) => !isDefined(symbol)).map(nameOf),
    versions: versionsOf(file, sections),
    hasExecutableStack: hasExecutableStack(file),
    staysLoaded: valuesOf(0x6ffffffb).some((flags) => (flags & 8) !== 0),
  }
}
