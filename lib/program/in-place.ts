/** Which output of an instruction may be written where one of its operands stands. */
import { bytesPerElement } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import type { PlannedDraft } from './draft.ts'
import { type Instruction, opcodeFacts } from './instructions.ts'
import { isDense } from './signatures.ts'

/** Whether the output may be written over `value`, which nothing reads later: every operand that reads it allows it. */
export function mayReplace({ values }: PlannedDraft, instruction: Instruction, output: number, value: number): boolean {
  const [made, old] = [values[instruction.outputs[output]!]!, values[value]!]
  if (bytesPerElement(made.dtype) !== bytesPerElement(old.dtype) || sizeOf(made.shape) !== sizeOf(old.shape))
    return false
  return instruction.inputs.every((input, i) => input !== value || mayShare(instruction, output, i))
}

function mayShare({ opcode, params }: Instruction, output: number, input: number): boolean {
  if (opcode !== 'elementwise') return opcodeFacts[opcode].inPlace[output] === input
  return isDense(params.shape, params.operands[input]!)
}
