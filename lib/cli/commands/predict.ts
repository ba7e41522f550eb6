/** `galvani predict`: what a model says of rows, one after the other. */
import { once } from 'node:events'
import type { Command } from 'commander'
import '../../operations/methods.ts'
import { writeAtomically } from '../../files/atomic.ts'
import { countOf, formatOf } from '../arguments.ts'
import { typeOfFile } from '../config/schema.ts'
import { type InputFormat, rowsOfInputs, type TableFormat } from '../data/inputs.ts'
import { predictionLines } from '../run/predict.ts'
import { loadPredictor } from '../run/predictor.ts'

interface Options {
  readonly out?: string
  readonly format?: InputFormat
  readonly to?: InputFormat
  readonly keep?: string
  readonly probabilities?: true
  readonly batchSize: number
}

export function configure(command: Command): void {
  command
    .argument('<model>', 'a run, a file of its parameters, or a model: .onnx, .keras, .h5, model.json')
    .argument('[inputs...]', 'CSV, JSON lines, Parquet, Arrow, .npy, images; stdin, or -, unless given')
    .option('--out <file>', 'where the predictions go, whole or not at all; stdout unless given')
    .option('--format <csv|jsonl>', 'of stdin, and of files whose names do not say it', formatOf)
    .option('--to <csv|jsonl>', 'the format of the predictions; by the name of --out, or csv, unless given', formatOf)
    .option('--keep <columns>', 'columns of the input that stand before the prediction, with commas between')
    .option('--probabilities', 'the probability of each class, too')
    .option('--batch-size <number>', 'rows at a time', countOf, 256)
    .action(predict)
}

async function predict(path: string, inputs: readonly string[], options: Options): Promise<void> {
  const { out, format, batchSize, keep = '', probabilities = false } = options
  const predictor = await loadPredictor(path)
  const table = (predictor.run?.config.data ?? {}) as TableFormat
  const paths = inputs.length > 0 ? inputs : ['-']
  const rows = rowsOfInputs(paths, { format, table, shape: predictor.input.shape })
  const lines = predictionLines(predictor, rows, {
    batchSize,
    format: options.to ?? formatFor(out) ?? 'csv',
    keep: keep === '' ? [] : keep.split(','),
    probabilities,
  })
  if (out === undefined) await toStdout(lines)
  else await writeAtomically('predict', out, encoded(lines))
}

const formatFor = (path: string | undefined): InputFormat | undefined =>
  path === undefined ? undefined : typeOfFile(path) === 'jsonLines' ? 'jsonl' : undefined

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const text of lines) yield encoder.encode(text)
}

/** No more is read than the reader takes. */
async function toStdout(lines: AsyncIterable<string>): Promise<void> {
  for await (const text of lines) if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
