/** Models for inference whose linear layers have weights of int8. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { predictor } from '../../lib/serve/index.ts'

const { nn } = g

const mlp = () =>
  nn.sequential(
    nn.linear(40, 70),
    nn.relu(),
    nn.dropout(0.5),
    nn.linear(70, 33, { bias: false }),
    nn.tanh(),
    nn.linear(33, 5),
  )

const x = () => g.randn([9, 40], { seed: 3 })

/** The greatest difference of elements, by the greatest magnitude of the second. */
const distance = (a: g.Tensor, b: g.Tensor): number => a.sub(b).abs().max().div(b.abs().max()).dataSync()[0]!

const bits = (x: g.Tensor) => [...new Int32Array(Float32Array.from(x.dataSync()).buffer)]

beforeEach(() => g.setSeed(1))

describe('a quantized model', () => {
  test('computes nearly as the given one does in evaluation mode, with a quarter of the bytes', () => {
    const model = mlp()
    const small = g.quantize(model, { weights: 'int8' })
    const output = small.forward(x())
    expect(distance(output, model.eval().forward(x()))).toBeLessThan(0.03)
    const bytes = (m: g.nn.Module) =>
      Object.values(m.stateDict()).reduce((sum, { size, dtype }) => sum + size * (dtype === 'uint8' ? 1 : 4), 0)
    expect(bytes(small) / bytes(model)).toBeLessThan(0.4)
  })

  test('rounds weights to the nearest of 255 by the scale of each output, or of all', () => {
    const layer = nn.linear(6, 20, { bias: false })
    layer.weight.assign(g.randn([20, 6]).mul(g.arange(1, 21).reshape([20, 1])))
    const restored = (perChannel: boolean) => {
      const { weight, scales } = (g.quantize(layer, { perChannel }) as g.nn.QuantizedLinear).stateDict()
      const integers = weight!.cast('float32').sub(128).transpose([0, 2, 1, 3]).reshape([32, 8]).slice([0, 0], [20, 6])
      return integers.mul(scales!.reshape([20, 1]))
    }
    const { weight } = layer
    const greatest = (w: g.Tensor, axis?: number) => w.abs().max(axis, { keepDims: true })
    const errors = (perChannel: boolean) =>
      restored(perChannel)
        .sub(weight)
        .abs()
        .div(greatest(weight, perChannel ? 1 : undefined))
        .max()
        .dataSync()[0]
    expect(errors(true)).toBeLessThan(0.5001 / 127)
    expect(errors(false)).toBeLessThan(0.5001 / 127)
    expect(distance(restored(true), weight)).not.toBe(distance(restored(false), weight))
  })

  test('gives a row the same bits in every batch and with any number of threads', () => {
    const small = g.quantize(nn.sequential(nn.linear(300, 500), nn.relu(), nn.linear(500, 70)))
    const rows = g.randn([67, 300])
    const threads = g.backendInfo().threads
    try {
      const all = small.forward(rows)
      g.setNumThreads(1)
      expect(bits(small.forward(rows))).toEqual(bits(all))
      for (const i of [0, 1, 66])
        expect(bits(small.forward(rows.slice([i], [i + 1])))).toEqual(bits(all.slice([i], [i + 1])))
      expect(bits(small.forward(rows.slice([7], [20])))).toEqual(bits(all.slice([7], [20])))
    } finally {
      g.setNumThreads(threads)
    }
  })

  test('gives NaN for a row that is not finite, and nothing else for the others', () => {
    const small = g.quantize(nn.linear(40, 5))
    const rows = g.concat([x().slice([0], [1]), g.full([1, 40], Number.POSITIVE_INFINITY), x().slice([0], [1])])
    const [first, second, third] = [0, 1, 2].map((i) => [
      ...small
        .forward(rows)
        .slice([i], [i + 1])
        .dataSync(),
    ])
    expect(second!.every(Number.isNaN)).toBe(true)
    expect(first!.every(Number.isFinite)).toBe(true)
    expect(third).toEqual(first)
  })

  test('leaves the given one as it is, which trains on', async () => {
    const model = mlp()
    const before = g.tensor(model[0]!.namedParameters().weight!.dataSync(), { shape: [70, 40] })
    const small = g.quantize(model)
    const output = [...small.forward(x()).dataSync()]
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '3.weight', '5.weight', '5.bias'])
    expect(distance(model[0]!.namedParameters().weight!, before)).toBe(0)
    expect(model.training).toBe(true)
    await g.fit(model, g.data.fromTensors(x(), g.randn([9, 5])), {
      loss: 'mse',
      epochs: 1,
      optimizer: g.optim.sgd({ learningRate: 0.1 }),
    })
    expect(distance(model[0]!.namedParameters().weight!, before)).toBeGreaterThan(0)
    expect([...small.forward(x()).dataSync()]).toEqual(output)
  })

  test('has the layers wherever they are', () => {
    class Deep extends nn.Module<g.Tensor, readonly [g.Tensor, g.Tensor]> {
      blocks = [
        nn.residual(nn.sequential(nn.linear(16, 16), nn.relu())),
        nn.transformerEncoderLayer(16, 2, { dropout: 0.5 }),
      ]
      heads = nn.moduleDict({ a: nn.linear(16, 3) })
      norm = nn.layerNorm(16)
      byName = new Map([['b', nn.linear(16, 2)]])
      forward(x: g.Tensor, { scale = 1 } = {}) {
        const y = this.norm.forward(this.blocks.reduce((y, block) => block.forward(y), x))
        return [this.heads.get('a')!.forward(y), this.byName.get('b')!.forward(y).mul(scale)] as const
      }
    }
    const model = new Deep()
    const small = g.quantize(model)
    const layers = Object.entries(small.namedModules()).filter(([, module]) => module instanceof nn.QuantizedLinear)
    expect(layers.map(([path]) => path)).toEqual([
      'blocks.0.inner.0',
      ...['query', 'key', 'value', 'output'].map((name) => `blocks.1.attention.${name}`),
      ...['blocks.1.linear1', 'blocks.1.linear2', 'heads.a', 'byName.b'],
    ])
    const rows = g.randn([2, 7, 16])
    const [a, b] = model.eval().forward(rows, { scale: 2 })
    const [smallA, smallB] = small.forward(rows, { scale: 2 } as never)
    expect([distance(smallA, a), distance(smallB, b)].every((d) => d > 0 && d < 0.05)).toBe(true)
  })

  test('runs compiled and behind a predictor', async () => {
    const small = g.quantize(mlp())
    const direct = [...small.forward(x()).dataSync()]
    const forward = g.compile((x: g.Tensor) => small.forward(x))
    expect([...(await forward(x())).dataSync()]).toEqual(direct)
    expect(forward.program(x()).match(/quantizedMatmul/g)).toHaveLength(3)
    expect(forward.program(x())).toMatch(/quantizedMatmul %0 .*relu/)
    const service = await predictor(small, { inputShape: [40] })
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        service.predict(
          x()
            .slice([i], [i + 1])
            .reshape([40])
            .dataSync(),
        ),
      ),
    )
    expect(answers.flatMap((answer) => [...(answer as Float32Array)])).toEqual(direct)
    await service.close()
  })

  test('is saved, and loaded into one that was made in the same way', async () => {
    const small = g.quantize(mlp())
    const file = await g.serialize(small.stateDict())
    const other = g.quantize(mlp())
    expect(bits(other.forward(x()))).not.toEqual(bits(small.forward(x())))
    other.loadStateDict(await g.load(file))
    expect(bits(other.forward(x()))).toEqual(bits(small.forward(x())))
  })
})

describe('which layers', () => {
  test('a filter says', () => {
    const seen: string[] = []
    const small = g.quantize(mlp(), {
      filter: ({ bias }, path) => seen.push(path) > 0 && bias !== null && path !== '5',
    })
    expect(seen).toEqual(['0', '3', '5'])
    expect(Object.entries(small.stateDict()).map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
      ...[
        '0.weight uint8',
        '0.scales float32',
        '0.bias float32',
        '3.weight float32',
        '5.weight float32',
        '5.bias float32',
      ],
    ])
  })

  test('not those of another dtype, nor what is no linear layer', () => {
    const model = nn.sequential(
      nn.conv1d(2, 3, 1),
      nn.linear(4, 4),
      nn.lambda((x) => x.cast('float64')),
      nn.linear(4, 2, { dtype: 'float64' }),
    )
    const small = g.quantize(model)
    const types = Object.values(small.stateDict()).map(({ dtype }) => dtype)
    expect(types).toEqual(['float32', 'float32', 'uint8', 'float32', 'float32', 'float64', 'float64'])
    expect(small.forward(g.randn([5, 2, 4])).shape).toEqual([5, 3, 2])
  })
})

describe('refused', () => {
  test.each<readonly [string, () => unknown, string]>([
    ['no module', () => g.quantize({} as never), 'quantize: expected a module, got an object'],
    ['no linear layer', () => g.quantize(nn.relu()), 'quantize: expected a model with linear layers of float32'],
    ['one twice', () => g.quantize(g.quantize(mlp())), 'quantize: expected a model with linear layers of float32'],
    [
      'other weights',
      () => g.quantize(mlp(), { weights: 'int4' as 'int8' }),
      "quantize: expected weights 'int8', got int4",
    ],
    [
      'rows of integers',
      () => g.quantize(nn.linear(4, 4)).forward(g.ones([2, 4], { dtype: 'int32' })),
      'expected x of float32, got int32',
    ],
    [
      'another width',
      () => g.quantize(nn.linear(4, 4)).forward(g.ones([2, 5])),
      'expected a weight [1, 2, 16, 4], from 5 inputs to 4 outputs, got [1, 1, 16, 4]',
    ],
  ])('%s', (_, call, message) => expect(call).toThrow(message))

  test('a gradient, and training', async () => {
    const small = g.quantize(mlp())
    const start = g.variable(x())
    expect(() => g.gradients(small.forward(start).sum(), [start])).toThrow(g.GradientError)
    expect(() => g.gradients(small.forward(start).sum(), [start])).toThrow('quantizedMatmul has no gradient')
    expect(small.parameters()).toEqual([])
    const data = g.data.fromTensors(x(), g.randn([9, 5]))
    await expect(
      g.fit(small, data, { loss: 'mse', epochs: 1, optimizer: g.optim.sgd({ learningRate: 0.1 }) }),
    ).rejects.toThrow(/parameters|variables|trainable/)
  })
})
