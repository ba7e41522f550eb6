/** The data of a configuration: what a model is trained on, validated on and tested on. */
import { resolve } from 'node:path'
import type { Dataset } from '../../data/dataset.ts'
import { permutationSync } from '../../data/permutation.ts'
import { tensor } from '../../tensor/creation.ts'
import type { DataConfig, TrainConfig } from '../config/schema.ts'
import { typeOfFile } from '../config/schema.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { loadArrays, loadImageFolder, loadImageSet } from './arrays.ts'
import type { DataDescription } from './description.ts'
import { loadTable, rowsOf, tableSet } from './tables.ts'

export interface LoadedData {
  readonly train: Dataset
  readonly validation: Dataset | undefined
  readonly test: Dataset | undefined
  readonly description: DataDescription
}

/** Losses of classes and of numbers: what the target is where it does not say. */
const ofClasses = /^(crossEntropy|negativeLogLikelihood|nll|binaryCrossEntropy|bce|hinge)$/
const isOfClasses = (loss: unknown): boolean | undefined =>
  typeof loss === 'string' ? ofClasses.test(loss) : undefined

/** Losses of a single number for each of two classes. */
const isBinary = (loss: unknown): boolean => typeof loss === 'string' && /^(binaryCrossEntropy|bce|hinge)$/.test(loss)

/** @param folder what paths are relative to */
export async function loadData(config: TrainConfig, folder: string): Promise<LoadedData> {
  const { data, loss, seed = 0, validation } = config
  const all = await loadWhole(data, folder, isOfClasses(loss))
  const { description } = all
  const test = config.test === undefined ? all.test : await loadOther(config, config.test, folder, description)
  const parts = (dataset: Dataset | undefined) => dataset && forLoss(dataset, loss, description)
  if (typeof validation === 'number') {
    const [train, held] = split(all.train, validation, seed)
    return { train: parts(train)!, validation: parts(held), test: parts(test), description }
  }
  const held =
    validation === 'test'
      ? (test ?? noTest())
      : validation && (await loadOther(config, validation, folder, description))
  return { train: parts(all.train)!, validation: parts(held || undefined), test: parts(test), description }
}

const noTest = (): never => {
  throw new CommandError('expected data with a test set for "validation": "test", got none', {
    help: '"validation": 0.2 holds back a share of the rows',
    code: exitCodes.usage,
  })
}

/** The same rows with the same seed, whatever they are taken for. */
function split(dataset: Dataset, share: number, seed: number): [Dataset, Dataset] {
  const { size } = dataset
  const held = Math.round(size * share)
  if (held === 0 || held === size)
    throw new CommandError(`expected a validation share that leaves rows on both sides, got ${held} of ${size} rows`, {
      code: exitCodes.usage,
    })
  const order = permutationSync(size, seed, 0)
  const rows = (from: number, to: number) => dataset.select(tensor(order.slice(from, to)))
  return [rows(0, size - held), rows(size - held, size)]
}

/** Targets as a loss takes them: those of two classes as a column of 0 and 1 where it wants that. */
function forLoss(dataset: Dataset, loss: unknown, { target }: DataDescription): Dataset {
  if (target.type === 'numbers' || !isBinary(loss)) return dataset
  if (target.names.length !== 2)
    throw new CommandError(`expected two classes for the loss ${loss}, got ${target.names.length}`, {
      help: 'crossEntropy is for any number of them',
      code: exitCodes.usage,
    })
  return dataset.map((x, y) => [x, y.cast('float32').expandDims(1)])
}

interface Whole {
  readonly train: Dataset
  readonly test?: Dataset
  readonly description: DataDescription
}

async function loadWhole(data: DataConfig, folder: string, isOfClasses: boolean | undefined): Promise<Whole> {
  const pathOf = (path: string) => resolve(folder, path)
  switch (data.type) {
    case 'mnist':
    case 'fashionMnist':
      return loadImageSet(data.dir === undefined ? data : { ...data, dir: pathOf(data.dir) })
    case 'imageFolder':
      return loadImageFolder(data, pathOf(data.path))
    case 'npz':
    case 'npy':
      return loadArrays(data, pathOf, isOfClasses)
    default: {
      const { rows, description } = await loadTable(data, pathOf(data.path), isOfClasses)
      return { train: tableSet(rows, description, data.path), description }
    }
  }
}

/** Data of the same kind, read as those of the training were. */
async function loadOther(
  { data }: TrainConfig,
  other: Readonly<Record<string, unknown>>,
  folder: string,
  description: DataDescription,
): Promise<Dataset> {
  // Another file may be of another format of tables.
  const type = other.type ?? (typeof other.path === 'string' ? typeOfFile(other.path) : undefined) ?? data.type
  const merged = { ...data, ...other, type } as DataConfig
  const pathOf = (path: string) => resolve(folder, path)
  if (description.kind === 'table') {
    if (!('target' in merged)) throw kindError('a table')
    return tableSet(await rowsOf(merged, pathOf(merged.path)), description, merged.path)
  }
  if (merged.type === 'imageFolder') {
    const { target } = description
    return (await loadImageFolder(merged, pathOf(merged.path), target.type === 'classes' ? target.names : [])).train
  }
  if (merged.type === 'npz' || merged.type === 'npy') {
    const { train, description: found } = await loadArrays(merged, pathOf, description.target.type === 'classes')
    if (found.input.shape.join() !== description.input.shape.join())
      throw new CommandError(`expected rows of shape [${description.input.shape}], got [${found.input.shape}]`, {
        where: merged.path ?? merged.x ?? '',
      })
    return train
  }
  if (merged.type !== 'mnist' && merged.type !== 'fashionMnist') throw kindError('images')
  const { test } = await loadImageSet(merged.dir === undefined ? merged : { ...merged, dir: pathOf(merged.dir) })
  return test!
}

const kindError = (what: string) =>
  new CommandError(`expected ${what}, as the training had, got data of another kind`, { code: exitCodes.usage })

/** What a run is evaluated on: what is given, or the test set, or the rows that were held back. */
export async function loadTest(
  config: TrainConfig,
  folder: string,
  description: DataDescription,
  given?: { readonly other: Readonly<Record<string, unknown>>; readonly folder: string },
): Promise<{ readonly dataset: Dataset; readonly what: string }> {
  const ready = (dataset: Dataset) => forLoss(dataset, config.loss, description)
  if (given) {
    const dataset = await loadOther(config, given.other, given.folder, description)
    return { dataset: ready(dataset), what: String(given.other.path ?? given.other.type) }
  }
  const { test, validation } = await loadData(config, folder)
  if (test) return { dataset: test, what: 'the test set' }
  if (validation) return { dataset: validation, what: 'the validation set' }
  throw new CommandError('expected data to evaluate on: the run has neither a test nor a validation set', {
    help: '--data <file> names some',
    code: exitCodes.usage,
  })
}
