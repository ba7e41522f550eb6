/**
 * write-replay.ts FILE: records every row of the operation cases, for `galvani_native_test --replay FILE` under the
 * sanitizers. How close the results are is the business of test/ops/parity.test.ts; here each has one tolerance.
 */
import { writeFileSync } from 'node:fs'
import { numberingOf } from '../../lib/backend/addon.ts'
import { loadAddon } from '../../lib/backend/addon-search.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import type { DType } from '../../lib/base/dtype.ts'
import { sizeOf } from '../../lib/base/shape.ts'
import '../../lib/operations/methods.ts'
import { hasNativeKernels } from '../../lib/program/signatures.ts'
import { cases } from '../operations/cases.ts'
import {
  type CaseProgram,
  type Expectation,
  expectationOf,
  forwardPrograms,
  gradientPrograms,
  type OpCase,
  rowsOfFloat64,
  titleOf,
} from './cases.ts'
import { encodeReplay, type Expectation as Recorded, type RecordedCase } from './replay.ts'
import { bind } from './run.ts'
import type { Contract } from './tolerance.ts'

const reference = createReferenceBackend()

/** 2⁻¹⁴⁹ is the least float32; doubles that small are as good as 0 here. */
function toleranceOf(contract: Contract, dtype: DType): { relative: number; absolute: number } {
  const epsilon = dtype === 'float64' ? 2 ** -52 : 2 ** -23
  if ('ulps' in contract) return { relative: contract.ulps * epsilon, absolute: contract.ulps * 2 ** -149 }
  const { epsilons } = contract
  // Infinities and NaN are themselves, whatever the tolerance.
  const finite = (typeof epsilons === 'number' ? [epsilons] : Array.from(epsilons)).filter(Number.isFinite)
  const greatest = finite.reduce((a, b) => Math.max(a, b), 0)
  return { relative: 0, absolute: greatest * epsilon + 2 ** -146 }
}

function record(name: string, { program, inputs }: CaseProgram, expected?: Expectation): RecordedCase {
  const { buffers } = bind(program, inputs)
  const expectations = (expected?.results ?? []).map((contents, i): Recorded => {
    const value = program.values.find(({ place }) => place.kind === 'result' && place.index === i)!
    return {
      buffer: inputs.length + i,
      dtype: value.dtype,
      ...toleranceOf(expected!.contracts[i]!, value.dtype),
      contents,
    }
  })
  return { name, program, buffers, expectations }
}

const isNative = ({ program }: CaseProgram): boolean => hasNativeKernels(program)

function recordRow(operation: string, row: OpCase): RecordedCase[] {
  const name = `${operation} ${titleOf(row)}`
  const expected = expectationOf(reference, row)
  return [
    ...forwardPrograms(row)
      .filter(isNative)
      .map((program) => record(name, program, expected)),
    ...(row.differentiable ? gradientPrograms(row) : [])
      .filter(isNative)
      .map((program) => record(`gradient of ${name}`, program)),
  ]
}

/** Of float64 the small ones are enough: the loops around vectors are those of float32. */
const isSmall = ({ inputs }: OpCase): boolean => inputs.every(({ shape }) => sizeOf(shape) <= 1024)

const recorded = Object.entries(cases).flatMap(([operation, rows]) => [
  ...rows.flatMap((row) => recordRow(operation, row)),
  ...rowsOfFloat64(operation, rows)
    .filter(isSmall)
    .flatMap((row) => recordRow(`float64 ${operation}`, row)),
])
writeFileSync(process.argv[2]!, encodeReplay(recorded, numberingOf(loadAddon())))
