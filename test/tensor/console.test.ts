/** What the console shows of what users hold: its text, as its fields are private. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const path = join(mkdtempSync(join(tmpdir(), 'galvani-')), 'x.safetensors')

async function fileOfTensors() {
  await g.save(path, { a: g.ones([2]) })
  return g.open(path)
}

const held: [() => object | Promise<object>, string][] = [
  [() => g.data.fromTensors(g.ones([3, 2]), g.ones([3])), 'Dataset of 3 rows'],
  [() => g.data.fromArrays([1, 2, 3]).batch(2), 'fromArrays(3) → batch(2)'],
  [() => g.data.fromArrays([1, 2, 3]).open(), 'StreamIterator of fromArrays'],
  [() => g.optim.adam(), 'Optimizer adam'],
  [() => g.optim.lbfgs(), 'Optimizer lbfgs'],
  [() => g.schedules.constant({ rate: 0.1 }), 'Schedule constant'],
  [() => g.metrics.streaming.rocAuc(), 'StreamingMetric rocAuc'],
  [() => g.randomStream(5), 'RandomStream of seed 5'],
  [fileOfTensors, 'TensorFile of 1 tensors\n  a: F32 [2]'],
]

test.each(held)('%s', async (make, text) => {
  const made = await make()
  expect(inspect(made)).toContain(text)
  expect(inspect(made)).toBe(String(made))
  expect(inspect({ made }, { depth: 3 })).not.toContain('Symbol(')
  // What only inherits from the class is shown, too.
  expect(inspect(Object.create(Object.getPrototypeOf(made)))).toEqual(expect.any(String))
})
