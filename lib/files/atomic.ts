/**
 * Files that are there whole or not at all: written under a temporary name in the same folder, flushed to the disk, then renamed.
 * Whoever reads, also after a crash, finds the old file or the new one.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expected } from '../base/errors.ts'
import { fileError } from './file-error.ts'

const temporary = /^\.galvani-[0-9a-f]{16}\.tmp$/

/** Whether a file's name is one of those that are written to first: a process that was killed leaves it behind. */
export const isTemporaryName = (name: string): boolean => temporary.test(name)

const temporaryIn = (folder: string): string => join(folder, `.galvani-${randomBytes(8).toString('hex')}.tmp`)

/** Removes what killed processes left in a folder; nobody may be writing there. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (isTemporaryName(name)) await rm(join(folder, name), { force: true })
}

/** The bits of a mode that are permissions. */
const permissions = 0o777

/**
 * The mode of what is there; undefined where nothing is.
 * @throws TypeError for a device or a pipe, which a file would take the place of
 */
function modeOf(op: string, path: string, there: Stats | undefined): number | undefined {
  if (there !== undefined && !there.isFile() && !there.isDirectory())
    throw new TypeError(expected(op, `${path} to be a file`, 'something else'))
  return there?.mode
}

/**
 * Writes what `chunks` gives as the file `path`, or leaves what is there as it is where that or the disk fails. A file that was there
 * hands on its permissions; a link stays one.
 *
 * @throws (rejects with) what `chunks` throws, TypeError for a device, or an Error with the code of the file system
 */
export async function writeAtomically(op: string, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const there = await stat(target).catch(() => undefined)
  const [folder, mode] = [dirname(target), modeOf(op, path, there)]
  const name = temporaryIn(folder)
  try {
    const file = await open(name, 'wx')
    try {
      if (mode !== undefined) await file.chmod(mode & permissions)
      for await (const chunk of chunks) await file.writeFile(chunk)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(name, target)
    await flushFolder(folder)
  } catch (error) {
    await rm(name, { force: true }).catch(() => {})
    throw fileError(op, 'write', path, error)
  }
}

/** `writeAtomically`, here and now. */
export function writeAtomicallySync(op: string, path: string, chunks: Iterable<Uint8Array>): void {
  const target = attempt(() => realpathSync(path)) ?? path
  const there = attempt(() => statSync(target))
  const [folder, mode] = [dirname(target), modeOf(op, path, there)]
  const name = temporaryIn(folder)
  try {
    const file = openSync(name, 'wx')
    try {
      if (mode !== undefined) fchmodSync(file, mode & permissions)
      for (const chunk of chunks) writeFileSync(file, chunk)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(name, target)
    flushFolderSync(folder)
  } catch (error) {
    attempt(() => rmSync(name, { force: true }))
    throw fileError(op, 'write', path, error)
  }
}

function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    return undefined
  }
}

/** Windows opens no folders, and needs none to be flushed. */
const flushesFolders = process.platform !== 'win32'

/** So that the new name outlives a crash. */
export async function flushFolder(path: string): Promise<void> {
  if (!flushesFolders) return
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function flushFolderSync(path: string): void {
  if (!flushesFolders) return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
