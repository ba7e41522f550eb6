/** Files of `torch.save`: damaged archives, and archives of damaged pickles; what is read are plain data and tensors of their shapes. */
import assert from 'node:assert'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isArrayOf } from '../../../lib/base/dtype.ts'
import { sizeOf } from '../../../lib/base/shape.ts'
import { memorySource } from '../../../lib/files/source.ts'
import { membersOf, readMember } from '../../../lib/files/zip.ts'
import * as g from '../../../lib/index.ts'
import * as pytorch from '../../../lib/torch/index.ts'
import { archiveOf } from '../../torch/archive.ts'
import type { Random } from '../random.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/torch.json', import.meta.url), 'utf8'))
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const files: readonly Uint8Array[] = [
  ...fixtures.values.map(({ file }: { file: string }) => bytesOf(file)),
  ...fixtures.protocols.map(bytesOf),
  ...['whole model', 'os.system', 'set', 'tuple as key'].map((name) => bytesOf(fixtures.refused[name])),
]

/** The pickles, and what is beside them. */
const archives = await Promise.all(
  files.map(async (bytes) => {
    const source = memorySource('torch', bytes)
    const members = await membersOf(source)
    const parts = members.map(async (member) => [
      member.name.slice(member.name.indexOf('/') + 1),
      await readMember(source, member),
    ])
    const { 'data.pkl': pickle, ...others } = Object.fromEntries(await Promise.all(parts))
    return { pickle: pickle as Uint8Array, others: others as Record<string, Uint8Array> }
  }),
)

function check(value: pytorch.TorchValue): void {
  if (value instanceof g.Tensor) {
    const data = value.dataSync()
    assert(isArrayOf(value.dtype, data), `${value.dtype} in ${data.constructor.name}`)
    assert.equal(data.length, sizeOf(value.shape))
  } else if (Array.isArray(value)) value.forEach(check)
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    assert(Object.getPrototypeOf(value) === Object.prototype)
    Object.values(value).forEach(check)
  }
}

async function checkFile(bytes: Uint8Array, random: Random, folder: string): Promise<void> {
  if (random.oneIn(2)) return check(pytorch.loadSync<pytorch.TorchValue>(bytes))
  const path = join(folder, 'file.pt')
  if (random.oneIn(8)) writeFileSync(path, bytes)
  else return check(await pytorch.load<pytorch.TorchValue>(bytes, { dtype: 'stored' }))
  check(await pytorch.load<pytorch.TorchValue>(path))
}

const refusal = /^(torch|zip): expected .+, got .+ \(.+\)$/s

export const torch: Format = {
  name: 'torch',
  sample: (random) => random.pick(files),
  async read(bytes, random, folder) {
    const { pickle, others } = random.pick(archives)
    const given = random.oneIn(2) ? bytes : archiveOf(mutated(pickle, random), others)
    try {
      await checkFile(given, random, folder)
    } finally {
      assert(!existsSync('executed'), 'something was executed')
      assert.deepEqual(Object.keys(Object.prototype), [])
    }
  },
  refuses: (error) =>
    error instanceof Error &&
    (refusal.test(error.message)
      ? error instanceof g.DataFormatError
      : // Integers that int32 does not hold, and types that are not read, are no fault of the file.
        /^torch\.load(Sync)?: expected (numbers that (int32|uint8|bool) holds?|.+ to be of a type that tensors have)/s.test(
          error.message,
        )),
}
