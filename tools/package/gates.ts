/** How large the package may be. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Addons } from './contents.ts'
import type { Packed } from './npm.ts'

interface Size {
  /** Bytes of the tarball. */
  readonly packed: number
  readonly unpacked: number
}

/** What the second leaves of the first is for the addons of all targets: so a package with one of them tells of the one with all. */
export const limits = {
  'the package': { packed: 10e6, unpacked: 25e6 },
  'the package without its addons': { packed: 3e6, unpacked: 9e6 },
} as const satisfies Readonly<Record<string, Size>>

export type Measured = keyof typeof limits
export type Sizes = Readonly<Partial<Record<Measured, Size>>>

export const wholeSize = ({ size, unpackedSize }: Pick<Packed, 'size' | 'unpackedSize'>): Sizes => ({
  'the package': { packed: size, unpacked: unpackedSize },
})

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** An addon takes as much of a tarball as it takes alone. */
export function sizesOf(packed: Pick<Packed, 'size' | 'unpackedSize'>, addons: Addons): Sizes {
  const contents = [...addons.values()].map((file) => readFileSync(file))
  const rest = {
    packed: packed.size - sum(contents.map((content) => gzipSync(content, { level: 9 }).length)),
    unpacked: packed.unpackedSize - sum(contents.map(({ length }) => length)),
  }
  return { ...wholeSize(packed), 'the package without its addons': rest }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`

const textOf = ({ packed, unpacked }: Size) => `${megabytes(packed)}, ${megabytes(unpacked)} unpacked`

const entriesOf = (sizes: Sizes) => Object.entries(sizes) as [Measured, Size][]

/** What is larger than it may be, in words. */
export const excesses = (sizes: Sizes): string[] =>
  entriesOf(sizes)
    .filter(([what, size]) => size.packed > limits[what].packed || size.unpacked > limits[what].unpacked)
    .map(([what, size]) => `${what}: expected at most ${textOf(limits[what])}, got ${textOf(size)}`)

export const sizesText = (sizes: Sizes): string =>
  entriesOf(sizes)
    .map(([what, size]) => `${what}: ${textOf(size)}`)
    .join('\n')
