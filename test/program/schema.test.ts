/** The schema's rows, and what is made of them: a wrong one is refused, or makes another checker. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ProgramError } from '../../lib/base/errors.ts'
import { checkSignature } from '../../lib/program/check-operands.ts'
import { opcodes } from '../../lib/program/instructions.ts'
import { checked, op, optional, type Row, rest } from '../../lib/program/op.ts'
import { count, real } from '../../lib/program/parameters.ts'
import { schema } from '../../lib/program/schema.ts'
import { signatureOf } from '../../lib/program/signatures.ts'
import { generateInstructions, instructionRows, writtenInstructions } from '../../tools/instructions.ts'
import { opcodeSamples } from '../support/opcode-samples.ts'

const floats = ['float32'] as const

test('native/program/instructions.inc is what `npm run generate:instructions` writes', () => {
  const message = 'native/program/instructions.inc is not up to date: npm run generate:instructions'
  expect(writtenInstructions(), message).toBe(generateInstructions(instructionRows))
})

test('each row has the specification as its comment', () => {
  const text = readFileSync(fileURLToPath(new URL('../../lib/program/schema.ts', import.meta.url)), 'utf8')
  const described = [...text.matchAll(/\*\/\n {2}(\w+): op\(/g)].map(([, opcode]) => opcode)
  expect(described).toEqual(opcodes)
})

/** The scan with another row, which its types would refuse. */
const scanWith = (changes: object): Row => ({ ...(schema.scan as Row), ...changes })

/** Whether the sample of scan is one by this row. */
function checkSample(row: Row): void {
  const { values, instructions } = opcodeSamples.scan
  const [input, output] = values
  const given = { inputs: [input!], outputs: [output!], site: { index: 0, opcode: 'scan' } }
  checkSignature(signatureOf('scan', row), instructions[0]!.params, given)
}

describe('a wrong row makes a wrong checker', () => {
  test.each([
    ['size', scanWith({ outputs: { out: ['x', 'outer inner'] } }), 'out to be int32 with 8 elements'],
    ['dtype', scanWith({ inputs: { x: [floats, 'outer length inner'] } }), 'x to be float32, got int32[2,3,4]'],
    ['count', scanWith({ inputs: { ...schema.scan.inputs, b: ['x', 'outer'] } }), '2 inputs, got 1'],
  ])('of another %s, which refuses a well-formed instruction', (_, row, message) => {
    checkSample(schema.scan as Row)
    expect(() => checkSample(row)).toThrow(ProgramError)
    expect(() => checkSample(row)).toThrow(message)
    expect(generateInstructions({ ...instructionRows, scan: row })).not.toBe(writtenInstructions())
  })
})

describe('a row that contradicts itself is refused by the generator', () => {
  test.each([
    ['a size of no parameter', { outputs: { out: ['x', 'outer width'] } }, 'in "outer width", got width'],
    ['a size of no count', { outputs: { out: ['x', 'outer reverse'] } }, 'in "outer reverse", got reverse'],
    ['a lesser of no parameter', { outputs: { out: ['x', 'min(outer,width)'] } }, 'got width'],
    ['a name for two operands', { outputs: { x: ['x', 'outer'] } }, 'a name for each operand, got x twice'],
    ['a dtype of no operand', { outputs: { out: ['y', 'outer'] } }, 'one of x, got y'],
    ['a replaced operand that is none', { replaces: { out: 'y' } }, 'one of x, got y'],
    ['a replacing output that is none', { replaces: { y: 'x' } }, 'one of out, got y'],
    ['a failing operand that is none', { fails: 'labels' }, 'one of x, got labels'],
    ['a size that nothing checks', { outputs: { out: ['x', checked] } }, 'a check of what is no product, got none'],
    ['an operand after a repeated one', { inputs: { x: rest([floats, '1']), y: ['x', '1'] } }, 'got x before y'],
    [
      'an operand after an optional one',
      { inputs: { x: optional([floats, '1']), y: [floats, '1'] } },
      'got x before y',
    ],
    [
      'a type that C++ lacks',
      { params: { ...schema.scan.params, extra: { ...count, type: 'letters' } } },
      'got letters',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => generateInstructions({ ...instructionRows, scan: scanWith(changes) })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^internal: schema: scan: expected /) }),
    )
    expect(() => generateInstructions({ ...instructionRows, scan: scanWith(changes) })).toThrow(message)
  })
})

test('a row with a wrong name does not compile', () => {
  const params = { n: count, r: real } as const
  op({ params, inputs: { x: [floats, 'n n'] }, outputs: { out: ['x', '2 n min(n,n)'] } })
  // @ts-expect-error m is no parameter
  op({ params, inputs: { x: [floats, 'n m'] }, outputs: { out: ['x', 'n'] } })
  // @ts-expect-error r is no count
  op({ params, inputs: { x: [floats, 'n r'] }, outputs: { out: ['x', 'n'] } })
  // @ts-expect-error y is no operand
  op({ params, inputs: { x: [floats, 'n'], z: optional(['y', 'n']) }, outputs: { out: ['x', 'n'] } })
  // @ts-expect-error y is no operand
  op({ params, inputs: { x: [floats, 'n'] }, outputs: { out: ['x', 'n'] }, fails: 'y' })
  // @ts-expect-error y is no output
  op({ params, inputs: { x: [floats, 'n'] }, outputs: { out: ['x', 'n'] }, replaces: { y: 'x' } })
  // @ts-expect-error m is no parameter
  op({ params, inputs: { x: [floats, 'n'] }, outputs: { out: ['x', 'n'] }, flops: '2 m' })
})

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the compiler says of the C++ checks with this text as their generated part. */
function compileChecks(generated: string): string {
  const source = readFileSync(`${root}/native/program/check_operands.cc`, 'utf8')
  const own = source.replace('#include "program/instructions.inc"\n', () => generated)
  const { status, stderr, error } = spawnSync(
    'c++',
    ['-std=c++17', '-fsyntax-only', '-I', `${root}/native`, '-x', 'c++', '-'],
    { input: own, encoding: 'utf8' },
  )
  if (error !== undefined) throw error
  return status === 0 ? '' : stderr
}

const hasCompiler = spawnSync('c++', ['--version']).error === undefined

test.skipIf(!hasCompiler)('a row whose check C++ lacks does not compile there', () => {
  expect(compileChecks(writtenInstructions())).toBe('')
  const unknown = generateInstructions({ ...instructionRows, scan: scanWith({ check: 'sorted' }) })
  expect(compileChecks(unknown)).toMatch(/check_sorted.*not declared|undeclared.*check_sorted/)
})
