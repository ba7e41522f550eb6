/** Operations, losses and metrics refuse arguments by their own name, also where they are made of other operations. */
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const x = g.tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const rows = g.tensor([
  [0, 1],
  [2, 3],
])

/** As JavaScript calls it: whatever the types say. */
// biome-ignore lint/suspicious/noExplicitAny: what the types refuse is what is tested.
const js: any = g

const refused: readonly (readonly [what: string, call: () => unknown, message: RegExp])[] = [
  ['axis of flatten that is text', () => js.flatten(x, '1'), /^flatten: expected an axis/],
  ['axis of flatten beyond the last', () => g.flatten(x, 2), /^flatten: expected an axis in \[-2, 2\), got 2/],
  ['half an axis of flatten', () => g.flatten(x, 0.5), /^flatten: expected an axis/],
  ['axis of unsqueeze', () => g.unsqueeze(x, 4), /^unsqueeze: expected an axis/],
  ['axis of repeat that is null', () => js.repeat(x, 2, null), /^repeat: expected an axis/],
  ['hole as shift of roll', () => js.roll(x, [undefined]), /^roll: expected shifts/],
  [
    'ninth axis of expandDims',
    () => g.expandDims(g.ones([1, 1, 1, 1, 1, 1, 1, 1]), 0),
    /^expandDims: expected at most 8/,
  ],
  ['shape of unflatten', () => js.unflatten(x, 1, [1n]), /^unflatten: expected a shape of 3 elements/],
  ['axis of nanSum', () => g.nanSum(x, 2), /^nanSum: expected an axis/],
  ['axis of nanMean', () => g.nanMean(x, 2), /^nanMean: expected an axis/],
  ['axis of squaredNorm', () => g.squaredNorm(x, 2), /^squaredNorm: expected an axis/],
  ['axis of countNonzero', () => g.countNonzero(x, 2), /^countNonzero: expected an axis/],
  ['operand of countNonzero', () => js.countNonzero('x'), /^countNonzero: expected/],
  ['axis of aminmax', () => g.aminmax(x, 2), /^aminmax: expected an axis/],
  ['axis of norm of order 1', () => g.norm(x, 2, { order: 1 }), /^norm: expected an axis/],
  ['axis of norm of order 0', () => g.norm(x, 2, { order: 0 }), /^norm: expected an axis/],
  ['axis of an infinite norm', () => g.norm(x, 2, { order: Infinity }), /^norm: expected an axis/],
  ['order of norm', () => g.norm(x, 0, { order: NaN }), /^norm: expected an order, got NaN/],
  ['axes of tensordot that are no lists', () => js.tensordot(x, x, [1, 2]), /^tensordot: expected a count of axes/],
  ['axes of tensordot that are text', () => js.tensordot(x, x, 'x'), /^tensordot: expected a count of axes/],
  ['one list of axes for tensordot', () => js.tensordot(x, x, [[0]]), /^tensordot: expected a count of axes/],
  ['holes as axes of tensordot', () => js.tensordot(x, x, [new Array(1), [0]]), /^tensordot: expected an axis/],
  ['lengths of dot', () => g.dot([1, 2], [1, 2, 3]), /^dot: /],
  ['shapes of vecdot', () => g.vecdot(x, rows), /^vecdot: /],
  ['last axes of inner', () => g.inner(x, rows), /^inner: expected/],
  ['shapes of cross', () => g.cross(x, rows), /^cross: /],
  ['shapes of xlogy', () => g.xlogy(x, rows), /^xlogy: /],
  [
    'input of baddbmm',
    () => g.baddbmm(g.ones([2, 2, 2]), g.ones([1, 2, 2]), g.ones([1, 2, 2])),
    /^baddbmm: expected an input/,
  ],
  ['elements of isIn', () => js.isIn(x, 'x'), /^isIn: expected/],
  ['widths of pad that are null', () => js.pad(x, null), /^pad: expected a width of 0 or more/],
  ['widths of pad that no text shows', () => js.pad(x, 1n), /^pad: expected a width of 0 or more .* got 1n/],
  ['mode of pad', () => js.pad(x, 1, { mode: 'x' }), /^pad: expected mode 'constant', 'reflect' or 'edge', got x/],
  [
    'reduction of scatterReduce',
    () => js.scatterReduce(x, [[0]], 1, 0, Symbol('s')),
    /^scatterReduce: expected a reduction/,
  ],
  [
    'reduction of scatterReduce in a list',
    () => js.scatterReduce(x, [[0]], 1, 0, ['sum']),
    /^scatterReduce: expected a reduc/,
  ],
  [
    'size of slidingWindows',
    () => js.slidingWindows(x, Object.create(null)),
    /^slidingWindows: expected a positive integer as/,
  ],
  ['NaN among quantiles', () => g.quantile(x, [0.5, NaN]), /^quantile: expected q in \[0, 1\]/],
  ['no number among quantiles', () => js.quantile(x, ['0.5']), /^quantile: expected q in \[0, 1\]/],
  ['holes as quantiles', () => js.quantile(x, new Array(2)), /^quantile: expected q in \[0, 1\]/],
  ['normalizedShape of layerNorm', () => js.layerNorm(x, { normalizedShape: 3 }), /^layerNorm: expected a shape/],
  ['weight of rmsNorm', () => js.rmsNorm(x, { weight: 'x' }), /^rmsNorm: expected/],
  ['epsilon of layerNorm', () => g.layerNorm(x, { epsilon: Infinity }), /^layerNorm: expected a finite epsilon/],
  ['descending of sort', () => js.sort(x, { descending: 1 }), /^sort: expected descending to be a boolean/],
  ['largest of topk', () => js.topk(x, 1, { largest: 'no' }), /^topk: expected largest to be a boolean/],
  ['reverse of cumsum', () => js.cumsum(x, 0, { reverse: 1 }), /^cumsum: expected reverse to be a boolean/],
  ['null as options', () => js.sum(x, 0, null), /^sum: expected options .* got null/],
  ['operands of updates.sgd', () => js.updates.sgd(undefined), /^updates\.sgd: expected operands/],
  [
    'operands of updates.momentum',
    () => js.updates.momentum(1, { momentum: 0.9 }),
    /^updates\.momentum: expected operands/,
  ],
  ['parameter of updates.adam', () => js.updates.adam({}), /^updates\.adam: expected a parameter/],
  [
    'parameter of numbers',
    () => js.updates.sgd({ parameter: [1], gradient: [1], learningRate: 1 }),
    /^updates\.sgd: expected a par/,
  ],
  ['logits of crossEntropy', () => js.losses.crossEntropy('x', [0]), /^crossEntropy: expected/],
  ['prediction of meanSquaredError', () => js.losses.meanSquaredError(null, [0]), /^meanSquaredError: expected/],
  ['target of l1', () => g.losses.l1([1, 2], [1]), /^l1: expected a target/],
  ['options of l1', () => js.losses.l1([1], [1], { reduction: 'x' }), /^l1: expected reduction/],
  ['no targets for cosineEmbedding', () => js.losses.cosineEmbedding(x, x), /^cosineEmbedding: expected/],
  ['no targets for contrastive', () => js.losses.contrastive(x, x, undefined), /^contrastive: expected/],
  ['margin of hinge', () => g.losses.hinge([1], [1], { margin: NaN }), /^hinge: expected a finite margin/],
  [
    'margin of multiMargin',
    () => g.losses.multiMargin(x, g.tensor([0, 1], { dtype: 'int32' }), { margin: NaN }),
    /^multiMargin: expected/,
  ],
  ['labels of correct', () => js.metrics.correct(x, 'x'), /^correct: expected/],
  ['labels of accuracy', () => js.metrics.accuracy(x, 'x'), /^accuracy: expected/],
  ['labels of precision', () => js.metrics.precision(x, null), /^precision: expected/],
]

test.each(refused)('%s', (_what, call, message) => {
  expect(call).toThrow(message)
  try {
    call()
  } catch (error) {
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true)
  }
})

test.each<[string, (...surplus: unknown[]) => unknown]>([
  ['sum', (...surplus) => js.sum(x, 0, {}, ...surplus)],
  ['flatten', (...surplus) => js.flatten(x, 1, ...surplus)],
  ['variance', (...surplus) => js.variance(x, 0, { correction: 0 }, ...surplus)],
  ['argsort', (...surplus) => js.argsort(x, { axis: 0 }, ...surplus)],
  ['adaptiveAvgPool3d', (...surplus) => js.adaptiveAvgPool3d(g.ones([1, 1, 2, 2, 2]), 1, undefined, ...surplus)],
  ['cast', (...surplus) => js.cast(x, 'int32', ...surplus)],
  ['mean', (...surplus) => js.Tensor.prototype.mean.call(x, 0, undefined, ...surplus)],
  ['ravel', (...surplus) => js.Tensor.prototype.ravel.call(x, ...surplus)],
  ['updates.sgd', (...surplus) => js.updates.sgd({ parameter: x, gradient: x, learningRate: 1 }, ...surplus)],
  ['crossEntropy', (...surplus) => js.losses.crossEntropy(x, x, undefined, ...surplus)],
  ['accuracy', (...surplus) => js.metrics.accuracy(x, x, ...surplus)],
])('%s refuses an argument too many', (name, call) => {
  call()
  expect(() => call('mean')).toThrow(new RegExp(`^${name}: expected `))
  expect(() => call(undefined)).toThrow(new RegExp(`^${name}: expected `))
})

test('lists that were given may change before the evaluation', () => {
  const quantiles = [0, 1]
  const widths: [[number, number], [number, number]] = [
    [1, 0],
    [0, 0],
  ]
  const axes: [number[], number[]] = [[1], [1]]
  const results = [g.quantile(x, quantiles), g.pad(x, widths), g.tensordot(x, x, axes)]
  quantiles[0] = 7
  widths[0][0] = 5
  axes[0][0] = 0
  expect(results.map((y) => y.arraySync())).toEqual([
    [1, 6],
    [
      [0, 0, 0],
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [14, 32],
      [32, 77],
    ],
  ])
})
