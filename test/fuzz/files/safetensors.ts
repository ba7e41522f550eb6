/** safetensors: bytes and files, alone and as shards of an index; what is read is held to what the header says. */
import assert from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isArrayOf } from '../../../lib/base/dtype.ts'
import { sizeOf } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/index.ts'
import { encodeSafetensors } from '../../files/encode-safetensors.ts'
import type { Random } from '../random.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

const types = [
  ['F32', 4],
  ['F64', 8],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['I32', 4],
  ['I8', 1],
  ['BOOL', 1],
] as const

function sample(random: Random): Uint8Array {
  const header: Record<string, object> = random.oneIn(3) ? { __metadata__: { format: 'pt' } } : {}
  let end = 0
  for (let i = random.below(4); i > 0; i--) {
    const [dtype, bytes] = random.pick(types)
    const shape = Array.from({ length: random.below(4) }, () => random.below(4))
    const start = end
    end += sizeOf(shape) * bytes
    header[`layer.${i}`] = { dtype, shape, data_offsets: [start, end] }
  }
  // Small numbers in the upper half of I64 are within int32.
  return encodeSafetensors(
    header,
    Uint8Array.from(random.bytes(end), (byte) => (byte < 128 ? 0 : byte & 1)),
  )
}

function check(state: Record<string, g.Tensor>): void {
  for (const x of Object.values(state)) {
    const data = x.dataSync()
    assert(isArrayOf(x.dtype, data), `${x.dtype} in ${data.constructor.name}`)
    assert.equal(data.length, sizeOf(x.shape))
  }
}

const right = encodeSafetensors({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, 8)
const index = Buffer.from(
  JSON.stringify({ metadata: { total_size: 16 }, weight_map: { x: 'a.safetensors', 'layer.1': 'b.safetensors' } }),
)

/** The index is damaged, or the second of its files. */
async function readShards(bytes: Uint8Array, random: Random, folder: string): Promise<void> {
  const isIndex = random.oneIn(2)
  const path = join(folder, 'model.safetensors.index.json')
  writeFileSync(path, isIndex ? mutated(index, random) : index)
  writeFileSync(join(folder, 'a.safetensors'), right)
  writeFileSync(join(folder, 'b.safetensors'), bytes)
  check(await g.load(path))
}

async function readOneByOne(bytes: Uint8Array): Promise<void> {
  const file = await g.open(bytes)
  for (const [name, { shape }] of Object.entries(file.tensors)) {
    const x = await file.read(name, shape.length > 0 ? { rows: [0, shape[0]!] } : {})
    assert.deepEqual(x.shape, shape)
  }
  await file.close()
}

export const safetensors: Format = {
  name: 'safetensors',
  sample,
  async read(bytes, random, folder) {
    if (random.oneIn(8)) return readShards(bytes, random, folder)
    if (random.oneIn(4)) return readOneByOne(bytes)
    if (!random.oneIn(4)) return check(g.loadSync(bytes))
    const path = join(folder, 'file')
    writeFileSync(path, bytes)
    check(await g.load(path))
  },
  refuses: (error) =>
    error instanceof Error &&
    (/^safetensors: expected .+, got .+ \(.+\)$/s.test(error.message)
      ? error instanceof g.DataFormatError
      : // Integers that int32 does not hold, types that are not read, a file that is not there.
        /^(load|loadSync|read): (expected numbers that int32 holds|expected .+ to be of a type|cannot read .+ENOENT)/s.test(
          error.message,
        )),
}
