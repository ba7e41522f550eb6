/** Programs are found by their structure, whatever the numbers in it. */
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { activeBackend, setBackend } from '../../lib/backend/active.ts'
import type { DType, TypedArray } from '../../lib/base/dtype.ts'
import type { Node } from '../../lib/graph/node.ts'
import { leafArray } from '../../lib/graph/ops/leaf.ts'
import { keyOf, matches, structureOf } from '../../lib/graph/structure.ts'
import { bindRun, type GraphInputs, prepareGraph, submitSync } from '../../lib/runtime/execution.ts'
import { PreparedGraphs } from '../../lib/runtime/prepared.ts'
import { full, tensor } from '../../lib/tensor/creation.ts'
import { nodeOf, type Tensor } from '../../lib/tensor/tensor.ts'
import { numberedGraph } from '../support/numbered-graph.ts'
import { Tape, tape } from '../support/tape.ts'
import { expectSame } from '../support/tolerance.ts'
import { backends } from './backends.ts'

/** How often the backend prepares a program. */
function prepared(run: () => unknown): number {
  const prepare = vi.spyOn(activeBackend(), 'prepare')
  try {
    run()
    return prepare.mock.calls.length
  } finally {
    prepare.mockRestore()
  }
}

function resultsOf({ graph, inputs }: GraphInputs): readonly TypedArray[] {
  const run = bindRun(graph, inputs.map(leafArray))
  submitSync(run)
  return run.results
}

const find = (graphs: PreparedGraphs, nodes: readonly Node[]) => graphs.find(structureOf(nodes), nodes)

const nodesOf = (tensors: readonly Tensor[]) => tensors.map(nodeOf)

describe.each(backends)('on %s', (backend) => {
  beforeEach(() => setBackend(backend))

  describe('a number that changes', () => {
    const cases: [string, (x: Tensor, n: number) => Tensor][] = [
      ['of a product', (x, n) => x.mul(n).sum()],
      [
        'of a chain, and a constant',
        (x, n) =>
          x
            .mul(n)
            .add(2)
            .sub(n / 2),
      ],
      ['a power', (x, n) => x.pow(n).sum()],
      ['a bound', (x, n) => x.clamp(-n, n).sum()],
      ['a filling', (x, n) => x.add(full([2, 3], n)).sum()],
      ['a choice', (x, n) => x.greater(n).where(x, n)],
      ['an index', (x, n) => x.gather(Math.floor(n) % 2)],
      ['by itself', (_, n) => tensor(n).mul(2)],
      ['of bytes', (x, n) => x.cast('uint8').add(Math.floor(n))],
    ]
    test.each(cases)('%s has the program prepared twice, and then never again', (_, f) => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ])
      expect(prepared(() => [0.5, 1.75].map((n) => f(x, n).dataSync()))).toBeLessThanOrEqual(2)
      expect(prepared(() => Array.from({ length: 50 }, (_, i) => f(x, i + 0.375).dataSync()))).toBe(0)
    })

    test('has a program of a few preparations, however many numbers turn out to change', () => {
      const f = (numbers: readonly number[]) =>
        numbers.reduce<Tensor>((x, n) => x.mul(n).abs(), tensor([1, 2, 3])).dataSync()
      const ones = Array.from({ length: 20 }, () => 1)
      expect(prepared(() => ones.map((_, i) => f(ones.with(i, 2))))).toBe(4)
      expect(f(ones.with(7, 5))).toEqual(Float32Array.of(5, 10, 15))
    })
  })

  test('numbers that do not change stay constants', () => {
    const f = (n: number) => tensor([3, 4]).mul(1).sub(0).add(n).div(1)
    const graphs = new PreparedGraphs(1)
    const programOf = (n: number) => find(graphs, nodesOf([f(n)])).graph.program
    programOf(2.5)
    const { instructions, inputCount } = programOf(3.5)
    expect([instructions.length, inputCount]).toEqual([1, 2])
    expect(f(4.5).arraySync()).toEqual([7.5, 8.5])
  })

  test('a number of another dtype is another structure', () => {
    const x = tensor([1, 2], { dtype: 'int32' })
    const results = [2, 0.5, 2 ** 31, 3, 1.5].map((n) => x.mul(n))
    expect(results.map(({ dtype }) => dtype)).toEqual(['int32', 'float32', 'float32', 'int32', 'float32'])
    expect(results.map((y) => y.arraySync())).toEqual([
      [2, 4],
      [0.5, 1],
      [2 ** 31, 2 ** 32],
      [3, 6],
      [1.5, 3],
    ])
  })

  test('an index among the numbers is checked at each run', () => {
    const x = tensor([1, 2])
    const at = (i: number) => x.gather(i).itemSync()
    expect([at(0), at(1)]).toEqual([1, 2])
    expect(() => at(2)).toThrow('gather: expected indices in [0, 2), got 2')
    expect(at(0)).toBe(1)
  })

  const dtypes: DType[] = ['float32', 'int32', 'uint8', 'bool']
  test.each([
    ['all passes', '', dtypes],
    ['no folding', '-constants', dtypes],
    ['no passes', 'none', dtypes],
    ['all passes and float64', '', [...dtypes, 'float64' as const]],
  ])('numbers as inputs give the bits of numbers as constants, with %s', (_, passes, dtypes) => {
    vi.stubEnv('GALVANI_PASSES', passes)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    let [shared, inputs] = [0, 0]
    fc.assert(
      fc.property(tape, tape, tape, (choices, numbers, others) => {
        const graph = (numbers: readonly number[]) =>
          nodesOf(numberedGraph(new Tape(choices), new Tape(numbers), dtypes))
        const [results, before] = [graph(numbers), graph(others)]
        const expected = resultsOf(prepareGraph(results))
        const graphs = new PreparedGraphs(2)
        find(graphs, before)
        const found = find(graphs, results)
        if (matches(keyOf(structureOf(before)), structureOf(results))) shared++
        inputs += found.inputs.filter(({ storage }) => storage === null).length
        resultsOf(found).forEach((result, i) => {
          expectSame(result, expected[i]!, `result ${i}`)
        })
      }),
      { numRuns: 400 },
    )
    expect([shared > 50, inputs > 100], `${shared} ${inputs}`).toEqual([true, true])
  })
})
