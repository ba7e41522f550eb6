/** The limits of the package's sizes are held, and what has to be so before a publication. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { excesses, sizesOf, wholeSize } from '../../tools/package/gates.ts'
import { misassembled, uncommitted, undescribed, unpublishable } from '../../tools/package/readiness.ts'
import { addonOf, targets } from '../../tools/package/targets.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const { version } = JSON.parse(read('package.json'))
const scratch = mkdtempSync(join(tmpdir(), 'galvani-gates-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const notices = ['dist', 'prebuilds'].map((folder) => `${folder}/third-party-licences.txt`)
/** What a version has to have in its package. */
const complete = ['CHANGELOG.md', 'LICENSE', 'README.md', 'sbom.cdx.json', ...notices, ...targets.map(addonOf)]

describe('sizes', () => {
  const addon = join(scratch, 'addon')
  writeFileSync(addon, Buffer.alloc(2e6))
  const addons = new Map([['linux-x64', addon]])

  test('within the limits are no excess', () => {
    expect(excesses(sizesOf({ size: 2.9e6, unpackedSize: 10.9e6 }, addons))).toEqual([])
  })

  test('beyond them are said, with and without the addons', () => {
    const found = excesses(sizesOf({ size: 10.5e6, unpackedSize: 12e6 }, addons))
    expect(found).toEqual([
      'the package: expected at most 10.00 MB, 25.00 MB unpacked, got 10.50 MB, 12.00 MB unpacked',
      'the package without its addons: expected at most 3.00 MB, 9.00 MB unpacked, got 10.50 MB, 10.00 MB unpacked',
    ])
    expect(excesses(wholeSize({ size: 1e6, unpackedSize: 25.1e6 }))).toHaveLength(1)
  })
})

describe('a version is not fit to be published', () => {
  test('with changes that are not committed', () => {
    expect(uncommitted('')).toEqual([])
    expect(uncommitted(' M README.md\n')).toEqual([expect.stringContaining('README.md')])
  })

  test('without a dated section of the changelog', () => {
    expect(undescribed(read('CHANGELOG.md'), version)).toEqual([])
    expect(undescribed('## [Unreleased]\n\n## [0.1.0] - 2026-11-30\n', '0.2.0')).toHaveLength(1)
    expect(undescribed('## [0.2.0]\n', '0.2.0')).toHaveLength(1)
    expect(undescribed('## [0.2.0-rc.1] - 2026-11-30\n', '0.2.0')).toHaveLength(1)
  })

  test('as a package of another version, without the addons of all targets, or with what npm would compile', () => {
    const filesOf = (names: readonly string[]) => ({
      version: '1.2.3',
      files: names.map((path) => ({ path, size: 1 })),
    })
    expect(misassembled(filesOf(complete), '1.2.3')).toEqual([])
    expect(misassembled(filesOf(complete), '1.2.4')).toEqual([expect.stringContaining('got 1.2.3')])
    for (const path of complete)
      expect(misassembled(filesOf(complete.filter((other) => other !== path)), '1.2.3')).toEqual([
        expect.stringContaining(path),
      ])
    expect(misassembled(filesOf([...complete, 'binding.gyp']), '1.2.3')).toEqual([
      expect.stringContaining('binding.gyp'),
    ])
  })

  describe('but in the workflow of its repository, on its tag', () => {
    const manifest = {
      name: 'galvani',
      version: '1.2.3',
      repository: { type: 'git', url: 'git+https://example.org/owner/galvani.git' },
    }
    const workflow = {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://example.org/token',
      GITHUB_SERVER_URL: 'https://example.org',
      GITHUB_REPOSITORY: 'owner/galvani',
      GITHUB_REF: 'refs/tags/v1.2.3',
    }

    test('where it is', () => expect(unpublishable(manifest, workflow)).toEqual([]))

    test.each([
      ['GITHUB_ACTIONS', undefined, 'got another place'],
      ['ACTIONS_ID_TOKEN_REQUEST_URL', undefined, 'got another place'],
      ['GITHUB_REPOSITORY', 'other/galvani', 'got https://example.org/other/galvani'],
      ['GITHUB_REF', 'refs/tags/v1.2.4', 'got refs/tags/v1.2.4'],
      ['GITHUB_REF', 'refs/heads/main', 'got refs/heads/main'],
    ])('with %s %s it is not', (name, value, words) => {
      expect(unpublishable(manifest, { ...workflow, [name]: value })).toEqual([expect.stringContaining(words)])
    })
  })
})

describe('npm run release', () => {
  const commands = ['npm', 'git', 'publint', 'attw', 'tsx']
  const called = join(scratch, 'called')
  const packed = join(scratch, 'packed.json')
  for (const command of commands) {
    const line = `echo "${command} $@" >> '${called}'; if [ "$1" = pack ]; then cat '${packed}'; fi`
    writeFileSync(join(scratch, command), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  }

  /** Runs it with commands that do nothing but note that they were called, and an npm that says what a package has. */
  function release(paths: readonly string[], ...args: string[]) {
    rmSync(called, { force: true })
    const files = paths.map((path) => ({ path, size: 1 }))
    writeFileSync(
      packed,
      JSON.stringify([{ version, filename: 'galvani.tgz', size: 1, unpackedSize: 1, integrity: 'sha512-x', files }]),
    )
    const { GITHUB_ACTIONS: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'tools/package/release.ts', ...args],
      { cwd: root, encoding: 'utf8', env: { ...env, PATH: `${scratch}${delimiter}${process.env.PATH}` } },
    )
    const calls = existsSync(called) ? readFileSync(called, 'utf8').trim().split('\n') : []
    return { status, stdout, stderr, calls: calls.map((call) => call.replaceAll(root, '')) }
  }

  test('ends outside of its workflow before anything runs', () => {
    const { status, stderr, calls } = release(complete)
    expect(stderr).toContain('--dry-run does all but publish')
    expect(status).toBe(1)
    expect(calls).toEqual([])
  })

  test('does all but publish with --dry-run', () => {
    const { status, stdout, calls } = release(complete, '--dry-run')
    expect(status).toBe(0)
    expect(stdout).toContain('integrity sha512-x')
    const expected = ['git status --porcelain', 'npm test', 'npm run --silent package', 'publint run --strict', 'attw']
    for (const call of [...expected, 'tsx tools/testing/install.ts'])
      expect(calls, call).toContainEqual(expect.stringContaining(call))
    expect(calls.filter((call) => call.startsWith('npm publish'))).toEqual([])
  })

  test('runs neither the tests nor makes a package where both are there', () => {
    const { status, stdout, calls } = release(complete, '--dry-run', '--no-tests', '--package', 'some.tgz')
    expect(status).toBe(0)
    expect(stdout).toContain('The tests did not run here.')
    expect(calls.filter((call) => /^npm (test|run)/.test(call))).toEqual([])
    expect(calls.filter((call) => call.includes('some.tgz')).length).toBeGreaterThan(3)
  })

  test('says what is missing of a package', () => {
    const { status, stderr } = release(complete.slice(1), '--dry-run')
    expect(status).toBe(1)
    expect(stderr).toContain(`expected ${complete[0]} in the package, got none`)
  })
})
