/**
 * npm test and npm run test:long: run all stages, two at a time where there are processors, print the output of each when it
 * is done, and end with one line: `N passed, N failed`, and `, N skipped` where something was left out for want of a tool.
 * Each vitest test and each native test counts; any other stage counts as one, a replay of the recorded cases too.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeSummary } from './testing/counts.ts'
import { type Counts, runStages, type Stage, textOf, withoutSkips } from './testing/runner.ts'
import { longStages, shortStages } from './testing/stages.ts'

/** Only the last line of all may look like the summary of a native test binary. */
function onEnd({ title }: Stage, { passed, failed }: Counts, output: string, seconds: number): void {
  const text = output.replace(nativeSummary, '')
  console.log(`\n== ${title}\n${text}== ${title}: ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s`)
}

const scratch = mkdtempSync(join(tmpdir(), 'galvani-test-'))
const isLong = process.argv[2] === 'long'
if (isLong) process.env.GALVANI_TEST_MINUTES ??= '5'
const stages = isLong ? longStages(scratch, Number(process.env.GALVANI_TEST_MINUTES)) : shortStages(scratch)
const found = await runStages(stages, { lanes: Math.min(2, availableParallelism()), onEnd })
rmSync(scratch, { recursive: true, force: true })

const summary = process.env.CI === 'true' ? withoutSkips(found) : found
console.log(`\n${textOf(summary)}`)
process.exitCode = summary.failed > 0 ? 1 : 0
