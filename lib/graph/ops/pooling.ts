/**
 * Max pooling: the selection, by the greatest of x in each window, of elements of z, and the adjoint of that in z.
 * Neither has a gradient in x, whose choices are constant almost everywhere; maxPool2d(x, x) has that of its z.
 */
import { sizeOf } from '../../base/shape.ts'
import type { Windows } from '../../program/schema.ts'
import type { Emitter } from '../emitter.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'

type Geometry = { [K in keyof Windows]: Windows[K] }

const lowerTo = (opcode: 'maxPool2d' | 'maxPool2dGradient') => (emitter: Emitter, node: Node<Geometry, Binary>) => {
  const [x] = node.inputs
  return emitter.emitNode(opcode, node, { planes: sizeOf(x.shape.slice(0, 2)), ...node.params })
}

const maxPool2dOp: OpDef<Geometry, Binary> = {
  name: 'maxPool2d',
  infer: ([x], p) => ({ dtype: x.dtype, shape: [...x.shape.slice(0, 2), p.outHeight, p.outWidth] }),
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dGradientOp, [x, ct], params)],
  lower: lowerTo('maxPool2d'),
}

const maxPool2dGradientOp: OpDef<Geometry, Binary> = {
  name: 'maxPool2dGradient',
  infer: ([x]) => x,
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dOp, [x, ct], params)],
  lower: lowerTo('maxPool2dGradient'),
}

/** The greatest element of each window over the last two axes of x[batch, channels, height, width]. */
export const maxPool2d = (x: Node, windows: Geometry): Node => record(maxPool2dOp, [x, x], windows)

export const poolingOps = { maxPool2d: maxPool2dOp, maxPool2dGradient: maxPool2dGradientOp }
