/** Predictions row by row: batches of what is read, and a line of text for each. */
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { csvCell } from '../../train/history.ts'
import { compile } from '../../transforms/compile.ts'
import type { InputFormat, InputRow } from '../data/inputs.ts'
import { RowEncoder } from '../data/rows.ts'
import { valuesOf } from '../data/values.ts'
import type { Predictor, Scale } from './predictor.ts'

export interface PredictionOptions {
  readonly batchSize: number
  readonly format: InputFormat
  /** Columns of the input that stand before the prediction. */
  readonly keep: readonly string[]
  /** Whether the probabilities of all classes are there. */
  readonly probabilities: boolean
}

/** Lines of text with their ends, as many at a time as there are rows in a batch. */
export async function* predictionLines(
  predictor: Predictor,
  rows: AsyncIterable<InputRow>,
  options: PredictionOptions,
): AsyncGenerator<string> {
  const run = compile((x: Tensor) => probabilitiesOf(predictor.model.forward(x), predictor.scale))
  let isFirst = true
  for await (const batch of batchesOf(rows, options.batchSize)) {
    const output = await run(inputOf(predictor, batch))
    const values = await output.data()
    const width = output.size / batch.length
    const records = batch.map(({ row }, i) => ({
      ...Object.fromEntries(options.keep.map((name) => [name, row[name] ?? null])),
      ...recordOf(predictor, Array.from(values.subarray(i * width, (i + 1) * width)), options),
    }))
    yield textOf(records, options.format, isFirst)
    isFirst = false
  }
}

async function* batchesOf(rows: AsyncIterable<InputRow>, size: number): AsyncGenerator<InputRow[]> {
  let batch: InputRow[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function inputOf({ data, input }: Predictor, batch: readonly InputRow[]): Tensor {
  const shape = [batch.length, ...input.shape]
  const length = input.shape.reduce((product, extent) => product * extent, 1)
  const x = new Float32Array(batch.length * length)
  for (const [i, { row, number, file }] of batch.entries()) {
    if (data?.kind === 'table') new RowEncoder(data, file).write(row, number, x, i * length)
    else x.set(valuesOf(row, length, number, file), i * length)
  }
  const values = input.dtype === 'uint8' ? Uint8Array.from(x) : input.dtype === 'int32' ? Int32Array.from(x) : x
  return tensor(values, { shape })
}

function probabilitiesOf(output: Tensor, scale: Scale): Tensor {
  if (scale === 'logits') return output.softmax(-1)
  if (scale === 'logProbabilities') return output.exp()
  return scale === 'binaryLogits' ? output.sigmoid() : output
}

type Values = Readonly<Record<string, unknown>>

function recordOf(
  { data, scale }: Predictor,
  values: readonly number[],
  { probabilities, format }: PredictionOptions,
): Values {
  const target = data?.target
  if (target === undefined) return format === 'csv' ? numbered('output', values) : { output: values }
  if (target.type === 'numbers') return Object.fromEntries(target.columns.map((name, i) => [name, rounded(values[i]!)]))
  if (scale === 'margins') return { prediction: target.names[values[0]! > 0 ? 1 : 0]! }
  const all = scale === 'binaryLogits' ? [1 - values[0]!, values[0]!] : values
  const best = all.reduce((most, value, i) => (value > all[most]! ? i : most), 0)
  const record = { prediction: target.names[best]!, probability: rounded(all[best]!) }
  if (!probabilities) return record
  const named = target.names.map((name, i) => [name, rounded(all[i]!)] as const)
  return format === 'csv'
    ? { ...record, ...Object.fromEntries(named.map(([name, value]) => [`probability.${name}`, value])) }
    : { ...record, probabilities: Object.fromEntries(named) }
}

const numbered = (name: string, values: readonly number[]): Values =>
  Object.fromEntries(values.map((value, i) => [values.length === 1 ? name : `${name}.${i}`, rounded(value)]))

/** As many digits as a float32 has. */
const rounded = (value: number): number => Number(value.toPrecision(7))

function textOf(records: readonly Values[], format: InputFormat, isFirst: boolean): string {
  if (format === 'jsonl') return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  const lines = records.map((record) => `${Object.values(record).map(cell).join(',')}\n`)
  return [...(isFirst ? [`${Object.keys(records[0]!).map(csvCell).join(',')}\n`] : []), ...lines].join('')
}

const cell = (value: unknown): string => csvCell(value ?? undefined)
