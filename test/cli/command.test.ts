/** The command `galvani` in every state of a package: what it prints, and its exit code. Compilers are stubs here. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { version } from '../../lib/base/version.ts'
import { compilerInstall } from '../../lib/cli/addon/compiler.ts'
import { another, built, inPackage, named, node, places, project, root, write } from '../support/project.ts'

type Settings = Readonly<Record<string, string>>

const galvani = (home: string, args: readonly string[], settings: Settings = {}) =>
  node([inPackage(home, 'dist/cli.cjs'), ...args], { cwd: home, ...settings })

const loads = `${process.platform} ${process.arch}`

test('the manifest names the command, which knows its version', async () => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(await node([join(root, bin.galvani), '--version'])).toEqual({ code: 0, out: version, errors: '' })
})

describe('galvani doctor', () => {
  const doctor = async (home: string, settings?: Settings) => {
    const { code, out, errors } = await galvani(home, ['doctor'], settings)
    expect(errors).toBe('')
    return { code, out }
  }

  test('where the addon is there', async () => {
    const { code, out } = await doctor(project('healthy', { addon: places.prebuilt }))
    expect(code).toBe(0)
    expect(out).toMatch(
      new RegExp(`^galvani   ${version}\nsystem    ${loads}, glibc 2.*\nruntime   Node .*, Node-API \\d+\n`),
    )
    expect(out).toContain(`addon     ${inPackage(named('healthy'), places.build)} is not there\n`)
    expect(out).toContain(`          ${inPackage(named('healthy'), places.prebuilt)} loads\n`)
    expect(out).toMatch(/native {4}\w+ of [\w, ]*baseline; \d+ threads? \(.+\); learnt XOR in \d+ ms\n/)
    expect(out).not.toContain('help')
  })

  test('as JSON', async () => {
    const { code, out } = await galvani(project('json', { addon: places.build }), ['doctor', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      version,
      platform: process.platform,
      arch: process.arch,
      tried: [{ path: inPackage(named('json'), places.build), failure: null }],
      native: { backend: 'native', threads: expect.any(Number) },
      failure: null,
    })
  })

  test.each<[string, (home: string) => void, string]>([
    ['none', () => {}, 'is not there'],
    ['text', (home) => write(inPackage(home, places.prebuilt), 'text'), 'is no library of any system'],
    [
      'cut off',
      (home) => write(inPackage(home, places.prebuilt), readFileSync(built).subarray(0, 9999)),
      'is cut off or damaged',
    ],
    [
      'another version',
      (home) => cpSync(another(), inPackage(home, places.prebuilt)),
      'is of another version or of something else, and lacks names, configure, prepare, run and 9 more',
    ],
  ])('where the prebuilt addon is %s', async (state, prepare, why) => {
    const home = project(`ill, ${state}`)
    prepare(home)
    const { code, out } = await doctor(home)
    expect(code).toBe(1)
    expect(out).toContain(`${inPackage(home, places.prebuilt)} ${why}\nnative    does not run: no addon loads\n`)
    expect(out).toMatch(/help {6}galvani build compiles an addon for this machine$/)
  })

  test('where GALVANI_ADDON is wrong, which has no replacement', async () => {
    const home = project('wrong setting', { addon: places.prebuilt })
    const { code, out } = await doctor(home, { GALVANI_ADDON: named('nothing.node') })
    expect(code).toBe(1)
    expect(out).toContain(`addon     ${named('nothing.node')} is not there\nnative    does not run`)
    expect(out).not.toContain(places.prebuilt)
  })

  test('where another setting is wrong', async () => {
    const { code, out } = await doctor(project('wrong ISA', { addon: places.prebuilt }), { GALVANI_ISA: 'mmx' })
    expect(code).toBe(1)
    expect(out).toMatch(/native {4}does not run: GALVANI_ISA: expected .*, got mmx\n/)
  })
})

/** A package with what is compiled; gives the folder of its project. */
function buildable(name: string): string {
  const home = project(name)
  cpSync(join(root, 'native'), inPackage(home, 'native'), { recursive: true })
  for (const headers of ['node-addon-api', 'node-api-headers'])
    mkdirSync(inPackage(home, `native/headers/${headers}`), { recursive: true })
  return home
}

/** A program that passes for a C++ compiler: the addon that it links is the one of this checkout, or this file. */
function compiler(name: string, { linked = built, fails = 'nothing' } = {}): string {
  const lines = [
    '#!/bin/sh',
    'case " $* " in',
    '  *" --version "*) echo "stub 1.0"; exit;;',
    `  *" ${fails} "*) echo "error: no memory" >&2; exit 1;;`,
    'esac',
    'for output; do :; done',
    `case " $* " in *" -c "*) :>"$output";; *) /bin/cp ${linked} "$output";; esac`,
  ]
  const path = write(named(`${name}/c++`), lines.join('\n'))
  chmodSync(path, 0o755)
  return path
}

describe('galvani build', () => {
  test('compiles into the package, where the addon is then found', async () => {
    const home = buildable('built')
    const { code, out } = await galvani(home, ['build', '--jobs', '16'], { CXX: compiler('good') })
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+\.\d s {2}.*c\+\+ \(stub 1\.0\), 16 at a time\n +\d+\.\d s {2}1 of \d+: native\//)
    expect(out).toContain(`addon     ${inPackage(home, places.build)} loads\n`)
    expect(out).toMatch(/native {4}.* learnt XOR in/)
    expect(await node(['app.cjs'], { cwd: home })).toEqual({ code: 0, out: 'native 2,3', errors: '' })
    expect(readdirSync(inPackage(home, 'build/Release'))).toEqual(['galvani.node'])
  })

  test('puts it elsewhere for who asks', async () => {
    const home = buildable('elsewhere')
    const args = ['build', '--jobs', '16', '--out', 'mine.node']
    const { code, out } = await galvani(home, args, { CXX: compiler('good') })
    expect([code, out]).toEqual([0, expect.stringContaining(`addon     ${join(home, 'mine.node')} loads`)])
    expect(existsSync(inPackage(home, 'build'))).toBe(false)
  })

  test('finds a compiler on the PATH', async () => {
    const home = buildable('on the path')
    compiler('found')
    const { code, out } = await galvani(home, ['build', '--jobs', '16'], { PATH: named('found') })
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d s {2}c\+\+ \(stub 1\.0\)/)])
  })

  test('says what the compiler said', async () => {
    const CXX = compiler('failing', { fails: 'native/gemm/gemm.cc' })
    const { code, errors } = await galvani(buildable('failing'), ['build', '--jobs', '2'], { CXX })
    expect([code, errors]).toEqual([1, `galvani: ${CXX}: native/gemm/gemm.cc: error: no memory\n`])
  })

  test('fails where what was made does not run', async () => {
    const CXX = compiler('wrong', { linked: another() })
    const { code, out } = await galvani(buildable('made wrong'), ['build', '--jobs', '16'], { CXX })
    expect([code, out]).toEqual([1, expect.stringContaining('native    does not run: no addon loads')])
  })

  test.each<[string, Settings, string]>([
    ['none on the PATH', { PATH: named('nowhere') }, 'none of c++, g++ and clang++ is there'],
    ['none by the name in CXX', { CXX: 'galvani-no-compiler -O3' }, 'CXX, galvani-no-compiler -O3, does not run'],
  ])('without a compiler says how one is installed: %s', async (_, settings, why) => {
    const { code, errors } = await galvani(buildable('no compiler'), ['build'], settings)
    const install = compilerInstall(process.platform, settings.PATH)
    expect([code, errors]).toEqual([1, `galvani: no C++ compiler: ${why}; ${install}\n`])
  })

  test('without sources says so', async () => {
    const { code, errors } = await galvani(project('no sources'), ['build'], { CXX: compiler('good') })
    const path = inPackage(named('no sources'), 'native/sources.txt')
    expect([code, errors]).toEqual([
      1,
      `galvani: ${path} is not there: install the package anew, or npm ci in a checkout\n`,
    ])
  })

  test('in a folder that may not be written names the way around', async () => {
    const home = buildable('read-only')
    // A file where a folder has to be is as good for root, who may write anywhere.
    writeFileSync(inPackage(home, 'build'), '')
    const { code, errors } = await galvani(home, ['build', '--jobs', '16'], { CXX: compiler('good') })
    expect(code).toBe(1)
    expect(errors).toContain('build/Release may not be written (')
    expect(errors).toContain('galvani build --out FILE.node, and GALVANI_ADDON=FILE.node where it runs')
    rmSync(inPackage(home, 'build'))
  })

  test('refuses a file that no process would load', async () => {
    const { code, errors } = await galvani(buildable('out'), ['build', '--out', 'a.so'], { CXX: compiler('good') })
    expect([code, errors]).toEqual([1, 'galvani: --out: expected a file that ends in .node, got a.so\n'])
  })
})

test.each([
  ['darwin', 'xcode-select --install'],
  ['linux', 'one of: apt-get install g++, apk add g++, '],
] as const)('on %s a compiler is installed by: %s', (platform, command) => {
  expect(compilerInstall(platform, named('nowhere'))).toContain(command)
})

test('a compiler is installed by what installs packages here', () => {
  write(named('alpine/apk'), '')
  expect(compilerInstall('linux', named('alpine'))).toBe('apk add g++')
})
