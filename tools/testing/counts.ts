/** What the stages that consist of tests count: by the last line of a native test binary, or by the report of vitest. */
import { existsSync, readFileSync } from 'node:fs'
import type { Counts, Skip } from './runner.ts'

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      /** `install` is the command that brings what a skipped test needs. */
      readonly meta: { readonly install?: string }
    }[]
  }[]
}

/** A stage that broke before or beside its tests (an error of its build, a crash, a leak) is a failure of its own. */
const withBreakage = (
  exitCode: number | null,
  passed: number,
  failed: number,
  skips: readonly Skip[] = [],
): Counts => ({
  passed,
  failed: exitCode !== 0 && failed === 0 ? 1 : failed,
  skips,
})

export const nativeSummary = /^(\d+) passed, (\d+) failed\n/m

export function countNativeTests(exitCode: number | null, output: string): Counts {
  const [, passed, failed] = nativeSummary.exec(output) ?? ['', '0', '1']
  return withBreakage(exitCode, Number(passed), Number(failed))
}

/** Tests that a report in this file tells of; where there is none, vitest itself failed. */
export const countVitestTests =
  (reportFile: string) =>
  (exitCode: number | null): Counts => {
    if (!existsSync(reportFile)) return { passed: 0, failed: 1, skips: [] }
    const report: VitestReport = JSON.parse(readFileSync(reportFile, 'utf8'))
    const skips = report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName, meta: { install } }) => ({ title: fullName, install }))
    return withBreakage(exitCode, report.numPassedTests, report.numFailedTests, skips)
  }
