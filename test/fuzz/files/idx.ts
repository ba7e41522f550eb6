/** IDX files, plain and gzipped, by themselves and as those of a data set. */
import assert from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { isArrayOf } from '../../../lib/base/dtype.ts'
import { DataFormatError } from '../../../lib/base/errors.ts'
import { sizeOf } from '../../../lib/base/shape.ts'
import { type IdxArray, parseIdx, readIdxFile } from '../../../lib/data/idx.ts'
import { loadMnistArrays } from '../../../lib/data/image-datasets.ts'
import { bigEndian, encodeIdx } from '../../data/encode-idx.ts'
import type { Random } from '../random.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

/** The codes of the element types, and their bytes. */
const types = [
  [0x08, 1],
  [0x09, 1],
  [0x0b, 2],
  [0x0c, 4],
  [0x0d, 4],
  [0x0e, 8],
] as const

function sample(random: Random): Uint8Array {
  const shape = Array.from({ length: random.pick([1, 1, 2, 3, 4, 8]) }, () => random.below(4))
  const [code, bytes] = random.pick(types)
  const elements = random.bytes(sizeOf(shape) * bytes)
  return Uint8Array.from([0, 0, code, shape.length, ...shape.flatMap(bigEndian), ...elements])
}

function check({ dtype, shape, data }: IdxArray): void {
  assert(isArrayOf(dtype, data), `${dtype} in ${data.constructor.name}`)
  assert.equal(data.length, sizeOf(shape))
}

const images = encodeIdx([2, 28, 28], new Uint8Array(2 * 784))
const labels = encodeIdx([2], [0, 9])

/** One of the four files is what was read, the others are right. */
async function readDataset(bytes: Uint8Array, random: Random, folder: string): Promise<void> {
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1']
  const bad = random.pick(names)
  for (const name of names) {
    const right = name.includes('images') ? images : labels
    const content = name !== bad ? right : random.oneIn(4) ? bytes : mutated(right, random)
    writeFileSync(join(folder, `${name}-ubyte`), content)
  }
  const { train, test } = await loadMnistArrays({ dir: folder })
  for (const { images, imagesShape, labels } of [train, test]) {
    assert.equal(images.length, sizeOf(imagesShape))
    assert.equal(labels.length, imagesShape[0])
    assert(labels.every((label) => label >= 0 && label < 10))
  }
}

export const idx: Format = {
  name: 'idx',
  sample: (random) => (random.oneIn(4) ? gzipSync(sample(random)) : sample(random)),
  async read(bytes, random, folder) {
    if (random.oneIn(16)) return readDataset(bytes, random, folder)
    if (!random.oneIn(4)) return check(parseIdx(bytes, 'file'))
    const path = join(folder, 'file')
    writeFileSync(path, random.oneIn(4) ? gzipSync(bytes) : bytes)
    check(await readIdxFile(path))
  },
  refuses: (error) => error instanceof DataFormatError && /^idx: expected .+, got .+ \(.+\)$/s.test(error.message),
}
