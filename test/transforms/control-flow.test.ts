import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

const forever = () =>
  g.whileLoop(
    (x) => x.less(1),
    (x) => x,
    g.tensor(0),
  )

describe.each(backends)('whileLoop and cond on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('a loop goes on as long as its condition holds, and no further than maxSteps', () => {
    const power = (maxSteps: number) =>
      g.whileLoop(
        ({ x }) => x.lessEqual(1000),
        ({ x, n: [n] }) => ({ x: x.mul(3), n: [n.add(1)] }),
        { x: 1, n: [g.tensor(0, { dtype: 'int32' })] },
        { maxSteps },
      )
    expect([power(100).x.itemSync(), power(100).n[0].itemSync()]).toEqual([2187, 7])
    expect([power(2).x.itemSync(), power(0).x.itemSync()]).toEqual([9, 1])
  })

  test('a loop reads what is around it, in compiled functions too', async () => {
    const v = g.variable([1, 2])
    const search = g.compile((limit: g.Tensor) =>
      g.whileLoop(
        (sum) => sum.sum().less(limit),
        (sum) => sum.add(v),
        g.zeros([2]),
      ),
    )
    expect(await (await search(g.tensor(10))).array()).toEqual([4, 8])
    expect(await (await search(g.tensor(1))).array()).toEqual([1, 2])
  })

  test('a loop without an end does not hold up the event loop, and a signal ends it; here and now it is refused', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 2)
    const before = performance.now()
    await expect(forever().data({ signal: AbortSignal.timeout(250) })).rejects.toThrow('timeout')
    expect(performance.now() - before).toBeLessThan(10_000)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(await g.tensor([1, 2]).exp().sum().item()).toBeCloseTo(Math.E + Math.E ** 2, 4)
    expect(() => forever().itemSync()).toThrow(
      new TypeError('whileLoop: expected maxSteps where it runs here and now, as nothing could end it, got none'),
    )
  })

  test('a loop that is aborted has changed no variable', async () => {
    const v = g.variable([1])
    const step = g.compile(() => {
      v.assign(v.add(forever()))
      return v.mul(2)
    })
    await expect(step({ signal: AbortSignal.timeout(40) })).rejects.toThrow('timeout')
    expect(await v.array()).toEqual([1])
  })

  test('each step of a loop draws other numbers, the same ones for the same seed', () => {
    const draws = () => {
      g.setSeed(5)
      const rows = g.whileLoop(
        ([n]) => n.less(3),
        ([n, a, b]) => [n.add(1), g.randn([2]), a.mul(b.add(1))],
        [0, g.zeros([2]), g.zeros([2])],
        { maxSteps: 9 },
      )
      return rows.map((x) => x.arraySync())
    }
    expect(draws()).toEqual(draws())
  })

  test('cond computes the branch that is chosen, of operands and of what is around it', async () => {
    const v = g.variable([1, 2, 3])
    const table = g.tensor([1, 2])
    const choose = g.compile((x: g.Tensor, i: g.Tensor) =>
      g.cond(
        x.max().greater(10),
        (x) => ({ y: x.div(10).add(v), z: g.tensor(1) }),
        // Fails for an index that is out of range, where it is computed.
        (x) => ({ y: x, z: table.gather(i) }),
        x,
      ),
    )
    const [one, nine] = [g.tensor(1, { dtype: 'int32' }), g.tensor(9, { dtype: 'int32' })]
    const big = await choose(g.tensor([10, 20, 30]), nine)
    expect([big.y.arraySync(), big.z.itemSync()]).toEqual([[2, 4, 6], 1])
    const small = choose.sync(g.tensor([1, 2, 3]), one)
    expect([small.y.arraySync(), small.z.itemSync()]).toEqual([[1, 2, 3], 2])
    expect(() => choose.sync(g.tensor([1, 2, 3]), nine)).toThrow('gather: expected indices in [0, 2), got 9')
    expect(
      g
        .cond(
          g.tensor(true),
          () => g.zeros([2]),
          () => g.ones([2]),
        )
        .arraySync(),
    ).toEqual([0, 0])
  })

  test('neither has a gradient', () => {
    const v = g.variable([1, 2])
    const looped = g.whileLoop(
      (x) => x.sum().less(9),
      (x) => x.mul(v),
      v,
      { maxSteps: 3 },
    )
    expect(() => g.gradients(looped.sum(), [v])).toThrow(new g.GradientError('gradients: whileLoop has no gradient'))
    const chosen = g.cond(
      v.sum().less(9),
      (x) => x,
      (x) => x.neg(),
      v,
    )
    expect(() => g.gradients(chosen.sum(), [v])).toThrow(new g.GradientError('gradients: cond has no gradient'))
  })

  test('they go inside each other, and inside scan', () => {
    const [sum] = g.scan(
      (sum, x) => {
        const halved = g.whileLoop(
          (y) => y.greater(1),
          (y) => y.div(2),
          x,
          { maxSteps: 50 },
        )
        return [
          g.cond(
            halved.greater(0.7),
            (s) => s.add(1),
            (s) => s.add(halved),
            sum,
          ),
          null,
        ]
      },
      0,
      g.tensor([8, 5, 1.5]),
    )
    expect(sum.itemSync()).toBe(1 + 0.625 + 1)
  })
})

test('whileLoop and cond say what is wrong', () => {
  const x = g.tensor([1, 2])
  const yes = g.tensor(true)
  expect(() =>
    g.whileLoop(
      (x) => x.less(1),
      (x) => x,
      x,
    ),
  ).toThrow('whileLoop: expected a condition that is one bool, got bool[2]')
  expect(() =>
    g.whileLoop(
      () => yes,
      (x) => x.sum(),
      x,
    ),
  ).toThrow(new g.ShapeError('whileLoop: expected carry of shape [2] as before, got []'))
  expect(() =>
    g.whileLoop(
      () => g.randn([]).less(0),
      (x) => x,
      x,
    ),
  ).toThrow('a condition that draws no random numbers')
  expect(() =>
    g.whileLoop(
      () => yes,
      (x) => x,
      x,
      { maxSteps: -1 },
    ),
  ).toThrow('whileLoop: expected maxSteps from 0')
  expect(() =>
    g.cond(
      x as never,
      () => x,
      () => x,
    ),
  ).toThrow('cond: expected a predicate that is one bool, got float32[2]')
  expect(() =>
    g.cond(
      yes,
      () => x,
      () => x.cast('int32'),
    ),
  ).toThrow(new g.DTypeError('cond: expected value of float32 as before, got int32'))
  expect(() =>
    g.cond(
      yes,
      () => ({ a: x }),
      () => ({ b: x }) as never,
    ),
  ).toThrow('cond: expected tensors as they were given (value.a), got value.b')
})
