/**
 * Mutated programs, straight to the addon: it refuses what `verifyProgram` refuses; what it takes touches no memory but its
 * own, and gives what the reference gives.
 */
import { fileURLToPath } from 'node:url'
import { again, type Run } from '../suite.ts'
import { watch } from '../watch.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

export const run: Run = (seed, budget, report) =>
  watch({ script, seed, again: (number) => again('programs', seed, number) }, budget, report)
