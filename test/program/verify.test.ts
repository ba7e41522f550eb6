import { describe, expect, test } from 'vitest'
import { ProgramError } from '../../lib/base/errors.ts'
import { opcodes } from '../../lib/program/instructions.ts'
import type { Program } from '../../lib/program/program.ts'
import { verifyProgram } from '../../lib/program/verify.ts'
import { native } from '../support/backends.ts'
import { apply, float, malformedPrograms } from '../support/malformed-programs.ts'
import { opcodeSamples } from '../support/opcode-samples.ts'
import { instruction, program, value } from '../support/run.ts'

describe('a malformed program is refused, its well-formed twin is not', () => {
  test.each(malformedPrograms)('$rule', ({ twin, malformed, message }) => {
    verifyProgram(twin)
    expect(() => verifyProgram(malformed)).toThrow(ProgramError)
    expect(() => verifyProgram(malformed)).toThrow(message)
  })
})

// Names and numbers that have no words are refused by the encoder, all else by the addon's decoder.
describe.skipIf(native === null)('the native backend refuses a malformed program by itself', () => {
  test.each(malformedPrograms)('$rule', ({ twin, malformed }) => {
    native!.prepare(twin).dispose()
    expect(() => native!.prepare(malformed)).toThrow(/expected|the backend knows no/)
  })
})

test.each(opcodes)('the sample of %s is well-formed', (opcode) => {
  verifyProgram(opcodeSamples[opcode])
})

/** A state is updated, then a loss of labels of this dtype is computed. */
const lossAfterUpdate = (dtype: 'int32' | 'float32') =>
  program({
    values: [
      float([2, 3], 'input', 0),
      value(dtype, dtype === 'int32' ? [2] : [2, 3], 'input', 1),
      float([], 'input', 2),
      float([6], 'state', 0),
      float([6], 'state', 0),
      float([2], 'result', 0),
    ],
    instructions: [
      // The old value is its own gradient: read twice, and written over.
      instruction('sgd', { size: 6 }, [3, 3, 2], [4]),
      instruction('softmaxCrossEntropy', { rows: 2, columns: 3 }, [0, 1], [5]),
    ],
    inputCount: 3,
    stateCount: 1,
    resultCount: 1,
  })

const checkers: readonly (readonly [who: string, check: (program: Program) => void])[] = [
  ['the verifier', verifyProgram],
  ['the native backend', (program) => native?.prepare(program).dispose()],
]

describe.each(native === null ? checkers.slice(0, 1) : checkers)('%s has it that', (_, check) => {
  test('a loss of probabilities cannot fail, and may follow the update of a state', () => {
    check(lossAfterUpdate('float32'))
  })

  test('a loss of classes may fail', () => {
    expect(() => check(lossAfterUpdate('int32'))).toThrow(/before the first write (of|to) a state/)
  })
})

/** Value i + 1 is the negative of value i, in the arena at offsetOf(i). */
const negations = (count: number, offsetOf: (i: number) => number, arenaBytes: number) =>
  program({
    values: [float([4], 'input', 0), ...Array.from({ length: count }, (_, i) => float([4], 'arena', offsetOf(i)))],
    instructions: Array.from({ length: count }, (_, i) => apply('neg', [i], i + 1, [4])),
    inputCount: 1,
    arenaBytes,
  })

describe('slots', () => {
  test('an operand that is not read again may be replaced', () => {
    verifyProgram(negations(3, () => 0, 64))
  })

  test('a slot is free once its value is not read again', () => {
    verifyProgram(negations(4, (i) => (i % 2) * 64, 128))
  })

  test('100,000 instructions, all of whose values are alive at the end', () => {
    const count = 100_000
    const { values, instructions, ...rest } = negations(count, (i) => ((i * 7919) % count) * 64, count * 64)
    const readers = Array.from({ length: count }, (_, i) => apply('neg', [i + 1], count + 1 + i, [4]))
    const outputs = readers.map((_, i) => float([4], 'arena', (count + i) * 64))
    const all = {
      values: [...values, ...outputs],
      instructions: [...instructions, ...readers],
      ...rest,
      arenaBytes: count * 128,
    }
    verifyProgram(all)
    const busy = { ...all, values: all.values.with(count, float([4], 'arena', 0)) }
    expect(() => verifyProgram(busy)).toThrow(
      `instruction ${count - 1} (elementwise): expected a free slot for value ${count}`,
    )
  })
})
