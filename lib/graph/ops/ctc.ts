/**
 * Connectionist temporal classification: the forward recursion over the steps of an input, and the backward one, which
 * gives the derivative (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891, equations 6 to 16).
 */
import { type Node, type OpDef, record } from '../node.ts'
import { takeAlongAxis } from './along-axis.ts'
import { add, equal, exp, greater, less, log, maximum, mul, neg, square, sub, where } from './elementwise.ts'
import { data, literal, stopGradient } from './leaf.ts'
import { broadcastTo, concat, reshape, sliceAt } from './movement.ts'

/** The logarithm of what cannot be: finite, as the difference of two infinities is NaN. */
export const impossible = -1e30

/** What the recursions read beside the emissions, a row for each sequence. */
interface Paths {
  /** bool[rows, states]: whether a state may follow the one two before it. */
  readonly maySkip: Node
  /** int32[rows, 1] */
  readonly inputLengths: Node
  /** int32[rows, 1] */
  readonly targetLengths: Node
}

/** log Σ exp of some nodes. The greatest is a constant to gradients, as the sum does not depend on it. */
function logSumOf(nodes: readonly Node[]): Node {
  const most = stopGradient(nodes.reduce(maximum))
  return add(log(nodes.map((x) => exp(sub(x, most))).reduce(add)), most)
}

/** Emissions[rows, states] of one step of [steps, rows, states]. */
function emissionAt(emissions: Node, step: number): Node {
  const [, rows, states] = emissions.shape as [number, number, number]
  return reshape(sliceAt(emissions, [step, 0, 0], [1, rows, states], [1, 1, 1]), [rows, states])
}

/** The values of the states one and two before each state of x[rows, states], or after it. */
function neighbours(x: Node, side: 'before' | 'after'): [Node, Node] {
  const [rows, states] = x.shape as [number, number]
  const edge = broadcastTo(literal(x.dtype === 'bool' ? 0 : impossible, x.dtype), [rows, 2])
  const padded = concat(side === 'before' ? [edge, x] : [x, edge], 1)
  const from = (state: number) => sliceAt(padded, [0, state], [rows, states], [1, 1])
  return side === 'before' ? [from(1), from(0)] : [from(1), from(2)]
}

const statesOf = (count: number): Node =>
  data(
    Int32Array.from({ length: count }, (_, i) => i),
    'int32',
    [count],
  )

/** Logarithms of the probabilities of all beginnings that end in a state, for each step; those of the last one stay. */
function forward(emissions: Node, { maySkip, inputLengths }: Paths): Node[] {
  const isFirst = less(statesOf(emissions.shape[2]!), 2)
  const alphas = [where(isFirst, emissionAt(emissions, 0), impossible)]
  for (let step = 1; step < emissions.shape[0]!; step++) {
    const before = alphas[step - 1]!
    const [one, two] = neighbours(before, 'before')
    const next = add(logSumOf([before, one, where(maySkip, two, impossible)]), emissionAt(emissions, step))
    alphas.push(where(greater(inputLengths, step), next, before))
  }
  return alphas
}

/** Logarithms of the probabilities of all endings that begin after a state, without its own emission, for each step. */
function backward(emissions: Node, { maySkip, inputLengths, targetLengths }: Paths): Node[] {
  const [steps, , states] = emissions.shape as [number, number, number]
  // A path ends in the last label or the blank after it: 0 or 1 before state 2·length.
  const distance = sub(mul(targetLengths, 2), statesOf(states))
  const isLast = equal(square(sub(mul(distance, 2), 1)), 1)
  const atEnd = where(isLast, literal(0, emissions.dtype), impossible)
  const [, maySkipTo] = neighbours(maySkip, 'after')
  const betas: Node[] = []
  let after: Node | null = null
  for (let step = steps - 1; step >= 0; step--) {
    let beta: Node = broadcastTo(literal(impossible, emissions.dtype), maySkip.shape)
    if (after !== null) {
      const next: Node = add(after, emissionAt(emissions, step + 1))
      const [one, two] = neighbours(next, 'after')
      beta = logSumOf([next, one, where(maySkipTo, two, impossible)])
    }
    after = where(equal(inputLengths, step + 1), atEnd, beta)
    betas.push(after)
  }
  return betas.reverse()
}

const isImpossible = (total: Node): Node => less(total, impossible / 2)

/** −(the probability of the paths through a state at a step) / (that of all paths), for each step and state. */
function posteriors(emissions: Node, paths: Paths, total: Node, alphas: readonly Node[]): Node {
  const [steps, rows, states] = emissions.shape as [number, number, number]
  const betas = backward(emissions, paths)
  const stacked = (nodes: readonly Node[]) => concat(nodes.map((x) => reshape(x, [1, rows, states])))
  const logarithms = sub(add(stacked(alphas), stacked(betas)), total)
  const none = broadcastTo(isImpossible(total), [steps, rows, states])
  return neg(exp(where(none, impossible, logarithms)))
}

/** The losses as a function of the emissions; the other operands are what their derivative is made of. */
const ctcOp: OpDef<null> = {
  name: 'ctc',
  infer: ([losses]) => losses!,
  vjp(ct, { inputs: [, emissions, maySkip, inputLengths, targetLengths, total, ...alphas] }) {
    const paths = { maySkip: maySkip!, inputLengths: inputLengths!, targetLengths: targetLengths! }
    const rows = reshape(ct, [1, ct.shape[0]!, 1])
    const gradient = mul(posteriors(emissions!, paths, total!, alphas), rows)
    return [null, gradient, ...new Array<null>(4 + alphas.length).fill(null)]
  },
  lower: (emitter, { inputs: [losses] }) => emitter.viewOf(losses!),
}

/** −log of the probability of all paths, [rows]: infinite where there is none. */
export function ctc(emissions: Node, paths: Paths): Node {
  const { maySkip, inputLengths, targetLengths } = paths
  const alphas = forward(emissions, paths)
  const blank = mul(targetLengths, 2)
  const atBlank = takeAlongAxis(alphas.at(-1)!, blank, 1)
  const atLabel = takeAlongAxis(alphas.at(-1)!, maximum(sub(blank, 1), 0), 1)
  const ofSteps = logSumOf([atBlank, where(greater(targetLengths, 0), atLabel, impossible)])
  // Of no steps there is one path, of no labels.
  const ofNone = where(equal(targetLengths, 0), literal(0, emissions.dtype), impossible)
  const total = where(equal(inputLengths, 0), ofNone, ofSteps)
  const losses = reshape(where(isImpossible(total), Infinity, neg(total)), [emissions.shape[1]!])
  return record(ctcOp, [losses, emissions, maySkip, inputLengths, targetLengths, total, ...alphas], null)
}

export const ctcOps = { ctc: ctcOp }
