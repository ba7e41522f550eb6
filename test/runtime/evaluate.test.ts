import { totalmem } from 'node:os'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { activeBackend, backendInfo, setBackend } from '../../lib/backend/active.ts'
import { evaluatedCount } from '../../lib/runtime/evaluate.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import { evaluate, evaluateSync, nodeOf, type Tensor } from '../../lib/tensor/tensor.ts'
import { variable } from '../../lib/tensor/variable.ts'
import { gradients } from '../../lib/transforms/gradients.ts'
import { backends } from './backends.ts'

/** How many executables come to be. */
function newExecutables(run: () => void): number {
  const before = evaluatedCount()
  expect(before).toBeLessThan(250)
  run()
  return evaluatedCount() - before
}

/** A graph that no other test makes: a chain of so many additions, by a number of its own. */
function chain(x: Tensor, length: number, by: number): Tensor {
  for (let i = 0; i < length; i++) x = x.add(by)
  return x
}

describe.each(backends)('evaluation on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  describe('lazily', () => {
    test('nothing is computed until it is asked for', () => {
      const bad = tensor([[1], [2]]).gather(tensor([5], { dtype: 'int32' }))
      const sum = bad.add(1).sum()
      expect(() => sum.itemSync()).toThrow('gather: expected indices in [0, 2), got 5 at position 0')
    })

    test('a failure may be repeated, and leaves the operands alone', async () => {
      const x = tensor([[1], [2]])
      const bad = x.gather(tensor([-1], { dtype: 'int32' }))
      await expect(bad.data()).rejects.toThrow(RangeError)
      await expect(evaluate(bad, x.add(1))).rejects.toThrow(RangeError)
      expect(() => bad.dataSync()).toThrow(RangeError)
      expect(x.arraySync()).toEqual([[1], [2]])
    })

    test('what was evaluated is not computed again', () => {
      const x = randn([4])
      const y = x.mul(2)
      const [first, again] = [x.arraySync(), x.arraySync()]
      expect(again).toEqual(first)
      expect(y.arraySync()).toEqual((first as number[]).map((v) => 2 * v))
    })
  })

  test('a structure is lowered and prepared once', () => {
    const w = variable([[0.5], [0.25]])
    const step = (x: Tensor) => {
      const loss = chain(x.matmul(w), 3, 0.375).sum()
      return [loss, ...gradients(loss, [w])]
    }
    const prepare = vi.spyOn(activeBackend(), 'prepare')
    for (let i = 0; i < 5; i++) evaluateSync(...step(tensor([[i, 1]])))
    expect(prepare).toHaveBeenCalledTimes(1)
    prepare.mockRestore()
  })

  describe('results', () => {
    test('several in one program', () => {
      const x = tensor([1, 2, 3])
      const [y, z] = [chain(x, 5, 0.125), chain(x, 6, 0.125)]
      expect(newExecutables(() => evaluateSync(y, z, y, x))).toBe(1)
      expect(newExecutables(() => [y, z].map((t) => t.dataSync()))).toBe(0)
      expect([y.arraySync(), z.arraySync()]).toEqual([
        [1.625, 2.625, 3.625],
        [1.75, 2.75, 3.75],
      ])
    })

    test('one that another one is made from', async () => {
      const x = tensor([1, 2])
      const y = x.add(1)
      const z = y.mul(2)
      const w = z.reshape([2, 1])
      expect(await evaluate(w, z, y)).toEqual([w, z, y])
      expect([y, z, w].map((t) => t.arraySync())).toEqual([
        [2, 3],
        [4, 6],
        [[4], [6]],
      ])
    })

    test('nothing is a program without results', async () => {
      expect(evaluateSync()).toEqual([])
      expect(await evaluate()).toEqual([])
    })

    test('a graph goes on from what was evaluated', () => {
      const y = tensor([1, 2]).mul(3)
      const before = y.add(1)
      y.dataSync()
      expect([before.arraySync(), y.add(2).arraySync()]).toEqual([
        [4, 7],
        [5, 8],
      ])
    })

    test.each([
      ['float32', [1.5, -2], [1.5, -2], Float32Array],
      ['float64', [0.1, -2], [0.1, -2], Float64Array],
      ['int32', [1, -2], [1, -2], Int32Array],
      ['uint8', [1, 254], [1, 254], Uint8Array],
      ['bool', [1, 0], [true, false], Uint8Array],
    ] as const)('data, array and item of %s', async (dtype, values, nested, type) => {
      const make = () => tensor(values, { dtype }).reshape([1, 2, 1]).transpose()
      expect(await make().data()).toEqual(type.from(values))
      expect(make().dataSync()).toEqual(type.from(values))
      const array = [nested.map((x) => [x])]
      expect([await make().array(), make().arraySync()]).toEqual([array, array])
      const one = make().slice([0, 1], [1, 2])
      expect([await one.item(), one.itemSync()]).toEqual([values[1], values[1]])
    })

    test('item wants one element', async () => {
      expect(() => tensor([1, 2]).itemSync()).toThrow('item: expected a tensor of one element, got [2]')
      await expect(tensor([]).item()).rejects.toThrow('item: expected a tensor of one element, got [0]')
    })
  })

  describe('copies', () => {
    test('the source array may change', () => {
      const source = Float32Array.of(1, 2)
      const x = tensor(source)
      const y = x.add(1)
      const [v, w] = [variable(source), variable(tensor(source))]
      source.fill(9)
      expect([x, y, v, w].map((t) => t.arraySync())).toEqual([
        [1, 2],
        [2, 3],
        [1, 2],
        [1, 2],
      ])
    })

    test('what data gives may change, and may be transferred', async () => {
      const [x, y, v] = [tensor([1, 2]), tensor([1, 2]).mul(1), variable([1, 2])]
      for (const t of [x, y, v]) {
        t.dataSync().fill(9)
        ;(await t.data()).fill(9)
        structuredClone(0, { transfer: [t.dataSync().buffer, (await t.data()).buffer] })
        expect(t.arraySync()).toEqual([1, 2])
      }
    })
  })

  describe('history', () => {
    test('an evaluated value lets go of what it was made from', async () => {
      const y = tensor([1, 2]).mul(3).add(1)
      const z = tensor([1, 2]).mul(3).add(1)
      y.dataSync()
      await z.data()
      expect([nodeOf(y).inputs, nodeOf(z).inputs]).toEqual([[], []])
    })

    test('unless it descends from a variable', async () => {
      const v = variable([1, 2])
      const loss = v.square().sum()
      await loss.item()
      const [dv] = gradients(loss, [v])
      expect(dv.arraySync()).toEqual([2, 4])
    })

    test('stopGradient ends it', () => {
      const x = variable([1, 2]).mul(3).stopGradient()
      x.dataSync()
      expect(nodeOf(x).inputs).toEqual([])
    })
  })

  describe('the cache of executables', () => {
    test('one for a structure, whatever the data', () => {
      const evaluateChain = (values: number[]) => chain(tensor(values), 9, 0.5).arraySync()
      expect(newExecutables(() => evaluateChain([1, 2]))).toBe(1)
      expect(newExecutables(() => expect(evaluateChain([3, 4])).toEqual([7.5, 8.5]))).toBe(0)
    })

    test('one for a structure, whatever its leaves were made from', () => {
      let x = tensor([1, 2])
      const step = () => {
        x = chain(x, 10, 0.25)
        x.dataSync()
      }
      expect(newExecutables(step)).toBe(1)
      expect(newExecutables(() => Array.from({ length: 20 }, step))).toBe(0)
    })

    test('and whenever they were evaluated', () => {
      let x = tensor([1, 2])
      const step = () => {
        const next = chain(x, 11, 0.25)
        x.dataSync()
        x = next
      }
      step()
      expect(newExecutables(step)).toBe(1)
      expect(newExecutables(() => Array.from({ length: 20 }, step))).toBe(0)
      expect(x.arraySync()).toEqual([1 + 22 * 11 * 0.25, 2 + 22 * 11 * 0.25])
    })

    test('another one for another dtype, shape, operation, parameter, wiring or choice of results', () => {
      const x = tensor([
        [1, 2],
        [3, 4],
      ])
      const y = tensor([
        [5, 6],
        [7, 8],
      ])
      const graphs: (() => Tensor[])[] = [
        () => [chain(x, 12, 0.5)],
        () => [chain(x, 13, 0.5)],
        () => [chain(x.reshape([4]), 12, 0.5)],
        () => [chain(x.cast('float64'), 12, 0.5)],
        () => [chain(x, 12, 0.5).sum(0)],
        () => [chain(x, 12, 0.5).sum(1)],
        () => [chain(x, 12, 0.5).max(1)],
        () => [chain(x.transpose(), 12, 0.5)],
        () => [chain(x, 12, 0.5).sub(y)],
        () => [y.sub(chain(x, 12, 0.5))],
        () => [chain(x, 12, 0.5).sub(x)],
        () => [chain(x, 12, 0.5), x.add(y)],
        () => [x.add(y), chain(x, 12, 0.5)],
      ]
      for (const graph of graphs)
        expect(
          newExecutables(() => evaluateSync(...graph())),
          String(graph),
        ).toBe(1)
      for (const graph of graphs)
        expect(
          newExecutables(() => evaluateSync(...graph())),
          String(graph),
        ).toBe(0)
    })

    test('numbers that print alike are told apart', () => {
      const x = tensor([1, -1])
      expect(x.div(0).arraySync()).toEqual([Infinity, -Infinity])
      expect(x.div(-0).arraySync()).toEqual([-Infinity, Infinity])
      expect(x.mul(NaN).arraySync()).toEqual([NaN, NaN])
    })
  })

  describe('concurrently', () => {
    test('asynchronous evaluations of one value', async () => {
      const x = randn([8]).mul(2)
      const [a, b, c] = await Promise.all([x.data(), x.data(), x.add(0).data()])
      expect([b, c, x.dataSync()]).toEqual([a, a, a])
    })

    test('a synchronous evaluation while an asynchronous one is under way', async () => {
      const x = randn([8]).mul(2)
      const running = x.data()
      const here = x.dataSync()
      expect(await running).toEqual(here)
      expect(nodeOf(x).inputs).toEqual([])
    })

    test('many at once, each with its own result', async () => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, i) => tensor([i, i]).square().sum().item()))
      expect(results).toEqual(results.map((_, i) => 2 * i * i))
    })

    test('a failure is that of its own promise alone', async () => {
      const table = tensor([[1], [2]])
      const lookups = [0, 7, 1].map((i) => table.gather(tensor([i], { dtype: 'int32' })).item())
      const outcomes = await Promise.allSettled(lookups)
      expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))).toEqual([
        1,
        'failed',
        2,
      ])
    })
  })

  test('float64 is computed, and mixes with float32', async () => {
    const x = tensor([0.1, 0.2], { dtype: 'float64' })
    expect(x.add(0.1).arraySync()).toEqual([0.2, 0.30000000000000004])
    const y = tensor([0.1, 0.2]).cast('float64').add(x).cast('float32').mul(2)
    expect([await y.array(), backendInfo().backend]).toEqual([Array.from(Float32Array.of(0.4, 0.8)), backend])
  })

  test('what needs more than this machine has is refused', async () => {
    const gibibyte = () => randn([2 ** 28])
    const results = Array.from({ length: Math.ceil(totalmem() / 2 ** 30) + 1 }, gibibyte)
    expect(() => evaluateSync(...results)).toThrow(
      /^evaluate: expected at most \d+ bytes, the memory of this machine, got \d+: random makes float32\[268435456\]$/,
    )
    await expect(evaluate(...results)).rejects.toThrow(RangeError)
    expect(tensor([1, 2]).sum().itemSync()).toBe(3)
  })
})

describe.each(backends)('a full cache of executables on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  test('is bounded, and keeps what was used last', () => {
    const prepare = vi.spyOn(activeBackend(), 'prepare')
    const recent = () => chain(tensor([0]), 14, 1).dataSync()
    const other = (i: number) => tensor([1]).leakyRelu(i).dataSync()
    const prepared = (run: () => unknown): number => {
      prepare.mockClear()
      run()
      return prepare.mock.calls.length
    }
    recent()
    for (let i = 0; i < 300; i++) {
      other(i + 0.5)
      if (i % 50 === 0) recent()
    }
    expect(evaluatedCount()).toBe(256)
    expect([prepared(recent), prepared(() => other(299.5)), prepared(() => other(0.5))]).toEqual([0, 0, 1])
    expect(evaluatedCount()).toBe(256)
    prepare.mockRestore()
  })

  test('takes the same structure for another backend', () => {
    const f = () => chain(tensor([1]), 15, 2).itemSync()
    f()
    for (let i = 0; i < 255; i++)
      tensor([1])
        .leakyRelu(i + 0.25)
        .dataSync()
    setBackend(backend === 'reference' ? backends[0]! : 'reference')
    expect(f()).toBe(31)
  })

  test('an executable may leave it while its run is in flight', async () => {
    const runs = Array.from({ length: 600 }, (_, i) => tensor([-i]).leakyRelu(i).item())
    expect(await Promise.all(runs)).toEqual(runs.map((_, i) => -i * i))
  })
})
