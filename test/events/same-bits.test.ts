/** A training that is recorded with all there is ends with the bits of one that is not, also where it is resumed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ObserveOptions, observe } from '../../lib/events/observe.ts'
import * as g from '../../lib/index.ts'
import { KeptRecords } from '../support/kept-records.ts'

const everything: ObserveOptions = {
  ...{ histograms: 'epoch', images: 4, confusion: true, examples: 3, graph: true, program: true, text: 'summary' },
}

/** With all that could go astray: dropout, running statistics, augmentation, a scaled loss, a schedule, clipping. */
function setUp() {
  g.setSeed(5)
  const model = g.nn.sequential(
    g.nn.conv2d(1, 4, 3),
    g.nn.batchNorm2d(4),
    g.nn.relu(),
    g.nn.flatten(),
    g.nn.dropout(0.3),
    g.nn.linear(144, 3),
  )
  const labels = g.tensor(Int32Array.from({ length: 110 }, (_, i) => i % 3))
  const dataset = g.data
    .fromTensors(g.randn([110, 1, 8, 8], { seed: 1 }), labels)
    .map((x, y) => [x.add(g.randn(x.shape, { std: 0.01 })), y])
  const learningRate = g.schedules.exponential({ start: 0.01, gamma: 0.99 })
  const optimizer = g.optim.lossScale(g.optim.adam({ learningRate }))
  return { model, dataset, optimizer }
}

async function train(more: Partial<g.FitOptions>, observed: ObserveOptions | null) {
  const { model, dataset, optimizer } = setUp()
  const sink = new KeptRecords()
  const { epochs } = await g.fit(model, dataset, {
    ...{ epochs: 4, batchSize: 16, loss: 'crossEntropy', metrics: ['accuracy'], optimizer, clipNorm: 1, seed: 3 },
    ...{ validationSplit: 0.2, callbacks: observed === null ? [] : observe(sink, observed), ...more },
  })
  const state = { ...model.stateDict(), ...optimizer.stateDict(model) }
  const values = Object.fromEntries(Object.entries(state).map(([name, x]) => [name, Array.from(x.dataSync())]))
  return { values, epochs: epochs.map((info) => ({ ...info, seconds: 0 })), next: g.randn([2]).arraySync(), sink }
}

describe('the bits of a training', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'galvani-observed-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test.each(['epoch', 'batch', 'step'] as const)('are the same with everything recorded, every %s', async (every) => {
    const { sink, ...found } = await train({}, { ...everything, every })
    const { sink: _, ...plain } = await train({}, null)
    expect(found).toEqual(plain)
    const types = ['run', 'hyperparameters', 'scalars', 'histogram', 'images', 'text', 'confusion', 'examples']
    const rest = ['graph', 'program', 'system', 'end']
    expect(new Set(sink.records.map(({ type }) => type))).toEqual(new Set([...types, ...rest]))
  })

  test('are the same where it is resumed in the midst of an epoch, whose mean is recorded whole', async () => {
    const { sink: _, ...plain } = await train({}, null)
    const checkpoint = { directory: folder, every: { steps: 2 } }
    const pause: g.Callbacks = { onStepEnd: ({ epoch, step }, context) => epoch === 1 && step === 2 && context.pause() }
    await train({ checkpoint, sliceMilliseconds: 0.01, callbacks: pause }, null)
    const { sink, ...found } = await train({ checkpoint, resume: folder }, { ...everything, every: 'epoch' })
    expect(sink.of('run')[0]!.step! % 6).not.toBe(0)
    expect(found.values).toEqual(plain.values)
    expect(sink.valuesOf('loss/train')).toEqual(plain.epochs.slice(1).map(({ loss }) => loss))
  })

  test('are the same where it is resumed, recorded or not before', async () => {
    const { sink: _, ...plain } = await train({}, null)
    const checkpoint = { directory: folder, every: { epochs: 1 } }
    await train({ epochs: 2, checkpoint }, null)
    const { sink: first, ...resumed } = await train({ epochs: 3, checkpoint, resume: folder }, everything)
    expect(resumed.values).not.toEqual(plain.values)
    expect(first.of('run')[0]!.step).toBe(12)
    expect(first.of('scalars').at(-1)!.step).toBe(18)
    const { sink: second, ...found } = await train({ checkpoint, resume: folder }, everything)
    expect(second.of('run')[0]!.step).toBe(18)
    expect(found.values).toEqual(plain.values)
    expect(found.epochs).toEqual(plain.epochs)
    expect(second.valuesOf('loss/train').every(Number.isFinite)).toBe(true)
    await expect(train({ epochs: 5, checkpoint, resume: folder }, null)).resolves.toBeDefined()
  })
})
