/** NPY and NPZ: what is read has the shape and dtype that it says. */
import assert from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isArrayOf } from '../../../lib/base/dtype.ts'
import { sizeOf } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/index.ts'
import type { Random } from '../random.ts'
import type { Format } from './format.ts'

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/numpy.json', import.meta.url), 'utf8'))
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

const arrays: readonly Uint8Array[] = fixtures.arrays.map(({ file }: { file: string }) => bytesOf(file))
const archives = [bytesOf(fixtures.npz), bytesOf(fixtures.compressed)]

function check(x: g.Tensor): void {
  const data = x.dataSync()
  assert(isArrayOf(x.dtype, data), `${x.dtype} in ${data.constructor.name}`)
  assert.equal(data.length, sizeOf(x.shape))
}

/** The bytes themselves, or by a file. */
function given(bytes: Uint8Array, random: Random, folder: string): Uint8Array | string {
  if (!random.oneIn(8)) return bytes
  const path = join(folder, 'array')
  writeFileSync(path, bytes)
  return path
}

const refusal = /^(npy|zip|npz): expected .+, got .+ \(.+\)$/s

/** Integers that int32 does not hold are no fault of the file. */
const refuses = (error: unknown): boolean =>
  error instanceof Error &&
  (refusal.test(error.message)
    ? error instanceof g.DataFormatError
    : /^loadNp[yz]: expected numbers that int32 holds/.test(error.message))

export const npy: Format = {
  name: 'npy',
  sample: (random) => random.pick(arrays),
  read: async (bytes, random, folder) => check(await g.loadNpy(given(bytes, random, folder))),
  refuses,
}

export const npz: Format = {
  name: 'npz',
  sample: (random) => random.pick(archives),
  async read(bytes, random, folder) {
    for (const x of Object.values(await g.loadNpz(given(bytes, random, folder)))) check(x)
  },
  refuses,
}
