/** Options with unknown names, or of another type, are refused. */
import { describe, expect, it, test } from 'vitest'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: calls that the compiler refuses
const unchecked = g as any

describe('options', () => {
  it.each([
    [() => unchecked.sum([1], 0, { keepdims: true }), 'sum: unknown option keepdims; did you mean keepDims?'],
    [() => unchecked.sum([1], 0, { foo: true }), 'sum: unknown option foo; the options are keepDims'],
    [
      () => unchecked.sum([1], 0, true),
      'sum: expected options ({ keepDims }), got true; did you mean { keepDims: true }?',
    ],
    [() => unchecked.sum([1], 0, { keepDims: 1 }), 'sum: expected keepDims to be a boolean, got 1'],
    [() => unchecked.sum([1], 0, null), 'sum: expected options ({ keepDims }), got null'],
    [() => unchecked.sum([1], 0, g.tensor(1)), 'sum: expected options ({ keepDims }), got Tensor float32[]'],
    [() => unchecked.optim.adam({ lr: 0.1 }), 'adam: unknown option lr; did you mean learningRate?'],
    [
      () => unchecked.optim.adam(0.1),
      'adam: expected options ({ learningRate, maximize, beta1, beta2, epsilon, weightDecay, amsgrad, groups }), got 0.1; did you mean { learningRate: 0.1 }?',
    ],
    [
      () => unchecked.optim.sgd(0.1),
      'sgd: expected options ({ learningRate, maximize, momentum, dampening, nesterov, weightDecay, groups }), got 0.1; did you mean { learningRate: 0.1 }?',
    ],
    [() => unchecked.optim.sgd({ momentum: 0.9 }), 'sgd: expected a learningRate, got undefined'],
    [() => unchecked.nn.batchNorm2d(4, { eps: 1 }), 'batchNorm2d: unknown option eps; did you mean epsilon?'],
    [
      () => unchecked.nn.linear(4, 2, false),
      'linear: expected options ({ bias, initializer, seed, dtype }), got false; did you mean { bias: false }?',
    ],
    [
      () => unchecked.nn.maxPool2d(2, 2),
      'maxPool2d: expected options ({ stride, padding, dilation, ceilMode, layout }), got 2',
    ],
    [
      () => unchecked.nn.gelu('tanh'),
      'gelu: expected options ({ approximate }), got "tanh"; did you mean { approximate: \'tanh\' }?',
    ],
    [() => unchecked.nn.conv2d(1, 1, 3, { strides: 2 }), 'conv2d: unknown option strides; did you mean stride?'],
  ])('%s throws', (call, message) => {
    expect(call).toThrow(new TypeError(message))
  })

  it('a dtype that is none', () => {
    const message = 'linear: expected a dtype (bool, uint8, int32, float32, float64), got float'
    expect(() => unchecked.nn.linear(4, 2, { dtype: 'float' })).toThrow(new g.DTypeError(message))
  })

  it('undefined stands for the default', () => {
    expect(g.sum([1, 2], 0, { keepDims: undefined } as g.ReduceOptions).shape).toEqual([])
    expect(g.sum([1, 2], 0, Object.assign(Object.create(null), { keepDims: true })).shape).toEqual([1])
  })
})

/** What users of numpy, PyTorch and tfjs type. The compiler refuses each, and so does a run. */
describe('positional forms of other libraries', () => {
  const x = g.ones([1, 1, 4, 4])
  it.each([
    // @ts-expect-error: tensor(values, shape, dtype)
    ['tensor', () => g.tensor([1, 2, 3, 4], [2, 2])],
    // @ts-expect-error: tensor(values, dtype)
    ['tensor', () => g.tensor([1, 2], 'int32')],
    // @ts-expect-error: variable(value, trainable)
    ['variable', () => g.variable([1, 2], true)],
    // @ts-expect-error: zeros(shape, dtype)
    ['zeros', () => g.zeros([2], 'int32')],
    // @ts-expect-error: ones(shape, dtype)
    ['ones', () => g.ones([2], 'int32')],
    // @ts-expect-error: full(shape, value, dtype)
    ['full', () => g.full([2], 1, 'int32')],
    // @ts-expect-error: eye(rows, columns, dtype)
    ['eye', () => g.eye(2, 2, 'int32')],
    // @ts-expect-error: arange(start, stop, step, dtype)
    ['arange', () => g.arange(0, 10, 2, 'int32')],
    // @ts-expect-error: linspace(start, stop, count, dtype)
    ['linspace', () => g.linspace(0, 1, 3, 'float64')],
    // @ts-expect-error: zerosLike(x, dtype)
    ['zerosLike', () => g.zerosLike(x, 'int32')],
    // @ts-expect-error: randn(shape, mean, std)
    ['randn', () => g.randn([2], 0)],
    // @ts-expect-error: uniform(shape, min, max)
    ['uniform', () => g.uniform([2], -1, 1)],
    // @ts-expect-error: randint(shape, min, max, dtype)
    ['randint', () => g.randint([2], 0, 5, 'int32')],
    // @ts-expect-error: sum(x, axis, keepDims)
    ['sum', () => g.sum(x, 1, true)],
    // @ts-expect-error: x.mean(axis, keepDims)
    ['mean', () => x.mean(1, true)],
    // @ts-expect-error: argmax(x, axis, keepDims)
    ['argmax', () => g.argmax(x, 1, true)],
    // @ts-expect-error: topk(x, k, axis)
    ['topk', () => g.topk(x, 2, 1)],
    // @ts-expect-error: oneHot(x, depth, onValue, offValue)
    ['oneHot', () => g.oneHot([1], 3, 1, 0)],
    // @ts-expect-error: pad(x, widths, value)
    ['pad', () => g.pad(x, 1, 0)],
    // @ts-expect-error: maxPool2d(x, window, stride)
    ['maxPool2d', () => g.maxPool2d(x, 2, 2)],
    // @ts-expect-error: avgPool2d(x, window, stride, padding)
    ['avgPool2d', () => g.avgPool2d(x, 2, 2, 'same')],
    // @ts-expect-error: conv2d(x, weight, bias)
    ['conv2d', () => g.conv2d(x, g.ones([1, 1, 3, 3]), g.ones([1]))],
    // @ts-expect-error: matmul(a, b, transposeA, transposeB)
    ['matmul', () => g.matmul(x, x, true, false)],
    // @ts-expect-error: a.matmul(b, transposeA)
    ['matmul', () => x.matmul(x, true)],
    // @ts-expect-error: add(x, y, alpha)
    ['add', () => g.add(x, x, 2)],
    // @ts-expect-error: round(x, decimals)
    ['round', () => g.round([1.25], 1)],
    // @ts-expect-error: log(x, base)
    ['log', () => g.log(x, 10)],
    // @ts-expect-error: softmax(x, axis, dtype)
    ['softmax', () => g.softmax(x, 1, 'float64')],
    // @ts-expect-error: adam(learningRate)
    ['adam', () => g.optim.adam(0.1)],
    // @ts-expect-error: sgd(learningRate)
    ['sgd', () => g.optim.sgd(0.1)],
    // @ts-expect-error: adam({ lr })
    ['adam', () => g.optim.adam({ lr: 0.1 })],
    // @ts-expect-error: linear(in, out, bias)
    ['linear', () => g.nn.linear(2, 2, false)],
    // @ts-expect-error: conv2d(in, out, kernel, stride)
    ['conv2d', () => g.nn.conv2d(1, 1, 3, 2)],
    // @ts-expect-error: maxPool2d(window, stride)
    ['maxPool2d', () => g.nn.maxPool2d(2, 2)],
    // @ts-expect-error: batchNorm2d(features, epsilon)
    ['batchNorm2d', () => g.nn.batchNorm2d(2, 1e-5)],
    // @ts-expect-error: flatten(first axis)
    ['flatten', () => g.nn.flatten(2)],
    // @ts-expect-error: dropout(rate, inPlace)
    ['dropout', () => g.nn.dropout(0.5, true)],
    // @ts-expect-error: crossEntropy(logits, labels, weights)
    ['crossEntropy', () => g.losses.crossEntropy([[1, 2]], [[0, 1]], [1, 1])],
    // @ts-expect-error: crossEntropy(logits, labels, reduction)
    ['crossEntropy', () => g.losses.crossEntropy([[1, 2]], [[0, 1]], 'sum')],
    // @ts-expect-error: grad(f, argument)
    ['grad', () => g.grad((a: g.Tensor) => a, 1)],
    // @ts-expect-error: compile(f, options)
    ['compile', () => g.compile((a: g.Tensor) => a, { mode: 'fast' })],
  ] as [string, () => unknown][])('%s %#', (name, call) => {
    expect(call).toThrow(TypeError)
    expect(call).toThrow(`${name}: `)
  })

  it('options where an axis is taken', () => {
    // @ts-expect-error: softmax(x, { axis })
    expect(() => g.softmax(x, { axis: 1 })).toThrow('softmax: expected an axis')
  })

  it('callbacks of map and reduce get an index and a list', () => {
    const tensors = [g.tensor([1]), g.tensor([4])]
    expect(tensors.map(g.sqrt).map((y) => y.itemSync())).toEqual([1, 2])
    expect(tensors.reduce(g.add).itemSync()).toBe(5)
    expect(tensors.map(g.round).length).toBe(2)
  })
})

describe('what has to be a list', () => {
  const x = g.ones([2, 3])

  test.each([
    [() => unchecked.concat(x), 'concat: expected a list of tensors, got Tensor float32[2, 3]'],
    [() => unchecked.concat(x, 1), 'concat: expected a list of tensors, got Tensor float32[2, 3]'],
    [() => unchecked.concat(x, x, 1), 'concat: expected tensors, or a list of them and an axis, got 1'],
    [() => unchecked.concat([x], 1, 2), 'concat: expected tensors, or a list of them and an axis, got 2'],
    [() => unchecked.stack(x, x, true), 'stack: expected tensors, or a list of them and an axis, got true'],
    [() => unchecked.hstack(x, x, 1), 'hstack: expected tensors or a list of them, got 1'],
    [() => unchecked.vstack([x], 1), 'vstack: expected tensors or a list of them, got 1'],
    [() => unchecked.meshgrid([1], [2], {}, {}), 'meshgrid: expected nothing after the options, got an object'],
    [() => unchecked.reshape(x, [3, 2], 1), 'reshape: expected a shape, or extents one by one, got 1'],
    [() => unchecked.reshape(x, 3, '2'), 'reshape: expected a shape (an array of extents), got "2"'],
    [() => unchecked.squeeze(x, null), 'squeeze: expected an axis or a list of axes, got null'],
    [() => unchecked.transpose(x, 0, 1, 2), 'transpose: expected two axes, or a list of all of them, got [0, 1, 2]'],
    [() => unchecked.stack(x), 'stack: expected a list of tensors, got Tensor float32[2, 3]'],
    [() => unchecked.hstack(x), 'hstack: expected a list of tensors, got Tensor float32[2, 3]'],
    [() => unchecked.meshgrid(3), 'meshgrid: expected a list of tensors, got 3'],
    [() => unchecked.transpose(x, 0), 'transpose: expected a list of axes, got 0'],
    [() => unchecked.permute(x, [1, 0], 1), 'permute: expected a list of axes, got an array'],
    [() => unchecked.permute(x), 'permute: expected a list of axes, got undefined'],
    [() => unchecked.split(x, 'half'), 'split: expected a count or a list of sizes, got "half"'],
    [() => unchecked.tile(x), 'tile: expected a number or a list of them, got undefined'],
  ])('%s is refused', (call, message) => {
    expect(call).toThrow(new TypeError(message))
  })
})

/** What users of PyTorch and numpy write, beside the form with a list. */
describe('arguments one by one', () => {
  const x = g.arange(6).reshape(2, 3)
  const y = g.arange(6, 12).reshape([2, 3])
  const cube = g.zeros([2, 3, 4])
  const same = (a: g.Tensor, b: g.Tensor) => {
    expect(a.shape).toEqual(b.shape)
    expect(a.dtype).toBe(b.dtype)
    expect(a.arraySync()).toEqual(b.arraySync())
  }

  test.each<[string, g.Tensor, g.Tensor]>([
    ['transpose(x, 0, 1)', g.transpose(x, 0, 1), g.transpose(x, [1, 0])],
    ['x.transpose(0, 1)', x.transpose(0, 1), x.transpose()],
    ['x.t(0, 1)', x.t(0, 1), x.t()],
    ['transpose(x, -1, -2)', g.transpose(cube, -1, -2), g.permute(cube, [0, 2, 1])],
    ['permute(x, 2, 0, 1)', g.permute(cube, 2, 0, 1), g.permute(cube, [2, 0, 1])],
    ['x.permute(1, 0)', x.permute(1, 0), x.permute([1, 0])],
    ['reshape(x, 3, 2)', g.reshape(x, 3, 2), g.reshape(x, [3, 2])],
    ['x.reshape(-1)', x.reshape(-1), x.reshape([-1])],
    ['x.view(3, -1)', x.view(3, -1), x.view([3, -1])],
    ['x.broadcastTo(4, 2, 3)', x.broadcastTo(4, 2, 3), x.broadcastTo([4, 2, 3])],
    ['x.tile(2, 1)', x.tile(2, 1), x.tile([2, 1])],
    ['x.squeeze(0, 2)', x.reshape(1, 6, 1).squeeze(0, 2), x.reshape(6)],
    ['concat(x, y)', g.concat(x, y), g.concat([x, y])],
    ['cat(x, y, x)', g.cat(x, y, x), g.cat([x, y, x])],
    ['concat of nested arrays', g.concat([1, 2], [3]), g.tensor([1, 2, 3])],
    ['stack(x, y)', g.stack(x, y), g.stack([x, y])],
    ['stack of nested arrays', g.stack([1, 2], [3, 4]), g.tensor([[1, 2], [3, 4]])], // biome-ignore format: a matrix
    ['hstack(x, y)', g.hstack(x, y), g.hstack([x, y])],
    ['vstack(x, y)', g.vstack(x, y), g.vstack([x, y])],
    ['dstack(x, y)', g.dstack(x, y), g.dstack([x, y])],
  ])('%s', (_, a, b) => same(a, b))

  test('extents of what is made', () => {
    same(g.zeros(2, 3), g.zeros([2, 3]))
    same(g.zeros(3), g.zeros([3]))
    same(g.ones(2, 3, { dtype: 'int32' }), g.ones([2, 3], { dtype: 'int32' }))
    same(g.randn(2, 3, { seed: 5, std: 2 }), g.randn([2, 3], { seed: 5, std: 2 }))
    same(g.uniform(4, { seed: 5, max: 2 }), g.uniform([4], { seed: 5, max: 2 }))
    expect(g.rand(2, 3).shape).toEqual([2, 3])
    expect(() => unchecked.zeros(2, 3, { dtype: 'int32' }, 4)).toThrow(
      'zeros: expected nothing after the options, got 4',
    )
    expect(() => unchecked.randn(2, null)).toThrow('randn: expected options ({ mean, std, dtype, seed }), got null')
    expect(() => unchecked.ones()).toThrow('ones: expected a shape (an array of extents), got undefined')
    expect(() => g.uniform(2, -1)).toThrow('uniform: expected extents from 0 to')
  })

  test('meshgrid', () => {
    const [rows, columns] = g.meshgrid([1, 2, 3], [10, 20], { indexing: 'ij' }) as [g.Tensor, g.Tensor]
    same(rows, g.meshgrid([[1, 2, 3], [10, 20]], { indexing: 'ij' })[0]!) // biome-ignore format: two vectors
    expect(columns.shape).toEqual([3, 2])
    expect(g.meshgrid([1, 2, 3], [10, 20])[0]!.shape).toEqual([2, 3])
  })

  test('the list that was given may change afterwards', () => {
    const [shape, axes, counts] = [
      [3, 2],
      [1, 0],
      [2, 1],
    ]
    const results = [x.reshape(shape!), x.permute(axes!), x.transpose(axes!), x.tile(counts!)]
    for (const list of [shape, axes, counts]) list!.fill(0)
    expect(results.map((result) => result.shape)).toEqual([[3, 2], [3, 2], [3, 2], [4, 3]]) // biome-ignore format: shapes
    expect(results.map((result) => result.arraySync())).toMatchObject({ length: 4 })
  })
})

test('null stands for no option, but where it is said to', () => {
  const image = g.ones([1, 1, 4, 4])
  const nothing = null as never
  expect(() => g.conv2d(image, g.ones([1, 1, 2, 2]), { stride: nothing })).toThrow(
    new TypeError('conv2d: expected a value for stride, got null'),
  )
  expect(() => g.unfold(image, 2, { dilation: nothing })).toThrow(
    new TypeError('unfold: expected a value for dilation, got null'),
  )
  expect(g.layerNorm(g.ones([2, 3]), { weight: null }).shape).toEqual([2, 3])
})
