/** Random numbers as a function of a key: the same key gives the same bits on every backend. */
import type { DType } from '../../base/dtype.ts'
import type { Shape } from '../../base/shape.ts'
import type { DistributionName } from '../../program/vocabulary.ts'
import { type Node, type OpDef, record } from '../node.ts'

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

export const randomOps = { random: randomOp }
