/** Augmentations that move pixels: crops, flips, rotations. */
import { checkFinite, checkInteger, checkNumber, describe } from '../../base/arguments.ts'
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { formatShape } from '../../base/shape.ts'
import { affineGrid, flip, gridSample, logicalAnd, stack, where } from '../../operations/index.ts'
import { zerosLike } from '../../tensor/creation.ts'
import { randint } from '../../tensor/distributions.ts'
import { uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Augmentation, checkProbability, chosen, places, shapeOfImages } from './images.ts'

export interface RandomCropOptions {
  /** Height and width of the crops; those of the images unless given. */
  size?: number | readonly [height: number, width: number]
  /** How many pixels are added on every side before: 0 with a size, else 4, unless given. */
  padding?: number
  /** What is in them; 0 unless given. */
  fill?: number
}

const randomCropOptions: OptionTypes<RandomCropOptions> = { size: 'other', padding: 'number', fill: 'number' }

/**
 * A crop of each image at a random place, of the image with `padding` pixels around it.
 *
 * @throws ShapeError from `forward` for images that are smaller than the crops
 *
 * @example
 * const changed = nn.sequential(randomCrop({ padding: 4 }), randomHorizontalFlip())
 * fromTensors(images, labels).map((x, y) => [changed.forward(x), y])
 * @pytorch torchvision.transforms.RandomCrop
 * @tensorflow tf.keras.layers.RandomCrop
 */
export function randomCrop(options?: RandomCropOptions, ...surplus: []): Augmentation {
  const {
    size,
    padding = size === undefined ? 4 : 0,
    fill = 0,
  } = checkOptions('randomCrop', options, randomCropOptions, surplus)
  checkInteger('randomCrop', 'a padding of at least 0', padding, 0, 2 ** 20)
  checkFinite('randomCrop', 'fill', fill)
  const given = size === undefined ? undefined : sizeOf(size)
  return new Augmentation('randomCrop', { ...options }, (images) => crop(images, given, padding, fill))
}

function sizeOf(size: unknown): readonly [number, number] {
  const pair: unknown = typeof size === 'number' ? [size, size] : size
  const what = 'a size as a positive integer, or two of them'
  if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError(expected('randomCrop', what, describe(size)))
  const [height, width] = pair.map((extent) => checkInteger('randomCrop', what, extent, 1)) as [number, number]
  return [height, width]
}

function crop(images: Tensor, size: readonly [number, number] | undefined, padding: number, fill: number): Tensor {
  const { n, height, width } = shapeOfImages(images)
  const [rows, columns] = size ?? [height, width]
  const [down, right] = [height + 2 * padding - rows, width + 2 * padding - columns]
  if (down < 0 || right < 0)
    throw new ShapeError(
      expected('randomCrop', `images of at least ${rows} by ${columns} with padding`, formatShape([height, width])),
    )
  const at = ([lines]: readonly Tensor[], most: number) => lines!.add(randint([n, 1, 1, 1], most + 1)).sub(padding)
  const y = at([places({ n, channels: 1, height: rows, width: 1 })[0]], down)
  const x = at([places({ n, channels: 1, height: 1, width: columns })[1]], right)
  const found = columnsAt(rowsAt(images, y.reshape([n, rows])), x.reshape([n, columns]))
  if (padding === 0) return found
  const isInside = (place: Tensor, extent: number) => logicalAnd(place.greaterEqual(0), place.less(extent))
  return where(logicalAnd(isInside(y, height), isInside(x, width)), found, fill).cast(images.dtype)
}

/** Rows [n, channels, rows, width] of images, of each by its own places[n, rows]; what is outside is any row. */
function rowsAt(images: Tensor, rows: Tensor): Tensor {
  const { n, channels, height, width } = shapeOfImages(images)
  const count = rows.shape[1]!
  const starts = places({ n: 1, channels: 1, height: n * channels, width: 1 })[0]
    .reshape([n, channels, 1])
    .mul(height)
  const indices = starts.add(rows.clamp(0, height - 1).reshape([n, 1, count]))
  return images.reshape([n * channels * height, width]).gather(indices)
}

function columnsAt(images: Tensor, columns: Tensor): Tensor {
  const turned = (x: Tensor) => x.permute([0, 1, 3, 2])
  return turned(rowsAt(turned(images), columns))
}

export interface RandomFlipOptions {
  /** How likely each image is flipped; ½ unless given. */
  probability?: number
}

const randomFlipOptions: OptionTypes<RandomFlipOptions> = { probability: 'number' }

function randomFlip(
  op: string,
  axis: number,
  options: RandomFlipOptions | undefined,
  surplus: readonly unknown[],
): Augmentation {
  const { probability = 0.5 } = checkOptions(op, options, randomFlipOptions, surplus)
  checkProbability(op, probability)
  return new Augmentation(op, { probability }, (images) =>
    where(chosen(images.shape[0]!, probability), flip(images, axis), images),
  )
}

/**
 * Each image mirrored, left for right, with a probability.
 * @pytorch torchvision.transforms.RandomHorizontalFlip
 * @tensorflow tf.keras.layers.RandomFlip
 */
export const randomHorizontalFlip = (options?: RandomFlipOptions, ...surplus: []): Augmentation =>
  randomFlip('randomHorizontalFlip', 3, options, surplus)

/**
 * Each image upside down with a probability.
 * @pytorch torchvision.transforms.RandomVerticalFlip
 * @tensorflow tf.keras.layers.RandomFlip
 */
export const randomVerticalFlip = (options?: RandomFlipOptions, ...surplus: []): Augmentation =>
  randomFlip('randomVerticalFlip', 2, options, surplus)

export interface RandomRotationOptions {
  /** What is where the image is not; 0 unless given. */
  fill?: number
  /** Whether pixels are mixed of their neighbours, which is meant unless given, or taken from the nearest one. */
  mode?: 'bilinear' | 'nearest'
}

const randomRotationOptions: OptionTypes<RandomRotationOptions> = { fill: 'number', mode: ['bilinear', 'nearest'] }

/**
 * Each image turned around its centre by an angle between −degrees and degrees. Images are float32 or float64.
 * @pytorch torchvision.transforms.RandomRotation
 * @tensorflow tf.keras.layers.RandomRotation
 */
export function randomRotation(degrees: number, options?: RandomRotationOptions, ...surplus: []): Augmentation {
  const { fill = 0, mode = 'bilinear' } = checkOptions('randomRotation', options, randomRotationOptions, surplus)
  checkNumber('randomRotation', 'degrees from 0 to 180', degrees, (x) => x >= 0 && x <= 180)
  checkFinite('randomRotation', 'fill', fill)
  return new Augmentation('randomRotation', { degrees, ...options }, (images) => {
    if (!isFloat(images.dtype))
      throw new DTypeError(expected('randomRotation', 'float images (cast before it)', images.dtype))
    const { n, height, width } = shapeOfImages(images)
    const angle = uniform([n], { min: -degrees, max: degrees })
      .mul(Math.PI / 180)
      .cast(images.dtype)
    const [sin, cos, none] = [angle.sin(), angle.cos(), zerosLike(angle)]
    // Places are from −1 to 1 along both axes, whatever their extents.
    const theta = stack([cos, sin.mul(-height / width), none, sin.mul(width / height), cos, none], 1).reshape([n, 2, 3])
    return gridSample(images.sub(fill), affineGrid(theta, images.shape), { mode }).add(fill)
  })
}
