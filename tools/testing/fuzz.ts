/** Rounds of fuzz suites, each under another seed, until a time is over or a fault was found. */
import { type Budget, type Run, Tally } from '../../test/fuzz/suite.ts'

export interface Fuzz {
  /** By name. */
  readonly suites: ReadonlyMap<string, Run>
  readonly minutes: number
  /** Of the first round; those that follow count on from it. */
  readonly seed: number
  /** The one case to be tried. */
  readonly case?: number | undefined
  readonly print: (line: string) => void
}

/** The longest that one suite has its turn, in milliseconds. */
const turn = 60_000

/** Whether all went well. Prints how often which outcome came, and for each fault the command that shows it again. */
export async function fuzz({ suites, minutes, seed, case: single, print }: Fuzz): Promise<boolean> {
  const end = Date.now() + 60_000 * minutes
  const tallies = new Map([...suites.keys()].map((name) => [name, new Tally()]))
  const isWell = () => [...tallies.values()].every(({ faults }) => faults.length === 0)
  print(`fuzz: seed ${seed}, suites ${[...suites.keys()].join(', ')}`)
  for (let round = 0; round === 0 || (Date.now() < end && isWell() && single === undefined); round++) {
    for (const [i, [name, run]] of [...suites].entries()) {
      const share = Math.min(turn, Math.max(0, end - Date.now()) / (suites.size - i))
      const part = single === undefined ? { first: 0, cases: Infinity } : { first: single, cases: 1 }
      await turnOf(run, (seed + round) % 2 ** 32, { ...part, until: Date.now() + share }, tallies.get(name)!, print)
    }
  }
  for (const [name, { counts }] of tallies)
    print(`${name}: ${[...counts].map(([outcome, times]) => `${times} ${outcome}`).join(', ') || 'nothing'}`)
  print(isWell() ? 'fuzz: no fault' : 'fuzz: a fault')
  return isWell()
}

async function turnOf(run: Run, seed: number, budget: Budget, tally: Tally, print: Fuzz['print']): Promise<void> {
  const before = tally.faults.length
  await run(seed, budget, tally)
  for (const { what, again } of tally.faults.slice(before)) print(`\n${what}\nagain: npm run fuzz -- ${again}`)
}
