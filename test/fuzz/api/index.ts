/**
 * Junk for every public function, constructor, method and option: what the declared types do not have is refused, and every
 * refusal is one of the library, with the name of the operation. A new function is found by the compiler.
 */
import { fileURLToPath } from 'node:url'
import { again, type Run } from '../suite.ts'
import { watch } from '../watch.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

export const run: Run = (seed, budget, report) =>
  watch({ script, seed, again: (number) => again('api', seed, number) }, budget, report)
