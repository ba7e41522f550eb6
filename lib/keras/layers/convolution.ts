/** Convolutions. Kernels stay in the layout of Keras, [...window, in, out]; images may have channels last or first. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { activationOf } from '../activations.ts'
import type { Config } from '../config.ts'
import type { Make } from '../layer.ts'
import { biasSlot } from './dense.ts'

type Axes = 1 | 2 | 3

/** Whether the channels are the last axis. */
export const isChannelsLast = (config: Config): boolean =>
  config.choice(
    'data_format',
    ['channels_last', 'channels_first', 'channelsLast', 'channelsFirst'],
    'channels_last',
  ) !== 'channels_first' && config.get('data_format') !== 'channelsFirst'

/** What operations call the layout of so many axes. */
export function layoutOf<A extends Axes>(axes: A, isLast: boolean) {
  const layouts = { 1: ['NCL', 'NLC'], 2: ['NCHW', 'NHWC'], 3: ['NCDHW', 'NDHWC'] } as const
  return layouts[axes][isLast ? 1 : 0] as (typeof layouts)[A][number]
}

interface Window {
  readonly axes: Axes
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: 'same' | 'valid' | 'causal'
  readonly isLast: boolean
}

function windowOf(config: Config, axes: Axes): Window {
  const padding = config.choice('padding', axes === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'], 'valid')
  return {
    ...{ axes, padding, isLast: isChannelsLast(config) },
    kernel: config.counts('kernel_size', axes),
    stride: config.counts('strides', axes, 1),
    dilation: config.counts('dilation_rate', axes, 1),
  }
}

type Two = readonly [number, number]
type Three = readonly [number, number, number]

/** A convolution with a weight [out, in / groups, ...window]. */
function convolve(x: Tensor, weight: Tensor, bias: Tensor | undefined, groups: number, window: Window): Tensor {
  const { axes, stride, dilation, isLast } = window
  const [images, padding] = padded(x, window)
  const options = { groups, padding, ...(bias !== undefined && { bias }) }
  const [firstStride, firstDilation] = [stride[0]!, dilation[0]!]
  if (axes === 1) {
    const along = { stride: firstStride, dilation: firstDilation, layout: layoutOf(1, isLast) }
    return g.conv1d(images, weight, { ...options, ...along })
  }
  if (axes === 2)
    return g.conv2d(images, weight, {
      ...options,
      ...{ stride: stride as Two, dilation: dilation as Two, layout: layoutOf(2, isLast) },
    })
  return g.conv3d(images, weight, {
    ...options,
    ...{ stride: stride as Three, dilation: dilation as Three, layout: layoutOf(3, isLast) },
  })
}

/** A causal convolution sees what came before alone, so that all padding stands there. */
function padded(x: Tensor, { padding, kernel, dilation, isLast }: Window): [Tensor, 'same' | 'valid'] {
  if (padding !== 'causal') return [x, padding]
  const before: readonly [number, number] = [(kernel[0]! - 1) * dilation[0]!, 0]
  return [g.pad(x, isLast ? [[0, 0], before, [0, 0]] : [[0, 0], [0, 0], before]), 'valid']
}

/** A kernel [...window, in, out] with its last two axes first: [out, in, ...window]. */
export function outFirst(kernel: Tensor): Tensor {
  const n = kernel.ndim
  return kernel.permute([n - 1, n - 2, ...Array.from({ length: n - 2 }, (_, i) => i)])
}

const convolution =
  (axes: Axes): Make =>
  (config) => {
    const window = windowOf(config, axes)
    const [filters, groups] = [config.count('filters'), config.count('groups', 1)]
    const activation = activationOf(config)
    return {
      slots: [{ name: 'kernel', shape: [...window.kernel, null, filters] }, ...biasSlot(config, [filters])],
      forward: (layer, { floats }) =>
        activation(convolve(floats, outFirst(layer.variable('kernel')), layer.optional('bias'), groups, window)),
    }
  }

/** A kernel [...window, in, multiplier], where each channel has filters of its own, as [in·multiplier, 1, ...window]. */
export function depthwiseWeight(kernel: Tensor): Tensor {
  const n = kernel.ndim
  const [channels, multiplier] = kernel.shape.slice(-2) as [number, number]
  return kernel
    .permute([n - 2, n - 1, ...Array.from({ length: n - 2 }, (_, i) => i)])
    .reshape([channels * multiplier, 1, ...kernel.shape.slice(0, -2)])
}

const depthwise =
  (axes: 1 | 2): Make =>
  (config) => {
    const window = windowOf(config, axes)
    const multiplier = config.count('depth_multiplier', 1)
    const activation = activationOf(config)
    // TensorFlow calls it depthwise_kernel, Keras 3 kernel.
    return {
      slots: [{ name: 'kernel', shape: [...window.kernel, null, multiplier] }, ...biasSlot(config, [null])],
      forward(layer, { floats }) {
        const kernel = layer.variable('kernel')
        const channels = kernel.shape.at(-2)!
        return activation(convolve(floats, depthwiseWeight(kernel), layer.optional('bias'), channels, window))
      },
    }
  }

const separable =
  (axes: 1 | 2): Make =>
  (config) => {
    const window = windowOf(config, axes)
    const [filters, multiplier] = [config.count('filters'), config.count('depth_multiplier', 1)]
    const ones = new Array<number>(axes).fill(1)
    const point: Window = { ...window, kernel: ones, stride: ones, dilation: ones, padding: 'valid' }
    const activation = activationOf(config)
    return {
      slots: [
        { name: 'depthwise_kernel', shape: [...window.kernel, null, multiplier] },
        { name: 'pointwise_kernel', shape: [...ones, null, filters] },
        ...biasSlot(config, [filters]),
      ],
      forward(layer, { floats }) {
        const kernel = layer.variable('depthwise_kernel')
        const deep = convolve(floats, depthwiseWeight(kernel), undefined, kernel.shape.at(-2)!, window)
        const pointwise = outFirst(layer.variable('pointwise_kernel'))
        return activation(convolve(deep, pointwise, layer.optional('bias'), 1, point))
      },
    }
  }

/** Along one axis of a transposed convolution: what is cut off the whole sum before and after, and what is added after. */
interface Sides {
  readonly before: number
  readonly after: number
  readonly extra: number
}

/** The result is what a convolution with these options would take to give x. */
export function transposedSides(
  extent: number,
  { kernel, stride, dilation }: { kernel: number; stride: number; dilation: number },
  padding: 'same' | 'valid',
  outputPadding: number | undefined,
): Sides {
  const size = (kernel - 1) * dilation + 1
  const whole = (extent - 1) * stride + size
  const out = lengthOf()
  const cut = padding === 'same' ? Math.max(whole - out, 0) : 0
  const before = Math.floor(cut / 2)
  return { before, after: cut - before, extra: out - whole + cut }

  function lengthOf(): number {
    if (outputPadding === undefined) return padding === 'same' ? extent * stride : whole + Math.max(stride - size, 0)
    return whole - (padding === 'same' ? 2 * Math.floor(size / 2) : 0) + outputPadding
  }
}

const transposed =
  (axes: Axes): Make =>
  (config) => {
    const window = windowOf(config, axes)
    const filters = config.count('filters')
    const activation = activationOf(config)
    const { padding, isLast } = window
    if (padding === 'causal') config.fail('padding as valid or same', padding)
    const extra = config.get('output_padding')
    const outputPadding = extra === undefined ? undefined : outputPaddings(config, axes)
    return {
      slots: [{ name: 'kernel', shape: [...window.kernel, filters, null] }, ...biasSlot(config, [filters])],
      forward(layer, { floats }) {
        const sides = window.kernel.map((kernel, i) =>
          transposedSides(
            floats.shape[isLast ? i + 1 : i + 2] ?? 0,
            { kernel, stride: window.stride[i]!, dilation: window.dilation[i]! },
            padding as 'same' | 'valid',
            outputPadding?.[i],
          ),
        )
        return activation(transposeConvolve(floats, layer.variable('kernel'), layer.optional('bias'), window, sides))
      },
    }
  }

function outputPaddings(config: Config, axes: Axes): number[] {
  const given = config.integers('output_padding')
  const list = given.length === 1 ? new Array<number>(axes).fill(given[0]!) : given
  const isFine = list.length === axes && list.every((x) => x >= 0 && x < 2 ** 20)
  return isFine ? list : config.fail(`output_padding of ${axes} axes`, given)
}

/** A kernel [...window, out, in]: [in, out, ...window] is what transposed convolutions take. */
export function transposeConvolve(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  { axes, stride, dilation, isLast }: Pick<Window, 'axes' | 'stride' | 'dilation' | 'isLast'>,
  sides: readonly Sides[],
): Tensor {
  const weight = outFirst(kernel)
  const padding = sides.map(({ before, after }) => [before, after] as const)
  const outputPadding = sides.map(({ extra }) => extra)
  const withBias = bias === undefined ? {} : { bias }
  if (axes === 1)
    return g.convTranspose1d(x, weight, {
      ...{ ...withBias, stride: stride[0]!, dilation: dilation[0]!, padding: padding[0]! },
      ...{ outputPadding: outputPadding[0]!, layout: layoutOf(1, isLast) },
    })
  if (axes === 2)
    return g.convTranspose2d(x, weight, {
      ...{ ...withBias, stride: stride as Two, dilation: dilation as Two, padding: [padding[0]!, padding[1]!] },
      ...{ outputPadding: outputPadding as unknown as Two, layout: layoutOf(2, isLast) },
    })
  return g.convTranspose3d(x, weight, {
    ...{ ...withBias, stride: stride as Three, dilation: dilation as Three },
    ...{ padding: [padding[0]!, padding[1]!, padding[2]!], outputPadding: outputPadding as unknown as Three },
    layout: layoutOf(3, isLast),
  })
}

export const convolutionLayers = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
} satisfies Record<string, Make>
