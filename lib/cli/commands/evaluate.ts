/** `galvani evaluate`: the scores of a model on data. */
import type { Command } from 'commander'
import '../../operations/methods.ts'
import { evaluate } from '../../train/evaluate.ts'
import { countOf } from '../arguments.ts'
import { ConfigError } from '../config/diagnostics.ts'
import { loadConfig } from '../config/load.ts'
import { overrideOf } from '../config/overrides.ts'
import { type TrainConfig, typeOfFile } from '../config/schema.ts'
import { loadData, loadTest } from '../data/load.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { reporterOf } from '../reporter/reporter.ts'
import { placeOf } from '../run/folder.ts'
import { loadPredictor, type Predictor } from '../run/predictor.ts'

interface Options {
  readonly data?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly metrics?: string
  readonly batchSize: number
  readonly json?: true
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export function configure(command: Command): void {
  command
    .argument('<model>', 'a run, a file of its parameters, or a model: .onnx, .keras, .h5, model.json')
    .option('--data <path>', 'other data of the same kind; the test set, or the validation set, unless given')
    .option('--config <file>', 'data, loss and metrics of a model that is of no run')
    .option('--set <key=value>', 'put a value into the configuration, as JSON; may be repeated', collected)
    .option('--metrics <names>', 'with commas between; those of the configuration unless given')
    .option('--batch-size <number>', 'rows at a time', countOf, 256)
    .option('--json', 'the scores as JSON')
    .action(run)
}

async function run(path: string, options: Options): Promise<void> {
  const reporter = await reporterOf(options.json ? { json: true } : {})
  const predictor = await loadPredictor(path)
  const { config, folder, file } = await configOf(predictor, options)
  const { dataset, what } = await testOf(predictor, config, folder, options)
  const metrics = options.metrics === undefined ? (config.metrics ?? []) : options.metrics.split(',')
  if (config.loss === undefined) throw new ConfigError(file, [{ key: 'loss', message: 'is missing' }])
  const scores = await evaluate(predictor.model, dataset, {
    loss: config.loss as 'mse',
    metrics: metrics as 'mse'[],
    batchSize: options.batchSize,
  })
  reporter.event('scores', { model: path, data: what, rows: dataset.size, scores })
  const entries = Object.entries(scores)
  const numbers = entries.filter(([, value]) => typeof value === 'number')
  const shown = numbers.map(([name, value]) => `${name} ${Number((value as number).toPrecision(4))}`)
  reporter.result(`${shown.join(', ')} (${dataset.size.toLocaleString('en')} rows of ${what})`)
  for (const [name, value] of entries.filter((entry) => !numbers.includes(entry)))
    reporter.result(`${name}\n${linesOf(value)}`)
}

/** A row of a matrix is a line. */
const linesOf = (value: unknown): string =>
  Array.isArray(value) && value.every(Array.isArray)
    ? value.map((row) => row.map((each) => String(each).padStart(6)).join('')).join('\n')
    : JSON.stringify(value)

/** That of the run, or the one that is named. */
async function configOf(
  { run }: Predictor,
  { config, set = [] }: Options,
): Promise<{ config: TrainConfig; folder: string; file: string }> {
  if (config !== undefined) {
    const loaded = await loadConfig(config, set.map(overrideOf))
    return { config: loaded.config, folder: loaded.folder, file: config }
  }
  if (run) return { config: run.config, ...placeOf(run) }
  throw new CommandError('expected a configuration beside a model of no run, got none', {
    help: '--config <file> says its data, loss and metrics',
    code: exitCodes.usage,
  })
}

async function testOf({ data }: Predictor, config: TrainConfig, folder: string, options: Options) {
  const description = data ?? (await loadData(config, folder)).description
  if (options.data === undefined) return loadTest(config, folder, description)
  const type = typeOfFile(options.data) ?? config.data.type
  const other = type === 'npy' ? { type } : { type, path: options.data }
  const { dataset } = await loadTest(config, folder, description, { other, folder: process.cwd() })
  return { dataset, what: options.data }
}
