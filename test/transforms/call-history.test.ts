/** Gradients through the results of compiled functions: the right ones, or an error. */
import { beforeEach, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backendNames } from '../support/backends.ts'

const x2 = () => g.tensor([2])
const cube = () => g.compile((x: g.Tensor) => x.pow(3))

type Refused = (x: g.Tensor) => g.Tensor

describe.each(backendNames)('gradients through compiled functions on %s', (backend) => {
  beforeEach(() => g.setBackend(backend))

  describe('of arguments', () => {
    test.each([
      ['grad', (f: g.Compiled<[g.Tensor], g.Tensor>) => g.grad((x) => x.square().add(f.sync(x)))(x2())],
      [
        'valueAndGrad',
        (f: g.Compiled<[g.Tensor], g.Tensor>) => g.valueAndGrad((x) => x.square().add(f.sync(x)))(x2()).gradient,
      ],
      [
        'vjp',
        (f: g.Compiled<[g.Tensor], g.Tensor>) => g.vjp((x: g.Tensor) => x.square().add(f.sync(x)), x2()).pullback(),
      ],
      [
        'jvp',
        (f: g.Compiled<[g.Tensor], g.Tensor>) =>
          g.jvp((x: g.Tensor) => x.square().add(f.sync(x)), [x2()], [[1]]).tangent,
      ],
      [
        'jacobian',
        (f: g.Compiled<[g.Tensor], g.Tensor>) =>
          g
            .jacobian((x: g.Tensor) => x.square().add(f.sync(x)))(x2())
            .flatten(),
      ],
      [
        'the sum of its cube alone, twice',
        (f: g.Compiled<[g.Tensor], g.Tensor>) => g.grad((x) => f.sync(x).add(x.square()))(x2()),
      ],
    ])('%s', (_, gradient) => {
      expect(gradient(cube()).arraySync()).toEqual([16])
    })

    test('gradients of a variable that is an argument', () => {
      const w = g.variable([2])
      const [dw] = g.gradients(cube().sync(w.mul(1)).add(w.square()), [w])
      expect(dw.arraySync()).toEqual([16])
    })

    test('of arguments that depend on each other, and of one that is there twice', () => {
      const f = g.compile((a: g.Tensor, b: g.Tensor) => a.square().mul(b))
      // (x², x³ + …): x ↦ x²·3x, and x ↦ x²·x
      expect(
        g
          .grad((x) => f.sync(x, x.mul(3)))(x2())
          .arraySync(),
      ).toEqual([36])
      expect(
        g
          .grad((x) => f.sync(x, x))(x2())
          .arraySync(),
      ).toEqual([12])
    })

    test('of a call on the result of a call, evaluated or not', () => {
      const f = cube()
      expect(
        g
          .grad((x) => f.sync(f.sync(x)))(x2())
          .arraySync(),
      ).toEqual([9 * 256])
      expect(
        g
          .grad((x) => f.sync(f.sync(x).mul(2)))(x2())
          .arraySync(),
      ).toEqual([9 * 256 * 8])
    })

    test('of nested results', () => {
      const f = g.compile((p: { a: g.Tensor; b: g.Tensor }) => ({ sum: p.a.add(p.b), products: [p.a.mul(p.b)] }))
      const d = g.grad((a, b) => {
        const { sum, products } = f.sync({ a, b })
        return sum.add(products[0]!.mul(10))
      })([2], [3])
      expect((d as unknown as g.Tensor[]).map((x) => x.arraySync())).toEqual([[31], [21]])
    })

    test('of higher order', () => {
      const f = cube()
      const h = (x: g.Tensor) => x.square().add(f.sync(x))
      expect(g.grad(g.grad(h))(x2()).arraySync()).toEqual([14])
      expect(
        g
          .grad(g.grad(g.grad(h)))(x2())
          .arraySync(),
      ).toEqual([6])
      expect(
        g
          .hessian((x) => f.sync(x).sum())([1, 2])
          .arraySync(),
      ).toEqual([
        [6, 0],
        [0, 12],
      ])
      expect(g.hvp((x: g.Tensor) => f.sync(x).sum(), [[1, 2]], [[1, 1]])[0]!.arraySync()).toEqual([6, 12])
    })

    test('with integers, plain numbers and plain data beside them', () => {
      const f = g.compile((x: g.Tensor, i: g.Tensor, by: number, data: g.Tensor) => x.gather(i).mul(data).mul(by))
      const d = g.grad((x) => f.sync(x, g.tensor([1, 1], { dtype: 'int32' }), 5, g.tensor([1, 2])).sum())([1, 2])
      expect(d.arraySync()).toEqual([0, 15])
    })

    test('a value that the function stops has none', () => {
      const f = g.compile((x: g.Tensor) => x.square().stopGradient())
      expect(
        g
          .grad((x) => x.add(f.sync(x)))(x2())
          .arraySync(),
      ).toEqual([1])
      expect(() => g.grad((x) => f.sync(x))(x2())).toThrow(g.GradientError)
    })
  })

  describe('of what the function found', () => {
    test('a variable, sync, async and after the fact', async () => {
      const w = g.variable([3])
      const f = g.compile((x: g.Tensor) => x.mul(w).square())
      expect(g.gradients(f.sync(x2()), [w])[0].arraySync()).toEqual([24])
      const y = await f(x2())
      expect(y.arraySync()).toEqual([36])
      expect(g.gradients(y.add(w), [w])[0].arraySync()).toEqual([25])
      expect(g.variablesOf(y)).toEqual([w])
    })

    test('a variable that is not trained', () => {
      const w = g.variable([3], { trainable: false })
      const y = g.compile((x: g.Tensor) => x.mul(w)).sync(x2())
      expect(g.gradients(y, [w])[0].arraySync()).toEqual([2])
    })

    test('a value that is being differentiated', () => {
      const d = g.grad((x) => g.compile((y: g.Tensor) => y.mul(x.square()).mul(x)).sync(g.tensor([1])))(x2())
      expect(d.arraySync()).toEqual([12])
    })

    test('a model whose penalty is not compiled is trained on both', () => {
      const w = g.variable([1, 1])
      const forward = g.compile((x: g.Tensor) => x.mul(w).sum())
      const optimizer = g.optim.sgd({ learningRate: 0.1 })
      optimizer.minimize(() => forward.sync(g.tensor([1, 2])).add(w.square().sum()))
      expect(Array.from(w.dataSync(), (v) => Math.round(v * 1e6) / 1e6)).toEqual([0.7, 0.6])
    })

    test('with the random numbers of the call', () => {
      const f = g.compile((x: g.Tensor) => g.randn([1000]).mul(x))
      g.setSeed(1)
      const w = g.variable([2])
      const y = f.sync(w)
      f.sync(w)
      expect(g.gradients(y.sum(), [w])[0].itemSync()).toBeCloseTo(y.sum().itemSync() / 2, 3)
    })

    test('in the mode of the call', () => {
      const dropout = g.nn.dropout(0.5)
      const w = g.variable([1])
      const f = g.compile((x: g.Tensor) => dropout.forward(x.mul(w)))
      const y = f.sync(g.ones([100]))
      dropout.eval()
      expect(g.gradients(y.sum(), [w])[0].itemSync()).toBe(y.sum().itemSync())
    })

    test('by a gradient rule that reads what was recorded', () => {
      const f = g.compile((x: g.Tensor, factor: g.Tensor) =>
        g.customGradient(
          (t: g.Tensor) => t.mul(factor),
          (ct) => ct.mul(factor).mul(100),
        )(x),
      )
      expect(
        g
          .grad((x) => f.sync(x, g.tensor([7])))(x2())
          .arraySync(),
      ).toEqual([700])
    })

    test('with statistics that the function updates beside its result', () => {
      const norm = g.nn.batchNorm1d(2)
      const f = g.compile((x: g.Tensor) => norm.forward(x))
      const x = g.tensor([
        [1, 2],
        [3, 5],
        [4, 4],
      ])
      const [dweight] = g.gradients(f.sync(x).square().sum(), [norm.weight!])
      expect(dweight.arraySync()).toEqual([expect.closeTo(6, 3), expect.closeTo(6, 3)])
    })

    test('checkpoints inside', () => {
      const w = g.variable([3])
      const f = g.compile((x: g.Tensor) => g.checkpoint((t: g.Tensor) => t.mul(w).square())(x))
      expect(g.gradients(f.sync(x2()).add(w), [w])[0].arraySync()).toEqual([25])
    })
  })

  describe('of the compiled function itself', () => {
    const f = cube()
    test.each([
      ['grad', () => g.grad(f)(x2())],
      ['grad of sync', () => g.grad(f.sync)(x2())],
      ['valueAndGrad', () => g.valueAndGrad(f)(x2()).gradient],
      ['vjp', () => g.vjp(f, x2()).pullback()],
      ['jvp', () => g.jvp(f, [x2()], [[1]]).tangent],
      ['jacobian', () => g.jacobian(f)(x2()).flatten()],
      ['compile of grad', () => g.compile(g.grad(f)).sync(x2())],
      ['grad of compile of grad of compile', () => g.grad(g.compile(g.grad(f)))(x2())],
      ['grad of a checkpoint of it', () => g.grad(g.checkpoint(f))(x2())],
      [
        'compile of a gradient of a call',
        () => g.compile((x: g.Tensor) => g.grad((t) => f.sync(t).mul(1))(x)).sync(x2()),
      ],
    ])('%s', (_, gradient) => {
      expect(gradient().arraySync()).toEqual([12])
    })

    test('checkGradients takes it', () => {
      expect(() => g.checkGradients(f, [[1, 2]], { order: 2 })).not.toThrow()
    })

    test.each([
      ['grad', () => g.grad((async (x: g.Tensor) => x) as unknown as Refused)([1])],
      ['valueAndGrad', () => g.valueAndGrad((() => 3) as unknown as Refused)([1])],
      ['vjp', () => g.vjp((() => undefined) as unknown as Refused, [1])],
      ['checkpoint', () => g.checkpoint((() => [g.tensor(1)]) as unknown as Refused)([1])],
    ])('%s refuses a function that gives no tensor', (name, call) => {
      expect(call).toThrow(
        new RegExp(
          `^${name}: expected a function that returns a tensor, got (a promise|3|undefined|an? (object|array))$`,
        ),
      )
    })
  })

  describe('where it cannot be', () => {
    test('a variable that was updated in place since', () => {
      const w = g.variable([3])
      const f = g.compile((x: g.Tensor) => x.mul(w))
      const bump = g.compile(() => w.assign(w.add(1)))
      bump.sync()
      const y = f.sync(x2())
      bump.sync()
      expect(() => g.gradients(y, [w])).toThrow(
        /Variable float32\[1\] was updated after a compiled function had computed the value from it/,
      )
      expect(() => g.grad((x) => f.sync(x).add(y.stopGradient()))(x2())).not.toThrow()
    })

    test('a gradient that was asked for before is that of before', () => {
      const w = g.variable([3])
      const f = g.compile((x: g.Tensor) => x.mul(w).square())
      const bump = g.compile(() => w.assign(w.add(1)))
      bump.sync()
      const [dw] = g.gradients(f.sync(x2()), [w])
      bump.sync()
      expect(dw.arraySync()).toEqual([32])
    })

    test('a variable that the function itself updates in place', () => {
      const w = g.variable([3])
      const step = g.compile((x: g.Tensor) => {
        const y = x.mul(w)
        w.assign(w.sub(1))
        return y
      })
      step.sync(x2())
      const y = step.sync(x2())
      expect(() => g.gradients(y.add(w), [w])).toThrow(/the compiled function updated a variable/)
      expect(() => g.optim.sgd({ learningRate: 1 }).minimize(() => y.add(w.square()).sum())).toThrow(g.GradientError)
      const other = g.variable([1])
      expect(g.gradients(y.mul(other), [other])[0].arraySync()).toEqual([4])
    })

    test('scan', async () => {
      const w = g.variable([3])
      const f = g.compile((x: g.Tensor) => x.mul(w))
      const ys = await f.scan(g.tensor([[1], [2]]))
      expect(() => g.gradients(ys.sum(), [w])).toThrow(/scan keeps no history/)
      const other = g.variable([1])
      expect(g.gradients(ys.sum().mul(other), [other])[0].arraySync()).toEqual([9])
    })

    test('a chain of calls that nobody takes gradients of is cut, and says so', () => {
      const w = g.variable([0.5])
      const f = g.compile((x: g.Tensor) => x.mul(w))
      let y = g.tensor([1])
      for (let i = 0; i < 10_000; i++) y = f.sync(y)
      expect(() => g.gradients(y, [w])).toThrow(/comes from more compiled calls after each other than are kept/)
      let z = g.tensor([1])
      for (let i = 0; i < 1000; i++) z = f.sync(z)
      expect(g.gradients(z, [w])[0].dataSync().length).toBe(1)
    })
  })
})
