import { expect, test } from 'vitest'
import { cases, Tally } from '../suite.ts'
import { surface } from './case.ts'
import { run } from './index.ts'

test('junk is refused by every public function, constructor, method and option', { timeout: 300_000 }, async () => {
  const tally = new Tally()
  await run(Number(process.env.GALVANI_TEST_SEED ?? 13), cases(surface.length), tally)
  expect(tally.faults).toEqual([])
  const [refused, taken] = ['refused', 'taken'].map((outcome) => tally.counts.get(outcome) ?? 0)
  expect(refused).toBeGreaterThan(6 * surface.length)
  expect(taken).toBeGreaterThan(surface.length)
  // Of some there are no arguments that chance finds: their junk may be refused for another reason.
  expect(tally.counts.get('without arguments that it takes')).toBeLessThan(surface.length / 10)
})

test('the compiler finds the functions', () => {
  const paths = surface.map(({ path, form }) => `${path} ${form}`)
  expect(paths.length).toBeGreaterThan(1200)
  expect(paths).toEqual(
    expect.arrayContaining([
      'sum function',
      'Tensor.prototype.sum method',
      'nn.linear function',
      'nn.Linear.prototype.forward method',
      'optim.Optimizer.prototype.learningRate setter',
      'fit function',
      'linalg.svd function',
    ]),
  )
})
