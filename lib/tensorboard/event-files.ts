/** The files of a writer: where bytes go, as a new file begins where one has become long. */
import { closeSync, mkdirSync, openSync, write, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileError } from '../files/file-error.ts'
import { versionFrame } from './encode.ts'

const writeSome = promisify(write)

/** Files that this process has opened so far, as part of their names. */
let opened = 0

interface OpenFile {
  readonly descriptor: number
  readonly path: string
  /** Of the version. */
  readonly headBytes: number
  /** The bytes that are or will be written. */
  size: number
}

/** Bytes and the place that is theirs, so that they may be written in any order. */
export interface Piece {
  readonly file: OpenFile
  readonly position: number
  readonly bytes: Uint8Array
  /** Whether no others follow in that file. */
  readonly isLast: boolean
}

export class EventFiles {
  readonly #op: string
  readonly #folder: string
  readonly #maxBytes: number
  #seconds = 0
  #file: OpenFile

  /** @throws Error with the `code` of the file system for a folder that cannot be made or written to */
  constructor(op: string, folder: string, maxBytes: number) {
    this.#op = op
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#file = this.#begin()
  }

  get path(): string {
    return this.#file.path
  }

  /** TensorBoard reads the files of a folder in the order of their names, so that a later one has a later second. */
  #begin(): OpenFile {
    const now = Date.now()
    this.#seconds = Math.max(Math.trunc(now / 1000), this.#seconds + 1)
    const [seconds, host] = [String(this.#seconds).padStart(10, '0'), hostname().replaceAll(/[^\w.-]/g, '_')]
    const path = join(this.#folder, `events.out.tfevents.${seconds}.${host}.${process.pid}.${opened++}`)
    try {
      mkdirSync(this.#folder, { recursive: true })
      const descriptor = openSync(path, 'wx')
      const headBytes = writeSync(descriptor, versionFrame(now))
      return { descriptor, path, headBytes, size: headBytes }
    } catch (error) {
      throw fileError(this.#op, 'write', path, error)
    }
  }

  /** Where records go: as many of them together as one file takes. */
  place(records: readonly Uint8Array[]): Piece[] {
    const pieces: Piece[] = []
    let together: Uint8Array[] = []
    const end = (isLast: boolean) => {
      const [file, bytes] = [this.#file, Buffer.concat(together)]
      if (isLast || bytes.length > 0) pieces.push({ file, position: file.size - bytes.length, bytes, isLast })
      together = []
    }
    for (const record of records) {
      const { size, headBytes } = this.#file
      if (size + record.length > this.#maxBytes && size > headBytes) {
        end(true)
        this.#file = this.#begin()
      }
      together.push(record)
      this.#file.size += record.length
    }
    end(false)
    return pieces
  }

  async write(pieces: readonly Piece[]): Promise<void> {
    for (const { file, position, bytes } of pieces)
      try {
        for (let done = 0; done < bytes.length; )
          done += (await writeSome(file.descriptor, bytes, done, bytes.length - done, position + done)).bytesWritten
      } catch (error) {
        throw fileError(this.#op, 'write', file.path, error)
      }
  }

  writeSync(pieces: readonly Piece[]): void {
    for (const { file, position, bytes } of pieces)
      try {
        for (let done = 0; done < bytes.length; )
          done += writeSync(file.descriptor, bytes, done, bytes.length - done, position + done)
      } catch (error) {
        throw fileError(this.#op, 'write', file.path, error)
      }
  }

  /** The files that are full with these pieces, once all their pieces are written. */
  closeFull(pieces: readonly Piece[]): void {
    for (const { file, isLast } of pieces) if (isLast) closeSync(file.descriptor)
  }

  close(): void {
    closeSync(this.#file.descriptor)
  }
}
