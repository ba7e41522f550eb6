/** The names of numpy: what they read and write is tested where the formats are, here that they are told apart and named in messages. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as numpy from '../../lib/numpy/index.ts'

let folder = ''
const at = (name: string) => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'numpy-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('load', () => {
  test('gives an array as a tensor and several by name, whatever the files are called', async () => {
    await numpy.save(at('one'), g.tensor([[1, 2, 3]]))
    await numpy.savez(at('two'), { x: g.tensor([1.5]), y: g.tensor([2, 3], { dtype: 'int32' }) })
    const one: g.Tensor = await numpy.load(at('one'))
    expect([one.shape, Array.from(await one.data())]).toEqual([
      [1, 3],
      [1, 2, 3],
    ])
    const { x, y } = await numpy.load(at('two'))
    expect([x!.dtype, y!.dtype, Array.from(await y!.data())]).toEqual(['float32', 'int32', [2, 3]])
  })

  test('takes bytes and another dtype', async () => {
    await numpy.save(at('bytes.npy'), g.tensor([1, 2]))
    const x: g.Tensor = await numpy.load(readFileSync(at('bytes.npy')), { dtype: 'int32' })
    expect(x.dtype).toBe('int32')
  })

  test.each([
    ['an empty file', Buffer.alloc(0), 'load: expected a .npy or .npz file, got another one'],
    ['another file', Buffer.from('hello, world'), 'load: expected a .npy or .npz file, got another one'],
    ['a cut array', Buffer.from('\x93NUMPY\x01', 'latin1'), 'npy: expected at least 10 bytes, got 7'],
    ['a cut zip file', Buffer.from('PK\x03\x04'), 'zip: expected'],
  ])('refuses %s', async (_, bytes, message) => {
    writeFileSync(at('wrong'), bytes)
    await expect(numpy.load(at('wrong'))).rejects.toThrow(g.DataFormatError)
    await expect(numpy.load(at('wrong'))).rejects.toThrow(message)
  })

  test.each([
    ['load', () => numpy.load(at('none'), { dtyp: 'int32' } as never), 'load: unknown option dtyp'],
    ['save', () => numpy.save(at('none'), 'x' as never), 'save: expected'],
    ['savez', () => numpy.savez(at('none'), { x: 1 } as never), 'savez: expected a tensor as x'],
  ])('%s says its name where arguments are wrong', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message)
  })
})
