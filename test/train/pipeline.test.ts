import { describe, expect, test, vi } from 'vitest'
import { pipeline } from '../../lib/train/pipeline.ts'

async function resultsOf<R>(ended: AsyncIterable<{ result: R }>, received: R[] = []): Promise<R[]> {
  for await (const { result } of ended) received.push(result)
  return received
}

describe('pipeline', () => {
  test('keeps two under way, and receives in order', async () => {
    const log: string[] = []
    const finish = new Map<number, () => void>()
    const submit = (item: number) => {
      log.push(`submit ${item}`)
      return new Promise<number>((resolve) => finish.set(item, () => resolve(item * 10)))
    }
    const receive = async () => {
      for await (const { result, item } of pipeline([1, 2, 3], submit)) log.push(`receive ${item} ${result}`)
    }
    const done = receive()
    for (const item of [2, 1, 3]) {
      await vi.waitFor(() => expect(finish.has(item)).toBe(true))
      finish.get(item)!()
    }
    await done
    expect(log).toEqual(['submit 1', 'submit 2', 'receive 1 10', 'submit 3', 'receive 2 20', 'receive 3 30'])
  })

  test('waits for what is under way before it rejects', async () => {
    let ended = false
    const submit = async (item: number) => {
      if (item === 1) throw new Error('first')
      await new Promise((resolve) => setTimeout(resolve, 10))
      ended = true
      throw new Error('second')
    }
    await expect(resultsOf(pipeline([1, 2, 3], submit))).rejects.toThrow('first')
    expect(ended).toBe(true)
  })

  test('an error that comes before its turn is thrown at its turn, and never counts as unhandled', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const received: number[] = []
    const submit = async (item: number) => {
      if (item === 2) throw new Error('second')
      await new Promise((resolve) => setTimeout(resolve, 10))
      return item
    }
    await expect(resultsOf(pipeline([1, 2, 3], submit), received)).rejects.toThrow('second')
    process.off('unhandledRejection', unhandled)
    expect(received).toEqual([1])
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('left by break, nothing is under way', async () => {
    let underWay = 0
    const submit = async (item: number) => {
      underWay++
      await new Promise((resolve) => setTimeout(resolve, 5))
      underWay--
      return item
    }
    for await (const { result } of pipeline([1, 2, 3, 4], submit)) if (result === 2) break
    expect(underWay).toBe(0)
  })
})
