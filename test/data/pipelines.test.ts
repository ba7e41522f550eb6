/** Random chains of transformations against arrays: no row is lost, none comes twice, and a saved pass goes on where it stood. */
import { describe, expect, test } from 'vitest'
import { hashOf } from '../../lib/data/hashing.ts'
import { permutation } from '../../lib/data/permutation.ts'
import * as g from '../../lib/index.ts'
import { Random } from '../fuzz/random.ts'

/** A stream, and what it is to give in an epoch. */
interface Pair {
  readonly stream: g.Stream<number>
  readonly model: (epoch: number) => Promise<number[]>
}

async function shuffled(all: number[], size: number, seed: number, epoch: number): Promise<number[]> {
  const result: number[] = []
  for (let window = 0; window * size < all.length; window++) {
    const part = all.slice(window * size, (window + 1) * size)
    for (const i of await permutation(part.length, hashOf(hashOf(seed, epoch), window), 0)) result.push(part[i]!)
  }
  return result
}

function interleaved(parts: number[][], cycle: number, block: number): number[] {
  const result: number[] = []
  let open = parts.slice(0, cycle)
  let [turn, given] = [0, 0]
  for (let next = cycle; open.length > 0; ) {
    if (given === block) [turn, given] = [(turn + 1) % open.length, 0]
    const element = open[turn]!.shift()
    if (element !== undefined) {
      result.push(element)
      given++
      continue
    }
    open = open.toSpliced(turn, 1)
    turn = open.length === 0 ? 0 : turn % open.length
    open.push(...parts.slice(next, ++next))
    given = 0
  }
  return result
}

/** The streams that `interleave` makes of an element. */
const partOf = (x: number): number[] => Array.from({ length: Math.abs(Math.trunc(x)) % 4 }, (_, i) => x * 2 + i)

const later = async (x: number): Promise<number> => {
  for (let i = 0; i < Math.abs(x) % 5; i++) await new Promise(setImmediate)
  return x - 1
}

const item = (x: g.Tensor): number => x.itemSync()

type Change = (pair: Pair, random: Random) => Pair

const changed =
  (
    change: (stream: Pair['stream'], random: Random) => Pair['stream'],
    model: (all: number[]) => number[] = (x) => x,
  ): Change =>
  ({ stream, model: before }, random) => ({
    stream: change(stream, random),
    model: async (epoch) => model(await before(epoch)),
  })

const changes: Readonly<Record<string, Change>> = {
  map: changed(
    (s) => s.map((x) => x + 1),
    (all) => all.map((x) => x + 1),
  ),
  mapAsync: changed(
    (s, random) => s.map(later, { concurrency: 1 + random.below(4) }),
    (all) => all.map((x) => x - 1),
  ),
  filter: changed(
    (s) => s.filter((x) => Math.trunc(x) % 3 !== 0),
    (all) => all.filter((x) => Math.trunc(x) % 3 !== 0),
  ),
  prefetch: changed((s, random) => s.prefetch(1 + random.below(4))),
  batchAndUnbatch: changed((s, random) =>
    s
      .batch(1 + random.below(5), { dtype: 'float64' })
      .unbatch()
      .map(item),
  ),
  batch: ({ stream, model }, random) => {
    const [size, dropLast] = [1 + random.below(4), random.oneIn(2)]
    return {
      stream: stream.batch(size, { dropLast, dtype: 'float64' }).map((x) => x.sum().itemSync()),
      model: async (epoch) => {
        const all = await model(epoch)
        const batches = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
          all.slice(i * size, (i + 1) * size),
        )
        return batches
          .filter((batch) => !dropLast || batch.length === size)
          .map((batch) => batch.reduce((a, b) => a + b))
      },
    }
  },
  take: ({ stream, model }, random) => {
    const count = random.below(12)
    return { stream: stream.take(count), model: async (epoch) => (await model(epoch)).slice(0, count) }
  },
  skip: ({ stream, model }, random) => {
    const count = random.below(5)
    return { stream: stream.skip(count), model: async (epoch) => (await model(epoch)).slice(count) }
  },
  shuffle: ({ stream, model }, random) => {
    const [size, seed] = [1 + random.below(12), random.word()]
    return {
      stream: stream.shuffle(size, { seed }),
      model: async (epoch) => shuffled(await model(epoch), size, seed, epoch),
    }
  },
  repeat: ({ stream, model }, random) => {
    const count = random.below(4)
    return {
      stream: stream.repeat(count),
      model: async (epoch) => {
        const rounds = await Promise.all(Array.from({ length: count }, (_, i) => model(epoch * count + i)))
        // Nothing is not repeated.
        const end = rounds.findIndex((round) => round.length === 0)
        return rounds.slice(0, end < 0 ? count : end).flat()
      },
    }
  },
  cache: ({ stream, model }) => ({ stream: stream.cache(), model: () => model(0) }),
  concat: (pair, random) => {
    const other = chain(random, random.below(3))
    return {
      stream: pair.stream.concat(other.stream),
      model: async (epoch) => [...(await pair.model(epoch)), ...(await other.model(epoch))],
    }
  },
  zip: (pair, random) => {
    const other = chain(random, random.below(3))
    return {
      stream: pair.stream.zip(other.stream).map(([a, b]) => a + b),
      model: async (epoch) => {
        const [a, b] = await Promise.all([pair.model(epoch), other.model(epoch)])
        return a.slice(0, b.length).map((x, i) => x + b[i]!)
      },
    }
  },
  interleave: ({ stream, model }, random) => {
    const [cycle, block] = [1 + random.below(3), 1 + random.below(3)]
    return {
      stream: stream.interleave((x) => g.data.fromArrays(partOf(x)), { cycle, block }),
      model: async (epoch) => interleaved((await model(epoch)).map(partOf), cycle, block),
    }
  },
}

const sources: readonly ((all: number[]) => g.Stream<number>)[] = [
  (all) => g.data.fromArrays(all),
  (all) => g.data.fromIterable(all),
  (all) => g.data.fromGenerator(() => all[Symbol.iterator]()),
  (all) =>
    g.data.fromGenerator(async function* () {
      yield* all
    }),
  (all) => g.data.fromColumns({ a: Float64Array.from(all) }).map(({ a }) => a),
]

function chain(random: Random, length: number): Pair {
  const all = Array.from({ length: random.below(14) }, (_, i) => i + 1)
  let pair: Pair = { stream: random.pick(sources)(all), model: async () => all }
  for (let i = 0; i < length; i++) pair = changes[random.pick(Object.keys(changes))]!(pair, random)
  return pair
}

async function rest<T>(pass: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const element of pass) all.push(element)
  return all
}

const chains = Array.from({ length: 150 }, (_, number) => number)

describe('a random chain', () => {
  test.each(chains)('%i gives what arrays give, and goes on where it stood', async (number) => {
    const random = new Random(21, number)
    const { stream, model } = chain(random, 1 + random.below(6))
    for (const epoch of [0, 1, 4]) {
      const all = await model(epoch)
      expect(await rest(stream.open({ epoch })), String(stream)).toEqual(all)
      if (stream.size !== undefined) expect(stream.size).toBe(all.length)
      const pass = stream.open({ epoch })
      const cut = random.below(all.length + 2)
      for (let i = 0; i < cut; i++) await pass.next()
      // What is being made at the moment is not given yet.
      const next = random.oneIn(2) ? pass.next() : undefined
      const state = JSON.parse(JSON.stringify(pass.state()))
      await next
      await pass.return()
      expect(await rest(stream.open({ state })), `${stream} after ${cut}`).toEqual(all.slice(cut))
    }
  })

  test('uses every transformation, on its own too', async () => {
    for (const [name, change] of Object.entries(changes)) {
      const random = new Random(3, 3)
      const all = Array.from({ length: 9 }, (_, i) => i + 1)
      const { stream, model } = change({ stream: g.data.fromArrays(all), model: async () => all }, random)
      expect(await rest(stream.open()), name).toEqual(await model(0))
    }
  })

  test('a restored cache is of what the first pass gave', async () => {
    const make = () =>
      g.data
        .fromArrays([1, 2, 3, 4, 5, 6])
        .shuffle(6, { seed: 3 })
        .cache()
        .batch(2)
        .map((x) => x.arraySync())
    const pass = make().open({ epoch: 5 })
    const first = await pass.next()
    const restored = make()
    expect([first.value, ...(await rest(restored.open({ state: pass.state() })))]).toEqual(await rest(make().open()))
  })
})
