/** Layers of volumes: convolution and pooling with a depth. */
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Triple, tripleOf } from '../base/pair.ts'
import { type Conv3dOptions, conv3d as convolve3d } from '../operations/convolution3d.ts'
import * as ops from '../operations/pooling3d.ts'
import type { Layout3d } from '../operations/windows.ts'
import { ConvolutionLayer, checkChannels, type Layer } from './convolution.ts'
import type { Module } from './module.ts'
import { covering, windowed } from './pooling.ts'
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
  windowed('maxPool3d', kernelSize, options, maxPool3dOptions, [0, 1, 1, 1, 1], ops.maxPool3d)

/** The mean of each window. */
export const avgPool3d = (kernelSize: Triple, options?: ops.AvgPool3dOptions): Module =>
  windowed('avgPool3d', kernelSize, options, avgPool3dOptions, [0, 1, 1, 1, 1], ops.avgPool3d)

/** Means of windows that cover the volume, whatever its size. */
export const adaptiveAvgPool3d = (outputSize: Triple, options?: LayoutOption): Module =>
  covering('adaptiveAvgPool3d', outputSize, tripleOf, options, layoutOptions, ops.adaptiveAvgPool3d)

/** Greatest elements of windows that cover the volume, whatever its size. */
export const adaptiveMaxPool3d = (outputSize: Triple, options?: LayoutOption): Module =>
  covering('adaptiveMaxPool3d', outputSize, tripleOf, options, layoutOptions, ops.adaptiveMaxPool3d)
