/** Tensors as pictures: pixels are made in the program, files of PNG of them one by one. */

import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { formatShape, type Shape } from '../base/shape.ts'
import { turnIfDue } from '../base/turns.ts'
import { type Channels, encodePng } from '../files/png.ts'
import { slice, where } from '../operations/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { ImageValue } from './record.ts'

const isChannels = (extent: number | undefined): extent is Channels => extent === 1 || extent === 3 || extent === 4

/** Longer sides are thinned out to at most so many pixels. */
const mostPixels = 256

/**
 * The channels last, [n, height, width, channels], of [n, height, width], [n, channels, height, width] or [n, height, width, channels]; undefined for what is no
 * picture by its shape.
 */
function channelsLast(x: Tensor): Tensor | undefined {
  const [, a, b, c] = x.shape
  if (x.size === 0) return undefined
  if (x.ndim === 3) return x.reshape([...x.shape, 1])
  if (x.ndim !== 4) return undefined
  if (isChannels(a)) return x.transpose([0, 2, 3, 1])
  return isChannels(c) && b !== undefined ? x : undefined
}

/** Numbers from 0 to 1, or bytes; others are spread from the least to the greatest of them all. */
function asBytes(x: Tensor): Tensor {
  if (x.dtype === 'uint8') return x
  if (x.dtype === 'bool') return x.cast('int32').mul(255).cast('uint8')
  const values = x.cast('float32')
  const [low, high] = [values.min(), values.max()]
  const isUnit = low.greaterEqual(0).logicalAnd(high.lessEqual(1))
  const isByte = isFloat(x.dtype) ? high.isnan() : low.greaterEqual(0).logicalAnd(high.lessEqual(255))
  const spread = values
    .sub(low)
    .div(where(high.greater(low), high.sub(low), 1))
    .mul(255)
  const scaled = where(isUnit, values.mul(255), where(isByte, values, spread))
  return where(scaled.isFinite(), scaled, 0).add(0.5).floor().clamp(0, 255).cast('int32').cast('uint8')
}

const thinned = (x: Tensor, axis: 1 | 2): Tensor => {
  const step = Math.ceil(x.shape[axis]! / mostPixels)
  if (step === 1) return x
  const steps = [1, 1, 1, 1]
  steps[axis] = step
  return slice(x, [0, 0, 0, 0], [...x.shape], { step: steps })
}

/**
 * Records the pixels of some pictures, uint8[n, height, width, channels].
 * @param shape of one of them, where they come as rows of numbers
 * @returns undefined for what is no picture by its shape
 */
export function pixelsOf(op: string, x: Tensor, shape: Shape | undefined): Tensor | undefined {
  const size = shape?.reduce((product, extent) => product * extent, 1)
  if (size !== undefined && x.size !== size * (x.shape[0] ?? 0))
    throw new ShapeError(
      expected(op, `rows of ${size} numbers for the imageShape ${formatShape(shape!)}`, formatShape(x.shape)),
    )
  const given = shape === undefined ? x : x.reshape([x.shape[0]!, ...shape])
  const last = channelsLast(given)
  return last && asBytes(thinned(thinned(last, 1), 2))
}

/** The pixels as files of PNG, which are made by and by. */
export async function imagesOf(pixels: Tensor): Promise<ImageValue[]> {
  const [count, height, width, channels] = pixels.shape as unknown as [number, number, number, Channels]
  const bytes = await pixels.data()
  const images: ImageValue[] = []
  for (let i = 0; i < count; i++) {
    await turnIfDue()
    const size = height * width * channels
    const file = await encodePng(bytes.subarray(i * size, (i + 1) * size) as Uint8Array, { width, height, channels })
    images.push({ width, height, channels, png: file.toString('base64') })
  }
  return images
}
