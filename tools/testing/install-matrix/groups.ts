/** All rows, by what they are about. */
import type { Row } from './row.ts'
import { bundlers } from './rows/bundlers.ts'
import { managers } from './rows/managers.ts'
import { modules } from './rows/modules.ts'
import { places } from './rows/places.ts'
import { runtimes } from './rows/runtimes.ts'
import { testers } from './rows/testers.ts'
import { threads } from './rows/threads.ts'

/** The titles have versions of tools, so the rows are made once those are there. */
export const groups: Readonly<Record<string, () => Row[]>> = {
  'package managers': managers,
  runtimes,
  modules,
  threads,
  bundlers,
  'test runners': testers,
  places,
}
