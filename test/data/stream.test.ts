import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as g from '../../lib/index.ts'

const { fromArrays, fromColumns, fromGenerator, fromIterable, fromStream } = g.data

/** Tensors as nested arrays. */
function plain(x: unknown): unknown {
  if (x instanceof g.Tensor) return x.arraySync()
  if (Array.isArray(x)) return x.map(plain)
  return typeof x === 'object' && x !== null
    ? Object.fromEntries(Object.entries(x).map(([name, part]) => [name, plain(part)]))
    : x
}

const listed = async (stream: g.Stream<unknown>) => (await stream.toArray()).map(plain)
const errorOf = (stream: g.Stream<unknown>): Promise<Error> =>
  stream.toArray().then(
    () => new Error('no error'),
    (error) => error,
  )

describe('sources', () => {
  test('arrays, typed arrays, and several of them', async () => {
    expect(await fromArrays(['a', 'b']).toArray()).toEqual(['a', 'b'])
    expect(await fromArrays(Int32Array.of(3, 4), [true, false]).toArray()).toEqual([
      [3, true],
      [4, false],
    ])
    expect(fromArrays([1, 2]).size).toBe(2)
    expect(() => fromArrays([1], [1, 2])).toThrow(
      new g.ShapeError('fromArrays: expected arrays of one length, got argument 1 of 1, argument 2 of 2'),
    )
    expect(() => fromArrays(3 as unknown as number[])).toThrow(TypeError)
  })

  test('columns', async () => {
    const stream = fromColumns({ weight: Float32Array.of(0.5, 2), species: ['cat', 'dog'] })
    expect(await stream.toArray()).toEqual([
      { weight: 0.5, species: 'cat' },
      { weight: 2, species: 'dog' },
    ])
    expect(() => fromColumns({ a: [1], b: [] })).toThrow('fromColumns: expected arrays of one length, got a 1, b 0')
    expect(() => fromColumns({})).toThrow('fromColumns: expected at least one array, got none')
  })

  test('iterables, again in each pass', async () => {
    const stream = fromIterable(new Set([1, 2]))
    expect([await stream.toArray(), await stream.toArray()]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('what can be read once says so', async () => {
    for (const once of [[1, 2].values(), Readable.from([1, 2]), new ReadableStream({ start: (c) => c.close() })]) {
      const stream = fromIterable(once as Iterable<unknown>)
      await stream.toArray()
      expect((await errorOf(stream)).message).toBe(
        'fromIterable: expected what can be read again in another pass: a function that opens it, got what was read already',
      )
    }
  })

  test('generators know the epoch, and are gone on with', async () => {
    const stream = fromGenerator(async function* ({ epoch }) {
      for (let i = 0; i < 4; i++) yield Promise.resolve(epoch * 10 + i)
    })
    const pass = stream.open({ epoch: 2 })
    await pass.next()
    const { value } = await stream.open({ state: pass.state() }).next()
    expect(value).toBe(21)
  })

  test('streams of Node and of the Web', async () => {
    expect(await fromStream(() => Readable.from([1, 2])).toArray()).toEqual([1, 2])
    const web = () =>
      new ReadableStream<number>({
        start(controller) {
          for (const x of [1, 2]) controller.enqueue(x)
          controller.close()
        },
      })
    expect(await fromStream(web).toArray()).toEqual([1, 2])
    expect(await fromStream(web()).toArray()).toEqual([1, 2])
    expect(() => fromStream(3 as never)).toThrow(TypeError)
  })

  test('a pass that ends early closes what is open', async () => {
    const closed: string[] = []
    const node = new Readable({
      objectMode: true,
      read() {},
      destroy(_, done) {
        closed.push('node')
        done(null)
      },
    })
    const web = new ReadableStream({ cancel: () => void closed.push('web') })
    const generator = fromGenerator(function* () {
      try {
        for (;;) yield 1
      } finally {
        closed.push('generator')
      }
    })
    for (const stream of [fromStream(node), fromStream(web)]) {
      const pass = stream.open()
      const waiting = pass.next()
      await pause(1)
      await pass.return()
      expect(await waiting).toEqual({ done: true, value: undefined })
    }
    for await (const _ of generator.prefetch(2)) break
    await pause(5)
    expect(closed).toEqual(['node', 'web', 'generator'])
  })
})

describe('batch', () => {
  test('stacks numbers, arrays, typed arrays, tensors, truths and texts', async () => {
    const stream = fromArrays([
      { a: 1, b: [1, 2], c: Uint8Array.of(1), d: g.tensor([[1]]), e: true, f: 'x' },
      { a: null, b: [3, null], c: Uint8Array.of(2), d: g.tensor([[1]]).add(1), e: false, f: null },
    ]).batch(2)
    const [batch] = await stream.toArray()
    expect(plain(batch)).toEqual({
      a: [1, Number.NaN],
      b: [
        [1, 2],
        [3, Number.NaN],
      ],
      c: [[1], [2]],
      d: [[[1]], [[2]]],
      e: [true, false],
      f: ['x', null],
    })
    const { c, d, e } = batch!
    expect([c.dtype, d.dtype, e.dtype]).toEqual(['uint8', 'float32', 'bool'])
  })

  test('two or three in an array are x, y and weights', async () => {
    const stream = fromArrays([[[1, 2], 0, 0.5]] as [number[], number, number][]).batch(4, {
      dtype: ['float32', 'int32', 'float32'],
    })
    const [[x, y, weights]] = (await stream.toArray()) as [[g.Tensor, g.Tensor, g.Tensor]]
    expect([x.shape, y.shape, weights.shape]).toEqual([[1, 2], [1], [1]])
    expect(y.dtype).toBe('int32')
    expect(stream.batched).toBe(true)
  })

  test('knows how many there are', () => {
    const all = fromArrays(new Array<number>(10).fill(0))
    expect([all.batch(3).size, all.batch(3, { dropLast: true }).size]).toEqual([4, 3])
    expect([all.repeat().size, all.repeat(3).size, all.take(4).size, all.skip(4).size]).toEqual([Infinity, 30, 4, 6])
    expect(all.filter(() => true).size).toBeUndefined()
    expect(all.repeat().batch(4).size).toBe(Infinity)
  })

  test.each<[unknown[], string]>([
    [
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3],
      ],
      'batch: expected element 2 of shape [4], as the first of its batch, got [3]',
    ],
    [[1, 'a'], 'batch: expected element 1 to be numbers, as others of its batch, got "a"'],
    [['a', 1], 'batch: expected element 1 to be a text or null, got 1'],
    [[1, true], 'batch: expected element 1 to be float32, as others of its batch, got bool'],
    [
      [
        [[1, 2], 3],
        [[1], 3],
      ],
      'batch: expected element 1 of shape [2], as the first of its batch, got [1] at x',
    ],
    [
      [
        [1, 2],
        [1, 2, 3],
      ],
      'batch: expected element 1 to be an array of 2, as the first of its batch, got one of 3',
    ],
    [[{ a: 1 }, { b: 1 }], 'batch: expected element 1 to have a, as the first of its batch, got b'],
    [[{ a: { b: 1 } }, { a: 1 }], 'batch: expected element 1 to have b, as the first of its batch, got 1 at a'],
    [[[[1, 2], [3]].concat([[1], [1]])], 'batch: expected element 0 of nested arrays of one shape, got ragged ones'],
    [[undefined], 'batch: expected element 0 to be made of numbers, texts, arrays or tensors, got undefined'],
    [[() => 1], 'batch: expected element 0 to be made of numbers, texts, arrays or tensors, got a function'],
    [[BigInt64Array.of(1n)], 'batch: expected element 0 of integers of at most 32 bits or floats, got a BigInt64Array'],
  ])('says which element does not fit: %#', async (elements, message) => {
    const error = await errorOf(fromArrays(elements).batch(8))
    expect(error).toBeInstanceOf(g.PipelineError)
    expect(error.message).toBe(message)
  })

  test('numbers that a dtype does not hold', async () => {
    const error = await errorOf(fromArrays([1, 300]).batch(2, { dtype: 'uint8' }))
    expect(error.message).toBe('batch: element 1: batch: expected numbers that uint8 holds (0 to 255), got 300')
  })

  test('elements are numbered from the beginning, also in later batches and after a state', async () => {
    const stream = fromArrays([1, 2, 3, 4, 'five']).batch(2)
    const pass = stream.open()
    await pass.next()
    await expect(stream.open({ state: pass.state() }).return()).resolves.toBeDefined()
    const restored = stream.open({ state: pass.state() })
    await restored.next()
    expect(plain((await restored.next()).value)).toEqual(['five'])
    const failing = fromArrays([1, 2, 3, 4, 'five', 6]).batch(2).open({})
    await failing.next()
    await failing.next()
    await expect(failing.next()).rejects.toThrow('batch: expected element 5 to be a text or null, got 6')
  })

  test('of nothing there is none', async () => {
    expect(await listed(fromArrays([]).batch(3))).toEqual([])
    expect(await listed(fromArrays<number>([]).repeat().shuffle(3).batch(3))).toEqual([])
  })
})

describe('paddedBatch', () => {
  test('fills up to the longest, with lengths', async () => {
    const stream = fromArrays([[1, 2, 3, 4], [5]], [[1], [2, 3]])
    expect(await listed(stream.paddedBatch(2, { targetValue: -1 }))).toEqual([
      [
        {
          values: [
            [1, 2, 3, 4],
            [5, 0, 0, 0],
          ],
          lengths: [4, 1],
        },
        [
          [1, -1],
          [2, 3],
        ],
      ],
    ])
  })

  test('of features by time, to a multiple, or a length', async () => {
    const stream = fromArrays([{ a: [[1, 1], [2, 2], [3, 3]], b: 1 }, { a: [[4, 4]], b: 2 }]) // biome-ignore format: rows
    const [batch] = await stream.paddedBatch(2, { multiple: 4, value: 9 }).toArray()
    const { values, lengths } = batch!
    expectTypeOf(lengths).toEqualTypeOf<{ a: g.Tensor }>()
    expect(values.a.shape).toEqual([2, 4, 2])
    expect(plain(values.a.slice(1))).toEqual([[[4, 4], [9, 9], [9, 9], [9, 9]]]) // biome-ignore format: rows
    expect([plain(lengths), plain(values.b)]).toEqual([{ a: [3, 1] }, [1, 2]])
    expect((await errorOf(stream.paddedBatch(2, { length: 2 }))).message).toBe(
      'paddedBatch: expected elements of at most 2 entries, got [3]',
    )
  })
})

describe('map and filter', () => {
  test('keep the order of several calls, of which no more are under way', async () => {
    let [underWay, most] = [0, 0]
    const stream = fromArrays([5, 1, 4, 2, 3, 0]).map(
      async (x) => {
        most = Math.max(most, ++underWay)
        await pause(x * 3)
        underWay--
        return x
      },
      { concurrency: 3 },
    )
    expect(await stream.toArray()).toEqual([5, 1, 4, 2, 3, 0])
    expect(most).toBe(3)
  })

  test('what they throw has the number of the element, and everything is closed', async () => {
    for (const concurrency of [1, 3]) {
      let isClosed = false
      const source = fromGenerator(function* () {
        try {
          yield* [0, 1, 2, 3, 4]
        } finally {
          isClosed = true
        }
      })
      const fail = (x: number) => {
        if (x === 3) throw new RangeError('no three')
        return x
      }
      const pass = source.map(fail, { concurrency }).prefetch(2).batch(2).open()
      await pass.next()
      const error = (await pass.next().catch((error) => error)) as Error
      expect([error.name, error.message]).toEqual(['PipelineError', 'map: element 3 failed: no three'])
      expect(error.cause).toBeInstanceOf(RangeError)
      expect(isClosed).toBe(true)
      expect(await pass.next()).toEqual({ done: true, value: undefined })
    }
    const error = await errorOf(fromArrays([1]).filter((() => 1) as never))
    expect(error.message).toBe('filter: element 0 failed: filter: expected a function that gives true or false, got 1')
  })

  test('a generator that throws', async () => {
    const stream = fromGenerator(function* () {
      yield 1
      throw new Error('disk')
    })
    expect((await errorOf(stream)).message).toBe('fromGenerator: element 1 failed: disk')
    const rejecting = fromGenerator(() => [Promise.resolve(1), Promise.reject(new Error('net'))])
    expect((await errorOf(rejecting)).message).toBe('fromGenerator: element 1 failed: net')
    expect((await errorOf(fromGenerator((() => 3) as never))).message).toBe(
      'fromGenerator: expected a function that gives an iterable or an iterator, got 3',
    )
  })

  test('an element that has itself in it is refused', async () => {
    const cyclic: Record<string, unknown> = {}
    Object.assign(cyclic, { a: cyclic, b: cyclic })
    for (const stream of [
      fromArrays([1]).map(() => cyclic),
      fromArrays([cyclic]).batch(1),
      fromArrays([cyclic]).unbatch(),
    ])
      expect((await errorOf(stream)).message).toContain('stream: expected elements nested at most 64 deep')
  })

  test('tensors that they make are computed', async () => {
    const [x] = await fromArrays([1])
      .map((x) => g.tensor([x]).add(1))
      .toArray()
    expect(x!.graph().split('\n')).toHaveLength(1)
  })
})

describe('a pass', () => {
  test('refuses the state of another pipeline, and prints both', () => {
    const make = (size: number) => fromArrays([1, 2, 3]).shuffle(size, { seed: 1 }).batch(2)
    expect(() => make(4).open({ state: make(3).open().state() })).toThrow(
      new TypeError(
        'open: the state is of another pipeline, it differs in shuffle(3, seed 1), which is shuffle(4, seed 1) here\n' +
          '  state: fromArrays(3) → shuffle(3, seed 1) → batch(2)\n' +
          '  stream: fromArrays(3) → shuffle(4, seed 1) → batch(2)',
      ),
    )
    expect(() => make(3).open({ state: { pipeline: 3 } as never })).toThrow(TypeError)
    expect(() => make(3).open({ epoch: 2, state: make(3).open({ epoch: 1 }).state() })).toThrow(
      new RangeError('open: expected epoch 1, that of the state, got 2'),
    )
  })

  test('for await shuffles anew each time', async () => {
    const stream = fromArrays(Array.from({ length: 20 }, (_, i) => i)).shuffle(20, { seed: 1 })
    const passes: number[][] = []
    for (let i = 0; i < 2; i++) {
      passes.push([])
      for await (const x of stream) passes[i]!.push(x)
    }
    expect(passes[0]).not.toEqual(passes[1])
    expect(passes[0]!.toSorted((a, b) => a - b)).toEqual(passes[1]!.toSorted((a, b) => a - b))
  })

  test('gives elements in order to who does not wait', async () => {
    const pass = fromArrays([1, 2])
      .map(async (x) => x)
      .open()
    const results = await Promise.all([pass.next(), pass.next(), pass.next()])
    expect(results.map(({ value }) => value)).toEqual([1, 2, undefined])
  })

  test('ends by a signal at once, whatever it waits for', async () => {
    const never = fromGenerator(async function* () {
      yield 1
      await new Promise(() => {})
    })
    for (const stream of [
      never,
      never.prefetch(2),
      never
        .map((x) => x, { concurrency: 2 })
        .shuffle(3)
        .batch(2),
    ]) {
      const controller = new AbortController()
      const pass = stream.open({ signal: controller.signal })
      if (stream !== never) setTimeout(() => controller.abort(new Error('enough')), 5)
      else {
        await pass.next()
        setTimeout(() => controller.abort(new Error('enough')), 5)
      }
      await expect((async () => { for await (const _ of pass); })()).rejects.toThrow('enough') // biome-ignore format: one thing
      await expect(pass.next()).rejects.toThrow('enough')
    }
    const controller = new AbortController()
    controller.abort()
    await expect(fromArrays([1]).open({ signal: controller.signal }).next()).rejects.toThrow()
  })

  test('says how long it was waited for', async () => {
    const slow = fromArrays([1, 2, 3]).map(async (x) => {
      await pause(100)
      return x
    })
    const alone = slow.open()
    await alone.next()
    expect(alone.waited).toBeGreaterThan(80)
    const ahead = slow.prefetch(2).open()
    await ahead.next()
    const before = ahead.waited
    await pause(400)
    await ahead.next()
    expect(ahead.waited - before).toBeLessThan(50)
  })

  test('lets the event loop turn', async () => {
    let turns = 0
    const count = () => {
      turns++
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    const end = performance.now() + 20_000
    const never = fromGenerator(function* () {
      while (turns < 3 && performance.now() < end) yield 1
    })
    for await (const _ of never.filter(() => false));
    clearImmediate(timer)
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  test('is of bounded memory: prefetch and shuffle hold no more than they were told', async () => {
    let [made, given, most] = [0, 0, 0]
    const stream = fromGenerator(function* () {
      for (; made < 500; made++) {
        most = Math.max(most, made - given)
        yield made
      }
    })
    for await (const _ of stream.shuffle(20).prefetch(5)) given++
    expect(given).toBe(500)
    expect(most).toBeLessThanOrEqual(20 + 5 + 1)
  })

  test('is no thing to be cloned', () => {
    expect(() => structuredClone(fromArrays([1]))).toThrow('a stream: make it where it is needed')
    expect(() => structuredClone(fromArrays([1]).open())).toThrow('send its state()')
  })
})

describe('split and kFold', () => {
  const all = Array.from({ length: 1000 }, (_, i) => i)

  test('have no element in common, and lose none', async () => {
    const parts = fromArrays(all).split(0.8, { seed: 2 })
    const [train, test] = await Promise.all(parts.map((part) => part.shuffle(100).toArray()))
    expect([...train!, ...test!].toSorted((a, b) => a - b)).toEqual(all)
    expect(Math.abs(train!.length - 800)).toBeLessThan(50)
    const folds = fromArrays(all).kFold(4, { seed: 2 })
    const validations = await Promise.all(folds.map(({ validation }) => validation.toArray()))
    expect(validations.flat().toSorted((a, b) => a - b)).toEqual(all)
    for (const [i, { train }] of folds.entries())
      expect([...(await train.toArray()), ...validations[i]!].toSorted((a, b) => a - b)).toEqual(all)
  })

  test('refuse an order that changes, by which rows would leak', () => {
    expect(() =>
      fromArrays(all)
        .shuffle(10)
        .map((x) => x)
        .split(0.5),
    ).toThrow(
      'split: expected elements in the same order in each pass (shuffle and repeat the parts), got a stream that is shuffled or repeated',
    )
    expect(() => fromArrays(all).repeat(2).kFold(3)).toThrow(TypeError)
    expect(() => fromArrays(all).zip(fromArrays(all).shuffle(3)).split(0.5)).toThrow(TypeError)
    expect(fromArrays(all).shuffle(10).cache().split(0.5)).toHaveLength(2)
  })
})
