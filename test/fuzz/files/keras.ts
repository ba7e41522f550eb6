/** Models of Keras in HDF5 and in zip files: what is read gives numbers. */
import assert from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from '../../../lib/base/shape.ts'
import { memorySource } from '../../../lib/files/source.ts'
import { membersOf, readMember, writeZip } from '../../../lib/files/zip.ts'
import * as g from '../../../lib/index.ts'
import * as keras from '../../../lib/keras/index.ts'
import type { Random } from '../random.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../../fixtures/keras/${name}`, import.meta.url)))

/** Of the older and of the newest format. */
const wholes = [fixture('small.h5'), fixture('small-newest.h5')]
const archive = fixture('small.keras')

/** The bytes themselves, or by a file. */
function given(bytes: Uint8Array, random: Random, folder: string): Uint8Array | string {
  if (!random.oneIn(8)) return bytes
  const path = join(folder, 'model')
  writeFileSync(path, bytes)
  return path
}

async function check(bytes: Uint8Array, random: Random, folder: string): Promise<void> {
  const model = await keras.load(given(bytes, random, folder))
  const { shape } = model.inputs[0]!
  // What a damaged file says of its input may be too large to be tried.
  if (shape === null || shape.some((extent) => (extent ?? 1) > 64)) return
  const y = model.forward(g.zeros(shape.map((extent) => extent ?? 2))) as g.Tensor
  assert.equal(y.dataSync().length, sizeOf(y.shape))
}

const refusal = /^(keras\.load|hdf5|zip): expected .+, got .*\(.+\)$/s

const refuses = (error: unknown): boolean => error instanceof g.DataFormatError && refusal.test(error.message)

export const hdf5: Format = { name: 'hdf5', sample: (random) => random.pick(wholes), read: check, refuses }

/** The sums of a zip file find every change, so the members are changed before they are packed again. */
export const kerasZip: Format = {
  name: 'keras',
  sample: () => archive,
  async read(bytes, random, folder) {
    await check(random.oneIn(8) ? bytes : await repacked(random), random, folder)
  },
  refuses,
}

async function repacked(random: Random): Promise<Uint8Array> {
  const source = memorySource('fuzz', archive)
  const members = await Promise.all(
    (await membersOf(source)).map(async (member) => {
      const bytes = await readMember(source, member)
      const changed = random.oneIn(2) ? mutated(bytes, random) : bytes
      return { name: member.name, size: changed.length, chunks: once(changed) }
    }),
  )
  const chunks: Uint8Array[] = []
  for await (const chunk of writeZip(members)) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
