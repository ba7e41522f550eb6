/** A model as it lies in a folder of a version, made into a predictor: an ONNX file, or a module file with weights beside it. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { isPlainObject } from '../../base/options.ts'
import { load } from '../../files/safetensors.ts'
import { load as loadOnnx, type OnnxModel } from '../../onnx/index.ts'
import type { Trainable } from '../../train/options.ts'
import type { PredictorOptions } from '../options.ts'
import { type Predictor, predictor } from '../predictor.ts'

const op = 'serve'

/** What a module file exports. */
interface ModelFile {
  /** A model, or a function that makes one. */
  readonly default?: unknown
  /** How it is served. */
  readonly serving?: unknown
}

const moduleNames = ['model.mjs', 'model.js', 'model.cjs']

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * @param folder of one version
 * @param shared options of all versions of the model, which those of the version go before
 * @throws (rejects with) what is wrong with the files, or the model
 */
export async function loadVersion(folder: string, shared: Partial<PredictorOptions>): Promise<Predictor> {
  const own = await optionsIn(join(folder, 'serve.json'))
  const onnx = join(folder, 'model.onnx')
  if (await isThere(onnx)) {
    const model = await loadOnnx(onnx, { trainable: false })
    return predictor(model as Trainable<never, unknown>, { ...inputsOf(model), ...shared, ...own } as PredictorOptions)
  }
  for (const name of moduleNames) {
    const file = join(folder, name)
    if (await isThere(file)) return fromModule(file, folder, shared, own)
  }
  throw new Error(expected(op, `model.onnx or ${moduleNames[0]} in ${folder}`, 'neither'))
}

async function fromModule(
  file: string,
  folder: string,
  shared: Partial<PredictorOptions>,
  own: Partial<PredictorOptions>,
): Promise<Predictor> {
  // A file that was written anew has another address, as Node keeps what it has imported.
  const { mtimeMs } = await stat(file)
  const found = (await import(`${pathToFileURL(file).href}?${mtimeMs}`)) as ModelFile
  const model = (typeof found.default === 'function' ? await found.default() : found.default) as {
    loadStateDict?: (state: object) => void
  } | null
  if (typeof model !== 'object' || model === null || typeof (model as Partial<Trainable>).forward !== 'function')
    throw new TypeError(
      expected(op, `a model, or a function that gives one, as default export of ${file}`, describe(model)),
    )
  const weights = join(folder, 'model.safetensors')
  if (await isThere(weights)) model.loadStateDict?.(await load(weights))
  const { serving = {} } = found
  if (!isPlainObject(serving)) throw new TypeError(expected(op, `options as serving of ${file}`, describe(serving)))
  return predictor(model as Trainable<never, unknown>, { ...serving, ...shared, ...own } as PredictorOptions)
}

/** @throws (rejects with) an Error for what is no JSON object */
export async function optionsIn(file: string): Promise<Partial<PredictorOptions>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  const options: unknown = parsed(file, text)
  if (!isPlainObject(options)) throw new TypeError(expected(op, `a JSON object in ${file}`, describe(options)))
  return options
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(expected(op, `JSON in ${file}`, (cause as Error).message), { cause })
  }
}

/** The first extent of inputs is that of rows: where the file says that it is 1, batches are single rows. Others that it leaves open are to be told. */
function inputsOf({ inputs }: OnnxModel): Partial<PredictorOptions> {
  const shapes = inputs.map(({ name, shape }) => [
    name,
    (shape ?? []).slice(1).map((extent) => (typeof extent === 'number' ? extent : null)),
  ])
  return {
    inputShape: Object.fromEntries(shapes),
    inputDtype: Object.fromEntries(inputs.map(({ name, dtype }) => [name, dtype])),
    ...(inputs.some(({ shape }) => shape?.[0] === 1) && { maxBatch: 1 }),
  }
}
