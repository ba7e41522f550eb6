/** Loops: recorded step by step, as a scan where there are many steps, or in the program where a condition is computed. */
import { describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { floats, graph, int64s, model, node, value } from './build.ts'

/** sum ← sum · 0.9 + x + number of the step, in so many steps; all sums are given too. */
const summing = (steps: bigint, last = node('Identity', ['on'], ['goes_on'])) =>
  model({
    inputs: [value('x', 'float', [2])],
    outputs: [value('sum', 'float', [2]), value('sums', 'float', ['steps', 2])],
    initializers: [int64s('steps', [], [steps]), floats('rate', [], [0.9])],
    nodes: [
      node('Loop', ['steps', '', 'x'], ['sum', 'sums'], {
        body: graph({
          inputs: [value('step', 'int64', []), value('on', 'bool', []), value('before', 'float', [2])],
          outputs: [value('goes_on', 'bool', []), value('next', 'float', [2]), value('each', 'float', [2])],
          nodes: [
            node('Mul', ['before', 'rate'], ['less']),
            node('Add', ['less', 'x'], ['more']),
            node('Cast', ['step'], ['number'], { to: 1n }),
            node('Add', ['more', 'number'], ['next']),
            node('Identity', ['next'], ['each']),
            last,
          ],
        }),
      }),
    ],
  })

const x = [1, -2]

function sumsOf(steps: number): number[][] {
  const sums: number[][] = []
  for (let step = 0; step < steps; step++) sums.push(x.map((v, i) => (sums.at(-1)?.[i] ?? v) * 0.9 + v + step))
  return sums
}

describe.each([3, 200])('a loop of %i steps', (steps) => {
  test('gives the last values and all of them, in and outside of compile', async () => {
    const net = await onnx.load(summing(BigInt(steps)))
    for (const given of [net.forward(g.tensor(x)), await net.run(g.tensor(x))] as Record<string, g.Tensor>[]) {
      expect(g.allClose(given.sums!, sumsOf(steps), { rtol: 1e-5 }).itemSync()).toBe(1)
      expect(g.allClose(given.sum!, sumsOf(steps).at(-1)!, { rtol: 1e-5 }).itemSync()).toBe(1)
    }
  })

  test('has gradients', async () => {
    const net = await onnx.load(summing(BigInt(steps)))
    const [ofRate] = g.gradients(g.sum((net.forward(g.tensor(x)) as Record<string, g.Tensor>).sum!), [
      net.namedParameters().rate!,
    ])
    // Of each x: d sum′ = 0.9 · d sum + sum.
    const wanted = [0, 1].map((i) =>
      sumsOf(steps).reduce((d, _, step) => 0.9 * d + (sumsOf(step).at(-1)?.[i] ?? x[i]!), 0),
    )
    expect(ofRate!.itemSync()).toBeCloseTo(wanted[0]! + wanted[1]!, 0)
  })
})

test('a loop of many steps is one instruction', async () => {
  const net = await onnx.load(summing(200n))
  const program = g.compile((x: g.Tensor) => net.forward(x)).program(g.tensor(x))
  expect(program.split('\n').filter((line) => /^%.* = /.test(line)).length).toBeLessThan(10)
})

test('a condition that is computed ends a loop', async () => {
  const bytes = model({
    inputs: [value('x', 'float', [])],
    outputs: [value('y', 'float', [])],
    initializers: [floats('limit', [], [100]), floats('two', [], [2])],
    nodes: [
      node('Less', ['x', 'limit'], ['begins']),
      node('Loop', ['', 'begins', 'x'], ['y'], {
        body: graph({
          inputs: [value('step', 'int64', []), value('on', 'bool', []), value('before', 'float', [])],
          outputs: [value('goes_on', 'bool', []), value('next', 'float', [])],
          nodes: [node('Mul', ['before', 'two'], ['next']), node('Less', ['next', 'limit'], ['goes_on'])],
        }),
      }),
    ],
  })
  const net = await onnx.load(bytes)
  const compiled = g.compile((x: g.Tensor) => net.forward(x))
  for (const [x, y] of [
    [3, 192],
    [200, 200],
    [50, 100],
  ] as const) {
    expect(net.forward(g.tensor(x)).itemSync()).toBe(y)
    expect(await (await compiled(g.tensor(x))).item()).toBe(y)
  }
})

test('a loop without an end is refused', async () => {
  const bytes = model({
    inputs: [value('x', 'float', [])],
    outputs: [value('y', 'float', [])],
    nodes: [
      node('Loop', ['', '', 'x'], ['y'], {
        body: graph({
          inputs: [value('step', 'int64', []), value('on', 'bool', []), value('before', 'float', [])],
          outputs: [value('on', 'bool', []), value('before', 'float', [])],
          nodes: [],
        }),
      }),
    ],
  })
  const net = await onnx.load(bytes)
  expect(() => net.forward(g.tensor(1))).toThrow(/Loop: expected at most 100000 steps, got more \(node y \(Loop\)\)/)
})

test('a value that may be left out is asked for', async () => {
  const net = await onnx.load(
    model(
      {
        inputs: [value('x', 'float', [1])],
        outputs: [value('has', 'bool', []), value('lacks', 'bool', []), value('y', 'float', [1])],
        nodes: [
          node('OptionalHasElement', ['x'], ['has']),
          node('OptionalHasElement', [], ['lacks']),
          node('OptionalGetElement', ['x'], ['y']),
        ],
      },
      18,
    ),
  )
  const { has, lacks, y }: Record<string, g.Tensor> = net.forward(g.tensor([3]))
  expect([has!.itemSync(), lacks!.itemSync(), y!.itemSync()]).toEqual([1, 0, 3])
})
