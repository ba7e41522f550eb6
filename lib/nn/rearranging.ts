/** Layers without parameters that put elements elsewhere, or leave them, and the normalization by neighbouring channels. */
import { checkInteger, checkNumbers } from '../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { Pair } from '../base/pair.ts'
import type { Shape } from '../base/shape.ts'
import { pixelShuffle as shuffle, pixelUnshuffle as unshuffle } from '../operations/pixels.ts'
import { type LocalResponseNormOptions, localResponseNorm as normalize } from '../operations/response-normalization.ts'
import { unflatten as split } from '../operations/shape.ts'
import { fold as foldWindows, type UnfoldOptions, unfold as unfoldWindows } from '../operations/unfolding.ts'
import type { Tensor, TensorLike } from '../tensor/tensor.ts'
import { kept, tried } from './inputs.ts'
import { Lambda } from './layers.ts'
import type { Module } from './module.ts'
import { layerOf, windowed } from './pooling.ts'
import { titled } from './repr.ts'

const unfoldOptions: OptionTypes<UnfoldOptions> = { stride: 'other', padding: 'other', dilation: 'other' }
const localResponseNormOptions: OptionTypes<LocalResponseNormOptions> = { alpha: 'number', beta: 'number', k: 'number' }

/** x itself: where a layer has to be and nothing is to be done. */
export const identity = (): Module => titled(new Lambda((x) => x as Tensor), 'Identity')

/** One axis as several, one of which may be −1: [n, c·h·w] to [n, c, h, w] by `unflatten(1, [c, h, w])`. */
export function unflatten(axis: number, shape: Shape): Module {
  checkInteger('unflatten', 'an integer as axis', axis)
  const extents = checkNumbers(
    'unflatten',
    'extents, one of which may be −1',
    shape,
    (n) => Number.isInteger(n) && n >= -1,
  )
  return titled(new Lambda((x) => split(x, axis, extents)), 'Unflatten', { axis, shape: extents })
}

function byFactor(apply: (x: TensorLike, factor: number) => Tensor, title: string, factor: number): Module {
  tried((x) => apply(x, factor), [0, 1, 1])
  return titled(new Lambda((x) => apply(x, factor)), title, { factor })
}

/** Groups of factor² channels as squares of pixels. */
export const pixelShuffle = (factor: number): Module => byFactor(shuffle, 'PixelShuffle', factor)

/** Squares of pixels as channels. */
export const pixelUnshuffle = (factor: number): Module => byFactor(unshuffle, 'PixelUnshuffle', factor)

/** The windows that slide over images, as columns. */
export const unfold = (kernelSize: Pair, options?: UnfoldOptions): Module =>
  windowed('unfold', kernelSize, options, unfoldOptions, [0, 1, 1, 1], unfoldWindows)

/** The sums of windows, as images. */
export function fold(outputSize: Pair, kernelSize: Pair, options?: UnfoldOptions): Module {
  checkOptions('fold', options, unfoldOptions)
  tried((x) => foldWindows(x, outputSize, kernelSize), [0, 1, 1])
  const sizes = kept({ outputSize, kernelSize })
  const apply = (x: TensorLike, given: UnfoldOptions) => foldWindows(x, sizes.outputSize, sizes.kernelSize, given)
  return layerOf('fold', options, unfoldOptions, [0, 1, 1], apply, sizes)
}

/** x / (k + alpha · m)^beta with the mean m of the squares of `size` neighbouring channels. */
export const localResponseNorm = (size: number, options?: LocalResponseNormOptions): Module =>
  layerOf('localResponseNorm', options, localResponseNormOptions, [0, 1, 1], (x, given) => normalize(x, size, given), {
    size,
  })
