/** Runs a program in every way that may not change a bit. */
import type { Backend } from '../../lib/backend/backend.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import type { CaseProgram } from './cases.ts'
import { bind } from './run.ts'
import { expectSame } from './tolerance.ts'

export function expectSameResults(actual: readonly TypedArray[], expected: readonly TypedArray[], what: string): void {
  actual.forEach((data, i) => {
    expectSame(data, expected[i]!, `${what}, result ${i}`)
  })
}

/** Its results on one thread; the same ones on two, sync and async, from one executable. */
export async function runEveryWay(backend: Backend, { program, inputs }: CaseProgram): Promise<TypedArray[]> {
  const executable = backend.prepare(program)
  const [alone, together, later] = [bind(program, inputs), bind(program, inputs), bind(program, inputs)]
  backend.setNumThreads(1)
  executable.run(alone.buffers)
  backend.setNumThreads(2)
  executable.run(together.buffers)
  await executable.runAsync(later.buffers)
  executable.dispose()
  expectSameResults(together.results, alone.results, 'two threads')
  expectSameResults(later.results, alone.results, 'async')
  return alone.results
}
