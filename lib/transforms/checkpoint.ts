/** Forward values that are computed again for the gradient instead of kept. */
import { expected } from '../base/errors.ts'
import { nodeCount } from '../graph/node.ts'
import { checkpoint as checkpointNode } from '../graph/ops/gradient-rules.ts'
import { Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'
import type { LikesFor, TensorFunction } from './gradients.ts'

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
export function checkpoint<F extends TensorFunction>(f: F): (...xs: LikesFor<Parameters<F>>) => Tensor {
  if (typeof f !== 'function') throw new TypeError(expected('checkpoint', 'a function', typeof f))
  return (...xs) => {
    const args = xs.map((x) => wrap(toNode(x as TensorLike)))
    const since = nodeCount()
    const y = f(...args)
    if (!(y instanceof Tensor))
      throw new TypeError(expected('checkpoint', 'a function that returns a tensor', typeof y))
    return wrap(checkpointNode(y.node, since))
  }
}
