/** Great parameters and long lists: what is recorded does not grow with them, and what they cost is bounded by data and results. */
import { describe, expect, it, test } from 'vitest'
import { nodeCount } from '../../lib/graph/node.ts'
import * as g from '../../lib/index.ts'
import { linesOf } from '../support/in-process.ts'

function recordedBy(f: () => unknown): number {
  const before = nodeCount()
  f()
  return nodeCount() - before
}

describe('the number of nodes that are recorded', () => {
  const line = g.ones([1, 1, 100])
  const image = g.ones([1, 1, 3, 100])
  const qs = (count: number) => Array.from({ length: count }, (_, i) => i / count)

  it.each<[string, (size: number) => unknown]>([
    ['outputs of an adaptive mean', (size) => g.adaptiveAvgPool1d(line, size + 1)],
    ['outputs of an adaptive maximum', (size) => g.adaptiveMaxPool1d(line, size + 1)],
    ['elements of a mean', (size) => g.avgPool1d(line, 64 * size, { padding: 32 * size, stride: 1 })],
    ['quantiles', (size) => g.quantile(line, qs(size))],
    ['elements of windows', (size) => g.slidingWindows(line, size)],
    ['elements of unfolded windows', (size) => g.unfold(image, [1, size])],
    ['elements of folded windows', (size) => g.fold(g.ones([1, size, 101 - size]), [1, 100], [1, size])],
    ['neighbouring channels', (size) => g.localResponseNorm(line, size)],
    ['planes that a window reaches', (size) => g.conv3d(g.ones([1, 1, 100, 1, 1]), g.ones([1, 1, size, 1, 1]))],
  ])('does not grow with the %s', (_, record) => {
    expect(recordedBy(() => record(95))).toBeLessThanOrEqual(recordedBy(() => record(40)))
  })
})

test('sums that windows share are of what the windows hold, and nothing else', () => {
  const x = new Float32Array(1500)
  x[700] = Infinity
  const means = g.avgPool1d(g.tensor(x, { shape: [1, 1, 1500] }), 1100, { padding: 550, stride: 1 }).dataSync()
  expect(means).toEqual(Float32Array.from({ length: 1501 }, (_, i) => (150 < i && i <= 1250 ? Infinity : 0)))
})

/** Each is to end, in a result or in an error that names the operation. */
const great: readonly (readonly [code: string, outcome: RegExp])[] = [
  ['g.maxPool1d(g.ones([1, 8, 8]), 2 ** 28, { padding: 2 ** 27, stride: 1 }).sum()', /^72$/],
  ['g.avgPool1d(g.ones([1, 8, 8]), 2 ** 28, { padding: 2 ** 27, stride: 1, countIncludePad: false }).sum()', /^72$/],
  ['g.avgPool2d(g.ones([1, 1, 8, 8]), 2 ** 14, { padding: 2 ** 13, stride: 1 }).sum()', /^0\.0000/],
  ['g.maxPool3d(g.ones([1, 1, 4, 4, 4]), 2 ** 9, { padding: 2 ** 8, stride: 1 }).sum()', /^125$/],
  ['g.adaptiveAvgPool1d(g.ones([1, 1, 7]), 2 ** 18).sum()', /^262144$/],
  ['g.adaptiveMaxPool1d(g.ones([1, 1, 7]), 2 ** 18).sum()', /^262144$/],
  ['g.adaptiveAvgPool2d(g.ones([1, 1, 7, 7]), 2 ** 30)', /^ShapeError: adaptiveAvgPool2d: /],
  ['g.conv2d(g.ones([1, 1, 8, 8]), g.ones([1, 1, 2, 2]), { dilation: 2 ** 14, padding: 2 ** 13 }).sum()', /^0$/],
  [
    'g.conv3d(g.ones([1, 1, 8, 8, 8]), g.ones([1, 1, 2, 1, 1]), { dilation: [2 ** 26, 1, 1], padding: [2 ** 25, 0, 0] }).sum()',
    /^0$/,
  ],
  ['g.unfold(g.ones([1, 1, 8, 8]), 1, { padding: 2 ** 14, stride: 2 ** 15 }).sum()', /^0$/],
  ['g.unfold(g.ones([1, 1, 1, 8]), [1, 2 ** 20], { padding: [0, 2 ** 20] })', /^ShapeError: unfold: /],
  ['g.slidingWindows(g.ones([2 ** 17]), 2 ** 16)', /^ShapeError: slidingWindows: /],
  ['g.slidingWindows(g.ones([2 ** 16]), 2 ** 16 - 1).sum()', /^131070$/],
  ['g.upsample(g.ones([1, 1, 2, 2]), { size: 2 ** 20 })', /^ShapeError: upsample: /],
  ['g.upsample(g.ones([0, 1, 1, 2]), { size: [1, 2 ** 31 - 1], mode: "bilinear" }).shape[3]', /^2147483647$/],
  ['g.affineGrid([[[1, 0, 0], [0, 1, 0]]], [1, 1, 2 ** 30, 2 ** 30])', /^ShapeError: affineGrid: /],
  ['g.affineGrid([[[1, 0, 0], [0, 1, 0]]], [1, 2 ** 31 - 1, 0, 2 ** 31 - 1]).size', /^0$/],
  ['g.localResponseNorm(g.ones([1, 4, 4, 4]), 2 ** 30 + 1).sum()', /^64$/],
  ['g.quantile(g.arange(101), Array.from({ length: 2 ** 16 }, () => 0.5)).mean()', /^50$/],
  ['g.stack(Array(2 ** 17).fill(g.ones([1]))).sum()', /^131072$/],
  ['g.concat(Array(2 ** 17).fill(g.ones([1]))).sum()', /^131072$/],
  ['g.tensorSplit(g.ones([4]), 2 ** 30)', /^RangeError: tensorSplit: /],
  ['g.split(g.ones([0]), 2 ** 30)', /^RangeError: split: /],
  ['g.unstack(g.broadcastTo(g.ones([1]), [2 ** 30]))', /^RangeError: unstack: /],
  ['g.repeat([1, 2], [2 ** 30, 2 ** 30])', /^ShapeError: repeat: /],
  ['g.oneHot([1, 2], 2 ** 40)', /^ShapeError: oneHot: /],
  ['g.histogram([1, 2], { bins: 2 ** 40 })', /^RangeError: histogram: /],
  ['g.diff(g.ones([5]), 2 ** 30).size', /^0$/],
  ['g.diff(g.ones([5]), 1e300).size', /^0$/],
  ['g.linspace(0, 1, 2 ** 40)', /^ShapeError: linspace: /],
  ['g.arange(0, 1, 1e-300)', /^ShapeError: arange: /],
  ['g.eye(2 ** 20)', /^ShapeError: eye: /],
]

test('great parameters end, and soon', { timeout: 150_000 }, async () => {
  const lines = await linesOf(`
    const g = await import(${JSON.stringify(new URL('../../lib/index.ts', import.meta.url))})
    for (const code of ${JSON.stringify(great.map(([code]) => code))}) {
      let outcome
      try {
        const x = new Function('g', 'return ' + code)(g)
        outcome = typeof x === 'number' ? x : x.itemSync()
      } catch (error) {
        outcome = error
      }
      console.log(code + ' → ' + outcome)
    }`)
  const outcomes = lines.map((line) => line.split(' → ')[1])
  great.forEach(([code, outcome], i) => {
    expect(outcomes[i], code).toMatch(outcome)
  })
})
