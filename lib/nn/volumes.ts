/** Layers of volumes: convolution and pooling with a depth. */
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Triple, tripleOf } from '../base/pair.ts'
import { type Conv3dOptions, conv3d as convolve3d } from '../operations/convolution3d.ts'
import * as ops from '../operations/pooling3d.ts'
import type { Layout3d } from '../operations/windows.ts'
import { ConvolutionLayer, checkChannels, type Layer } from './convolution.ts'
import type { Module } from './module.ts'
import { layerOf } from './pooling.ts'
import { titled } from './repr.ts'
import { weightOptions } from './weights.ts'

interface LayoutOption {
  layout?: Layout3d
}

export type Conv3dLayerOptions = Layer<Conv3dOptions>

const layoutOptions: OptionTypes<LayoutOption> = { layout: ['NCDHW', 'NDHWC'] }
const conv3dOptions: OptionTypes<Conv3dLayerOptions> = {
  ...{ ...weightOptions, groups: 'number', stride: 'other', padding: 'other', dilation: 'other' },
  ...layoutOptions,
}
const maxPool3dOptions: OptionTypes<ops.MaxPool3dOptions> = {
  ...{ stride: 'other', padding: 'other', dilation: 'other', ceilMode: 'boolean' },
  ...layoutOptions,
}
const avgPool3dOptions: OptionTypes<ops.AvgPool3dOptions> = {
  ...{ stride: 'other', padding: 'other', ceilMode: 'boolean', countIncludePad: 'boolean' },
  ...layoutOptions,
}

/**
 * `conv3d` with a weight [out, in / groups, …kernelSize] and a bias [out].
 *
 * @param kernelSize the extent of a filter, or its depth, height and width
 * @throws RangeError for channels, groups or a kernel that are none; ShapeError from `forward` for other volumes
 */
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernelSize: Triple,
  options?: Conv3dLayerOptions,
): ConvolutionLayer<Conv3dLayerOptions> {
  const given = checkOptions('conv3d', options, conv3dOptions)
  const groups = checkChannels('conv3d', inChannels, outChannels, given.groups)
  const shape = [outChannels, inChannels / groups, ...tripleOf('conv3d', 'kernelSize', kernelSize)]
  const layer = new ConvolutionLayer('conv3d', shape, outChannels, given, convolve3d)
  return titled(layer, 'Conv3d', { inChannels, outChannels, kernelSize, ...given })
}

/** The greatest element of each window. */
export const maxPool3d = (kernelSize: Triple, options?: ops.MaxPool3dOptions): Module =>
  layerOf('maxPool3d', options, maxPool3dOptions, (x, given) => ops.maxPool3d(x, kernelSize, given), {
    kernelSize,
  })

/** The mean of each window. */
export const avgPool3d = (kernelSize: Triple, options?: ops.AvgPool3dOptions): Module =>
  layerOf('avgPool3d', options, avgPool3dOptions, (x, given) => ops.avgPool3d(x, kernelSize, given), {
    kernelSize,
  })

/** Means of windows that cover the volume, whatever its size. */
export const adaptiveAvgPool3d = (outputSize: Triple, options?: LayoutOption): Module =>
  layerOf('adaptiveAvgPool3d', options, layoutOptions, (x, given) => ops.adaptiveAvgPool3d(x, outputSize, given), {
    outputSize,
  })

/** Greatest elements of windows that cover the volume, whatever its size. */
export const adaptiveMaxPool3d = (outputSize: Triple, options?: LayoutOption): Module =>
  layerOf('adaptiveMaxPool3d', options, layoutOptions, (x, given) => ops.adaptiveMaxPool3d(x, outputSize, given), {
    outputSize,
  })
