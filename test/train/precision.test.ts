/** fit with products of bf16. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { classifier, clouds, options, valuesOf } from '../support/training.ts'

beforeEach(() => g.setSeed(1))
afterEach(() => g.setBackend('native'))

async function train(precision: g.Precision | undefined, more: Partial<g.FitOptions> = {}) {
  g.setSeed(1)
  const model = classifier()
  const given = precision === undefined ? {} : { precision }
  const history = await g.fit(model, clouds(300, 1), options({ epochs: 8, metrics: ['accuracy'], ...given, ...more }))
  return { model, epochs: history.epochs }
}

describe.each(['native', 'reference'] as const)('fit with a precision on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test('learns in bf16 what it learns in float32, along the same losses', async () => {
    const [float32, bf16] = [await train('float32'), await train('bf16')]
    for (const [i, { loss, accuracy }] of bf16.epochs.entries()) {
      expect(Math.abs(loss / float32.epochs[i]!.loss - 1)).toBeLessThan(0.01)
      expect(Math.abs(accuracy! - float32.epochs[i]!.accuracy!)).toBeLessThan(0.02)
    }
    expect(bf16.epochs.at(-1)!.accuracy).toBeGreaterThan(0.95)
    expect(valuesOf(bf16.model)).not.toEqual(valuesOf(float32.model))
  })

  test('float32 is what it does without', async () => {
    const [named, unnamed] = [await train('float32'), await train(undefined)]
    expect(valuesOf(named.model)).toEqual(valuesOf(unnamed.model))
  })

  test('parameters keep all of their bits, and small updates are not lost', async () => {
    const w = g.variable([[1]])
    const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
    const rows = g.data.fromTensors(g.ones([64, 1]), g.zeros([64, 1]))
    const loss = (prediction: g.Tensor) => prediction.mean()
    await g.fit(model, rows, {
      loss,
      batchSize: 1,
      precision: 'bf16',
      optimizer: g.optim.sgd({ learningRate: 2 ** -12 }),
    })
    expect(w.itemSync()).toBe(1 - 64 * 2 ** -12)
  })
})

test('a model scores its validation set in float32', async () => {
  const validation = clouds(150, 2)
  const { model, epochs } = await train('bf16', { epochs: 1, validation })
  const scored = await g.evaluate(model, validation, { loss: 'crossEntropy' })
  expect(epochs[0]!.validation!.loss).toBe(scored.loss)
})

test('another precision is refused', async () => {
  const failure = train('float16' as 'bf16')
  await expect(failure).rejects.toThrow(new RangeError("fit: expected precision 'float32' or 'bf16', got float16"))
})

test('a training goes on in the precision in which it began', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'galvani-precision-'))
  try {
    await train('bf16', { epochs: 1, checkpoint: { directory } })
    await expect(train('float32', { epochs: 2, resume: directory })).rejects.toThrow('precision was bf16 and is none')
    const resumed = await train('bf16', { epochs: 2, resume: directory })
    const whole = await train('bf16', { epochs: 2 })
    expect(valuesOf(resumed.model)).toEqual(valuesOf(whole.model))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
