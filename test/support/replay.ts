/** Writes recorded cases for the native test binary; native/test/replay.cc describes the format and runs them. */
import type { Buffers } from '../../lib/backend/backend.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import { encodeProgram } from '../../lib/program/encode.ts'
import type { Numbering } from '../../lib/program/parameters.ts'
import type { Program } from '../../lib/program/program.ts'

export interface Expectation {
  /** Position among the buffers of a run; states as read and as written are different ones. */
  readonly buffer: number
  readonly dtype: DType
  /** |actual − expected| ≤ absolute + relative · |expected|; integers and bytes are equal. */
  readonly relative: number
  readonly absolute: number
  readonly contents: TypedArray
}

export interface RecordedCase {
  readonly name: string
  readonly program: Program
  /** Before the run: all that it binds. */
  readonly buffers: Buffers
  readonly expectations: readonly Expectation[]
}

const replayMagic = 0x47565250

const word = (x: number): Uint8Array => new Uint8Array(Int32Array.of(x).buffer)
const real = (x: number): Uint8Array => new Uint8Array(Float32Array.of(x).buffer)

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Their count, then the bytes themselves, up to a whole word. */
function counted(bytes: Uint8Array): Uint8Array[] {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  padded.set(bytes)
  return [word(bytes.length), padded]
}

function encodeCase({ name, program, buffers, expectations }: RecordedCase, numbering: Numbering): Uint8Array[] {
  const { words, literals } = encodeProgram(program, numbering)
  const expectationBytes = expectations.flatMap(({ buffer, dtype, relative, absolute, contents }) => [
    word(buffer),
    word(numbering.dtypes.get(dtype)!),
    real(relative),
    real(absolute),
    ...counted(bytesOf(contents)),
  ])
  return [
    ...counted(new TextEncoder().encode(name)),
    word(words.length),
    bytesOf(words as Int32Array<ArrayBuffer>),
    ...counted(literals),
    word(buffers.length),
    ...buffers.flatMap((buffer) => counted(bytesOf(buffer))),
    word(expectations.length),
    ...expectationBytes,
  ]
}

/** The file of these cases. The numbering is that of the addon: numberingOf(loadAddon()). */
export function encodeReplay(cases: readonly RecordedCase[], numbering: Numbering): Uint8Array {
  const parts = [word(replayMagic), word(cases.length), ...cases.flatMap((recorded) => encodeCase(recorded, numbering))]
  return Buffer.concat(parts)
}
