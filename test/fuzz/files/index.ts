/** Damaged and hostile files: each is read, or refused in words for whoever gave it. */
import { fileURLToPath } from 'node:url'
import { again, type Run } from '../suite.ts'
import { watch } from '../watch.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

export const run: Run = (seed, budget, report) =>
  watch({ script, seed, again: (number) => again('files', seed, number) }, budget, report)
