/** Memory of results, which serves others once nobody holds it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RecycledMemory } from '../../lib/backend/recycled.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import { compile, evaluateSync, type Tensor, tensor, zeros } from '../../lib/index.ts'
import { addon } from '../support/addon.ts'

const collected = new Set<object>()
const watched: object[] = []
const watcher = {
  watch: (object: object) => watched.push(object) - 1,
  isCollected: (i: number) => collected.has(watched[i]!),
}

const large = 2 ** 18
let memory = new RecycledMemory(watcher)

beforeEach(() => {
  vi.useFakeTimers()
  memory = new RecycledMemory(watcher)
})
afterEach(() => {
  vi.useRealTimers()
})

const allocate = (size = large): TypedArray => memory.allocate('float32', size)

it('gives a block to another array once the one that had it is collected, and not before', () => {
  const first = allocate()
  const second = allocate()
  expect(second.buffer).not.toBe(first.buffer)
  collected.add(first)
  const third = allocate()
  expect(third.buffer).toBe(first.buffer)
  expect(third).toHaveLength(large)
  expect(allocate().buffer).not.toBe(first.buffer)
})

it('gives a block to arrays of other dtypes and of nearly its size', () => {
  const first = allocate(large)
  collected.add(first)
  const bytes = memory.allocate('uint8', 4 * large - 100)
  expect(bytes.buffer).toBe(first.buffer)
  expect(bytes).toHaveLength(4 * large - 100)
})

it('keeps no small array, nor one that would be most of what may be kept', () => {
  for (const size of [0, 1, 100, 1000, 2 ** 23]) {
    const first = allocate(size)
    collected.add(first)
    expect(first).toHaveLength(size)
    if (size > 64) expect(allocate(size).buffer).not.toBe(first.buffer)
  }
})

it('keeps a bounded number of bytes, and gives memory of their own beyond it', () => {
  const arrays = Array.from({ length: 200 }, () => allocate())
  for (const array of arrays) collected.add(array)
  const again = new Set(Array.from({ length: 200 }, () => allocate().buffer))
  const kept = arrays.filter(({ buffer }) => again.has(buffer)).length
  expect(kept).toBe(64)
})

it('lets other sizes go for one that is asked for', () => {
  const arrays = Array.from({ length: 64 }, () => allocate())
  for (const array of arrays) collected.add(array)
  const wider = Array.from({ length: 32 }, () => allocate(2 * large))
  for (const array of wider) collected.add(array)
  const { buffer } = allocate(2 * large)
  expect(wider.some((other) => other.buffer === buffer)).toBe(true)
})

it('lets go of what was not used for a while', () => {
  const first = allocate()
  collected.add(first)
  vi.advanceTimersByTime(60_000)
  expect(allocate().buffer).not.toBe(first.buffer)
  expect(vi.getTimerCount()).toBe(1)
})

it('has no timer left once all is let go of', () => {
  collected.add(allocate())
  vi.advanceTimersByTime(60_000)
  expect(vi.getTimerCount()).toBe(0)
})

it('sees that an object was collected within a loop', () => {
  const numbers = Array.from({ length: 64 }, () => addon.watch(new Float32Array(16)))
  let gone = 0
  for (let i = 0; i < 1000 && gone < numbers.length; i++) {
    for (let j = 0; j < 4; j++) new ArrayBuffer(2 ** 24)
    for (const number of numbers.splice(0))
      if (addon.isCollected(number)) gone++
      else numbers.push(number)
    if (numbers.length === 0) break
  }
  expect(gone).toBe(64)
})

it('knows no object that was not watched', () => {
  expect(() => addon.isCollected(0)).toThrow(TypeError)
  expect(() => addon.isCollected('x' as never)).toThrow(TypeError)
  expect(() => addon.watch(1 as never)).toThrow(TypeError)
})

const add = compile((x: Tensor, y: Tensor) => x.add(y))

it('leaves results what they are, also while their data are taken away and those of others are collected', async () => {
  vi.useRealTimers()
  const x = zeros([large])
  evaluateSync(x)
  const held = Array.from({ length: 8 }, (_, i) => add.sync(x, tensor(i)))
  const data = held.map((result) => result.dataSync())
  for (const array of data) structuredClone(array.buffer, { transfer: [array.buffer] })
  for (let i = 0; i < 50; i++) {
    add.sync(x, tensor(-1))
    await add(x, tensor(-2))
  }
  held.forEach((result, i) => {
    expect(result.dataSync().every((value) => value === i)).toBe(true)
  })
})

it('takes no more memory the longer a loop runs that never lets others run', () => {
  const x = zeros([4 * large])
  evaluateSync(x)
  const run = (calls: number) => {
    for (let i = 0; i < calls; i++) add.sync(x, x)
    return process.memoryUsage().rss
  }
  const before = run(40)
  expect(run(100) - before).toBeLessThan(2 ** 27)
})
