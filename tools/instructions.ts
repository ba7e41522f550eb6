/**
 * Writes native/program/instructions.inc from lib/program/schema.ts: of each instruction its parameters as a struct,
 * their decoder, the check of its operands, and its facts. Types of parameters, and rules that are no products of them,
 * are written by hand there; what is missing does not compile.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type DType, dtypes } from '../lib/base/dtype.ts'
import { InternalError } from '../lib/base/errors.ts'
import type { Row } from '../lib/program/op.ts'
import { schema, windows } from '../lib/program/schema.ts'
import {
  type Alternative,
  type Factor,
  failingDTypes,
  type Operand,
  type Operands,
  type Signature,
  signatureOf,
} from '../lib/program/signatures.ts'

const path = fileURLToPath(new URL('../native/program/instructions.inc', import.meta.url))

/** Of each type of parameter its C++ type, and what reads one of a name. */
const types: Readonly<Record<string, readonly [type: string, read: (name: string) => string]>> = {
  count: ['int64_t', (name) => `in.number("${name}")`],
  flag: ['bool', () => 'in.flag()'],
  real: ['double', () => 'in.real()'],
  activation: ['Activation', () => 'in.enumeration<Activation>("an activation")'],
  precision: ['Precision', () => 'in.enumeration<Precision>("a precision")'],
  reduction: ['Reduction', () => 'in.enumeration<Reduction>("a reduction")'],
  distribution: ['Distribution', () => 'in.enumeration<Distribution>("a distribution")'],
  counts: ['std::vector<int64_t>', (name) => `read_counts(in, "${name}")`],
  shape: ['PerAxis', () => 'read_shape(in)'],
  strides: ['PerAxis', () => 'read_strides(in)'],
  patterns: ['std::vector<LoadPattern>', () => 'read_patterns(in)'],
  layout: ['MatrixLayout', () => 'read_layout(in)'],
  code: ['std::vector<MicroInstruction>', () => 'read_code(in)'],
  program: ['std::shared_ptr<const Program>', () => 'read_program(in)'],
}

/** Parameters that C++ has as a struct of its own. */
const groups = { Windows: windows }

interface Instruction extends Signature {
  readonly opcode: string
  /** The C++ type of its parameters: that of the first instruction with the same ones. */
  readonly struct: string
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const pascal = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`
const keyOf = ({ params }: Signature): string => params.map(([name, { type }]) => `${name}: ${type}`).join(', ')

/** Texts are not encoded. */
const withoutTexts = (signature: Signature): Signature => ({
  ...signature,
  params: signature.params.filter(([, { type }]) => type !== 'text'),
})

function instructionsOf(rows: Readonly<Record<string, Row>>): Instruction[] {
  const structs = new Map<string, string>()
  return Object.entries(rows).map(([opcode, row]) => {
    const signature = withoutTexts(signatureOf(opcode, row))
    const struct = structs.get(keyOf(signature)) ?? `${pascal(opcode)}Params`
    structs.set(keyOf(signature), struct)
    return { opcode, struct, ...signature }
  })
}

const isNew = ({ opcode, struct }: Instruction): boolean => struct === `${pascal(opcode)}Params`

function typeOf(opcode: string, type: string) {
  const found = types[type]
  if (found === undefined) throw new InternalError(`schema: ${opcode}: expected a type that C++ has, got ${type}`)
  return found
}

// --- Parameters -------------------------------------------------------------------------------------------------------

function structOf(instruction: Instruction): string {
  const { opcode, struct, params } = instruction
  if (!isNew(instruction)) return `using ${pascal(opcode)}Params = ${struct};`
  const names = params.map(([name]) => name)
  const [base, members] = Object.entries(groups).find(([, group]) =>
    Object.keys(group).every((name) => names.includes(name)),
  ) ?? ['', {}]
  const own = params.filter(([name]) => !Object.hasOwn(members, name))
  const fields = own.map(([name, { type }]) => `  ${typeOf(opcode, type)[0]} ${snake(name)};\n`)
  return `struct ${struct}${base === '' ? '' : ` : ${base}`} {\n${fields.join('')}};`
}

function decoderOf({ opcode, struct, params }: Instruction): string {
  const reads = params.map(([name, { type }]) => `  p.${snake(name)} = ${typeOf(opcode, type)[1](name)};\n`)
  return `${struct} decode_${snake(opcode)}(Reader& in) {\n  ${struct} p{};\n${reads.join('')}  return p;\n}`
}

// --- Operands ---------------------------------------------------------------------------------------------------------

/** Those of them that C++ computes the instruction in. */
const nativeOf = ({ nativeFloat64 }: Signature, dtypes: readonly DType[]): readonly DType[] =>
  nativeFloat64 ? dtypes : dtypes.filter((dtype) => dtype !== 'float64')

const listOf = (dtypes: readonly DType[]): string => dtypes.map((dtype) => `DType::k_${dtype}`).join(', ')

const dtypesOf = (signature: Signature, { dtypes }: Alternative): string =>
  typeof dtypes === 'number' ? `operands.input(${dtypes}).dtype` : listOf(nativeOf(signature, dtypes))

function factorOf(factor: Factor): string {
  if (typeof factor === 'number') return `${factor}`
  if (typeof factor === 'string') return `p.${snake(factor)}`
  return `std::min(${factor.map(factorOf).join(', ')})`
}

const productOf = (factors: readonly Factor[]): string => `checked_product({${factors.map(factorOf).join(', ')}})`

type Role = 'input' | 'output'

/** What an operand has to be of, once it is there. */
function dtypeCheckOf(signature: Signature, role: Role, { alternatives }: Operand, i: number): string {
  const allowed = alternatives.flatMap(({ dtypes }) => (typeof dtypes === 'number' ? [] : nativeOf(signature, dtypes)))
  const list = alternatives.map((alternative) => dtypesOf(signature, alternative)).join(', ')
  return dtypes.every((dtype) => allowed.includes(dtype)) ? '' : `operands.expect_${role}_dtype(${i}, {${list}});`
}

function sizeCheckOf(signature: Signature, role: Role, { alternatives: [first, second] }: Operand, i: number): string {
  if (first?.size == null) return ''
  const size = productOf(first.size)
  const is = `is_one_of(operands.${role}(${i}).dtype, {${dtypesOf(signature, first)}})`
  const chosen = second?.size == null ? size : `${is} ? ${size} : ${productOf(second.size)}`
  return `operands.expect_${role}_size(${i}, ${chosen});`
}

function checksOf(signature: Signature, role: Role, checkOf: typeof sizeCheckOf): string[] {
  return signature[`${role}s`].list.flatMap((operand, i) => {
    const check = checkOf(signature, role, operand, i)
    if (check === '') return []
    return operand.occurs === 'optionally' ? [`if (operands.${role}_count() > ${i}) ${check}`] : [check]
  })
}

const boundsOf = ({ least, most }: Operands): string => `${least}, ${most === Infinity ? 'SIZE_MAX' : most}`

function operandCheckOf(instruction: Instruction): string {
  const { opcode, struct, inputs, outputs, check } = instruction
  const lines = [
    `if (!operands.counts(${boundsOf(inputs)}, ${boundsOf(outputs)})) return;`,
    ...checksOf(instruction, 'input', dtypeCheckOf),
    ...checksOf(instruction, 'output', dtypeCheckOf),
    ...(check === null ? [] : [`check_${snake(check)}(p, operands);`]),
    ...checksOf(instruction, 'input', sizeCheckOf),
    ...checksOf(instruction, 'output', sizeCheckOf),
  ]
  return `void ${snake(opcode)}_operands(const ${struct}& p, Operands& operands) {\n  ${lines.join('\n  ')}\n}`
}

// --- Facts ------------------------------------------------------------------------------------------------------------

/** A switch over the opcodes that returns what each gives, or else `otherwise`. */
function switchOf(instructions: readonly Instruction[], of: (instruction: Instruction) => string, otherwise: string) {
  const cases = instructions.map((next) => ({ opcode: next.opcode, result: of(next) }))
  const lines = cases
    .filter(({ result }) => result !== otherwise)
    .map(({ opcode, result }) => `    case Opcode::k_${opcode}: return ${result};\n`)
  return `  switch (opcode) {\n${lines.join('')}    default: return ${otherwise};\n  }`
}

const replacedOf = ({ replaces }: Instruction): string => {
  if (replaces.every((input) => input === -1)) return '-1'
  return replaces.reduceRight(
    (rest, input, output) => (rest === '' ? `${input}` : `output == ${output} ? ${input} : ${rest}`),
    '',
  )
}

const failsOn = (instruction: Instruction): string =>
  instruction.fails === -1
    ? 'false'
    : `is_one_of(dtype, {${listOf(nativeOf(instruction, failingDTypes(instruction)))}})`

// --- The file ---------------------------------------------------------------------------------------------------------

/** The text of native/program/instructions.inc. */
export function generateInstructions(rows: Readonly<Record<string, Row>>): string {
  const all = instructionsOf(rows)
  const structs = all.filter(isNew)
  const decoded = switchOf(all, ({ struct }) => `decode_${snake(lower(struct))}(in)`, '{}')
  const checked = all.map(
    ({ opcode, struct }) =>
      `    case Opcode::k_${opcode}: return ${snake(opcode)}_operands(std::get<${struct}>(instruction.params), operands);\n`,
  )
  return `// What lib/program/schema.ts says of each instruction, by \`npm run generate:instructions\`: not to be edited. Whoever
// includes it says which part.
#if defined(GALVANI_INSTRUCTION_PARAMS)

#define GALVANI_OPCODES(X) \\
  ${all.map(({ opcode }) => `X(${opcode})`).join(' \\\n  ')}

${all.map(structOf).join('\n\n')}

using Params = std::variant<${structs.map(({ struct }) => struct).join(', ')}>;

#elif defined(GALVANI_INSTRUCTION_DECODERS)

${structs.map(decoderOf).join('\n\n')}

Params decode_params(Opcode opcode, Reader& in) {
${decoded}
}

#elif defined(GALVANI_INSTRUCTION_OPERANDS)

${all.map(operandCheckOf).join('\n\n')}

void check_instruction(const Instruction& instruction, Operands& operands) {
  switch (instruction.opcode) {
${checked.join('')}    case Opcode::count: break;
  }
}

#elif defined(GALVANI_INSTRUCTION_FACTS)

// The input where whose memory an output may be written; -1 for none.
int replaced_input(Opcode opcode, [[maybe_unused]] size_t output) {
${switchOf(all, replacedOf, '-1')}
}

// Whether it looks at each index once, reading all operands before it writes there.
bool is_in_step(Opcode opcode) {
${switchOf(all, ({ inStep }) => `${inStep}`, 'false')}
}

// The input whose elements end the run if they are out of range; -1 for none.
int fallible_input(Opcode opcode) {
${switchOf(all, ({ fails }) => `${fails}`, '-1')}
}

// Whether they do so where they have a dtype.
bool fails_on(Opcode opcode, DType dtype) {
${switchOf(all, failsOn, 'false')}
}

#endif
`
}

const lower = (struct: string): string => `${struct.charAt(0).toLowerCase()}${struct.slice(1, -'Params'.length)}`

export const instructionRows = schema as Readonly<Record<string, Row>>

export const writtenInstructions = (): string => readFileSync(path, 'utf8')

if (import.meta.url === pathToFileURL(process.argv[1]!).href) writeFileSync(path, generateInstructions(instructionRows))
