/** Runs that only compute pass updates under way, between two of their instructions, and see the values of their turn. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'

/** The names of promises in the order in which they settle. */
async function orderOf(runs: Record<string, Promise<unknown>>): Promise<string[]> {
  const order: string[] = []
  await Promise.all(Object.entries(runs).map(([name, run]) => run.then(() => order.push(name))))
  return order
}

const many = 200_000

describe('a call that updates nothing', () => {
  const row = g.tensor([1, 2, 3])
  const answer = g.compile((x: g.Tensor) => x.mul(2).sum())

  test('is answered while the steps of a scan are under way', async () => {
    await answer(row)
    const count = g.variable(0)
    const step = g.compile((x: g.Tensor) => count.assign(count.add(x)))
    await step.scan(g.ones([2]))
    const order = await orderOf({ steps: step.scan(g.ones([many])), first: answer(row), second: answer(row) })
    expect(order).toEqual(['first', 'second', 'steps'])
    expect(count.itemSync()).toBe(many + 2)
  })

  test('is answered in the midst of a loop', async () => {
    await answer(row)
    const count = g.variable(0)
    const below = (x: g.Tensor) => x.less(many)
    const fill = g.compile(() => count.assign(g.whileLoop(below, (x) => x.add(1), g.tensor(0), { maxSteps: 2 * many })))
    const order = await orderOf({ loop: fill(), answer: answer(row) })
    expect(order).toEqual(['answer', 'loop'])
    expect(count.itemSync()).toBe(many)
  })

  test('is answered after the updates of what it reads', async () => {
    const count = g.variable(0)
    const step = g.compile((x: g.Tensor) => count.assign(count.add(x)))
    const read = g.compile((x: g.Tensor) => count.mul(x))
    const two = g.tensor(2)
    await read(two)
    const steps = step.scan(g.ones([many]))
    const values = [await (await read(two)).item(), await count.mul(two).item()]
    expect(values).toEqual([2 * many, 2 * many])
    await steps
  })

  test('is answered before the updates of what it reads that came later', async () => {
    const [count, other] = [g.variable(0), g.variable(0)]
    const busy = g.compile((x: g.Tensor) => other.assign(other.add(x)))
    const step = g.compile((x: g.Tensor) => count.assign(count.add(x)))
    const read = g.compile((x: g.Tensor) => count.mul(x))
    const two = g.tensor(2)
    await read(two)
    const before = busy.scan(g.ones([many]))
    const value = read(two)
    const after = step.scan(g.ones([3]))
    expect(await (await value).item()).toBe(0)
    await Promise.all([before, after])
    expect(count.itemSync()).toBe(3)
  })
})

const variableCount = 3
const index = fc.nat({ max: variableCount - 1 })
const action = fc.oneof(
  fc.record({ kind: fc.constant('update' as const), to: index, from: index, steps: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('read' as const), from: index, also: index }),
  fc.record({ kind: fc.constant('compute' as const), from: index }),
  fc.record({ kind: fc.constant('assign' as const), to: index, from: index }),
)

type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** Arguments have values, as calls whose arguments have none yet begin later. */
test('any calls give what they would give one after the other', async () => {
  const start = [1, -0.5, 0.25]
  const variables = start.map((x) => g.variable([x, x / 2, 3]))
  const updates = variables.map((to) =>
    variables.map((from) => g.compile((x: g.Tensor) => to.assign(to.mul(0.5).add(from.mul(0.25)).add(x)))),
  )
  const reads = variables.map((from) => g.compile((also: g.Tensor) => from.mul(3).sub(also)))
  const reset = () => {
    for (const [i, variable] of variables.entries()) variable.assign([start[i]!, start[i]! / 2, 3])
  }

  /** What each action gives, where the next one begins once it has ended, or else at once. */
  async function run(actions: readonly Action[], inTurn: boolean) {
    reset()
    const results: Promise<unknown>[] = []
    for (const each of actions) {
      results.push(begin(each))
      if (inTurn) await results.at(-1)
    }
    const found = await Promise.all(results)
    return [...found, ...variables.map((variable) => variable.arraySync())]
  }

  function begin(each: Action): Promise<unknown> {
    switch (each.kind) {
      case 'update':
        return updates[each.to]![each.from]!.scan(g.tensor(new Array<number>(each.steps).fill(0.125))).then(
          () => 'updated',
        )
      case 'read':
        return reads[each.from]!(g.tensor([each.also, 1, 2])).then((result) => result.array())
      case 'compute':
        return variables[each.from]!.mul(2).array()
      case 'assign':
        variables[each.to]!.assign(variables[each.from]!.add(1))
        return Promise.resolve('assigned')
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 2, maxLength: 12 }), async (actions) => {
      expect(await run(actions, false)).toEqual(await run(actions, true))
    }),
    { numRuns: 200 },
  )
})
