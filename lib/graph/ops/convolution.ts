/**
 * Convolutions of images: three instructions, each linear in both of its operands, that are each other's derivatives.
 *
 *     y  = conv2d(x, w)                 dx = input(ct, w)      dw = weight(x, ct)
 *     dx = conv2dInputGradient(dy, w)   ddy = conv2d(ct, w)    dw = weight(ct, dy)
 *     dw = conv2dWeightGradient(x, dy)  dx = input(dy, ct)     ddy = conv2d(x, ct)
 */
import type { Convolution } from '../../program/schema.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'

/** The geometry as parameters of a node. */
type Geometry = { [K in keyof Convolution]: Convolution[K] }

const inputShape = (p: Geometry) => [p.batch, p.groups * p.channels, p.height, p.width]
const weightShape = (p: Geometry) => [p.groups * p.filters, p.channels, p.kernelHeight, p.kernelWidth]
const outputShape = (p: Geometry) => [p.batch, p.groups * p.filters, p.outHeight, p.outWidth]

const conv2dOp: OpDef<Geometry, Binary> = {
  name: 'conv2d',
  infer: ([x], p) => ({ dtype: x.dtype, shape: outputShape(p) }),
  vjp: (ct, { inputs: [x, w], params }) => [conv2dInputGradient(ct, w, params), conv2dWeightGradient(x, ct, params)],
  lower: (emitter, node) => emitter.emitNode('conv2d', node, { ...node.params, activation: 'none', slope: 0 }),
}

const conv2dInputGradientOp: OpDef<Geometry, Binary> = {
  name: 'conv2dInputGradient',
  infer: ([dy], p) => ({ dtype: dy.dtype, shape: inputShape(p) }),
  vjp: (ct, { inputs: [dy, w], params }) => [conv2d(ct, w, params), conv2dWeightGradient(ct, dy, params)],
  lower: (emitter, node) => emitter.emitNode('conv2dInputGradient', node, node.params),
}

const conv2dWeightGradientOp: OpDef<Geometry, Binary> = {
  name: 'conv2dWeightGradient',
  infer: ([x], p) => ({ dtype: x.dtype, shape: weightShape(p) }),
  vjp: (ct, { inputs: [x, dy], params }) => [conv2dInputGradient(dy, ct, params), conv2d(x, ct, params)],
  lower: (emitter, node) => emitter.emitNode('conv2dWeightGradient', node, node.params),
}

/** x[batch, groups·channels, height, width] with w[groups·filters, channels, kernelHeight, kernelWidth]. */
export const conv2d = (x: Node, w: Node, p: Geometry): Node => record(conv2dOp, [x, w], p)

/** The adjoint of conv2d in x, which is also the transposed convolution of dy. */
export const conv2dInputGradient = (dy: Node, w: Node, p: Geometry): Node => record(conv2dInputGradientOp, [dy, w], p)

/** The adjoint of conv2d in w. */
export const conv2dWeightGradient = (x: Node, dy: Node, p: Geometry): Node => record(conv2dWeightGradientOp, [x, dy], p)

export const convolutionOps = {
  conv2d: conv2dOp,
  conv2dInputGradient: conv2dInputGradientOp,
  conv2dWeightGradient: conv2dWeightGradientOp,
}
