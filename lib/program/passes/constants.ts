/**
 * Constants: elementwise instructions on literals are computed here, and those that change nothing go. Only operations
 * that every backend computes to the bit are folded, so that folding changes no result.
 */

import { allocate, type DType, isFloat } from '../../base/dtype.ts'
import { elementAt } from '../../base/lists.ts'
import { extentAt, sizeOf } from '../../base/shape.ts'
import { type Draft, type DraftInstruction, renameValues, substitute } from '../draft.ts'
import type { InstructionOf } from '../instructions.ts'
import { type MicroInstruction, type MicroOpName, microResultDType } from '../micro-ops.ts'
import { isDense } from '../patterns.ts'
import { valueAt } from '../program.ts'
import type { LoadPattern } from '../vocabulary.ts'

type Elementwise = InstructionOf<'elementwise'>

/** A literal of more elements would cost more than the instruction. */
const mostElements = 16

export function foldConstants(draft: Draft): void {
  const replaced = new Map<number, number>()
  const rest: DraftInstruction[] = []
  for (const next of draft.instructions) {
    if (next.opcode !== 'elementwise') {
      rest.push(next)
      continue
    }
    const same = unchanged(draft, next)
    if (same !== null) {
      for (const each of substitute(draft, elementAt(next.outputs, 0), same, replaced)) rest.push(each)
    } else if (!fold(draft, next, replaced)) {
      rest.push(next)
    }
  }
  draft.instructions = rest
  renameValues(draft, replaced)
}

/** In float64: storing the result rounds it once, which for these is exact also for float32. */
const exact: { readonly [K in MicroOpName]?: (a: number, b: number, c: number) => number } = {
  identity: (a) => a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  where: (condition, a, b) => (condition !== 0 ? a : b),
  cast: (a) => a,
}

/** Null where it is not exact: products of integers need more bits than float64 has, and casts to integers saturate. */
function compute({ op, dtype, to, args }: MicroInstruction, x: readonly number[]): number | null {
  const f = exact[op]
  const isExact = op === 'cast' ? isFloat(to!) : op === 'where' || isFloat(dtype)
  if (f === undefined || !isExact) return null
  return f(...(args.map((register) => x[register]!) as [number, number, number]))
}

/** Makes the outputs literals where all operands are; says whether it did. */
function fold(draft: Draft, { inputs, outputs, params }: Elementwise, replaced: ReadonlyMap<number, number>): boolean {
  const size = sizeOf(params.shape)
  const dataOf = (id: number) => literalOf(draft, replaced.get(id) ?? id)
  if (size > mostElements || !inputs.every(dataOf) || outputs.some((id) => valueAt(draft, id).place !== null))
    return false
  const data = inputs.map(dataOf)
  const made = outputs.map((id) => allocate(valueAt(draft, id).dtype, size))
  for (let i = 0; i < size; i++) {
    const registers = data.map((array, k) => array![elementOf(elementAt(params.operands, k), params.shape, i)]!)
    for (const step of params.code) {
      const result = compute(step, registers)
      if (result === null) return false
      registers.push(rounded(microResultDType(step), result))
    }
    params.results.forEach((register, k) => {
      elementAt(made, k)[i] = elementAt(registers, register)
    })
  }
  outputs.forEach((id, k) => {
    valueAt(draft, id).place = { kind: 'literal', index: draft.literals.push(elementAt(made, k)) - 1 }
  })
  return true
}

const literalOf = ({ values, literals }: Draft, value: number) => {
  const { place } = valueAt({ values }, value)
  return place?.kind === 'literal' ? elementAt(literals, place.index) : null
}

function rounded(dtype: DType, x: number): number {
  const register = allocate(dtype, 1)
  register[0] = x
  return elementAt(register, 0)
}

/** Which element of an operand belongs to element `i` of the shape. */
function elementOf({ offset, strides }: LoadPattern, shape: readonly number[], i: number): number {
  let element = offset
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    element += (i % extentAt(shape, axis)) * elementAt(strides, axis)
    i = Math.floor(i / extentAt(shape, axis))
  }
  return element
}

/** What an operand on the right is where the one on the left stays what it is. */
const neutrals = { mul: 1, div: 1, sub: 0 } as const

/** The operand that x·1, 1·x, x/1 and x − 0 give, read as it stands; else null. −0 is no such 0. */
function unchanged(draft: Draft, { inputs, params }: Elementwise): number | null {
  const step = params.code[0]!
  if (params.code.length !== 1 || params.results[0] !== inputs.length || !(step.op in neutrals)) return null
  const [left, right] = step.args as [number, number]
  const isNeutral = (register: number | undefined, neutral: number) => {
    const data = register === undefined ? null : literalOf(draft, elementAt(inputs, register))
    return data?.length === 1 && Object.is(data[0], neutral)
  }
  const whole = (register: number) => {
    const value = elementAt(inputs, register)
    const { shape } = valueAt(draft, value)
    return sizeOf(shape) === sizeOf(params.shape) && isDense(params.shape, elementAt(params.operands, register))
      ? value
      : null
  }
  const neutral = neutrals[step.op as keyof typeof neutrals]
  if (step.op === 'mul' && isNeutral(left, neutral)) return whole(right)
  return isNeutral(right, neutral) ? whole(left) : null
}
