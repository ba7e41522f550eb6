/** Layers without parameters that put elements elsewhere, or leave them, and the normalization by neighbouring channels. */
import type { OptionTypes } from '../base/options.ts'
import type { Pair } from '../base/pair.ts'
import type { Shape } from '../base/shape.ts'
import { pixelShuffle as shuffle, pixelUnshuffle as unshuffle } from '../operations/pixels.ts'
import { type LocalResponseNormOptions, localResponseNorm as normalize } from '../operations/response-normalization.ts'
import { unflatten as split } from '../operations/shape.ts'
import { fold as foldWindows, type UnfoldOptions, unfold as unfoldWindows } from '../operations/unfolding.ts'
import { Lambda } from './layers.ts'
import type { Module } from './module.ts'
import { layerOf } from './pooling.ts'
import { titled } from './repr.ts'

const unfoldOptions: OptionTypes<UnfoldOptions> = { stride: 'other', padding: 'other', dilation: 'other' }
const localResponseNormOptions: OptionTypes<LocalResponseNormOptions> = { alpha: 'number', beta: 'number', k: 'number' }

/** x itself: where a layer has to be and nothing is to be done. */
export const identity = (): Module => titled(new Lambda((x) => x), 'Identity')

/** One axis as several, one of which may be −1: [n, c·h·w] to [n, c, h, w] by `unflatten(1, [c, h, w])`. */
export const unflatten = (axis: number, shape: Shape): Module =>
  titled(new Lambda((x) => split(x, axis, shape)), 'Unflatten', { axis, shape })

/** Groups of factor² channels as squares of pixels. */
export const pixelShuffle = (factor: number): Module =>
  titled(new Lambda((x) => shuffle(x, factor)), 'PixelShuffle', { factor })

/** Squares of pixels as channels. */
export const pixelUnshuffle = (factor: number): Module =>
  titled(new Lambda((x) => unshuffle(x, factor)), 'PixelUnshuffle', { factor })

/** The windows that slide over images, as columns. */
export const unfold = (kernelSize: Pair, options?: UnfoldOptions): Module =>
  layerOf('unfold', options, unfoldOptions, (x, given) => unfoldWindows(x, kernelSize, given), { kernelSize })

/** The sums of windows, as images. */
export const fold = (outputSize: Pair, kernelSize: Pair, options?: UnfoldOptions): Module =>
  layerOf('fold', options, unfoldOptions, (x, given) => foldWindows(x, outputSize, kernelSize, given), {
    outputSize,
    kernelSize,
  })

/** x / (k + alpha · m)^beta with the mean m of the squares of `size` neighbouring channels. */
export const localResponseNorm = (size: number, options?: LocalResponseNormOptions): Module =>
  layerOf('localResponseNorm', options, localResponseNormOptions, (x, given) => normalize(x, size, given), { size })
