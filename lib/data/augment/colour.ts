/** Augmentations that change colours. */
import { checkNumber } from '../../base/arguments.ts'
import { isFloat } from '../../base/dtype.ts'
import { DTypeError, expected, ShapeError } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { formatShape } from '../../base/shape.ts'
import { stack } from '../../operations/index.ts'
import { tensor } from '../../tensor/creation.ts'
import { uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Augmentation, shapeOfImages } from './images.ts'

export interface ColourJitterOptions {
  /** Images are multiplied by a number from 1 − brightness to 1 + brightness; 0 unless given. */
  brightness?: number
  /** The distance to the mean grey is multiplied by a number from 1 − contrast to 1 + contrast; 0 unless given. */
  contrast?: number
  /** The distance to the grey of each pixel is multiplied by a number from 1 − saturation to 1 + saturation; 0 unless given. */
  saturation?: number
  /** Colours are turned around grey by a part of a full turn from −hue to hue, ½ at most; 0 unless given. */
  hue?: number
  /** What white is: values stay from 0 to it; 1 unless given. */
  max?: number
}

const colourJitterOptions: OptionTypes<ColourJitterOptions> = {
  brightness: 'number',
  contrast: 'number',
  saturation: 'number',
  hue: 'number',
  max: 'number',
}

/** How bright red, green and blue are (ITU-R BT.601). */
const luma = [0.299, 0.587, 0.114]

/**
 * Brightness, contrast, saturation and hue of each image changed at random, in this order. Images are floats from 0 to `max`; for saturation and hue they have
 * three channels, red, green and blue. The hue is turned by a rotation of the colours around the greys (P. Haeberli 1993, "Matrix operations for image processing").
 *
 * @throws DTypeError from `forward` for integers, ShapeError for other channels
 * @pytorch torchvision.transforms.ColorJitter
 * @tensorflow tf.keras.layers.RandomColorJitter
 */
export function colourJitter(options?: ColourJitterOptions, ...surplus: []): Augmentation {
  const given = checkOptions('colourJitter', options, colourJitterOptions, surplus)
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0, max = 1 } = given
  for (const [name, amount] of Object.entries({ brightness, contrast, saturation }))
    checkNumber('colourJitter', `a finite ${name} of at least 0`, amount, (x) => x >= 0 && x < Infinity)
  checkNumber('colourJitter', 'a hue from 0 to ½', hue, (x) => x >= 0 && x <= 0.5)
  checkNumber('colourJitter', 'a finite max above 0', max, (x) => x > 0 && x < Infinity)
  const steps: readonly (readonly [number, (images: Tensor, amount: number) => Tensor])[] = [
    [brightness, (images, amount) => images.mul(factor(images, amount))],
    [contrast, (images, amount) => towards(images, grey(images).mean([1, 2, 3], { keepDims: true }), amount)],
    [saturation, (images, amount) => towards(images, grey(images), amount)],
    [hue, turned],
  ]
  return new Augmentation('colourJitter', { ...options }, (images) => {
    checkColours(images, saturation > 0 || hue > 0)
    return steps.reduce(
      (image, [amount, change]) => (amount === 0 ? image : change(image, amount).clamp(0, max)),
      images,
    )
  })
}

function checkColours(images: Tensor, isOfColours: boolean): void {
  if (!isFloat(images.dtype))
    throw new DTypeError(expected('colourJitter', 'float images (cast before it)', images.dtype))
  if (isOfColours && images.shape[1] !== 3)
    throw new ShapeError(
      expected('colourJitter', 'images of 3 channels [n, 3, height, width]', formatShape(images.shape)),
    )
}

/** For each image a number from 1 − amount to 1 + amount, and not below 0. */
const factor = (images: Tensor, amount: number): Tensor =>
  uniform([images.shape[0]!, 1, 1, 1], { min: Math.max(0, 1 - amount), max: 1 + amount }).cast(images.dtype)

/** other + f·(images − other). */
const towards = (images: Tensor, other: Tensor, amount: number): Tensor =>
  images.sub(other).mul(factor(images, amount)).add(other)

/** [n, 1, height, width] */
function grey(images: Tensor): Tensor {
  if (images.shape[1] !== 3) return images.mean(1, { keepDims: true })
  return images.mul(tensor(luma, { shape: [1, 3, 1, 1], dtype: images.dtype })).sum(1, { keepDims: true })
}

/** R = cos·I + (1 − cos)/3 + sin/√3·[[0, −1, 1], [1, 0, −1], [−1, 1, 0]], the rotation around (1, 1, 1). */
function turned(images: Tensor, amount: number): Tensor {
  const { n, height, width } = shapeOfImages(images)
  const angle = uniform([n], { min: -amount, max: amount })
    .mul(2 * Math.PI)
    .cast(images.dtype)
  const [cos, sin] = [angle.cos(), angle.sin().div(Math.sqrt(3))]
  const mean = cos.neg().add(1).div(3)
  const [same, next, before] = [cos.add(mean), mean.sub(sin), mean.add(sin)]
  const matrix = stack([same, next, before, before, same, next, next, before, same], 1).reshape([n, 3, 3])
  return matrix.matmul(images.reshape([n, 3, height * width])).reshape(images.shape)
}
