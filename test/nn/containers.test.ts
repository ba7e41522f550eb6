/** Modules that hold others, and what a module says of those in it. */
import { expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { expectClose } from '../support/close.ts'

const { nn } = g

const named = () =>
  nn.sequential({
    hidden: nn.linear(2, 3, { seed: 1 }),
    act: (x: g.Tensor) => x.relu(),
    head: nn.linear(3, 1, { seed: 2 }),
  })

test('a sequence of named layers computes what one of the same layers does, and names its parameters by them', () => {
  const model = named()
  const { hidden, head } = model
  const x = g.tensor([[0.5, -1]])
  const plain = nn.sequential(hidden, nn.relu(), head)
  expect(model.forward(x).arraySync()).toEqual(plain.forward(x).arraySync())
  expect(Object.keys(model.namedParameters())).toEqual(['hidden.weight', 'hidden.bias', 'head.weight', 'head.bias'])
  expect(String(model)).toBe(`Sequential(
  (hidden): Linear(inFeatures=2, outFeatures=3, bias=true)
  (act): Lambda(fn=act)
  (head): Linear(inFeatures=3, outFeatures=1, bias=true)
)`)
  expect(model).toHaveLength(3)
  expect([...model]).toEqual([hidden, model.act, head])
})

test('pairs of name and layer keep the order that a record would not', () => {
  const model = nn.sequential([
    ['10', nn.linear(2, 3)],
    ['2', nn.linear(3, 4)],
  ])
  expect(model.forward(g.zeros([1, 2])).shape).toEqual([1, 4])
  expect((model as unknown as Record<string, g.nn.Linear>)['2']!.weight.shape).toEqual([4, 3])
})

test('names that are none are refused', () => {
  const layer = nn.relu()
  for (const name of ['a.b', '', 'forward', 'training', 'constructor', '__proto__'])
    expect(() => nn.sequential([[name, layer]]), name).toThrow(RangeError)
  expect(() =>
    nn.sequential([
      ['a', layer],
      ['a', layer],
    ]),
  ).toThrow('sequential: expected other names for its modules, got "a"')
  expect(() => nn.sequential({ a: 1 as never })).toThrow('sequential: expected modules and functions, got 1 at a')
  expect(() => nn.moduleDict({ parameters: layer })).toThrow(RangeError)
  expect(() => nn.moduleDict({ a: 1 as never })).toThrow(TypeError)
  expect(() => nn.moduleList([layer, 1 as never])).toThrow('moduleList: expected modules, got 1 at 1')
})

test('a list of modules is trained, saved and walked through like any part', () => {
  const blocks = nn.moduleList([nn.linear(2, 2), nn.linear(2, 2)])
  blocks.append(nn.linear(2, 1)).extend([nn.linear(1, 1)])
  class Deep extends nn.Module {
    blocks = blocks
    forward(x: g.Tensor): g.Tensor {
      return [...this.blocks].reduce((y, block) => block.forward(y), x)
    }
  }
  const model = new Deep()
  expect(blocks).toHaveLength(4)
  expect(blocks.at(-1)).toBe(blocks[3])
  expect(model.forward(g.ones([1, 2])).shape).toEqual([1, 1])
  expect(Object.keys(model.stateDict())).toHaveLength(8)
  expect(Object.keys(model.namedParameters())[0]).toBe('blocks.0.weight')
  expect(() => (blocks as unknown as g.nn.Module).forward(g.ones([1]))).toThrow(TypeError)
  expect(() => blocks.extend([nn.linear(1, 1), null as never])).toThrow(TypeError)
  expect(blocks).toHaveLength(4)
})

test('modules by name are replaced and taken out', () => {
  const heads = nn.moduleDict({ digits: nn.linear(4, 10), letters: nn.linear(4, 26) })
  heads.set('digits', nn.linear(4, 2))
  expect(heads.get('digits')?.weight.shape).toEqual([2, 4])
  expect(Object.keys(heads.namedChildren())).toEqual(['digits', 'letters'])
  expect([heads.delete('letters'), heads.delete('letters'), heads.has('letters'), heads.size]).toEqual([
    true,
    false,
    false,
    1,
  ])
  expect(Object.keys(heads.namedParameters())).toEqual(['digits.weight', 'digits.bias'])
  expect([...heads].map(([name]) => name)).toEqual(heads.keys())
})

test('modules, children and buffers are found by their paths, each once', () => {
  const norm = nn.batchNorm1d(2)
  const inner = nn.sequential(norm, nn.linear(2, 2))
  class Net extends nn.Module {
    blocks = [inner, nn.sequential(norm)]
    count = g.variable(0, { trainable: false })
    forward(x: g.Tensor): g.Tensor {
      return x
    }
  }
  const net = new Net()
  expect(Object.keys(net.namedModules())).toEqual(['', 'blocks.0', 'blocks.0.0', 'blocks.0.1', 'blocks.1'])
  expect(net.modules()).toEqual([net, inner, norm, inner[1], net.blocks[1]])
  expect(net.namedChildren()).toEqual({ 'blocks.0': inner, 'blocks.1': net.blocks[1] })
  expect(net.children()).toEqual(net.blocks)
  const buffers = ['blocks.0.0.runningMean', 'blocks.0.0.runningVariance', 'count']
  expect(Object.keys(net.namedBuffers())).toEqual(buffers)
  net.freeze()
  expect(Object.keys(net.namedBuffers())).toEqual(buffers)
  expect(net.buffers()).toEqual(Object.values(net.namedBuffers()))
})

test('apply comes to a module after those in it', () => {
  const model = nn.sequential(nn.sequential(nn.linear(1, 1), nn.relu()), nn.linear(1, 1))
  const paths: string[] = []
  const result = model.apply((module, path) => {
    paths.push(path)
    if (module instanceof nn.Linear) module.weight.assign([[7]])
  })
  expect(result).toBe(model)
  expect(paths).toEqual(['0.0', '0.1', '0', '1', ''])
  expect(model.parameters()[0]!.arraySync()).toEqual([[7]])
  expect(() => model.apply(async () => {})).toThrow('apply: expected a function that is not async')
})

class Tied extends nn.Module {
  embedding = nn.embedding(5, 3, { seed: 1 })
  head = nn.linear(3, 5, { bias: false })
  constructor(isTied: boolean) {
    super()
    if (isTied) this.head.weight = this.embedding.weight
    else this.head.weight.assign(this.embedding.weight.value)
  }
  forward(x: g.Tensor): g.Tensor {
    return this.head.forward(this.embedding.forward(x))
  }
}

test('a weight of two layers is one parameter, whose gradient is the sum of those of two', () => {
  const [tied, untied] = [new Tied(true), new Tied(false)]
  const x = g.tensor(Int32Array.of(0, 3, 3))
  const y = g.tensor(Int32Array.of(1, 4, 2))
  const gradients = (model: Tied) =>
    g.gradients(g.losses.crossEntropy(model.forward(x), y), model.parameters()).map((d) => d.dataSync() as Float32Array)
  const [sum, ...none] = gradients(tied)
  const [a, b] = gradients(untied)
  expect(none).toEqual([])
  expectClose(
    sum!,
    a!.map((x, i) => x + b![i]!),
    1e-6,
  )
  expect(Object.keys(tied.stateDict())).toEqual(['embedding.weight'])
})

test('a weight of two layers stays one when it is loaded and trained', () => {
  const tied = new Tied(true)
  const other = new Tied(true)
  other.loadStateDict({ ...tied.stateDict(), 'head.weight': tied.embedding.weight })
  expect(other.head.weight).toBe(other.embedding.weight)
  expect(other.embedding.weight.arraySync()).toEqual(tied.embedding.weight.arraySync())
  const step = g.compile((x: g.Tensor, y: g.Tensor) =>
    g.optim.sgd({ learningRate: 0.5 }).minimize(() => g.losses.crossEntropy(other.forward(x), y), other.parameters()),
  )
  step.sync(g.tensor(Int32Array.of(0, 1)), g.tensor(Int32Array.of(1, 2)))
  expect(other.head.weight.arraySync()).toEqual(other.embedding.weight.arraySync())
  expect(other.head.weight.arraySync()).not.toEqual(tied.head.weight.arraySync())
})
