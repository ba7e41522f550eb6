/** The types of instructions, as the schema states them. */
import { microOps } from './micro-ops.ts'
import type { ParamsOf } from './op.ts'
import { schema } from './schema.ts'

export type Opcode = keyof typeof schema

/** By opcode, with the comment of its row. */
export type InstructionParams = { readonly [K in Opcode]: ParamsOf<(typeof schema)[K]['params']> }

export type InstructionOf<K extends Opcode> = {
  readonly opcode: K
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly params: InstructionParams[K]
}

export type Instruction = { [K in Opcode]: InstructionOf<K> }[Opcode]

export const opcodes = Object.keys(schema) as readonly Opcode[]

/** Whether an instruction is an elementwise one that computes no more than what reading its result costs. */
export const isCheap = ({ opcode, params }: Instruction): boolean =>
  opcode === 'elementwise' && params.code.every(({ op }) => microOps[op].cheap)
