/** A record of every type, with all that it may have. */
import type { RunRecord } from '../../lib/events/record.ts'

const place = { step: 30, epoch: 1.5, time: 1_700_000_000_000 }

/** A picture of one gray pixel. */
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='

const image = { width: 1, height: 1, channels: 1, png: pixel } as const

export const records: readonly RunRecord[] = [
  { type: 'run', name: 'a run', epochs: 2, parameters: 12, controls: true, step: 3 },
  { type: 'hyperparameters', values: { learningRate: 0.1, optimizer: 'adam', shuffle: true } },
  { type: 'scalars', ...place, values: { 'loss/train': Number.NaN, x: -Infinity, y: Infinity, z: 1e-45, w: 0.1 } },
  {
    type: 'histogram',
    ...place,
    tag: 'weights/0.weight',
    value: { edges: [0, 0.5, 1], counts: [1, 2], minimum: 0, maximum: 1, sum: 2, sumOfSquares: 1.5, notFinite: 3 },
  },
  { type: 'images', ...place, tag: 'inputs', images: [image, { ...image, channels: 4 }] },
  { type: 'text', ...place, tag: 'summary', text: 'line\n"quoted" \u2028 ä 🐸' },
  {
    type: 'prCurve',
    ...place,
    tag: 'precision/validation',
    value: {
      thresholds: [0, 0.5],
      truePositives: [3, 2],
      falsePositives: [2, 1],
      trueNegatives: [0, 1],
      falseNegatives: [0, 1],
      precision: [0.6, 2 / 3],
      recall: [1, 2 / 3],
    },
  },
  {
    type: 'confusion',
    ...place,
    labels: ['cat', 'dog'],
    counts: [
      [5, 1],
      [0, 4],
    ],
  },
  {
    type: 'examples',
    ...place,
    labels: ['cat', 'dog'],
    examples: [
      { row: 7, label: 0, predicted: 1, probability: 0.01, image },
      { row: 8, label: 1, predicted: 0, probability: 0.1 },
    ],
  },
  {
    type: 'graph',
    nodes: [
      { name: 'input', op: 'input', inputs: [], dtype: 'float32', shape: [1, 2] },
      { name: '0/relu', op: 'relu', inputs: ['input'], dtype: 'float32', shape: [1, 2] },
    ],
  },
  {
    type: 'program',
    title: 'training step',
    instructions: [
      { opcode: 'matmul', text: '%2 = matmul %0 %1', bytes: 100, flops: 200, microseconds: 3, limitMicroseconds: 1 },
      { opcode: 'copy', text: '%3 = copy %2', bytes: 100, flops: 0 },
    ],
    gigaflops: 100,
    gigabytesPerSecond: 10,
  },
  { type: 'system', ...place, rss: 1e8, eventLoopDelay: 0.5, processors: 1.9, threads: 2 },
  { type: 'end', time: place.time, state: 'failed', message: 'loss is NaN' },
]
