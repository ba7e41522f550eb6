/** Predictors of several threads serve the parameters of one: the newest, whole, and whatever else the threads do. */
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { atOnce } from '../../lib/base/turns.ts'
import * as g from '../../lib/index.ts'
import { ClosedError, onlineTrainer, type Predictor, predictor } from '../../lib/serve/index.ts'
import { type SharedParameters, SharedReader, SharedWriter } from '../../lib/serve/shared-parameters.ts'
import { Versioned } from '../support/versioned.ts'

const open: Predictor[] = []
const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
  await Promise.all(workers.splice(0).map((each) => each.terminate()))
})

async function serve(model: Parameters<typeof predictor>[0] = new Versioned(4), inputShape = [1]) {
  const made = await predictor<Float32Array>(model, { inputShape, maxBatch: 2 })
  open.push(made)
  return made
}

const waitFor = (check: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 30_000, interval: 5 })

const answerOf = async (p: Predictor<Float32Array>) => [...(await p.predict([0]))]

const nextMessage = <T>(worker: Worker): Promise<T> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

interface Seen {
  readonly answers: number
  readonly mixed: number
  readonly backwards: number
  readonly versions: number
  readonly newest: number
  readonly version: number
}

async function follower(shared: SharedParameters, size: number): Promise<{ worker: Worker; seen(): Promise<Seen> }> {
  const module = new URL('../support/following-worker.ts', import.meta.url).href
  // A worker does not inherit what makes Node.js load TypeScript.
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(module)}) })`
  const worker = new Worker(code, { eval: true, workerData: { shared, size } })
  workers.push(worker)
  await nextMessage(worker)
  const seen = () => {
    const message = nextMessage<Seen>(worker)
    worker.postMessage('seen')
    return message
  }
  return { worker, seen }
}

describe('in one thread', () => {
  test('one that follows takes over the newest version at once, and each that comes', async () => {
    const model = new Versioned(4)
    const p = await serve(model)
    model.become(2)
    p.swap()
    const q = await serve()
    expect(await answerOf(q)).toEqual([1, 1])
    q.follow(p.share())
    expect([q.version, await answerOf(q)]).toEqual([2, [2, 2]])
    for (const version of [3, 4]) {
      model.become(version)
      p.swap()
      await waitFor(() => q.version === version)
      expect(await answerOf(q)).toEqual([version, version])
    }
    expect(p.share()).toBe(p.share())
  })

  test('it may be followed itself', async () => {
    const model = new Versioned(4)
    const [p, q, r] = [await serve(model), await serve(), await serve()]
    q.follow(p.share())
    r.follow(q.share())
    model.become(2)
    p.swap()
    await waitFor(() => r.version === 2)
    expect(await answerOf(r)).toEqual([2, 2])
  })

  test('until it is stopped, closed, or follows another one', async () => {
    const [model, otherModel] = [new Versioned(4), new Versioned(4)]
    const [p, other, witness] = [await serve(model), await serve(otherModel), await serve()]
    witness.follow(p.share())
    const [stopped, closed, faithless] = [await serve(), await serve(), await serve()]
    const stop = stopped.follow(p.share())
    closed.follow(p.share())
    const stopNothing = faithless.follow(p.share())
    faithless.follow(other.share())
    stopNothing()
    stop()
    stop()
    await closed.close()
    for (const [of, version] of [
      [p, 2],
      [p, 3],
    ] as const) {
      model.become(version)
      of.swap()
      await waitFor(() => witness.version === version)
    }
    expect([stopped.version, closed.version, faithless.version]).toEqual([1, 1, 1])
    expect(stopped.swap()).toBe(2)
    otherModel.become(7)
    other.swap()
    await waitFor(() => faithless.version === 2)
    expect(await answerOf(faithless)).toEqual([7, 7])
    expect(() => closed.follow(p.share())).toThrow(ClosedError)
  })

  test('it has no versions of its own meanwhile', async () => {
    const [p, q] = [await serve(), await serve()]
    const stop = q.follow(p.share())
    expect(() => q.swap()).toThrow(
      'swap: expected a predictor with parameters of its own, got one that follows another one',
    )
    stop()
    expect(q.swap()).toBe(2)
  })

  test('without waitAsync it looks now and then', async () => {
    const model = new Versioned(4)
    const [p, q] = [await serve(model), await serve()]
    const found = Object.getOwnPropertyDescriptor(Atomics, 'waitAsync')!
    Reflect.deleteProperty(Atomics, 'waitAsync')
    try {
      q.follow(p.share())
      model.become(2)
      p.swap()
      await waitFor(() => q.version === 2)
    } finally {
      Object.defineProperty(Atomics, 'waitAsync', found)
    }
  })

  test('versions that are still being computed, and large ones, are there once they are', async () => {
    const model = new Versioned(3 * 2 ** 20)
    const [p, q] = [await serve(model), await serve(new Versioned(3 * 2 ** 20))]
    q.follow(p.share())
    const step = g.compile(() => model.first.assign(model.first.add(1)))
    const stepped = step()
    p.swap()
    await stepped
    for (const variable of [model.inner.second, model.inner.third, model.last])
      variable.assign(g.full(variable.shape, 2))
    p.swap()
    await waitFor(() => q.version === 3)
    expect(await answerOf(q)).toEqual([2, 2])
  })

  test('a variable that no answer needs is shared, too', async () => {
    class Spare extends g.nn.Module {
      readonly spare = g.variable(g.randn([3]))
      forward(x: g.Tensor) {
        this.spare.add(1)
        return x.mul(2)
      }
    }
    const [p, q] = [await serve(new Spare()), await serve(new Spare())]
    q.follow(p.share())
    expect(await answerOf(q)).toEqual([0])
  })

  test('what an online trainer learns is followed', async () => {
    const made = () => g.nn.sequential(g.nn.linear(1, 1))
    const model = made()
    const [p, q] = [await serve(model), await serve(made())]
    q.follow(p.share())
    const trainer = onlineTrainer(model, {
      predictor: p,
      optimizer: g.optim.sgd({ learningRate: 0.2 }),
      loss: 'mse',
      targetShape: [1],
      targetDtype: 'float32',
      share: 1,
      every: 8,
    })
    for (let i = 0; i < 32; i++) trainer.learn([i / 32], [i])
    await trainer.idle()
    await trainer.close()
    expect(p.version).toBeGreaterThan(1)
    await waitFor(() => q.version === p.version)
    expect(await answerOf(q)).toEqual(await answerOf(p))
  })
})

describe('what does not fit is refused', () => {
  test.each<[string, object, string]>([
    [
      'another shape',
      new Versioned(5),
      'follow: expected parameters of this model: first float32[5], got first float32[4]',
    ],
    [
      'another name and shape',
      g.nn.sequential(g.nn.linear(1, 1)),
      'follow: expected parameters of this model: 0.weight float32[1, 1], got last float32[]',
    ],
    ['no parameters', { forward: (x: g.Tensor) => x, parameters: () => [] }, 'this model: no more, got last float32[]'],
  ])('%s', async (_, model, message) => {
    const [p, q] = [await serve(), await serve(model as never)]
    expect(() => q.follow(p.share())).toThrow(message)
    expect(q.version).toBe(1)
  })

  test('another dtype, and fewer of them', async () => {
    const of = (...variables: g.Variable[]) => ({
      forward: (x: g.Tensor) => variables.reduce<g.Tensor>((sum, each) => sum.add(each.cast('float32')), x),
      parameters: () => variables,
    })
    const p = await serve(of(g.variable(1, { name: 'a' }), g.variable(1, { name: 'b' })))
    const q = await serve(of(g.variable(1, { name: 'a' }), g.variable(1, { name: 'b', dtype: 'int32' })))
    expect(() => q.follow(p.share())).toThrow('this model: b int32[], got b float32[]')
    const r = await serve(of(g.variable(1, { name: 'a' })))
    expect(() => r.follow(p.share())).toThrow('this model: no more, got b float32[]')
    expect(() => p.follow(r.share())).toThrow('this model: b float32[], got no more')
  })

  test.each([
    undefined,
    null,
    7,
    {},
    { buffer: new ArrayBuffer(8), parameters: [] },
    { buffer: new SharedArrayBuffer(8), parameters: [null] },
    { buffer: new SharedArrayBuffer(8), parameters: [{ name: 'first', dtype: 'float32' }] },
    { buffer: new SharedArrayBuffer(8), parameters: {} },
  ])('%o', async (junk) => {
    const q = await serve()
    expect(() => q.follow(junk as never)).toThrow('follow: expected what share() of another predictor gave, got')
  })

  test('a buffer of another size', async () => {
    const { parameters } = (await serve()).share()
    const q = await serve()
    expect(() => q.follow({ buffer: new SharedArrayBuffer(8), parameters })).toThrow('follow: expected a buffer of')
  })
})

describe('the memory that is shared', () => {
  // Of two pieces, so that a reader can be met half-way.
  const parameters = [{ name: 'x', dtype: 'float32' as const, shape: [1.5 * 2 ** 20] }]
  const versionOf = (version: number) => ({ version, arrays: [new Float32Array(1.5 * 2 ** 20).fill(version)] })

  test.each([
    [1, 2, true],
    [2, 3, true],
    [3, 4, false],
  ])('a version that is being read stays whole while %i others are written', (count, newest, isWhole) => {
    const writer = new SharedWriter(parameters)
    const reader = new SharedReader(writer.shared, parameters)
    expect(atOnce(reader.read())).toBe(null)
    atOnce(writer.write(versionOf(1)))
    const reading = reader.read()
    expect(reading.next().done).toBe(false)
    for (let i = 0; i < count; i++) atOnce(writer.write(versionOf(2 + i)))
    const found = atOnce(reading)
    if (isWhole) expect(new Set(found!.arrays[0])).toEqual(new Set([1]))
    else expect(found).toBe(null)
    const next = atOnce(reader.read())!
    expect([next.version, next.arrays[0]!.at(-1)]).toEqual([newest, newest])
    expect(atOnce(reader.read())).toBe(null)
  })

  test('one that is half written is not seen', () => {
    const writer = new SharedWriter(parameters)
    const reader = new SharedReader(writer.shared, parameters)
    atOnce(writer.write(versionOf(1)))
    const writing = writer.write(versionOf(2))
    expect(writing.next().done).toBe(false)
    expect(atOnce(reader.read())!.version).toBe(1)
    expect(writing.next().done).toBe(true)
    expect(atOnce(reader.read())!.version).toBe(2)
  })

  test('its counters may come around', () => {
    const small = [{ name: 'x', dtype: 'int32' as const, shape: [] }]
    const writer = new SharedWriter(small)
    const reader = new SharedReader(writer.shared, small)
    new Int32Array(writer.shared.buffer, 0, 2).fill(2 ** 31 - 3)
    for (let version = 1; version < 8; version++) {
      atOnce(writer.write({ version, arrays: [Int32Array.of(version)] }))
      expect(atOnce(reader.read())).toEqual({ version, arrays: [Int32Array.of(version)] })
    }
  })
})

describe('in workers', () => {
  test('answers are of one version, and of newer and newer ones, whatever becomes of other workers', async () => {
    const size = 2 ** 14
    const model = new Versioned(size)
    const p = await serve(model)
    const followers = await Promise.all([1, 2].map(() => follower(p.share(), size)))
    const swaps = async (until: number) => {
      while (p.version < until) {
        model.become(p.version + 1)
        p.swap()
        // Faster than anybody follows.
        if (p.version % 4 === 0) await new Promise(setImmediate)
      }
    }
    await swaps(200)
    // In the midst of whatever it does.
    await followers.pop()!.worker.terminate()
    global.gc?.()
    const before = process.memoryUsage.rss()
    await swaps(1700)
    // All that was shared would be 300 MB for each thread.
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6)
    for (const { seen } of followers) {
      await waitFor(async () => (await seen()).newest === 1700)
      const { answers, versions, mixed, backwards, version } = await seen()
      expect({ mixed, backwards, version }).toEqual({ mixed: 0, backwards: 0, version: 1700 })
      expect(answers).toBeGreaterThanOrEqual(versions)
      expect(versions).toBeGreaterThan(20)
    }
  }, 120_000)
})
