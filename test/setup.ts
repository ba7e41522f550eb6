/** Properties are checked on the same cases at each run, so that a run says what the change did; another seed finds others. */
import fc from 'fast-check'
import '../lib/operations/methods.ts'

fc.configureGlobal({ seed: Number(process.env.GALVANI_TEST_SEED ?? 1) })

declare module '@vitest/runner' {
  interface TaskMeta {
    /** The command that brings what the test needs, where it is skipped without that. */
    install?: string
  }
}
