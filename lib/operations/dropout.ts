/** Dropout. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { checkNumber } from '../base/options.ts'
import { greaterEqual, mul, where } from '../graph/ops/elementwise.ts'
import { literal } from '../graph/ops/leaf.ts'
import { uniform } from '../tensor/random.ts'
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

export interface DropoutOptions {
  /** Whether anything is dropped; true unless given. `nn.dropout` follows the mode of its module. */
  training?: boolean
  /** Fixes which elements are dropped; otherwise they are drawn anew, at each call of a compiled function too. */
  seed?: number
}

/**
 * Inverted dropout: each element is 0 with probability `rate`, else x / (1 − rate), so that its expectation is x. In
 * evaluation it is x itself. N. Srivastava et al., "Dropout" (2014).
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; DTypeError for integers
 * @pytorch F.dropout
 * @tensorflow tf.nn.dropout
 */
export function dropout(x: TensorLike, rate = 0.5, { training = true, seed }: DropoutOptions = {}): Tensor {
  const node = toNode(x)
  if (!isFloat(node.dtype)) throw new DTypeError(expected('dropout', 'float32 or float64', node.dtype))
  checkNumber('dropout', 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
  if (!training || rate === 0) return wrap(node)
  const { dtype, shape } = node
  const drawn = uniform(shape, { dtype, ...(seed === undefined ? {} : { seed }) })
  const kept = greaterEqual(drawn.node, literal(rate, dtype))
  return wrap(mul(node, where(kept, literal(rate === 1 ? 0 : 1 / (1 - rate), dtype), literal(0, dtype))))
}
