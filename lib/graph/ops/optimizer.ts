/**
 * Optimizer updates: one instruction for each parameter, which the planner lets write where the old values stood. Where
 * it has several outputs, a node stands for it that nobody else holds, and one for each output reads that.
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
type AdamParams = Omit<InstructionParams['adam'], 'size'>

const momentumOp: OpDef<MomentumParams, Operands> = {
  name: 'momentum',
  infer: ([p]) => p,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    const outputs = emitter.emit('momentum', operands, [node, node], { size: sizeOf(node.shape), ...node.params })
    emitter.setOutputs(node, outputs)
    return emitter.denseView(outputs[0])
  },
}

const adamOp: OpDef<AdamParams, Operands> = {
  name: 'adam',
  infer: ([p]) => p,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    const outputs = emitter.emit('adam', operands, [node, node, node], { size: sizeOf(node.shape), ...node.params })
    emitter.setOutputs(node, outputs)
    return emitter.denseView(outputs[0])
  },
}

/** One output of an operation that has several. */
const outputOp: OpDef<{ index: number }, readonly [of: Node]> = {
  name: 'output',
  infer: ([of]) => of,
  lower: (emitter, { inputs: [of], params: { index } }) => emitter.denseView(emitter.outputOf(of, index)),
}

const output = (of: Node, index: number): Node => record(outputOp, [of], { index })

/** p − lr·g */
export const sgd = (p: Node, g: Node, learningRate: Node): Node => record(sgdOp, [p, g, learningRate], null)

/** The new parameter and velocity. */
export function momentum(p: Node, g: Node, v: Node, learningRate: Node, params: MomentumParams): [Node, Node] {
  const updated = record(momentumOp, [p, g, v, learningRate], params)
  return [output(updated, 0), output(updated, 1)]
}

/** The new parameter, first and second moment. */
export function adam(
  p: Node,
  g: Node,
  m: Node,
  v: Node,
  learningRate: Node,
  step: Node,
  params: AdamParams,
): [Node, Node, Node] {
  const updated = record(adamOp, [p, g, m, v, learningRate, step], params)
  return [output(updated, 0), output(updated, 1), output(updated, 2)]
}

export const optimizerOps = { sgd: sgdOp, momentum: momentumOp, adam: adamOp, output: outputOp }
