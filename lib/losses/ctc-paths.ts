/**
 * Connectionist temporal classification: the forward recursion over the steps of an input, and the backward one, which
 * gives the derivative (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891, equations 6 to 16).
 */

import { elementAt } from '../base/lists.ts'
import { extentAt } from '../base/shape.ts'
import { takeAlongAxis } from '../operations/indexing.ts'
import { concat } from '../operations/joining.ts'
import { arange, full } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { customGradient } from '../transforms/custom-gradient.ts'

/** The logarithm of what cannot be: finite, as the difference of two infinities is NaN. */
export const impossible = -1e30

/** What the recursions read beside the emissions, a row for each sequence. */
interface Paths {
  /** bool[rows, states]: whether a state may follow the one two before it. */
  readonly maySkip: Tensor
  /** int32[rows, 1] */
  readonly inputLengths: Tensor
  /** int32[rows, 1] */
  readonly targetLengths: Tensor
}

/** log Σ exp of some tensors. The greatest is a constant to gradients, as the sum does not depend on it. */
function logSumOf(terms: readonly Tensor[]): Tensor {
  const most = terms.reduce((x, y) => x.maximum(y)).stopGradient()
  return terms
    .map((x) => x.sub(most).exp())
    .reduce((x, y) => x.add(y))
    .log()
    .add(most)
}

/** Emissions[rows, states] of one step of [steps, rows, states]. */
const emissionAt = (emissions: Tensor, step: number): Tensor =>
  emissions.slice(step, step + 1).reshape(emissions.shape.slice(1))

/** The values of the states one and two before each state of x[rows, states], or after it. */
function neighbours(x: Tensor, side: 'before' | 'after'): [Tensor, Tensor] {
  const [rows, states] = x.shape as [number, number]
  const edge = full([rows, 2], x.dtype === 'bool' ? 0 : impossible, { dtype: x.dtype })
  const padded = concat(side === 'before' ? [edge, x] : [x, edge], 1)
  const from = (state: number) => padded.slice([0, state], [rows, state + states])
  return side === 'before' ? [from(1), from(0)] : [from(1), from(2)]
}

const statesOf = (count: number): Tensor => arange(count, undefined, { dtype: 'int32' })

const scalar = (value: number, { dtype }: Tensor): Tensor => full([], value, { dtype })

/** Logarithms of the probabilities of all beginnings that end in a state, for each step; those of the last one stay. */
function forward(emissions: Tensor, { maySkip, inputLengths }: Paths): Tensor[] {
  const isFirst = statesOf(extentAt(emissions.shape, 2)).less(2)
  const alphas = [isFirst.where(emissionAt(emissions, 0), impossible)]
  for (let step = 1; step < extentAt(emissions.shape, 0); step++) {
    const before = elementAt(alphas, step - 1)
    const [one, two] = neighbours(before, 'before')
    const next = logSumOf([before, one, maySkip.where(two, impossible)]).add(emissionAt(emissions, step))
    alphas.push(inputLengths.greater(step).where(next, before))
  }
  return alphas
}

/** Logarithms of the probabilities of all endings that begin after a state, without its own emission, for each step. */
function backward(emissions: Tensor, { maySkip, inputLengths, targetLengths }: Paths): Tensor[] {
  const [steps, , states] = emissions.shape as [number, number, number]
  // A path ends in the last label or the blank after it: 0 or 1 before state 2·length.
  const distance = targetLengths.mul(2).sub(statesOf(states))
  const isLast = distance.mul(2).sub(1).square().equal(1)
  const atEnd = isLast.where(scalar(0, emissions), impossible)
  const [, maySkipTo] = neighbours(maySkip, 'after')
  const betas: Tensor[] = []
  let after: Tensor | null = null
  for (let step = steps - 1; step >= 0; step--) {
    let beta: Tensor = full(maySkip.shape, impossible, { dtype: emissions.dtype })
    if (after !== null) {
      const next: Tensor = after.add(emissionAt(emissions, step + 1))
      const [one, two] = neighbours(next, 'after')
      beta = logSumOf([next, one, maySkipTo.where(two, impossible)])
    }
    after = inputLengths.equal(step + 1).where(atEnd, beta)
    betas.push(after)
  }
  return betas.reverse()
}

const isImpossible = (total: Tensor): Tensor => total.less(impossible / 2)

/** −(the probability of the paths through a state at a step) / (that of all paths), for each step and state. */
function posteriors(emissions: Tensor, paths: Paths, total: Tensor, alphas: readonly Tensor[]): Tensor {
  const [steps, rows, states] = emissions.shape as [number, number, number]
  const betas = backward(emissions, paths)
  const stacked = (tensors: readonly Tensor[]) => concat(tensors.map((x) => x.reshape([1, rows, states])))
  const logarithms = stacked(alphas).add(stacked(betas)).sub(total)
  const none = isImpossible(total).broadcastTo([steps, rows, states])
  return none.where(impossible, logarithms).exp().neg()
}

/** The losses as a function of the emissions; the other operands are what their derivative is made of. */
const withPosteriors = customGradient(
  (losses: Tensor, ..._of: Tensor[]) => losses,
  (cotangent, _value, _losses, ...of) => {
    const [emissions, maySkip, inputLengths, targetLengths, total, ...alphas] = of as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    const rows = cotangent.reshape([1, extentAt(cotangent.shape, 0), 1])
    const gradient = posteriors(emissions, { maySkip, inputLengths, targetLengths }, total, alphas).mul(rows)
    return [null, gradient, ...new Array<null>(4 + alphas.length).fill(null)]
  },
)

/** −log of the probability of all paths, [rows]: infinite where there is none. */
export function pathLosses(emissions: Tensor, paths: Paths): Tensor {
  const { maySkip, inputLengths, targetLengths } = paths
  const alphas = forward(emissions, paths)
  const blank = targetLengths.mul(2)
  const atBlank = takeAlongAxis(elementAt(alphas, alphas.length - 1), blank, 1)
  const atLabel = takeAlongAxis(elementAt(alphas, alphas.length - 1), blank.sub(1).maximum(0), 1)
  const ofSteps = logSumOf([atBlank, targetLengths.greater(0).where(atLabel, impossible)])
  // Of no steps there is one path, of no labels.
  const ofNone = targetLengths.equal(0).where(scalar(0, emissions), impossible)
  const total = inputLengths.equal(0).where(ofNone, ofSteps)
  const losses = isImpossible(total)
    .where(Infinity, total.neg())
    .reshape([extentAt(emissions.shape, 1)])
  return withPosteriors(losses, emissions, maySkip, inputLengths, targetLengths, total, ...alphas)
}
