/** Layers of pooling and upsampling, which have no parameters: each is the operation of its name. */

import type { Pair } from '../base/pair.ts'
import * as ops from '../operations/pooling.ts'
import { upsample as resize, type UpsampleOptions } from '../operations/upsampling.ts'
import type { Layout1d, Layout2d } from '../operations/windows.ts'
import { Lambda } from './layers.ts'
import type { Module } from './module.ts'

/** The greatest element of each window. */
export const maxPool2d = (kernelSize: Pair, options?: ops.MaxPool2dOptions): Module =>
  new Lambda((x) => ops.maxPool2d(x, kernelSize, options))

/** The greatest element of each window. */
export const maxPool1d = (kernelSize: number, options?: ops.MaxPool1dOptions): Module =>
  new Lambda((x) => ops.maxPool1d(x, kernelSize, options))

/** The mean of each window. */
export const avgPool2d = (kernelSize: Pair, options?: ops.AvgPool2dOptions): Module =>
  new Lambda((x) => ops.avgPool2d(x, kernelSize, options))

/** The mean of each window. */
export const avgPool1d = (kernelSize: number, options?: ops.AvgPool1dOptions): Module =>
  new Lambda((x) => ops.avgPool1d(x, kernelSize, options))

/** Means of windows that cover the image, whatever its size. */
export const adaptiveAvgPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  new Lambda((x) => ops.adaptiveAvgPool2d(x, outputSize, options))

/** Means of windows that cover the line, whatever its length. */
export const adaptiveAvgPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  new Lambda((x) => ops.adaptiveAvgPool1d(x, outputSize, options))

/** Greatest elements of windows that cover the image, whatever its size. */
export const adaptiveMaxPool2d = (outputSize: Pair, options?: { layout?: Layout2d }): Module =>
  new Lambda((x) => ops.adaptiveMaxPool2d(x, outputSize, options))

/** Greatest elements of windows that cover the line, whatever its length. */
export const adaptiveMaxPool1d = (outputSize: number, options?: { layout?: Layout1d }): Module =>
  new Lambda((x) => ops.adaptiveMaxPool1d(x, outputSize, options))

/** Images of another size. */
export const upsample = (options: UpsampleOptions): Module => new Lambda((x) => resize(x, options))
