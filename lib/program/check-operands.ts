/** Whether an instruction's parameters and operands are what its row of the schema says. */
import type { DType } from '../base/dtype.ts'
import { checks, expectSize, type Given } from './checks.ts'
import type { Instruction } from './instructions.ts'
import { checkParameter } from './parameters.ts'
import { formatType, type Program, type Value } from './program.ts'
import { refuse, type Site } from './refuse.ts'
import { type Factor, type Operand, productOf, type Signature, signatures } from './signatures.ts'

/** Refuses an instruction whose operands are not what its parameters say. The opcode exists and ids are in range. */
export function checkOperands({ values }: Program, { opcode, inputs, outputs, params }: Instruction, site: Site): void {
  const valuesOf = (ids: readonly number[]) => ids.flatMap((id) => values[id] ?? [])
  checkSignature(signatures[opcode], params, { inputs: valuesOf(inputs), outputs: valuesOf(outputs), site })
}

/** First what stands alone: parameters, counts and dtypes; then the rule of its own; then the sizes. */
export function checkSignature(signature: Signature, params: object, given: Given): void {
  const { inputs, outputs, site } = given
  const named = params as Readonly<Record<string, unknown>>
  for (const [name, parameter] of signature.params) checkParameter(site, name, parameter, named[name])
  checkCount(site, 'inputs', signature.inputs, inputs.length)
  checkCount(site, 'outputs', signature.outputs, outputs.length)
  const sized = [
    ...withSizes(site, signature.inputs, inputs, inputs),
    ...withSizes(site, signature.outputs, outputs, inputs),
  ]
  if (signature.check !== null) checkOwnRule(signature.check, params, given)
  for (const { name, value, size } of sized) if (size !== null) expectSize(site, name, value, productOf(size, named))
}

/** The types have it that the rule is one of the row whose parameters these are. */
function checkOwnRule(name: string, params: object, given: Given): void {
  const check = checks[name as keyof typeof checks] as (params: object, given: Given) => void
  check(params, given)
}

function checkCount(site: Site, what: string, operands: readonly Operand[], found: number): void {
  const least = operands.filter(({ occurs }) => occurs !== 'optionally').length
  const most = operands.at(-1)?.occurs === 'repeatedly' ? Infinity : operands.length
  if (found >= least && found <= most) return
  const bounds = most === Infinity ? `at least ${least}` : `${least} to ${most}`
  refuse(site, `${least === most ? least : bounds} ${what}`, found)
}

interface Sized {
  readonly name: string
  readonly value: Value
  /** Null where the instruction's own rule sees to it. */
  readonly size: readonly Factor[] | null
}

/** Each value with the size that an operand of its dtype has. Refuses one of another dtype. */
function withSizes(
  site: Site,
  operands: readonly Operand[],
  values: readonly Value[],
  inputs: readonly Value[],
): Sized[] {
  const allowed = (dtypes: readonly DType[] | number): readonly (DType | undefined)[] =>
    typeof dtypes === 'number' ? [inputs[dtypes]?.dtype] : dtypes
  return values.flatMap((value, i) => {
    const operand = operands[i] ?? operands.at(-1)
    if (operand === undefined) return []
    const { name, alternatives } = operand
    const fitting = alternatives.find(({ dtypes }) => allowed(dtypes).includes(value.dtype))
    if (fitting === undefined) {
      const wanted = alternatives.flatMap(({ dtypes }) => allowed(dtypes))
      refuse(site, `${name} to be ${wanted.join(' or ')}`, formatType(value))
    }
    return { name, value, size: fitting.size }
  })
}
