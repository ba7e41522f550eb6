/** Folders of images, one for each class, by the package sharp. */
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { checkInteger, checkList, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { missingPackage } from '../../base/peer.ts'
import { checkPath, fileError } from '../../files/file-error.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Stream } from '../stream.ts'
import { failIn, type ReadGroups, streamOfGroups } from './groups.ts'

export interface ImageFolderOptions {
  /** Height and width, to which images are scaled and cut. Without it all have to be of one size to be batched. */
  size?: readonly [height: number, width: number]
  /** 3 for colours unless given, 1 for grey. */
  channels?: number
}

const imageFolderOptions: OptionTypes<ImageFolderOptions> = { size: 'other', channels: 'number' }

/** Images with the numbers of their classes. */
export interface ImageFolder {
  /** Elements are `[image, label]`: uint8 [channels, height, width] from 0 to 255, and the place of its class in `classes`. */
  readonly images: Stream<[Tensor, number]>
  /** The names of the folders, in order. */
  readonly classes: readonly string[]
}

interface Labelled {
  readonly path: string
  readonly label: number
}

const extensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])
/** So many are decoded at a time, in the threads of sharp. */
const imagesPerGroup = 16

/**
 * The images in the folders of a folder, which are the classes: `cats/1.jpg`, `dogs/2.png`. They are decoded while they are used, in threads of their
 * own, class by class in the order of their names: shuffle them. Hidden files and those that are no images by their names are passed over.
 *
 * It takes the package `sharp`. PyTorch calls it `torchvision.datasets.ImageFolder`, Keras `image_dataset_from_directory`.
 *
 * @throws (rejects with) MissingPackageError with the command that installs sharp; RangeError where there are no images; Error with the `code` of the
 * file system; (a pass does) DataFormatError for what is no image
 *
 * @example
 * const { images, classes } = await fromImageFolder('pets', { size: [64, 64] })
 * const batches = images.shuffle(1000, { seed: 1 }).batch(32).prefetch(2)
 */
export async function fromImageFolder(
  path: string,
  options?: ImageFolderOptions,
  ...surplus: []
): Promise<ImageFolder> {
  const { size, channels = 3 } = checkOptions('fromImageFolder', options, imageFolderOptions, surplus)
  const folder = checkPath('fromImageFolder', path)
  if (channels !== 1) checkInteger('fromImageFolder', '1 or 3 channels', channels, 3, 3)
  const extents = size === undefined ? undefined : checkExtents(size)
  await loadSharp()
  const classes = await namesIn(folder, (entry) => entry.isDirectory())
  const files: Labelled[] = []
  for (const [label, name] of classes.entries())
    for (const file of await namesIn(join(folder, name), (entry) => entry.isFile()))
      if (extensions.has(extname(file).toLowerCase())) files.push({ path: join(folder, name, file), label })
  if (files.length === 0)
    throw new RangeError(expected('fromImageFolder', 'images in folders of classes', `none in ${folder}`))
  const name = JSON.stringify({ images: files.length, classes, size, channels })
  const images = streamOfGroups('fromImageFolder', folder, name, readImages(files, extents, channels), files.length)
  return { images, classes }
}

const loadSharp = async () => (await import('sharp').catch(missingPackage('fromImageFolder', 'sharp'))).default

function checkExtents(size: readonly [number, number]): readonly [number, number] {
  const extents = checkList('fromImageFolder', 'a size as [height, width]', size)
  if (extents.length !== 2)
    throw new TypeError(expected('fromImageFolder', 'a size as [height, width]', describe(size)))
  const [height, width] = extents.map((extent) =>
    checkInteger('fromImageFolder', 'extents from 1 to 16384', extent, 1, 16384),
  )
  return [height!, width!]
}

interface Entry {
  readonly name: string
  isDirectory(): boolean
  isFile(): boolean
}

/** The names of entries of a folder, sorted; hidden ones left out. */
async function namesIn(folder: string, isMeant: (entry: Entry) => boolean): Promise<string[]> {
  try {
    const entries: Entry[] = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => isMeant(entry) && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    throw fileError('fromImageFolder', 'read', folder, error)
  }
}

function readImages(
  files: readonly Labelled[],
  size: readonly [number, number] | undefined,
  channels: number,
): ReadGroups<[Tensor, number]> {
  return async function* (start) {
    for (let first = (start ?? 0) as number; first < files.length; first += imagesPerGroup) {
      const group = files.slice(first, first + imagesPerGroup)
      yield {
        start: first,
        elements: await Promise.all(group.map(({ path, label }) => decoded(path, label, size, channels))),
      }
    }
  }
}

async function decoded(
  path: string,
  label: number,
  size: readonly [number, number] | undefined,
  channels: number,
): Promise<[Tensor, number]> {
  const sharp = await loadSharp()
  try {
    const read = sharp(path).rotate().removeAlpha()
    const scaled = size === undefined ? read : read.resize(size[1], size[0], { fit: 'cover' })
    const coloured = channels === 1 ? scaled.greyscale() : scaled.toColourspace('srgb')
    const { data, info } = await coloured.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return [tensor(planes(data, info.channels, channels), { shape: [channels, info.height, info.width] }), label]
  } catch (error) {
    return failIn('fromImageFolder', 'an image', (error as Error).message, path)
  }
}

/** Pixels of channels as channels of pixels; where the image has but one, it is each of those that are asked for. */
function planes(pixels: Uint8Array, there: number, channels: number): Uint8Array {
  const size = pixels.length / there
  const all = new Uint8Array(size * channels)
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0, from = Math.min(channel, there - 1); i < size; i++, from += there)
      all[channel * size + i] = pixels[from]!
  return all
}
