import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'
import { classifier, clouds, options, valuesOf } from '../support/training.ts'

async function train(change: Partial<g.FitOptions>, optimizer: g.optim.Optimizer = g.optim.sgd({ learningRate: 0.5 })) {
  g.setSeed(1)
  const model = classifier()
  await g.fit(model, clouds(24, 1), { ...options({ batchSize: 6, epochs: 2, shuffle: false }), optimizer, ...change })
  return valuesOf(model).map((x) => Array.from(x as Float32Array))
}

test('gradients are clipped and accumulated as by the links of optim', async () => {
  const sgd = g.optim.sgd({ learningRate: 0.5 })
  const { clipByGlobalNorm, clipByValue, chain, accumulate } = g.optim
  const plain = await train({})
  const both = await train({ clipNorm: 0.1, clipValue: 0.02, accumulate: 2 })
  expect(both).toEqual(await train({}, accumulate(chain(clipByGlobalNorm(0.1), clipByValue(0.02), sgd), 2)))
  expect(both).not.toEqual(plain)
  expect(await train({ accumulate: 1 })).toEqual(plain)
})

test('an optimizer is trained with again, of other numbers of batches too', async () => {
  const optimizer = g.optim.sgd({ learningRate: 0.5 })
  const again = { batchSize: 12, epochs: 1 }
  g.setSeed(1)
  const model = classifier()
  const fit = (change: Partial<g.FitOptions>) =>
    g.fit(model, clouds(24, 1), { ...options({ ...again, shuffle: false }), optimizer, ...change })
  await fit({ accumulate: 2 })
  await fit({ accumulate: 2, clipNorm: 100 })
  // Two batches are left, which the next one makes three of.
  await fit({ accumulate: 3 })
  const before = valuesOf(model)
  await fit({ accumulate: 2, stepsPerEpoch: 1 })
  expect(valuesOf(model)).not.toEqual(before)
  await fit({})
})

test('as many small batches as a large one take its step', async () => {
  const [small, large] = [await train({ accumulate: 4 }), await train({ batchSize: 24 })]
  expectClose(small.flat(), large.flat(), 1e-5)
})

test.each([
  [{ clipNorm: 0 }, 'fit: expected a finite clipNorm above 0, got 0'],
  [{ clipValue: -1 }, 'fit: expected a finite clipValue above 0, got -1'],
  [{ accumulate: 1.5 }, 'fit: expected an integer of at least 1 to accumulate, got 1.5'],
  [
    { clipNorm: 1, optimizer: { minimize: () => g.tensor(0) } },
    'fit: expected an optimizer of optim to clip or accumulate',
  ],
])('%o is refused', async (change, message) => {
  await expect(train(change as never)).rejects.toThrow(message)
})
