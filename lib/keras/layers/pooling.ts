/** Pooling over windows, and over everything. */
import * as g from '../../operations/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Make } from '../layer.ts'
import { maskOf } from '../masks.ts'
import { isChannelsLast, layoutOf } from './convolution.ts'

type Axes = 1 | 2 | 3
type Kind = 'max' | 'average'
type Two = readonly [number, number]
type Three = readonly [number, number, number]

const pooling =
  (kind: Kind, axes: Axes): Make =>
  (config) => {
    const size = config.counts('pool_size', axes, 2)
    const stride = config.get('strides') === undefined ? size : config.counts('strides', axes)
    const padding = config.choice('padding', ['valid', 'same'], 'valid')
    const isLast = isChannelsLast(config)
    return { forward: (_, { x }) => pool(x, { kind, axes, size, stride, padding, isLast }) }
  }

export interface Pool {
  readonly kind: Kind
  readonly axes: Axes
  readonly size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: 'valid' | 'same'
  readonly isLast: boolean
}

/** Averages leave the padding out, as TensorFlow's do. */
export function pool(x: Tensor, { kind, axes, size, stride, padding, isLast }: Pool): Tensor {
  if (axes === 1) {
    const options = { stride: stride[0]!, padding, layout: layoutOf(1, isLast) }
    return kind === 'max'
      ? g.maxPool1d(x, size[0]!, options)
      : g.avgPool1d(x, size[0]!, { ...options, countIncludePad: false })
  }
  if (axes === 2) {
    const options = { stride: stride as Two, padding, layout: layoutOf(2, isLast) }
    return kind === 'max'
      ? g.maxPool2d(x, size as Two, options)
      : g.avgPool2d(x, size as Two, { ...options, countIncludePad: false })
  }
  const options = { stride: stride as Three, padding, layout: layoutOf(3, isLast) }
  return kind === 'max'
    ? g.maxPool3d(x, size as Three, options)
    : g.avgPool3d(x, size as Three, { ...options, countIncludePad: false })
}

const globalPooling =
  (kind: Kind, axes: Axes): Make =>
  (config) => {
    const isLast = isChannelsLast(config)
    const keepDims = config.flag('keepdims', false)
    const over = Array.from({ length: axes }, (_, i) => i + (isLast ? 1 : 2))
    return {
      forward(_, { x }) {
        if (kind === 'max') return g.max(x, over, { keepDims })
        const mask = axes === 1 ? maskOf(x) : undefined
        if (mask === undefined) return g.mean(x, over, { keepDims })
        const counted = g.expandDims(mask.cast('float32'), isLast ? 2 : 1)
        return g.sum(x.mul(counted), over, { keepDims }).div(g.sum(counted, over, { keepDims }))
      },
    }
  }

export const poolingLayers = {
  MaxPooling1D: pooling('max', 1),
  MaxPooling2D: pooling('max', 2),
  MaxPooling3D: pooling('max', 3),
  AveragePooling1D: pooling('average', 1),
  AveragePooling2D: pooling('average', 2),
  AveragePooling3D: pooling('average', 3),
  GlobalMaxPooling1D: globalPooling('max', 1),
  GlobalMaxPooling2D: globalPooling('max', 2),
  GlobalMaxPooling3D: globalPooling('max', 3),
  GlobalAveragePooling1D: globalPooling('average', 1),
  GlobalAveragePooling2D: globalPooling('average', 2),
  GlobalAveragePooling3D: globalPooling('average', 3),
} satisfies Record<string, Make>
