/** Our service beside onnxruntime-node behind an equal server: requests a second, and how long answers take. */
import { printTable } from '../harness.ts'
import type { NetName } from '../nets.ts'
import { findRuntime, runtimeAdvice } from '../onnx-runtime.ts'
import { goal } from './goals.ts'
import type { Format } from './requests.ts'
import type { SideName } from './sides.ts'
import { inRounds, type Measured, medianOf, type Served, Stage } from './stage.ts'

const [rounds, equalRounds] = [3, 5]
const [saturationSeconds, openSeconds] = [1.5, 2]

const cases: readonly (readonly [net: NetName, format: Format])[] = [
  ['MLP', 'binary'],
  ['MLP', 'JSON'],
  ['CNN', 'binary'],
]

interface Round {
  readonly saturated: Measured
  /** At half of what it has answered at most, and at four fifths. */
  readonly half: Measured
  readonly most: Measured
}

const parts = ['p50', 'p99', 'p999'] as const

const times = (rounds: readonly Round[], load: 'half' | 'most') =>
  parts.map((part) => medianOf(rounds, (round) => round[load].answerTimes[part]).toPrecision(3))

function rowOf(results: readonly Round[]) {
  return {
    'requests/s': medianOf(results, ({ saturated }) => saturated.perSecond),
    'µs of the loop': medianOf(results, ({ saturated: { loop, perSecond } }) => (1e6 * loop) / perSecond),
    'at 50 %: p50, p99, p99.9 ms': times(results, 'half').join(', '),
    'at 80 %: p50, p99, p99.9 ms': times(results, 'most').join(', '),
    'loop p99 ms': medianOf(results, ({ most }) => most.delay99),
    'client lag p99 ms': medianOf(results, ({ most }) => most.lag.p99),
  }
}

export async function benchBeside(): Promise<void> {
  const hasRuntime = findRuntime() !== null
  if (!hasRuntime) console.log(`\n${runtimeAdvice}`)
  const others: SideName[] = hasRuntime ? ['onnxruntime', 'onnxruntime, batched'] : []
  const sides: readonly SideName[] = ['galvani', ...others, 'HTTP alone']
  const stage = await Stage.open(true)
  const rows: Record<string, string | number>[] = []
  const equalRows: Record<string, string | number>[] = []
  for (const [net, format] of cases) {
    const all = await stage.serveAll(sides.map((side) => ({ side, net, format })))
    const results = await inRounds(rounds, all, async (served): Promise<Round> => {
      const saturated = await served.saturate(saturationSeconds)
      const half = await served.open(0.5 * saturated.perSecond, openSeconds)
      return { saturated, half, most: await served.open(0.8 * saturated.perSecond, openSeconds) }
    })
    rows.push(...sides.map((side, i) => ({ net, format, side, ...rowOf(results[i]!) })))
    if (hasRuntime) {
      checkGoals(`${net}, ${format}`, results[0]!, results[1]!, results[2]!)
      const theirMost = medianOf(results[1]!, ({ saturated }) => saturated.perSecond)
      equalRows.push(...(await compareAtEqualRates(`${net}, ${format}`, theirMost, all[0]!, all[1]!)))
    }
    await stage.clear()
  }
  await stage.close()
  printTable(
    `One row a request, medians of ${rounds} rounds in turn; of loads that are shares of each side's own requests/s`,
    rows,
  )
  if (hasRuntime) printTable(`The same requests/s for both, medians of ${equalRounds} rounds in turn`, equalRows)
}

/** Both at shares of what onnxruntime answers at most: clients ask as much as they do, whoever serves them. */
async function compareAtEqualRates(what: string, theirMost: number, ours: Served, theirs: Served) {
  const rows: Record<string, string | number>[] = []
  for (const share of [0.5, 0.8]) {
    const rate = share * theirMost
    const [our, their] = await inRounds(equalRounds, [ours, theirs], (served) => served.open(rate, openSeconds))
    const p99 = (results: readonly Measured[]) => medianOf(results, ({ answerTimes }) => answerTimes.p99)
    goal(
      `${what}: p99 at ${100 * share} % of onnxruntime's requests/s, to its own`,
      p99(our!) / p99(their!),
      'at most',
      1,
    )
    for (const [side, results] of [['galvani', our!] as const, ['onnxruntime', their!] as const])
      rows.push({
        ...{ what, side, 'requests/s': rate },
        'p50, p99, p99.9 ms': parts
          .map((part) => medianOf(results, (x) => x.answerTimes[part]).toPrecision(3))
          .join(', '),
      })
  }
  return rows
}

function checkGoals(what: string, ours: readonly Round[], ...others: readonly (readonly Round[])[]): void {
  const [plain, batched] = others.map((other) => {
    const ratios = ours.map(({ saturated }, i) => saturated.perSecond / other[i]!.saturated.perSecond)
    return medianOf(ratios, (ratio) => ratio)
  })
  goal(`${what}: requests/s to onnxruntime's`, plain!, 'at least', 1.5)
  console.log(`  to onnxruntime's in batches: ${batched!.toFixed(2)}`)
  goal(
    `${what}: event loop p99 at 80 %, ms`,
    medianOf(ours, ({ most }) => most.delay99),
    'at most',
    5,
  )
}
