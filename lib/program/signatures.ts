/** The rows of the schema taken apart, as whoever checks, places or counts instructions needs them. */
import type { DType } from '../base/dtype.ts'
import { InternalError } from '../base/errors.ts'
import { type Instruction, type Opcode, opcodes } from './instructions.ts'
import { checked, type Operand as OperandPair, type OperandRow, type ParameterRow, type Row } from './op.ts'
import type { Parameter } from './parameters.ts'
import type { Program } from './program.ts'
import { schema } from './schema.ts'

/** A number, a parameter, or the lesser of two. */
export type Factor = number | string | readonly [string, string]

export interface Alternative {
  /** The dtypes that it may have, or the input whose dtype it has. */
  readonly dtypes: readonly DType[] | number
  /** How many elements; null where the row's check sees to that. */
  readonly size: readonly Factor[] | null
}

export interface Operand {
  readonly name: string
  readonly occurs: 'once' | 'optionally' | 'repeatedly'
  /** The first that allows its dtype. */
  readonly alternatives: readonly Alternative[]
}

/** In order, and how many values there may be. */
export interface Operands {
  readonly list: readonly Operand[]
  readonly least: number
  readonly most: number
}

export interface Signature {
  readonly params: readonly (readonly [name: string, Parameter<unknown>])[]
  readonly inputs: Operands
  readonly outputs: Operands
  readonly check: string | null
  /** By output, the input where whose memory it may be written; -1 for none. */
  readonly replaces: readonly number[]
  readonly inStep: boolean
  /** Whether C++ computes it in float64. */
  readonly nativeFloat64: boolean
  /** The input whose elements may be out of range where they have a dtype of its first alternative; -1 for none. */
  readonly fails: number
}

/** Parameters by name, those in products being numbers. */
export type Numbers = Readonly<Record<string, unknown>>

/** The value of a product. */
export function productOf(factors: readonly Factor[], params: Numbers): number {
  let product = 1
  for (const factor of factors) {
    if (typeof factor === 'string') product *= params[factor] as number
    else if (typeof factor === 'number') product *= factor
    else product *= Math.min(params[factor[0]] as number, params[factor[1]] as number)
  }
  return product
}

/** The factors of a product such as `2 rows min(rows,columns)`, each a number or a count of the parameters. */
export function factorsOf(opcode: string, product: string, params: ParameterRow): Factor[] {
  const named = (name: string): string => {
    if (params[name]?.type === 'count') return name
    throw fault(opcode, `counts of its parameters in "${product}"`, name)
  }
  return product.split(' ').map((factor) => {
    const lesser = /^min\((\w+),(\w+)\)$/.exec(factor)
    if (lesser?.[1] !== undefined && lesser[2] !== undefined) return [named(lesser[1]), named(lesser[2])]
    return /^\d+$/.test(factor) ? Number(factor) : named(factor)
  })
}

type Rows = readonly (readonly [name: string, row: OperandRow])[]

const fault = (opcode: string, what: string, got: unknown) =>
  new InternalError(`schema: ${opcode}: expected ${what}, got ${got}`)

/** Which of the operands has the name. */
function indexIn(opcode: string, operands: Rows, name: unknown): number {
  const index = operands.findIndex(([other]) => other === name)
  if (index === -1) throw fault(opcode, `one of ${operands.map(([other]) => other).join(', ')}`, name)
  return index
}

function operandsOf(opcode: string, rows: Rows, alternativeOf: (pair: OperandPair) => Alternative): Operands {
  const list = rows.map(([name, row]) => ({ name, ...partsOf(row, alternativeOf) }))
  list.forEach(({ name, occurs }, i) => {
    const next = list[i + 1]
    if (next !== undefined && occurs !== 'once' && !(occurs === 'optionally' && next.occurs === 'optionally'))
      throw fault(opcode, 'what may be left out or repeated to come last', `${name} before ${next.name}`)
  })
  const isRepeated = list.at(-1)?.occurs === 'repeatedly'
  const least = list.filter(({ occurs }) => occurs !== 'optionally').length
  return { list, least, most: isRepeated ? Infinity : list.length }
}

/** Takes a row apart. A row that contradicts itself is an InternalError, also where it hides that from its types. */
export function signatureOf(opcode: string, row: Row): Signature {
  const [inputs, outputs] = [Object.entries(row.inputs), Object.entries(row.outputs)]
  const names = [...inputs, ...outputs].map(([name]) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw fault(opcode, 'a name for each operand', `${twice} twice`)
  const alternativeOf = ([dtype, size]: OperandPair): Alternative => {
    if (size === checked && row.check === undefined) throw fault(opcode, 'a check of what is no product', 'none')
    return {
      dtypes: typeof dtype === 'string' ? indexIn(opcode, inputs, dtype) : dtype,
      size: size === checked ? null : factorsOf(opcode, size, row.params),
    }
  }
  const inputOf = (name: string | undefined): number => (name === undefined ? -1 : indexIn(opcode, inputs, name))
  for (const name of Object.keys({ ...row.replaces })) indexIn(opcode, outputs, name)
  return {
    params: Object.entries(row.params),
    inputs: operandsOf(opcode, inputs, alternativeOf),
    outputs: operandsOf(opcode, outputs, alternativeOf),
    check: row.check ?? null,
    replaces: outputs.map(([name]) => inputOf(row.replaces?.[name])),
    inStep: row.inStep ?? false,
    nativeFloat64: row.float64 !== 'reference',
    fails: inputOf(row.fails),
  }
}

function partsOf(row: OperandRow, alternativeOf: (pair: OperandPair) => Alternative): Omit<Operand, 'name'> {
  if ('rest' in row) return { occurs: 'repeatedly', alternatives: [alternativeOf(row.rest)] }
  if ('optional' in row) return { ...partsOf(row.optional, alternativeOf), occurs: 'optionally' }
  return { occurs: 'once', alternatives: 'either' in row ? row.either.map(alternativeOf) : [alternativeOf(row)] }
}

/** For each opcode what a function makes of its row. */
export const byOpcode = <T>(make: (opcode: Opcode, row: Row) => T): Readonly<Record<Opcode, T>> =>
  Object.fromEntries(opcodes.map((opcode) => [opcode, make(opcode, schema[opcode] as Row)])) as Record<Opcode, T>

export const signatures = byOpcode(signatureOf)

const bodyNames = byOpcode((opcode) =>
  signatures[opcode].params.filter(([, { type }]) => type === 'program').map(([name]) => name),
)

const noBodies: readonly Program[] = []

/** The programs that an instruction runs. */
export function bodiesOf({ opcode, params }: Instruction): readonly Program[] {
  const names = bodyNames[opcode]
  return names.length === 0 ? noBodies : names.map((name) => (params as Numbers)[name] as Program)
}

const canFail = ({ values, instructions }: Program): boolean => instructions.some((next) => isFallible(values, next))

/** Whether C++ computes all of a program: not where an instruction of float64 is the reference's alone. */
export const hasNativeKernels = ({ values, instructions }: Program): boolean =>
  instructions.every((next) => {
    const isDouble = (id: number): boolean => values[id]?.dtype === 'float64'
    const isNative = signatures[next.opcode].nativeFloat64 || ![...next.inputs, ...next.outputs].some(isDouble)
    return isNative && bodiesOf(next).every(hasNativeKernels)
  })

/** Whether what an instruction reads, or one of its programs does, can end the run. */
export function isFallible(values: readonly { readonly dtype: DType }[], instruction: Instruction): boolean {
  const bodies = bodiesOf(instruction)
  if (bodies.length > 0 && bodies.some(canFail)) return true
  const signature = signatures[instruction.opcode]
  if (signature.fails < 0) return false
  const dtype = values[instruction.inputs[signature.fails] ?? -1]?.dtype
  return dtype !== undefined && failingDTypes(signature).includes(dtype)
}

/** The dtypes of the input whose elements may be out of range; none where there is no such input. */
export function failingDTypes({ inputs, fails }: Signature): readonly DType[] {
  const dtypes = inputs.list[fails]?.alternatives[0]?.dtypes
  return typeof dtypes === 'object' ? dtypes : []
}
