/** Steps of optimizers, by which models of the domain ai.onnx.preview.training train themselves. */
import { add, div, mul, sub } from '../../operations/arithmetic.ts'
import { equal, greater, where } from '../../operations/comparison.ts'
import { pow, sqrt, square } from '../../operations/math.ts'
import { cast } from '../../operations/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from './call.ts'
import { type Family, row } from './row.ts'
import { wrong } from './tables.ts'

/** What one tensor's step reads: itself, its gradient and its states; and gives: itself and its states. */
type Step = (x: Tensor, gradient: Tensor, states: readonly Tensor[]) => readonly Tensor[]

/** Inputs are all tensors, all gradients, and then all first states and so on; outputs all tensors, and all first states. */
function steps(n: Call, states: number, step: Step): Tensor[] {
  const count = (n.count - 2) / (2 + states)
  if (!Number.isInteger(count) || count < 1)
    throw wrong(n, `${2 + states} inputs for each tensor after two`, `${n.count}`)
  const at = (kind: number, i: number) => n.tensor(2 + kind * count + i)
  const results = Array.from({ length: count }, (_, i) =>
    step(
      at(0, i),
      at(1, i),
      Array.from({ length: states }, (_, state) => at(2 + state, i)),
    ),
  )
  return Array.from({ length: 1 + states }, (_, kind) => results.map((result) => result[kind]!)).flat()
}

const regularized = (n: Call, x: Tensor, gradient: Tensor): Tensor =>
  add(mul(x, n.attributes.float('norm_coefficient', 0)), gradient)

/** How many steps there were before, as floats. */
const countOf = (n: Call, rate: Tensor): Tensor => cast(n.tensor(1), rate.dtype)

function adagrad(n: Call): Tensor[] {
  const { attributes } = n
  const rate = n.tensor(0)
  const decayed = div(rate, add(mul(countOf(n, rate), attributes.float('decay_factor', 0)), 1))
  return steps(n, 1, (x, given, [sum]) => {
    const gradient = regularized(n, x, given)
    const next = add(sum!, square(gradient))
    const step = div(mul(decayed, gradient), add(sqrt(next), attributes.float('epsilon', 1e-6)))
    return [sub(x, step), next]
  })
}

function adam(n: Call): Tensor[] {
  const { attributes } = n
  const rate = n.tensor(0)
  const count = countOf(n, rate)
  const [alpha, beta] = [attributes.float('alpha', 0.9), attributes.float('beta', 0.999)]
  const isFirst = equal(count, 0)
  const corrected = div(mul(rate, sqrt(sub(1, pow(beta, count)))), where(isFirst, 1, sub(1, pow(alpha, count))))
  const own = where(greater(count, 0), corrected, rate)
  return steps(n, 2, (x, given, [mean, squares]) => {
    const gradient = regularized(n, x, given)
    const nextMean = add(mul(mean!, alpha), mul(gradient, 1 - alpha))
    const nextSquares = add(mul(squares!, beta), mul(square(gradient), 1 - beta))
    const step = mul(own, div(nextMean, add(sqrt(nextSquares), attributes.float('epsilon', 1e-6))))
    return [mul(sub(x, step), 1 - attributes.float('norm_coefficient_post', 0)), nextMean, nextSquares]
  })
}

function momentum(n: Call): Tensor[] {
  const { attributes } = n
  const rate = n.tensor(0)
  const [alpha, beta] = [attributes.float('alpha', 0.9), attributes.float('beta', 1)]
  const isNesterov = attributes.choice('mode', ['standard', 'nesterov'], 'standard') === 'nesterov'
  const weight = where(greater(countOf(n, rate), 0), beta, 1)
  return steps(n, 1, (x, given, [velocity]) => {
    const gradient = regularized(n, x, given)
    const next = add(mul(velocity!, alpha), mul(gradient, weight))
    return [sub(x, mul(rate, isNesterov ? add(gradient, mul(next, alpha)) : next)), next]
  })
}

export const training: Family = {
  Adagrad: row([1], adagrad),
  Adam: row([1], adam),
  Momentum: row([1], momentum),
}
