/** Layers that normalize. */

import { checkNumber, checkNumbers } from '../base/arguments.ts'
import type { DType } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { elementAt } from '../base/lists.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { extentAt, formatShape, normalizeAxis, type Shape } from '../base/shape.ts'
import * as functions from '../operations/normalization.ts'
import { moments } from '../operations/reduce.ts'
import { ones, zeros } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { type Variable, variable } from '../tensor/variable.ts'
import { inputOf } from './inputs.ts'
import { Module } from './module.ts'
import { capitalized, titled } from './repr.ts'
import { inverse, renamed } from './state.ts'

export interface NormOptions {
  /** Added to the variance; 1e-5 unless given. */
  epsilon?: number
  /** Whether there are a weight and a bias, which start at 1 and 0; true unless given. */
  affine?: boolean
  /** float32 unless given. */
  dtype?: DType
}

export interface LayerNormLayerOptions extends NormOptions {
  /** Whether there is a bias beside the weight; true unless given. */
  bias?: boolean
}

export interface ChannelNormLayerOptions extends NormOptions {
  /** The axis of the channels; 1 unless given. */
  axis?: number
}

export interface BatchNormLayerOptions extends ChannelNormLayerOptions {
  /** How much of the new statistics enters the running ones at each step; 0.1 unless given. */
  momentum?: number
}

const normOptions: OptionTypes<NormOptions> = { epsilon: 'number', affine: 'boolean', dtype: 'dtype' }
const layerNormOptions: OptionTypes<LayerNormLayerOptions> = { ...normOptions, bias: 'boolean' }
const channelNormOptions: OptionTypes<ChannelNormLayerOptions> = { ...normOptions, axis: 'number' }
const batchNormOptions: OptionTypes<BatchNormLayerOptions> = { ...channelNormOptions, momentum: 'number' }

const isPositive = (x: number): boolean => Number.isInteger(x) && x > 0

function checkFeatures(op: string, features: number): number {
  return checkNumber(op, 'a positive integer of features', features, isPositive)
}

const checkGroups = (groups: number, features: number): number =>
  checkNumber('groupNorm', `a positive integer of groups that divides ${features}`, groups, (n) => {
    return isPositive(n) && features % n === 0
  })

/** Weight and bias, which start at 1 and 0, or none. */
abstract class Affine extends Module {
  readonly weight: Variable | null
  readonly bias: Variable | null

  constructor(shape: Shape, { affine = true, dtype = 'float32' }: NormOptions, hasBias = true) {
    super()
    this.weight = affine ? variable(ones(shape, { dtype }), { name: 'weight' }) : null
    this.bias = affine && hasBias ? variable(zeros(shape, { dtype }), { name: 'bias' }) : null
  }
}

/** A batch whose statistics are none. */
export class SingleValueError extends ShapeError {}

const torchNames = { runningMean: 'running_mean', runningVariance: 'running_var' }

/** Batch normalization with running statistics: see {@link batchNorm1d}. */
export class BatchNorm extends Affine {
  /** [features]; no parameters, but part of the state. */
  readonly runningMean: Variable
  readonly runningVariance: Variable
  readonly #op: string
  readonly #ranks: readonly number[]
  readonly #options: Required<Omit<BatchNormLayerOptions, 'affine' | 'dtype'>>

  /** @internal */
  constructor(op: string, features: number, ranks: readonly number[], options?: BatchNormLayerOptions) {
    const given = checkOptions(op, options, batchNormOptions)
    super([checkFeatures(op, features)], given)
    const { dtype = 'float32', momentum = 0.1, epsilon = 1e-5, axis = 1 } = given
    titled(this, capitalized(op), { features, momentum, epsilon, affine: given.affine ?? true, axis: given.axis })
    checkNumber(op, 'a momentum in [0, 1]', momentum, (x) => x >= 0 && x <= 1)
    this.runningMean = variable(zeros([features], { dtype }), { name: 'runningMean', trainable: false })
    this.runningVariance = variable(ones([features], { dtype }), { name: 'runningVariance', trainable: false })
    this.#op = op
    this.#ranks = ranks
    this.#options = { momentum, epsilon, axis }
  }

  protected override exportState(state: StateDict): StateDict {
    return renamed(state, torchNames)
  }

  /** PyTorch counts batches as well, for a mode that is not here. */
  protected override importState(state: Readonly<Record<string, TensorLike>>): Readonly<Record<string, TensorLike>> {
    const { num_batches_tracked: _, ...others } = state
    return renamed(others, inverse(torchNames))
  }

  forward(input: TensorLike): Tensor {
    const x = inputOf(this.#op, input)
    const { momentum, epsilon, axis } = this.#options
    const features = extentAt(this.runningMean.shape, 0)
    if (!this.#ranks.includes(x.ndim) || x.shape.at(axis) !== features)
      throw new ShapeError(
        expected(
          'batchNorm',
          `an input of ${this.#ranks.join(' or ')} axes with ${features} channels at axis ${axis}`,
          `${formatShape(x.shape)}${x.shape.at(-1) === features ? ', which has them at axis: -1' : ''}`,
        ),
      )
    const { weight, bias } = this
    if (!this.training) {
      const [mean, variance] = [this.runningMean, this.runningVariance]
      return functions.batchNorm(x, { weight, bias, epsilon, axis, mean, variance })
    }
    this.#track(x.stopGradient(), momentum, normalizeAxis('batchNorm', axis, x.ndim))
    return functions.batchNorm(x, { weight, bias, epsilon, axis })
  }

  /** The running variance takes the unbiased one of the batch. */
  #track(x: Tensor, momentum: number, axis: number): void {
    const features = this.runningMean.shape
    const count = x.size / elementAt(features, 0)
    // Of no rows there are no statistics, and the running ones stay.
    if (count === 0) return
    if (count === 1)
      throw new SingleValueError(
        expected('batchNorm', 'more than one value per channel in training', formatShape(x.shape)),
      )
    const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
    const { mean, variance } = moments(x, others)
    const blend = (running: Variable, batch: Tensor) =>
      running.assign(running.mul(1 - momentum).add(batch.mul(momentum)))
    blend(this.runningMean, mean)
    blend(this.runningVariance, variance.mul(count / (count - 1)))
  }
}

/**
 * Batch normalization of [n, features] or [n, features, length]. In training mode by the statistics of the batch, which
 * enter the running ones: r ← (1 − momentum)·r + momentum·batch, with the unbiased variance; a compiled step does so as
 * part of its program, and outside `compile` it happens in `forward`. In evaluation mode by the running ones.
 *
 * @throws ShapeError from `forward` for another rank or number of channels, or one value per channel in training
 */
export const batchNorm1d = (features: number, options?: BatchNormLayerOptions): BatchNorm =>
  new BatchNorm('batchNorm1d', features, [2, 3], options)

/** Batch normalization of images [n, features, height, width], or with another `axis` of the channels; see {@link batchNorm1d}. */
export const batchNorm2d = (features: number, options?: BatchNormLayerOptions): BatchNorm =>
  new BatchNorm('batchNorm2d', features, [4], options)

/** Batch normalization of volumes [n, features, depth, height, width], or with another `axis` of the channels; see {@link batchNorm1d}. */
export const batchNorm3d = (features: number, options?: BatchNormLayerOptions): BatchNorm =>
  new BatchNorm('batchNorm3d', features, [5], options)

/** Normalization by a function of the input, the weight and the bias. */
export class Normalization extends Affine {
  readonly #op: string
  readonly #normalize: (x: Tensor, parameters: Pick<Affine, 'weight' | 'bias'>) => Tensor

  /** @internal */
  constructor(
    op: string,
    shape: Shape,
    options: NormOptions,
    normalize: (x: Tensor, parameters: Pick<Affine, 'weight' | 'bias'>) => Tensor,
    hasBias = true,
  ) {
    super(shape, options, hasBias)
    this.#op = op
    this.#normalize = normalize
  }

  forward(x: TensorLike): Tensor {
    return this.#normalize(inputOf(this.#op, x), { weight: this.weight, bias: this.bias })
  }
}

function shapeOf(op: string, shape: number | Shape): Shape {
  return typeof shape === 'number'
    ? [checkFeatures(op, shape)]
    : checkNumbers(op, 'positive integers of features', shape, isPositive)
}

/**
 * Layer normalization over the last axes, whose extents are given.
 *
 * @example
 * layerNorm(128).forward(randn([32, 10, 128]))
 */
export function layerNorm(shape: number | Shape, options?: LayerNormLayerOptions): Normalization {
  const normalizedShape = shapeOf('layerNorm', shape)
  const given = checkOptions('layerNorm', options, layerNormOptions)
  const { epsilon = 1e-5, bias = true } = given
  const normalize = (x: Tensor, parameters: Pick<Affine, 'weight' | 'bias'>) =>
    functions.layerNorm(x, { ...parameters, normalizedShape, epsilon })
  const layer = new Normalization('layerNorm', normalizedShape, given, normalize, bias)
  return titled(layer, 'LayerNorm', { shape: normalizedShape, ...given })
}

/** Root mean square normalization over the last axes, whose extents are given; it has a weight and no bias. */
export function rmsNorm(shape: number | Shape, options?: NormOptions): Normalization {
  const normalizedShape = shapeOf('rmsNorm', shape)
  const given = checkOptions('rmsNorm', options, normOptions)
  const { epsilon } = given
  const normalize = (x: Tensor, { weight }: { weight: Variable | null }) =>
    functions.rmsNorm(x, { weight, normalizedShape, ...(epsilon === undefined ? {} : { epsilon }) })
  const layer = new Normalization('rmsNorm', normalizedShape, given, normalize, false)
  return titled(layer, 'RMSNorm', { shape: normalizedShape, ...given })
}

/** Group normalization of [n, features, …]: the features in `groups` groups of neighbours. */
export function groupNorm(groups: number, features: number, options?: ChannelNormLayerOptions): Normalization {
  checkGroups(groups, checkFeatures('groupNorm', features))
  const given = checkOptions('groupNorm', options, channelNormOptions)
  const { epsilon = 1e-5, axis = 1 } = given
  const layer = new Normalization('groupNorm', [features], given, (x, parameters) =>
    functions.groupNorm(x, groups, { ...parameters, epsilon, axis }),
  )
  return titled(layer, 'GroupNorm', { groups, features, ...given })
}

/** Instance normalization of [n, features, …]; without weight and bias unless `affine` is true, as in PyTorch. */
export function instanceNorm(features: number, options?: ChannelNormLayerOptions): Normalization {
  const given = checkOptions('instanceNorm', options, channelNormOptions)
  const { epsilon = 1e-5, axis = 1, affine = false } = given
  const shape = [checkFeatures('instanceNorm', features)]
  const layer = new Normalization('instanceNorm', shape, { ...given, affine }, (x, parameters) =>
    functions.instanceNorm(x, { ...parameters, epsilon, axis }),
  )
  return titled(layer, 'InstanceNorm', { features, ...given })
}
