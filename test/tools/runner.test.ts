/** The runner of the stages of npm test: order, counts, missing tools, and the last line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { countNativeTests, countVitestTests } from '../../tools/testing/counts.ts'
import { runStages, type Stage, type Summary, type Tool, textOf, withoutSkips } from '../../tools/testing/runner.ts'
import { longStages, shortStages } from '../../tools/testing/stages.ts'

const here: Tool = { package: 'here', isHere: () => true }
const absent = (name: string): Tool => ({ package: name, isHere: () => false })

const script = (title: string, code: string, details: Partial<Stage> = {}): Stage => ({
  title,
  command: ['node', '-e', code],
  ...details,
})

/** The lines of a log to which the stages of `make` write: `logged(title, …)` that it begins and ends. */
async function logOf(lanes: number, make: (logged: typeof script) => Stage[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'galvani-runner-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'log')
  writeFileSync(file, '')
  const prelude = `const fs = require('fs')
    const log = (line) => fs.appendFileSync(${JSON.stringify(file)}, line + '\\n')
    const has = (line) => fs.readFileSync(${JSON.stringify(file)}, 'utf8').includes(line)`
  const logged: typeof script = (title, code, details) =>
    script(
      title,
      `${prelude}; log('${title} begins'); ${code}; process.on('exit', () => log('${title} ends'))`,
      details,
    )
  await runStages(make(logged), { lanes })
  return readFileSync(file, 'utf8').trim().split('\n')
}

describe('the runner', () => {
  test('counts a stage as one, by its exit code', async () => {
    const stages = [
      script('good', ''),
      script('bad', 'process.exit(3)'),
      { title: 'none', command: ['/nowhere'] as const },
    ]
    expect(await runStages(stages, { lanes: 1 })).toEqual({
      passed: 1,
      failed: 2,
      skips: [],
      failures: ['bad', 'none'],
    })
  })

  test('gives what a stage printed, and the counts of its own', async () => {
    const ended: unknown[] = []
    const count = (exitCode: number | null, output: string) => ({ passed: exitCode!, failed: output.length, skips: [] })
    const stage = script('prints', "console.log('out'); console.error('err'); process.exit(5)", { count })
    await runStages([stage], { lanes: 1, onEnd: ({ title }, counts, output) => ended.push([title, counts, output]) })
    expect(ended).toEqual([['prints', { passed: 5, failed: 8, skips: [] }, 'out\nerr\n']])
  })

  test('runs a stage after those that it names, whether they passed or not', async () => {
    const later = { after: ['first'] }
    const log = await logOf(2, (logged) => [logged('first', 'process.exitCode = 1'), logged('second', '', later)])
    expect(log).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
  })

  test('runs as many at once as there are lanes', async () => {
    const until = (line: string) => `const timer = setInterval(() => has('${line}') && clearInterval(timer), 5)`
    await logOf(2, (logged) => [logged('a', until('b begins')), logged('b', until('a begins'))])
    const inTurn = await logOf(1, (logged) => [logged('a', ''), logged('b', '')])
    expect(inTurn).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  test('runs nothing beside a stage that is alone', async () => {
    const log = await logOf(2, (logged) => [logged('a', ''), logged('alone', '', { alone: true }), logged('b', '')])
    expect(log.slice(-2)).toEqual(['alone begins', 'alone ends'])
  })

  test('skips what has not its tools, and what comes after that', async () => {
    const stages = [
      script('present', '', { needs: [here] }),
      script('builds', 'process.exit(1)', { needs: [here, absent('one')] }),
      script('uses', 'process.exit(1)', { after: ['builds'], needs: [absent('two'), absent('one')] }),
      script('installs', 'process.exit(1)', {
        needs: [absent('one'), { ...absent('kit'), installer: 'npm ci --prefix' }],
      }),
    ]
    expect(await runStages(stages, { lanes: 2 })).toEqual({
      ...{ passed: 1, failed: 0, failures: [] },
      skips: [
        { title: 'builds', install: 'apt-get install one' },
        { title: 'uses', install: 'apt-get install two one' },
        { title: 'installs', install: 'apt-get install one && npm ci --prefix kit' },
      ],
    })
  })
})

describe('the last line', () => {
  const summary: Summary = { passed: 7, failed: 0, skips: [], failures: [] }
  const skips = [{ title: 'native tests', install: 'apt-get install cmake' }, { title: 'vitest: a test' }]

  test('names skips only where there are any', () => {
    expect(textOf(summary)).toBe('7 passed, 0 failed')
    expect(textOf({ ...summary, failed: 2, failures: ['a', 'b'] })).toBe('failed:\n  a\n  b\n\n7 passed, 2 failed')
    expect(textOf({ ...summary, skips })).toBe(
      'skipped:\n  native tests: apt-get install cmake\n  vitest: a test\n\n7 passed, 0 failed, 2 skipped',
    )
  })

  test('counts skips as failures where none is allowed', () => {
    expect(withoutSkips(summary)).toEqual(summary)
    expect(textOf(withoutSkips({ ...summary, failed: 1, skips, failures: ['a'] }))).toBe(
      'failed:\n  a\n  native tests (skipped: apt-get install cmake)\n  vitest: a test (skipped)\n\n7 passed, 3 failed',
    )
  })
})

describe('the counts', () => {
  test('of a native test binary are those of its last line; a crash is a failure of its own', () => {
    expect(countNativeTests(0, 'warning\n12 passed, 0 failed\n')).toEqual({ passed: 12, failed: 0, skips: [] })
    expect(countNativeTests(1, '12 passed, 3 failed\n')).toEqual({ passed: 12, failed: 3, skips: [] })
    expect(countNativeTests(1, '12 passed, 0 failed\nleak\n')).toEqual({ passed: 12, failed: 1, skips: [] })
    expect(countNativeTests(1, 'error: no such type\n')).toEqual({ passed: 0, failed: 1, skips: [] })
  })

  test('of vitest are those of its report, and skipped tests say what they need', () => {
    const folder = mkdtempSync(join(tmpdir(), 'galvani-runner-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'report.json')
    expect(countVitestTests(file)(1)).toEqual({ passed: 0, failed: 1, skips: [] })
    const assertionResults = [
      { fullName: 'adds', status: 'passed', meta: {} },
      { fullName: 'reads', status: 'skipped', meta: { install: 'apt-get install data' } },
      { fullName: 'later', status: 'todo', meta: {} },
    ]
    writeFileSync(file, JSON.stringify({ numPassedTests: 1, numFailedTests: 0, testResults: [{ assertionResults }] }))
    const skips = [{ title: 'reads', install: 'apt-get install data' }, { title: 'later' }]
    expect(countVitestTests(file)(0)).toEqual({ passed: 1, failed: 0, skips })
    expect(countVitestTests(file)(1)).toEqual({ passed: 1, failed: 1, skips })
  })
})

test.each([
  ['npm test', shortStages('/tmp')],
  ['npm run test:long', longStages('/tmp', 5)],
])('%s has stages of different titles, each after earlier ones', (_, stages) => {
  const titles = stages.map(({ title }) => title)
  expect(new Set(titles).size).toBe(titles.length)
  stages.forEach(({ after = [] }, i) => {
    expect(titles.slice(0, i)).toEqual(expect.arrayContaining([...after]))
  })
})
