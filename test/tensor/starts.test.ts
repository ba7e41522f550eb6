/** When the first values of variables are computed, and what depends on it. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { setBackend } from '../../lib/backend/active.ts'
import { startOf } from '../../lib/graph/ops/leaf.ts'
import * as g from '../../lib/index.ts'
import { cellOf } from '../../lib/tensor/variable.ts'
import { backends } from '../runtime/backends.ts'
import { countRuns } from '../support/runs.ts'

const nothing = { prepared: 0, sync: 0, async: 0, drained: 0 }

function mixedModel() {
  return [
    g.nn.linear(3, 4, { initializer: 'heNormal' }),
    g.nn.conv2d(2, 3, 3),
    g.nn.batchNorm1d(4),
    g.nn.embedding(5, 2, { paddingIndex: -2 }),
    g.nn.layerNorm([4]),
    g.nn.multiHeadAttention(8, 2),
  ] as const
}

const parametersOf = (modules: readonly { parameters(): g.Variable[] }[]) => modules.flatMap((m) => m.parameters())

describe.each(backends)('first values on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  describe('are computed when they are needed', () => {
    test('not when a model is made, and then all in one program off the event loop', async () => {
      let parameters: g.Variable[] = []
      expect(await countRuns(() => (parameters = parametersOf(mixedModel())))).toEqual(nothing)
      expect(await countRuns(() => g.evaluate(...parameters))).toEqual({ ...nothing, prepared: 1, async: 1 })
      expect(await countRuns(() => parameters.map((w) => w.dataSync()))).toEqual(nothing)
    })

    test('here and now where that is asked for', async () => {
      const w = g.variable(g.randn([3], { seed: 1 }).mul(0.375))
      expect(await countRuns(() => w.dataSync())).toMatchObject({ sync: 1, async: 0 })
      expect(w.dataSync()).toEqual(g.randn([3], { seed: 1 }).mul(0.375).dataSync())
    })

    test('by the first call of a compiled function, with which they are submitted', async () => {
      const [v, w] = [g.variable(g.randn([3], { seed: 1 })), g.variable(g.randn([3], { seed: 2 }))]
      const f = g.compile((x: g.Tensor) => v.add(w).mul(x))
      let result: unknown
      const counted = await countRuns(async () => {
        result = (await Promise.all([f(g.tensor(2)), f(g.tensor(2))]))[1]?.dataSync()
      })
      expect(counted).toEqual({ prepared: 2, sync: 0, async: 3, drained: 0 })
      const sum = g.randn([3], { seed: 1 }).add(g.randn([3], { seed: 2 }))
      expect(result).toEqual(sum.mul(2).dataSync())
    })

    test('zeros are a zeroed buffer, and no program', async () => {
      const zeros = [
        g.zeros([2, 2]),
        g.zeros([4]).reshape([2, 2]),
        g.full([2, 2], 0, { dtype: 'int32' }).cast('float32'),
      ]
      const made = await countRuns(() => {
        for (const x of zeros) expect(g.variable(x).dataSync()).toEqual(new Float32Array(4))
      })
      expect(made).toEqual(nothing)
      expect(g.variable(g.full([1], -0)).itemSync()).toBe(-0)
      expect(g.variable(g.ones([2])).arraySync()).toEqual([1, 1])
    })

    test('with the state of optimizers too', async () => {
      const w = g.variable([1, 2])
      const optimizer = g.optim.optimizer({
        name: 'adagrad',
        learningRate: 1,
        rule({ parameter, gradient, learningRate, slot }) {
          const sum = slot('sum', 0.5).add(gradient.square())
          return { parameter: parameter.sub(gradient.mul(learningRate).div(sum.sqrt())), sum }
        },
      })
      const counted = await countRuns(() => optimizer.minimizeAsync(() => w.sum()))
      expect(counted).toMatchObject({ sync: 0, drained: 0 })
      expect(optimizer.stateDict({ w })['w.sum']?.arraySync()).toEqual([1.5, 1.5])
    })
  })

  describe('training does nothing on the event loop', () => {
    const rows = 12
    const fit = (model: g.nn.Module) =>
      g.fit(model, g.data.fromTensors(g.uniform([rows, 3]), g.zeros([rows], { dtype: 'int32' })), {
        loss: 'crossEntropy',
        optimizer: g.optim.adam(),
        batchSize: 5,
        epochs: 2,
        metrics: ['accuracy'],
        validation: g.data.fromTensors(g.uniform([4, 3]), g.zeros([4], { dtype: 'int32' })),
      })
    const model = () => g.nn.sequential(g.nn.linear(3, 8), g.nn.batchNorm1d(8), g.nn.relu(), g.nn.linear(8, 2))

    test('fit', async () => {
      expect(await countRuns(() => fit(model()))).toMatchObject({ sync: 0, drained: 0 })
    })

    test('two of them at once', async () => {
      expect(await countRuns(() => Promise.all([fit(model()), fit(model())]))).toMatchObject({ sync: 0, drained: 0 })
    })

    test('minimizeAsync, its first step included', async () => {
      const [layer, optimizer] = [g.nn.linear(3, 2), g.optim.adam()]
      const loss = () =>
        layer
          .forward(g.ones([1, 3]))
          .square()
          .sum()
      const counted = await countRuns(() => Promise.all([optimizer.minimizeAsync(loss), optimizer.minimizeAsync(loss)]))
      expect(counted).toMatchObject({ sync: 0, drained: 0 })
    })
  })

  describe('are the same whenever they are computed', () => {
    test('random numbers are those of the place in the program', () => {
      const make = () => {
        g.setSeed(7)
        return [g.randn([3]), g.uniform([2]), g.randn([2])]
      }
      const expected = make().map((x) => x.dataSync())
      const variables = make().map((x) => g.variable(x))
      g.setSeed(1)
      expect(variables.toReversed().map((w) => w.dataSync())).toEqual(expected.toReversed())
    })

    test('another backend may be chosen meanwhile', () => {
      const w = g.variable(g.randn([5], { seed: 3 }))
      setBackend(backend === 'native' ? 'reference' : 'native')
      const values = w.dataSync()
      setBackend(backend)
      expect(values).toEqual(g.randn([5], { seed: 3 }).dataSync())
      expect(w.add(1).dataSync()).toEqual(g.randn([5], { seed: 3 }).add(1).dataSync())
    })

    test('a variable and one that starts from it, needed by one evaluation', async () => {
      for (const evaluate of [g.evaluate, g.evaluateSync]) {
        const a = g.variable(g.ones([2]).add(1))
        const b = g.variable(a.value.mul(3))
        const sum = a.add(b).add(g.variable(b.value.add(a.value)))
        await evaluate(sum)
        expect(sum.arraySync()).toEqual([16, 16])
      }
    })

    test('what it starts from may be updated, or read, before', async () => {
      const first = g.variable(g.randn([2], { seed: 1 }))
      const second = g.variable(first)
      const before = first.value
      const [data, sum] = [first.data(), first.add(0).data()]
      first.assign([5, 6])
      const start = g.randn([2], { seed: 1 }).dataSync()
      for (const found of [second.dataSync(), before.dataSync(), await data, await sum]) expect(found).toEqual(start)
      expect(first.arraySync()).toEqual([5, 6])
    })

    test('a compiled update that nobody waits for comes before what is read after it', async () => {
      const w = g.variable(g.ones([2]).mul(3))
      const step = g.compile(() => w.assign(w.add(1)))
      const pending = step()
      const after = w.value
      expect(await w.array()).toEqual([4, 4])
      await pending
      expect(after.arraySync()).toEqual([4, 4])
      step.sync()
      expect([w.arraySync(), after.arraySync()]).toEqual([
        [5, 5],
        [4, 4],
      ])
    })

    test('a value that exists is shared until the update', () => {
      const [x] = g.evaluateSync(g.tensor([1, 2]).add(1))
      const [v, w, flat] = [g.variable(x), g.variable(x), g.variable(x, { shape: [2, 1] })]
      g.compile(() => v.assign(v.mul(10))).sync()
      w.assign(w.sub(1))
      expect([x, v, w, flat].map((t) => t.arraySync())).toEqual([
        [2, 3],
        [20, 30],
        [1, 2],
        [[2], [3]],
      ])
      const copy = g.variable(v)
      g.compile(() => copy.assign(copy.add(1))).sync()
      g.compile(() => v.assign(v.add(2))).sync()
      expect([v, copy].map((t) => t.arraySync())).toEqual([
        [22, 32],
        [21, 31],
      ])
    })

    test('the tensor it is made from, computed before and after', () => {
      const x = g.tensor([1, 2]).mul(3)
      const w = g.variable(x)
      expect(x.arraySync()).toEqual([3, 6])
      g.compile(() => w.assign(w.add(1))).sync()
      expect([x.arraySync(), w.arraySync()]).toEqual([
        [3, 6],
        [4, 7],
      ])
    })

    test('a long chain of variables, each from the one before', async () => {
      const chain = () => {
        let last = g.variable(g.ones([1]).mul(2))
        for (let i = 0; i < 3000; i++) last = g.variable(last.add(1))
        return last
      }
      expect(chain().itemSync()).toBe(3002)
      expect(await chain().item()).toBe(3002)
    })
  })

  describe('are never computed', () => {
    test('where another value is assigned or loaded before', async () => {
      const [from, to] = [g.nn.linear(3, 2), g.nn.linear(3, 2)]
      await g.evaluate(...from.parameters())
      const counted = await countRuns(() => {
        to.loadStateDict(from.stateDict())
        to.bias?.assign([8, 9])
        expect(to.weight.dataSync()).toEqual(from.weight.dataSync())
        expect(to.bias?.arraySync()).toEqual([8, 9])
      })
      expect(counted).toEqual(nothing)
    })

    test('after a compiled function was recorded with it', async () => {
      const w = g.variable(g.tensor([1]).gather([4]))
      const f = g.compile(() => w.mul(2))
      f.program()
      w.assign([3])
      expect(await f().then((x) => x.array())).toEqual([6])
    })

    test('a second time, and what they were made from is let go of', async () => {
      const w = g.variable(g.randn([2]))
      const { leaf } = cellOf(w)
      await w.data()
      expect(() => startOf(leaf)).toThrow('does not start')
    })
  })

  test('gradients end at a variable, and find it alone', () => {
    const x = g.variable([1, 2])
    const w = g.variable(x.square())
    const y = w.mul(3).sum()
    expect(g.variablesOf(y)).toEqual([w])
    const [dw, dx] = g.gradients(y, [w, x], undefined, { allowUnused: true })
    expect([dw?.arraySync(), dx]).toEqual([[3, 3], null])
    expect(
      g
        .grad((s: g.Tensor) => w.mul(s).sum())(2)
        .itemSync(),
    ).toBe(5)
  })

  test('a former value in a compiled function is computed once, for all its calls', async () => {
    const w = g.variable(g.randn([3], { seed: 5 }))
    const outside = w.mul(2)
    w.assign(g.zeros([3]))
    const f = g.compile((x: g.Tensor) => outside.add(x))
    const counted = await countRuns(async () => {
      for (let i = 0; i < 3; i++) await f(g.tensor([1, 1, 1]))
    })
    expect(counted).toMatchObject({ sync: 0, async: 4, drained: 0 })
    const expected = g.randn([3], { seed: 5 }).mul(2).add(1)
    expect((await f(g.tensor([1, 1, 1]))).arraySync()).toEqual(expected.arraySync())
    expect(
      g
        .compile((x: g.Tensor) => outside.add(x))
        .sync(g.tensor([1, 1, 1]))
        .arraySync(),
    ).toEqual(expected.arraySync())
  })

  describe('what is wrong with them', () => {
    const message = 'gather: expected indices in [0, 1), got 4 at position 0'
    const bad = () => g.variable(g.tensor([1]).gather([4]))

    test('is said at the first use, and at the next', async () => {
      const [w, v] = [bad(), g.variable(g.tensor([1]).add(1))]
      const step = g.compile(() => v.assign(v.add(w)))
      await expect(w.data()).rejects.toThrow(message)
      await expect(step()).rejects.toThrow(message)
      expect(() => step.sync()).toThrow(message)
      expect(() => w.add(v).dataSync()).toThrow(message)
      expect(v.arraySync()).toEqual([2])
    })

    test('inside compile there is no data yet', () => {
      const f = g.compile((x: g.Tensor) => g.variable(x.add(1)).mul(2))
      expect(() => f.sync(g.tensor([1]))).toThrow('expected a value that has data, got one recorded inside compile')
      expect(() => g.compile(() => g.variable(g.randn([2]))).sync()).toThrow(TypeError)
      const made = g.compile((x: g.Tensor) => g.variable(g.ones([1]).mul(4)).mul(x))
      expect(made.sync(g.tensor([2])).arraySync()).toEqual([8])
    })

    test('more than there is memory, where it is made', () => {
      const limit = vi.spyOn(process, 'constrainedMemory').mockReturnValue(2 ** 27)
      expect(() => g.variable(g.ones([2 ** 26]))).toThrow(
        'variable: expected at most 134217728 bytes, the memory of this machine, got 268435456',
      )
      limit.mockRestore()
    })

    test('detectAnomaly finds NaN where it is recorded', () => {
      expect(() => g.detectAnomaly(() => void g.variable(g.tensor([-1]).sqrt()))).toThrow(/sqrt gave NaN.*starts.test/)
    })
  })

  test('inspect and profile compute them', () => {
    const w = g.variable(g.randn([2]))
    expect(g.inspect((x: g.Tensor) => w.assign(w.mul(x)), g.tensor(2), { profile: true }).microseconds).toBeGreaterThan(
      0,
    )
  })
})
