/** Bias and activation become part of the matmul they follow, which applies both while its tile is in registers. */
import { sizeOf } from '../../shape.ts'
import { type Draft, type Uses, usesOf } from '../draft.ts'
import type { ActivationName, InstructionOf, LoadPattern, MicroInstruction } from '../instructions.ts'
import { isDense } from '../signatures.ts'

const isActivation = (op: string): op is ActivationName =>
  op === 'relu' || op === 'leakyRelu' || op === 'sigmoid' || op === 'tanh'

type Matmul = InstructionOf<'matmul'>
type Absorb = (draft: Draft, matmul: Matmul, next: InstructionOf<'elementwise'>) => Matmul | null

/** matmul → + bias[n] → activation becomes one matmul. */
export function fuseEpilogues(draft: Draft): void {
  const uses = usesOf(draft)
  const removed = new Set<number>()
  for (let position = 0; position < draft.instructions.length; position++) {
    const biased = absorbReader(draft, uses, removed, position, absorbBias)
    absorbReader(draft, uses, removed, biased, absorbActivation)
  }
  draft.instructions = draft.instructions.filter((_, position) => !removed.has(position))
}

/** The matmul moves to where its only reader stood, since that one's other operands may be younger. Gives its position. */
function absorbReader(draft: Draft, uses: Uses, removed: Set<number>, position: number, rule: Absorb): number {
  const matmul = draft.instructions[position]!
  if (matmul.opcode !== 'matmul' || matmul.params.activation !== 'none' || removed.has(position)) return position
  const product = matmul.outputs[0]!
  const reader = uses.lastReaders[product]!
  const next = uses.counts[product] === 1 ? draft.instructions[reader] : undefined
  const fused = next?.opcode === 'elementwise' ? rule(draft, matmul, next) : null
  if (fused === null) return position
  removed.add(position)
  draft.instructions[reader] = fused
  return reader
}

/** Whether a pattern reads a dense [n] once for each row of a [.., n] shape. */
function isPerColumn(pattern: LoadPattern, shape: readonly number[], n: number): boolean {
  const last = shape.length - 1
  return (
    pattern.offset === 0 &&
    shape[last] === n &&
    (n === 1 || pattern.strides[last] === 1) &&
    pattern.strides.every((stride, axis) => axis === last || stride === 0 || shape[axis] === 1)
  )
}

const absorbBias: Absorb = (draft, matmul, next) => {
  const [c] = matmul.outputs
  const { code, operands, shape } = next.params
  const [step] = code
  if (matmul.inputs.length > 2 || code.length !== 1 || step!.op !== 'add') return null
  const [left, right] = step!.args.map((register) => next.inputs[register]!)
  const bias = left === c ? 1 : 0
  const value = bias === 1 ? right! : left!
  const { n } = matmul.params
  const dense = isDense(shape, operands[step!.args[1 - bias]!]!)
  if (left === right || !dense || !isPerColumn(operands[step!.args[bias]!]!, shape, n)) return null
  if (sizeOf(draft.values[value]!.shape) !== n) return null
  return { ...matmul, inputs: [...matmul.inputs, value], outputs: next.outputs }
}

const absorbActivation: Absorb = (draft, matmul, next) => {
  const step = soleStep(next, matmul.outputs[0]!)
  if (step === null || !isActivation(step.op)) return null
  const slope = step.op === 'leakyRelu' ? literalOf(draft, next.inputs[step.args[1]!]!) : 0
  if (slope === null) return null
  return { ...matmul, outputs: next.outputs, params: { ...matmul.params, activation: step.op, slope } }
}

/** The one micro-instruction of a group of one, reading `value` densely as its first operand. */
function soleStep({ inputs, params }: InstructionOf<'elementwise'>, value: number): MicroInstruction | null {
  const { shape, operands, code } = params
  const first = code[0]!.args[0]!
  return code.length === 1 && inputs[first] === value && isDense(shape, operands[first]!) ? code[0]! : null
}

function literalOf(draft: Draft, value: number): number | null {
  const { place } = draft.values[value]!
  return place?.kind === 'literal' ? draft.literals[place.index]![0]! : null
}
