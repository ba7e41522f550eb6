import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import fsp from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { readCheckpoint } from '../../lib/train/checkpoint-file.ts'
import { clouds, counter, valuesOf } from '../support/training.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'galvani-checkpoints-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const newModel = () =>
  g.nn.sequential(g.nn.linear(2, 8), g.nn.dropout(0.3), g.nn.batchNorm1d(8), g.nn.dropout(0.1), g.nn.linear(8, 3))

interface Outcome {
  model: unknown
  optimizer: unknown
  epochs: unknown
}

/** Trains a model of its own, and gives all that came of it. */
async function train(change: Partial<g.FitOptions> = {}, rows = 103): Promise<Outcome> {
  g.setSeed(5)
  const model = newModel()
  const { optimizer = g.optim.adam({ learningRate: 0.01 }), ...options } = change
  const { epochs } = await g.fit(model, clouds(rows, 1), {
    ...{ epochs: 4, batchSize: 10, loss: 'crossEntropy', metrics: ['accuracy'], seed: 3, validationSplit: 0.2 },
    optimizer,
    ...options,
  })
  const values = (state: g.StateDict) => Object.entries(state).map(([name, x]) => [name, x.arraySync()])
  return {
    model: values(model.stateDict()),
    optimizer: values((optimizer as g.optim.Optimizer).stateDict(model)),
    epochs: epochs.map((info) => ({ ...info, seconds: 0 })),
  }
}

const enough = new Error('enough')

/** A loss whose target is as wide as the prediction, for metrics of such. */
const own = (prediction: g.Tensor, target: g.Tensor) => g.losses.crossEntropy(prediction, target)

/** A hook that ends training with an error in an epoch, after some steps of it. */
const failAt = (at: number, after: number): g.Callbacks => ({
  onStepEnd({ epoch, step }) {
    if (epoch === at && step >= after) throw enough
  },
})

describe('a training that goes on', () => {
  test.each([
    ['an epoch', { epochs: 1 }, failAt(2, 3)],
    ['2 epochs', { epochs: 2 }, failAt(3, 2)],
    ['some steps', { steps: 4 }, failAt(1, 7)],
    ['a step', { steps: 1 }, failAt(2, 9)],
    ['some time', { seconds: 1e-3 }, failAt(3, 1)],
    ['whichever comes first', { epochs: 3, steps: 7, seconds: 10 }, failAt(3, 8)],
  ])('from a checkpoint after %s ends with the same bits', async (_, every, callbacks) => {
    const whole = await train()
    const options = { checkpoint: { directory, every }, sliceMilliseconds: 0.01 }
    await expect(train({ ...options, callbacks })).rejects.toBe(enough)
    expect(await train({ ...options, resume: directory })).toEqual(whole)
    // It has ended, and goes on all the same.
    expect(await train({ ...options, epochs: 6, resume: directory })).toEqual(await train({ epochs: 6 }))
  })

  test('may be left and gone on with many times', async () => {
    const whole = await train()
    const options = { checkpoint: { directory, every: { steps: 3 } }, resume: directory, sliceMilliseconds: 0.01 }
    let begun = 0
    for (const [epoch, step] of [
      [0, 2],
      [0, 7],
      [1, 5],
      [2, 1],
      [2, 8],
      [3, 9],
    ] as const) {
      const callbacks = [failAt(epoch, step), { onTrainBegin: (info: g.TrainInfo) => (begun = info.epoch) }]
      await expect(train({ ...options, callbacks })).rejects.toBe(enough)
    }
    expect(begun).toBeGreaterThan(0)
    expect(await train(options)).toEqual(whole)
  })

  test.each([
    [
      'in the midst of an epoch',
      { onStepEnd: ({ epoch, step }, context) => epoch === 1 && step === 5 && context.pause() },
      1,
    ],
    [
      'at the last step of one',
      { onStepEnd: ({ epoch, step }, context) => epoch === 1 && step === 9 && context.pause() },
      2,
    ],
    ['after one', { onEpochEnd: ({ epoch }, context) => epoch === 1 && context.pause() }, 2],
    ['before it began', { onTrainBegin: (_, context) => context.pause() }, 0],
  ] satisfies [string, g.Callbacks, number][])(
    'after it was paused %s ends with the same bits',
    async (_, callbacks, ended) => {
      const whole = await train()
      const options = { checkpoint: { directory, every: { epochs: 100 } }, resume: directory, sliceMilliseconds: 0.01 }
      const paused = await train({ ...options, callbacks })
      expect(paused.epochs).toHaveLength(ended)
      expect(await train(options)).toEqual(whole)
    },
  )

  test.each([
    [
      'in the midst of an epoch',
      { onStepEnd: ({ epoch, step }, c) => void (epoch === 1 && step === 5 && c.saveCheckpoint()) },
    ],
    ['between two epochs', { onEpochEnd: ({ epoch }, c) => void (epoch === 1 && c.saveCheckpoint()) }],
  ] satisfies [string, g.Callbacks][])(
    'from a checkpoint that was asked for %s ends with the same bits',
    async (_, callbacks) => {
      const whole = await train()
      const options = { checkpoint: { directory, every: { epochs: 100 }, keep: 9 }, sliceMilliseconds: 0.01 }
      expect(await train({ ...options, callbacks })).toEqual(whole)
      const [asked, last, ...more] = readdirSync(directory).sort()
      expect([more, Number(/\d+/.exec(last!)![0])]).toEqual([[], 36])
      expect(Number(/\d+/.exec(asked!)![0])).toBeLessThan(27)
      rmSync(join(directory, last!))
      expect(await train({ ...options, resume: directory })).toEqual(whole)
    },
  )

  test('a checkpoint that is asked for while another one is written comes after that, and none is asked for at the end', async () => {
    const checkpoint = { directory, every: { steps: 2 }, keep: 99 }
    const asking: g.Callbacks = { onStepEnd: (_, c) => c.saveCheckpoint(), onEpochEnd: (_, c) => c.saveCheckpoint() }
    expect(await train({ checkpoint, callbacks: asking, sliceMilliseconds: 0.01 })).toEqual(await train())
    expect(readdirSync(directory).sort().at(-1)).toBe('step-0000000036.safetensors')
  })

  test('a checkpoint is refused where there are none', async () => {
    await expect(train({ callbacks: { onEpochEnd: (_, context) => context.saveCheckpoint() } })).rejects.toThrow(
      'saveCheckpoint: expected a training whose fit has the option checkpoint, got one without',
    )
  })

  test('takes over a seed that was not given', async () => {
    const checkpoint = { directory }
    await expect(train({ seed: undefined as never, checkpoint, callbacks: failAt(2, 1) })).rejects.toBe(enough)
    g.randn([1])
    const resumed = await train({ seed: undefined as never, resume: directory, checkpoint })
    expect(resumed).toEqual(await train({ seed: undefined as never }))
  })

  test('has the state of its callbacks, found by name', async () => {
    const stopping = () => [
      g.callbacks.reduceLROnPlateau({ monitor: 'accuracy', patience: 1, minDelta: 0.3 }),
      g.callbacks.earlyStopping({ monitor: 'accuracy', minDelta: 0.5, patience: 5, restoreBest: true }),
    ]
    const whole = await train({ epochs: 20, callbacks: stopping() })
    expect((whole.epochs as unknown[]).length).toBeLessThan(20)
    const options = { epochs: 20, checkpoint: { directory }, resume: directory }
    await expect(train({ ...options, callbacks: [...stopping(), failAt(3, 1)] })).rejects.toBe(enough)
    expect(await train({ ...options, callbacks: stopping().reverse() })).toEqual(whole)
  })

  test('sets the rate of an epoch once, also where the epoch is gone on with', async () => {
    const schedule = () => g.callbacks.learningRateSchedule((_, rate) => rate * 0.5)
    const whole = await train({ callbacks: schedule() })
    const options = { checkpoint: { directory, every: { steps: 2 } }, resume: directory, sliceMilliseconds: 0.01 }
    for (const at of [failAt(1, 5), failAt(1, 8), failAt(3, 3)])
      await expect(train({ ...options, callbacks: [schedule(), at] })).rejects.toBe(enough)
    expect(await train({ ...options, callbacks: schedule() })).toEqual(whole)
  })

  test('has ended where it was stopped, unless it is to be of more epochs', async () => {
    const stopping = () => g.callbacks.earlyStopping({ minDelta: 9, restoreBest: true })
    const failing: g.Callbacks = {
      onTrainEnd() {
        throw enough
      },
    }
    const whole = await train({ epochs: 9, callbacks: stopping() })
    expect(whole.epochs).toHaveLength(2)
    const options = { epochs: 9, checkpoint: { directory }, resume: directory }
    await expect(train({ ...options, callbacks: [failing, stopping()] })).rejects.toBe(enough)
    for (let i = 0; i < 2; i++) {
      const resumed = await train({ ...options, callbacks: stopping() })
      expect(resumed).toEqual(whole)
    }
    expect((await train({ ...options, epochs: 10 })).epochs).toHaveLength(10)
  })

  test('ends the epoch in which it was stopped', async () => {
    const options = { checkpoint: { directory, every: { steps: 3 } }, resume: directory, sliceMilliseconds: 0.01 }
    const stopping: g.Callbacks = { onStepEnd: ({ step }, context) => step === 3 && context.stop() }
    const failing: g.Callbacks = {
      onValidationEnd() {
        throw enough
      },
    }
    await expect(train({ ...options, callbacks: [stopping, failing] })).rejects.toBe(enough)
    const { epochs } = await train(options)
    expect(epochs).toEqual([
      expect.objectContaining({ epoch: 0, loss: expect.any(Number), validation: expect.anything() }),
    ])
  })

  test.each([
    [
      'a schedule',
      () => ({ optimizer: g.optim.adam({ learningRate: g.schedules.cosine({ peak: 0.05, steps: 30, warmup: 5 }) }) }),
    ],
    [
      'accumulated and clipped gradients',
      () => ({ optimizer: g.optim.sgd({ learningRate: 0.1, momentum: 0.9 }), accumulate: 3, clipNorm: 0.5 }),
    ],
    [
      'losses weighed by class, and a metric over all data',
      () => ({
        classWeights: { 1: 3 },
        metrics: [g.metrics.streaming.mean((p) => p.square().mean(1), { name: 'square' })],
        loss: own,
      }),
    ],
  ])('has all of %s', async (_, change) => {
    const options = { checkpoint: { directory, every: { steps: 4 } }, resume: directory, sliceMilliseconds: 0.01 }
    const whole = await train(change())
    for (const [epoch, step] of [
      [0, 6],
      [2, 5],
    ] as const)
      await expect(train({ ...change(), ...options, callbacks: failAt(epoch, step) })).rejects.toBe(enough)
    expect(await train({ ...change(), ...options })).toEqual(whole)
  })

  test('keeps float64 as it is', async () => {
    const run = async (options: Partial<g.FitOptions>) => {
      const w = g.variable(g.tensor([[0.1]], { dtype: 'float64' }), { name: 'w' })
      const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
      const x = g.tensor([[1], [2], [3]], { dtype: 'float64' })
      const optimizer = g.optim.adam({ learningRate: 0.1 })
      await g.fit(model, g.data.fromTensors(x, x), { batchSize: 1, seed: 1, loss: 'mse', optimizer, ...options })
      return w.itemSync()
    }
    const whole = await run({ epochs: 4 })
    await run({ epochs: 2, checkpoint: { directory } })
    expect(await run({ epochs: 4, resume: directory })).toBe(whole)
  })
})

describe('what is kept', () => {
  test('the newest, and the best', async () => {
    const checkpoint = { directory, keep: 3, best: 'validation.loss' }
    const { epochs } = await train({ epochs: 6, checkpoint })
    expect(readdirSync(directory).sort()).toEqual([
      'best.safetensors',
      ...[36, 45, 54].map((step) => `step-${String(step).padStart(10, '0')}.safetensors`),
    ])
    const losses = (epochs as g.EpochInfo[]).map(({ validation }) => validation!.loss)
    const best = await readCheckpoint('test', join(directory, 'best.safetensors'))
    expect(best.best).toEqual({ score: Math.min(...losses), epoch: losses.indexOf(Math.min(...losses)) })
    expect((best.epochs as unknown[]).length).toBe(1 + losses.indexOf(Math.min(...losses)))
    // Its tensors are those of a model, for whoever reads safetensors.
    const tensors = await g.load(join(directory, 'best.safetensors'))
    expect(tensors['model.0.weight']!.shape).toEqual([8, 2])
  })

  test('the best of all, also where another run goes on', async () => {
    const checkpoint = { directory, best: { monitor: 'accuracy', mode: 'min' as const } }
    await train({ epochs: 2, checkpoint })
    const first = await readCheckpoint('test', join(directory, 'best.safetensors'))
    await train({ epochs: 5, checkpoint, resume: directory })
    expect(await readCheckpoint('test', join(directory, 'best.safetensors')).then(({ best }) => best)).toEqual(
      first.best,
    )
  })

  test('leftovers of processes that were killed are not, but what is not of the library is', async () => {
    for (const name of ['.galvani-0123456789abcdef.tmp', 'notes.txt']) writeFileSync(join(directory, name), 'x')
    await train({ epochs: 1, checkpoint: { directory } })
    expect(readdirSync(directory).sort()).toEqual(['notes.txt', 'step-0000000009.safetensors'])
  })

  test('a directory is the same by other words for it', async () => {
    await train({ epochs: 1, checkpoint: { directory } })
    const { epochs } = await train({ epochs: 2, checkpoint: { directory: `${directory}/.` }, resume: directory })
    expect(epochs).toHaveLength(2)
  })

  test('a directory is made', async () => {
    await train({ epochs: 1, checkpoint: { directory: join(directory, 'a', 'b') } })
    expect(readdirSync(join(directory, 'a', 'b'))).toHaveLength(1)
  })
})

describe('a resume is refused', () => {
  beforeEach(() => train({ epochs: 1, checkpoint: { directory } }))

  test.each([
    ['another optimizer', { optimizer: g.optim.sgd({ learningRate: 0.1 }) }, 'optimizer was adam and is sgd'],
    ['another batch size', { batchSize: 11 }, 'batchSize was 10 and is 11'],
    ['another seed', { seed: 4 }, 'seed was 3 and is 4'],
    ['another loss', { loss: (p: g.Tensor) => p.mean() }, 'loss was crossEntropy and is loss'],
    ['other metrics', { metrics: [] }, 'metrics was accuracy and is '],
    ['another order', { shuffle: false }, 'shuffle was true and is false'],
    ['no last batch', { dropLast: true }, 'dropLast was false and is true'],
    [
      'another validation set',
      { validationSplit: 0.3 },
      'data was 82 rows and is 72 rows; validation was 21 rows and is 31 rows',
    ],
    ['shorter epochs', { stepsPerEpoch: 4 }, 'stepsPerEpoch was none and is 4'],
  ] as const)('with %s', async (_, change, message) => {
    const failure = expect(train({ ...(change as object), resume: directory })).rejects
    await failure.toThrow(message)
    await failure.toThrow(
      /^fit: expected the options of the training to resume \(.*step-0000000009.safetensors\), got others: /,
    )
  })

  test('with all differences listed, and nothing is changed', async () => {
    const model = g.nn.sequential(g.nn.linear(2, 9), g.nn.linear(9, 3))
    const before = valuesOf(model)
    const options = {
      loss: 'crossEntropy' as const,
      optimizer: g.optim.adam(),
      batchSize: 7,
      seed: 3,
      resume: directory,
    }
    const failure = expect(g.fit(model, clouds(82, 1), options)).rejects
    await failure.toThrow('batchSize was 10 and is 7; validation was 21 rows and is none')
    await failure.toThrow('model 0.weight was Tensor float32[8, 2] and is Tensor float32[9, 2]')
    expect(valuesOf(model)).toEqual(before)
  })

  test('with other weights of classes', async () => {
    const message = 'loss was crossEntropy and is crossEntropy, classWeights {"1":3}'
    await expect(train({ resume: directory, classWeights: { 1: 3 } })).rejects.toThrow(message)
  })

  test('where the state of the optimizer is of others, and the model is as it was', async () => {
    const model = newModel()
    const before = valuesOf(model)
    const own = g.optim.optimizer({
      name: 'adam',
      learningRate: 1,
      rule: ({ parameter }) => ({ parameter: parameter.mul(1) }),
    })
    const options = {
      loss: 'crossEntropy' as const,
      metrics: ['accuracy' as const],
      batchSize: 10,
      seed: 3,
      validationSplit: 0.2,
    }
    const failure = expect(g.fit(model, clouds(103, 1), { ...options, optimizer: own, resume: directory })).rejects
    await failure.toThrow('loadStateDict: expected the state of such an optimizer of these parameters')
    expect(valuesOf(model)).toEqual(before)
  })

  test('but not with other epochs, callbacks, signal and checkpoints', async () => {
    const more = { epochs: 3, callbacks: [{ onEpochEnd() {} }], signal: new AbortController().signal }
    const other = { checkpoint: { directory: join(directory, 'other'), every: { steps: 5 } }, sliceMilliseconds: 1 }
    expect(await train({ ...more, ...other, resume: directory })).toEqual(await train({ epochs: 3 }))
  })

  test('and so are checkpoints beside those of another training', async () => {
    await expect(train({ checkpoint: { directory } })).rejects.toThrow(
      `fit: expected a directory without checkpoints, or to resume from it, got 1 in ${directory}`,
    )
    const empty = join(directory, 'empty')
    mkdirSync(empty)
    await expect(train({ resume: empty })).rejects.toThrow(
      'fit: expected a directory with checkpoints to resume from, got',
    )
    await train({ epochs: 1, resume: empty, checkpoint: { directory: empty } })
  })

  test('from a file that is none', async () => {
    writeFileSync(join(directory, 'step-0000000010.safetensors'), 'nothing')
    await expect(train({ resume: directory })).rejects.toThrow(g.DataFormatError)
    await g.save(join(directory, 'step-0000000010.safetensors'), newModel())
    await expect(train({ resume: directory })).rejects.toThrow('fit: expected a checkpoint of version 1, got')
    await g.saveCheckpoint(join(directory, 'step-0000000010.safetensors'), { epoch: 1 })
    await expect(train({ resume: directory })).rejects.toThrow(
      'fit: expected a checkpoint of fit or train to resume from',
    )
  })
})

describe('a write that fails', () => {
  const { rename } = fsp
  afterEach(() => {
    fsp.rename = rename
    syncBuiltinESMExports()
  })

  test('is an error of fit, and the last good checkpoint is there', async () => {
    let renames = 0
    fsp.rename = async (from, to) => {
      if (++renames === 3) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      return rename(from, to)
    }
    syncBuiltinESMExports()
    const options = { checkpoint: { directory }, resume: directory }
    await expect(train(options)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(readdirSync(directory)).toEqual(['step-0000000009.safetensors', 'step-0000000018.safetensors'])
    expect(await train(options)).toEqual(await train())
  })

  test('is thrown where the loop is left early, too', async () => {
    fsp.rename = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
    syncBuiltinESMExports()
    const { model, loss, optimizer } = counter()
    const data = g.data.fromTensors(g.ones([2, 1]), g.ones([2, 1]))
    const leave = async () => {
      for await (const { type } of g.train(model, data, { epochs: 3, loss, optimizer, checkpoint: { directory } }))
        if (type === 'epochBegin') break
      for await (const { type } of g.train(model, data, { epochs: 3, loss, optimizer, checkpoint: { directory } }))
        if (type === 'trainEnd') break
    }
    await expect(leave()).rejects.toThrow('EIO')
  })

  const mounts = (() => {
    try {
      return process.getuid?.() === 0 && process.platform === 'linux' && fs.existsSync('/bin/mount')
    } catch {
      return false
    }
  })()

  test.skipIf(!mounts)('on a full disk (a tmpfs, which only root may mount)', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'galvani-test', directory])
    try {
      const options = { checkpoint: { directory, keep: 9 }, epochs: 30, resume: directory }
      await expect(train(options)).rejects.toMatchObject({ code: 'ENOSPC' })
      const left = readdirSync(directory)
      expect(left.length).toBeGreaterThan(0)
      expect(left.every((name) => name.startsWith('step-'))).toBe(true)
      // What is there is whole: with room for more the training goes on from it.
      execFileSync('mount', ['-o', 'remount,size=4m', directory])
      expect(await train(options)).toEqual(await train({ epochs: 30 }))
    } finally {
      execFileSync('umount', [directory])
    }
  })
})

describe('options of checkpoints', () => {
  test.each([
    [{ checkpoint: {} }, 'fit: checkpoint: expected a directory, got undefined'],
    [{ checkpoint: { directory: '' } }, 'fit: checkpoint: expected the path of a directory, got ""'],
    [{ checkpoint: { directory: 'x', every: { minutes: 1 } } }, 'fit: checkpoint: every: unknown option minutes'],
    [
      { checkpoint: { directory: 'x', every: { steps: 0 } } },
      'fit: checkpoint: expected an integer of steps of at least 1, got 0',
    ],
    [{ checkpoint: { directory: 'x', every: { seconds: 0 } } }, 'fit: checkpoint: expected seconds above 0, got 0'],
    [{ checkpoint: { directory: 'x', keep: 0 } }, 'fit: checkpoint: expected an integer keep of at least 1, got 0'],
    [{ checkpoint: { directory: 'x', best: 1 } }, 'fit: checkpoint: best: expected options'],
    [{ resume: 3 }, 'fit: expected resume to be a string, got 3'],
    [{ resume: '' }, 'fit: expected a path, got ""'],
    [{ checkpoint: { directory: 'a\0b' } }, 'fit: checkpoint: expected the path of a directory, got'],
    [{ resume: 'package.json' }, 'fit: cannot read package.json: ENOTDIR'],
    [{ checkpoint: { directory: 'package.json' } }, 'fit: cannot write package.json: EEXIST'],
  ])('%o', async (change, message) => {
    await expect(train(change as never)).rejects.toThrow(message)
  })

  test('a callback whose state is no data', async () => {
    const callbacks = { onEpochEnd() {}, stateDict: () => ({ when: new Date() }) }
    await expect(train({ callbacks, checkpoint: { directory } })).rejects.toThrow(
      'fit: expected tensors and plain values, in lists and by name, as callbacks.0.state.when, got',
    )
  })
})

describe('saveCheckpoint and restoreCheckpoint', () => {
  const parts = () => {
    const [model, optimizer, random] = [newModel(), g.optim.adam({ learningRate: 0.02 }), g.randomStream(9)]
    const step = g.compile((x: g.Tensor, y: g.Tensor) =>
      random.run(() => optimizer.minimize(() => g.losses.crossEntropy(model.forward(x), y), model)),
    )
    return { model, optimizer, random, step }
  }
  const [x, y] = clouds(20, 1).batch([...Array(20).keys()])
  const steps = async ({ step }: ReturnType<typeof parts>, count: number) => {
    let loss = 0
    for (let i = 0; i < count; i++) loss = await (await step(x, y)).item()
    return loss
  }

  test('a loop of your own goes on with the same bits, in the midst of steps that were submitted', async () => {
    g.setSeed(1)
    const whole = parts()
    const last = await steps(whole, 9)
    g.setSeed(1)
    const { step, ...first } = parts()
    const path = join(directory, 'run.safetensors')
    for (let i = 0; i < 4; i++) void step(x, y)
    const extra = { losses: [1, Number.NaN, -0, Infinity], order: Int32Array.of(3, 1), note: null, when: { step: 4 } }
    // Nothing was awaited yet, and more is submitted behind it.
    const saved = g.saveCheckpoint(path, { ...first, ...extra })
    for (let i = 0; i < 3; i++) void step(x, y)
    await saved
    g.setSeed(2)
    const second = parts()
    const { step: _, ...rest } = second
    const found = await g.restoreCheckpoint(path, rest)
    expect({ ...found, model: 0, optimizer: 0, random: 0 }).toEqual({ ...extra, model: 0, optimizer: 0, random: 0 })
    expect(second.random.draws).toBe(8)
    expect(await steps(second, 5)).toBe(last)
    expect(valuesOf(second.model)).toEqual(valuesOf(whole.model))
  })

  test('restore all parts or none', async () => {
    const path = join(directory, 'run.safetensors')
    const { model, random, optimizer, step } = parts()
    await step(x, y)
    await g.saveCheckpoint(path, { model, optimizer, random })
    const other = newModel()
    const before = valuesOf(other)
    await expect(g.restoreCheckpoint(path, { model: other, random: g.randomStream(8) })).rejects.toThrow(
      'restoreCheckpoint: expected random of seed 9, got one of 8',
    )
    expect(valuesOf(other)).toEqual(before)
    await expect(g.restoreCheckpoint(path, { net: other })).rejects.toThrow(
      `restoreCheckpoint: expected net in ${path}, got model, optimizer, random`,
    )
    await expect(g.restoreCheckpoint(path, { model: 3 })).rejects.toThrow(
      'restoreCheckpoint: expected a model, an optimizer or a random stream as model, got 3',
    )
    expect(Object.keys(await g.restoreCheckpoint(path))).toEqual(['model', 'optimizer', 'random'])
  })

  test('refuse what is no data', async () => {
    const path = join(directory, 'run.safetensors')
    await expect(g.saveCheckpoint(path, { f: () => 1 })).rejects.toThrow('as f, got a function')
    await expect(g.saveCheckpoint(path, { $a: 1 })).rejects.toThrow('names without $ in front')
    const loop: unknown[] = []
    loop.push(loop)
    await expect(g.saveCheckpoint(path, { loop })).rejects.toThrow('something too deep, or with itself in it')
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('aborted or failed at any moment', () => {
  test('a training is gone on with from the last checkpoint, and none is left half written', {
    timeout: 60_000,
  }, async () => {
    const whole = await train()
    const options = { checkpoint: { directory, every: { steps: 2 } }, resume: directory, sliceMilliseconds: 0.01 }
    for (let milliseconds = 0; milliseconds < 40; milliseconds += 5) {
      const abort = new AbortController()
      const training = train({
        ...options,
        signal: abort.signal,
        callbacks: { onStepEnd: () => new Promise(setImmediate) },
      })
      setTimeout(() => abort.abort('stop'), milliseconds)
      await training.catch((reason) => expect(reason).toBe('stop'))
      expect(readdirSync(directory).every((name) => name.startsWith('step-'))).toBe(true)
    }
    expect(await train(options)).toEqual(whole)
  })

  test('targets that are NaN end it, and do not become a checkpoint', async () => {
    const w = g.variable([[0]], { name: 'w' })
    const model = { forward: (x: g.Tensor) => x.matmul(w), parameters: () => [w] }
    const data = g.data.fromTensors(g.ones([6, 1]), g.tensor([1, 1, 1, 1, Number.NaN, 1], { shape: [6, 1] }))
    const optimizer = g.optim.sgd({ learningRate: 0.1 })
    const failure = g.fit(model, data, {
      ...{ batchSize: 1, shuffle: false, loss: 'mse', optimizer },
      checkpoint: { directory, every: { steps: 1 } },
    })
    await expect(failure).rejects.toThrow('fit: loss is NaN at epoch 1, step 5')
    for (const name of readdirSync(directory)) {
      const { model } = await readCheckpoint('test', join(directory, name))
      expect(Number.isFinite((model as g.StateDict)[0]!.itemSync())).toBe(true)
    }
  })
})
