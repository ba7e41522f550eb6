/** Rows a second that `predict` answers without HTTP. */
import { printTable } from '../harness.ts'
import type { NetName } from '../nets.ts'
import { inRounds, medianOf, Stage } from './stage.ts'

const rounds = 3
const seconds = 1
/** Rows of a call, and calls that are under way. */
const loads = [
  { rows: 1, calls: 1 },
  { rows: 1, calls: 256 },
  { rows: 64, calls: 4 },
] as const

export async function benchInProcess(): Promise<void> {
  const stage = await Stage.open(true)
  const table: Record<string, string | number>[] = []
  for (const net of ['MLP', 'CNN'] satisfies NetName[])
    for (const threads of [1, 2]) {
      const served = await stage.serve({ side: 'galvani', net, threads })
      const results = await inRounds(rounds, loads, (load) => served.ask<number>({ predict: { seconds, ...load } }))
      for (const [i, { rows, calls }] of loads.entries())
        table.push({ net, threads, 'rows a call': rows, calls, 'rows/s': medianOf(results[i]!, (x) => x) })
      await stage.clear()
    }
  await stage.close()
  printTable(`predict without HTTP, medians of ${rounds} rounds`, table)
}
