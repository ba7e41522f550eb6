/** Every row on the reference backend, fused or not, against what its operations give one by one. */
import { describe, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { checkRows, expectationOf, expectWithin, forwardPrograms } from '../support/cases.ts'
import { runProgram } from '../support/run.ts'
import { cases } from './cases.ts'

const reference = createReferenceBackend()

describe('fusion keeps the contract on the reference', () => {
  test.each(Object.entries(cases))('%s', (_, rows) =>
    checkRows(rows, (row) => {
      const expectation = expectationOf(reference, row)
      for (const { program, inputs } of forwardPrograms(row))
        expectWithin(runProgram(reference, program, inputs).results, expectation, program)
    }),
  )
})
