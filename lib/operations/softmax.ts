/** Softmax, its logarithm, and the loss that is made of it. */
import { refuseSurplus } from '../base/arguments.ts'
import * as ops from '../graph/ops/softmax.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

/**
 * eˣ / Σeˣ along an axis, the last one unless given; float32 for integers.
 * @throws ShapeError for an axis that is none
 * @pytorch F.softmax
 * @tensorflow tf.nn.softmax
 * @numpy scipy.special.softmax
 */
export function softmax(x: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('softmax', 2, surplus)
  return wrap(ops.softmax(toNode('softmax', x), axis))
}

/**
 * log(softmax(x)) along an axis, without overflow or underflow; the last one unless given; float32 for integers.
 * @throws ShapeError for an axis that is none
 * @pytorch F.log_softmax
 * @tensorflow tf.nn.log_softmax
 * @numpy scipy.special.log_softmax
 */
export function logSoftmax(x: TensorLike, axis = -1, ...surplus: []): Tensor {
  refuseSurplus('logSoftmax', 2, surplus)
  return wrap(ops.logSoftmax(toNode('logSoftmax', x), axis))
}

/**
 * Losses −log softmax(logits)[label] of each row of logits[…, classes]: labels are integers[…] or rows of probabilities
 * [… , classes]. The result is […], float32 for integer logits.
 * @throws ShapeError for logits without classes, or labels of another shape; DTypeError for bool labels; RangeError when
 * evaluated, before anything is written, for a class outside [0, classes)
 * @tensorflow tf.nn.softmax_cross_entropy_with_logits
 */
export function softmaxCrossEntropy(logits: TensorLike, labels: TensorLike, ...surplus: []): Tensor {
  refuseSurplus('softmaxCrossEntropy', 2, surplus)
  return wrap(ops.softmaxCrossEntropy(toNode('softmaxCrossEntropy', logits), toNode('softmaxCrossEntropy', labels)))
}
