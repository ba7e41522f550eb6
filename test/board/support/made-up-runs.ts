/** Runs that nobody trained: records of every type, the same for the same seed. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { eventsFile, lineOf } from '../../../lib/events/json-lines.ts'
import type {
  ExampleValue,
  GraphNodeValue,
  HistogramValue,
  ImageValue,
  PrCurveValue,
  RunRecord,
} from '../../../lib/events/record.ts'

export type Random = () => number

/** Mulberry32: from 0 to 1. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

export const clothes = ['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Boot']

/** A gray picture of something: rings around a place. */
export function madeUpImage(random: Random, size = 28): ImageValue {
  const png = new PNG({ width: size, height: size })
  const [x, y, width] = [random() * size, random() * size, 2 + random() * 6]
  for (let i = 0; i < size * size; i++) {
    const distance = Math.hypot((i % size) - x, Math.floor(i / size) - y)
    const gray = Math.round(127 + 127 * Math.cos(distance / width))
    png.data.set([gray, gray, gray, 255], 4 * i)
  }
  return { width: size, height: size, channels: 1, png: PNG.sync.write(png, { colorType: 0 }).toString('base64') }
}

export function madeUpHistogram(random: Random, mean: number, spread: number): HistogramValue {
  const values = Array.from({ length: 400 }, () => mean + spread * normal(random))
  const [minimum, maximum] = [Math.min(...values), Math.max(...values)]
  const edges = Array.from({ length: 31 }, (_, i) => minimum + ((maximum - minimum) * i) / 30)
  const counts = new Array<number>(30).fill(0)
  for (const value of values) counts[Math.min(29, Math.floor((30 * (value - minimum)) / (maximum - minimum)))]!++
  const sum = values.reduce((a, b) => a + b, 0)
  const sumOfSquares = values.reduce((a, b) => a + b * b, 0)
  return { edges, counts, minimum, maximum, sum, sumOfSquares, notFinite: 0 }
}

/** A perceptron's forward pass with `layers` linear layers. */
export function madeUpGraph(layers: number): GraphNodeValue[] {
  const node = (name: string, op: string, inputs: string[], shape: number[], dtype = 'float32') => ({
    ...{ name, op, inputs, dtype, shape },
  })
  const nodes = [node('input', 'input', [], [64, 784])]
  let below = 'input'
  for (let i = 0; i < layers; i++) {
    const path = `layers.${i}`
    const [inputs, outputs] = [i === 0 ? 784 : 128, i === layers - 1 ? 10 : 128]
    nodes.push(node(`${path}/weight`, 'parameter', [], [outputs, inputs]))
    nodes.push(node(`${path}/bias`, 'parameter', [], [outputs]))
    nodes.push(node(`${path}/transpose`, 'transpose', [`${path}/weight`], [inputs, outputs]))
    nodes.push(node(`${path}/matmul`, 'matmul', [below, `${path}/transpose`], [64, outputs]))
    nodes.push(node(`${path}/add`, 'add', [`${path}/matmul`, `${path}/bias`], [64, outputs]))
    below = `${path}/add`
    if (i === layers - 1) continue
    nodes.push(node(`relu_${i}`, 'relu', [below], [64, outputs]))
    below = `relu_${i}`
  }
  nodes.push(node('output', 'output', [below], [64, 10]))
  return nodes
}

const instructions = [
  ['matmul', '%5: float32[64,128] @0 = matmul %0 %1 + %2, relu', 470_000, 12_845_056, 310, 225],
  ['matmul', '%6: float32[64,10] @64 = matmul %5 %3 + %4', 40_000, 163_840, 12, 4],
  [
    'softmaxCrossEntropy',
    '%7: float32[64] @128 = softmaxCrossEntropy %6 %8 { rows: 64, columns: 10 }',
    5400,
    6400,
    9,
    0.5,
  ],
  ['matmul', '%12: float32[784,128] @512 = matmul %0ᵀ %11', 634_000, 12_845_056, 355, 230],
  ['elementwise', '%14: float32[784,128] @0 = adam %12 %13', 1_600_000, 1_003_520, 150, 96],
  ['sumRows', '%15: float32[128] @64 = sum %11 { axis: 0 }', 33_000, 8192, 3.2, 1.7],
] as const

/** What one may ask of a run that is made up. */
export interface MadeUp {
  readonly name: string
  readonly seed?: number
  readonly epochs?: number
  readonly stepsPerEpoch?: number
  /** When it began. */
  readonly time?: number
  readonly ended?: boolean
  readonly controls?: boolean
  /** Nothing but scalars. */
  readonly scalarsOnly?: boolean
}

export const firstTime = Date.UTC(2026, 5, 1, 9, 30)

/** The records of step `step` that every run has. */
export function madeUpScalars({ seed = 1, stepsPerEpoch = 50, time = firstTime }: MadeUp, step: number): RunRecord {
  const random = randomOf(seed * 1_000_003 + step)
  const speed = 0.4 + 0.25 * (seed % 5)
  const loss = 2.2 * Math.exp((-speed * step) / 150) + 0.25 + 0.1 * normal(random) * Math.exp(-step / 400)
  const values = {
    'loss/train': Math.max(0.01, loss),
    'accuracy/train': Math.min(1, 1 - 0.35 * Math.max(0.05, loss) + 0.02 * normal(random)),
    'loss/validation': Math.max(0.02, loss + 0.05 + 0.01 * normal(random)),
    'accuracy/validation': Math.min(1, 0.97 - 0.36 * Math.max(0.05, loss)),
    learningRate: 0.001 * (0.5 + 0.5 * Math.cos((Math.PI * step) / 1000)),
    gradientNorm: 1 + Math.exp(normal(random)),
    'speed/samplesPerSecond': 90_000 + 6000 * normal(random),
  }
  return { type: 'scalars', step, epoch: step / stepsPerEpoch, time: time + 120 * step, values }
}

export function madeUpRun(options: MadeUp): RunRecord[] {
  const { name, seed = 1, epochs = 6, stepsPerEpoch = 50, time = firstTime, ended = true, controls = false } = options
  const random = randomOf(seed)
  const records: RunRecord[] = [
    { type: 'run', name, epochs, parameters: 101_770, controls },
    {
      type: 'hyperparameters',
      values: {
        optimizer: 'adam',
        learningRate: [0.001, 0.003, 0.01][seed % 3]!,
        batchSize: 64 * (1 + (seed % 2)),
        shuffle: true,
        seed,
      },
    },
  ]
  for (let step = 1; step <= epochs * stepsPerEpoch; step++) {
    records.push(madeUpScalars(options, step))
    if (step % stepsPerEpoch !== 0 || options.scalarsOnly === true) continue
    const place = { step, epoch: step / stepsPerEpoch, time: time + 120 * step }
    for (const [i, tag] of [
      'weights/layers.0.weight',
      'weights/layers.1.weight',
      'gradients/layers.0.weight',
    ].entries())
      records.push({
        type: 'histogram',
        ...place,
        tag,
        value: madeUpHistogram(random, 0.02 * i * place.epoch, 0.3 + 0.05 * place.epoch),
      })
    records.push({
      type: 'system',
      ...place,
      rss: 2.1e8 + 4e6 * normal(random),
      eventLoopDelay: 1 + random(),
      processors: 1.7 + 0.2 * random(),
      threads: 2,
    })
    records.push({ type: 'prCurve', ...place, tag: 'boots', value: madeUpPrCurve(place.epoch) })
    records.push({ type: 'confusion', ...place, labels: clothes, counts: madeUpCounts(random, place.epoch) })
    records.push({
      type: 'text',
      ...place,
      tag: 'samples',
      text: `After ${place.epoch} epochs:\n  once upon a time, there was a step.`,
    })
    records.push({
      type: 'images',
      ...place,
      tag: 'filters',
      images: Array.from({ length: 8 }, () => madeUpImage(random, 12)),
    })
    records.push({
      type: 'examples',
      ...place,
      labels: clothes,
      examples: Array.from({ length: 12 }, (_, i) => madeUpExample(random, i)),
    })
  }
  if (options.scalarsOnly !== true) {
    records.push({ type: 'graph', nodes: madeUpGraph(3) })
    const listed = instructions.map(([opcode, text, bytes, flops, microseconds, limitMicroseconds]) => ({
      opcode,
      text,
      bytes,
      flops,
      microseconds,
      limitMicroseconds,
    }))
    records.push({
      type: 'program',
      title: 'training step',
      instructions: listed,
      gigaflops: 57,
      gigabytesPerSecond: 16.5,
    })
  }
  if (ended) records.push({ type: 'end', time: time + 120 * epochs * stepsPerEpoch + 500, state: 'ended' })
  return records
}

function madeUpPrCurve(epoch: number): PrCurveValue {
  const thresholds = Array.from({ length: 21 }, (_, i) => i / 20)
  const truePositives = thresholds.map((t) => Math.round(100 * (1 - t ** (2 + epoch))))
  const falsePositives = thresholds.map((t) => Math.round((900 * (1 - t) ** 4) / epoch))
  const precision = thresholds.map((_, i) =>
    truePositives[i] === 0 ? 1 : truePositives[i]! / (truePositives[i]! + falsePositives[i]!),
  )
  return {
    ...{ thresholds, truePositives, falsePositives, precision },
    trueNegatives: falsePositives.map((count) => 900 - count),
    falseNegatives: truePositives.map((count) => 100 - count),
    recall: truePositives.map((count) => count / 100),
  }
}

const madeUpCounts = (random: Random, epoch: number) =>
  clothes.map((_, i) =>
    clothes.map((_, j) => (i === j ? 850 + Math.round(20 * epoch) : Math.round((random() * 90) / (1 + epoch / 2)))),
  )

function madeUpExample(random: Random, i: number): ExampleValue {
  const label = Math.floor(random() * 10)
  const predicted = (label + 1 + Math.floor(random() * 9)) % 10
  return {
    row: Math.floor(random() * 10_000),
    label,
    predicted,
    probability: 0.001 * (i + random()),
    image: madeUpImage(random),
  }
}

/** Appends records to the file of a run in a folder, as a training does. */
export function writeRecords(folder: string, run: string, records: readonly RunRecord[]): void {
  mkdirSync(join(folder, run), { recursive: true })
  appendFileSync(join(folder, run, eventsFile), records.map(lineOf).join(''))
}
