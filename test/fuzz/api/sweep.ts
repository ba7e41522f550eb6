/** Lists the faults of the entries whose path a pattern finds: `tsx test/fuzz/api/sweep.ts '^nn\.' [rounds] [seed]`. */
import { surface, tryCase } from './case.ts'

const [pattern = '', rounds = '20', seed = '1'] = process.argv.slice(2)
const counts: Record<string, number> = {}
const faults = new Set<string>()
for (let i = 0; i < surface.length * Number(rounds); i++) {
  if (!new RegExp(pattern).test(surface[i % surface.length]!.path)) continue
  try {
    for (const [outcome, times] of Object.entries(await tryCase(Number(seed), i)))
      counts[outcome] = (counts[outcome] ?? 0) + times
  } catch (error) {
    for (const line of (error as Error).message.split('\n')) faults.add(line)
  }
}
console.log([...faults].sort().join('\n'))
console.log(surface.length, 'entries', counts, faults.size, 'faults')
