/** Channels made pixels of larger images, and pixels made channels of smaller ones. */
import { refuseSurplus } from '../base/arguments.ts'
import { expected, ShapeError } from '../base/errors.ts'
import { isCount } from '../base/pair.ts'
import { formatShape, sizeOf } from '../base/shape.ts'
import { type Tensor, type TensorLike, toTensor } from '../tensor/tensor.ts'
import { permute } from './rearrange.ts'
import { reshape } from './shape.ts'

/** Images […, channels, height, width], as [n, channels, height, width], and the axes before them. */
function imagesOf(op: string, x: TensorLike, factor: number) {
  const t = toTensor(op, x)
  if (!isCount(factor, 1)) throw new RangeError(expected(op, 'a positive integer factor', factor))
  if (t.ndim < 3) throw new ShapeError(expected(op, 'images […, channels, height, width]', formatShape(t.shape)))
  const [channels, height, width] = t.shape.slice(-3) as [number, number, number]
  return { t, batch: t.shape.slice(0, -3), channels, height, width }
}

/**
 * Groups of factor² channels made squares of pixels: [… , c·factor², h, w] gives [… , c, h·factor, w·factor], where channel
 * c·factor² + i·factor + j is row i and column j of a square (Shi et al. 2016, "Real-time single image and video
 * super-resolution using an efficient sub-pixel convolutional neural network").
 *
 * @throws ShapeError for fewer than three axes, or channels that factor² does not divide; RangeError for a factor that is no
 * positive integer
 * @example pixelShuffle(ones([1, 8, 3, 4]), 2).shape // [1, 2, 6, 8]
 * @pytorch F.pixel_shuffle
 */
export function pixelShuffle(x: TensorLike, factor: number, ...surplus: []): Tensor {
  refuseSurplus('pixelShuffle', 2, surplus)
  const { t, batch, channels, height, width } = imagesOf('pixelShuffle', x, factor)
  const kept = channels / factor ** 2
  if (!Number.isInteger(kept))
    throw new ShapeError(expected('pixelShuffle', `channels that ${factor ** 2} divides`, channels))
  const squares = reshape(t, [sizeOf(batch), kept, factor, factor, height, width])
  return reshape(permute(squares, [0, 1, 4, 2, 5, 3]), [...batch, kept, height * factor, width * factor])
}

/**
 * Squares of pixels made channels: [… , c, h·factor, w·factor] gives [… , c·factor², h, w]. The inverse of `pixelShuffle`.
 *
 * @throws ShapeError for fewer than three axes, or a height or width that the factor does not divide; RangeError for a factor
 * that is no positive integer
 * @example pixelUnshuffle(ones([1, 2, 6, 8]), 2).shape // [1, 8, 3, 4]
 * @pytorch F.pixel_unshuffle
 */
export function pixelUnshuffle(x: TensorLike, factor: number, ...surplus: []): Tensor {
  refuseSurplus('pixelUnshuffle', 2, surplus)
  const { t, batch, channels, height, width } = imagesOf('pixelUnshuffle', x, factor)
  const [rows, columns] = [height / factor, width / factor]
  if (!Number.isInteger(rows) || !Number.isInteger(columns))
    throw new ShapeError(
      expected('pixelUnshuffle', `a height and width that ${factor} divides`, `${height} and ${width}`),
    )
  const squares = reshape(t, [sizeOf(batch), channels, rows, factor, columns, factor])
  return reshape(permute(squares, [0, 1, 3, 5, 2, 4]), [...batch, channels * factor ** 2, rows, columns])
}
