/**
 * write-replay.ts FILE: records every row of the operation cases, for `galvani_native_test --replay FILE` under the
 * sanitizers. How close the results are is the business of test/ops/parity.test.ts; here each has one tolerance.
 */
import { writeFileSync } from 'node:fs'
import { numberingOf } from '../../lib/backend/addon.ts'
import { loadAddon } from '../../lib/backend/addon-search.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import '../../lib/operations/methods.ts'
import { cases } from '../operations/cases.ts'
import {
  type CaseProgram,
  type Expectation,
  expectationOf,
  forwardPrograms,
  gradientPrograms,
  type OpCase,
  titleOf,
} from './cases.ts'
import { encodeReplay, type Expectation as Recorded, type RecordedCase } from './replay.ts'
import { bind } from './run.ts'
import type { Contract } from './tolerance.ts'

const reference = createReferenceBackend()

/** Of float32, of which 2⁻²³ is the epsilon and 2⁻¹⁴⁹ the least number. */
function toleranceOf(contract: Contract): { relative: number; absolute: number } {
  if ('ulps' in contract) return { relative: contract.ulps * 2 ** -23, absolute: contract.ulps * 2 ** -149 }
  const { epsilons } = contract
  // Infinities and NaN are themselves, whatever the tolerance.
  const finite = (typeof epsilons === 'number' ? [epsilons] : Array.from(epsilons)).filter(Number.isFinite)
  const greatest = finite.reduce((a, b) => Math.max(a, b), 0)
  return { relative: 0, absolute: greatest * 2 ** -23 + 2 ** -146 }
}

function record(name: string, { program, inputs }: CaseProgram, expected?: Expectation): RecordedCase {
  const { buffers } = bind(program, inputs)
  const expectations = (expected?.results ?? []).map((contents, i): Recorded => {
    const value = program.values.find(({ place }) => place.kind === 'result' && place.index === i)!
    return { buffer: inputs.length + i, dtype: value.dtype, ...toleranceOf(expected!.contracts[i]!), contents }
  })
  return { name, program, buffers, expectations }
}

function recordRow(operation: string, row: OpCase): RecordedCase[] {
  const name = `${operation} ${titleOf(row)}`
  const expected = expectationOf(reference, row)
  return [
    ...forwardPrograms(row).map((program) => record(name, program, expected)),
    ...(row.differentiable ? gradientPrograms(row).map((program) => record(`gradient of ${name}`, program)) : []),
  ]
}

const recorded = Object.entries(cases).flatMap(([operation, rows]) => rows.flatMap((row) => recordRow(operation, row)))
writeFileSync(process.argv[2]!, encodeReplay(recorded, numberingOf(loadAddon())))
