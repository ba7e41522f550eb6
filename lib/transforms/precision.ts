/** The precision of matrix products. */
import { checkChoice, checkFunction } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { isThenable } from '../base/tree.ts'
import { withActivePrecision } from '../graph/precision.ts'
import { type Precision, precisions } from '../program/vocabulary.ts'

/**
 * Runs a function whose matrix products, those of float32 tensors, round their operands to a precision. With 'bf16' both are
 * rounded to bfloat16 (8 bits of precision, the exponents of float32) on their way into the product and the sums are of float32, which
 * processors with AVX512-BF16 compute twice as fast. Everything else stays float32: values, variables, reductions, softmax,
 * losses and updates. The gradients of such a product are products of the same precision, wherever they are taken. Scopes nest; the
 * innermost one decides, 'float32' too. A compiled function that is called in another scope is recorded anew.
 *
 * @param precision 'float32' or 'bf16'
 * @param fn runs at once; what it records later, as after an `await`, would be in no scope, so that it must not be async
 * @returns what fn returns
 * @throws RangeError for another precision; TypeError for what is no function, or one that is async
 *
 * @example
 * const loss = withPrecision('bf16', () => losses.crossEntropy(model.forward(x), labels))
 * const gradient = gradients(loss, model.parameters()) // of products in bf16, too
 * @pytorch torch.autocast
 * @tensorflow tf.keras.mixed_precision.set_global_policy
 */
export function withPrecision<T>(precision: Precision, fn: () => T): T {
  checkChoice('withPrecision', 'precision', precision, precisions)
  checkFunction('withPrecision', 'a function', fn)
  const result = withActivePrecision(precision, fn)
  if (!isThenable(result)) return result
  // What is left of it is recorded in no scope: that it fails says nothing new.
  result.then(undefined, () => {})
  throw new TypeError(expected('withPrecision', 'a function that is not async', 'one that returned a promise'))
}
