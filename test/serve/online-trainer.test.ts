/** Learning while serving: what is learned, what is served, and what is kept back or undone. */
import { afterEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { Examples } from '../../lib/serve/examples.ts'
import {
  ClosedError,
  type OnlineTrainer,
  type OnlineTrainerOptions,
  onlineTrainer,
  type Predictor,
  predictor,
  type Round,
} from '../../lib/serve/index.ts'
import { servedBy } from '../../lib/serve/predictor.ts'
import { ReplayBuffer } from '../../lib/serve/replay-buffer.ts'

const open: (Predictor | OnlineTrainer)[] = []
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

/** y = slope · x, which it is to learn. */
class Line extends g.nn.Module {
  slope = g.variable(0)
  forward(x: g.Tensor): g.Tensor {
    return x.mul(this.slope)
  }
}

interface Made {
  model: Line
  p: Predictor<Float32Array>
  trainer: OnlineTrainer
  rounds: Round[]
}

async function make(options: Partial<OnlineTrainerOptions> = {}, model = new Line()): Promise<Made> {
  const p = await predictor<Float32Array>(model, { inputShape: [1], maxBatch: 4 })
  const rounds: Round[] = []
  const trainer = onlineTrainer(model, {
    predictor: p,
    optimizer: g.optim.sgd({ learningRate: 0.1 }),
    loss: 'mse',
    targetShape: [1],
    targetDtype: 'float32',
    every: 16,
    batchSize: 8,
    share: 1,
    onRound: (round) => rounds.push(round),
    ...options,
  })
  open.push(trainer, p)
  return { model, p, trainer, rounds }
}

/** Rows of y = slope · x. */
const learnLine = (trainer: OnlineTrainer, slope: number, count: number) => {
  for (let i = 0; i < count; i++) trainer.learn([1 + (i % 5) / 5], [slope * (1 + (i % 5) / 5)])
}

const answerOf = async ({ p }: Made) => (await p.predict([1]))[0]!

describe('a round', () => {
  test('judges what was learned by all rows that are held out, a part at a time', async () => {
    const counts: number[] = []
    class Noting extends Line {
      override forward(x: g.Tensor): g.Tensor {
        counts.push(x.shape[0]!)
        return super.forward(x)
      }
    }
    const options = { every: 300, steps: 1, holdOut: 0.5, optimizer: g.optim.sgd({ learningRate: 0 }) }
    const { trainer, rounds } = await make(options, new Noting())
    for (let i = 0; i < 1000; i++) trainer.learn([0], [i % 2])
    await trainer.idle()
    expect(Math.max(...counts)).toBe(64)
    // Every other row has a loss of 1, the others one of 0.
    expect(rounds[0]!.served).toBeGreaterThan(0.3)
    expect(rounds[0]!.served).toBeLessThan(0.7)
    expect(rounds[0]!.learned).toBeCloseTo(rounds[0]!.served!, 6)
  })

  test('serves what was learned once it is no worse', async () => {
    const made = await make({ steps: 50 })
    expect(await answerOf(made)).toBe(0)
    learnLine(made.trainer, 3, 32)
    await made.trainer.idle()
    expect(await answerOf(made)).toBeCloseTo(3, 3)
    expect(made.rounds[0]).toMatchObject({ outcome: 'swapped', steps: 50, version: 2 })
    expect(made.rounds[0]!.learned).toBeLessThan(made.rounds[0]!.served!)
    const { rows, heldOut, steps, rounds, swaps } = made.trainer.statistics()
    expect([rows, heldOut]).toEqual([32, 3])
    expect([steps, rounds, swaps]).toEqual([made.rounds.length * 50, made.rounds.length, made.rounds.length])
  })

  test('begins after so many rows, not before', async () => {
    const made = await make({ holdOut: 0 })
    learnLine(made.trainer, 3, 15)
    await made.trainer.idle()
    expect(made.rounds).toHaveLength(0)
    learnLine(made.trainer, 3, 1)
    await made.trainer.idle()
    expect(made.rounds).toMatchObject([{ steps: 2, served: null, learned: null, outcome: 'swapped' }])
  })

  test('keeps back what is worse on the rows that are held out, and says so', async () => {
    // Each step goes three times as far beyond what is sought as it was before it.
    const made = await make({ optimizer: g.optim.sgd({ learningRate: 2 }), steps: 3, holdOut: 0.5 })
    for (let i = 0; i < 32; i++) made.trainer.learn([1], [3])
    await made.trainer.idle()
    expect(made.rounds[0]).toMatchObject({ outcome: 'kept back', version: 1 })
    expect(made.rounds[0]!.learned).toBeGreaterThan(made.rounds[0]!.served!)
    expect(await answerOf(made)).toBe(0)
    expect(made.model.slope.itemSync()).toBeCloseTo(3 + 3 * 27, 2)
    expect(made.trainer.statistics()).toMatchObject({ keptBack: 1, swaps: 0 })
  })

  test('whose loss is no finite number is undone', async () => {
    const made = await make({ optimizer: g.optim.sgd({ learningRate: 1e30 }), steps: 10, holdOut: 0 })
    learnLine(made.trainer, 3, 16)
    await made.trainer.idle()
    expect(made.rounds).toMatchObject([{ outcome: 'undone', version: 1 }])
    expect(made.model.slope.itemSync()).toBe(0)
    expect(await answerOf(made)).toBe(0)
  })

  test('that is undone before any was served leaves nothing in the optimizer, either', async () => {
    const optimizer = g.optim.adam({ learningRate: 0.1 })
    const made = await make({ optimizer, steps: 10, holdOut: 0, buffer: { size: 16, kind: 'recent' } })
    for (let i = 0; i < 16; i++) made.trainer.learn([1], [1e30])
    await made.trainer.idle()
    learnLine(made.trainer, 3, 16)
    await made.trainer.idle()
    expect(made.rounds.map(({ outcome }) => outcome)).toEqual(['undone', 'swapped'])
    expect(await answerOf(made)).toBeGreaterThan(0)
  })

  test('goes on without rows that no step can take', async () => {
    const model = g.nn.sequential(g.nn.linear(2, 3))
    const p = await predictor(model, { inputShape: [2], maxBatch: 2 })
    const rounds: Round[] = []
    const options = { predictor: p, optimizer: g.optim.adam(), loss: 'crossEntropy' } as const
    const trainer = onlineTrainer(model, { ...options, every: 8, steps: 20, share: 1, onRound: (x) => rounds.push(x) })
    open.push(trainer, p)
    for (let i = 0; i < 10; i++) trainer.learn([i, 1], i === 4 || i === 9 ? 7 : i % 3)
    await trainer.idle()
    expect(rounds).toHaveLength(1)
    const { removed, steps } = trainer.statistics()
    expect(removed).toBe(2)
    expect(steps).toBeGreaterThan(10)
  })

  test('leaves what is served alone while it trains', async () => {
    const made = await make({ steps: 200, share: 0.5, every: 32 })
    learnLine(made.trainer, 3, 40)
    const answers: number[] = []
    const training = made.trainer.idle().then(() => answers.push(Number.NaN))
    while (!answers.some(Number.isNaN)) answers.push(await answerOf(made))
    await training
    const served = new Set(answers.filter((x) => !Number.isNaN(x)))
    expect(served.size).toBeLessThanOrEqual(2)
    expect(made.trainer.statistics().steps).toBe(200)
  })
})

test('a round that fails by no row of its own ends no process: whoever calls next is told', async () => {
  const made = await make({
    loss: () => {
      throw new TypeError('loss: expected something else, got this')
    },
  })
  learnLine(made.trainer, 3, 20)
  await expect(made.trainer.idle()).rejects.toThrow('loss: expected something else')
  expect(() => made.trainer.learn([1], [1])).toThrow('loss: expected something else')
  expect(await answerOf(made)).toBe(0)
  await made.trainer.close()
})

describe('versions', () => {
  test('go back, with the model and its optimizer', async () => {
    const made = await make({ steps: 50, optimizer: g.optim.adam({ learningRate: 0.1 }) })
    learnLine(made.trainer, 2, 32)
    await made.trainer.idle()
    const [, second] = made.trainer.statistics().versions
    const before = await answerOf(made)
    learnLine(made.trainer, 5, 320)
    await made.trainer.idle()
    expect(await answerOf(made)).not.toBe(before)
    const now = await made.trainer.rollback(made.trainer.statistics().versions.includes(second!) ? second! : 1)
    expect(made.p.version).toBe(now)
    expect(made.model.slope.itemSync()).toBe(await answerOf(made))
    await expect(made.trainer.rollback(999)).rejects.toThrow('rollback: expected one of the versions')
  })

  test('are kept as many as was asked for, and the one that was there before anything was learned', async () => {
    const made = await make({ steps: 1, keep: 3, holdOut: 0 })
    for (let i = 0; i < 6; i++) {
      learnLine(made.trainer, 3, 16)
      await made.trainer.idle()
    }
    expect(made.trainer.statistics().versions).toEqual([1, 5, 6, 7])
    await made.trainer.rollback(1)
    expect(await answerOf(made)).toBe(0)
    expect(made.trainer.statistics().versions).toEqual([1, 6, 7, 8])
  })
})

test('going back may forget all rows, which would be learned again otherwise', async () => {
  const made = await make({ steps: 20, holdOut: 0 })
  learnLine(made.trainer, 3, 16)
  await made.trainer.idle()
  await made.trainer.rollback(1, { forget: true })
  learnLine(made.trainer, 1, 16)
  await made.trainer.idle()
  expect(await answerOf(made)).toBeCloseTo(1, 3)
  const { rounds } = made.trainer.statistics()
  learnLine(made.trainer, 1, 10)
  await made.trainer.rollback(1, { forget: true })
  learnLine(made.trainer, 1, 10)
  await made.trainer.idle()
  expect(made.trainer.statistics()).toMatchObject({ rounds, buffered: 10 })
  await expect(made.trainer.rollback(1, { forge: true } as never)).rejects.toThrow('forge')
})

test('rows that are held out are so many of any that come in turns', async () => {
  const { p } = await make()
  const heldOut = (seed: number) => {
    const settings = { targetShape: [], targetDtype: 'float32', size: 10, kind: 'recent', holdOut: 0.1, seed } as const
    const examples = new Examples('test', servedBy(p), settings)
    const [example] = examples.read([1], 1).examples
    return Array.from({ length: 1000 }, (_, i) => i).filter(() => !examples.add(example!))
  }
  const places = heldOut(7)
  expect(places).toHaveLength(100)
  expect(places.map((place) => Math.floor(place / 10))).toEqual(places.map((_, i) => i))
  for (const turn of [0, 1]) expect(places.filter((place) => place % 2 === turn).length).toBeGreaterThan(30)
  expect(heldOut(7)).toEqual(places)
  expect(heldOut(8)).not.toEqual(places)
})

describe('what is refused', () => {
  test('rows and targets that do not fit, and then none is taken', async () => {
    const made = await make()
    const learn = (rows: unknown, targets: unknown) => () => made.trainer.learn(rows as never, targets as never)
    expect(learn([1, 2], [1])).toThrow(g.ShapeError)
    expect(learn([[1], [2]], [[1]])).toThrow('a target for each of 2 rows')
    expect(learn([1], [Number.NaN])).toThrow('finite')
    expect(learn([1], 'x')).toThrow(TypeError)
    expect(learn([1], undefined)).toThrow(TypeError)
    expect(made.trainer.statistics().rows).toBe(0)
    await made.trainer.close()
    expect(learn([1], [1])).toThrow(ClosedError)
  })

  test('options that do not fit', async () => {
    const { model, p } = await make()
    const refused = (options: object) =>
      expect(() =>
        onlineTrainer(model, { predictor: p, optimizer: g.optim.sgd({ learningRate: 1 }), loss: 'mse', ...options }),
      )
    refused({ predictor: {} }).toThrow('a predictor')
    refused({ optimizer: {} }).toThrow('an optimizer')
    refused({ loss: 'mze' }).toThrow('mse')
    refused({ share: 0 }).toThrow('share')
    refused({ holdOut: 1 }).toThrow('holdOut')
    refused({ buffer: { size: 0 } }).toThrow('size')
    refused({ buffer: { kind: 'old' } }).toThrow('kind')
    refused({ evry: 3 }).toThrow('every')
  })

  test.each<[string, () => unknown, string]>([
    [
      'throws an error',
      () => {
        throw new Error('from onRound')
      },
      'from onRound',
    ],
    [
      'throws nothing',
      () => {
        throw undefined
      },
      'undefined',
    ],
    ['rejects', () => Promise.reject(new Error('later')), 'later'],
  ])('an onRound that %s is a warning, and training goes on', async (_, onRound, message) => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    const made = await make({ steps: 1, onRound })
    learnLine(made.trainer, 3, 20)
    await made.trainer.idle()
    expect((await warned).message).toBe(message)
    expect(made.trainer.statistics().rounds).toBe(1)
  })
})

describe('the buffer', () => {
  const idOf = ([part]: Float32Array[]) => part![0]!
  const exampleOf = (id: number) => [Float32Array.of(id)]

  test('a reservoir has each row with the same probability', () => {
    const counts = new Float64Array(100)
    for (let seed = 0; seed < 2000; seed++) {
      const buffer = new ReplayBuffer<Float32Array[]>(10, 'reservoir', seed)
      for (let id = 0; id < 100; id++) buffer.add(exampleOf(id))
      for (const example of buffer.all(10)) counts[idOf(example)]!++
    }
    // 200 each, with a standard deviation of 13.4.
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(5 * 13.4)
  })

  test('the other one has the last rows, also after some were removed', () => {
    const buffer = new ReplayBuffer<Float32Array[]>(4, 'recent', 0)
    const examples = Array.from({ length: 12 }, (_, id) => exampleOf(id))
    for (const example of examples.slice(0, 6)) buffer.add(example)
    const ids = () =>
      buffer
        .all(buffer.size)
        .map(idOf)
        .toSorted((a, b) => a - b)
    expect(ids()).toEqual([2, 3, 4, 5])
    buffer.remove(new Set([examples[4]!, examples[11]!]))
    expect(ids()).toEqual([2, 3, 5])
    for (const example of examples.slice(6, 9)) buffer.add(example)
    expect(ids()).toEqual([5, 6, 7, 8])
    // A place that became free is filled first, and what is replaced then is the oldest.
    buffer.remove(new Set([examples[7]!]))
    buffer.add(examples[9]!)
    buffer.add(examples[10]!)
    expect(ids()).toEqual([6, 8, 9, 10])
  })
})
