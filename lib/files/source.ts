/** Bytes that are read by their positions: those of a file, or in memory. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { types } from 'node:util'
import { describe } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { checkPath, fileError } from './file-error.ts'

/** What is read: a file by its path, or bytes where they are. */
export type PathOrBytes = string | Uint8Array

interface Sized {
  /** What messages call it. */
  readonly name: string
  /** The number of its bytes. */
  readonly size: number
}

export interface Source extends Sized {
  /** The bytes start ≤ i < end, in memory that nobody else writes to unless a user gave it. */
  read(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface SourceSync extends Sized {
  read(start: number, end: number): Uint8Array
  close(): void
}

/** Which bytes of a source are asked for. */
export type Span = readonly [start: number, end: number]

/**
 * Work on a source, written once for sources of both kinds: it is given the bytes of each span that it yields, and where it yields
 * undefined the event loop turns.
 */
export type Reading<T> = Generator<Span | undefined, T, Uint8Array>

const none = new Uint8Array(0)

export async function readIn<T>(source: Source, reading: Reading<T>): Promise<T> {
  let next = reading.next(none)
  while (!next.done) {
    if (next.value === undefined) await setImmediate()
    next = reading.next(next.value === undefined ? none : await source.read(...next.value))
  }
  return next.value
}

export function readInSync<T>(source: SourceSync, reading: Reading<T>): T {
  let next = reading.next(none)
  while (!next.done) next = reading.next(next.value === undefined ? none : source.read(...next.value))
  return next.value
}

/** @throws TypeError for what is neither a path nor bytes; Error with the code of the file system */
export async function openSource(op: string, from: PathOrBytes): Promise<Source> {
  if (types.isUint8Array(from)) return memorySource(op, from)
  const path = checkPathOrBytes(op, from)
  try {
    checkIsFile(op, path, await stat(path))
    const file = await open(path)
    return new FileSource(op, path, (await file.stat()).size, file)
  } catch (error) {
    throw fileError(op, 'read', path, error)
  }
}

export function openSourceSync(op: string, from: PathOrBytes): SourceSync {
  if (types.isUint8Array(from)) return bytesSource(op, from)
  const path = checkPathOrBytes(op, from)
  try {
    checkIsFile(op, path, statSync(path))
    return new FileSourceSync(op, path, openSync(path, 'r'))
  } catch (error) {
    throw fileError(op, 'read', path, error)
  }
}

function checkPathOrBytes(op: string, from: unknown): string {
  if (typeof from !== 'string') throw new TypeError(expected(op, 'a path or a Uint8Array', describe(from)))
  return checkPath(op, from)
}

/** What is no file may have no end, or wait for one that never comes. */
function checkIsFile(op: string, path: string, stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (!stats.isFile())
    throw new TypeError(expected(op, `${path} to be a file`, stats.isDirectory() ? 'a folder' : 'something else'))
}

/** Bytes in memory under a name. */
export function memorySource(op: string, bytes: Uint8Array, name?: string): Source {
  const { read, ...sized } = bytesSource(op, bytes, name)
  return { ...sized, read: async (start, end) => read(start, end), close: async () => {} }
}

/** Bytes stay where they are: they may have become fewer. */
function bytesSource(op: string, bytes: Uint8Array, name = 'bytes'): SourceSync {
  const read = (start: number, end: number) => checkWhole(op, name, bytes.subarray(start, end), end - start)
  return { name, size: bytes.length, read, close: () => {} }
}

function checkWhole(op: string, name: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  throw new DataFormatError(`${expected(op, `${length} bytes more`, `${bytes.length}: it became shorter`)} (${name})`)
}

class FileSource implements Source {
  constructor(
    readonly op: string,
    readonly name: string,
    readonly size: number,
    readonly file: FileHandle,
  ) {}

  async read(start: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - start)
    let length = 0
    try {
      while (length < bytes.length) {
        const { bytesRead } = await this.file.read(bytes, length, bytes.length - length, start + length)
        if (bytesRead === 0) break
        length += bytesRead
      }
    } catch (error) {
      throw fileError(this.op, 'read', this.name, error)
    }
    return checkWhole(this.op, this.name, bytes.subarray(0, length), bytes.length)
  }

  /** Waits for what is being read. */
  close(): Promise<void> {
    return this.file.close()
  }
}

class FileSourceSync implements SourceSync {
  readonly size: number

  constructor(
    readonly op: string,
    readonly name: string,
    readonly file: number,
  ) {
    this.size = fstatSync(file).size
  }

  read(start: number, end: number): Uint8Array {
    const bytes = new Uint8Array(end - start)
    let length = 0
    try {
      while (length < bytes.length) {
        const count = readSync(this.file, bytes, length, bytes.length - length, start + length)
        if (count === 0) break
        length += count
      }
    } catch (error) {
      throw fileError(this.op, 'read', this.name, error)
    }
    return checkWhole(this.op, this.name, bytes.subarray(0, length), bytes.length)
  }

  close(): void {
    closeSync(this.file)
  }
}
