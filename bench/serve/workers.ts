/** Two processes with a thread each beside one with two. */
import { printTable } from '../harness.ts'
import type { NetName } from '../nets.ts'
import type { Format } from './requests.ts'
import { inRounds, medianOf, Stage } from './stage.ts'

const rounds = 3
const seconds = 1.5

const kinds = [
  { workers: 2, threads: 1 },
  { workers: 1, threads: 2 },
  { workers: 1, threads: 1 },
] as const

export async function benchWorkers(): Promise<void> {
  const stage = await Stage.open(false)
  const rows: Record<string, string | number>[] = []
  const [names, formats]: [NetName[], Format[]] = [
    ['MLP', 'CNN'],
    ['binary', 'JSON'],
  ]
  for (const net of names)
    for (const format of formats) {
      const all = await stage.serveAll(kinds.map((kind) => ({ side: 'galvani', net, format, ...kind })))
      const results = await inRounds(rounds, all, (served) => served.saturate(seconds))
      for (const [i, kind] of kinds.entries())
        rows.push({
          ...{ net, format, ...kind },
          'requests/s': medianOf(results[i]!, ({ perSecond }) => perSecond),
          'p50 ms': medianOf(results[i]!, ({ answerTimes }) => answerTimes.p50),
          'p99 ms': medianOf(results[i]!, ({ answerTimes }) => answerTimes.p99),
        })
      await stage.clear()
    }
  await stage.close()
  printTable(`Workers and threads with 64 connections, medians of ${rounds} rounds in turn`, rows)
}
