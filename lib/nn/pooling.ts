/** Layers of pooling and upsampling, which have no parameters: each is the operation of its name. */

import { checkOptions, type OptionTypes } from '../base/options.ts'
import { type Pair, pairOf, type Triple } from '../base/pair.ts'
import type { Shape } from '../base/shape.ts'
import * as ops from '../operations/pooling.ts'
import { upsample as resize, type UpsampleOptions } from '../operations/upsampling.ts'
import type { Layout1d, Layout2d } from '../operations/windows.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { kept, tried } from './inputs.ts'
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

/** An operation with its options, which are checked where the layer is made: by calling it with nothing, of the shape of `sample`. */
export function layerOf<T extends object>(
  op: string,
  options: T | undefined,
  types: OptionTypes<T>,
  sample: Shape | null,
  apply: (x: TensorLike, options: Partial<T>) => Tensor,
  sizes: object = {},
): Module {
  const checked = checkOptions(op, options, types)
  if (sample !== null) tried((x) => apply(x, checked), sample)
  const given = kept(checked)
  return titled(new Lambda((x) => apply(x, given)), capitalized(op), { ...sizes, ...given })
}

/** An operation on windows. */
export function windowed<K extends Pair | Triple, T extends object>(
  op: string,
  kernelSize: K,
  options: T | undefined,
  types: OptionTypes<T>,
  sample: Shape,
  apply: (x: TensorLike, kernelSize: K, options: T) => Tensor,
): Module {
  checkOptions(op, options, types)
  tried((x) => apply(x, kernelSize, {} as T), sample)
  const size = kept(kernelSize)
  return layerOf(op, options, types, sample, (x, given) => apply(x, size, given as T), { kernelSize: size })
}

type Check<S> = (op: string, name: string, size: S) => unknown

/** An operation whose windows follow from the size of its result. */
export function covering<S extends Pair | Triple, T extends object>(
  op: string,
  outputSize: S,
  check: Check<S>,
  options: T | undefined,
  types: OptionTypes<T>,
  apply: (x: TensorLike, outputSize: S, options: T) => Tensor,
): Module {
  checkOptions(op, options, types)
  check(op, 'outputSize', outputSize)
  const size = kept(outputSize)
  return layerOf(op, options, types, null, (x, given) => apply(x, size, given as T), { outputSize: size })
}

const lengthOf: Check<number> = (op, name, size) => pairOf(op, name, [1, size])

/** The greatest element of each window. */
export const maxPool2d = (kernelSize: Pair, options?: ops.MaxPool2dOptions): Module =>
  windowed('maxPool2d', kernelSize, options, maxPool2dOptions, [0, 1, 1, 1], ops.maxPool2d)

/** The greatest element of each window. */
export const maxPool1d = (kernelSize: number, options?: ops.MaxPool1dOptions): Module =>
  windowed('maxPool1d', kernelSize, options, maxPool1dOptions, [0, 1, 1], ops.maxPool1d)

/** The mean of each window. */
export const avgPool2d = (kernelSize: Pair, options?: ops.AvgPool2dOptions): Module =>
  windowed('avgPool2d', kernelSize, options, avgPool2dOptions, [0, 1, 1, 1], ops.avgPool2d)

/** The mean of each window. */
export const avgPool1d = (kernelSize: number, options?: ops.AvgPool1dOptions): Module =>
  windowed('avgPool1d', kernelSize, options, avgPool1dOptions, [0, 1, 1], ops.avgPool1d)

/** Means of windows that cover the image, whatever its size. */
export const adaptiveAvgPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  covering('adaptiveAvgPool2d', outputSize, pairOf, options, layout2dOptions, ops.adaptiveAvgPool2d)

/** Means of windows that cover the line, whatever its length. */
export const adaptiveAvgPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  covering('adaptiveAvgPool1d', outputSize, lengthOf, options, layout1dOptions, ops.adaptiveAvgPool1d)

/** Greatest elements of windows that cover the image, whatever its size. */
export const adaptiveMaxPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  covering('adaptiveMaxPool2d', outputSize, pairOf, options, layout2dOptions, ops.adaptiveMaxPool2d)

/** Greatest elements of windows that cover the line, whatever its length. */
export const adaptiveMaxPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  covering('adaptiveMaxPool1d', outputSize, lengthOf, options, layout1dOptions, ops.adaptiveMaxPool1d)

/** Images of another size. */
export const upsample = (options: UpsampleOptions): Module =>
  layerOf('upsample', options, upsampleOptions, [1, 1, 0, 0], (x, given) => resize(x, given))
