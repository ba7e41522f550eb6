/** Layers of pooling and upsampling, which have no parameters: each is the operation of its name. */

import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Pair } from '../base/pair.ts'
import * as ops from '../operations/pooling.ts'
import { upsample as resize, type UpsampleOptions } from '../operations/upsampling.ts'
import type { Layout1d, Layout2d } from '../operations/windows.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Lambda } from './layers.ts'
import type { Module } from './module.ts'
import { capitalized, titled } from './repr.ts'

const layout2dOptions: OptionTypes<{ layout?: Layout2d }> = { layout: ['NCHW', 'NHWC'] }
const layout1dOptions: OptionTypes<{ layout?: Layout1d }> = { layout: ['NCL', 'NLC'] }

const maxPool2dOptions: OptionTypes<ops.MaxPool2dOptions> = {
  ...{ stride: 'other', padding: 'other', dilation: 'other', ceilMode: 'boolean' },
  ...layout2dOptions,
}
const maxPool1dOptions: OptionTypes<ops.MaxPool1dOptions> = {
  ...{ stride: 'number', padding: 'other', dilation: 'number', ceilMode: 'boolean' },
  ...layout1dOptions,
}
const avgPool2dOptions: OptionTypes<ops.AvgPool2dOptions> = {
  ...{ stride: 'other', padding: 'other', ceilMode: 'boolean', countIncludePad: 'boolean' },
  ...layout2dOptions,
}
const avgPool1dOptions: OptionTypes<ops.AvgPool1dOptions> = {
  ...{ stride: 'number', padding: 'other', ceilMode: 'boolean', countIncludePad: 'boolean' },
  ...layout1dOptions,
}
const upsampleOptions: OptionTypes<UpsampleOptions> = {
  ...{ size: 'other', scale: 'other', mode: ['nearest', 'bilinear'], alignCorners: 'boolean' },
  ...layout2dOptions,
}

/** An operation with its options, which are checked where the layer is made. */
export function layerOf<T extends object>(
  op: string,
  options: T | undefined,
  types: OptionTypes<T>,
  apply: (x: Tensor, options: Partial<T>) => Tensor,
  sizes: object = {},
): Module {
  const given = checkOptions(op, options, types)
  return titled(new Lambda((x) => apply(x, given)), capitalized(op), { ...sizes, ...given })
}

/** The greatest element of each window. */
export const maxPool2d = (kernelSize: Pair, options?: ops.MaxPool2dOptions): Module =>
  layerOf('maxPool2d', options, maxPool2dOptions, (x, given) => ops.maxPool2d(x, kernelSize, given), { kernelSize })

/** The greatest element of each window. */
export const maxPool1d = (kernelSize: number, options?: ops.MaxPool1dOptions): Module =>
  layerOf('maxPool1d', options, maxPool1dOptions, (x, given) => ops.maxPool1d(x, kernelSize, given), { kernelSize })

/** The mean of each window. */
export const avgPool2d = (kernelSize: Pair, options?: ops.AvgPool2dOptions): Module =>
  layerOf('avgPool2d', options, avgPool2dOptions, (x, given) => ops.avgPool2d(x, kernelSize, given), { kernelSize })

/** The mean of each window. */
export const avgPool1d = (kernelSize: number, options?: ops.AvgPool1dOptions): Module =>
  layerOf('avgPool1d', options, avgPool1dOptions, (x, given) => ops.avgPool1d(x, kernelSize, given), { kernelSize })

/** Means of windows that cover the image, whatever its size. */
export const adaptiveAvgPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  layerOf('adaptiveAvgPool2d', options, layout2dOptions, (x, given) => ops.adaptiveAvgPool2d(x, outputSize, given), {
    outputSize,
  })

/** Means of windows that cover the line, whatever its length. */
export const adaptiveAvgPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  layerOf('adaptiveAvgPool1d', options, layout1dOptions, (x, given) => ops.adaptiveAvgPool1d(x, outputSize, given), {
    outputSize,
  })

/** Greatest elements of windows that cover the image, whatever its size. */
export const adaptiveMaxPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  layerOf('adaptiveMaxPool2d', options, layout2dOptions, (x, given) => ops.adaptiveMaxPool2d(x, outputSize, given), {
    outputSize,
  })

/** Greatest elements of windows that cover the line, whatever its length. */
export const adaptiveMaxPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  layerOf('adaptiveMaxPool1d', options, layout1dOptions, (x, given) => ops.adaptiveMaxPool1d(x, outputSize, given), {
    outputSize,
  })

/** Images of another size. */
export const upsample = (options: UpsampleOptions): Module =>
  layerOf('upsample', options, upsampleOptions, (x, given) => resize(x, given))
