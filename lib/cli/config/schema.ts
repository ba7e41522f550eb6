/** What a configuration of a training may hold, and the check of it. */
import { checkOptions, isPlainObject, type OptionTypes } from '../../base/options.ts'
import { type ObserveOptions, observeOptions } from '../../events/observe.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { type Call, callOf, type Infer, isCall } from './calls.ts'
import {
  above,
  checkKeys,
  either,
  integer,
  isText,
  type Keys,
  listOf,
  object,
  oneOf,
  record,
  text,
  texts,
  that,
  truth,
} from './checks.ts'
import { type Check, type Fault, fault, faultOf, keyIn, unknownName } from './diagnostics.ts'
import { callbacks, lossNames, metricNames, optimizers, schedulesByName } from './functions.ts'
import { checkLayers } from './model-check.ts'

/** Rows of a table: CSV, JSON lines, Parquet, Arrow. */
export interface TableConfig {
  readonly type: 'csv' | 'jsonLines' | 'parquet' | 'arrow'
  /** Relative to the file of the configuration, like all paths in it. */
  readonly path: string
  /** The column that is learnt, or several of numbers. */
  readonly target: string | readonly string[]
  /** The columns that it is learnt from; all others unless given. */
  readonly features?: readonly string[]
  /** Columns of numbers that are names of categories. */
  readonly categories?: readonly string[]
  /** Whether the target is a class or a number; by what the column holds, and by the loss, unless given. */
  readonly task?: 'classification' | 'regression'
  readonly normalize?: 'standard' | 'minMax' | 'none'
  /** What takes the place of missing numbers. */
  readonly missing?: 'mean' | 'median' | 'mostFrequent'
  /** Of `data.fromCSV`. */
  readonly delimiter?: string
  readonly quote?: string | null
  readonly header?: boolean | readonly string[]
  readonly types?: Readonly<Record<string, string>>
  readonly trim?: boolean
  readonly encoding?: string
}

/** MNIST and Fashion-MNIST, whose own test set is there beside. */
export interface ImageSetConfig {
  readonly type: 'mnist' | 'fashionMnist'
  /** The folder of the four IDX files; where the package is installed unless given. */
  readonly dir?: string
  readonly normalize?: 'unit' | 'none'
}

/** A folder of images for each class. */
export interface ImageFolderConfig {
  readonly type: 'imageFolder'
  readonly path: string
  readonly size: readonly [height: number, width: number]
  readonly channels?: 1 | 3
  readonly normalize?: 'unit' | 'none'
}

/** Arrays of numpy: `x` and `y` of one `.npz`, or two files `.npy`. */
export interface ArraysConfig {
  readonly type: 'npz' | 'npy'
  readonly path?: string
  readonly x?: string
  readonly y?: string
  readonly task?: 'classification' | 'regression'
  readonly normalize?: 'unit' | 'standard' | 'minMax' | 'none'
}

export type DataConfig = TableConfig | ImageSetConfig | ImageFolderConfig | ArraysConfig

/** A module of the user's, with what its function is given. */
export interface ModelFile {
  readonly file: string
  readonly options?: Readonly<Record<string, unknown>>
}

export interface TrainConfig {
  readonly $schema?: string
  /** Of the run; that of the file unless given. */
  readonly name?: string
  readonly data: DataConfig
  /** Layers one after the other, a file that exports a function, or that function itself. */
  readonly model: readonly Call[] | string | ModelFile | object
  readonly loss?: unknown
  readonly optimizer?: unknown
  readonly schedule?: unknown
  readonly metrics?: readonly unknown[]
  readonly callbacks?: readonly unknown[]
  readonly epochs?: number
  readonly batchSize?: number
  readonly stepsPerEpoch?: number
  readonly dropLast?: boolean
  readonly precision?: 'float32' | 'bf16'
  readonly shuffle?: boolean
  readonly seed?: number
  readonly clipNorm?: number
  readonly clipValue?: number
  readonly accumulate?: number
  readonly classWeights?: readonly number[] | Readonly<Record<string, number>>
  /** A share of the rows, the test set, or other data of the same kind. */
  readonly validation?: number | 'test' | Readonly<Record<string, unknown>>
  /** What `evaluate` takes unless it is told. */
  readonly test?: Readonly<Record<string, unknown>>
  /** What is recorded beside loss and metrics, as `observe` takes it: histograms, a confusion matrix, the graph. */
  readonly record?: Readonly<Record<string, unknown>>
  readonly checkpoint?: {
    readonly every?: { readonly epochs?: number; readonly steps?: number; readonly seconds?: number }
    readonly keep?: number
    readonly best?: string | { readonly monitor: string; readonly mode?: 'min' | 'max' }
  }
}

const normalizations = ['standard', 'minMax', 'none'] as const

const csvKeys: Keys = {
  delimiter: text,
  quote: that('a text or null', (x) => x === null || isText(x)),
  header: either((x) => typeof x === 'boolean', truth, texts),
  types: record(oneOf('type', ['number', 'integer', 'boolean', 'string']), 'types by the names of columns'),
  trim: truth,
  encoding: text,
}

const tableKeys: Keys = {
  type: text,
  path: text,
  target: either(isText, text, texts),
  features: texts,
  categories: texts,
  task: oneOf('task', ['classification', 'regression']),
  normalize: oneOf('normalization', normalizations),
  missing: oneOf('strategy', ['mean', 'median', 'mostFrequent']),
}

const imageKeys: Keys = { type: text, normalize: oneOf('normalization', ['unit', 'none']) }

const size = that(
  '[height, width]',
  (x) => Array.isArray(x) && x.length === 2 && x.every((n) => Number.isInteger(n) && n > 0),
)

const arrayKeys: Keys = {
  type: text,
  path: text,
  x: text,
  y: text,
  task: tableKeys.task!,
  normalize: oneOf('normalization', ['unit', ...normalizations]),
}

/** By the type of data: its keys, and those that it cannot do without. */
const dataKeys: Readonly<Record<DataConfig['type'], readonly [keys: Keys, required: readonly string[]]>> = {
  csv: [{ ...tableKeys, ...csvKeys }, ['path', 'target']],
  jsonLines: [{ ...tableKeys, encoding: text }, ['path', 'target']],
  parquet: [tableKeys, ['path', 'target']],
  arrow: [tableKeys, ['path', 'target']],
  mnist: [{ ...imageKeys, dir: text }, []],
  fashionMnist: [{ ...imageKeys, dir: text }, []],
  imageFolder: [
    { ...imageKeys, path: text, size, channels: that('1 or 3', (x) => x === 1 || x === 3) },
    ['path', 'size'],
  ],
  npz: [arrayKeys, ['path']],
  npy: [arrayKeys, ['x', 'y']],
}

const types: Readonly<Record<string, DataConfig['type']>> = {
  csv: 'csv',
  tsv: 'csv',
  jsonl: 'jsonLines',
  ndjson: 'jsonLines',
  parquet: 'parquet',
  arrow: 'arrow',
  feather: 'arrow',
  npz: 'npz',
  npy: 'npy',
}

/** The type of data that the name of a file stands for. */
export const typeOfFile = (path: string): DataConfig['type'] | undefined =>
  types[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '']

const checkData: Check = (value, key, faults) => {
  if (!isPlainObject(value)) return void faults.push(fault(key, 'an object', value))
  const given = value as Readonly<Record<string, unknown>>
  const type = given.type ?? (isText(given.path) ? typeOfFile(given.path) : undefined)
  if (type === undefined)
    faults.push({ key: keyIn(key, 'type'), message: `is missing; there are ${Object.keys(dataKeys).join(', ')}` })
  else if (!isText(type)) faults.push(fault(keyIn(key, 'type'), 'a name', type))
  else if (!Object.hasOwn(dataKeys, type))
    faults.push(unknownName(keyIn(key, 'type'), 'type of data', type, Object.keys(dataKeys)))
  else {
    const [keys, required] = dataKeys[type as DataConfig['type']]
    object(keys, required)(value, key, faults)
  }
}

/** Some keys of `data` that are others there. */
const checkOtherData =
  (config: Readonly<Record<string, unknown>>): Check =>
  (value, key, faults) => {
    if (!isPlainObject(value)) return void faults.push(fault(key, 'some keys of data that are others there', value))
    if (isPlainObject(config.data)) checkData({ ...config.data, ...(value as object) }, key, faults)
  }

const validationOf = (config: Readonly<Record<string, unknown>>): Check =>
  either(
    isPlainObject,
    checkOtherData(config),
    that(
      'a share above 0 and below 1, "test", or { path: … }',
      (x) => x === 'test' || (typeof x === 'number' && x > 0 && x < 1),
    ),
  )

/** What stands there is what the library takes: its own check comes with its call. */
const isOwn = (value: unknown): boolean =>
  typeof value === 'function' || (typeof value === 'object' && value !== null && !isPlainObject(value))

const ownOr = (check: Check): Check => either(isOwn, () => {}, check)

const lossCheck: Check = ownOr(oneOf('loss', lossNames))
const metricCheck: Check = either(
  isPlainObject,
  record(
    that('a function', (x) => typeof x === 'function'),
    'a metric',
  ),
  ownOr(oneOf('metric', metricNames)),
)

/** For a call that is only tried: steps that are known when the data is. */
const tried: Infer = (from) => ({ rate: 0.001, steps: 1000, one: 1, zero: 0 })[from]

const optimizerCheck: Check = ownOr((value, key, faults) => {
  if (isCall(optimizers, 'optimizer', value, key, faults)) callOf(optimizers, 'optimizer')(value, key, faults)
})

const callbackCheck: Check = either(
  (x) => isOwn(x) || (isPlainObject(x) && Object.values(x).some((each) => typeof each === 'function')),
  () => {},
  callOf(callbacks, 'callback'),
)

/** What is known without being told. */
const { name: _, hyperparameters: __, labels: ___, controls: ____, ...recorded } = observeOptions

const recordCheck: Check = (value, key, faults) => {
  try {
    checkOptions('record', value as ObserveOptions, recorded as OptionTypes<ObserveOptions>)
  } catch (error) {
    faults.push(faultOf(key, error))
  }
}

const modelFile = object({ file: text, options: record(() => {}, 'options by name') }, ['file'])

const modelCheck: Check = (value, key, faults) => {
  if (Array.isArray(value)) checkLayers(value, key, faults)
  else if (isPlainObject(value)) modelFile(value, key, faults)
  else if (value instanceof Tensor || !(isText(value) || isOwn(value)))
    faults.push(fault(key, 'a list of layers, or the path of a module that exports a function', value))
}

const keysOf = (config: Readonly<Record<string, unknown>>): Keys => ({
  $schema: text,
  name: that('a name of letters, digits and . _ -', (x) => isText(x) && /^\w[\w.-]*$/.test(x)),
  data: checkData,
  model: modelCheck,
  loss: lossCheck,
  optimizer: optimizerCheck,
  schedule: ownOr(callOf(schedulesByName, 'schedule', tried)),
  metrics: listOf(metricCheck),
  callbacks: listOf(callbackCheck),
  epochs: integer(1),
  batchSize: integer(1),
  stepsPerEpoch: integer(1),
  dropLast: truth,
  precision: oneOf('precision', ['float32', 'bf16']),
  shuffle: truth,
  seed: integer(0, 2 ** 32 - 1),
  clipNorm: above(0),
  clipValue: above(0),
  accumulate: integer(1),
  classWeights: either(Array.isArray, listOf(above(0)), record(above(0), 'weights by class')),
  validation: validationOf(config),
  test: checkOtherData(config),
  record: recordCheck,
  checkpoint: object({
    every: object({ epochs: integer(1), steps: integer(1), seconds: above(0) }),
    keep: integer(1),
    best: either(isText, text, object({ monitor: text, mode: oneOf('mode', ['min', 'max']) }, ['monitor'])),
  }),
})

/** All that is wrong with a configuration. */
export function faultsIn(config: unknown): Fault[] {
  if (!isPlainObject(config)) return [fault('', 'an object', config)]
  const given = config as Readonly<Record<string, unknown>>
  const faults: Fault[] = []
  checkKeys(given, keysOf(given), '', faults)
  for (const name of ['data', 'model']) if (given[name] === undefined) faults.push({ key: name, message: 'is missing' })
  return faults
}

/** With the type of its data, where that follows from the name of a file. */
export function completed(config: TrainConfig): TrainConfig {
  const { data } = config
  if (data.type !== undefined) return config
  const table = data as TableConfig
  return { ...config, data: { ...table, type: typeOfFile(table.path) } as DataConfig }
}
