/** A loop of the size of a small LSTM: the same bits on any number of threads, sync and async; and what is left of one that is aborted. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from './backends.ts'

const reason = new Error('no longer wanted')

/** The step of an LSTM on inputs that are projected already. */
const createLstm = (batch: number, hidden: number) => {
  const w = g.variable(g.randn([hidden, 4 * hidden], { seed: 1 }).mul(0.1))
  const b = g.variable(g.randn([4 * hidden], { seed: 2 }))
  const start = g.variable(g.randn([batch, hidden], { seed: 3 }))
  const step = ([h, c]: [g.Tensor, g.Tensor], x: g.Tensor): [[g.Tensor, g.Tensor], g.Tensor] => {
    const [i, f, z, o] = g.split(h.matmul(w).add(b).add(x), 4, -1) as [g.Tensor, g.Tensor, g.Tensor, g.Tensor]
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(z.tanh()))
    const next = o.sigmoid().mul(cell.tanh())
    return [[next, cell], next]
  }
  return { step, start, variables: { w, b, start } }
}

const bitsOf = (tensors: readonly g.Tensor[]): Promise<string[]> =>
  Promise.all(
    tensors.map(async (x) => {
      const { buffer, byteOffset, byteLength } = await x.data()
      return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    }),
  )

describe.each(backends)('a loop on %s', (backend) => {
  let threads = 1

  beforeAll(() => {
    g.setBackend(backend)
    threads = g.backendInfo().threads
  })

  afterAll(() => g.setNumThreads(threads))

  test.each([
    [16, 64, {}],
    [16, 64, { recompute: true }],
    [64, 96, { reverse: true }],
  ])(
    'has the same bits on one thread and two, sync and async: batch %i, hidden %i, %j',
    async (batch, hidden, options) => {
      const { step, start, variables } = createLstm(batch, hidden)
      const xs = g.variable(g.randn([12, batch, 4 * hidden], { seed: 4 }))
      const run = g.compile((by: g.Tensor) => {
        const [[h, c], all] = g.scan(step, [start.mul(by), start], xs, options)
        const loss = all.square().mean().add(h.mul(c).mean())
        return [h, c, all, loss, ...g.gradients(loss, [xs, ...Object.values(variables)])]
      })
      const by = g.tensor(1.5)
      const found: Record<string, string[]> = {}
      for (const threads of [1, 2, 1, 2]) {
        g.setNumThreads(threads)
        found[`${threads}, sync`] = await bitsOf(run.sync(by))
        found[`${threads}, async`] = await bitsOf(await run(by))
      }
      const [first, ...others] = Object.values(found)
      expect(new Set(first).size).toBe(8)
      expect(others).toHaveLength(3)
      Object.entries(found).forEach(([how, bits]) => {
        bits.forEach((each, i) => {
          expect(each === first![i], `result ${i}, ${how}`).toBe(true)
        })
      })
    },
  )

  test('that is aborted has changed no variable, and lets go of the threads', async () => {
    const { step, start, variables } = createLstm(16, 64)
    const count = g.variable(0)
    await g.evaluate(...Object.values(variables))
    const before = await bitsOf(Object.values(variables))
    // Minutes, at the least.
    const run = g.compile((x: g.Tensor) => {
      count.assign(count.add(1))
      const [[h]] = g.scan((carry) => [step(carry, x)[0], null], [start, start], null, { length: 2 ** 30 })
      start.assign(h)
      return h.sum()
    })
    const began = performance.now()
    for (const milliseconds of [1, 30, 100]) {
      const control = new AbortController()
      const called = run(g.zeros([16, 256]), { signal: control.signal })
      const settled = expect(called).rejects.toBe(reason)
      await setTimeout(milliseconds)
      control.abort(reason)
      await settled
      expect(await g.tensor([1, 2]).mul(3).sum().item()).toBe(9)
    }
    expect(await bitsOf(Object.values(variables))).toEqual(before)
    expect(await count.item()).toBe(0)
    expect(performance.now() - began).toBeLessThan(30_000)
  })

  test('and its derivative that are aborted have trained nothing, and the next step trains', async () => {
    const { step, start, variables } = createLstm(1, 8)
    const optimizer = g.optim.adam({ learningRate: 0.1 })
    const train = g.compile((xs: g.Tensor) =>
      optimizer.minimize(() => g.scan(step, [start, start], xs)[1].square().mean(), variables),
    )
    const few = g.ones([4, 1, 32])
    await train(few)
    const before = await bitsOf(Object.values(variables))
    const moments = await bitsOf(Object.values(optimizer.stateDict()))
    // Seconds, at the least; the derivative's loop begins after some of them.
    const many = g.ones([backend === 'native' ? 400_000 : 50_000, 1, 32])
    await g.evaluate(many)
    for (const milliseconds of [20, 100]) {
      const control = new AbortController()
      const called = train(many, { signal: control.signal })
      const settled = expect(called).rejects.toBe(reason)
      await setTimeout(milliseconds)
      control.abort(reason)
      await settled
    }
    expect(await bitsOf(Object.values(variables))).toEqual(before)
    expect(await bitsOf(Object.values(optimizer.stateDict()))).toEqual(moments)
    await train(few)
    expect(await bitsOf(Object.values(variables))).not.toEqual(before)
  })
})
