/** Shared libraries of Windows: PE32+. */
import { type Binary, named, textAt } from './binary.ts'

export interface Pe extends Binary {
  readonly format: 'PE'
  /** Whether it may be loaded at any address, and its data is never executed. */
  readonly isHardened: boolean
}

/** Loaded anywhere in 64 bits (0x20 and 0x40), no execution of data (0x100). */
const hardened = 0x160

export function readPe(file: Buffer): Pe {
  const header = file.readUInt32LE(0x3c) + 4
  const optional = header + 20
  const sectionTable = optional + file.readUInt16LE(header + 16)
  const sections = Array.from({ length: file.readUInt16LE(header + 2) }, (_, i) => sectionTable + i * 40)
  /** The offset in the file of what is at an address, relative to that of the library. */
  const offsetOf = (address: number): number => {
    const section = sections.find((other) => {
      const begin = file.readUInt32LE(other + 12)
      return address >= begin && address < begin + file.readUInt32LE(other + 8)
    })
    if (section === undefined) throw new Error(`expected an address in a section, got ${address}`)
    return address - file.readUInt32LE(section + 12) + file.readUInt32LE(section + 20)
  }
  const directory = (number: number) => file.readUInt32LE(optional + 112 + number * 8)
  const textOf = (address: number) => textAt(file, offsetOf(file.readUInt32LE(address)))

  const exported = offsetOf(directory(0))
  const exportNames = offsetOf(file.readUInt32LE(exported + 32))
  const exports = Array.from({ length: file.readUInt32LE(exported + 24) }, (_, i) => textOf(exportNames + i * 4))

  const needs: string[] = []
  const imports: string[] = []
  for (let entry = offsetOf(directory(1)); file.readUInt32LE(entry + 12) !== 0; entry += 20) {
    needs.push(textOf(entry + 12))
    const list = offsetOf(file.readUInt32LE(entry) || file.readUInt32LE(entry + 16))
    for (let thunk = list; file.readBigUInt64LE(thunk) !== 0n; thunk += 8)
      if (file.readBigUInt64LE(thunk) < 2n ** 63n) imports.push(textAt(file, offsetOf(file.readUInt32LE(thunk)) + 2))
  }
  return {
    format: 'PE',
    arch: named({ 34404: 'x64', 43620: 'arm64' }, 'machine', file.readUInt16LE(header)),
    needs,
    exports,
    imports,
    isHardened: (file.readUInt16LE(optional + 70) & hardened) === hardened,
  }
}
