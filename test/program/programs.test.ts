import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Backend } from '../../lib/backend/backend.ts'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { type DType, dtypes, type TypedArray } from '../../lib/base/dtype.ts'
import { opcodes } from '../../lib/program/instructions.ts'
import { microOpNames } from '../../lib/program/micro-ops.ts'
import { formatProgram } from '../../lib/program/text.ts'
import { native, nativeIsas } from '../support/backends.ts'
import { checkInstruction } from '../support/instruction-contract.ts'
import { exposed, type Placed, shared, unshared } from '../support/placement.ts'
import { type Sketch, sketchOf } from '../support/random-program.ts'
import { type Bound, bind, type RunOutcome, type Typed } from '../support/run.ts'
import { Tape, tape } from '../support/tape.ts'
import { expectSame } from '../support/tolerance.ts'

/** A counterexample is shown as the text of its program. */
const textOf = (sketch: Sketch, placement: readonly number[]) => () =>
  `\n${formatProgram(shared(sketch, new Tape(placement)).program)}\n`

const sketches = (allowed: readonly DType[]) =>
  fc
    .record({ tapes: fc.array(tape, { minLength: 1, maxLength: 14, size: 'max' }), placement: tape })
    .map(({ tapes, placement }) => {
      const sketch = sketchOf(tapes, allowed)
      return { sketch, placement, [fc.toStringMethod]: textOf(sketch, placement) }
    })

const settings: fc.Parameters<unknown> = { numRuns: 400 }

const nativeDTypes = dtypes.filter((dtype) => dtype !== 'float64')

const reference = createReferenceBackend()

/** Twice with one executable: what the first run left in the arena must not matter. */
function runTwice(backend: Backend, { program, inputs, states }: Placed): RunOutcome {
  const executable = backend.prepare(program)
  const [first, second] = [bind(program, inputs, states), bind(program, inputs, states)]
  executable.run(first.buffers)
  executable.run(second.buffers)
  executable.dispose()
  expectSameOutcome(second, first)
  return first
}

function expectSameOutcome(actual: RunOutcome, expected: RunOutcome): void {
  for (const kind of ['results', 'states'] as const)
    actual[kind].forEach((data, i) => {
      expectSame(data, expected[kind][i]!, `${kind} ${i}`)
    })
}

/** What all values of a sketch are, by running the program that exposes them. */
function valuesOf(backend: Backend, sketch: Sketch): { placed: Placed; data: TypedArray[]; outcome: RunOutcome } {
  const placed = exposed(sketch)
  const outcome = runTwice(backend, placed)
  const data = placed.program.values.map(({ place }, id) => {
    const given = sketch.values[id]?.data
    if (given) return given
    if (place.kind === 'state') return outcome.states[place.index]!
    return outcome.results[placed.results.indexOf(id)]!
  })
  return { placed, data, outcome }
}

/** The same bits wherever the values lie; then each instruction of `data` against the reference. */
function checkPlacements(backend: Backend, sketch: Sketch, placement: readonly number[]): ReturnType<typeof valuesOf> {
  const values = valuesOf(backend, sketch)
  for (const placed of [unshared(sketch), shared(sketch, new Tape(placement))]) {
    const { results, states } = runTwice(backend, placed)
    results.forEach((data, i) => {
      expectSame(data, values.data[placed.results[i]!]!, `value ${placed.results[i]}`)
    })
    expectSameOutcome({ results: [], states }, values.outcome)
  }
  return values
}

function checkInstructions({ placed: { program }, data }: ReturnType<typeof valuesOf>): void {
  const typed = (id: number): Typed => ({ dtype: program.values[id]!.dtype, data: data[id]! })
  for (const instruction of program.instructions)
    checkInstruction(instruction, instruction.inputs.map(typed), instruction.outputs.map(typed))
}

async function checkThreads({ program, inputs, states }: Placed): Promise<void> {
  const executable = native!.prepare(program)
  const [alone, together, later] = [0, 1, 2].map(() => bind(program, inputs, states)) as [Bound, Bound, Bound]
  native!.setNumThreads(1)
  executable.run(alone.buffers)
  native!.setNumThreads(2)
  executable.run(together.buffers)
  await executable.runAsync(later.buffers)
  executable.dispose()
  expectSameOutcome(together, alone)
  expectSameOutcome(later, alone)
}

/** What a sketch and its shared placement exercise. */
function featuresOf(sketch: Sketch, placement: readonly number[]): string[] {
  const { values, instructions } = shared(sketch, new Tape(placement)).program
  const offsetOf = (id: number) => {
    const { place } = values[id]!
    return place.kind === 'arena' && values[id]!.shape.every((extent) => extent > 0) ? place.offset : undefined
  }
  const written = new Set<number>()
  return instructions.flatMap((instruction) => {
    const features: string[] = [instruction.opcode]
    if (instruction.opcode === 'elementwise') features.push(...instruction.params.code.map(({ op }) => `micro ${op}`))
    for (const id of instruction.outputs) {
      features.push(`${values[id]!.dtype} at ${values[id]!.place.kind}`)
      const offset = offsetOf(id)
      if (offset === undefined) continue
      const inPlace = instruction.inputs.some((input) => offsetOf(input) === offset)
      if (inPlace) features.push(`${instruction.opcode} in place`)
      else if (written.has(offset)) features.push('slot reused')
      written.add(offset)
    }
    return features
  })
}

describe('random programs', () => {
  test('reach every opcode, micro-op, dtype and kind of place, in-place and reused slots', () => {
    const counts = new Map<string, number>()
    for (const { sketch, placement } of fc.sample(sketches(dtypes), { numRuns: 5000, seed: 1 }))
      for (const feature of featuresOf(sketch, placement)) counts.set(feature, (counts.get(feature) ?? 0) + 1)
    const wanted = [
      ...opcodes,
      ...microOpNames.map((op) => `micro ${op}`),
      ...dtypes.flatMap((dtype) => [`${dtype} at arena`, `${dtype} at state`, `${dtype} at result`]),
      ...['elementwise', 'softmax', 'logSoftmax', 'scatterAdd', 'scatterAlongAxis', 'sgd', 'momentum', 'adam'].map(
        (opcode) => `${opcode} in place`,
      ),
      'slot reused',
    ]
    expect(wanted.filter((feature) => (counts.get(feature) ?? 0) < 5)).toEqual([])
  })

  test('on the reference', () => {
    fc.assert(
      fc.property(sketches(dtypes), ({ sketch, placement }) => {
        checkInstructions(checkPlacements(reference, sketch, placement))
      }),
      settings,
    )
  })

  describe.skipIf(native === null).each(nativeIsas)('on %s', (isa) => {
    beforeEach(() => {
      native!.setIsa(isa)
      expect(native!.info().isa).toBe(isa)
    })

    test('each instruction keeps the contract, on every placement the same bits', () => {
      fc.assert(
        fc.property(sketches(nativeDTypes), ({ sketch, placement }) => {
          checkInstructions(checkPlacements(native!, sketch, placement))
        }),
        settings,
      )
    })

    test('the same bits on one thread and on two, sync and async', async () => {
      const threads = native!.info().threads
      await fc.assert(
        fc.asyncProperty(sketches(nativeDTypes), async ({ sketch, placement }) => {
          await checkThreads(shared(sketch, new Tape(placement)))
        }),
        settings,
      )
      native!.setNumThreads(threads)
    })
  })
})
