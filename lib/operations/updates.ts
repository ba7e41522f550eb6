/**
 * The updates of the common optimizers as operations of one pass over a parameter, its gradient and its state: what the
 * rules of `optim.sgd` and `optim.adam` return, and those of others may. They have no gradients.
 */

import { checkNumber, refuseSurplus } from '../base/arguments.ts'
import { isFloat } from '../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../base/errors.ts'
import { checkOptions, type OptionTypes, requireOptions } from '../base/options.ts'
import { formatShape, type Shape, sameShape } from '../base/shape.ts'
import type { Node } from '../graph/node.ts'
import * as ops from '../graph/ops/optimizer.ts'
import { nodeOf, Tensor, type TensorLike, toNode, wrap } from '../tensor/tensor.ts'

/** What an update reads, all of the parameter's dtype: float32 or float64. */
export interface SgdOperands {
  readonly parameter: Tensor
  /** Of the parameter's shape. */
  readonly gradient: TensorLike
  /** A scalar. */
  readonly learningRate: TensorLike
}

export interface MomentumOperands extends SgdOperands {
  /** The sum of past gradients, each faded by the momentum; of the parameter's shape. */
  readonly velocity: TensorLike
}

export interface MomentumOptions {
  /** How much of the velocity stays. */
  momentum: number
  /** Looks ahead by the momentum; false unless given. */
  nesterov?: boolean
}

export interface AdamOperands extends SgdOperands {
  /** The mean of past gradients; of the parameter's shape. */
  readonly firstMoment: TensorLike
  /** The mean of their squares; of the parameter's shape. */
  readonly secondMoment: TensorLike
  /** Which step it is, a scalar that counts from 1. */
  readonly step: TensorLike
}

export interface AdamUpdateOptions {
  /** 0.9 unless given. */
  beta1?: number
  /** 0.999 unless given. */
  beta2?: number
  /** 1e-8 unless given. */
  epsilon?: number
  /** How much of the parameter decays, times the learning rate; 0 unless given. */
  weightDecay?: number
}

const momentumOptions: OptionTypes<MomentumOptions> = { momentum: 'number', nesterov: 'boolean' }

const adamOptions: OptionTypes<AdamUpdateOptions> = {
  beta1: 'number',
  beta2: 'number',
  epsilon: 'number',
  weightDecay: 'number',
}

/** What an update reads, once it is an object, as rules of optimizers are given one of a class; its operands are checked one by one. */
function operandsOf<T extends SgdOperands>(op: string, operands: T): T {
  if (typeof operands !== 'object' || operands === null || operands instanceof Tensor)
    throw new TypeError(expected(op, 'operands ({ parameter, gradient, … })', operands))
  return operands
}

function checkParameter(op: string, parameter: Tensor): Node {
  if (!(parameter instanceof Tensor)) throw new TypeError(expected(op, 'a parameter that is a tensor', parameter))
  if (!isFloat(parameter.dtype)) throw new DTypeError(expected(op, 'a parameter of float32 or float64', parameter))
  return nodeOf(parameter)
}

/** An operand of the parameter's shape, unless given another one, and of its dtype. */
function like({ dtype, shape }: Tensor, op: string, name: string, value: TensorLike, of: Shape = shape): Node {
  const node = toNode(op, value, typeof value === 'number' ? dtype : undefined)
  if (!sameShape(node.shape, of))
    throw new ShapeError(expected(op, `${name} of shape ${formatShape(of)}`, formatShape(node.shape)))
  if (node.dtype !== dtype) throw new DTypeError(expected(op, `${name} of ${dtype}`, node.dtype))
  return node
}

function checkFinite(op: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) checkNumber(op, `a finite ${name}`, value, Number.isFinite)
}

const scalar: Shape = []

/**
 * A step of gradient descent, p − lr·g. `optim.sgd` is made of it.
 *
 * @returns the next parameter
 * @throws ShapeError, DTypeError for an operand that is not like the parameter
 * @pytorch torch.optim.SGD
 * @tensorflow tf.raw_ops.ResourceApplyGradientDescent
 */
export function sgd(operands: SgdOperands, ...surplus: []): { parameter: Tensor } {
  const op = 'updates.sgd'
  refuseSurplus(op, 1, surplus)
  const { parameter, gradient, learningRate } = operandsOf(op, operands)
  const p = checkParameter(op, parameter)
  const g = like(parameter, op, 'gradient', gradient)
  return { parameter: wrap(ops.sgd(p, g, like(parameter, op, 'learningRate', learningRate, scalar))) }
}

/**
 * A step of gradient descent with momentum. v' = momentum·v + g and p' = p − lr·v', or with Nesterov's
 * p' = p − lr·(g + momentum·v').
 *
 * @returns the next parameter and velocity
 * @throws ShapeError, DTypeError for an operand that is not like the parameter; TypeError, RangeError for an option
 *   that is no finite number
 * @pytorch torch.optim.SGD
 * @tensorflow tf.raw_ops.ResourceApplyKerasMomentum
 */
export function momentum(
  operands: MomentumOperands,
  options: MomentumOptions,
  ...surplus: []
): { parameter: Tensor; velocity: Tensor } {
  const op = 'updates.momentum'
  const { momentum, nesterov = false } = requireOptions(op, options, momentumOptions, ['momentum'], surplus)
  const { parameter, gradient, velocity, learningRate } = operandsOf(op, operands)
  checkFinite(op, { momentum })
  const p = checkParameter(op, parameter)
  const g = like(parameter, op, 'gradient', gradient)
  const v = like(parameter, op, 'velocity', velocity)
  const rate = like(parameter, op, 'learningRate', learningRate, scalar)
  const [nextParameter, nextVelocity] = ops.momentum(p, g, v, rate, { momentum, nesterov })
  return { parameter: wrap(nextParameter), velocity: wrap(nextVelocity) }
}

/**
 * A step of Adam with decoupled weight decay. m' = β₁m + (1 − β₁)g, v' = β₂v + (1 − β₂)g² and
 * p' = p·(1 − lr·weightDecay) − lr/(1 − β₁ᵗ) · m' / (√(v'/(1 − β₂ᵗ)) + ε): Kingma & Ba, "Adam: a method for stochastic
 * optimization" (2015), algorithm 1.
 *
 * @returns the next parameter and moments
 * @throws ShapeError, DTypeError for an operand that is not like the parameter; TypeError, RangeError for an option
 *   that is no finite number
 * @pytorch torch.optim.AdamW
 * @tensorflow tf.raw_ops.ResourceApplyAdam
 */
export function adam(
  operands: AdamOperands,
  options?: AdamUpdateOptions,
  ...surplus: []
): { parameter: Tensor; firstMoment: Tensor; secondMoment: Tensor } {
  const op = 'updates.adam'
  const {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    weightDecay = 0,
  } = checkOptions(op, options, adamOptions, surplus)
  checkFinite(op, { beta1, beta2, epsilon, weightDecay })
  const { parameter, gradient, firstMoment, secondMoment, learningRate, step } = operandsOf(op, operands)
  const p = checkParameter(op, parameter)
  const g = like(parameter, op, 'gradient', gradient)
  const m = like(parameter, op, 'firstMoment', firstMoment)
  const v = like(parameter, op, 'secondMoment', secondMoment)
  const rate = like(parameter, op, 'learningRate', learningRate, scalar)
  const t = like(parameter, op, 'step', step, scalar)
  const [nextP, nextM, nextV] = ops.adam(p, g, m, v, rate, t, { beta1, beta2, epsilon, weightDecay })
  return { parameter: wrap(nextP), firstMoment: wrap(nextM), secondMoment: wrap(nextV) }
}
