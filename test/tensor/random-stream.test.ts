import { beforeEach, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

beforeEach(() => g.setSeed(1))

const draw = () => Array.from(g.randn([4]).dataSync())

test('what is drawn in a stream depends on its seed alone', () => {
  const [a, b] = [g.randomStream(7), g.randomStream(7)]
  const first = a.run(draw)
  draw()
  const second = a.run(draw)
  expect(second).not.toEqual(first)
  g.setSeed(99)
  expect([b.run(draw), b.run(draw)]).toEqual([first, second])
  expect(g.randomStream(8).run(draw)).not.toEqual(first)
})

test('the global stream does not notice', () => {
  const expected = [draw(), draw()]
  g.setSeed(1)
  const [first, stream] = [draw(), g.randomStream(7)]
  stream.run(draw)
  expect([first, draw()]).toEqual(expected)
})

test('the innermost stream is drawn from, also after an error', () => {
  const [outer, inner] = [g.randomStream(1), g.randomStream(2)]
  const expected = g.randomStream(1).run(() => [draw(), draw()])
  const drawn = outer.run(() => {
    const first = draw()
    expect(inner.run(draw)).toEqual(g.randomStream(2).run(draw))
    expect(() =>
      inner.run(() => {
        throw new Error('mine')
      }),
    ).toThrow('mine')
    return [first, draw()]
  })
  expect(drawn).toEqual(expected)
})

test('a function compiled in a stream draws from it at each run', async () => {
  const stream = g.randomStream(5)
  const compiled = g.compile(() => stream.run(() => g.randn([4])))
  const drawn = [await compiled(), await compiled()].map((x) => Array.from(x.dataSync()))
  expect(drawn).toEqual(g.randomStream(5).run(() => [draw(), draw()]))
})

test('without a seed each stream has another, which follows from the global one', () => {
  const seeds = () => [g.randomStream().seed, g.randomStream().seed]
  const first = seeds()
  expect(first[0]).not.toBe(first[1])
  g.setSeed(1)
  expect(seeds()).toEqual(first)
  expect(g.randomStream(first[0]!).seed).toBe(first[0])
})

test.each([-1, 0.5, 2 ** 32])('%f is no seed', (seed) => {
  expect(() => g.randomStream(seed)).toThrow(
    new RangeError(`randomStream: expected an integer seed from 0 to 2³² − 1, got ${seed}`),
  )
})
