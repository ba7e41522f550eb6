import { describe, expect, test, vi } from 'vitest'
import { pipeline } from '../lib/train/pipeline.ts'

describe('pipeline', () => {
  test('keeps two under way, and receives in order', async () => {
    const log: string[] = []
    const finish = new Map<number, () => void>()
    const submit = (item: number) => {
      log.push(`submit ${item}`)
      return new Promise<number>((resolve) => finish.set(item, () => resolve(item * 10)))
    }
    const done = pipeline([1, 2, 3], submit, async (result, item) => {
      log.push(`receive ${item} ${result}`)
    })
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
    await expect(pipeline([1, 2, 3], submit, async () => {})).rejects.toThrow('first')
    expect(ended).toBe(true)
  })
})
