/** A predictor answers every row once, and with its own answer, whatever happens around it. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as g from '../../lib/index.ts'
import {
  ClosedError,
  type Predictor,
  type PredictorOptions,
  predictor,
  QueueFullError,
  TimeoutError,
  type TopClasses,
} from '../../lib/serve/index.ts'
import { countRuns } from '../support/runs.ts'

const open: Predictor[] = []

async function serve<Answer = Float32Array>(
  model: Parameters<typeof predictor>[0],
  options: PredictorOptions,
): Promise<Predictor<Answer>> {
  const made = await predictor<Answer>(model, options)
  open.push(made)
  return made
}

afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

/** Each row's answer is twice the row: so no answer can be another row's. */
class Doubling extends g.nn.Module {
  factor = g.variable(2)
  forward(x: g.Tensor): g.Tensor {
    return x.mul(this.factor)
  }
}

class Sum extends g.nn.Module {
  a = g.variable(1)
  b = g.variable(1)
  forward(x: g.Tensor): g.Tensor {
    return x.add(this.a).add(this.b)
  }
}

const rowOf = (id: number): Float32Array => Float32Array.of(id, id + 0.5, -id)

describe('where a batch is computed', () => {
  /** Products of 32 million multiplications for each row, which take a millisecond on the fastest of machines. */
  const heavy = { forward: (x: g.Tensor) => weights.reduce((y, w) => y.matmul(w), x), parameters: () => [] }
  const weights = Array.from({ length: 8 }, (_, i) => g.uniform([2048, 2048], { min: -0.01, max: 0.01, seed: i }))

  test('a quick one on the event loop, while nothing else is under way', async () => {
    const step = g.compile(() =>
      g
        .uniform([3000, 3000], { seed: 1 })
        .matmul(g.uniform([3000, 3000], { seed: 2 }))
        .sum(),
    )
    // What is quick is measured when it is made, which a machine that is busy then may show otherwise.
    const p = await vi.waitFor(
      async () => {
        const made = await serve(new Doubling(), { inputShape: [3], maxBatch: 2 })
        expect(await countRuns(() => made.predict(rowOf(1)))).toMatchObject({ sync: 1, async: 0 })
        return made
      },
      { timeout: 50_000 },
    )
    const busy = await countRuns(async () => {
      const done = step()
      expect([...(await p.predict(rowOf(2)))]).toEqual([4, 5, -4])
      await done
    })
    expect(busy).toMatchObject({ sync: 0, async: 2 })
    // What has settled is over a moment later for the thread that computed it.
    await vi.waitFor(async () =>
      expect(await countRuns(() => p.predict(rowOf(3)))).toMatchObject({ sync: 1, async: 0 }),
    )
  })

  test('one of long rows beside it, though short ones are quick', async () => {
    // As many sines as pairs of numbers in a row.
    const forward = (x: g.Tensor) =>
      x
        .reshape([-1, x.shape[1]!, 1])
        .mul(x.reshape([-1, 1, x.shape[1]!]))
        .sin()
        .sum([1, 2])
    const p = await serve({ forward, parameters: () => [] }, { inputShape: [null], lengths: [2, 3000], maxBatch: 1 })
    const runs = await countRuns(() => p.predict(new Float32Array(3000)))
    expect(runs).toMatchObject({ sync: 0, async: 1 })
  })

  test('one that has no known end beside it', async () => {
    const forward = (x: g.Tensor) =>
      g.whileLoop(
        (y) => y.max().lt(10),
        (y) => y.add(1),
        x,
      )
    const p = await serve({ forward, parameters: () => [] }, { inputShape: [1], maxBatch: 1 })
    const runs = await countRuns(async () => expect([...(await p.predict([0.5]))]).toEqual([10.5]))
    expect(runs).toMatchObject({ sync: 0, async: 1 })
  })

  test('a longer one beside it', async () => {
    const p = await serve(heavy, { inputShape: [2048], maxBatch: 1 })
    const runs = await countRuns(() => p.predict(new Float32Array(2048)))
    expect(runs).toMatchObject({ sync: 0, async: 1, drained: 0 })
  })
})

describe('answers', () => {
  test('a row has its own, of a batch with others', async () => {
    const p = await serve(new Doubling(), { inputShape: [3], maxBatch: 8 })
    const answers = await Promise.all(Array.from({ length: 100 }, (_, id) => p.predict(rowOf(id))))
    answers.forEach((answer, id) => {
      expect([...answer]).toEqual([2 * id, 2 * id + 1, -2 * id])
    })
    const { batches, rows, padding, batchRows, answered } = p.statistics()
    expect([rows, answered]).toEqual([100, 100])
    expect(batches).toBeLessThan(50)
    expect(batchRows).toMatchObject({ sum: 100, maximum: 8 })
    expect(padding).toBeLessThan(batches * 8)
  })

  test.each([
    ['a typed array of a row', rowOf(4), [8, 9, -8]],
    ['numbers', [4, 4.5, -4], [8, 9, -8]],
    ['a tensor', g.tensor([4, 4.5, -4]), [8, 9, -8]],
    ['doubles', Float64Array.of(4, 4.5, -4), [8, 9, -8]],
    ['rows of numbers', [[1, 2, 3]], [[2, 4, 6]]],
    [
      'a typed array of two rows',
      Float32Array.of(1, 2, 3, 4, 5, 6),
      [
        [2, 4, 6],
        [8, 10, 12],
      ],
    ],
    [
      'a tensor of rows',
      g.tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      [
        [2, 4, 6],
        [8, 10, 12],
      ],
    ],
  ])('to %s', async (_, given, wanted) => {
    const p = await serve<unknown>(new Doubling(), { inputShape: [3] })
    const answer = await p.predict(given)
    const plain = Array.isArray(answer) ? answer.map((x) => [...x]) : [...(answer as Float32Array)]
    expect(plain).toEqual(wanted)
  })

  test('what was given may be written over at once', async () => {
    const p = await serve(new Doubling(), { inputShape: [3] })
    const row = rowOf(1)
    const answer = p.predict(row)
    row.fill(7)
    expect([...(await answer)]).toEqual([2, 3, -2])
  })

  test('of more rows than a batch has', async () => {
    const p = await serve<Float32Array[]>(new Doubling(), { inputShape: [1], maxBatch: 4 })
    const answers = await p.predict(Array.from({ length: 11 }, (_, i) => [i]))
    expect(answers.map(([x]) => x)).toEqual(Array.from({ length: 11 }, (_, i) => 2 * i))
  })

  test('are those of evaluation mode, whatever the mode of the model', async () => {
    const model = g.nn.sequential(g.nn.linear(3, 4), g.nn.dropout(0.9), g.nn.linear(4, 2))
    const p = await serve(model, { inputShape: [3] })
    const wanted = await g.predict(model, [[1, 2, 3]])
    expect(model.training).toBe(true)
    expect([...(await p.predict([1, 2, 3]))]).toEqual([...(await wanted.data())])
  })

  test('of several inputs and outputs are by name', async () => {
    class Pair extends g.nn.Module<{ a: g.Tensor; b: g.Tensor }, { sum: g.Tensor; ids: g.Tensor }> {
      forward({ a, b }: { a: g.Tensor; b: g.Tensor }) {
        return { sum: a.add(b.cast('float32')), ids: b }
      }
    }
    const p = await serve<unknown>(new Pair(), {
      inputShape: { a: [2], b: [2] },
      inputDtype: { a: 'float32', b: 'int32' },
    })
    expect(p.outputs).toEqual([
      { name: 'sum', dtype: 'float32', shape: [2] },
      { name: 'ids', dtype: 'int32', shape: [2] },
    ])
    expect(await p.predict({ a: [1.5, 2], b: [10, 20] })).toEqual({
      sum: Float32Array.of(11.5, 22),
      ids: Int32Array.of(10, 20),
    })
    expect(await p.predict({ a: [[1, 2]], b: [[3, 4]] })).toHaveLength(1)
    await expect(p.predict({ a: [1, 2], b: [[3, 4]] })).rejects.toThrow('as many rows')
    await expect(p.predict({ a: [1, 2] } as never)).rejects.toThrow('no b')
    await expect(p.predict({ a: [1, 2], b: [3, 4], c: [1] })).rejects.toThrow('an unknown c')
  })

  test('are probabilities and the likeliest classes by name', async () => {
    const p = await serve<TopClasses>(new Doubling(), {
      inputShape: [3],
      output: { softmax: true, topK: 2, labels: ['cat', 'dog', 'bird'] },
    })
    const { classes, values } = await p.predict([0, Math.log(3) / 2, Math.log(2) / 2])
    expect(classes).toEqual(['dog', 'bird'])
    expect(values[0]).toBeCloseTo(1 / 2, 6)
    expect(values[1]).toBeCloseTo(1 / 3, 6)
  })
})

describe('rows of any length', () => {
  /** The sum of each row without its padding, and how many elements it was computed over. */
  class Summing extends g.nn.Module<{ x: g.Tensor; length: g.Tensor }, { sum: g.Tensor; width: g.Tensor }> {
    forward({ x, length }: { x: g.Tensor; length: g.Tensor }) {
      const inside = g.arange(x.shape[1]!).less(length.reshape([-1, 1]))
      return { sum: g.where(inside, x, 0).sum(1), width: g.onesLike(x).sum(1) }
    }
  }
  const options: PredictorOptions = {
    inputShape: { x: [null] },
    lengths: [2, 4, 8],
    lengthsAs: 'length',
    padValue: 100,
  }

  test('are padded to the next length, and computed with others of it', async () => {
    const p = await serve<{ sum: Float32Array; width: Float32Array }>(new Summing(), options)
    const rows = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4, 5]]
    const answers = await Promise.all(rows.map((x) => p.predict({ x })))
    expect(answers.map(({ sum }) => sum[0])).toEqual([1, 3, 6, 15])
    expect(answers.map(({ width }) => width[0])).toEqual([2, 2, 4, 8])
    const together = await p.predict({ x: rows })
    expect(together).toEqual(answers)
  })

  test('are refused where they are longer, or empty', async () => {
    const p = await serve(new Summing(), options)
    await expect(p.predict({ x: Array(9).fill(1) })).rejects.toThrow('a length from 1 to 8, got 9')
    await expect(p.predict({ x: [] })).rejects.toThrow(g.ShapeError)
  })
})

describe('what is refused', () => {
  test('bad rows are, by themselves, and as rejections', async () => {
    const p = await serve(new Doubling(), { inputShape: [3], finiteOnly: true })
    const bad: unknown[] = [
      [1, 2],
      [],
      [[1, 2]],
      'row',
      null,
      undefined,
      {},
      [1, Number.NaN, 2],
      new Float32Array(4),
      [1n],
    ]
    const good = p.predict(rowOf(3))
    const all = await Promise.allSettled(bad.map((row) => p.predict(row as never)))
    expect(all.map(({ status }) => status)).toEqual(bad.map(() => 'rejected'))
    for (const result of all)
      expect((result as PromiseRejectedResult).reason.message).toMatch(/^(predictor|predict): expected .*, got /)
    expect([...(await good)]).toEqual([6, 7, -6])
    expect(p.statistics()).toMatchObject({ failed: bad.length, answered: 1 })
  })

  test('a row that the program refuses fails alone, not its batch', async () => {
    const model = g.nn.sequential(g.nn.embedding(10, 2))
    const p = await serve(model, { inputShape: [1], inputDtype: 'int32', maxBatch: 8 })
    const all = await Promise.allSettled([1, 2, 99, 3, 4].map((id) => p.predict([id])))
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect((all[2] as PromiseRejectedResult).reason).toBeInstanceOf(RangeError)
  })

  test('a full queue refuses at once, all rows of a request or none', async () => {
    const p = await serve(new Doubling(), { inputShape: [1], maxQueue: 4 })
    const first = p.predict([[1], [2], [3]])
    await expect(p.predict([[4], [5]])).rejects.toThrow(QueueFullError)
    const second = p.predict([6])
    expect(await first).toHaveLength(3)
    expect([...(await second)]).toEqual([12])
    expect(p.statistics().rejected).toBe(1)
  })

  test('a request that is out of time, or aborted, is not computed', async () => {
    const p = await serve(new Doubling(), { inputShape: [1], maxDelay: 60_000 })
    const controller = new AbortController()
    const late = p.predict([1], { timeout: 1 })
    const aborted = p.predict([2], { signal: controller.signal })
    await expect(late).rejects.toThrow(TimeoutError)
    controller.abort(new Error('gone'))
    await expect(aborted).rejects.toThrow('gone')
    expect(p.statistics()).toMatchObject({ batches: 0, queued: 0, timedOut: 1, aborted: 1 })
    await expect(p.predict([3], { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  })

  test('a time that is longer than Node counts is no time at once', async () => {
    const p = await serve(new Doubling(), { inputShape: [1], maxDelay: 1e12, maxBatch: 2, timeout: 1e13 })
    const first = p.predict([1])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(p.statistics()).toMatchObject({ queued: 1, batches: 0, timedOut: 0 })
    const second = p.predict([2])
    expect((await Promise.all([first, second])).map(([x]) => x)).toEqual([2, 4])
  })

  test('options that do not fit', async () => {
    const model = new Doubling()
    const refused = (options: object) => expect(predictor(model, options as never)).rejects
    await refused({}).toThrow('predictor: expected a inputShape')
    await refused({ inputShape: 3 }).toThrow('inputShape')
    await refused({ inputShape: [0] }).toThrow('extents of at least 1')
    await refused({ inputShape: [3], maxBatchs: 3 }).toThrow('maxBatch')
    await refused({ inputShape: [3], maxBatch: 0 }).toThrow(RangeError)
    await refused({ inputShape: [3], maxBatch: 4, sizes: [8] }).toThrow('sizes')
    await refused({ inputShape: [null] }).toThrow('lengths')
    await refused({ inputShape: [3], lengths: [3] }).toThrow('lengths')
    await refused({ inputShape: [3], output: { labels: ['a'] } }).toThrow('topK')
    await refused({ inputShape: [3], output: { topK: 4 } }).toThrow('topK')
    await refused({ inputShape: [3], output: { topK: 1, labels: ['a'] } }).toThrow('3 labels')
    await expect(
      predictor({ forward: (x: g.Tensor) => x.sum(), parameters: () => [] }, { inputShape: [3] }),
    ).rejects.toThrow('as many as it got')
  })
})

describe('a snapshot', () => {
  test('is what the model was, until it is swapped, and goes back', async () => {
    const model = new Doubling()
    const p = await serve(model, { inputShape: [1] })
    const before = p.snapshot()
    model.factor.assign(3)
    expect([...(await p.predict([1]))]).toEqual([2])
    expect(p.swap()).toBe(2)
    expect([...(await p.predict([1]))]).toEqual([3])
    expect(p.swap(before)).toBe(3)
    expect([...(await p.predict([1]))]).toEqual([2])
    expect(model.factor.itemSync()).toBe(3)
  })

  test.each<[string, (model: Sum) => ReadonlyMap<g.Variable, g.Tensor>, string]>([
    [
      'another shape',
      (m) =>
        new Map([
          [m.a, g.tensor(5)],
          [m.b, g.tensor([5])],
        ]),
      'swap: expected float32[] for a variable of that, got float32[1]',
    ],
    [
      'another dtype',
      (m) =>
        new Map([
          [m.a, g.tensor(5)],
          [m.b, g.tensor(5, { dtype: 'int32' })],
        ]),
      'got int32[]',
    ],
    [
      'no tensor',
      (m) =>
        new Map([
          [m.a, g.tensor(5)],
          [m.b, 5 as never],
        ]),
      'swap: expected a tensor for each variable, got 5',
    ],
    ['no map', () => ({ a: g.tensor(5) }) as never, 'swap: expected a map of variables to values, got an object'],
    [
      'a value that cannot be computed',
      (m) =>
        new Map([
          [m.a, g.tensor(5)],
          [
            m.b,
            g
              .tensor([1])
              .gather(g.tensor([7], { dtype: 'int32' }))
              .sum(),
          ],
        ]),
      'gather',
    ],
  ])('stays what it was where it is given %s', async (_, valuesOf, message) => {
    const model = new Sum()
    const p = await serve(model, { inputShape: [] })
    expect(() => p.swap(valuesOf(model))).toThrow(message)
    expect([p.version, ...(await p.predict(0))]).toEqual([1, 2])
  })

  test('is of one version within a batch, while the model is trained and swapped', async () => {
    /** Two parameters that are always equal after a step: an answer that mixes versions is not 0. */
    class Equal extends g.nn.Module {
      a = g.variable(g.ones([64]))
      b = g.variable(g.ones([64]))
      forward(x: g.Tensor): g.Tensor {
        return x.mul(this.a.sub(this.b)).add(this.a.sum().mul(0))
      }
    }
    const model = new Equal()
    const p = await serve(model, { inputShape: [64], maxBatch: 4 })
    const step = g.compile(() => {
      model.a.assign(model.a.add(1))
      model.b.assign(model.b.add(1))
      return model.a.sum()
    })
    const rows = new Float32Array(64).fill(1)
    for (let i = 0; i < 30; i++) {
      const stepping = step()
      const answers = [p.predict(rows), p.predict(rows)]
      p.swap()
      answers.push(p.predict(rows))
      for (const answer of await Promise.all(answers)) expect(answer.every((x) => x === 0)).toBe(true)
      await stepping
    }
    expect(p.version).toBe(31)
  })

  test('has the variables that no property of the model shows', async () => {
    const hidden = g.variable(5)
    const p = await serve({ forward: (x: g.Tensor) => x.mul(hidden), parameters: () => [] }, { inputShape: [1] })
    hidden.assign(7)
    expect([...(await p.predict([1]))]).toEqual([5])
  })

  test('does not keep training from updating in place, nor is it an update itself', async () => {
    const model = g.nn.sequential(g.nn.linear(4, 2))
    const p = await serve(model, { inputShape: [4] })
    const data = g.data.fromTensors(g.randn([64, 4]), g.randn([64, 2]))
    const training = g.fit(model, data, { epochs: 5, loss: 'mse', optimizer: g.optim.adam() })
    const first = [...(await p.predict([1, 2, 3, 4]))]
    await training
    expect([...(await p.predict([1, 2, 3, 4]))]).toEqual(first)
    p.swap()
    const wanted = await g.predict(model, [[1, 2, 3, 4]])
    expect([...(await p.predict([1, 2, 3, 4]))]).toEqual([...(await wanted.data())])
  })
})

describe('its life', () => {
  test('close answers what waits, and refuses the rest', async () => {
    const p = await predictor<Float32Array>(new Doubling(), { inputShape: [1], maxDelay: 60_000 })
    const waiting = [p.predict([1]), p.predict([2])]
    expect(p.ready).toBe(true)
    const closed = p.close()
    expect(p.ready).toBe(false)
    await expect(p.predict([3])).rejects.toThrow(ClosedError)
    expect((await Promise.all(waiting)).map(([x]) => x)).toEqual([2, 4])
    await closed
    await p.close()
  })

  test('a closed one leaves no timer behind, which would keep the process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const p = await predictor(new Doubling(), { inputShape: [1], maxDelay: 600_000 })
      const controller = new AbortController()
      const waiting = p.predict([1], { signal: controller.signal })
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      expect(vi.getTimerCount()).toBe(1)
      controller.abort(new Error('gone'))
      await expect(waiting).rejects.toThrow('gone')
      await p.close()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('close does not wait for others to join those that have begun to wait', async () => {
    const p = await predictor<Float32Array>(new Doubling(), { inputShape: [1], maxDelay: 3_600_000 })
    const waiting = p.predict([1])
    const taken = new AbortController()
    const takenBack = p.predict([2], { signal: taken.signal }).catch((error: Error) => error.message)
    // So that they have been looked at.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    taken.abort(new Error('taken back'))
    await p.close()
    expect([...(await waiting)]).toEqual([2])
    expect(await takenBack).toBe('taken back')
  })

  test('nothing is recorded or prepared after the warm-up', async () => {
    let recordings = 0
    const model = {
      forward: (x: g.Tensor) => {
        recordings++
        return x.mul(2)
      },
      parameters: () => [],
    }
    const p = await serve(model, { inputShape: [1], maxBatch: 8 })
    const before = recordings
    for (const count of [1, 2, 3, 5, 8, 20]) await Promise.all(Array.from({ length: count }, () => p.predict([1])))
    expect(recordings).toBe(before)
  })

  test('the context of a request is there after its answer', async () => {
    const p = await serve(new Doubling(), { inputShape: [1] })
    const storage = new AsyncLocalStorage<number>()
    const seen = await Promise.all(
      [1, 2, 3].map((id) =>
        storage.run(id, async () => {
          await p.predict([id])
          return storage.getStore()
        }),
      ),
    )
    expect(seen).toEqual([1, 2, 3])
  })

  test('requests of a higher priority are computed first', async () => {
    const p = await serve(new Doubling(), { inputShape: [1], maxBatch: 1, maxInFlight: 1, patience: 1e6 })
    const order: number[] = []
    const requests = [0, 0, 0, 9, 5].map((priority, i) => p.predict([i], { priority }).then(() => order.push(i)))
    await Promise.all(requests)
    expect(order).toEqual([3, 4, 0, 1, 2])
  })
})
