/** Every function of every subpath of the package, given what it should not be given: it works or refuses it in words of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isClear } from './api/case.ts'
import { allJunk } from './api/junk.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const subpaths = Object.keys(exports).flatMap((path) => path.match(/^\.\/([\w/]+)$/)?.[1] ?? [])

type Call = (...args: unknown[]) => unknown

/** Relative paths among the junk are files of a folder that goes. */
let [before, folder] = ['', '']
beforeAll(() => {
  before = process.cwd()
  folder = mkdtempSync(join(tmpdir(), 'subpaths-'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

const functions: [name: string, call: Call][] = []
for (const subpath of subpaths) {
  const values: object = await import(/* @vite-ignore */ `../../lib/${subpath}/index.ts`)
  for (const [name, value] of Object.entries(values))
    if (typeof value === 'function' && !/^class\b/.test(String(value))) functions.push([`${subpath}.${name}`, value])
}

test('the subpaths have functions', () => {
  expect(subpaths).toContain('numpy')
  expect(functions.length).toBeGreaterThan(subpaths.length)
})

describe('a function that is given junk works, or says what it expected', () => {
  test.each(functions)('%s', { timeout: 120_000 }, async (_, call) => {
    const wrong: string[] = []
    for (const first of allJunk)
      for (const second of allJunk.filter(({ kind }) => kind !== first.kind || first === allJunk[0])) {
        try {
          await call(first.make(), second.make())
        } catch (error) {
          // Errors of the file system have a code.
          if (!isClear(error) && !(error instanceof Error && 'code' in error))
            wrong.push(`(${first.text}, ${second.text}): ${error}`)
        }
      }
    expect(wrong).toEqual([])
  })
})
