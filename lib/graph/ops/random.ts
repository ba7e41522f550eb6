/** Random numbers as a function of a key: the same key gives the same bits on every backend. */
import type { DType } from '../../base/dtype.ts'
import { GradientError } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import type { DistributionName } from '../../program/vocabulary.ts'
import { type Binary, type Node, type OpDef, record } from '../node.ts'

const randomOp: OpDef<
  { distribution: DistributionName; dtype: DType; shape: Shape },
  readonly [key: Node, ...parameters: Node[]]
> = {
  name: 'random',
  infer: (_inputs, { dtype, shape }) => ({ dtype, shape }),
  lower: (emitter, node) => emitter.emitNode('random', node, { distribution: node.params.distribution }),
}

/** key: int32[2]; parameters of one element, or as many as the result has: see the instruction. */
export const random = (
  key: Node,
  distribution: DistributionName,
  dtype: DType,
  shape: Shape,
  parameters: readonly Node[] = [],
): Node => record(randomOp, [key, ...parameters], { distribution, dtype, shape: shape.slice() })

const drawnOp: OpDef<{ what: string }, Binary> = {
  name: 'drawn',
  infer: ([x]) => x,
  vjp(_, { params: { what } }) {
    throw new GradientError(what)
  },
  lower: (emitter, { inputs: [x] }) => emitter.viewOf(x),
}

/** x itself, which depends on a parameter by no derivative: a gradient that asks for one throws. */
export const drawn = (x: Node, parameter: Node, what: string): Node =>
  parameter.tracked ? record(drawnOp, [x, parameter], { what }) : x

export const randomOps = { random: randomOp, drawn: drawnOp }
