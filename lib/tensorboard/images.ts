/** Tensors of pixels as PNG files, one by one or as one sheet of them. */

import { isFloat } from '../base/dtype.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { type Channels, encodePng } from '../files/png.ts'
import { clamp, mul } from '../operations/arithmetic.ts'
import { isNaN as areNaN, where } from '../operations/comparison.ts'
import { round } from '../operations/math.ts'
import { cast, reshape } from '../operations/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'

export interface Size {
  readonly width: number
  readonly height: number
  readonly channels: Channels
}

export interface Pixels extends Size {
  /** uint8[count, height, width, channels] */
  readonly pixels: Tensor
  readonly count: number
}

const isChannels = (count: number): count is Channels => count === 1 || count === 3 || count === 4

/**
 * Pixels of an image [h, w] or [h, w, c], or of several, [n, h, w, c], where c is 1, 3 or 4: uint8, or floats from 0 to 1.
 * @throws ShapeError for other shapes, DTypeError, TypeError
 */
export function pixelsIn(op: string, x: TensorLike): Pixels {
  const t = toTensor(op, x)
  const shape = t.ndim === 2 ? [1, ...t.shape, 1] : t.ndim === 3 ? [1, ...t.shape] : t.shape
  const [count = 0, height = 0, width = 0, channels = 0] = shape
  if (shape.length !== 4 || !isChannels(channels) || height * width === 0)
    throw new ShapeError(expected(op, 'pixels as [h, w], [h, w, c] or [n, h, w, c] with c 1, 3 or 4', t.shape))
  return { pixels: reshape(bytesOf(t), shape), count, width, height, channels }
}

/** What is no number is black. */
function bytesOf(t: Tensor): Tensor {
  if (!isFloat(t.dtype)) return cast(clamp(t, 0, 255), 'uint8')
  return cast(round(mul(clamp(where(areNaN(t), 0, t), 0, 1), 255)), 'uint8')
}

/** A file for each of the first images. */
export async function pngsOf({ pixels, count, ...size }: Pixels, most: number): Promise<Buffer[]> {
  const data = (await pixels.data()) as Uint8Array
  const length = size.width * size.height * size.channels
  const images = Array.from({ length: Math.min(count, most) }, (_, i) => data.subarray(i * length, (i + 1) * length))
  return Promise.all(images.map((image) => encodePng(image, size)))
}

/** The images in rows, as many in each as there are rows, or one more: what TensorBoard calls a sprite. */
export async function sheetOf({ pixels, count, width, height, channels }: Pixels): Promise<Buffer> {
  const side = Math.ceil(Math.sqrt(count))
  const data = (await pixels.data()) as Uint8Array
  const [row, sheetRow] = [width * channels, side * width * channels]
  const sheet = new Uint8Array(sheetRow * side * height)
  for (let i = 0; i < count; i++)
    for (let y = 0; y < height; y++) {
      const from = (i * height + y) * row
      const to = (Math.floor(i / side) * height + y) * sheetRow + (i % side) * row
      sheet.set(data.subarray(from, from + row), to)
    }
  return encodePng(sheet, { width: side * width, height: side * height, channels })
}
