/** What readers of models decode their weights by: large ones in pieces, between which the event loop turns. */
import { expect, test } from 'vitest'
import { tensorOfBytes } from '../../lib/files/tensor-file.ts'
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

test('many small ones do not hold it up together', async () => {
  const read = async () => {
    for (let i = 0; i < 20_000; i++)
      await tensorOfBytes('read', { name: 'w', type: 'F16', shape: [32] }, new Uint8Array(64), 'float32')
  }
  expect(await turnsUntil(read())).toBeGreaterThan(4)
})
