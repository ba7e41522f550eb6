/** The records of a run as event files, and back; and a training that is recorded so. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RunRecord, RunRecords } from '../../lib/events/record.ts'
import { encodePng } from '../../lib/files/png.ts'
import * as g from '../../lib/index.ts'
import { isEventFile, readEvents, recordsOf, tensorBoard, tensorBoardSink } from '../../lib/tensorboard/index.ts'
import { type Value, valuesIn } from './decoder.ts'

let root = ''
let folder = ''
let count = 0
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sink-'))
})
beforeEach(() => {
  folder = join(root, String(count++), 'first')
})
afterAll(() => rmSync(root, { recursive: true }))

const files = () => readdirSync(folder).filter(isEventFile).toSorted()
const values = (): Value[] => files().flatMap((name) => valuesIn(readFileSync(join(folder, name))))

async function read(): Promise<RunRecord[]> {
  const records: RunRecord[] = []
  for (const name of files())
    for await (const event of readEvents(join(folder, name))) records.push(...recordsOf(event))
  return records
}

const ofType = <T extends RunRecord['type']>(records: readonly RunRecord[], type: T) =>
  records.filter((record) => record.type === type) as unknown as RunRecords[T][]

const place = { step: 12, time: 1767225600250 }
const pixel = async (gray: number) => ({
  width: 2,
  height: 1,
  channels: 1 as const,
  png: (await encodePng(Uint8Array.of(gray, gray), { width: 2, height: 1, channels: 1 })).toString('base64'),
})
const histogram = {
  edges: [-1, 0, 1, 3],
  counts: [2, 0, 5],
  minimum: -1,
  maximum: 3,
  sum: 4,
  sumOfSquares: 9,
  notFinite: 0,
}
const list = [0, 1, 2]
const same: readonly RunRecord[] = [
  { type: 'hyperparameters', values: { rate: 0.5, optimizer: 'adam', nesterov: true } },
  { type: 'scalars', ...place, values: { 'loss/train': 0.25, accuracy: Number.NaN } },
  { type: 'histogram', ...place, tag: 'layers.0/weight', value: histogram },
  { type: 'images', ...place, tag: 'digits', images: [await pixel(7), await pixel(200)] },
  { type: 'text', ...place, tag: 'notes', text: '**ü** | <b>' },
  {
    type: 'prCurve',
    ...place,
    tag: 'pr',
    value: {
      thresholds: [0, 0.5, 1],
      truePositives: list,
      falsePositives: list,
      trueNegatives: list,
      falseNegatives: list,
      precision: list,
      recall: list,
    },
  },
  { type: 'end', time: 1767225601250, state: 'failed' },
]

test('what has a form of its own comes back as it was', async () => {
  const sink = tensorBoardSink(folder)
  for (const record of same) sink.write(record)
  await sink.close()
  expect(await read()).toEqual(same)
})

test('a graph has layers as scopes', async () => {
  const sink = tensorBoardSink(folder)
  const float = { dtype: 'float32' }
  const nodes = [
    { name: 'input', op: 'input', inputs: [], ...float, shape: [8, 4] },
    { name: 'layers.0/weight', op: 'parameter', inputs: [], ...float, shape: [4, 3] },
    { name: 'layers.0/matmul', op: 'matmul', inputs: ['input', 'layers.0/weight'], ...float, shape: [8, 3] },
  ]
  sink.write({ type: 'graph', nodes })
  await sink.close()
  expect(ofType(await read(), 'graph')[0]!.nodes).toEqual([
    { ...nodes[0], op: 'Placeholder' },
    { ...nodes[1], name: 'layers/0/weight', op: 'VariableV2' },
    { ...nodes[2], name: 'layers/0/matmul', inputs: ['input', 'layers/0/weight'] },
  ])
})

test('what has no form of its own is under a tag of its own', async () => {
  const sink = tensorBoardSink(folder)
  sink.write({ type: 'run', name: 'first|one', epochs: 3 })
  sink.write({ type: 'system', ...place, rss: 2 ** 30, eventLoopDelay: 1.5, processors: 0.5, threads: 2 })
  sink.write({
    type: 'confusion',
    ...place,
    labels: ['cat', 'dog'],
    counts: [
      [3, 1],
      [0, 0],
    ],
  })
  const example = { row: 5, label: 0, predicted: 1, probability: 0.125, image: await pixel(9) }
  sink.write({ type: 'examples', ...place, labels: ['cat', 'dog'], examples: [example] })
  const instruction = { opcode: 'matmul', text: '%1 = matmul', bytes: 10, flops: 20, microseconds: 1.25 }
  sink.write({ type: 'program', title: 'step', instructions: [instruction] })
  sink.write({ type: 'end', time: place.time, state: 'stopped', message: 'enough' })
  await sink.close()
  const records = await read()
  expect(Object.fromEntries(ofType(records, 'text').map(({ tag, text }) => [tag, text]))).toEqual({
    run: '|  |  |\n| --- | --- |\n| name | first\\|one |\n| epochs | 3 |',
    'confusion/table': '|  | cat | dog |\n| --- | --- | --- |\n| **cat** | 3 | 1 |\n| **dog** | 0 | 0 |',
    'examples/table':
      '| row | label | predicted | probability of the label |\n| --- | --- | --- | --- |\n| 5 | cat | dog | 12.5% |',
    'program/step':
      '**step**\n\n| instruction | bytes | FLOPs | µs | limit in µs |\n| --- | --- | --- | --- | --- |\n| `%1 = matmul` | 10 | 20 | 1.3 |  |',
    end: 'stopped: enough',
  })
  expect(ofType(records, 'scalars').map(({ step, values }) => [step, values])).toEqual([
    [12, { 'system/memory': 2 ** 30, 'system/eventLoopDelay': 1.5, 'system/processors': 0.5, 'system/threads': 2 }],
  ])
  const images = Object.fromEntries(ofType(records, 'images').map(({ tag, images }) => [tag, images[0]!]))
  expect(images['examples/images']).toEqual(example.image)
  const { data, width } = PNG.sync.read(Buffer.from(images['confusion/matrix']!.png, 'base64'))
  const cell = (i: number, j: number) => data[4 * (16 * i * width + 16 * j)]
  expect([width, cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)]).toEqual([32, 64, 191, 255, 255])
})

test('a sink that was closed begins another file, and one without records none', async () => {
  const sink = tensorBoardSink(folder)
  await sink.flush()
  await sink.close()
  for (let i = 0; i < 2; i++) {
    sink.write({ type: 'text', ...place, tag: 't', text: 'x' })
    await sink.close()
  }
  expect(files()).toHaveLength(2)
})

test('a training', async () => {
  const x = g.randn([64, 4])
  const data = g.data.fromTensors(x, x.sum(1).greater(0).cast('int32'))
  const model = g.nn.sequential(g.nn.linear(4, 8), g.nn.relu(), g.nn.linear(8, 2))
  const options = { epochs: 3, batchSize: 16, loss: 'crossEntropy', metrics: ['accuracy'] } as const
  const history = await g.fit(model, data, {
    ...options,
    optimizer: g.optim.adam({ learningRate: 0.01 }),
    validation: data,
    callbacks: tensorBoard(folder, { hyperparameters: { width: 8 }, every: 'epoch' }),
  })
  const records = await read()
  expect(ofType(records, 'text').find(({ tag }) => tag === 'run')?.text).toContain('| name | first |')
  expect(ofType(records, 'hyperparameters')[0]!.values).toMatchObject({ width: 8, learningRate: 0.01, batchSize: 16 })
  expect(ofType(records, 'end')).toMatchObject([{ state: 'ended' }])
  const scalar = (name: string) =>
    values().flatMap(({ tag, step, fields }) => (tag === name ? [[step, fields.get(2)?.[0]]] : []))
  expect(scalar('loss/train')).toEqual(history.epochs.map(({ loss }, i) => [4 * (i + 1), Math.fround(loss)]))
  expect(scalar('accuracy/validation')).toEqual(
    history.epochs.map(({ validation }, i) => [4 * (i + 1), Math.fround(validation!.accuracy as number)]),
  )
})

test('options', () => {
  expect(() => tensorBoard(folder, { flushSeconds: -1 })).toThrow(/expected flushSeconds from 0 to 86400, got -1/)
  expect(() => tensorBoard(folder, { folder: 'x' } as object)).toThrow('tensorBoard: unknown option folder')
  expect(() => tensorBoard('')).toThrow('tensorBoard: expected a path, got ""')
})
