/**
 * Max pooling: the selection, by the greatest of x in each window, of elements of z, and the adjoint of that in z.
 * Neither has a gradient in x, whose choices are constant almost everywhere; maxPool2d(x, x) has that of its z.
 */
import { sizeOf } from '../../base/shape.ts'
import type { Windows } from '../../program/schema.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'

type Geometry = { [K in keyof Windows]: Windows[K] }

const paramsOf = ({ inputs: [x], params }: Node<Geometry, Binary>) => ({
  planes: sizeOf(x.shape.slice(0, 2)),
  ...params,
})

const maxPool2dOp: OpDef<Geometry, Binary> = {
  name: 'maxPool2d',
  infer: ([x], p) => ({ dtype: x.dtype, shape: [...x.shape.slice(0, 2), p.outHeight, p.outWidth] }),
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dGradientOp, [x, ct], params)],
  lower: (emitter, node) => emitter.emitNode('maxPool2d', node, paramsOf(node)),
}

const maxPool2dGradientOp: OpDef<Geometry, Binary> = {
  name: 'maxPool2dGradient',
  infer: ([x]) => x,
  vjp: (ct, { inputs: [x], params }) => [null, record(maxPool2dOp, [x, ct], params)],
  lower: (emitter, node) => emitter.emitNode('maxPool2dGradient', node, { ...paramsOf(node), rectified: false }),
}

/** The greatest element of each window over the last two axes of x[batch, channels, height, width]. */
export const maxPool2d = (x: Node, windows: Geometry): Node => record(maxPool2dOp, [x, x], windows)

export const poolingOps = { maxPool2d: maxPool2dOp, maxPool2dGradient: maxPool2dGradientOp }
