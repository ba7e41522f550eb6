/** The order in which rows are computed, and what a batch is made of. */
import { describe, expect, test } from 'vitest'
import { Batcher, type BatchLimits } from '../../lib/serve/batcher.ts'
import { LatencyModel } from '../../lib/serve/latency.ts'
import { Waiting, WaitingQueue } from '../../lib/serve/queue.ts'

const item = (value: string, rank: number, { priority = 0, kind = '' } = {}) => new Waiting(value, rank, priority, kind)

describe('the queue', () => {
  test('gives what came first, and of another priority what is worth more', () => {
    const queue = new WaitingQueue<string>()
    const patience = 100
    const add = (value: string, came: number, priority: number) =>
      queue.add(item(value, came - priority * patience, { priority }))
    add('a', 0, 0)
    add('b', 1, 0)
    add('urgent', 50, 1)
    add('late', 150, 1)
    expect(queue.next()?.first.value).toBe('urgent')
    expect(queue.take('', 10)).toEqual(['urgent', 'a', 'b', 'late'])
    expect(queue.size).toBe(0)
    expect(queue.next()).toBeNull()
  })

  test('rows of a low priority are next once they have waited longer than the others are worth', () => {
    const queue = new WaitingQueue<string>()
    queue.add(item('patient', 0))
    for (let came = 0; came < 1000; came += 10) queue.add(item(`urgent ${came}`, came - 9 * 100, { priority: 9 }))
    const order = queue.take('', 200)
    expect(order.indexOf('patient')).toBe(90)
  })

  test('any row leaves, and twice is once', () => {
    const queue = new WaitingQueue<number>()
    const items = Array.from({ length: 7 }, (_, i) => new Waiting(i, i, 0, ''))
    for (const x of items) queue.add(x)
    for (const i of [0, 3, 6, 3]) queue.remove(items[i]!)
    expect(queue.remove(items[3]!)).toBe(false)
    expect(queue.size).toBe(4)
    expect(queue.take('', 3)).toEqual([1, 2, 4])
    expect(queue.remove(items[1]!)).toBe(false)
    expect(queue.take('', 3)).toEqual([5])
  })

  test('takes those of one kind, and the kind whose first is next', () => {
    const queue = new WaitingQueue<string>()
    queue.add(item('long', 0, { kind: '64' }))
    queue.add(item('short', 1, { kind: '8' }))
    queue.add(item('long too', 2, { kind: '64' }))
    expect(queue.next()).toMatchObject({ size: 2, first: { kind: '64' } })
    expect(queue.take('64', 5)).toEqual(['long', 'long too'])
    expect(queue.next()).toMatchObject({ size: 1, first: { kind: '8' } })
    expect(queue.take('none', 5)).toEqual([])
    expect(queue.clear()).toEqual(['short'])
  })
})

describe('the batcher', () => {
  const sizes = [1, 2, 4, 8]
  const batcherOf = (limits: Partial<BatchLimits>, milliseconds: readonly number[] = []) => {
    const latency = new LatencyModel(sizes)
    milliseconds.forEach((time, i) => {
      latency.observe(sizes[i]!, time)
    })
    return new Batcher({ maxBatch: 8, maxDelay: 0, preferredSizes: [], targetP99: undefined, ...limits }, latency)
  }

  test('without a delay what waits is computed, up to the largest batch', () => {
    const batcher = batcherOf({})
    expect(batcher.decide({ rows: 3, waited: 0 })).toEqual({ run: 3 })
    expect(batcher.decide({ rows: 30, waited: 0 })).toEqual({ run: 8 })
  })

  test('with one the first row waits for others, but no longer', () => {
    const batcher = batcherOf({ maxDelay: 5 })
    expect(batcher.decide({ rows: 3, waited: 1 })).toEqual({ wait: 4 })
    expect(batcher.decide({ rows: 3, waited: 5 })).toEqual({ run: 3 })
    expect(batcher.decide({ rows: 8, waited: 0 })).toEqual({ run: 8 })
  })

  test('a preferred size does not wait, and takes no more than it is', () => {
    const batcher = batcherOf({ maxDelay: 5, preferredSizes: [4, 6] })
    expect(batcher.decide({ rows: 3, waited: 0 })).toEqual({ wait: 5 })
    expect(batcher.decide({ rows: 5, waited: 0 })).toEqual({ run: 4 })
    expect(batcher.decide({ rows: 7, waited: 0 })).toEqual({ run: 6 })
  })

  test('a target bounds batches, the delay and the queue', () => {
    const batcher = batcherOf({ targetP99: 10, maxDelay: 100 }, [1, 1.5, 3, 6])
    // 40% of it for a batch: four rows.
    expect(batcher.mostRows).toBe(4)
    expect(batcher.delay).toBe(4)
    expect(batcher.isInTime(0)).toBe(true)
    expect(batcher.isInTime(7)).toBe(true)
    expect(batcher.isInTime(8)).toBe(false)
  })

  test('a target that no batch meets leaves single rows', () => {
    const batcher = batcherOf({ targetP99: 1 }, [2, 3, 4, 5])
    expect(batcher.mostRows).toBe(1)
    expect(batcher.isInTime(0)).toBe(false)
  })

  test('what was never measured is judged by smaller batches', () => {
    const latency = new LatencyModel(sizes)
    expect(latency.predict(8)).toBeUndefined()
    latency.observe(2, 3)
    expect(latency.predict(8)).toBe(12)
    expect(latency.predict(1)).toBeUndefined()
    latency.observe(2, 13)
    expect(latency.predict(2)).toBe(4)
  })
})
