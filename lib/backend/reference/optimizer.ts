/** Optimizer updates, one pass over parameter, gradient and state. An element is loaded before its place is written. */
import type { InstructionParams } from '../../program/instructions.ts'
import type { Floats } from './loop.ts'

export function sgd(
  _params: InstructionParams['sgd'],
  [p, g, learningRate]: readonly [Floats, Floats, Floats],
  [newP]: readonly [Floats],
): void {
  const lr = learningRate[0]!
  for (const [i, gradient] of g.entries()) newP[i] = p[i]! - lr * gradient
}

export function momentum(
  { momentum, nesterov }: InstructionParams['momentum'],
  [p, g, v, learningRate]: readonly [Floats, Floats, Floats, Floats],
  [newP, newV]: readonly [Floats, Floats],
): void {
  const lr = learningRate[0]!
  for (const [i, gradient] of g.entries()) {
    const velocity = momentum * v[i]! + gradient
    newP[i] = p[i]! - lr * (nesterov ? gradient + momentum * velocity : velocity)
    newV[i] = velocity
  }
}

/** Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1, with decoupled weight decay. */
export function adam(
  { beta1, beta2, epsilon, weightDecay }: InstructionParams['adam'],
  [p, g, m, v, learningRate, step]: readonly [Floats, Floats, Floats, Floats, Floats, Floats],
  [newP, newM, newV]: readonly [Floats, Floats, Floats],
): void {
  const lr = learningRate[0]!
  const t = step[0]!
  const stepSize = lr / (1 - beta1 ** t)
  const bias2 = 1 - beta2 ** t
  for (const [i, gradient] of g.entries()) {
    const first = beta1 * m[i]! + (1 - beta1) * gradient
    const second = beta2 * v[i]! + (1 - beta2) * gradient * gradient
    newP[i] = p[i]! * (1 - lr * weightDecay) - (stepSize * first) / (Math.sqrt(second / bias2) + epsilon)
    newM[i] = first
    newV[i] = second
  }
}
