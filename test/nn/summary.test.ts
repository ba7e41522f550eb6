/** The table of a model. */
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const { nn } = g

test('says what each module gives and holds, and the totals of what is trained and what is not', () => {
  const model = nn.sequential({
    hidden: nn.linear(784, 128),
    norm: nn.batchNorm1d(128),
    block: nn.sequential(nn.relu(), nn.linear(128, 10)),
  })
  model.freeze('hidden')
  expect(model.summary([32, 784])).toBe(`module               output     parameters    bytes
───────────────────────────────────────────────────
Sequential           [32, 10]            0        0
  hidden: Linear     [32, 128]     100,480  401,920
  norm: BatchNorm1d  [32, 128]         512    2,048
  block: Sequential  [32, 10]            0        0
    0: ReLU          [32, 128]           0        0
    1: Linear        [32, 10]        1,290    5,160
───────────────────────────────────────────────────
total                              102,282  409,128
trainable                            1,546    6,184
not trainable                      100,736  402,944`)
})

type Inputs = { image: g.Tensor; text: g.Tensor }

class Several extends nn.Module<Inputs, { logits: g.Tensor; parts: g.Tensor[] }> {
  image = nn.linear(3, 4)
  text = nn.embedding(5, 4)
  scale = g.variable(1)
  unused = [nn.linear(1, 1)]
  forward({ image, text }: Inputs) {
    const parts = [this.image.forward(image), this.image.forward(image.neg()), this.text.forward(text)]
    return { logits: parts[0]!.add(parts[2]!).mul(this.scale), parts }
  }
}

test('takes several inputs as forward does, and names several outputs', () => {
  const table = new Several().summary({ image: [6, 3], text: g.zeros([6], { dtype: 'int32' }) })
  expect(
    table
      .split('\n')
      .slice(2, 6)
      .map((line) => line.replaceAll(/ {2,}/g, '  ')),
  ).toEqual([
    'Several  logits: [6, 4], parts.0: [6, 4], parts.1: [6, 4], parts.2: [6, 4]  1  4',
    '  image: Linear  [6, 4] (2 calls)  16  64',
    '  text: Embedding  [6, 4]  20  80',
    '  unused.0: Linear  —  2  8',
  ])
})

test('takes further arguments of forward', () => {
  const layer = nn.transformerEncoderLayer(8, 2, { feedForward: 4 })
  expect(layer.summary([2, 3, 8], { causal: true })).toContain('(3 calls)')
  expect(() => layer.summary([2, 3, 8], { casual: true })).toThrow('did you mean causal?')
})

test('computes nothing and leaves the model as it was', () => {
  const model = nn.sequential(nn.linear(2, 3), nn.batchNorm1d(3), nn.dropout(0.5))
  const before = model.buffers().map((x) => x.dataSync())
  g.setSeed(1)
  const drawn = g.randn([2]).dataSync()
  g.setSeed(1)
  // One row has no variance, of which training mode would complain; and it would take 10 GB.
  expect(model.summary([2 ** 29, 2])).toContain('[536870912, 3]')
  expect(model.summary([1, 2])).toContain('[1, 3]')
  expect(g.randn([2]).dataSync()).toEqual(drawn)
  expect(model.buffers().map((x) => x.dataSync())).toEqual(before)
  expect(model.training).toBe(true)
  expect(Object.hasOwn(model, 'forward')).toBe(false)
})

test('an input that does not fit is the error of the layer, after which the model goes on', () => {
  const model = nn.sequential(nn.linear(2, 3))
  expect(() => model.summary([4, 5])).toThrow('linear: expected an input of shape […, 2], got [4, 5]')
  expect(() => model.summary()).toThrow('summary: expected an input, or its shape, got undefined')
  expect(() => model.summary([-1, 2])).toThrow(g.ShapeError)
  expect(Object.hasOwn(model[0]!, 'forward')).toBe(false)
  expect(model.forward(g.zeros([1, 2])).shape).toEqual([1, 3])
})
