/** Two copies of the library in one process, as Jest makes them for each test file, and values of other realms. */
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { version } from '../../lib/base/version.ts'
import * as g from '../../lib/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: what another copy gives has none of these types
type Any = any

vi.resetModules()
const other: Any = await import('../../lib/index.ts')

test('the version is that of the package', () => {
  expect(version).toBe(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
})

describe('of another copy', () => {
  test('a tensor is taken by its values', () => {
    expect(other.Tensor).not.toBe(g.Tensor)
    const x = other.tensor([
      [1, 2],
      [3, 4],
    ])
    expect(g.add(x, 1).arraySync()).toEqual([
      [2, 3],
      [4, 5],
    ])
    expect(g.tensor([1, 2]).mul(x).arraySync()).toEqual([
      [1, 4],
      [3, 8],
    ])
    expect(g.tensor(other.tensor([true, false])).dtype).toBe('bool')
    expect(g.variable(other.tensor([1, 2], { dtype: 'int32' })).dtype).toBe('int32')
    expect(g.concat([x, g.ones([1, 2])]).shape).toEqual([3, 2])
    expect(g.ones([3, 2]).gather(other.tensor([0, 2], { dtype: 'int32' })).shape).toEqual([2, 2])
    expect(g.nn.linear(2, 3).forward(x).shape).toEqual([2, 3])
    expect(g.data.fromTensors(x, [0, 1]).size).toBe(2)
  })

  test('a variable, or a tensor that has a history or is to be computed, is refused', () => {
    const w = other.variable([1, 2])
    const squared = w.square()
    squared.dataSync()
    for (const [x, kind] of [
      [w, 'variable'],
      [squared, 'tensor'],
      [other.tensor([1, 2]).exp(), 'tensor'],
    ])
      expect(() => g.add(x, 1)).toThrow(new RegExp(`^add: expected .*, got a ${kind} of another copy of galvani`))
  })

  test('a module, optimizer or data set is refused', async () => {
    const fit = (model: Any, data: Any, optimizer: Any) => g.fit(model, data, { loss: 'mse', optimizer })
    const [model, data, sgd] = [g.nn.linear(1, 1), g.data.fromTensors([[1]], [[1]]), g.optim.sgd({ learningRate: 1 })]
    await expect(fit(other.nn.linear(1, 1), data, sgd)).rejects.toThrow(/^fit: .* a module of another copy of galvani/)
    await expect(fit(model, other.data.fromTensors([[1]], [[1]]), sgd)).rejects.toThrow(/ a data set of another copy/)
    await expect(fit(model, data, other.optim.sgd({ learningRate: 1 }))).rejects.toThrow(
      / an optimizer of another copy/,
    )
    expect(() => g.nn.sequential(other.nn.relu())).toThrow(/^sequential: .* a module of another copy of galvani/)
    class Own extends g.nn.Module {
      inner = other.nn.linear(1, 1)
      forward(x: g.Tensor) {
        return x
      }
    }
    expect(() => new Own().parameters()).toThrow(
      /^Module: expected a part inner of this copy, got a module of another copy/,
    )
    expect(() => g.gradients(other.tensor(1), [])).toThrow(/^gradients: .* a tensor of another copy of galvani/)
  })

  test('who only says so is not believed', () => {
    const brand = Symbol.for('galvani.brand')
    const liar = { [brand]: { kind: 'tensor', version: '9' }, graph: () => '', dataSync: () => 'x', shape: [1] }
    expect(() => g.add(liar as Any, 1)).toThrow(/^add: expected a tensor/)
    const wrong = { ...liar, dataSync: () => Float32Array.of(1, 2), shape: [3], dtype: 'float32' }
    expect(() => g.add(wrong as Any, 1)).toThrow(g.ShapeError)
  })
})

describe('of another realm', () => {
  const evaluated = (text: string): Any => runInNewContext(text)

  test.each([
    ['Float32Array', 'float32'],
    ['Float64Array', 'float64'],
    ['Uint8Array', 'uint8'],
    ['Uint8ClampedArray', 'uint8'],
    ['Int8Array', 'int32'],
    ['Int16Array', 'int32'],
    ['Uint16Array', 'int32'],
    ['Int32Array', 'int32'],
  ])('%s is %s', (name, dtype) => {
    const x = g.tensor(evaluated(`new ${name}([1, 2])`))
    expect([x.dtype, x.arraySync()]).toEqual([dtype, [1, 2]])
    expect(g.tensor(evaluated(`new ${name}([1, 2])`), { dtype: 'int32' }).arraySync()).toEqual([1, 2])
  })

  test('buffers, arrays, options, trees, patterns, maps, promises', async () => {
    expect(g.tensor(Buffer.from([1, 2])).dtype).toBe('uint8')
    expect(g.tensor(evaluated('[[1, 2], [3, 4]]'), evaluated("({ dtype: 'int32' })")).sum().itemSync()).toBe(10)
    const f = g.compile((x: { a: g.Tensor }) => x.a.add(1))
    expect(f.sync(Object.assign(evaluated('({})'), { a: g.tensor(1) })).itemSync()).toBe(2)
    const model = g.nn.sequential(g.nn.linear(1, 1))
    expect(model.freeze(evaluated('/bias/')).parameters()).toHaveLength(1)
    class Own extends g.nn.Module {
      parts = evaluated('new Map()').set('a', g.nn.linear(1, 1))
      forward(x: g.Tensor) {
        return x
      }
    }
    expect(Object.keys(new Own().namedParameters())).toEqual(['parts.a.weight', 'parts.a.bias'])
    const late = evaluated('Promise.resolve(1)')
    expect(() => g.compile(() => late).sync()).toThrow(/a function that is not async/)
  })
})
