/**
 * Every row on the native backend, by each instruction set this machine has, against the reference within the row's
 * contract, as it is and with float64 in place of float32; its gradient instruction by instruction. Fused or not, planned or not, on one thread or two, sync or async.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../../lib/backend/backend.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { TypedArray } from '../../lib/base/dtype.ts'
import { hasNativeKernels } from '../../lib/program/signatures.ts'
import { native, nativeIsas } from '../support/backends.ts'
import {
  type CaseProgram,
  checkRows,
  type Expectation,
  expectationOf,
  expectWithin,
  forwardPrograms,
  gradientPrograms,
  type OpCase,
  rowsOfFloat64,
} from '../support/cases.ts'
import { expectSameResults, runEveryWay } from '../support/every-way.ts'
import { checkInstruction } from '../support/instruction-contract.ts'
import { exposed } from '../support/placement.ts'
import { runProgram, type Typed } from '../support/run.ts'
import { cases } from './cases.ts'

const reference = createReferenceBackend()

/** Each instruction alone against the reference, given the operands that the backend made; gives the results. */
function runStepByStep(backend: Backend, { program, inputs }: CaseProgram): TypedArray[] {
  const values = program.values.map(({ dtype, shape, place }) => {
    if (place.kind === 'input') return { dtype, shape, role: 'input' as const, data: inputs[place.index]! }
    if (place.kind === 'literal')
      return { dtype, shape, role: 'literal' as const, data: program.literals[place.index]! }
    return { dtype, shape, role: 'computed' as const }
  })
  const open = exposed({ values, instructions: program.instructions, results: new Set() })
  const { results } = runProgram(backend, open.program, open.inputs)
  const typed = (id: number): Typed => {
    return { dtype: open.program.values[id]!.dtype, data: values[id]?.data ?? results[open.results.indexOf(id)]! }
  }
  for (const instruction of open.program.instructions)
    checkInstruction(instruction, instruction.inputs.map(typed), instruction.outputs.map(typed))
  const resultAt = (index: number) =>
    program.values.findIndex(({ place }) => place.kind === 'result' && place.index === index)
  return Array.from({ length: program.resultCount }, (_, index) => typed(resultAt(index)).data)
}

const expectations = new Map<OpCase, Expectation>()

function expectationOnce(row: OpCase): Expectation {
  const expectation = expectations.get(row) ?? expectationOf(reference, row)
  expectations.set(row, expectation)
  return expectation
}

const operations = Object.entries(cases)

test('every operation has a row', () => {
  expect(operations.filter(([, rows]) => rows.length === 0)).toEqual([])
})

/** Those that have operands of floats, which are of float64 here. */
const operationsOfFloats = operations
  .map(([name, rows]) => [name, rowsOfFloat64(name, rows)] as const)
  .filter(([, rows]) => rows.length > 0)

const isNative = ({ program }: CaseProgram): boolean => hasNativeKernels(program)

describe.each(nativeIsas)('%s', (isa) => {
  beforeAll(() => {
    native!.setIsa(isa)
    expect(native!.info().isa).toBe(isa)
  })

  test.each(operations)('%s', (_, rows) =>
    checkRows(rows, async (row) => {
      for (const every of forwardPrograms(row))
        expectWithin(await runEveryWay(native!, every), expectationOnce(row), every.program)
    }),
  )

  test.each(operationsOfFloats)('%s of float64', (_, rows) =>
    checkRows(rows, async (row) => {
      for (const every of forwardPrograms(row).filter(isNative))
        expectWithin(await runEveryWay(native!, every), expectationOnce(row), every.program)
    }),
  )

  test.each(operations)('gradient of %s', (_, rows) =>
    checkRows(
      rows.filter((row) => row.differentiable),
      async (row) => {
        for (const every of gradientPrograms(row))
          expectSameResults(await runEveryWay(native!, every), runStepByStep(native!, every), 'planned')
      },
    ),
  )
})

// By the best instruction set alone: the kernels are those of the rows above.
test.skipIf(native === null).each(operationsOfFloats)('gradient of %s of float64', (_, rows) => {
  native!.setIsa(nativeIsas[0]!)
  return checkRows(
    rows.filter((row) => row.differentiable),
    async (row) => {
      for (const every of gradientPrograms(row).filter(isNative))
        expectSameResults(await runEveryWay(native!, every), runStepByStep(native!, every), 'planned')
    },
  )
})
