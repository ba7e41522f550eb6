/**
 * Max pooling: the selection, by the greatest of x in each window, of elements of z, and the adjoint of that in z.
 * Neither has a gradient in x, whose choices are constant almost everywhere; maxPool2d(x, x) has that of its z.
 */
import type { Windows } from '../../program/instructions.ts'
import type { Emitter } from '../emitter.ts'
import { type Node, type OpDef, record } from '../node.ts'

type Geometry = { [K in keyof Windows]: Windows[K] }

const lowerTo = (opcode: 'maxPool2d' | 'maxPool2dGradient') => (emitter: Emitter, node: Node<Geometry>) => {
  const [x, other] = node.inputs
  const planes = x!.shape[0]! * x!.shape[1]!
  const operands = [emitter.dense(x!), emitter.dense(other!)]
  return emitter.denseView(emitter.emit(opcode, operands, [node], { planes, ...node.params })[0]!)
}

const maxPool2dOp: OpDef<Geometry> = {
  name: 'maxPool2d',
  infer: ([x], p) => ({ dtype: x!.dtype, shape: [x!.shape[0]!, x!.shape[1]!, p.outHeight, p.outWidth] }),
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dGradientOp, [x!, ct], params)],
  lower: lowerTo('maxPool2d'),
}

const maxPool2dGradientOp: OpDef<Geometry> = {
  name: 'maxPool2dGradient',
  infer: ([x]) => x!,
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dOp, [x!, ct], params)],
  lower: lowerTo('maxPool2dGradient'),
}

/** The greatest element of each window over the last two axes of x[batch, channels, height, width]. */
export const maxPool2d = (x: Node, windows: Geometry): Node => record(maxPool2dOp, [x, x], windows)

export const poolingOps = { maxPool2d: maxPool2dOp, maxPool2dGradient: maxPool2dGradientOp }
