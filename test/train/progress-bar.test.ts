/** The progress bar on a terminal that is made up, and its lines elsewhere. */
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as g from '../../lib/index.ts'
import { linesOf } from '../support/in-process.ts'
import { classifier, clouds, options } from '../support/training.ts'

beforeEach(() => {
  g.setSeed(1)
  vi.stubEnv('NO_COLOR', '')
  vi.stubEnv('TERM', 'xterm')
})
afterEach(() => vi.unstubAllEnvs())

/** A stream that keeps what was written, as a terminal of so many columns or as a file. */
function recorder(columns?: number) {
  let written = ''
  return {
    stream: { isTTY: columns !== undefined, columns, write: (text: string) => (written += text) } as never,
    written: () => written,
    /** The lines of the terminal as they were drawn one after the other, without colours. */
    drawn: () =>
      written
        .split(/\r|\n/)
        .map((text) => stripVTControlCharacters(text))
        .filter((text) => text !== ''),
  }
}

type Told = Partial<g.BatchInfo & g.EpochInfo>

/** A bar that is told by hand. */
async function told(columns?: number) {
  const { stream, ...rest } = recorder(columns)
  const bar = g.callbacks.progressBar({ stream }) as Record<string, (info: object) => unknown>
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  await bar.onTrainBegin!({ epochs: 2, epoch: 0 })
  bar.onEpochBegin!({ epoch: 0 })
  const batch = (step: number, more: Told = {}, seconds = 1) => {
    vi.advanceTimersByTime(1000 * seconds)
    bar.onBatchEnd!({ epoch: 0, step, steps: 100, samples: 32 * step, loss: 1 / step, ...more })
  }
  return { ...rest, bar, batch }
}
afterEach(() => void vi.useRealTimers())

describe('without a terminal', () => {
  test('is a line for each epoch', async () => {
    const { stream, written } = recorder()
    await g.fit(classifier(), clouds(30, 1), {
      ...options({ epochs: 2, metrics: ['accuracy'], validation: clouds(9, 2) }),
      callbacks: g.callbacks.progressBar({ stream }),
    })
    const line = (epoch: number) =>
      `epoch ${epoch}/2: loss [\\d.]+, accuracy [\\d.]+, validation.loss [\\d.]+, validation.accuracy [\\d.]+ in \\d+\\.\\d s, [\\d.]+K? samples/s\\n`
    expect(written()).toMatch(new RegExp(`^${line(1)}${line(2)}$`))
  })

  test('is a line every 30 s within a long one', async () => {
    const { batch, written, bar } = await told()
    for (let step = 1; step <= 70; step++) batch(step)
    bar.onEpochEnd!({ epoch: 0, loss: 0.5, seconds: 70 })
    bar.onTrainClose!({})
    expect(written()).toBe(
      `${[
        'epoch 1/2, 30/100, loss 0.03333, 32.0 samples/s, 1:10 left',
        'epoch 1/2, 60/100, loss 0.01667, 32.0 samples/s, 0:40 left',
        'epoch 1/2: loss 0.5000 in 70.0 s, 32.0 samples/s',
      ].join('\n')}\n`,
    )
  })

  test('counts steps where nobody knows of how many', async () => {
    const { batch, written } = await told()
    for (const step of [1, 2]) batch(step, { steps: Infinity }, 31)
    expect(written()).toBe('epoch 1/2, step 1, loss 1.000\nepoch 1/2, step 2, loss 0.5000, 1.03 samples/s\n')
  })
})

describe('on a terminal', () => {
  test('is a bar for each epoch, which reaches its end', async () => {
    const { stream, written } = recorder(120)
    await g.fit(classifier(), clouds(30, 1), {
      ...options({ epochs: 2, batchSize: 10 }),
      callbacks: g.callbacks.progressBar({ stream }),
    })
    const text = stripVTControlCharacters(written())
    expect(text).toMatch(/epoch 1\/2 ━{20} 3\/3 loss [\d.]+ .*in [\d.]+ s\n[\s\S]*epoch 2\/2 ━{20} 3\/3 loss .*\n$/)
  })

  test('has the loss, metrics, a line of losses, the speed and the time that is left', async () => {
    const { batch, drawn, bar } = await told(120)
    for (const [step, loss] of [9, 5, 3, 2, 1.5, 1.2, 1, 0.9].entries()) batch(step + 1, { loss, accuracy: 0.75 })
    expect(drawn().at(-1)).toBe(
      'epoch 1/2 ━━────────────────── 8/100 loss 0.9000 accuracy 0.7500 ▇▄▃▂▁▁▁▁ 32.0 samples/s 1:32 left',
    )
    bar.onEpochEnd!({ epoch: 0, loss: 0.5, seconds: 3725, validation: { loss: 0.25 } })
    expect(drawn().at(-1)).toBe(
      'epoch 1/2 ━━────────────────── 8/100 loss 0.5000 validation.loss 0.2500 ▇▄▃▂▁▁▁▁ 0.0687 samples/s in 3725.0 s',
    )
  })

  test.each([
    [110, 'epoch 1/2 ━━━━━━━━━━━━━━━━━━━━ 100/100 loss 0.01000 accuracy 0.7500 ▇▂▂▁▁▁▁▁ 32.0 samples/s 0:00 left'],
    [90, 'epoch 1/2 ━━━━━━━━━━━━━━━━━━━━ 100/100 loss 0.01000 accuracy 0.7500 ▇▂▂▁▁▁▁▁ 0:00 left'],
    [70, 'epoch 1/2 ━━━━━━━━━━━━━━━━━━━━ 100/100 loss 0.01000 0:00 left'],
    [40, 'epoch 1/2 100/100 loss 0.01000'],
    [20, 'epoch 1/2'],
    [8, 'epoch …'],
  ])('leaves out what does not fit into %d columns', async (columns, line) => {
    const { batch, drawn } = await told(columns)
    for (let step = 1; step <= 100; step++) batch(step, { accuracy: 0.75 })
    expect(drawn().at(-1)).toBe(line)
    for (const each of drawn()) expect(each.length).toBeLessThan(columns)
  })

  test('says what an epoch came to before it shows a bar of it', async () => {
    const { batch, drawn, bar } = await told(75)
    batch(100)
    bar.onEpochEnd!({ epoch: 0, loss: 0.5, seconds: 2, validation: { loss: 0.25 } })
    expect(drawn().at(-1)).toBe('epoch 1/2 100/100 loss 0.5000 validation.loss 0.2500 in 2.0 s')
  })

  test('has no bar of a stream without end, and no time', async () => {
    const { batch, drawn } = await told(120)
    for (const step of [1, 2, 3]) batch(step, { steps: Infinity })
    expect(drawn().at(-1)).toBe('epoch 1/2 step 3 loss 0.3333 ▇▃▁ 32.0 samples/s')
  })

  test('has colours unless NO_COLOR is set', async () => {
    const first = await told(80)
    expect(first.written()).toContain('\x1b[1mepoch 1/2\x1b[0m')
    vi.stubEnv('NO_COLOR', '1')
    const second = await told(80)
    second.batch(1)
    expect(stripVTControlCharacters(second.written())).toBe(second.written().replaceAll('\x1b[K', ''))
  })

  test('shows control characters in names as what they are, and counts wide ones as two columns', async () => {
    const { batch, written, drawn } = await told(30)
    batch(1, { steps: Infinity, loss: undefined, 'a\x1b[2J\n': 1 } as Told)
    expect(written()).not.toContain('\x1b[2J')
    batch(2, { steps: Infinity, loss: undefined, 損失損失損失損失: 1 } as Told)
    expect(drawn().at(-1)).toBe('epoch 1/2')
  })

  test('leaves the terminal as it was, and the next line free', async () => {
    const { batch, written, bar } = await told(80)
    batch(1)
    bar.onTrainClose!({ error: new Error('of training') })
    expect(written()).toMatch(/\n$/)
    // No place of the cursor, no mode of the terminal.
    for (const sequence of ['\x1b7', '\x1b8', '\x1b[?']) expect(written()).not.toContain(sequence)
  })
})

test('a process whose training has failed ends', { timeout: 150_000 }, async () => {
  const lines = await linesOf(`
    import * as g from '${new URL('../../lib/index.ts', import.meta.url)}'
    const stream = { isTTY: true, columns: 80, write() {} }
    const dataset = g.data.fromTensors([[1, 2], [3, 4e30]], [[1], [2]])
    const options = { epochs: 3, batchSize: 1, loss: 'mse', optimizer: g.optim.sgd({ learningRate: 1e9 }) }
    g.fit(g.nn.linear(2, 1), dataset, { ...options, callbacks: g.callbacks.progressBar({ stream }) })
      .catch((error) => console.log(error.message))`)
  expect(lines).toEqual([expect.stringMatching(/^fit: loss is/)])
})

test('refuses what is no stream', () =>
  expect(() => g.callbacks.progressBar({ stream: 1 } as never)).toThrow(
    'progressBar: expected a stream to write to, got 1',
  ))
