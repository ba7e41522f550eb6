/** Modules as text. */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

test('a sequence shows its layers with their options, one in another', () => {
  const model = g.nn.sequential(
    g.nn.conv2d(1, 8, 3, { padding: 'same' }),
    g.nn.relu(),
    g.nn.maxPool2d(2),
    g.nn.flatten(),
    g.nn.sequential(g.nn.linear(1568, 10, { bias: false }), (x) => x.softmax()),
  )
  expect(inspect(model)).toBe(`Sequential(
  (0): Conv2d(inChannels=1, outChannels=8, kernelSize=3, padding=same)
  (1): ReLU()
  (2): MaxPool2d(kernelSize=2)
  (3): Flatten()
  (4): Sequential(
    (0): Linear(inFeatures=1568, outFeatures=10, bias=false)
    (1): Lambda(fn=a function)
  )
)`)
})

test('a module of the user shows its class, its own words, and modules in arrays and objects by their paths', () => {
  class Net extends g.nn.Module {
    blocks = [g.nn.layerNorm(4), g.nn.dropout(0.1)]
    heads = { out: g.nn.linear(4, 2) }
    override extraRepr(): string {
      return 'depth=2'
    }
    forward(x: g.Tensor): g.Tensor {
      return x
    }
  }
  expect(String(new Net())).toBe(`Net(depth=2
  (blocks.0): LayerNorm(shape=[4])
  (blocks.1): Dropout(rate=0.1)
  (heads.out): Linear(inFeatures=4, outFeatures=2, bias=true)
)`)
})

test('a module without modules is one line', () => {
  expect([g.nn.batchNorm2d(3), g.nn.gelu({ approximate: 'tanh' }), g.nn.embedding(5, 2)].map(String)).toEqual([
    'BatchNorm2d(features=3, momentum=0.1, epsilon=0.00001, affine=true)',
    'GELU(approximate=tanh)',
    'Embedding(count=5, features=2)',
  ])
  expect(inspect(g.nn.transformerEncoderLayer(4, 2, { feedForward: 8 }))).toContain('MultiHeadAttention(')
})
