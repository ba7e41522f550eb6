/** Shared libraries of macOS: Mach-O for one processor, 64 bits. */
import { createHash } from 'node:crypto'
import { type Binary, named, textAt } from './binary.ts'

export interface MachO extends Binary {
  readonly format: 'Mach-O'
  /** The oldest system that it is for: `11.0`. */
  readonly oldestSystem: string
  /** Folders that it has libraries looked for in. */
  readonly searchPaths: readonly string[]
  readonly signature: 'none' | 'valid' | 'wrong'
}

const symbolTableCommand = 2
const libraryCommand = 0xc
const signatureCommand = 0x1d
const buildVersionCommand = 0x32
const searchPathCommand = 0x8000001c

interface Command {
  readonly type: number
  readonly offset: number
}

function commandsOf(file: Buffer): Command[] {
  const commands: Command[] = []
  let offset = 32
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    commands.push({ type: file.readUInt32LE(offset), offset })
    offset += file.readUInt32LE(offset + 4)
  }
  return commands
}

interface MachOSymbol {
  readonly name: string
  readonly isExternal: boolean
  readonly isDefined: boolean
}

function symbolsOf(file: Buffer, command: number): MachOSymbol[] {
  const [table, count, texts] = [8, 12, 16].map((offset) => file.readUInt32LE(command + offset)) as [
    number,
    number,
    number,
  ]
  return Array.from({ length: count }, (_, i) => {
    const symbol = table + i * 16
    const type = file.readUInt8(symbol + 4)
    return {
      // C puts an underscore before each name.
      name: textAt(file, texts + file.readUInt32LE(symbol)).replace(/^_/, ''),
      isExternal: (type & 0x01) !== 0 && (type & 0xf0) === 0,
      isDefined: (type & 0x0e) !== 0,
    }
  })
}

/** Whether all pages before the signature have the hashes that it says, which macOS on arm64 asks for. */
function isSigned(file: Buffer, command: number): boolean {
  const begin = file.readUInt32LE(command + 8)
  const blobs = Array.from({ length: file.readUInt32BE(begin + 8) }, (_, i) => file.readUInt32BE(begin + 16 + i * 8))
  const directory = blobs.map((offset) => begin + offset).find((blob) => file.readUInt32BE(blob) === 0xfade0c02)
  if (directory === undefined) return false
  const [hashes, count, limit] = [16, 28, 32].map((offset) => file.readUInt32BE(directory + offset)) as [
    number,
    number,
    number,
  ]
  const [hashSize, hashType] = [file.readUInt8(directory + 36), file.readUInt8(directory + 37)]
  const pageBytes = 2 ** file.readUInt8(directory + 39)
  const isSha256 = hashSize === 32 && hashType === 2
  if (!isSha256 || limit !== begin || count !== Math.ceil(limit / pageBytes)) return false
  return Array.from({ length: count }, (_, i) => i).every((page) => {
    const contents = file.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, limit))
    const stated = directory + hashes + page * hashSize
    return createHash('sha256')
      .update(contents)
      .digest()
      .equals(file.subarray(stated, stated + hashSize))
  })
}

export function readMachO(file: Buffer): MachO {
  const commands = commandsOf(file)
  const offsetsOf = (type: number) => commands.filter((command) => command.type === type).map(({ offset }) => offset)
  const textIn = (command: number) => textAt(file, command + file.readUInt32LE(command + 8))
  const [signature] = offsetsOf(signatureCommand)
  const [buildVersion] = offsetsOf(buildVersionCommand)
  const [symbolTable] = offsetsOf(symbolTableCommand)
  const version = buildVersion === undefined ? 0 : file.readUInt32LE(buildVersion + 12)
  const symbols = symbolTable === undefined ? [] : symbolsOf(file, symbolTable).filter(({ isExternal }) => isExternal)
  const namesOf = (which: (symbol: MachOSymbol) => boolean) => symbols.filter(which).map(({ name }) => name)
  return {
    format: 'Mach-O',
    arch: named({ 16777223: 'x64', 16777228: 'arm64' }, 'processor', file.readUInt32LE(4)),
    needs: offsetsOf(libraryCommand).map(textIn),
    exports: namesOf(({ isDefined }) => isDefined),
    imports: namesOf(({ isDefined }) => !isDefined),
    oldestSystem: `${version >>> 16}.${(version >>> 8) & 255}`,
    searchPaths: offsetsOf(searchPathCommand).map(textIn),
    signature: signature === undefined ? 'none' : isSigned(file, signature) ? 'valid' : 'wrong',
  }
}
