/** Which output of an instruction may be written where its operands stand. */
import { bytesPerElement, type DType } from '../base/dtype.ts'
import { sizeOf } from '../base/shape.ts'
import type { PlannedDraft } from './draft.ts'
import type { Instruction } from './instructions.ts'
import { isDense } from './patterns.ts'
import { valueAt } from './program.ts'
import { signatures } from './signatures.ts'
import type { LoadPattern } from './vocabulary.ts'

/**
 * Whether an output may be written exactly where those operands stand that are `overwritten`, of as many bytes, which
 * nothing reads later: the instruction has read of each what it still needs.
 */
export function mayOverwrite(
  values: readonly { readonly dtype: DType }[],
  { opcode, inputs, outputs, params }: Instruction,
  output: number,
  overwritten: (id: number) => boolean,
): boolean {
  if (opcode === 'elementwise') {
    const widthOf = (id: number | undefined) => bytesPerElement(valueAt({ values }, id).dtype)
    const width = widthOf(outputs[output])
    const inStep = (id: number, pattern: LoadPattern | undefined) =>
      widthOf(id) === width && pattern !== undefined && isDense(params.shape, pattern)
    return inputs.every((id, i) => !overwritten(id) || inStep(id, params.operands[i]))
  }
  const { replaces, inStep } = signatures[opcode]
  const replaced = replaces[output] ?? -1
  const anywhere = inStep && inputs.some((id, i) => i === replaced && overwritten(id))
  return inputs.every((id, i) => !overwritten(id) || i === replaced || anywhere)
}

/** Whether an output may be given the memory of a value of its size, which nothing reads later. */
export function mayReuse({ values }: PlannedDraft, instruction: Instruction, output: number, value: number): boolean {
  const [made, old] = [valueAt({ values }, instruction.outputs[output]), valueAt({ values }, value)]
  const isAsLarge =
    bytesPerElement(made.dtype) === bytesPerElement(old.dtype) && sizeOf(made.shape) === sizeOf(old.shape)
  return isAsLarge && mayOverwrite(values, instruction, output, (id) => id === value)
}
