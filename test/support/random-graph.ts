/** Random graphs over a small set of operations, with gradients; values stay near 1. */

import type { Shape } from '../../lib/base/shape.ts'
import { gradients } from '../../lib/graph/autograd.ts'
import { concat } from '../../lib/operations/index.ts'
import { tensor } from '../../lib/tensor/creation.ts'
import { randn } from '../../lib/tensor/random.ts'
import { evaluateSync, nodeOf, type Tensor, wrap } from '../../lib/tensor/tensor.ts'
import { isCompiling } from '../../lib/tensor/trace.ts'
import { type Variable, variable } from '../../lib/tensor/variable.ts'
import type { Tape } from './tape.ts'

export interface RandomGraph {
  readonly variables: readonly Variable[]
  /** Values of the graph, and gradients of their sum; none is a variable, which would change with it. */
  readonly results: readonly Tensor[]
}

const unary: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.relu(),
  (x) => x.leakyRelu(0.1),
  (x) => x.neg(),
  (x) => x.sub(0.5).abs(),
  (x) => x.mul(0.5),
  (x) => x.softmax(),
  (x) => x.softmax(0),
  (x) => x.transpose(),
  (x) => x.reshape([x.shape[1]!, x.shape[0]!]),
  (x) => x.slice([1]).tanh(),
  (x) => x.mean(0, { keepDims: true }),
  (x) => x.max(1, { keepDims: true }),
  (x) => x.sum(0, { keepDims: true }).tanh().broadcastTo(x.shape),
  (x) => x.greater(0.1).where(x, x.mul(0.25)),
  (x) => x.stopGradient().mul(x),
  (x) => x.gather(tensor([0, 0], { dtype: 'int32' })),
  (x) =>
    x
      .tanh()
      .mul(x.softmax())
      .add(x.softmax().sum(1, { keepDims: true })),
]

const binary: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.add(y),
  (x, y) => x.mul(y),
  (x, y) => x.sub(y),
  (x, y) => x.maximum(y),
]

const isMatrix = ({ shape }: Tensor): boolean => shape.every((extent) => extent > 0)

/** An operation on x, or on x and another value that fits it. */
function grow(tape: Tape, values: readonly Tensor[], extents: readonly number[]): Tensor {
  const x = tape.pick(values)
  const [rows, columns] = [x.shape[0]!, x.shape[1]!]
  const kind = tape.below(6)
  if (kind < 2) return tape.pick(unary)(x)
  if (kind === 2) {
    const weights = parameter(tape, [columns, tape.pick(extents)])
    const product = x.matmul(weights).mul(0.5)
    return tape.oneIn(2) ? tape.pick(unary)(product.add(parameter(tape, [weights.shape[1]!]))) : product
  }
  if (kind === 3) return tape.pick(binary)(x, parameter(tape, tape.pick([[columns], [rows, 1], [1, columns], [1]])))
  const fitting = values.filter(({ shape }) => shape[0] === rows && shape[1] === columns)
  return kind === 4 ? concat([x, tape.pick(fitting)], 1) : tape.pick(binary)(x, tape.pick(fitting))
}

const parameter = (tape: Tape, shape: Shape): Tensor => randn(shape, { seed: tape.below(100) })

export function randomGraph(tape: Tape): RandomGraph {
  const extents = [1 + tape.below(5), 1 + tape.below(5)]
  const variables = Array.from({ length: 1 + tape.below(3) }, (_, i) =>
    variable(randn(extents, { seed: i + tape.below(100) })),
  )
  // What is lowered by itself has its data at hand.
  if (!isCompiling()) evaluateSync(...variables)
  const values: Tensor[] = variables.slice()
  const count = 1 + tape.below(12)
  for (let i = 0; i < count; i++) {
    const value = grow(tape, values, extents)
    if (isMatrix(value)) values.push(value.size > 64 ? value.slice([0, 0], [4, 4]) : value)
  }
  const results = [values.at(-1)!, ...Array.from({ length: tape.below(3) }, () => tape.pick(values))]
  const total = results.map((x) => x.sum()).reduce((a, b) => a.add(b))
  const found = gradients(nodeOf(total), variables.map(nodeOf))
  const nodes = [...results.map(nodeOf), ...found.filter((node) => node !== null)]
  return { variables, results: nodes.map(wrap) }
}
