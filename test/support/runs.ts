/** Counts what the backend in use is asked to do, so that tests can say what happens on the event loop. */
import { vi } from 'vitest'
import { activeBackend } from '../../lib/backend/active.ts'
import { literal } from '../../lib/graph/ops/leaf.ts'
import { prepareGraph } from '../../lib/runtime/execution.ts'

export interface Runs {
  /** Programs that were prepared. */
  prepared: number
  /** Runs here and now, which wait for everything that is under way. */
  sync: number
  /** Runs off the event loop. */
  async: number
  /** Waits on the event loop for everything that is under way. */
  drained: number
}

/** What happens while `fn` runs, until what it returns settles. */
export async function countRuns(fn: () => unknown): Promise<Runs> {
  const backend = activeBackend()
  const methods = Object.getPrototypeOf(prepareGraph([literal(1, 'float32')]).graph.executable)
  const spies = {
    prepared: vi.spyOn(backend, 'prepare'),
    sync: vi.spyOn(methods, 'run'),
    async: vi.spyOn(methods, 'runAsync'),
    drained: vi.spyOn(backend, 'drain'),
  }
  try {
    await fn()
    return Object.fromEntries(Object.entries(spies).map(([name, { mock }]) => [name, mock.calls.length])) as never
  } finally {
    for (const spy of Object.values(spies)) spy.mockRestore()
  }
}
