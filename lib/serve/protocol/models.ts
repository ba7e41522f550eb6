/** The models of a service by name and version: which is meant, what it takes and gives, and its answers. */
import type { Abortable } from '../../base/abort.ts'
import { checkInteger, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkRecord, isPlainObject } from '../../base/options.ts'
import { version } from '../../base/version.ts'
import type { RowValues } from '../inputs.ts'
import { Predictor } from '../predictor.ts'
import { datatypeOf } from './datatypes.ts'
import { invalid, RequestError } from './faults.ts'
import { checkRowCount } from './inputs.ts'
import { type DescribedTensor, describedOutputs, type NamedResult, namedResults } from './results.ts'

/** A model by its versions, which are numbers as texts; the greatest is the one that is meant where none is named. */
export type ModelVersions = Readonly<Record<string, Predictor>>

/** The predictors by the names of models, or by versions of them. */
export type ModelsByName = Readonly<Record<string, Predictor | ModelVersions>>

export interface RowLimit {
  /** Rows of a request at most; 1024 unless given. */
  maxRows?: number
}

/** The outputs that are asked for, a set of names or a map from them. */
export type AskedOutputs = Pick<ReadonlySet<string>, 'size' | 'has' | 'keys'>

/** Where none is named. */
export const allOutputs: AskedOutputs = new Set()

/** One version of a model. */
export interface Served {
  readonly name: string
  readonly version: string
  readonly predictor: Predictor
  /** What is said of it where it is counted: its version, where that does not change. */
  readonly labels: Readonly<Record<string, string>>
}

/** What a model takes and gives. */
export interface ModelDescription {
  readonly name: string
  readonly versions: readonly string[]
  readonly platform: string
  readonly inputs: readonly DescribedTensor[]
  readonly outputs: readonly DescribedTensor[]
}

/** What the server is. */
export const server = { name: 'galvani', version } as const

/** The protocol wants a project and a form. */
const platform = 'galvani_graph'

/** A model that has no versions but those of its parameters. */
const servedAlone = (name: string, predictor: Predictor): Served => ({
  name,
  version: String(predictor.version),
  predictor,
  labels: { model: name },
})

const servedAs = (name: string, version: string, predictor: Predictor): Served => ({
  name,
  version,
  predictor,
  labels: { model: name, version },
})

function newestOf(versions: ModelVersions): string | undefined {
  let newest: string | undefined
  for (const version in versions) if (newest === undefined || Number(version) > Number(newest)) newest = version
  return newest
}

/** What `given` holds is looked at for each request. */
export class Models {
  /** @param isDraining whether the service is about to end: no model is ready then */
  constructor(
    private readonly given: ModelsByName,
    readonly maxRows: number,
    private readonly isDraining: () => boolean = () => false,
  ) {}

  /** All versions of all models. */
  get all(): Served[] {
    return Object.keys(this.given).flatMap((name) => this.versions(name))
  }

  /** Those of a model that there is, the newest last. */
  versions(name: string): Served[] {
    const found = this.given[name]!
    if (found instanceof Predictor) return [servedAlone(name, found)]
    return Object.keys(found)
      .toSorted((a, b) => Number(a) - Number(b))
      .map((version) => servedAs(name, version, found[version]!))
  }

  /**
   * @param wanted a version; the newest unless given
   * @throws RequestError for a model, or a version of it, that there is not
   */
  find(name = '', wanted?: string): Served {
    if (!Object.hasOwn(this.given, name)) throw new RequestError('notFound', `no model ${name.slice(0, 200)}`)
    const found = this.#version(name, wanted)
    if (found === undefined) throw new RequestError('notFound', `no version ${wanted?.slice(0, 200)} of ${name}`)
    return found
  }

  #version(name: string, wanted: string | undefined): Served | undefined {
    const found = this.given[name]!
    if (found instanceof Predictor) {
      const served = servedAlone(name, found)
      return wanted === undefined || wanted === served.version ? served : undefined
    }
    const version = wanted ?? newestOf(found)
    return version !== undefined && Object.hasOwn(found, version) ? servedAs(name, version, found[version]!) : undefined
  }

  /** Whether all models are. */
  get ready(): boolean {
    return this.all.every((served) => this.isReady(served))
  }

  isReady({ predictor }: Served): boolean {
    return !this.isDraining() && predictor.ready
  }

  describe({ name, predictor }: Served): ModelDescription {
    const inputs = predictor.inputs.map((spec) => ({
      name: spec.name === '' ? 'input' : spec.name,
      datatype: datatypeOf(spec.dtype),
      shape: [-1, ...spec.shape.map((extent) => extent ?? -1)],
    }))
    const versions = this.versions(name).map((each) => each.version)
    return { name, versions, platform, inputs, outputs: describedOutputs(predictor) }
  }

  /**
   * The answers to several rows, also where it is one.
   * @param asked has the names of outputs; all if there are none
   */
  async answer({ predictor }: Served, rows: RowValues, asked: AskedOutputs, signal: Abortable): Promise<NamedResult[]> {
    if (asked.size > 0) checkOutputs(describedOutputs(predictor), asked.keys())
    checkRowCount(rowCount(rows), this.maxRows)
    const answers = await predictor.predict(rows, { signal })
    if (!Array.isArray(answers)) throw invalid('rows are expected, with the number of them as first extent')
    const results = namedResults(predictor, answers)
    return asked.size === 0 ? results : results.filter(({ name }) => asked.has(name))
  }
}

/** @throws RequestError for a name that no output has */
function checkOutputs(outputs: readonly DescribedTensor[], asked: Iterable<string>): void {
  const names = outputs.map(({ name }) => name)
  for (const name of asked)
    if (!names.includes(name)) throw invalid(`outputs: ${names.join(', ')} are expected, got ${name.slice(0, 200)}`)
}

/** The extent of the first axis of the first input. */
function rowCount(rows: RowValues): number {
  const [first] = isPlainObject(rows) ? Object.values(rows) : [rows]
  const { shape, length } = (first ?? {}) as { shape?: readonly number[]; length?: number }
  return shape?.[0] ?? length ?? 1
}

/** @throws TypeError, RangeError for what are no models, or no limit */
export function modelsOf(
  op: string,
  models: ModelsByName,
  { maxRows = 1024 }: RowLimit,
  isDraining?: () => boolean,
): Models {
  checkModels(op, models)
  checkInteger(op, 'an integer maxRows of at least 1', maxRows, 1)
  return new Models(models, maxRows, isDraining)
}

function checkModels(op: string, models: ModelsByName): void {
  for (const [name, given] of Object.entries(checkRecord(op, 'models by name', models))) {
    const versions = given instanceof Predictor ? { 1: given } : given
    if (!isPlainObject(versions) || Object.keys(versions).length === 0)
      throw new TypeError(expected(op, `a predictor, or predictors by version, as ${name}`, describe(given)))
    for (const [version, each] of Object.entries(versions)) {
      if (!/^\d{1,15}$/.test(version)) throw new TypeError(expected(op, `numbers as versions of ${name}`, version))
      if (!(each instanceof Predictor)) throw new TypeError(expected(op, `a predictor as ${name}`, describe(each)))
    }
  }
}
