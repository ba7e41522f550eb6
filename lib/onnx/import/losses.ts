/** Losses of classes: the negative log-likelihood, and the cross-entropy of logits. */

import { div, mul } from '../../operations/arithmetic.ts'
import { equal, where } from '../../operations/comparison.ts'
import { gather, takeAlongAxis } from '../../operations/indexing.ts'
import { mean, sum } from '../../operations/reduce.ts'
import { cast, expandDims, squeeze } from '../../operations/shape.ts'
import { logSoftmax } from '../../operations/softmax.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'

/** −w[target]·x[target] of log-probabilities x[n, classes, …] and targets [n, …], where targets to ignore count nothing. */
function negativeLogLikelihood(n: Call, x: Tensor, targets: Tensor, weights: Tensor | undefined): Tensor {
  const classes = x.shape[1] ?? 0
  const shape = [x.shape[0], ...x.shape.slice(2)]
  if (classes < 1 || targets.ndim !== x.ndim - 1 || targets.shape.some((e, i) => e !== shape[i]))
    throw wrong(n, `targets [${shape}]`, `[${targets.shape}]`)
  const reduction = n.attributes.choice('reduction', ['none', 'mean', 'sum'], 'mean')
  const ignored = n.attributes.int('ignore_index', undefined)
  const isIgnored = ignored === undefined ? null : equal(targets, ignored)
  const classOf = isIgnored === null ? targets : where(isIgnored, 0, targets)
  const log = squeeze(takeAlongAxis(x, expandDims(cast(classOf, 'int32'), 1), 1), 1).neg()
  const weight = weights === undefined ? null : gather(weights, classOf)
  const counted = (values: Tensor) => (isIgnored === null ? values : where(isIgnored, 0, values))
  const terms = counted(weight === null ? log : mul(log, weight))
  if (reduction === 'none') return terms
  if (reduction === 'sum') return sum(terms)
  if (weight === null && isIgnored === null) return mean(terms)
  const each = weight ?? where(isIgnored!, 0, 1)
  return div(sum(terms), cast(sum(counted(each)), x.dtype))
}

const loss = (n: Call): Tensor => negativeLogLikelihood(n, n.tensor(0), n.tensor(1), n.optional(2))

function crossEntropy(n: Call): Tensor[] {
  const log = logSoftmax(n.tensor(0), 1)
  return [negativeLogLikelihood(n, log, n.tensor(1), n.optional(2)), log]
}

export const losses: Family = {
  NegativeLogLikelihoodLoss: row([12, 13, 22], loss),
  SoftmaxCrossEntropyLoss: row([12, 13], crossEntropy),
}
