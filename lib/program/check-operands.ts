/** Whether an instruction's parameters and operands are what its row of the schema says. */
import type { DType } from '../base/dtype.ts'
import { checks, expectSize, type Given } from './checks.ts'
import type { Instruction } from './instructions.ts'
import { checkParameter } from './parameters.ts'
import { formatType, type Program, type Value } from './program.ts'
import { refuse, type Site } from './refuse.ts'
import {
  type Alternative,
  type Numbers,
  type Operand,
  type Operands,
  productOf,
  type Signature,
  signatures,
} from './signatures.ts'

/** Refuses an instruction whose operands are not what its parameters say. The opcode exists and ids are in range. */
export function checkOperands({ values }: Program, { opcode, inputs, outputs, params }: Instruction, site: Site): void {
  const valuesOf = (ids: readonly number[]) => ids.map((id) => values[id] as Value)
  checkSignature(signatures[opcode], params, { inputs: valuesOf(inputs), outputs: valuesOf(outputs), site })
}

/** First what stands alone: parameters, counts and dtypes; then the rule of its own; then the sizes. */
export function checkSignature(signature: Signature, params: object, given: Given): void {
  const { inputs, outputs, site } = given
  const named = params as Numbers
  for (const [name, parameter] of signature.params) checkParameter(site, name, parameter, named[name])
  checkCount(site, 'inputs', signature.inputs, inputs.length)
  checkCount(site, 'outputs', signature.outputs, outputs.length)
  checkDTypes(signature.inputs, inputs, given)
  checkDTypes(signature.outputs, outputs, given)
  if (signature.check !== null) checkOwnRule(signature.check, params, given)
  checkSizes(signature.inputs, inputs, given, named)
  checkSizes(signature.outputs, outputs, given, named)
}

/** The types have it that the rule is one of the row whose parameters these are. */
function checkOwnRule(name: string, params: object, given: Given): void {
  const check = checks[name as keyof typeof checks] as (params: object, given: Given) => void
  check(params, given)
}

function checkCount(site: Site, what: string, { least, most }: Operands, found: number): void {
  if (found >= least && found <= most) return
  const bounds = most === Infinity ? `at least ${least}` : `${least} to ${most}`
  refuse(site, `${least === most ? least : bounds} ${what}`, found)
}

/** The last operand is also that of all values after it. */
const operandAt = ({ list }: Operands, i: number): Operand | undefined => list[i] ?? list.at(-1)

/** The first alternative that allows the dtype. */
function alternativeOf({ alternatives }: Operand, dtype: DType, inputs: readonly Value[]): Alternative | undefined {
  for (const alternative of alternatives) {
    const { dtypes } = alternative
    if (typeof dtypes === 'number' ? inputs[dtypes]?.dtype === dtype : dtypes.includes(dtype)) return alternative
  }
  return undefined
}

function checkDTypes(operands: Operands, values: readonly Value[], { inputs, site }: Given): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const operand = operandAt(operands, i)
    if (operand === undefined || alternativeOf(operand, value.dtype, inputs)) continue
    const wanted = operand.alternatives.map(({ dtypes }) =>
      typeof dtypes === 'number' ? inputs[dtypes]?.dtype : dtypes.join(' or '),
    )
    refuse(site, `${operand.name} to be ${wanted.join(' or ')}`, formatType(value))
  }
}

function checkSizes(operands: Operands, values: readonly Value[], { inputs, site }: Given, params: Numbers): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const operand = operandAt(operands, i)
    const size = operand && alternativeOf(operand, value.dtype, inputs)?.size
    if (size) expectSize(site, operand.name, value, productOf(size, params))
  }
}
