import { beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import { backends } from '../runtime/backends.ts'

const [steps, batch, size] = [5, 2, 3]

const makeCell = () => ({
  w: g.variable(g.randn([size, size], { seed: 1 })),
  b: g.variable(g.randn([size], { seed: 2 })),
  h0: g.variable(g.randn([batch, size], { seed: 3 })),
  xs: g.variable(g.randn([steps, batch, size], { seed: 4 })),
})

type Cell = ReturnType<typeof makeCell>

const cell = ({ w, b }: Cell, h: g.Tensor, x: g.Tensor) => h.matmul(w).add(x).add(b).tanh().mul(x.sigmoid())

/** The same loop, step by step. */
function unrolled(c: Cell, order: readonly number[] = [0, 1, 2, 3, 4]): [g.Tensor, g.Tensor] {
  let h: g.Tensor = c.h0
  const outputs: g.Tensor[] = []
  for (const t of order) {
    h = cell(c, h, c.xs.gather(g.tensor(t, { dtype: 'int32' })).reshape([batch, size]))
    outputs[t] = h
  }
  return [h, g.stack(outputs)]
}

const looped = (c: Cell, options: g.ScanOptions = {}): [g.Tensor, g.Tensor] =>
  g.scan(
    (h, x) => {
      const next = cell(c, h, x)
      return [next, next]
    },
    c.h0,
    c.xs,
    options,
  )

const lossOf = ([h, ys]: [g.Tensor, g.Tensor]): g.Tensor => ys.square().sum().add(h.sin().sum())

function expectClose(found: readonly g.Tensor[], wanted: readonly g.Tensor[], tolerance = 1e-5): void {
  expect(found.length).toBe(wanted.length)
  found.forEach((tensor, i) => {
    expect(tensor.shape).toEqual(wanted[i]!.shape)
    const other = wanted[i]!.dataSync()
    tensor.dataSync().forEach((x, j) => {
      expect(Math.abs(x - other[j]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(other[j]!)))
    })
  })
}

const parametersOf = ({ w, b, h0, xs }: Cell) => [w, b, h0, xs] as const

/** Gradients of a loss, and of the sum of the squares of its gradients. */
function gradientsOf(c: Cell, loss: g.Tensor): g.Tensor[] {
  const first = g.gradients(loss, parametersOf(c))
  const squares = first.map((gradient) => gradient.square().sum()).reduce((sum, x) => sum.add(x))
  return [loss, ...first, ...g.gradients(squares, parametersOf(c))]
}

describe.each(backends)('scan on %s', (backend) => {
  beforeAll(() => g.setBackend(backend))

  test('gives the last carry and the outputs, in either direction', () => {
    const c = makeCell()
    expectClose(looped(c), unrolled(c), 1e-6)
    expectClose(looped(c, { reverse: true }), unrolled(c, [4, 3, 2, 1, 0]), 1e-6)
  })

  test.each([{}, { recompute: true }, { reverse: true }])('has the gradients of the unrolled loop: %j', (options) => {
    const c = makeCell()
    const order = options.reverse ? [4, 3, 2, 1, 0] : undefined
    expectClose(gradientsOf(c, lossOf(looped(c, options))), gradientsOf(c, lossOf(unrolled(c, order))), 1e-4)
  })

  test('has gradients of the third order, and those of a carry alone or of the outputs alone', () => {
    const run = (make: (c: Cell) => [g.Tensor, g.Tensor]) => {
      const c = makeCell()
      const loss = lossOf(make(c))
      const [first] = g.gradients(loss, [c.w])
      const [second] = g.gradients(first.square().sum(), [c.b])
      const [third] = g.gradients(second.square().sum(), [c.h0])
      const [h, ys] = make(c)
      return [third, ...g.gradients(h.sum(), [c.xs]), ...g.gradients(ys.square().sum(), [c.h0])]
    }
    expectClose(run(looped), run(unrolled), 1e-3)
  })

  test('takes the gradient of a weight after the loop, as one product', () => {
    const c = makeCell()
    const { program } = g.inspect(() => g.gradients(lossOf(looped(c)), [c.w])[0])
    const [, backward] = program.split(/= loop/).slice(1)
    expect(backward!.split('\n}')[0]!.match(/matmul/g)).toHaveLength(1)
    const last = program
      .split('\n')
      .filter((line) => line.includes('= matmul'))
      .at(-1)
    expect(last).toMatch(/float32\[3,3\].*matmul %\d+ᵀ/)
  })

  test('carries, takes and gives nested records, and no outputs', () => {
    const [carry, outputs] = g.scan(
      ({ sum, count: [n] }, { x }) => [
        { sum: sum.add(x), count: [n.add(1)] },
        { x: x.mul(2), parts: [sum, null] },
      ],
      { sum: 0, count: [g.tensor(0, { dtype: 'int32' })] },
      { x: g.tensor([1, 2, 3]) },
    )
    expect(carry.sum.itemSync()).toBe(6)
    expect(carry.count[0].itemSync()).toBe(3)
    expect(outputs.x.arraySync()).toEqual([2, 4, 6])
    expect(outputs.parts[0]!.arraySync()).toEqual([0, 1, 3])
    expect(outputs.parts[1]).toBe(null)
    const [power, none] = g.scan((x) => [x.mul(2), undefined], g.tensor([1, 3]), null, { length: 4 })
    expect(power.arraySync()).toEqual([16, 48])
    expect(none).toBe(undefined)
  })

  test.each([0, 1])('takes %i steps', (length) => {
    const x = g.variable(g.zeros([length, 2]).add(3))
    const start = g.variable([1, 2])
    const [last, all] = g.scan((sum, x) => [sum.mul(x), sum], start, x)
    expect(last.arraySync()).toEqual(length === 0 ? [1, 2] : [3, 6])
    expect(all.shape).toEqual([length, 2])
    const [dStart, dx] = g.gradients(last.sum().add(all.sum()), [start, x])
    expect(dStart.arraySync()).toEqual(length === 0 ? [1, 1] : [4, 4])
    expect(dx.arraySync()).toEqual(length === 0 ? [] : [[1, 2]])
  })

  test('may give what depends on no step, on a carry before it, or twice on the same', () => {
    const constant = g.variable([5, 7])
    const [last, [same, before, after, again]] = g.scan(
      (carry, x) => [x, [constant, carry, x.add(carry), x.add(carry)]],
      g.tensor([0, 0]),
      g.tensor([
        [1, 2],
        [3, 4],
      ]),
    )
    expect(last.arraySync()).toEqual([3, 4])
    expect(same!.arraySync()).toEqual([
      [5, 7],
      [5, 7],
    ])
    expect(before!.arraySync()).toEqual([
      [0, 0],
      [1, 2],
    ])
    expect(after!.arraySync()).toEqual(again!.arraySync())
    expect(g.gradients(same!.sum(), [constant])[0].arraySync()).toEqual([2, 2])
  })

  test('goes inside another one, with gradients', () => {
    const w = g.variable([0.5, 2])
    const nested = g.scan(
      (sum, row) => {
        const [inner, parts] = g.scan((x, y) => [x.mul(w).add(y), x.mul(y)], sum, row)
        return [inner, parts.sum(0)]
      },
      g.tensor([1, 1]),
      g.arange(12).reshape([3, 2, 2]),
    )
    const flat = g.scan((x, y) => [x.mul(w).add(y), x.mul(y)], g.tensor([1, 1]), g.arange(12).reshape([6, 2]))
    const paired = flat[1].reshape([3, 2, 2]).sum(1)
    expectClose(nested, [flat[0], paired])
    const loss = (last: g.Tensor, all: g.Tensor) => last.sum().add(all.square().sum())
    const dNested = g.gradients(loss(...nested), [w])
    const dFlat = g.gradients(loss(flat[0], paired), [w])
    expectClose(dNested, dFlat)
    const [secondNested] = g.gradients(dNested[0].sum(), [w])
    const [secondFlat] = g.gradients(dFlat[0].sum(), [w])
    expectClose([secondNested], [secondFlat])
  })

  test('reads integers, and names the instruction of an index that is out of range', async () => {
    const table = g.variable(g.arange(6).reshape([3, 2]))
    const run = (indices: readonly number[]) =>
      g.scan(
        (sum, i) => {
          const row = table.gather(i)
          return [sum.add(row), row]
        },
        g.zeros([2]),
        g.tensor([...indices], { dtype: 'int32' }),
      )
    const [sum] = run([2, 0, 2])
    expect(sum.arraySync()).toEqual([8, 11])
    expect(g.gradients(sum.sum(), [table])[0].arraySync()).toEqual([
      [1, 1],
      [0, 0],
      [2, 2],
    ])
    expect(() => run([1, 3])[0].dataSync()).toThrow('gather: expected indices in [0, 3), got 3 at position 0')
    await expect(run([1, 3])[0].data()).rejects.toThrow('gather: expected indices in [0, 3), got 3 at position 0')
  })

  test('draws other random numbers in each step, the same ones for the same seed, and the gradient sees them', () => {
    const draw = (options: g.ScanOptions) => {
      g.setSeed(11)
      const x = g.variable(g.ones([8]))
      const [, masks] = g.scan(
        (carry, _) => {
          const kept = g.dropout(carry.mul(2), 0.5)
          return [carry, kept]
        },
        x,
        g.zeros([4]),
        options,
      )
      const [gradient] = g.gradients(masks.sum(), [x])
      const [values, slope] = g.evaluateSync(masks, gradient)
      return { values: values!.arraySync() as number[][], slope: slope!.arraySync() as number[] }
    }
    const { values, slope } = draw({})
    expect(new Set(values.map(String)).size).toBe(4)
    expect(slope).toEqual(values[0]!.map((_, i) => values.reduce((sum, row) => sum + row[i]!, 0)))
    expect(draw({})).toEqual({ values, slope })
    expect(draw({ recompute: true })).toEqual({ values, slope })
    const fixed = g.scan((c) => [c, g.randn([3], { seed: 5 })], 0, null, { length: 2 })[1]
    expect(fixed.arraySync()).toEqual([g.randn([3], { seed: 5 }).arraySync(), g.randn([3], { seed: 5 }).arraySync()])
  })

  test('is part of compiled functions, which draw anew, and of their gradients', async () => {
    const c = makeCell()
    const compiled = g.compile((x: g.Tensor) => g.scan((h, x) => [cell(c, h, x), h], c.h0, x)[0])
    const direct = unrolled(c)[0]
    expectClose([await compiled(c.xs.value), compiled.sync(c.xs.value)], [direct, direct])
    expectClose(g.gradients(compiled.sync(c.xs.value).sum(), [c.w]), g.gradients(direct.sum(), [c.w]))
    const noise = g.compile(() => g.scan((sum) => [sum.add(g.randn([2])), sum], g.zeros([2]), null, { length: 3 })[0])
    expect(noise.sync().arraySync()).not.toEqual(noise.sync().arraySync())
  })

  test('is trained by minimize and by checkpoint', async () => {
    const c = makeCell()
    const optimizer = g.optim.sgd({ learningRate: 0.05 })
    const step = g.compile(() => optimizer.minimize(() => looped(c)[1].square().mean(), [c.w, c.b, c.h0, c.xs]))
    const first = (await step()).itemSync()
    for (let i = 0; i < 20; i++) await step()
    expect(step.sync().itemSync()).toBeLessThan(first)
    const plain = g.gradients(lossOf(looped(c)), [c.w])
    const checked = g.checkpoint((h: g.Tensor, x: g.Tensor) => cell(c, h, x))
    const [last, all] = g.scan((h, x) => [checked(h, x), checked(h, x)], c.h0, c.xs)
    expectClose(g.gradients(lossOf([last, all]), [c.w]), plain)
  })

  test('gives programs that do not grow with the number of steps', () => {
    const c = makeCell()
    const programOf = (length: number) =>
      g.inspect(
        (x: g.Tensor) => {
          const [, ys] = g.scan((h, part) => [cell(c, h, part), h], c.h0, x)
          return g.gradients(ys.sum(), [c.w])
        },
        g.zeros([length, batch, size]),
      ).program
    expect(programOf(1000).split('\n').length).toBe(programOf(10).split('\n').length)
  })
})

describe('scan', () => {
  const step = (carry: g.Tensor, x: g.Tensor): [g.Tensor, g.Tensor] => [carry, x]
  const x = g.tensor([1, 2])
  const zero = g.tensor(0)

  test('says what is wrong', () => {
    expect(() =>
      g.scan((c, x) => [{ h: g.concat([c.h, x.reshape([1])]) } as never, x], { h: g.zeros([2]) }, x),
    ).toThrow(new g.ShapeError('scan: expected carry.h of shape [2] as before, got [3]'))
    expect(() => g.scan((c, x) => [[c[0].cast('int32')], x], [g.zeros([2])] as const, x)).toThrow(
      new g.DTypeError('scan: expected carry.0 of float32 as before, got int32'),
    )
    expect(() => g.scan((c) => [{ other: c.h } as never, null], { h: 1 }, x)).toThrow(
      new TypeError('scan: expected tensors as they were given (carry.h), got carry.other'),
    )
    expect(() => g.scan(((c: g.Tensor) => c) as never, 0, x)).toThrow(
      'scan: expected a step that returns [carry, output], got Tensor float32[]',
    )
    expect(() => g.scan((async () => [1, 2]) as never, 0, x)).toThrow(
      'scan: expected functions that are not async, got one that returned a promise',
    )
    expect(() => g.scan((c) => [c, null], 0, [x, g.zeros([3])])).toThrow(
      new g.ShapeError('scan: expected first axes of 2, got xs.1 of shape [3]'),
    )
    expect(() => g.scan(step, zero, 1)).toThrow(new g.ShapeError('scan: expected xs of at least one axis, got []'))
    expect(() => g.scan((c) => [c, null], 0, null)).toThrow('scan: expected sequences, or a length, got neither')
    expect(() => g.scan(step, zero, x, { length: 3 })).toThrow('scan: expected first axes of 3')
    expect(() => g.scan(step, zero, x, { length: -1 })).toThrow('scan: expected a length from 0 to')
    expect(() => g.scan(step, 'a' as never, x)).toThrow('scan: expected carry of tensors')
    expect(() => g.scan(step, zero, x, { revers: true } as never)).toThrow('did you mean')
  })

  test('refuses a step that assigns a variable, which keeps its value', () => {
    const v = g.variable([1, 2], { name: 'v' })
    const compiled = g.compile(
      () =>
        g.scan(
          (c, x) => {
            v.assign(v.add(x))
            return [c, x]
          },
          0,
          x,
        )[0],
    )
    expect(() => compiled.sync()).toThrow('scan: expected functions that assign no variable, got one that assigns')
    expect(() =>
      g.scan(
        (c, x) => {
          v.assign(v.mul(x))
          return [c, x]
        },
        0,
        x,
      ),
    ).toThrow(TypeError)
    expect(v.arraySync()).toEqual([1, 2])
  })

  test('gives no values to the step, and none of the step to others', () => {
    expect(() => g.scan((c, x) => [c.add(x.itemSync()), x], 0, x)).toThrow('return it from the function')
    let kept: g.Tensor | null = null
    g.scan(
      (c, x) => {
        kept = x.add(c)
        return [c, x]
      },
      0,
      x,
    )
    expect(() => kept!.dataSync()).toThrow('return it from the function')
    expect(() => g.compile(() => kept!.add(1)).sync()).toThrow('return it from the function')
  })
})
