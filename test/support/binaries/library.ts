/** Reads a shared library in any of the three formats that Node loads. */
import { type Elf, readElf } from './elf.ts'
import { type MachO, readMachO } from './mach-o.ts'
import { type Pe, readPe } from './pe.ts'

export type Library = Elf | MachO | Pe

/** @throws Error for any other file. */
export function readLibrary(file: Buffer): Library {
  const magic = file.readUInt32BE(0)
  if (magic === 0x7f454c46) return readElf(file)
  if (magic === 0xcffaedfe) return readMachO(file)
  if (magic >>> 16 === 0x4d5a) return readPe(file)
  throw new Error(`expected a shared library, got a file that begins with ${file.toString('hex', 0, 4)}`)
}
