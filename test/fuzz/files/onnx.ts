/** ONNX models as exporters write them: what is loaded says what it takes, and records what it gives for that, or says why not. */
import assert from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DataFormatError } from '../../../lib/base/errors.ts'
import * as g from '../../../lib/index.ts'
import * as onnx from '../../../lib/onnx/index.ts'
import { mutated } from './bytes.ts'
import type { Format } from './format.ts'

const folder = fileURLToPath(new URL('../../fixtures/onnx/', import.meta.url))
const contentOf = (name: string) => new Uint8Array(readFileSync(folder + name))
const names = readdirSync(folder)
const models = names.filter((name) => name.endsWith('.onnx')).map(contentOf)
const weights = names.filter((name) => name.endsWith('.data')).map((name) => [name, contentOf(name)] as const)

/** Larger extents than that are no test of the reader. */
const most = 64

/** Zeros of the shape that an input says, with 2 for each extent that may differ. */
function inputOf({ dtype, shape }: onnx.ValueInfo): g.Tensor | undefined {
  const extents = (shape ?? [2]).map((extent) => (typeof extent === 'number' ? extent : 2))
  return extents.length <= 8 && extents.every((extent) => extent >= 0 && extent <= most)
    ? g.zeros(extents, { dtype })
    : undefined
}

function checkForward(model: onnx.OnnxModel): void {
  const inputs = model.inputs.map((input) => [input.name, inputOf(input)] as const)
  if (inputs.some(([, x]) => x === undefined || x.size > 1e6)) return
  const given = model.forward(Object.fromEntries(inputs) as Record<string, g.Tensor>)
  for (const x of given instanceof g.Tensor ? [given] : Object.values<g.Tensor>(given)) assert(x instanceof g.Tensor)
}

export const onnxModel: Format = {
  name: 'onnx',
  sample: (random) => random.pick(models),
  async read(bytes, random) {
    const data = weights.map(([name, bytes]) => [name, random.oneIn(8) ? mutated(bytes, random) : bytes] as const)
    const model = await onnx.load(bytes, { externalData: Object.fromEntries(data), trainable: random.oneIn(2) })
    assert.equal(model.namedParameters() instanceof Object, true)
    checkForward(model)
  },
  refuses: (error) => isRefusal(error),
}

/** Of the file, in words that say where; or of what a node is given, with the node. */
function isRefusal(error: unknown): boolean {
  if (error instanceof onnx.UnsupportedOperatorError) return / at node /.test(error.message)
  if (error instanceof DataFormatError) return /^onnx\.load: expected .+, got .*\(.+\)$/s.test(error.message)
  const isOfUser = error instanceof TypeError || error instanceof RangeError
  return isOfUser && /^(forward: expected .+|\w+(\.\w+)?: .+\(node .+\))$/s.test(error.message)
}
