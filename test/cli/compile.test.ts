/** What the compiler of the addon is called with: by one that writes it down. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type Compilation, CompileError, compileAddon } from '../../lib/cli/addon/compile.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'galvani-compile-'))
const output = join(folder, 'build', 'Release', 'galvani.node')
const calls = join(folder, 'calls.txt')
beforeEach(() => rmSync(calls, { force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes down each call, and makes the file that is asked for, which is named last; fails for a source of this name. */
function compiler(failing = 'nothing'): Compilation['compiler'] {
  const script = join(folder, `compiler-${failing.replaceAll('/', '-')}`)
  const lines = [
    `echo "$*" >>${calls}`,
    `case " $* " in *" ${failing} "*) echo 'error: expected a semicolon' >&2; exit 1;; esac`,
    'for output; do :; done',
    'printf made >"$output"',
  ]
  writeFileSync(script, lines.join('\n'))
  return ['/bin/sh', script, '-target', 'here']
}

const compile = (more: Partial<Compilation> = {}) =>
  compileAddon({ root, compiler: compiler(), platform: 'linux', output, jobs: 8, ...more })

const called = (): string[][] =>
  readFileSync(calls, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))

const listed = readFileSync(join(root, 'native/sources.txt'), 'utf8').trim().split('\n')
const binding = readdirSync(join(root, 'native/binding')).filter((name) => name.endsWith('.cc'))
const sources = [...listed, ...binding.map((name) => `native/binding/${name}`)]

describe('compileAddon', () => {
  test('compiles each source once, then links all objects', async () => {
    const progress: string[] = []
    await compile({ onCompiled: (source, done, total) => progress.push(`${done}/${total} ${source}`) })
    const all = called()
    const link = all.at(-1)!
    const compiled = all.slice(0, -1)
    expect(compiled.map((args) => args[args.indexOf('-c') + 1]).sort()).toEqual([...sources].sort())
    expect(link.filter((arg) => arg.endsWith('.o')).sort()).toEqual(
      compiled.map((args) => args[args.indexOf('-o') + 1]).sort(),
    )
    expect(all.every((args) => args.slice(0, 2).join(' ') === '-target here')).toBe(true)
    expect(progress.map((line) => line.split(' ')[0])).toEqual(sources.map((_, i) => `${i + 1}/${sources.length}`))
    expect(readFileSync(output, 'utf8')).toBe('made')
    expect(readdirSync(join(folder, 'build/Release'))).toEqual(['galvani.node'])
  })

  test('passes the flags of native/flags and the folders of headers', async () => {
    await compile({ link: ['-lextra'] })
    const all = called()
    expect(all[0]).toEqual(
      expect.arrayContaining(['-fPIC', '-std=c++17', '-ffp-contract=off', '-DNAPI_VERSION=8', '-Inative']),
    )
    for (const name of all[0]!.filter((arg) => arg.startsWith('-I')))
      expect(existsSync(join(root, name.slice(2))), name).toBe(true)
    expect(all.at(-1)).toEqual(
      expect.arrayContaining(['-shared', '-Wl,--version-script=native/exports.map', '-lextra']),
    )
  })

  test('makes what the platform loads', async () => {
    await compile({ platform: 'darwin' })
    const [first] = called()
    const link = called().at(-1)!
    expect(first).not.toContain('-pthread')
    expect(link).toEqual(expect.arrayContaining(['-dynamiclib', '-undefined', 'dynamic_lookup', '-Wl,-dead_strip']))
    expect(link).not.toContain('-shared')
  })

  test('says which file does not compile and what the compiler said, and leaves what was there', async () => {
    mkdirSync(join(folder, 'build/Release'), { recursive: true })
    writeFileSync(output, 'before')
    const failure = compile({ compiler: compiler('native/gemm/gemm.cc') })
    await expect(failure).rejects.toThrow(CompileError)
    await expect(failure).rejects.toThrow(/: native\/gemm\/gemm.cc: error: expected a semicolon$/)
    expect(readFileSync(output, 'utf8')).toBe('before')
    expect(readdirSync(join(folder, 'build/Release'))).toEqual(['galvani.node'])
    expect(called().some((args) => args.some((arg) => arg.endsWith('gemm.o')) && !args.includes('-c'))).toBe(false)
  })

  test('says so where there is no such compiler', async () => {
    await expect(compile({ compiler: ['galvani-no-compiler'] })).rejects.toThrow(/galvani-no-compiler: .*ENOENT/)
  })
})
