/** Layers of convolutions. */

import { checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf } from '../base/pair.ts'
import { extentAt, type Shape } from '../base/shape.ts'
import {
  type Conv1dOptions,
  type Conv2dOptions,
  type ConvTranspose1dOptions,
  type ConvTranspose2dOptions,
  conv1d as convolve1d,
  conv2d as convolve2d,
  convTranspose1d as transpose1d,
  convTranspose2d as transpose2d,
} from '../operations/convolution.ts'
import { zeros } from '../tensor/creation.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { inputOf, kept, tried } from './inputs.ts'
import { Module } from './module.ts'
import { titled } from './repr.ts'
import { type WeightOptions, weightAndBias, weightOptions } from './weights.ts'

export type Layer<Options> = Omit<Options, 'bias'> & WeightOptions

export type Conv1dLayerOptions = Layer<Conv1dOptions>
export type Conv2dLayerOptions = Layer<Conv2dOptions>
export type ConvTranspose1dLayerOptions = Layer<ConvTranspose1dOptions>
export type ConvTranspose2dLayerOptions = Layer<ConvTranspose2dOptions>

const conv2dOptions: OptionTypes<Conv2dLayerOptions> = {
  ...weightOptions,
  ...{ groups: 'number', stride: 'other', padding: 'other', dilation: 'other', layout: ['NCHW', 'NHWC'] },
}
const conv1dOptions: OptionTypes<Conv1dLayerOptions> = {
  ...weightOptions,
  ...{ groups: 'number', stride: 'number', padding: 'other', dilation: 'number', layout: ['NCL', 'NLC'] },
}
const convTranspose2dOptions: OptionTypes<ConvTranspose2dLayerOptions> = { ...conv2dOptions, outputPadding: 'other' }
const convTranspose1dOptions: OptionTypes<ConvTranspose1dLayerOptions> = { ...conv1dOptions, outputPadding: 'number' }

type Apply<Options> = (x: TensorLike, weight: Tensor, options: Options & { bias?: Tensor }) => Tensor

/** A batch of none whose axes are all as long as there are channels to read, wherever those are. */
function sampleOf(shape: Shape, outChannels: number, groups = 1): Shape {
  const channels = shape[0] === outChannels ? extentAt(shape, 1) * groups : extentAt(shape, 0)
  return [0, ...shape.slice(1).map(() => channels)]
}

/** A layer that slides filters over its input. */
export class ConvolutionLayer<Options extends WeightOptions & { groups?: number }> extends Module {
  /** [out, in / groups, …window]; of a transposed convolution [in, out / groups, …window]. */
  readonly weight: Variable
  /** [out] */
  readonly bias: Variable | null
  readonly #op: string
  readonly #apply: (x: Tensor) => Tensor

  /** @internal */
  constructor(
    op: string,
    shape: Shape,
    outChannels: number,
    options: Options,
    apply: Apply<Omit<Options, keyof WeightOptions>>,
  ) {
    super()
    const { bias: _bias, initializer: _initializer, seed: _seed, dtype: _dtype, ...others } = options
    tried((x) => apply(x, zeros(shape), others), sampleOf(shape, outChannels, options.groups))
    const rest = kept(others)
    const { weight, bias } = weightAndBias(op, shape, outChannels, options)
    this.weight = weight
    this.bias = bias
    this.#op = op
    this.#apply = (x) => apply(x, this.weight, { ...rest, ...(this.bias !== null && { bias: this.bias }) })
  }

  forward(x: TensorLike): Tensor {
    return this.#apply(inputOf(this.#op, x))
  }
}

/** Channels that the groups divide. */
export function checkChannels(op: string, inChannels: number, outChannels: number, groups = 1): number {
  for (const count of [inChannels, outChannels])
    checkNumber(op, 'a positive integer of channels', count, (x) => Number.isInteger(x) && x > 0)
  if (!Number.isInteger(groups) || groups < 1 || inChannels % groups !== 0 || outChannels % groups !== 0)
    throw new RangeError(expected(op, `groups that divide ${inChannels} and ${outChannels} channels`, groups))
  return groups
}

const lineKernel = (op: string, kernelSize: number): number => pairOf(op, 'kernelSize', [1, kernelSize])[1]

/**
 * `conv2d` with a weight [out, in / groups, …kernelSize] and a bias [out].
 *
 * @param kernelSize the extent of a filter, or its height and width
 * @throws RangeError for channels, groups or a kernel that are none; ShapeError from `forward` for other images
 * @example sequential(conv2d(1, 16, 3, { padding: 'same' }), relu(), maxPool2d(2))
 */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernelSize: Pair,
  options?: Conv2dLayerOptions,
): ConvolutionLayer<Conv2dLayerOptions> {
  const given = checkOptions('conv2d', options, conv2dOptions)
  const groups = checkChannels('conv2d', inChannels, outChannels, given.groups)
  const shape = [outChannels, inChannels / groups, ...pairOf('conv2d', 'kernelSize', kernelSize)]
  const layer = new ConvolutionLayer('conv2d', shape, outChannels, given, convolve2d)
  return titled(layer, 'Conv2d', { inChannels, outChannels, kernelSize, ...given })
}

/** `conv1d` with a weight [out, in / groups, kernelSize] and a bias [out]; see `conv2d`. */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  options?: Conv1dLayerOptions,
): ConvolutionLayer<Conv1dLayerOptions> {
  const given = checkOptions('conv1d', options, conv1dOptions)
  const groups = checkChannels('conv1d', inChannels, outChannels, given.groups)
  const shape = [outChannels, inChannels / groups, lineKernel('conv1d', kernelSize)]
  const layer = new ConvolutionLayer('conv1d', shape, outChannels, given, convolve1d)
  return titled(layer, 'Conv1d', { inChannels, outChannels, kernelSize, ...given })
}

/** `convTranspose2d` with a weight [in, out / groups, …kernelSize] and a bias [out]; see `conv2d`. */
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  kernelSize: Pair,
  options?: ConvTranspose2dLayerOptions,
): ConvolutionLayer<ConvTranspose2dLayerOptions> {
  const given = checkOptions('convTranspose2d', options, convTranspose2dOptions)
  const groups = checkChannels('convTranspose2d', inChannels, outChannels, given.groups)
  const shape = [inChannels, outChannels / groups, ...pairOf('convTranspose2d', 'kernelSize', kernelSize)]
  const layer = new ConvolutionLayer('convTranspose2d', shape, outChannels, given, transpose2d)
  return titled(layer, 'ConvTranspose2d', { inChannels, outChannels, kernelSize, ...given })
}

/** `convTranspose1d` with a weight [in, out / groups, kernelSize] and a bias [out]; see `conv2d`. */
export function convTranspose1d(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  options?: ConvTranspose1dLayerOptions,
): ConvolutionLayer<ConvTranspose1dLayerOptions> {
  const given = checkOptions('convTranspose1d', options, convTranspose1dOptions)
  const groups = checkChannels('convTranspose1d', inChannels, outChannels, given.groups)
  const shape = [inChannels, outChannels / groups, lineKernel('convTranspose1d', kernelSize)]
  const layer = new ConvolutionLayer('convTranspose1d', shape, outChannels, given, transpose1d)
  return titled(layer, 'ConvTranspose1d', { inChannels, outChannels, kernelSize, ...given })
}
