import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { fuzz } from '../../tools/testing/fuzz.ts'
import { again, numbersOf, type Run } from '../fuzz/suite.ts'

/** Counts its cases; the one that is bad is a fault under seed 9. */
const suiteWith =
  (bad: number | null): Run =>
  async (seed, budget, report) => {
    for (const number of numbersOf({ ...budget, cases: Math.min(budget.cases, 4) })) {
      if (seed === 9 && number === bad) report.fault('Error: bad', again('some', seed, number))
      else report.count(number % 2 === 0 ? 'even' : 'odd')
    }
  }

async function lines(bad: number | null, options: { seed: number; minutes?: number; case?: number }) {
  const printed: string[] = []
  const suites = new Map([
    ['some', suiteWith(bad)],
    ['other', suiteWith(null)],
  ])
  const isWell = await fuzz({ suites, minutes: 0.001, ...options, print: (line) => printed.push(line) })
  return { isWell, printed }
}

describe('fuzz', () => {
  test('prints the seed first, goes on under others while there is time, and then counts', async () => {
    const { isWell, printed } = await lines(null, { seed: 9 })
    expect(isWell).toBe(true)
    expect(printed[0]).toBe('fuzz: seed 9, suites some, other')
    const [, even, odd] = /^some: (\d+) even, (\d+) odd$/.exec(printed[1]!)!.map(Number)
    expect(even).toBeGreaterThan(2)
    expect(odd).toBeGreaterThan(2)
    expect(printed.at(-1)).toBe('fuzz: no fault')
  })

  test('ends with the first round that has a fault, which it says how to show again', async () => {
    const { isWell, printed } = await lines(2, { seed: 7, minutes: 1000 })
    expect(isWell).toBe(false)
    expect(printed).toEqual([
      'fuzz: seed 7, suites some, other',
      '\nError: bad\nagain: npm run fuzz -- --suite some --seed 9 --case 2',
      'some: 5 even, 6 odd',
      'other: 6 even, 6 odd',
      'fuzz: a fault',
    ])
  })

  test('tries one case alone', async () => {
    expect(await lines(2, { seed: 9, minutes: 1000, case: 3 })).toEqual({
      isWell: true,
      printed: ['fuzz: seed 9, suites some, other', 'some: 1 odd', 'other: 1 odd', 'fuzz: no fault'],
    })
  })
})

describe('npm run fuzz', () => {
  const tool = fileURLToPath(new URL('../../tools/fuzz.ts', import.meta.url))
  const run = (...args: string[]) =>
    new Promise<{ code: number | null; out: string; errors: string }>((resolve) => {
      const child = execFile(process.execPath, ['--import', 'tsx', tool, ...args], (_, out, errors) =>
        resolve({ code: child.exitCode, out, errors }),
      )
    })

  test('runs a case again', async () => {
    const { code, out } = await run('--suite', 'programs', '--seed', '4', '--case', '17')
    expect(out).toMatch(/^fuzz: seed 4, suites programs\nprograms: 1 [a-z]+\nfuzz: no fault\n$/)
    expect(code).toBe(0)
  })

  test.each([
    [['--suite', 'nothing'], 'Expected one of '],
    [['--minutes', '-1'], 'Expected a number from 0 on.'],
    [['--seed', '1.5'], 'Expected a whole number from 0 on.'],
    [['--case', '1'], '--case is one of a --suite'],
  ])('refuses %j', async (args, message) => {
    const { code, errors } = await run(...args)
    expect(errors).toContain(message)
    expect(code).toBe(1)
  })
})
