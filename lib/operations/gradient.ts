/** What a value is to gradients. */
import { stopGradient as stopNode } from '../graph/ops/leaf.ts'
import { unary } from './elementwise.ts'

/**
 * The same value, a constant to gradients.
 * @pytorch Tensor.detach
 * @tensorflow tf.stop_gradient
 */
export const stopGradient = unary('stopGradient', (x) => stopNode(x))
