/**
 * What results in memory of their own cost: compiled calls that give large tensors, beside the same program run again and again
 * into the same memory.
 */
import * as g from '../lib/index.ts'
import { bindRun, prepareGraph, submitSync } from '../lib/runtime/execution.ts'
import { nodeOf } from '../lib/tensor/tensor.ts'
import { inTurn, printTable } from './harness.ts'

interface Case {
  readonly name: string
  readonly shape: readonly number[]
  readonly of: (x: g.Tensor) => g.Tensor
}

const square = (size: number): Case => ({
  name: `matmul ${size}³`,
  shape: [size, size],
  of: (x) => x.matmul(x),
})

const cases: readonly Case[] = [
  ...[256, 512, 1024].map(square),
  { name: 'x + 1, 10⁶', shape: [1_000_000], of: (x) => x.add(1) },
  { name: 'exp x, 10⁶', shape: [1_000_000], of: (x) => x.exp() },
]

/** The program of one call, bound to memory that is kept. */
function keptRun({ of }: Case, x: g.Tensor): () => void {
  const { graph, inputs } = prepareGraph([nodeOf(of(x))])
  const run = bindRun(
    graph,
    inputs.map((node) => node.storage!.array),
  )
  return () => submitSync(run)
}

export async function benchResults(): Promise<void> {
  const rows = []
  for (const each of cases) {
    const [x] = g.evaluateSync(g.randn([...each.shape], { seed: 1 }))
    const compiled = g.compile(each.of)
    const [kept, sync, async] = await inTurn(
      keptRun(each, x!),
      () => compiled.sync(x!),
      () => compiled(x!),
    )
    const percent = (ms: number) => `${Math.round((100 * kept) / ms)} %`
    rows.push({
      what: each.name,
      'kept, ms': kept,
      'sync, ms': sync,
      'async, ms': async,
      sync: percent(sync),
      async: percent(async),
    })
  }
  printTable('compiled calls of large results, and their share of the speed into kept memory', rows)
}
