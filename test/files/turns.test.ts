/** What readers of models decode their weights by: large ones in pieces, between which the event loop turns. */
import { expect, test } from 'vitest'
import { tensorOfBytes } from '../../lib/files/tensor-file.ts'
import type { Tensor } from '../../lib/tensor/tensor.ts'
import { readWeights } from '../../lib/tfjs/weights.ts'
import { turnsUntil } from '../support/turns.ts'

test('a large tensor of bytes is that of all of them', async () => {
  const elements = Float32Array.from({ length: 2 ** 21 }, (_, i) => Math.cos(i))
  const decoding = tensorOfBytes(
    'read',
    { name: 'w', type: 'F32', shape: [2 ** 10, 2 ** 11] },
    new Uint8Array(elements.buffer),
    'float32',
  )
  expect(await turnsUntil(decoding)).toBeGreaterThan(4)
  const x = await decoding
  expect(x.shape).toEqual([2 ** 10, 2 ** 11])
  expect(await x.data()).toEqual(elements)
})

test('a large quantized weight is that of all of its steps', async () => {
  const size = 2 ** 21
  const steps = Uint16Array.from({ length: size }, (_, i) => i * 31)
  const quantization = { dtype: 'uint16', min: -1, scale: 0.25 }
  const spec = { name: 'w', shape: [2 ** 10, 2 ** 11], dtype: 'float32', quantization }
  const found = new Map<string, Tensor>()
  const bytes = new Uint8Array(steps.buffer)
  const decoding = readWeights({ op: 'load', file: 'model', dialect: 'keras2' }, [spec], bytes, found)
  expect(await turnsUntil(decoding)).toBeGreaterThan(4)
  expect(found.get('w')!.shape).toEqual(spec.shape)
  expect(await found.get('w')!.data()).toEqual(Float32Array.from(steps, (step) => step * 0.25 - 1))
})

test('many small ones do not hold it up together', async () => {
  const read = async () => {
    for (let i = 0; i < 20_000; i++)
      await tensorOfBytes('read', { name: 'w', type: 'F16', shape: [32] }, new Uint8Array(64), 'float32')
  }
  expect(await turnsUntil(read())).toBeGreaterThan(4)
})
