/** What users hold and what the library holds are never the same memory or the same list, and nothing private is in reach. */

import { serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

const matrix = () =>
  g.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])

/** Everything that a property or a symbol leads to. */
function reachable(root: object): Set<unknown> {
  const found = new Set<unknown>()
  const visit = (x: unknown) => {
    if (x === null || (typeof x !== 'object' && typeof x !== 'function') || found.has(x)) return
    found.add(x)
    for (const key of Reflect.ownKeys(x)) {
      const { value, get } = Object.getOwnPropertyDescriptor(x, key)!
      visit(value)
      if (get !== undefined && key !== '__proto__') visit(Reflect.get(x, key, root === x ? root : x))
    }
  }
  visit(root)
  return found
}

describe('Shapes', () => {
  test('are copies', () => {
    const x = matrix()
    const w = g.variable(x)
    for (const { shape } of [x, w, x.exp(), x.reshape([3, 2])]) {
      const list = shape as number[]
      list.reverse()
      list.push(1)
    }
    for (const y of [x, w]) expect(y.sum(0).arraySync()).toEqual([5, 7, 9])
  })

  test.each<[string, (shape: number[]) => g.Tensor]>([
    ['variable of a tensor', (shape) => g.variable(matrix(), { shape })],
    ['variable of numbers', (shape) => g.variable([1, 2, 3, 4, 5, 6], { shape })],
    ['tensor', (shape) => g.tensor([1, 2, 3, 4, 5, 6], { shape })],
    ['zeros', (shape) => g.zeros(shape)],
    ['full', (shape) => g.full(shape, 2)],
    ['randn', (shape) => g.randn(shape)],
    ['uniform', (shape) => g.uniform(shape)],
    ['randint', (shape) => g.randint(shape, 5)],
    ['gamma', (shape) => g.gamma(shape, { concentration: 2 })],
    ['bernoulli', (shape) => g.bernoulli(shape)],
    ['reshape', (shape) => matrix().reshape(shape)],
    ['broadcastTo', (shape) => g.tensor([1, 2, 3]).broadcastTo(shape)],
  ])('that were given to %s belong to whoever gave them', (_name, make) => {
    const shape = [2, 3]
    const x = make(shape)
    expect(x.shape).toEqual([2, 3])
    shape.reverse()
    shape.push(1)
    expect(x.shape).toEqual([2, 3])
    expect(x.dataSync().length).toBe(6)
  })
})

describe('Nothing that is private can be reached', () => {
  test.each<[string, () => object]>([
    ['a tensor', () => matrix()],
    ['one that is computed', () => g.evaluateSync(matrix().matmul(g.ones([3, 3])))[0]],
    ['a variable', () => g.variable(matrix(), { name: 'w' })],
    ['a layer', () => g.nn.linear(3, 2)],
    ['an optimizer', () => g.optim.adam()],
    ['a data set', () => g.data.fromTensors(matrix(), [0, 1])],
    ['a compiled function', () => g.compile((x) => x.exp())],
    ['a stream of random numbers', () => g.randomStream(1)],
  ])('from %s', (_name, make) => {
    const object = make()
    const found = [...reachable(object)]
    expect(found).toContain(object)
    expect(found.filter((x) => ArrayBuffer.isView(x) || x instanceof ArrayBuffer)).toEqual([])
    expect(found.filter((x) => ['Node', 'Cell'].includes((x as object).constructor?.name))).toEqual([])
  })

  test('by a call of a constructor, or an object that only inherits', () => {
    const make = (of: unknown) => new (of as new (x: unknown) => unknown)({ dtype: 'float32', shape: [] })
    expect(() => make(g.Tensor)).toThrow('Tensor: expected tensor(values), got a call of its constructor')
    expect(() => make(g.Variable)).toThrow('Variable: expected variable(values), got a call of its constructor')
    const imitation = Object.create(g.Tensor.prototype) as g.Tensor
    expect(() => imitation.add(1)).toThrow('Tensor: expected a tensor, got an object that only inherits from Tensor')
    expect(() => imitation.shape).toThrow(TypeError)
    expect(() => (Object.create(g.Variable.prototype) as g.Variable).value).toThrow('Variable: expected a variable')
  })
})

describe('A copy of a tensor', () => {
  /** Whose recorded graph has a path for each of 2⁶⁴ sums. */
  const doubled = () => {
    let x: g.Tensor = g.variable([1, 2])
    for (let i = 0; i < 64; i++) x = x.add(x)
    return x
  }

  test('is its type in JSON', () => {
    expect(JSON.stringify({ x: doubled(), w: g.variable(1, { name: 'w' }) })).toBe(
      '{"x":{"dtype":"float32","shape":[2]},"w":{"dtype":"float32","shape":[],"name":"w"}}',
    )
  })

  test('so are optimizers, data sets and random streams', () => {
    const objects = [g.optim.adam(), g.data.fromTensors(matrix(), [0, 1]), g.randomStream(1)]
    for (const object of objects)
      expect(() => structuredClone(object)).toThrow(/(optimizer|data set|stream): send .* could not be cloned/)
  })

  test('is refused with a remedy elsewhere', () => {
    for (const copy of [structuredClone, serialize])
      for (const x of [doubled(), g.variable(1), g.nn.linear(2, 2), { x: [g.ones([2])] }])
        expect(() => copy(x)).toThrow(/a tensor: send its data\(\) and shape.* could not be cloned/)
  })
})
