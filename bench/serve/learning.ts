/** How long answers take while a model is trained in the same process. */
import { printTable } from '../harness.ts'
import { comparedNets } from '../nets.ts'
import { goal } from './goals.ts'
import { share } from './learner.ts'
import { median } from './numbers.ts'
import { inRounds, medianOf, Stage } from './stage.ts'

const rounds = 5
const [saturationSeconds, openSeconds] = [2, 3]

export async function benchLearning(): Promise<void> {
  const stage = await Stage.open(true)
  const rows: Record<string, string | number>[] = []
  for (const net of comparedNets) {
    const served = await stage.serve({ side: 'learning', net })
    const step = await served.ask<number>({ stepTime: true })
    const rate = 0.5 * (await served.saturate(saturationSeconds)).perSecond
    const [without, beside] = await inRounds(rounds, [false, true], async (isOn) => {
      await served.ask({ train: isOn })
      const measured = await served.open(rate, openSeconds)
      if (isOn) await served.ask({ train: false })
      return measured
    })
    const ratio = median(without!.map((alone, i) => beside![i]!.answerTimes.p99 / alone.answerTimes.p99))
    for (const [training, results] of [
      ['none', without!],
      [`a share of ${share}`, beside!],
    ] as const)
      rows.push({
        ...{ net, training, 'requests/s': rate },
        'p50 ms': medianOf(results, ({ answerTimes }) => answerTimes.p50),
        'p99 ms': medianOf(results, ({ answerTimes }) => answerTimes.p99),
        'p99.9 ms': medianOf(results, ({ answerTimes }) => answerTimes.p999),
        'steps/s': medianOf(results, ({ steps }) => steps / openSeconds),
        'a step alone, ms': step,
        'rows a batch': medianOf(results, ({ batchRows }) => batchRows),
        'loop p99 ms': medianOf(results, ({ delay99 }) => delay99),
        'client lag p99 ms': medianOf(results, ({ lag }) => lag.p99),
      })
    goal(`${net}: p99 while learning to that without`, ratio, 'at most', 2)
    await stage.clear()
  }
  await stage.close()
  printTable(`Learning while serving, medians of ${rounds} rounds in turn`, rows)
}
