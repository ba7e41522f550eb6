/** Data without names of columns, whole in memory: images, and arrays of numpy. */
import { type Dataset, fromTensors } from '../../data/dataset.ts'
import { fashionMnist, type LabelledImages, mnist } from '../../data/datasets.ts'
import { fromImageFolder } from '../../data/readers/images.ts'
import { loadNpy } from '../../files/npy.ts'
import { loadNpz } from '../../files/npz.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { ArraysConfig, ImageFolderConfig, ImageSetConfig } from '../config/schema.ts'
import { CommandError } from '../exit.ts'
import type { ArraysDescription, Target } from './description.ts'

export interface Arrays {
  readonly train: Dataset
  readonly test?: Dataset
  readonly description: ArraysDescription
}

const clothes = 'T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot'.split(',')
const digits = Array.from({ length: 10 }, (_, i) => String(i))

const labelled = ({ images, labels }: LabelledImages): Dataset =>
  fromTensors(images.reshape([images.shape[0]!, 1, 28, 28]), labels)

export async function loadImageSet({ type, dir }: ImageSetConfig): Promise<Arrays> {
  const { train, test } = await { mnist, fashionMnist }[type](dir === undefined ? {} : { dir })
  return {
    train: labelled(train),
    test: labelled(test),
    description: {
      kind: 'images',
      input: { shape: [1, 28, 28], dtype: 'uint8' },
      target: { type: 'classes', column: 'label', names: type === 'mnist' ? digits : clothes },
    },
  }
}

/** @param names the classes that the folder has to have; those that it has unless given */
export async function loadImageFolder(
  config: ImageFolderConfig,
  path: string,
  names?: readonly string[],
): Promise<Arrays> {
  const { size, channels = 3 } = config
  const { images, classes } = await fromImageFolder(path, { size, channels })
  const unknown = names === undefined ? [] : classes.filter((name) => !names.includes(name))
  if (unknown.length > 0)
    throw new CommandError(`expected folders of the classes ${names!.join(', ')}, got ${unknown.join(', ')} too`, {
      where: config.path,
    })
  const shape = [channels, ...size]
  const length = shape.reduce((product, extent) => product * extent, 1)
  const pixels: Uint8Array[] = []
  const labels: number[] = []
  for await (const [image, label] of images) {
    pixels.push((await image.data()) as Uint8Array)
    labels.push(names === undefined ? label : names.indexOf(classes[label]!))
  }
  const all = new Uint8Array(pixels.length * length)
  for (const [i, each] of pixels.entries()) all.set(each, i * length)
  return {
    train: fromTensors(tensor(all, { shape: [pixels.length, ...shape] }), tensor(Int32Array.from(labels))),
    description: {
      kind: 'images',
      input: { shape, dtype: 'uint8' },
      target: { type: 'classes', column: 'class', names: names ?? classes },
    },
  }
}

/** @param pathOf the path of a file of the configuration */
export async function loadArrays(
  config: ArraysConfig,
  pathOf: (path: string) => string,
  isOfClasses?: boolean,
): Promise<Arrays> {
  const [x, y] = await arraysOf(config, pathOf)
  const where = config.path ?? config.x!
  if (x.shape[0] !== y.shape[0] || x.ndim < 2)
    throw new CommandError(`expected x [rows, …] and y of as many rows, got ${x} and ${y}`, { where })
  const asked = config.task === undefined ? isOfClasses : config.task === 'classification'
  const isClasses = asked ?? (y.ndim === 1 && y.dtype !== 'float32')
  const target = isClasses ? await classesOf(y, where) : numbersOf(y)
  const dtype = x.dtype === 'uint8' || x.dtype === 'int32' ? x.dtype : 'float32'
  return {
    train: fromTensors(
      x.dtype === dtype ? x : x.cast('float32'),
      isClasses ? y.reshape([-1]).cast('int32') : y.cast('float32').reshape([y.shape[0]!, -1]),
    ),
    description: { kind: 'arrays', input: { shape: x.shape.slice(1), dtype }, target },
  }
}

async function arraysOf({ type, path, x = 'x', y = 'y' }: ArraysConfig, pathOf: (path: string) => string) {
  if (type === 'npy') return Promise.all([loadNpy(pathOf(x)), loadNpy(pathOf(y))])
  const arrays = await loadNpz(pathOf(path!), { names: [x, y] })
  return [arrays[x]!, arrays[y]!] as const
}

async function classesOf(y: Tensor, where: string): Promise<Target> {
  const labels = Array.from(await y.data())
  const most = labels.reduce((a, b) => Math.max(a, b), 0)
  const isWrong = labels.some((label) => !Number.isInteger(label) || label < 0)
  if (isWrong || most > 1e6)
    throw new CommandError('expected classes from 0 as y, got other numbers', {
      where,
      help: '"task": "regression" learns numbers',
    })
  const names = Array.from({ length: most + 1 }, (_, i) => String(i))
  return { type: 'classes', column: 'y', names }
}

function numbersOf(y: Tensor): Target {
  const count = y.size / Math.max(1, y.shape[0]!)
  return { type: 'numbers', columns: Array.from({ length: count }, (_, i) => (count === 1 ? 'y' : `y${i}`)) }
}
