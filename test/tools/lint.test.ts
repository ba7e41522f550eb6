// tools/lint.mjs, on a PATH of stubs in place of biome and clang-format.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'galvani-lint-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const succeeds = 'exit 0'
const fails = 'exit 1'

/** The exit code of the lint with stubs of these bodies on the PATH, and what was printed. */
function lint(stubs: Record<string, string>, { CI = '', args = [] as string[] } = {}) {
  for (const [name, body] of Object.entries(stubs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }
  const env = { PATH: folder, CI }
  const { status, stdout } = spawnSync(process.execPath, ['tools/lint.mjs', ...args], { env, encoding: 'utf8' })
  return { status, stdout }
}

test('passes where both tools do', () => {
  expect(lint({ biome: succeeds, 'clang-format': succeeds })).toEqual({ status: 0, stdout: '' })
})

test('fails where one of them does', () => {
  expect(lint({ biome: fails, 'clang-format': succeeds }).status).toBe(1)
  expect(lint({ biome: succeeds, 'clang-format': fails }).status).toBe(1)
})

test('gives clang-format every source, and checks rather than writes', () => {
  const { stdout } = lint({ biome: succeeds, 'clang-format': 'echo "$@"' })
  expect(stdout).toMatch(/^--dry-run --Werror /)
  for (const file of ['native/gemm/gemm.cc', 'native/kernels/softmax.h']) expect(stdout).toContain(file)
  expect(lint({ biome: succeeds, 'clang-format': 'echo "$@"' }, { args: ['--fix'] }).stdout).toMatch(/^-i /)
})

test('checks C++ alone with --native', () => {
  expect(lint({ biome: fails, 'clang-format': succeeds }, { args: ['--native'] }).status).toBe(0)
  expect(lint({ biome: succeeds, 'clang-format': fails }, { args: ['--native'] }).status).toBe(1)
})

test('says how to get clang-format where it is missing, which fails under CI only', () => {
  const message = 'lint: C++ formatting was not checked, clang-format is missing: apt-get install clang-format\n'
  expect(lint({ biome: succeeds })).toEqual({ status: 0, stdout: message })
  expect(lint({ biome: succeeds }, { CI: 'true' })).toEqual({ status: 1, stdout: message })
})
