/** Dropout. */
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected } from '../base/errors.ts'
import { checkNumber, checkOptions, type OptionTypes } from '../base/options.ts'
import { literal } from '../graph/ops/leaf.ts'
import { uniform } from '../tensor/random.ts'
import { type Tensor, type TensorLike, toTensor, wrap } from '../tensor/tensor.ts'
import { mul } from './arithmetic.ts'
import { greaterEqual, where } from './comparison.ts'

export interface DropoutOptions {
  /** Whether anything is dropped; true unless given. `nn.dropout` follows the mode of its module. */
  training?: boolean
  /** Fixes which elements are dropped; otherwise they are drawn anew, at each call of a compiled function too. */
  seed?: number
}

const dropoutOptions: OptionTypes<DropoutOptions> = { training: 'boolean', seed: 'number' }

/**
 * Inverted dropout: each element is 0 with probability `rate`, else x / (1 − rate), so that its expectation is x. In
 * evaluation it is x itself. N. Srivastava et al., "Dropout" (2014).
 *
 * @param rate in [0, 1]; 0.5 unless given
 * @throws RangeError for another rate; DTypeError for integers
 * @pytorch F.dropout
 * @tensorflow tf.nn.dropout
 */
export function dropout(x: TensorLike, rate = 0.5, options?: DropoutOptions): Tensor {
  const { training = true, seed } = checkOptions('dropout', options, dropoutOptions)
  const { node, dtype, shape } = toTensor(x)
  if (!isFloat(dtype)) throw new DTypeError(expected('dropout', 'float32 or float64', dtype))
  checkNumber('dropout', 'a rate in [0, 1]', rate, (p) => p >= 0 && p <= 1)
  if (!training || rate === 0) return wrap(node)
  const drawn = uniform(shape, { dtype, ...(seed === undefined ? {} : { seed }) })
  const number = (value: number) => wrap(literal(value, dtype))
  const kept = greaterEqual(drawn, number(rate))
  return mul(wrap(node), where(kept, number(rate === 1 ? 0 : 1 / (1 - rate)), number(0)))
}
