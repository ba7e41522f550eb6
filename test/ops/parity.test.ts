import { describe, test } from 'vitest'
import type { Backend } from '../../lib/backend/backend.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../lib/dtype.ts'
import {
  type CaseProgram,
  checkRows,
  forwardProgram,
  gradientProgram,
  magnitudeProgram,
  type OpCase,
  titleOf,
} from '../support/cases.ts'
import { runProgram } from '../support/run.ts'
import { accumulated, type Contract, expectClose, ulps } from '../support/tolerance.ts'
import { cases } from './cases.ts'

const reference = createReferenceBackend()

const run = (backend: Backend, { program, inputs }: CaseProgram): TypedArray[] =>
  runProgram(backend, program, inputs).results

interface Expectation {
  readonly results: readonly TypedArray[]
  readonly contracts: readonly Contract[]
}

function expectationOf(row: OpCase): Expectation {
  const results = run(reference, forwardProgram(row, []))
  const { contract } = row
  if ('ulps' in contract) return { results, contracts: results.map(() => ulps(contract.ulps)) }
  const magnitudes = run(reference, magnitudeProgram(row)!)
  return { results, contracts: results.map((_, i) => accumulated(contract.depth, magnitudes[i] ?? magnitudes[0]!)) }
}

test.each(Object.entries(cases))('%s', (_, rows) => {
  checkRows(rows, (row) => {
    const { results, contracts } = expectationOf(row)
    run(reference, forwardProgram(row)).forEach((actual, i) =>
      expectClose(actual, results[i]!, contracts[i]!, `result ${i}`),
    )
    if (row.differentiable) run(reference, gradientProgram(row))
  })
})
