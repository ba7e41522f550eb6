/** The model of a configuration: what becomes of rows first, and the layers, or the module of a file. */
import { resolve } from 'node:path'
import { isPlainObject } from '../../base/options.ts'
import type { Shape } from '../../base/shape.ts'
import * as nn from '../../nn/index.ts'
import type { StateDict } from '../../tensor/state-dict.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Call } from '../config/calls.ts'
import { ConfigError, type Fault } from '../config/diagnostics.ts'
import type { ModelFile, TrainConfig } from '../config/schema.ts'
import { type DataDescription, outputsOf } from '../data/description.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { importModule } from '../typescript/import.ts'
import { modelOfLayers, outputShapeOf } from './layers.ts'
import { type Preparation, preparationOf } from './prepare.ts'

/** What a function that makes a model is told. */
export interface ModelInfo {
  /** Of a row that the model is given, without the axis of rows: [4], [1, 28, 28]. */
  readonly inputShape: readonly number[]
  readonly inputDType: 'float32' | 'int32'
  /** How many numbers it is to give for each row: the classes, or the targets. */
  readonly outputs: number
  /** Their names; null where numbers are learnt. */
  readonly classes: readonly string[] | null
  /** `model.options` of the configuration. */
  readonly options: Readonly<Record<string, unknown>>
}

const prefix = 'prepare.'

/** Rows as they are read, prepared, and what the layers make of them. */
export class Pipeline extends nn.Module {
  constructor(
    readonly prepare: nn.Module | null,
    readonly model: nn.Module,
  ) {
    super()
  }

  forward(x: Tensor): Tensor {
    return this.model.forward(this.prepare === null ? x : this.prepare.forward(x))
  }

  /** For a file: the names of the model are its own, and numbers of the preparation have theirs behind `prepare.`. */
  saved(): StateDict {
    const prepared = Object.entries(this.prepare?.stateDict() ?? {}).map(([name, value]) => [prefix + name, value])
    return { ...this.model.stateDict(), ...Object.fromEntries(prepared) }
  }

  /** @throws TypeError for what `saved` of another model gave */
  load(state: StateDict): void {
    const names = Object.keys(this.prepare?.stateDict() ?? {}).map((name) => prefix + name)
    const entries = Object.entries(state)
    const isPrepared = ([name]: [string, unknown]) => names.includes(name)
    this.prepare?.loadStateDict(
      Object.fromEntries(entries.filter(isPrepared).map(([name, value]) => [name.slice(prefix.length), value])),
    )
    this.model.loadStateDict(Object.fromEntries(entries.filter((entry) => !isPrepared(entry))))
  }
}

export interface Built {
  readonly pipeline: Pipeline
  readonly preparation: Preparation
}

/**
 * @param file of the configuration, as it is named in messages
 * @throws ConfigError for layers that do not fit each other or the data
 */
export async function buildModel(
  config: TrainConfig,
  { folder, file }: { readonly folder: string; readonly file: string },
  description: DataDescription,
): Promise<Built> {
  const preparation = preparationOf(config.data, description)
  const outputs = outputsFor(config, description)
  const { dtype, shape } = description.input
  const given = dtype === 'int32' && preparation.module === null ? 'int32' : 'float32'
  const refuse = (faults: readonly Fault[]) => new ConfigError(file, faults)
  const model = Array.isArray(config.model)
    ? modelOfLayers(config.model as readonly Call[], { shape, dtype: given }, outputs, refuse)
    : await ownModel(config.model, folder, infoOf(description, outputs, given))
  const found = outputShapeOf(model as nn.Module<Tensor, unknown>, shape, given)
  const isRight = found !== undefined && found.reduce((product, extent) => product * extent, 1) === outputs
  if (Array.isArray(config.model) && typeof config.loss === 'string' && !isRight)
    throw refuse([{ key: 'model', message: mismatch(found, outputs, description) }])
  return { pipeline: new Pipeline(preparation.module, model), preparation }
}

function mismatch(found: Shape | undefined, outputs: number, { target }: DataDescription): string {
  const what = target.type === 'classes' ? `the ${target.names.length} classes of the data` : 'the target'
  const got = found === undefined ? 'other things' : found.length === 1 ? found[0] : `[${found}]`
  return `expected to give ${outputs} for each row, as of ${what}, got ${got}; a last linear layer without outFeatures has as many`
}

/** Losses of two classes are of one number. */
const outputsFor = ({ loss }: TrainConfig, { target }: DataDescription): number =>
  typeof loss === 'string' && /^(binaryCrossEntropy|bce|hinge)$/.test(loss) && target.type === 'classes'
    ? 1
    : outputsOf(target)

const infoOf = (
  { input, target }: DataDescription,
  outputs: number,
  inputDType: ModelInfo['inputDType'],
): Omit<ModelInfo, 'options'> => ({
  inputShape: input.shape,
  inputDType,
  outputs,
  classes: target.type === 'classes' ? target.names : null,
})

/** A module of the user's own: that of a file, or what stands in a configuration that is a module itself. */
async function ownModel(given: unknown, folder: string, info: Omit<ModelInfo, 'options'>): Promise<nn.Module> {
  const { file, options = {} } = (
    isPlainObject(given) ? given : { file: typeof given === 'string' ? given : undefined }
  ) as Partial<ModelFile>
  const where = file ?? 'model'
  const exported = file === undefined ? given : await exportOf(file, resolve(folder, file))
  const model = typeof exported === 'function' && !isModule(exported) ? await exported({ ...info, options }) : exported
  if (isModule(model)) return model
  throw new CommandError('expected a function that gives a module of nn, or such a module', {
    where,
    help: 'export default ({ inputShape, outputs }) => nn.sequential(…)',
    code: exitCodes.usage,
  })
}

const isModule = (value: unknown): value is nn.Module => value instanceof nn.Module

async function exportOf(path: string, file: string): Promise<unknown> {
  const exported = await importModule(path, file)
  return exported.default ?? exported.model
}
