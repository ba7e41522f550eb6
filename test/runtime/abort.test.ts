/** What an AbortSignal does to what is computed off the event loop: to promises, to what waits and runs, and to variables. */
import { getEventListeners } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import * as g from '../../lib/index.ts'
import { nodeOf } from '../../lib/tensor/tensor.ts'
import { backendNames } from '../support/backends.ts'

const reason = new Error('no longer wanted')

const square = (size: number) => g.ones([size, size], { dtype: 'float32' }).mul(1 / size)

/** Some time of computing. */
function long(size: number): g.Tensor {
  let x = square(size)
  for (let i = 0; i < 8; i++) x = x.matmul(square(size)).relu()
  return x.sum()
}

describe.each(backendNames)('on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))
  const size = backend === 'native' ? 512 : 48

  const double = g.compile((x: g.Tensor) => x.mul(2))

  const calls: Record<string, (x: g.Tensor, signal: AbortSignal) => Promise<unknown>> = {
    data: (x, signal) => x.data({ signal }),
    array: (x, signal) => x.array({ signal }),
    item: (x, signal) => x.item({ signal }),
    evaluate: (x, signal) => g.evaluate(x, x.add(1), { signal }),
    compiled: (x, signal) => double(x, { signal }),
    scan: (x, signal) => double.scan(x.reshape([1, 1]), { signal }),
    minimizeAsync: (x, signal) => {
      const w = g.variable(1)
      return g.optim.sgd({ learningRate: 1 }).minimizeAsync(() => w.mul(x).sum(), [w], { signal })
    },
  }

  describe.each(Object.entries(calls))('%s', (_, call) => {
    it('gives what it gives without, where the signal stays silent', async () => {
      const { signal } = new AbortController()
      await call(g.ones([1]).add(1), signal)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })

    it('computes nothing where the signal is aborted already', async () => {
      const x = g.ones([1]).add(1)
      await expect(call(x, AbortSignal.abort(reason))).rejects.toBe(reason)
      expect(nodeOf(x).storage).toBeNull()
    })

    it('rejects at once, and does not begin what waits', async () => {
      const control = new AbortController()
      let hasEnded = false
      const other = long(size)
        .data()
        .then(() => {
          hasEnded = true
        })
      const x = g.ones([1]).add(1)
      const called = call(x, control.signal)
      control.abort(reason)
      await expect(called).rejects.toBe(reason)
      expect(hasEnded).toBe(false)
      await other
      await setImmediate()
      expect(nodeOf(x).storage).toBeNull()
      expect(getEventListeners(control.signal, 'abort')).toEqual([])
    })
  })

  it('refuses what is no signal', async () => {
    const wrong = { signal: 'stop' } as unknown as g.CallOptions
    const x = g.ones([1])
    const what = 'expected an AbortSignal as signal, got'
    await expect(x.data(wrong)).rejects.toThrow(`data: ${what}`)
    await expect(x.array(wrong)).rejects.toThrow(`array: ${what}`)
    await expect(x.item(wrong)).rejects.toThrow(`item: ${what}`)
    await expect(g.evaluate(x, wrong)).rejects.toBeInstanceOf(TypeError)
    const minimized = g.optim.sgd({ learningRate: 1 }).minimizeAsync(() => g.variable(1).square(), undefined, wrong)
    await expect(minimized).rejects.toThrow(`minimizeAsync: ${what}`)
  })

  it('has one listener of a signal, however many calls wait, and none once they are settled', async () => {
    const warnings: unknown[] = []
    const note = (warning: unknown) => warnings.push(warning)
    process.on('warning', note)
    const { signal } = new AbortController()
    const x = g.ones([2])
    const many = Array.from({ length: 10_000 }, () => double(x, { signal }))
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
    await Promise.all(many)
    await setImmediate()
    process.off('warning', note)
    expect([getEventListeners(signal, 'abort'), warnings]).toEqual([[], []])
  })

  it('leaves the value to others that wait for it', async () => {
    const control = new AbortController()
    const x = long(size)
    const [mine, other] = [x.data({ signal: control.signal }), x.data()]
    control.abort(reason)
    await expect(mine).rejects.toBe(reason)
    expect((await other)[0]).toBeCloseTo(size, 0)
  })

  it('leaves their turns to calls after one that waited for its argument', async () => {
    const control = new AbortController()
    const count = g.variable(0)
    const step = g.compile((x: g.Tensor) => {
      count.assign(count.add(1))
      return x.add(count)
    })
    const first = step(long(size), { signal: control.signal })
    const second = step(g.tensor(10))
    control.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect((await second).itemSync()).toBe(11)
  })

  it('takes an object with a signal that is no AbortSignal for an argument', async () => {
    const f = g.compile(({ signal }: { signal: g.Tensor }) => signal.mul(2))
    expect((await f({ signal: g.tensor(4) })).itemSync()).toBe(8)
  })

  it('variables hold all their old values or all their new ones, whenever it is', async () => {
    const [extent, rounds] = backend === 'native' ? [1 << 16, 150] : [64, 60]
    const filled = () => g.variable(g.zeros([extent]))
    const variables = [filled(), filled(), filled()] as const
    const step = g.compile((by: g.Tensor) => {
      let x = by.add(variables[0].mul(0).mean())
      for (let i = 0; i < 4; i++) x = x.add(variables[1].add(x).mul(0).sum())
      for (const variable of variables) variable.assign(variable.add(x))
      return x
    })
    const one = g.tensor(1)
    await step(one)
    let before = 1
    let aborted = 0
    for (let round = 0; round < rounds; round++) {
      const control = new AbortController()
      const held = round % 3 === 0 ? variables.map(({ value }) => value) : []
      const called = step(one, { signal: control.signal }).then(
        () => true,
        (error: unknown) => {
          expect(error).toBe(reason)
          return false
        },
      )
      if (round % 2 === 1) await setTimeout((round % 7) / 4)
      if (round % 5 !== 4) control.abort(reason)
      const hasEnded = await called
      if (!hasEnded) aborted++
      const values = variables.map((variable) => variable.dataSync())
      const now = values[0]![0]!
      expect(hasEnded ? [before + 1] : [before, before + 1]).toContain(now)
      expect(values.every((each) => each.every((x) => x === now))).toBe(true)
      for (const value of held) expect(value.dataSync().every((x) => x === before)).toBe(true)
      before = now
    }
    expect(aborted).toBeGreaterThan(0)
  })
})

it.skipIf(!backendNames.includes('native'))(
  'what is under way stops: steps that are left do not take place',
  async () => {
    g.setBackend('native')
    const control = new AbortController()
    const [count, steps] = [g.variable(0), 20_000]
    const x = square(128)
    await g.evaluate(x)
    const step = g.compile((by: g.Tensor) => {
      count.assign(count.add(by))
      return x.matmul(x).matmul(x).mean()
    })
    const called = step.scan(g.ones([steps]), { signal: control.signal })
    await setTimeout(5)
    control.abort(reason)
    await expect(called).rejects.toBe(reason)
    expect(count.itemSync()).toBeLessThan(steps)
  },
)
