/** Events as plain data, of the messages that stand in files: in the forms of TensorFlow 1 and 2, and of PyTorch. */
import { elementAt } from '../base/lists.ts'
import type { GraphNodeValue, HistogramValue, PrCurveValue } from '../events/record.ts'
import type { EncodedImage, SummaryValue, TensorBoardEvent } from './event.ts'
import { numbersOf, shapeOf, stringType } from './tensors.ts'
import type { Frame } from './wire/frames.ts'
import { decodeEvent, decodeGraph, decodeHyperparameters } from './wire/messages.ts'
import type { HistogramProto, NodeDef, Summary_Value, TensorProto } from './wire/tensorboard_pb.ts'

/** The plugin of each tag so far: some writers name it but once. */
export type Plugins = Map<string, string>

/** @throws DataFormatError for bytes that are no event */
export function eventIn(op: string, { data, start, end }: Frame, plugins: Plugins, name: string): TensorBoardEvent {
  const place = `${name}, at byte ${start}`
  const { what, step, wallTime } = decodeEvent(op, data, place)
  const time = Number.isFinite(wallTime) ? wallTime * 1000 : 0
  const event = { step: Number(step), time, start, end, values: [] }
  if (what.case === 'fileVersion') return { ...event, fileVersion: what.value }
  if (what.case === 'graphDef') return { ...event, graph: decodeGraph(op, what.value, place).node.map(graphNode) }
  if (what.case !== 'summary') return event
  return { ...event, values: what.value.value.map((value) => summaryValue(op, value, plugins, place)) }
}

/** So many tags have their plugin remembered. */
const mostTags = 1 << 16

function summaryValue(
  op: string,
  { tag, metadata, value }: Summary_Value,
  plugins: Plugins,
  place: string,
): SummaryValue {
  const plugin = metadata?.pluginData?.pluginName || plugins.get(tag) || ''
  if (plugin !== '' && plugins.size < mostTags) plugins.set(tag, plugin)
  const known = { tag, plugin }
  if (plugin === 'hparams')
    return { ...known, ...ofHyperparameters(op, metadata?.pluginData?.content ?? new Uint8Array(0), place) }
  if (value.case === 'simpleValue') return { ...known, kind: 'scalar', value: value.value }
  if (value.case === 'histo') return { ...known, ...histogramOr(ofOldHistogram(value.value), { kind: 'other' }) }
  if (value.case === 'image') {
    const { width, height, encodedImageString: bytes } = value.value
    return { ...known, kind: 'images', images: [{ width, height, bytes }] }
  }
  return { ...known, ...(value.case === 'tensor' ? ofTensor(plugin, value.value) : { kind: 'other' }) }
}

type Content<V = SummaryValue> = V extends unknown ? Omit<V, 'tag' | 'plugin'> : never

/** What its plugin is not named of is told by the kind of its elements. */
function ofTensor(plugin: string, tensor: TensorProto): Content {
  if (tensor.dtype === stringType) {
    const { stringVal: strings } = tensor
    if (plugin === 'images') return { kind: 'images', images: imagesIn(strings) }
    return plugin === 'text' ? { kind: 'text', texts: strings.map((bytes) => textOf(bytes)) } : { kind: 'other' }
  }
  const [numbers, shape] = [numbersOf(tensor), shapeOf(tensor)]
  if (numbers === undefined) return { kind: 'other' }
  const asTensor: Content = { kind: 'tensor', shape, numbers }
  const [rows = 0, columns = 0] = shape
  if (plugin === 'scalars' && numbers.length === 1) return { kind: 'scalar', value: numbers[0]! }
  if (plugin === 'histograms' && shape.length === 2 && columns === 3)
    return histogramOr(ofNewHistogram(numbers, rows), asTensor)
  if (plugin === 'pr_curves' && shape.length === 2 && rows === 6 && columns >= 2)
    return { kind: 'prCurve', value: prCurveOf(numbers, columns) }
  return asTensor
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** The width and the height as texts, then the files. */
function imagesIn([width, height, ...files]: readonly Uint8Array[]): EncodedImage[] {
  const size = (text: Uint8Array | undefined) => Math.trunc(Number(textOf(text ?? new Uint8Array(0)))) || 0
  return files.map((bytes) => ({ width: size(width), height: size(height), bytes }))
}

/** Where a weight was no finite number, so may edges be; and who writes a file may give fewer of them. */
function histogramOr(value: HistogramValue, other: Content): Content {
  const { edges, counts, minimum, maximum, sum, sumOfSquares } = value
  const areFinite = [edges, counts, [minimum, maximum, sum, sumOfSquares]].every((list) => list.every(Number.isFinite))
  return areFinite && edges.length === counts.length + 1 ? { kind: 'histogram', value } : other
}

/** Outer limits may be the greatest numbers there are, so that empty intervals are left out and the extremes stand for the outer edges. */
function ofOldHistogram({ min, max, sum, sumSquares, bucket, bucketLimit }: HistogramProto): HistogramValue {
  const start = Math.max(
    0,
    bucket.findIndex((count) => count > 0),
  )
  const end = bucket.findLastIndex((count) => count > 0)
  const counts = bucket.slice(start, end + 1)
  const edges = [min, ...bucketLimit.slice(start, Math.max(start, end)), max]
  return {
    edges: counts.length === 0 ? [min] : edges,
    counts,
    minimum: min,
    maximum: max,
    sum,
    sumOfSquares: sumSquares,
    notFinite: 0,
  }
}

/** Rows of a lower edge, an upper one and a count; of the sums nothing is said, so they are those of the intervals' middles. */
function ofNewHistogram(numbers: readonly number[], rows: number): HistogramValue {
  const column = (j: number) => Array.from({ length: rows }, (_, i) => numbers[3 * i + j]!)
  const [lower, upper, counts] = [column(0), column(1), column(2)] as const
  const total = (of: (middle: number) => number) =>
    counts.reduce((sum, count, i) => sum + count * of((elementAt(lower, i) + elementAt(upper, i)) / 2), 0)
  return {
    edges: [lower[0] ?? 0, ...upper],
    counts,
    minimum: lower[0] ?? 0,
    maximum: upper.at(-1) ?? 0,
    sum: total((x) => x),
    sumOfSquares: total((x) => x * x),
    notFinite: 0,
  }
}

function prCurveOf(numbers: readonly number[], columns: number): PrCurveValue {
  const row = (i: number) => numbers.slice(i * columns, (i + 1) * columns)
  return {
    thresholds: Array.from({ length: columns }, (_, i) => i / (columns - 1)),
    truePositives: row(0),
    falsePositives: row(1),
    trueNegatives: row(2),
    falseNegatives: row(3),
    precision: row(4),
    recall: row(5),
  }
}

/** TensorBoard's number of a session that failed. */
export const [sessionSucceeded, sessionFailed] = [1, 2]

function ofHyperparameters(op: string, content: Uint8Array, place: string): Content {
  const { data } = decodeHyperparameters(op, content, place)
  if (data.case === 'sessionEndInfo')
    return { kind: 'end', state: data.value.status === sessionFailed ? 'failed' : 'ended' }
  if (data.case !== 'sessionStartInfo') return { kind: 'other' }
  const entries = Object.entries(data.value.hparams).flatMap(([name, { kind }]) =>
    kind.value === undefined ? [] : [[name, kind.value] as const],
  )
  return { kind: 'hyperparameters', values: Object.fromEntries(entries) }
}

const dtypeNames: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  7: 'string',
  9: 'int64',
  10: 'bool',
  14: 'bfloat16',
  19: 'float16',
}

/** Inputs are named as the outputs of nodes, `name:1`, and those of control as `^name`. */
function graphNode({ name, op, input, attr }: NodeDef): GraphNodeValue {
  const { dtype, T, _output_shapes } = attr
  const typed = [dtype, T].map((value) => value?.value).find((value) => value?.case === 'type')
  const shapes = _output_shapes?.value
  const shape = shapes?.case === 'list' ? shapes.value.shape[0] : undefined
  return {
    name,
    op,
    inputs: input.map((text) => text.replace(/^\^/, '').replace(/:\d+$/, '')),
    dtype: dtypeNames[typed?.case === 'type' ? typed.value : 0] ?? '',
    shape: (shape?.dim ?? []).map(({ size }) => Number(size)),
  }
}
