/** What a value is to gradients. */
import { stopGradient as stopNode } from '../graph/ops/leaf.ts'
import { unary } from './elementwise.ts'

/** The same value, a constant to gradients. */
export const stopGradient = unary(stopNode)
