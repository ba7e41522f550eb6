/** Measuring: medians by tinybench, printed as tables. */
import { Bench } from 'tinybench'

/** The median time of a call, in microseconds. */
export async function medianMicroseconds(fn: () => unknown, time = 300): Promise<number> {
  const bench = new Bench({ time, warmupTime: time / 4, iterations: 5, warmupIterations: 2 })
  bench.add('measured', async () => {
    await fn()
  })
  const [task] = await bench.run()
  if (!task || !('latency' in task.result)) throw new Error(`bench: ${JSON.stringify(task?.result)}`)
  return task.result.latency.p50 * 1000
}

/** For calls of less than some microseconds: the median over batches of 1,000 calls without await. */
export async function medianOfBatch(fn: () => unknown, calls = 1000): Promise<number> {
  const batch = () => {
    for (let i = 0; i < calls; i++) fn()
  }
  return (await medianSync(batch)) / calls
}

async function medianSync(fn: () => void): Promise<number> {
  const bench = new Bench({ time: 300, warmupTime: 100, iterations: 5, warmupIterations: 2 })
  bench.add('measured', fn)
  const [task] = await bench.run()
  if (!task || !('latency' in task.result)) throw new Error(`bench: ${JSON.stringify(task?.result)}`)
  return task.result.latency.p50 * 1000
}

/** Rounds of each side, and milliseconds of a round at least. */
const rounds = 15
const roundMilliseconds = 20

/** Milliseconds of a call of each of some functions: the medians of rounds that alternate. */
export async function inTurn<const Sides extends readonly (() => unknown)[]>(
  ...sides: Sides
): Promise<{ readonly [I in keyof Sides]: number }> {
  const times = sides.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, run] of sides.entries()) {
      const start = performance.now()
      let calls = 0
      do {
        await run()
        calls++
      } while (performance.now() - start < roundMilliseconds)
      times[i]!.push((performance.now() - start) / calls)
    }
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[rounds >> 1]!
  return times.map(median) as { readonly [I in keyof Sides]: number }
}

/** One row a line, numbers to three digits. */
export function printTable(title: string, rows: readonly Record<string, string | number>[]): void {
  console.log(`\n${title}`)
  console.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, x]) => [key, typeof x === 'number' ? Number(x.toPrecision(3)) : x]),
      ),
    ),
  )
}
