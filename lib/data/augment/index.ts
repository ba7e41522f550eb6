/** Random changes of images while a model is trained, as `g.data.augment`: operations of the compiled step, with numbers from its random stream. */
export { type ColourJitterOptions, colourJitter } from './colour.ts'
export { type CutoutOptions, cutout, type RandomErasingOptions, randomErasing } from './erasing.ts'
export {
  type RandomCropOptions,
  type RandomFlipOptions,
  type RandomRotationOptions,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
} from './geometry.ts'
export { Augmentation } from './images.ts'
export { type MixupOptions, mixup } from './mixup.ts'
