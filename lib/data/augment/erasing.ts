/** Augmentations that cover a part of each image. */
import { checkFinite, checkInteger } from '../../base/arguments.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { logicalAnd, where } from '../../operations/index.ts'
import { randint } from '../../tensor/distributions.ts'
import { uniform } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Augmentation, checkProbability, checkRange, chosen, places, shapeOfImages } from './images.ts'

export interface RandomErasingOptions {
  /** How likely each image is changed; ½ unless given. */
  probability?: number
  /** How much of the image is covered at least and at most; [0.02, 0.33] unless given. */
  scale?: readonly [least: number, most: number]
  /** Height over width at least and at most; [0.3, 3.3] unless given. */
  ratio?: readonly [least: number, most: number]
  /** What covers it; 0 unless given. */
  value?: number
}

const randomErasingOptions: OptionTypes<RandomErasingOptions> = {
  probability: 'number',
  scale: 'other',
  ratio: 'other',
  value: 'number',
}

/**
 * A rectangle of random place, size and shape covered in each image, with a probability (Zhong et al. 2020, "Random erasing data augmentation"). One that would
 * be higher or wider than the image is as high or wide.
 * @pytorch torchvision.transforms.RandomErasing
 * @tensorflow tf.keras.layers.RandomErasing
 */
export function randomErasing(options?: RandomErasingOptions, ...surplus: []): Augmentation {
  const given = checkOptions('randomErasing', options, randomErasingOptions, surplus)
  const { probability = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = given
  checkProbability('randomErasing', probability)
  checkRange('randomErasing', 'scale', scale, 0, 1)
  checkRange('randomErasing', 'ratio', ratio, 1e-3, 1e3)
  checkFinite('randomErasing', 'value', value)
  const [[leastScale, mostScale], [leastRatio, mostRatio]] = [[...scale], [...ratio]] as [
    [number, number],
    [number, number],
  ]
  return new Augmentation('randomErasing', { probability, value }, (images) => {
    const { n, height, width } = shapeOfImages(images)
    const each = [n, 1, 1, 1]
    const area = uniform(each, { min: leastScale, max: mostScale }).mul(height * width)
    const shape = uniform(each, { min: Math.log(leastRatio), max: Math.log(mostRatio) }).exp()
    const extent = (x: Tensor, most: number) => x.sqrt().round().clamp(0, most)
    const [rows, columns] = [extent(area.mul(shape), height), extent(area.div(shape), width)]
    const start = (extent: Tensor, most: number) =>
      uniform(each)
        .mul(extent.neg().add(most + 1))
        .floor()
    const isCovered = logicalAnd(
      covered(places({ n, channels: 1, height, width })[0], start(rows, height), rows),
      covered(places({ n, channels: 1, height, width })[1], start(columns, width), columns),
    )
    return where(logicalAnd(isCovered, chosen(n, probability)), value, images).cast(images.dtype)
  })
}

const covered = (places: Tensor, start: Tensor, extent: Tensor | number): Tensor =>
  logicalAnd(places.greaterEqual(start), places.less(start.add(extent)))

export interface CutoutOptions {
  /** How likely each image is changed; 1 unless given. */
  probability?: number
  /** What covers it; 0 unless given. */
  value?: number
}

const cutoutOptions: OptionTypes<CutoutOptions> = { probability: 'number', value: 'number' }

/**
 * A square of so many pixels covered in each image, around a random pixel, as far as it is in the image (DeVries and Taylor 2017, "Improved
 * regularization of convolutional neural networks with cutout").
 */
export function cutout(size: number, options?: CutoutOptions, ...surplus: []): Augmentation {
  const { probability = 1, value = 0 } = checkOptions('cutout', options, cutoutOptions, surplus)
  checkInteger('cutout', 'a positive integer as size', size, 1, 2 ** 20)
  checkProbability('cutout', probability)
  checkFinite('cutout', 'value', value)
  return new Augmentation('cutout', { size, ...options }, (images) => {
    const shape = shapeOfImages(images)
    const [rows, columns] = places(shape)
    const square = (places: Tensor, extent: number) =>
      covered(places, randint([shape.n, 1, 1, 1], extent).sub(Math.floor(size / 2)), size)
    const isCovered = logicalAnd(square(rows, shape.height), square(columns, shape.width))
    const mask = probability === 1 ? isCovered : logicalAnd(isCovered, chosen(shape.n, probability))
    return where(mask, value, images).cast(images.dtype)
  })
}
