/** Sampling, the cache of keys and values, and texts that are written with both. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'
import { expectClose } from '../support/close.ts'

const { nn } = g

interface Given {
  cache?: g.nn.KeyValueCache | null
}

const classes = 11

/** With positions that are learned, or rotary ones, whose weights are large enough for texts that are none of one token. */
class Writer extends nn.Module {
  readonly context = 24
  words = nn.embedding(classes, 8)
  positions: g.nn.Embedding | null
  blocks: g.nn.TransformerEncoder
  head = nn.linear(8, classes)
  calls = 0

  constructor(rotary: boolean) {
    super()
    this.positions = rotary ? null : nn.embedding(this.context, 8)
    this.blocks = nn.transformerEncoder(8, 2, 2, { feedForward: 16, normFirst: true, norm: true, rotary })
    this.head.weight.assign(g.randn([classes, 8], { seed: 3 }))
  }

  forward(tokens: g.Tensor, { cache = null }: Given = {}): g.Tensor {
    this.calls++
    const count = tokens.shape[1]!
    const places = cache === null ? g.arange(0, count, 1, { dtype: 'int32' }) : cache.positions(count)
    const x = this.words.forward(tokens)
    const placed = this.positions === null ? x : x.add(this.positions.forward(places))
    return this.head.forward(this.blocks.forward(placed, { causal: true, cache }))
  }
}

const writer = (rotary = false): Writer => {
  g.setSeed(5)
  return new Writer(rotary)
}

const prompt = [1, 2, 3]

describe.each(backendNames)('on the %s backend', (backend) => {
  beforeEach(() => g.setBackend(backend))

  test.each([false, true])(
    'a cache gives the logits of all tokens at once, in whatever pieces; rotary positions: %s',
    (rotary) => {
      const model = writer(rotary).eval()
      const tokens = g.tensor(Int32Array.from({ length: 20 }, (_, i) => (i * 7) % classes)).reshape([1, 20])
      const whole = model.forward(tokens).reshape([20, classes])
      const cache = nn.kvCache({ capacity: 24 })
      const step = g.compile((part: g.Tensor) => {
        const logits = model.forward(part, { cache })
        cache.advance(part.shape[1]!)
        return logits.reshape([-1, classes])
      })
      for (const lengths of [[20], [5, 1, 1, 3, 10], Array(20).fill(1)]) {
        cache.reset()
        let start = 0
        for (const length of lengths) {
          const logits = step.sync(tokens.slice([0, start], [1, start + length]))
          expectClose(logits, whole.slice(start, start + length).dataSync(), 2e-5)
          start += length
        }
        expect(cache.position.itemSync()).toBe(20)
      }
      expect(cache.layers).toBe(2)
      expect(step.traces).toBe(5)
    },
  )

  test.each([{ temperature: 0 }, { temperature: 0.7, topK: 5, topP: 0.9, seed: 4 }])(
    'a text is the same with a cache and without: %o',
    async (options) => {
      for (const rotary of [false, true]) {
        const model = writer(rotary)
        const given = { ...options, maxTokens: 60 }
        const cached = await g.generate(model, prompt, given)
        expect(cached).toHaveLength(60)
        expect(new Set(cached).size).toBeGreaterThan(1)
        expect(await g.generate(model, prompt, { ...given, cache: false })).toEqual(cached)
        expect(model.training).toBe(true)
      }
    },
  )

  test('samples are distributed as their probabilities, after temperature, topK and topP', () => {
    const logits = g.tensor([0, 1, 2, -Infinity, 2.5, 0.5])
    const count = 20_000
    const rows = g.broadcastTo(logits, [count, 6])
    const softmax = (x: number[], t: number) => {
      const e = x.map((v) => Math.exp(v / t))
      const sum = e.reduce((a, b) => a + b)
      return e.map((v) => v / sum)
    }
    const cases = [
      [{}, softmax([0, 1, 2, -Infinity, 2.5, 0.5], 1)],
      [{ temperature: 2 }, softmax([0, 1, 2, -Infinity, 2.5, 0.5], 2)],
      [{ topK: 2 }, softmax([-Infinity, -Infinity, 2, -Infinity, 2.5, -Infinity], 1)],
      // 0.49, 0.30, 0.11: the first two have less than 0.8, the third one takes them over it.
      [{ topP: 0.85 }, softmax([-Infinity, 1, 2, -Infinity, 2.5, -Infinity], 1)],
      [{ topP: 0.1 }, [0, 0, 0, 0, 1, 0]],
      [{ topK: 3, topP: 0.6 }, softmax([-Infinity, -Infinity, 2, -Infinity, 2.5, -Infinity], 1)],
      [{ temperature: 0 }, [0, 0, 0, 0, 1, 0]],
    ] as const
    for (const [options, expected] of cases) {
      const drawn = g.sample(rows, { ...options, seed: 1 })
      expect([drawn.dtype, drawn.shape]).toEqual(['int32', [count]])
      const frequencies = g.oneHot(drawn, 6).mean(0).dataSync()
      expected.forEach((p, i) => {
        const text = `${JSON.stringify(options)} class ${i}: ${frequencies[i]} of ${p}`
        if (p === 0 || p === 1) expect(frequencies[i], text).toBe(p)
        else expect(Math.abs(frequencies[i]! - p), text).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count))
      })
    }
  })

  test('noise decides by itself, from the first class to the last', () => {
    const logits = g.tensor([-Infinity, 0, 0, -Infinity])
    const at = (noise: number) => g.sample(logits, { noise: g.tensor(noise) }).itemSync()
    expect([0, 0.49, 0.51, 1 - 2 ** -24].map(at)).toEqual([1, 1, 2, 2])
  })

  test('logits with NaN are an error, no class', () => {
    expect(() => g.sample([1, Number.NaN]).dataSync()).toThrow(RangeError)
    expect(() => g.sample([1, Infinity]).dataSync()).toThrow(RangeError)
  })
})

test('more than the context is written by going on with the latter half of it', async () => {
  const model = writer()
  const text = await g.generate(model, prompt, { maxTokens: 40, temperature: 0 })
  let window = [...prompt]
  model.eval()
  for (const token of text) {
    const logits = model.forward(g.tensor(Int32Array.from(window)).reshape([1, -1]))
    expect(logits.select(1, -1).argmax(-1).itemSync()).toBe(token)
    window.push(token)
    if (window.length > 24) window = window.slice(-12)
  }
})

test('a long prompt counts by its last tokens', async () => {
  const model = writer()
  const long = Array.from({ length: 50 }, (_, i) => i % classes)
  const options = { maxTokens: 5, seed: 1 }
  expect(await g.generate(model, long, options)).toEqual(await g.generate(model, long.slice(-24), options))
})

test('the same seed gives the same text, each text of a model has its programs, and another length no others', async () => {
  const model = writer()
  const options = { maxTokens: 20, seed: 7 }
  const first = await g.generate(model, prompt, options)
  const { calls } = model
  const others = [
    g.generate(model, prompt, options),
    g.generate(model, [4], { ...options, maxTokens: 10 }),
    g.generate(model, g.tensor(Int32Array.from(prompt)), options),
  ]
  const [again, other, third] = await Promise.all(others)
  expect([again, third]).toEqual([first, first])
  expect(other).toHaveLength(10)
  expect(await g.generate(model, prompt, { ...options, seed: 8 })).not.toEqual(first)
  const { calls: later } = model
  expect(later).toBeGreaterThan(calls)
  for (const length of [1, 5, 9, 13]) await g.generate(model, Array(length).fill(1), { maxTokens: 11, seed: length })
  expect(model.calls).toBe(later)
})

test('a layer that takes the place of another is asked', async () => {
  const model = writer()
  const options = { maxTokens: 12, temperature: 0 }
  const before = await g.generate(model, prompt, options)
  model.head = nn.linear(8, classes, { bias: false, seed: 9 })
  const after = await g.generate(model, prompt, options)
  expect(after).not.toEqual(before)
  expect(await g.generate(model, prompt, { ...options, cache: false })).toEqual(after)
})

test('stop tokens end the text, and callbacks and iterators have each token', async () => {
  const model = writer()
  const options = { maxTokens: 30, seed: 2 }
  const text = await g.generate(model, prompt, options)
  const stop = text[8]!
  expect(await g.generate(model, prompt, { ...options, stop })).toEqual(text.slice(0, text.indexOf(stop)))
  const seen: number[][] = []
  await g.generate(model, prompt, { ...options, onToken: (token, i) => seen.push([i, token]) })
  expect(seen).toEqual([...text.entries()])
  const part: number[] = []
  for await (const token of g.generateTokens(model, prompt, options)) if (part.push(token) === 5) break
  expect(part).toEqual(text.slice(0, 5))
  expect(await g.generate(model, prompt, options)).toEqual(text)
  expect(await g.generate(model, prompt, { ...options, maxTokens: 0 })).toEqual([])
})

test('a signal ends it, and the next text is as it would have been', async () => {
  const model = writer()
  const options = { maxTokens: 200, seed: 2 }
  const text = await g.generate(model, prompt, options)
  const controller = new AbortController()
  const reason = new Error('enough')
  const aborted = g.generate(model, prompt, {
    ...options,
    signal: controller.signal,
    onToken: (_, i) => i === 20 && controller.abort(reason),
  })
  await expect(aborted).rejects.toBe(reason)
  await expect(g.generate(model, prompt, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(await g.generate(model, prompt, options)).toEqual(text)
  const thrown = g.generate(model, prompt, {
    ...options,
    onToken: () => {
      throw reason
    },
  })
  await expect(thrown).rejects.toBe(reason)
  expect(await g.generate(model, prompt, options)).toEqual(text)
})

test('what does not fit is refused', async () => {
  const model = writer()
  await expect(g.generate(model, [])).rejects.toThrow('generate: expected a prompt of at least one token, got [0]')
  await expect(g.generate(model, [0.5])).rejects.toThrow(RangeError)
  await expect(g.generate(model, [classes])).rejects.toThrow(RangeError)
  await expect(g.generate(model, prompt, { topP: 0 })).rejects.toThrow('a topP in (0, 1], got 0')
  await expect(g.generate(model, prompt, { topk: 1 } as never)).rejects.toThrow('did you mean topK?')
  await expect(g.generate(model, prompt, { stop: ['a'] as never })).rejects.toThrow('integers as stop tokens, got "a"')
  await expect(g.generate({} as never, prompt)).rejects.toThrow('generate: expected a model with a method forward')
  const deaf = { forward: (tokens: g.Tensor) => model.forward(tokens) }
  await expect(g.generate(deaf, prompt, { context: 24 })).rejects.toThrow('a model whose attention takes the cache')
  const text = await g.generate(deaf, prompt, { context: 24, cache: false, maxTokens: 5, seed: 1 })
  expect(text).toEqual(await g.generate(model, prompt, { maxTokens: 5, seed: 1 }))
  const flat = { forward: (tokens: g.Tensor) => tokens.cast('float32') }
  await expect(g.generate(flat, prompt, { cache: false })).rejects.toThrow('a model that gives logits [1, 16, classes]')
  expect(() => g.sample([1, 2], { noise: [0.5] })).toThrow(g.ShapeError)
  expect(() => g.sample(g.zeros([0]))).toThrow(g.ShapeError)
})

describe('a cache', () => {
  test('has room for so many tokens, and refuses more without a change', () => {
    const attention = nn.multiHeadAttention(4, 2).eval()
    const cache = nn.kvCache({ capacity: 3 })
    const step = g.compile((x: g.Tensor) => {
      const y = attention.forward(x, { cache })
      cache.advance(x.shape[1]!)
      return y
    })
    step.sync(g.ones([1, 2, 4]))
    const keys = cache.position.itemSync()
    expect(() => step.sync(g.ones([1, 2, 4]))).toThrow(RangeError)
    expect(cache.position.itemSync()).toBe(keys)
    step.sync(g.ones([1, 1, 4]))
    expect(cache.position.itemSync()).toBe(3)
  })

  test('is of one layout for each layer, and for the keys of queries alone', () => {
    const attention = nn.multiHeadAttention(4, 2)
    const cache = nn.kvCache({ capacity: 3 })
    attention.forward(g.ones([1, 1, 4]), { cache })
    expect(() => attention.forward(g.ones([2, 1, 4]), { cache })).toThrow(
      'extend: expected tokens of [1, 2, 3, 2] as before, got [2, 2, 1, 2]',
    )
    expect(() => attention.forward(g.ones([1, 1, 4]), { cache, key: g.ones([1, 1, 4]) })).toThrow(TypeError)
    expect(() => attention.forward(g.ones([1, 1, 4]), { cache: {} as never })).toThrow(
      'multiHeadAttention: expected a kvCache',
    )
    expect(() => nn.kvCache({ capacity: 0 })).toThrow(RangeError)
    expect(() => nn.kvCache({} as never)).toThrow('kvCache: expected a capacity, got undefined')
  })
})
