/** A program as text, for people and for tests. */
import { elementAt } from '../base/lists.ts'
import type { Instruction, InstructionOf } from './instructions.ts'
import { isDense } from './patterns.ts'
import { formatType, type Place, type Program, valueAt } from './program.ts'
import { bodiesOf, type Numbers, signatures } from './signatures.ts'
import type { LoadPattern, MatrixLayout } from './vocabulary.ts'

/**
 * One bound value or instruction a line, in order:
 *
 *     %0: float32[2,4] input 0
 *     %4: float32[2,3] @0 = matmul %0 %1ᵀ + %2, relu
 *     %5: float32[2,3] @64 = elementwise { a = mul %4 %3(0,0); b = add a %0 } → b
 *
 *     %7: float32[2] @0 = loop %1 %2 { length: 4, reverse: false, constants: 1 } body {
 *       %0: float32[2] input 0
 *       …
 *     }
 *
 * `@64` is an arena offset, `ᵀ` an operand stored as its transpose, `(0,0)` the strides of an operand that is not dense.
 */
export function formatProgram(program: Program): string {
  const written = new Set(program.instructions.flatMap(({ outputs }) => outputs))
  const bound = program.values.flatMap((_, id) =>
    written.has(id) ? [] : [`${formatValue(program, id)}${formatLiteral(program, id)}`],
  )
  return [...bound, ...formatInstructions(program), `arena ${program.arenaBytes} bytes`].join('\n')
}

/** Each instruction as a line. */
export function formatInstructions(program: Program): string[] {
  return program.instructions.map((instruction) => {
    const outputs = instruction.outputs.map((id) => formatValue(program, id)).join(', ')
    return `${outputs} = ${formatInstruction(program, instruction)}`
  })
}

function formatValue({ values }: Program, id: number): string {
  const value = valueAt({ values }, id)
  return `%${id}: ${formatType(value)} ${formatPlace(value.place)}`
}

const formatPlace = (place: Place): string =>
  place.kind === 'arena' ? `@${place.offset}` : `${place.kind} ${place.index}`

function formatLiteral({ values, literals }: Program, id: number): string {
  const { place } = valueAt({ values }, id)
  if (place.kind !== 'literal') return ''
  const data = elementAt(literals, place.index)
  return ` = ${data.length <= 4 ? Array.from(data).join(' ') : `${data.length} elements`}`
}

function formatInstruction(program: Program, instruction: Instruction): string {
  if (bodiesOf(instruction).length > 0) return formatNested(instruction)
  if (instruction.opcode === 'matmul') return formatMatmul(instruction)
  if (instruction.opcode === 'elementwise') return formatElementwise(program, instruction)
  const inputs = instruction.inputs.map((id) => ` %${id}`).join('')
  return `${instruction.opcode}${inputs}${formatParams(instruction.params)}`
}

/** Each program that it runs in braces, its lines set in. */
function formatNested({ opcode, inputs, params }: Instruction): string {
  const plain: [string, unknown][] = []
  let bodies = ''
  for (const [name, { type }] of signatures[opcode].params) {
    const value = (params as Numbers)[name]
    if (type !== 'program') plain.push([name, value])
    else bodies += ` ${name} {\n${formatProgram(value as Program).replaceAll(/^/gm, '  ')}\n}`
  }
  return `${opcode}${inputs.map((id) => ` %${id}`).join('')}${formatParams(Object.fromEntries(plain))}${bodies}`
}

function formatParams(params: object): string {
  const entries = Object.entries(params).map(([key, value]) => `${key}: ${formatParam(value)}`)
  return entries.length === 0 ? '' : ` { ${entries.join(', ')} }`
}

/** A pattern is its strides, after its offset if there is one. */
function formatParam(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatParam).join(',')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const { offset, strides } = value as LoadPattern
  return `(${offset === 0 ? '' : `${offset}: `}${strides.join(',')})`
}

function formatMatmul({ inputs: [a, b, bias], params }: InstructionOf<'matmul'>): string {
  const product = `matmul ${formatMatrix(a!, params.a)} ${formatMatrix(b!, params.b)}`
  const activation = params.activation === 'leakyRelu' ? `leakyRelu ${params.slope}` : params.activation
  const precision = params.precision === 'float32' ? '' : `, ${params.precision}`
  return `${product}${bias === undefined ? '' : ` + %${bias}`}${activation === 'none' ? '' : `, ${activation}`}${precision}`
}

const formatMatrix = (id: number, { offset, transpose }: MatrixLayout): string =>
  `%${id}${offset === 0 ? '' : `[${offset}:]`}${transpose ? 'ᵀ' : ''}`

function formatElementwise({ values }: Program, { inputs, params }: InstructionOf<'elementwise'>): string {
  const operands = inputs.map(
    (id, i) => `%${id}${formatPattern(elementAt(params.operands, i), params.shape, valueAt({ values }, id).shape)}`,
  )
  const register = (r: number) => operands[r] ?? registerName(r - operands.length)
  const steps = params.code.map(({ op, to, args }, i) => {
    return `${registerName(i)} = ${[op, ...args.map(register), ...(to ? [to] : [])].join(' ')}`
  })
  return `elementwise { ${steps.join('; ')} } → ${params.results.map(register).join(', ')}`
}

const registerName = (i: number): string => (i < 26 ? String.fromCharCode(97 + i) : `r${i}`)

function formatPattern(pattern: LoadPattern, shape: readonly number[], operand: readonly number[]): string {
  return isDense(shape, pattern) || operand.length === 0 ? '' : formatParam(pattern)
}
