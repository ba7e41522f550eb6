/** Three times as many requests as can be answered: how many are, and how soon the others are told. */
import { printTable } from '../harness.ts'
import { comparedNets } from '../nets.ts'
import { goal } from './goals.ts'
import { inRounds, medianOf, Stage } from './stage.ts'

const rounds = 3
const [saturationSeconds, overloadSeconds] = [2, 4]
/** So many that requests wait in the server alone, and so many that all batches are whole. */
const [connections, busyConnections] = [2048, 256]
/** Milliseconds within which the server is to answer: longer ones are of no use to whoever waits. */
const targetP99 = 250
/** Milliseconds by which the client, which has the processors of the server, may be behind: more is its own overload. */
const mostLag = 10

export async function benchOverload(): Promise<void> {
  const stage = await Stage.open(false)
  const rows: Record<string, string | number>[] = []
  for (const net of [...comparedNets, 'deep CNN'] as const) {
    const [results] = await inRounds(
      rounds,
      [await stage.serve({ side: 'galvani', net, targetP99 })],
      async (served) => {
        const saturated = await served.saturate(saturationSeconds, busyConnections)
        const over = await served.open(3 * saturated.perSecond, overloadSeconds, connections)
        return { saturated, over, goodput: over.perSecond / saturated.perSecond }
      },
    )
    const of = (figure: (round: NonNullable<typeof results>[number]) => number) => medianOf(results!, figure)
    const goodput = of((round) => round.goodput)
    const rejected = of(({ over }) => over.rejectionTimes.p99)
    rows.push({
      net,
      'requests/s': of(({ saturated }) => saturated.perSecond),
      'sent/s': of(({ over }) => over.sent / overloadSeconds),
      'answered/s': of(({ over }) => over.perSecond),
      goodput,
      'p50 ms': of(({ over }) => over.answerTimes.p50),
      'p99 ms': of(({ over }) => over.answerTimes.p99),
      'rejected/s': of(({ over }) => over.rejected / overloadSeconds),
      'rejection p50 ms': of(({ over }) => over.rejectionTimes.p50),
      'rejection p99 ms': rejected,
      'late/s': of(({ over }) => over.late / overloadSeconds),
      'client waited/s': of(({ over }) => over.waited / overloadSeconds),
      'loop p99 ms': of(({ over }) => over.delay99),
      'client lag p99 ms': of(({ over }) => over.lag.p99),
    })
    const lag = of(({ over }) => over.lag.p99)
    if (lag > mostLag)
      console.log(`- ${net}: the client sends so many requests ${lag.toFixed(0)} ms late: nothing is measured`)
    else {
      goal(`${net}: goodput at three times of what can be answered`, goodput, 'at least', 0.9)
      goal(`${net}: p99 of a rejection, ms`, rejected, 'at most', 10)
    }
    await stage.clear()
  }
  await stage.close()
  printTable(`Overload, medians of ${rounds} rounds`, rows)
}
