/** npm run bench -- serve [--only beside fastapi overload learning workers in-process]: what a service takes, on two processors that it shares with its clients. */
import { availableParallelism } from 'node:os'
import { benchBeside } from './beside.ts'
import { benchFastApi } from './fastapi.ts'
import { benchInProcess } from './in-process.ts'
import { benchLearning } from './learning.ts'
import { benchOverload } from './overload.ts'
import { canPin } from './processes.ts'
import { benchWorkers } from './workers.ts'

const parts: Readonly<Record<string, () => Promise<void>>> = {
  beside: benchBeside,
  fastapi: benchFastApi,
  overload: benchOverload,
  learning: benchLearning,
  workers: benchWorkers,
  'in-process': benchInProcess,
}

/** @throws RangeError for a part that there is not */
export async function benchServe(only: readonly string[]): Promise<void> {
  const unknown = only.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined) throw new RangeError(`bench: expected ${Object.keys(parts).join(', ')}, got ${unknown}`)
  const pinned = canPin ? 'the client is kept to the last one but for overload and workers' : 'nothing is kept to one'
  console.log(`\nserve: client and server share ${availableParallelism()} processors; ${pinned}`)
  for (const name of only.length > 0 ? only : Object.keys(parts)) await parts[name]!()
}
