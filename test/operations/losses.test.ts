/** Edges of the losses: options, certain predictions, tails, and mistakes. PyTorch's numbers are in fixtures/losses.test.ts. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const int32 = (values: number[] | number[][]): g.Tensor => g.tensor(values, { dtype: 'int32' })

const logits = g.tensor([
  [1, 2, 3],
  [3, 1, -2],
])
const labels = int32([2, 0])

describe('classes', () => {
  test('options at their defaults change nothing', () => {
    const plain = g.losses.crossEntropy(logits, labels)
    const same = g.losses.crossEntropy(logits, labels, { labelSmoothing: 0 })
    expect(same.graph()).toBe(plain.graph())
    expectClose(g.losses.crossEntropy(logits, labels, { classWeights: [1, 1, 1], ignoreIndex: -1 }), plain.itemSync())
    expectClose(g.losses.negativeLogLikelihood(logits.logSoftmax(), labels), plain.itemSync())
    expectClose(g.losses.focal(logits, labels, { gamma: 0 }), plain.itemSync())
  })

  test('integer labels and one-hot rows say the same', () => {
    const rows = labels.oneHot(3)
    for (const options of [{ labelSmoothing: 0.2 }, { labelSmoothing: 0.2, classWeights: [0.5, 2, 1] }])
      expectClose(
        g.losses.crossEntropy(logits, rows, { ...options, reduction: 'none' }),
        g.losses.crossEntropy(logits, labels, { ...options, reduction: 'none' }).dataSync(),
      )
    expectClose(g.losses.focal(logits, rows), g.losses.focal(logits, labels).itemSync())
  })

  test.each([
    ['crossEntropy', g.losses.crossEntropy],
    ['negativeLogLikelihood', g.losses.negativeLogLikelihood],
    ['focal', g.losses.focal],
  ] as const)('%s: an ignored row has no loss and no gradient', (_, loss) => {
    for (const [ignoreIndex, dtype] of [[-100, 'int32'] as const, [255, 'uint8'] as const]) {
      const x = g.variable(logits)
      const y = g.tensor([ignoreIndex, 0], { dtype })
      const losses = loss(x, y, { ignoreIndex, reduction: 'none' })
      expect(losses.dataSync()[0]).toBe(0)
      const mean = loss(x, y, { ignoreIndex })
      expectClose(mean, losses.dataSync()[1]!)
      const [gradient] = g.gradients(mean, [x])
      expect(Array.from(gradient!.dataSync().slice(0, 3), Math.abs)).toEqual([0, 0, 0])
      expect(gradient!.dataSync()[3]).not.toBe(0)
    }
  })

  test('rows of probabilities have no ignoreIndex', () => {
    for (const loss of [g.losses.crossEntropy, g.losses.focal])
      expect(() => loss(logits, logits.softmax(), { ignoreIndex: -100 })).toThrow(
        'expected labels that are classes with an ignoreIndex, got Tensor float32[2, 3]',
      )
  })

  const wrong = [
    ['crossEntropy smoothed', (y: g.Tensor) => g.losses.crossEntropy(logits, y, { labelSmoothing: 0.1 })],
    ['crossEntropy weighted', (y: g.Tensor) => g.losses.crossEntropy(logits, y, { classWeights: [1, 2, 3] })],
    ['crossEntropy ignoring', (y: g.Tensor) => g.losses.crossEntropy(logits, y, { ignoreIndex: -100 })],
    ['negativeLogLikelihood', (y: g.Tensor) => g.losses.negativeLogLikelihood(logits, y)],
    ['focal', (y: g.Tensor) => g.losses.focal(logits, y)],
    ['multiMargin', (y: g.Tensor) => g.losses.multiMargin(logits, y)],
  ] as const

  test.each(wrong)('%s: a class that does not exist is a RangeError', (_, loss) => {
    for (const label of [3, -1])
      expect(() => loss(int32([0, label])).itemSync()).toThrow(
        new RegExp(`expected (labels|indices) in \\[0, 3\\), got ${label} at (row|position) 1`),
      )
  })

  test('labels and weights that do not fit', () => {
    expect(() => g.losses.negativeLogLikelihood(logits, int32([1]))).toThrow(
      new g.ShapeError('negativeLogLikelihood: expected classes of shape [2], got [1]'),
    )
    expect(() => g.losses.multiMargin(logits, g.tensor([0, Number.NaN]))).toThrow(
      new g.DTypeError('multiMargin: expected classes as int32 or uint8, got Tensor float32[2]'),
    )
    expect(() => g.losses.negativeLogLikelihood(1, int32([1]))).toThrow(
      'expected an input of shape […, classes], got []',
    )
    expect(() => g.losses.crossEntropy(logits, labels, { classWeights: [1, 2] })).toThrow(
      new g.ShapeError('crossEntropy: expected classWeights of shape [3], got [2]'),
    )
    expect(() => g.losses.crossEntropy(logits, labels, { labelSmoothing: 1.5 })).toThrow(
      new RangeError('crossEntropy: expected a labelSmoothing from 0 to 1, got 1.5'),
    )
    expect(() => g.losses.crossEntropy(logits, labels, { ignoreIndex: 0.5 })).toThrow(
      'crossEntropy: expected an integer as ignoreIndex, got 0.5',
    )
    expect(() => g.losses.focal(logits, labels, { gamma: -1 })).toThrow('expected a finite gamma of at least 0, got -1')
    expect(() => g.losses.multiMargin(logits, labels, { power: 3 as 2 })).toThrow('expected power 1 or 2, got 3')
  })

  test('no options: one instruction gives losses and gradients', () => {
    const step = (w: g.Tensor) => g.gradients(g.losses.crossEntropy(logits.matmul(w), labels), [w])[0]!
    const opcodes = (f: typeof step) => g.inspect(f, g.ones([3, 3])).instructions.map(({ opcode }) => opcode)
    expect(opcodes(step).filter((opcode) => /softmax|gather/i.test(opcode))).toEqual(['softmaxCrossEntropy'])
    const smoothed = (w: g.Tensor) =>
      g.gradients(g.losses.crossEntropy(logits.matmul(w), labels, { labelSmoothing: 0.1 }), [w])[0]!
    expect(opcodes(smoothed).filter((opcode) => /softmax/i.test(opcode))).toEqual(['softmaxCrossEntropy'])
  })
})

describe('binary', () => {
  test('probabilities give what their logits give', () => {
    const x = g.tensor([-2, 0.5, 3])
    const z = g.tensor([0.25, 1, 0])
    const options = { positiveWeights: 3, labelSmoothing: 0.1, weights: [1, 2, 0.5] }
    expectClose(
      g.losses.binaryCrossEntropy(x.sigmoid(), z, { ...options, fromLogits: false }),
      g.losses.binaryCrossEntropy(x, z, options).itemSync(),
      1e-5,
    )
  })

  test('of certain probabilities logarithms are at least −100 and slopes at most 10¹²', () => {
    const p = g.variable([0, 1, 0, 1])
    const losses = g.losses.binaryCrossEntropy(p, [1, 0, 0, 1], { fromLogits: false, reduction: 'none' })
    expect(Array.from(losses.dataSync(), Math.abs)).toEqual([100, 100, 0, 0])
    expectClose(g.gradients(losses.sum(), [p])[0]!, [-1e12, 1e12, 1, -1])
  })

  test('weights do not make a loss grow', () => {
    expect(() => g.losses.binaryCrossEntropy([1, 2], [0, 1], { weights: [[1], [2]] })).toThrow(
      new g.ShapeError('binaryCrossEntropy: expected weights that broadcast to [2], got [2, 1]'),
    )
    expect(() => g.losses.binaryCrossEntropy([1, 2], [0, 1], { positiveWeights: [1, 2, 3] })).toThrow(
      'binaryCrossEntropy: positiveWeights: shapes [3] and [2] do not broadcast',
    )
  })

  test('binaryFocal without alpha and gamma is binaryCrossEntropy', () => {
    const [x, z] = [g.tensor([-2, 0.5, 3]), g.tensor([1, 0, 1])]
    expectClose(g.losses.binaryFocal(x, z, { alpha: null, gamma: 0 }), g.losses.binaryCrossEntropy(x, z).itemSync())
  })

  test('multiLabelMargin takes bools as well as numbers', () => {
    const z = g.tensor([
      [1, 0, 1],
      [0, 1, 0],
    ])
    const expected = g.losses.multiLabelMargin(logits, z).itemSync()
    for (const dtype of ['bool', 'uint8', 'int32'] as const)
      expectClose(g.losses.multiLabelMargin(logits, z.cast(dtype)), expected)
  })
})

describe('numbers', () => {
  test.each([1e-4, -1e-4, 0.5, -0.999, 1.001, 30, -1e4])('logCosh(%d) is as exact as float32', (error) => {
    const x = g.variable([error])
    const exact =
      Math.abs(error) < 1e-3 ? error ** 2 / 2 : Math.abs(error) - Math.LN2 + Math.log1p(Math.exp(-2 * Math.abs(error)))
    const loss = g.losses.logCosh(x, [0])
    expect(Math.abs(loss.itemSync() - exact) / exact).toBeLessThan(4e-7)
    expectClose(g.gradients(loss, [x])[0]!, Math.tanh(error))
  })

  test('huber and smoothL1 have curvature 1 where there is no error', () => {
    for (const loss of [g.losses.huber, g.losses.smoothL1])
      expect(
        g
          .grad(g.grad((x: g.Tensor) => loss(x, 0)))(g.tensor(0))
          .itemSync(),
      ).toBe(1)
  })

  test('options that are no numbers of their kind', () => {
    expect(() => g.losses.huber([1], [1], { delta: 0 })).toThrow('huber: expected a finite delta above 0, got 0')
    expect(() => g.losses.smoothL1([1], [1], { beta: -1 })).toThrow('expected a finite beta of at least 0, got -1')
    expect(() => g.losses.tripletMargin([1], [1], [1], { power: '2' as unknown as number })).toThrow(TypeError)
    expect(() => g.losses.klDivergence(1, 1, { reduction: 'batchMean' })).toThrow('got a scalar')
  })
})

describe('vectors', () => {
  test('zeros have a direction, and vectors at the margin a slope', () => {
    const x = g.variable([
      [1, 0],
      [0, 0],
    ])
    const y = [
      [0, 2],
      [1, 0],
    ]
    const losses = g.losses.cosineEmbedding(x, y, [-1, 1], { reduction: 'none' })
    expectClose(losses, [0, 1])
    // PyTorch: the slope of the clamp at 0 is 1, and lengths are at least 1e-6.
    expectClose(g.gradients(losses.sum(), [x])[0]!, [0, 1, -1e6, 0])
  })

  test('shapes that differ', () => {
    expect(() => g.losses.tripletMargin(g.zeros([2, 3]), g.zeros([2, 3]), g.zeros([3]))).toThrow(
      new g.ShapeError('tripletMargin: expected vectors of shape [2, 3], got [3]'),
    )
    expect(() => g.losses.contrastive(g.zeros([2, 3]), g.zeros([2, 3]), g.zeros([2, 1]))).toThrow(
      new g.ShapeError('contrastive: expected targets of shape [2], got [2, 1]'),
    )
    expect(() => g.losses.cosineEmbedding(1, 1, 1)).toThrow('expected vectors of shape […, features], got []')
  })

  test('equal vectors have no distance and no slope', () => {
    const x = g.variable([[1, 2]])
    for (const power of [1, 2, 3]) {
      const loss = g.losses.tripletMargin(x, [[1, 2]], [[1, 2]], { power, epsilon: 0 })
      expect(loss.itemSync()).toBe(1)
      expect(g.gradients(loss, [x])[0]!.arraySync()).toEqual([[0, 0]])
    }
  })
})

describe('ctcLoss', () => {
  const uniform = g.full([4, 1, 3], -Math.log(3))
  const lossOf = (targets: number[][], times: number, length: number, options?: g.losses.CtcOptions) =>
    g.losses.ctcLoss(uniform, targets, [times], [length], { reduction: 'none', ...options }).itemSync()

  test('counts the paths', () => {
    // Of two steps: 11, 1-, -1. Of three: 121 alone. Of four for 1, 1: 1-11, 11-1, 1--1, 1-1-, -1-1.
    expect(lossOf([[1]], 2, 1)).toBeCloseTo(-Math.log(3 / 9), 5)
    expect(lossOf([[1, 2, 1]], 3, 3)).toBeCloseTo(-Math.log(1 / 27), 5)
    expect(lossOf([[1, 1]], 4, 2)).toBeCloseTo(-Math.log(5 / 81), 5)
    expect(lossOf([[]], 4, 0)).toBeCloseTo(-Math.log(1 / 81), 5)
    expect(lossOf([[0]], 2, 1, { blank: 2 })).toBeCloseTo(-Math.log(3 / 9), 5)
  })

  test('what stands behind a length does not count', () => {
    expect(lossOf([[1, -1, 77]], 2, 1)).toBe(lossOf([[1]], 2, 1))
    expect(lossOf([[]], 0, 0)).toBe(-0)
  })

  test('a target that its input is too short for: an infinite loss, or 0, and no gradient', () => {
    expect(lossOf([[1, 1]], 2, 2)).toBe(Infinity)
    expect(lossOf([[1]], 0, 1)).toBe(Infinity)
    expect(lossOf([[1, 1]], 2, 2, { zeroInfinity: true })).toBe(0)
    for (const zeroInfinity of [false, true]) {
      const x = g.variable(uniform)
      const [gradient] = g.gradients(g.losses.ctcLoss(x, [[1, 1]], [2], [2], { zeroInfinity }), [x])
      expect(Array.from(gradient!.dataSync(), Math.abs)).toEqual(new Array(12).fill(0))
    }
  })

  test('a class of probability 0 is on no path', () => {
    const x = g.tensor([[[0.5, 0.5, 0]], [[0, 0.25, 0.75]]]).log()
    expect(g.losses.ctcLoss(x, [[1]], [2], [1]).itemSync()).toBeCloseTo(-Math.log(0.25), 5)
    expect(g.losses.ctcLoss(x, [[2]], [1], [1]).itemSync()).toBe(Infinity)
  })

  test('operands that do not fit', () => {
    const message = 'ctcLoss: expected logProbabilities of shape [steps, rows, classes], got [4, 3]'
    expect(() => g.losses.ctcLoss(g.zeros([4, 3]), [[1]], [4], [1])).toThrow(new g.ShapeError(message))
    expect(() => g.losses.ctcLoss(uniform, [1], [4], [1])).toThrow(
      'ctcLoss: expected targets of shape [1, longest], got [1]',
    )
    expect(() => g.losses.ctcLoss(uniform, [[1]], [4, 4], [1])).toThrow('expected inputLengths of shape [1], got [2]')
    expect(() => g.losses.ctcLoss(uniform, [[1]], [4], g.tensor([1.5]))).toThrow(g.DTypeError)
    expect(() => g.losses.ctcLoss(uniform, [[1]], [4], [1], { blank: 3 })).toThrow(
      'a blank that is a class below 3, got 3',
    )
    for (const [target, times, length] of [
      [3, 4, 1],
      [-1, 4, 1],
      [1, 5, 1],
      [1, 4, 2],
      [1, -1, 1],
    ] as const)
      expect(() => lossOf([[target]], times, length)).toThrow(RangeError)
  })
})

describe('tails', () => {
  const far = [1e4, -1e4, 0, 100, -100, 30, -30, 1, -1e4, 1e4, 88, -104]
  const rowsOf = (dtype: g.DType) => g.variable(g.tensor(far, { shape: [4, 3], dtype }))
  const classes = int32([0, 1, 2, 1])
  const bits = int32([1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1]).reshape([4, 3])
  const signs = bits.mul(2).sub(1)
  const finite: Readonly<Record<string, (x: g.Tensor) => g.Tensor>> = {
    crossEntropy: (x) => g.losses.crossEntropy(x, classes),
    'crossEntropy smoothed': (x) => g.losses.crossEntropy(x, classes, { labelSmoothing: 0.1 }),
    'crossEntropy of rows': (x) => g.losses.crossEntropy(x, bits, { classWeights: [1, 2, 3] }),
    negativeLogLikelihood: (x) => g.losses.negativeLogLikelihood(x.logSoftmax(), classes),
    focal: (x) => g.losses.focal(x, classes, { gamma: 0.5 }),
    'focal of rows': (x) => g.losses.focal(x, bits, { gamma: 0.5 }),
    multiMargin: (x) => g.losses.multiMargin(x, classes),
    binaryCrossEntropy: (x) => g.losses.binaryCrossEntropy(x, bits),
    'binaryCrossEntropy weighted': (x) => g.losses.binaryCrossEntropy(x, bits, { positiveWeights: 3 }),
    'binaryCrossEntropy of probabilities': (x) => g.losses.binaryCrossEntropy(x.sigmoid(), bits, { fromLogits: false }),
    binaryFocal: (x) => g.losses.binaryFocal(x, bits, { gamma: 0.5 }),
    hinge: (x) => g.losses.hinge(x, signs),
    softMargin: (x) => g.losses.softMargin(x, signs),
    multiLabelMargin: (x) => g.losses.multiLabelMargin(x, bits),
    multiLabelSoftMargin: (x) => g.losses.multiLabelSoftMargin(x, bits),
    klDivergence: (x) => g.losses.klDivergence(x.logSoftmax(), bits),
    logCosh: (x) => g.losses.logCosh(x, bits),
    huber: (x) => g.losses.huber(x, bits),
    cosineEmbedding: (x) => g.losses.cosineEmbedding(x, bits, [1, -1, 1, -1]),
    tripletMargin: (x) => g.losses.tripletMargin(x, bits, signs),
  }

  test.each(Object.entries(finite))('%s and its gradient are finite', (_, loss) => {
    const x = rowsOf('float32')
    const value = loss(x)
    const [gradient] = g.gradients(value, [x])
    for (const number of [value.itemSync(), ...gradient!.dataSync()]) expect(number).toSatisfy(Number.isFinite)
  })
})
