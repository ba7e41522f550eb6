/**
 * Optimizer updates: one instruction for each parameter, which the planner lets write where the old values stood. Each
 * output is an operation of its own.
 */
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { type Node, type OpDef, record } from '../node.ts'

const sgdOp: OpDef<null> = {
  name: 'sgd',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    return emitter.denseView(emitter.emit('sgd', operands, [node], { size: sizeOf(node.shape) })[0]!)
  },
}

/** Without the size, which the parameter's shape says. */
type MomentumParams = Omit<InstructionParams['momentum'], 'size'>

const momentumOp: OpDef<MomentumParams & { output: number }> = {
  name: 'momentum',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const { output, ...options } = node.params
    const operands = node.inputs.map((x) => emitter.dense(x))
    const params = { size: sizeOf(node.shape), ...options }
    return emitter.denseView(emitter.emitShared('momentum', operands, [node, node], params)[output]!)
  },
}

type AdamParams = Omit<InstructionParams['adam'], 'size'>

const adamOp: OpDef<AdamParams & { output: number }> = {
  name: 'adam',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const { output, ...options } = node.params
    const operands = node.inputs.map((x) => emitter.dense(x))
    const params = { size: sizeOf(node.shape), ...options }
    return emitter.denseView(emitter.emitShared('adam', operands, [node, node, node], params)[output]!)
  },
}

/** p − lr·g of (p, g, learningRate). */
export const sgd = (operands: readonly Node[]): Node => record(sgdOp, operands, null)

/** The new parameter and velocity of (p, g, velocity, learningRate). */
export function momentum(operands: readonly Node[], params: MomentumParams): [Node, Node] {
  const next = (output: number) => record(momentumOp, operands, { ...params, output })
  return [next(0), next(1)]
}

/** The new parameter, first and second moment of (p, g, firstMoment, secondMoment, learningRate, step). */
export function adam(operands: readonly Node[], params: AdamParams): [Node, Node, Node] {
  const next = (output: number) => record(adamOp, operands, { ...params, output })
  return [next(0), next(1), next(2)]
}

export const optimizerOps = { sgd: sgdOp, momentum: momentumOp, adam: adamOp }
