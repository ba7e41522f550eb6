/** What a run says as events, as the bytes of records: scalars and histograms in the form that every reader knows, the rest as TensorFlow 2 has it. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { GraphNodeValue, HistogramValue, PrCurveValue } from '../events/record.ts'
import { sessionFailed, sessionSucceeded } from './decode.ts'
import { floatTensor, stringTensor } from './tensors.ts'
import { framed } from './wire/frames.ts'
import {
  type AttrValueSchema,
  EventSchema,
  GraphDefSchema,
  HParamsPluginDataSchema,
  PrCurvePluginDataSchema,
  type Summary_ValueSchema,
} from './wire/tensorboard_pb.ts'

type ValueInit = MessageInitShape<typeof Summary_ValueSchema>
type EventInit = MessageInitShape<typeof EventSchema>

export interface EventPlace {
  readonly step: number
  /** Milliseconds since 1970. */
  readonly time: number
}

const frameOf = ({ step, time }: EventPlace, what: NonNullable<EventInit['what']>): Uint8Array =>
  framed(toBinary(EventSchema, create(EventSchema, { step: BigInt(Math.trunc(step)), wallTime: time / 1000, what })))

/** What a file begins with. */
export const versionFrame = (time: number): Uint8Array =>
  frameOf({ step: 0, time }, { case: 'fileVersion', value: 'brain.Event:2' })

export const summaryFrame = (place: EventPlace, ...values: ValueInit[]): Uint8Array =>
  frameOf(place, { case: 'summary', value: { value: values } })

export const scalarValue = (tag: string, value: number): ValueInit => ({
  tag,
  value: { case: 'simpleValue', value },
})

/** Limits are the upper ones; the extremes stand for the outer edges. */
export function histogramValue(tag: string, value: HistogramValue): ValueInit {
  const { edges, counts, minimum: min, maximum: max, sum, sumOfSquares: sumSquares } = value
  const num = counts.reduce((total, count) => total + count, 0)
  const histo = { min, max, num, sum, sumSquares, bucketLimit: edges.slice(1), bucket: [...counts] }
  return { tag, value: { case: 'histo', value: histo } }
}

const ofPlugin = (pluginName: string, content = new Uint8Array(0)) => ({ pluginData: { pluginName, content } })

const bytesOf = (text: string | number): Uint8Array => Buffer.from(String(text))

/** Files of one size. */
export const imagesValue = (
  tag: string,
  { width, height }: { readonly width: number; readonly height: number },
  files: readonly Uint8Array[],
): ValueInit => ({
  tag,
  metadata: ofPlugin('images'),
  value: { case: 'tensor', value: stringTensor([bytesOf(width), bytesOf(height), ...files]) },
})

/** Markdown. */
export const textValue = (tag: string, text: string): ValueInit => ({
  tag,
  metadata: ofPlugin('text'),
  value: { case: 'tensor', value: stringTensor([bytesOf(text)], true) },
})

export function prCurveValue(tag: string, value: PrCurveValue): ValueInit {
  const { thresholds, truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall } = value
  const rows = [truePositives, falsePositives, trueNegatives, falseNegatives, precision, recall]
  const data = create(PrCurvePluginDataSchema, { numThresholds: thresholds.length })
  return {
    tag,
    metadata: ofPlugin('pr_curves', toBinary(PrCurvePluginDataSchema, data)),
    value: { case: 'tensor', value: floatTensor([6, thresholds.length], rows.flat()) },
  }
}

type HParamsData = NonNullable<MessageInitShape<typeof HParamsPluginDataSchema>['data']>

const hyperparametersValue = (tag: string, data: HParamsData): ValueInit => ({
  tag: `_hparams_/${tag}`,
  metadata: ofPlugin('hparams', toBinary(HParamsPluginDataSchema, create(HParamsPluginDataSchema, { data }))),
  value: { case: 'tensor', value: floatTensor([0], []) },
})

export type Hyperparameters = Readonly<Record<string, number | string | boolean>>

/** TensorBoard's numbers of the types of hyper-parameters. */
const parameterTypes: Readonly<Record<string, number>> = { string: 1, boolean: 2, number: 3 }

/** Which columns there are of runs with hyper-parameters. */
export const experimentValue = (values: Hyperparameters, metrics: readonly string[], time: number): ValueInit =>
  hyperparametersValue('experiment', {
    case: 'experiment',
    value: {
      timeCreatedSecs: time / 1000,
      hparamInfos: Object.entries(values).map(([name, value]) => ({ name, type: parameterTypes[typeof value]! })),
      metricInfos: metrics.map((tag) => ({ name: { tag } })),
    },
  })

/** A run is a group of its own where a group has no name. */
export const sessionStartValue = (values: Hyperparameters, time: number): ValueInit =>
  hyperparametersValue('session_start_info', {
    case: 'sessionStartInfo',
    value: {
      startTimeSecs: time / 1000,
      hparams: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, parameterOf(value)])),
    },
  })

function parameterOf(value: number | string | boolean) {
  if (typeof value === 'number') return { kind: { case: 'numberValue', value } } as const
  if (typeof value === 'string') return { kind: { case: 'stringValue', value } } as const
  return { kind: { case: 'boolValue', value } } as const
}

export const sessionEndValue = (hasFailed: boolean, time: number): ValueInit =>
  hyperparametersValue('session_end_info', {
    case: 'sessionEndInfo',
    value: { status: hasFailed ? sessionFailed : sessionSucceeded, endTimeSecs: time / 1000 },
  })

/** TensorFlow's names of what is no operation. */
const graphOps: Readonly<Record<string, string>> = { input: 'Placeholder', parameter: 'VariableV2', output: 'Identity' }

/** By TensorFlow's numbers. */
const dataTypes: Readonly<Record<string, number>> = { float32: 1, float64: 2, int32: 3, uint8: 4, bool: 10 }

/** Names with slashes are scopes, and dots would be none: `layers.0/matmul` is in `layers/0`. */
const scoped = (name: string): string => name.replaceAll('.', '/')

type Attributes = Record<string, MessageInitShape<typeof AttrValueSchema>>

function attributesOf({ dtype, shape }: GraphNodeValue): Attributes {
  const sizes = { dim: shape.map((size) => ({ size: BigInt(size) })) }
  const shapes: Attributes = { _output_shapes: { value: { case: 'list', value: { shape: [sizes] } } } }
  const type = dataTypes[dtype]
  return type === undefined ? shapes : { ...shapes, dtype: { value: { case: 'type', value: type } } }
}

export function graphFrame(place: EventPlace, nodes: readonly GraphNodeValue[]): Uint8Array {
  const node = nodes.map((node) => ({
    name: scoped(node.name),
    op: graphOps[node.op] ?? node.op,
    input: node.inputs.map(scoped),
    attr: attributesOf(node),
  }))
  const graph = create(GraphDefSchema, { node, versions: { producer: 22 } })
  return frameOf(place, { case: 'graphDef', value: toBinary(GraphDefSchema, graph) })
}
