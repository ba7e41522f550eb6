/** Forward values that are computed again for the gradient instead of kept. */
import { nodeCount } from '../graph/node.ts'
import { checkpoint as checkpointNode } from '../graph/ops/gradient-rules.ts'
import { nodeOf, type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import { type Differentiable, plainFunction, valueAt } from './differentiable.ts'
import type { LikesFor } from './gradients.ts'

/**
 * The same function, whose gradient computes again what it needs of the inside of f instead of keeping it: memory for
 * what lies between f's arguments and its value is needed for one checkpoint at a time, for one more forward
 * computation of f (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Variables that f reads have
 * their gradients as ever, and random numbers are the same both times: f itself is called once.
 *
 * @example
 * const block = checkpoint((x) => layers.forward(x))
 * const loss = block(block(x)).square().mean()
 * @pytorch torch.utils.checkpoint.checkpoint
 * @tensorflow tf.recompute_grad
 */
export function checkpoint<F extends Differentiable>(f: F): (...xs: LikesFor<Parameters<F>>) => Tensor {
  plainFunction('checkpoint', f)
  return (...xs) => {
    const args = xs.map((x) => wrap(toNode('checkpoint', x as TensorLike)))
    const since = nodeCount()
    return wrap(checkpointNode(nodeOf(valueAt('checkpoint', f, args)), since))
  }
}
