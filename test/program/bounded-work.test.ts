/** Programs whose parameters are great and whose data is little: they end, soon, and in little memory. */
import { describe, expect, it } from 'vitest'
import { backendNames } from '../support/backends.ts'
import { linesOf } from '../support/in-process.ts'
import { widePrograms } from '../support/wide-programs.ts'

const support = (name: string) => JSON.stringify(new URL(`../support/${name}.ts`, import.meta.url))

describe.each(backendNames)('on %s', (name) => {
  it('what a program costs is bounded by what it reads and writes', { timeout: 150_000 }, async () => {
    const lines = await linesOf(`
      const { native } = await import(${support('backends')})
      const { checkWide, widePrograms } = await import(${support('wide-programs')})
      const { createReferenceBackend } = await import(${support('../../lib/backend/reference/index')})
      const backend = '${name}' === 'native' ? native : createReferenceBackend()
      for (const wide of widePrograms) {
        console.log(wide.name)
        checkWide(backend, wide)
      }
      console.log(process.resourceUsage().maxRSS)`)
    expect(lines.slice(0, -1)).toEqual(widePrograms.map((wide) => wide.name))
    // Kilobytes; of which Node and what compiles TypeScript take most.
    expect(Number(lines.at(-1))).toBeLessThan(600_000)
  })
})
