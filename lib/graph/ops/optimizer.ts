/**
 * Optimizer updates: one instruction for each parameter, which the planner lets write where the old values stood. Each
 * output is an operation of its own.
 */
import { sizeOf } from '../../base/shape.ts'
import type { InstructionParams } from '../../program/instructions.ts'
import { type Node, type OpDef, record } from '../node.ts'

/** The parameter, its gradient and what the rule keeps and takes beside them. */
type Operands = readonly [p: Node, ...others: Node[]]

const sgdOp: OpDef<null, Operands> = {
  name: 'sgd',
  infer: ([p]) => p,
  lower: (emitter, node) => emitter.emitNode('sgd', node, { size: sizeOf(node.shape) }),
}

/** Without the size, which the parameter's shape says. */
type MomentumParams = Omit<InstructionParams['momentum'], 'size'>

const momentumOp: OpDef<MomentumParams & { output: 0 | 1 }, Operands> = {
  name: 'momentum',
  infer: ([p]) => p,
  lower(emitter, node) {
    const { output, ...options } = node.params
    const operands = node.inputs.map((x) => emitter.dense(x))
    const params = { size: sizeOf(node.shape), ...options }
    return emitter.denseView(emitter.emitShared('momentum', operands, [node, node], params)[output])
  },
}

type AdamParams = Omit<InstructionParams['adam'], 'size'>

const adamOp: OpDef<AdamParams & { output: 0 | 1 | 2 }, Operands> = {
  name: 'adam',
  infer: ([p]) => p,
  lower(emitter, node) {
    const { output, ...options } = node.params
    const operands = node.inputs.map((x) => emitter.dense(x))
    const params = { size: sizeOf(node.shape), ...options }
    return emitter.denseView(emitter.emitShared('adam', operands, [node, node, node], params)[output])
  },
}

/** p − lr·g of (p, g, learningRate). */
export const sgd = (operands: Operands): Node => record(sgdOp, operands, null)

/** The new parameter and velocity of (p, g, velocity, learningRate). */
export function momentum(operands: Operands, params: MomentumParams): [Node, Node] {
  const next = (output: 0 | 1) => record(momentumOp, operands, { ...params, output })
  return [next(0), next(1)]
}

/** The new parameter, first and second moment of (p, g, firstMoment, secondMoment, learningRate, step). */
export function adam(operands: Operands, params: AdamParams): [Node, Node, Node] {
  const next = (output: 0 | 1 | 2) => record(adamOp, operands, { ...params, output })
  return [next(0), next(1), next(2)]
}

export const optimizerOps = { sgd: sgdOp, momentum: momentumOp, adam: adamOp }
