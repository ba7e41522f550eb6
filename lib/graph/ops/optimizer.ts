/** Optimizer updates: one instruction for each parameter, which the planner lets write where the old value stood. */
import { sizeOf } from '../../base/shape.ts'
import { type Node, type OpDef, record } from '../node.ts'

const sgdOp: OpDef<null> = {
  name: 'sgd',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    return emitter.denseView(emitter.emit('sgd', operands, [node], { size: sizeOf(node.shape) })[0]!)
  },
}

const momentumOp: OpDef<{ momentum: number; nesterov: boolean }> = {
  name: 'momentum',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    const outputs = emitter.emit('momentum', operands, [node, node], { size: sizeOf(node.shape), ...node.params })
    emitter.setOutputs(node, outputs)
    return emitter.denseView(outputs[0]!)
  },
}

const adamOp: OpDef<{ beta1: number; beta2: number; epsilon: number; weightDecay: number }> = {
  name: 'adam',
  infer: ([p]) => p!,
  lower(emitter, node) {
    const operands = node.inputs.map((x) => emitter.dense(x))
    const outputs = emitter.emit('adam', operands, [node, node, node], { size: sizeOf(node.shape), ...node.params })
    emitter.setOutputs(node, outputs)
    return emitter.denseView(outputs[0]!)
  },
}

/** A further output of an operation that has several. */
const outputOp: OpDef<{ index: number }> = {
  name: 'output',
  infer: ([of]) => of!,
  lower: (emitter, { inputs: [of], params: { index } }) => emitter.denseView(emitter.outputsOf(of!)[index]!),
}

const output = (of: Node, index: number): Node => record(outputOp, [of], { index })

/** p − lr·g */
export const sgd = (p: Node, g: Node, learningRate: Node): Node => record(sgdOp, [p, g, learningRate], null)

/** The new parameter and velocity. */
export function momentum(
  p: Node,
  g: Node,
  v: Node,
  learningRate: Node,
  options: { momentum: number; nesterov: boolean },
): [Node, Node] {
  const updated = record(momentumOp, [p, g, v, learningRate], options)
  return [updated, output(updated, 1)]
}

export interface AdamOptions extends Readonly<Record<string, number>> {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** The new parameter, first and second moment. */
export function adam(
  p: Node,
  g: Node,
  m: Node,
  v: Node,
  learningRate: Node,
  step: Node,
  options: AdamOptions,
): [Node, Node, Node] {
  const updated = record(adamOp, [p, g, m, v, learningRate, step], options)
  return [updated, output(updated, 1), output(updated, 2)]
}

export const optimizerOps = { sgd: sgdOp, momentum: momentumOp, adam: adamOp, output: outputOp }
