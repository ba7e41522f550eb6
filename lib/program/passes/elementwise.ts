/** Elementwise instructions that only one other one reads, densely and over the same shape, become one group with it. */
import { elementAt } from '../../base/lists.ts'
import { sameShape } from '../../base/shape.ts'
import { type Draft, type DraftInstruction, instruction, usesOf } from '../draft.ts'
import type { InstructionOf } from '../instructions.ts'
import type { MicroInstruction } from '../micro-ops.ts'
import { isDense } from '../patterns.ts'
import type { LoadPattern } from '../vocabulary.ts'

/** A group's registers live in the first-level cache, so it stays small. */
const maxSteps = 24
const maxOperands = 12

type Elementwise = InstructionOf<'elementwise'>

interface Operand {
  readonly value: number
  readonly pattern: LoadPattern
}

/** Instructions that will be one, in their order, and what they read from outside the group. */
interface Group {
  readonly members: readonly Elementwise[]
  readonly operands: readonly Operand[]
  readonly steps: number
}

export function fuseElementwise(draft: Draft): void {
  const { counts } = usesOf(draft)
  const groups = new Map<number, Group>()
  const producers = new Map<number, number>()
  draft.instructions.forEach((instruction, position) => {
    if (instruction.opcode !== 'elementwise') return
    let group = groupOf(instruction)
    for (let i = 0; i < group.operands.length; i++) {
      const { value } = elementAt(group.operands, i)
      const from = counts[value] === 1 ? producers.get(value) : undefined
      const producer = from === undefined ? undefined : groups.get(from)
      const joined = producer === undefined ? null : join(producer, group, value)
      if (from === undefined || producer === undefined || joined === null) continue
      joinReaders(counts, producer, group)
      groups.delete(from)
      group = joined
      i = -1
    }
    groups.set(position, group)
    if (instruction.outputs.length === 1) producers.set(elementAt(instruction.outputs, 0), position)
  })
  const fused: DraftInstruction[] = []
  draft.instructions.forEach((instruction, position) => {
    const group = groups.get(position)
    if (group !== undefined) fused.push(emit(group))
    else if (instruction.opcode !== 'elementwise') fused.push(instruction)
  })
  draft.instructions = fused
}

const groupOf = (single: Elementwise): Group => ({
  members: [single],
  operands: single.inputs.map((value, i) => ({ value, pattern: elementAt(single.params.operands, i) })),
  steps: single.params.code.length,
})

const shapeOf = ({ members }: Group): readonly number[] => elementAt(members, 0).params.shape

const sameOperand = (a: Operand, b: Operand): boolean =>
  a.value === b.value && a.pattern.offset === b.pattern.offset && sameShape(a.pattern.strides, b.pattern.strides)

/** The group of both, where the consumer reads `value` element by element as the producer makes it; else null. */
function join(producer: Group, consumer: Group, value: number): Group | null {
  const shape = shapeOf(consumer)
  const steps = producer.steps + consumer.steps
  if (steps > maxSteps || !sameShape(shapeOf(producer), shape)) return null
  const operands = producer.operands.slice()
  for (const operand of consumer.operands) {
    if (operand.value !== value) {
      if (!operands.some((other) => sameOperand(other, operand))) operands.push(operand)
    } else if (!isDense(shape, operand.pattern)) return null
  }
  return operands.length > maxOperands ? null : { members: [...producer.members, ...consumer.members], operands, steps }
}

/** What both groups read has one reader fewer when they are one. */
function joinReaders(counts: Int32Array, a: Group, b: Group): void {
  const { operands } = a
  for (let i = 0; i < operands.length; i++) {
    const { value } = operands[i]!
    const isFirst = operands.findIndex((other) => other.value === value) === i
    if (isFirst && b.operands.some((other) => other.value === value)) counts[value]!--
  }
}

/** Numbers the registers anew: operands of the group first, then the steps of its members in order, equal ones once. */
function emit({ members, operands }: Group): Elementwise {
  if (members.length === 1) return elementAt(members, 0)
  const code: MicroInstruction[] = []
  const made = new Map<number, number>()
  for (const { inputs, outputs, params } of members) {
    const registers = inputs.map((value, i) => {
      const operand = { value, pattern: elementAt(params.operands, i) }
      return made.get(value) ?? operands.findIndex((other) => sameOperand(other, operand))
    })
    for (const step of params.code) {
      const next = { ...step, args: step.args.map((register) => elementAt(registers, register)) }
      const known = code.findIndex((other) => sameStep(other, next))
      registers.push(operands.length + (known >= 0 ? known : code.push(next) - 1))
    }
    outputs.forEach((value, i) => {
      made.set(value, elementAt(registers, elementAt(params.results, i)))
    })
  }
  const { outputs, params } = elementAt(members, members.length - 1)
  const inputs = operands.map(({ value }) => value)
  return instruction('elementwise', inputs, outputs, {
    shape: params.shape,
    operands: operands.map(({ pattern }) => pattern),
    code,
    results: outputs.map((value) => made.get(value)!),
  }) as Elementwise
}

const sameStep = (a: MicroInstruction, b: MicroInstruction): boolean =>
  a.op === b.op && a.dtype === b.dtype && a.to === b.to && sameShape(a.args, b.args)
