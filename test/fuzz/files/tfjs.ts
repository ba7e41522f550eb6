/** Models of TensorFlow.js: a model.json that was changed, beside the weights that it had. */
import assert from 'node:assert'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from '../../../lib/base/shape.ts'
import * as g from '../../../lib/index.ts'
import * as tfjs from '../../../lib/tfjs/index.ts'
import type { Random } from '../random.ts'
import type { Format } from './format.ts'

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tfjs/${name}`, import.meta.url))

const refusal = /^tfjs\.load: expected .+, got .*\(.+\)$/s

/** A name of a file may be changed into that of none. */
const refuses = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof g.DataFormatError
    ? refusal.test(error.message)
    : /^tfjs\.load: (cannot read .*: (ENOENT|EISDIR|ENOTDIR|ENAMETOOLONG)|expected .* to be a file)/.test(
        error.message,
      ))

async function load(json: Uint8Array, weights: Uint8Array, file: string, folder: string) {
  const own = join(folder, 'tfjs')
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'model.json'), json)
  writeFileSync(join(own, file), weights)
  return tfjs.load(join(own, 'model.json'))
}

async function check(bytes: Uint8Array, name: string, file: string, folder: string): Promise<void> {
  const model = await load(bytes, fixture(`${name}/${file}`), file, folder)
  const [input] = model.inputs
  const shape = input?.shape
  if (shape === undefined || shape === null || shape.some((extent) => (extent ?? 1) > 64)) return
  const y = model.forward(g.zeros(shape.map((extent) => extent ?? 2)))
  if (y instanceof g.Tensor && y.size < 1e6) assert.equal(y.dataSync().length, sizeOf(y.shape))
}

const format = (name: string, model: string, file: string): Format => ({
  name,
  sample: (_random: Random) => fixture(`${model}/model.json`),
  read: (bytes, _random, folder) => check(bytes, model, file, folder),
  refuses,
})

export const tfjsLayers = format('tfjs layers', 'mlp', 'weights.bin')
export const tfjsGraph = format('tfjs graph', 'graph-cnn-uint8', 'group1-shard1of1.bin')
