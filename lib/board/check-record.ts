/** Whether what a line of a file says is a record: the page shows what it is given, so all of it has to be of its type. */
import { isPlainObject } from '../base/options.ts'
import type { RunRecord } from '../events/record.ts'

type Test = (value: unknown) => boolean

const text: Test = (x) => typeof x === 'string'
const truth: Test = (x) => typeof x === 'boolean'
const finite: Test = (x) => Number.isFinite(x)
/** JSON has no word for what is no finite number but null. */
const number: Test = (x) => x === null || typeof x === 'number'
const natural: Test = (x) => Number.isSafeInteger(x) && (x as number) >= 0
const list =
  (test: Test): Test =>
  (x) =>
    Array.isArray(x) && x.every(test)
const valuesOf =
  (test: Test): Test =>
  (x) =>
    isPlainObject(x) && Object.values(x).every(test)
const oneOf =
  (...values: unknown[]): Test =>
  (x) =>
    values.includes(x)
const optional =
  (test: Test): Test =>
  (x) =>
    x === undefined || test(x)
/** Names beside these may stand there too: of a later version. */
const object = (tests: Readonly<Record<string, Test>>): Test => {
  const entries = Object.entries(tests)
  return (x) => isPlainObject(x) && entries.every(([name, test]) => test((x as Record<string, unknown>)[name]))
}

const place = { step: finite, epoch: optional(number), time: finite }
const base64: Test = (x) => typeof x === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(x)
const image = object({ width: natural, height: natural, channels: oneOf(1, 3, 4), png: base64 })

const histogram = object({
  edges: list(number),
  counts: list(number),
  minimum: number,
  maximum: number,
  sum: number,
  sumOfSquares: number,
  notFinite: number,
})

const example = object({
  row: natural,
  label: finite,
  predicted: finite,
  probability: number,
  image: optional(image),
})

const node = object({ name: text, op: text, inputs: list(text), dtype: text, shape: list(finite) })

const instruction = object({
  opcode: text,
  text,
  bytes: number,
  flops: number,
  microseconds: optional(number),
  limitMicroseconds: optional(number),
})

const curve = object({
  thresholds: list(number),
  truePositives: list(number),
  falsePositives: list(number),
  trueNegatives: list(number),
  falseNegatives: list(number),
  precision: list(number),
  recall: list(number),
})

const parameter: Test = (x) => number(x) || text(x) || truth(x)

const tests: { readonly [Type in RunRecord['type']]: Test } = {
  run: object({
    name: text,
    epochs: optional(finite),
    parameters: optional(finite),
    controls: optional(truth),
  }),
  hyperparameters: object({ values: valuesOf(parameter) }),
  scalars: object({ ...place, values: valuesOf(number) }),
  histogram: object({ ...place, tag: text, value: histogram }),
  images: object({ ...place, tag: text, images: list(image) }),
  text: object({ ...place, tag: text, text }),
  prCurve: object({ ...place, tag: text, value: curve }),
  confusion: object({ ...place, labels: list(text), counts: list(list(number)) }),
  examples: object({ ...place, labels: list(text), examples: list(example) }),
  graph: object({ nodes: list(node) }),
  program: object({
    title: text,
    instructions: list(instruction),
    gigaflops: optional(number),
    gigabytesPerSecond: optional(number),
  }),
  system: object({ ...place, rss: number, eventLoopDelay: number, processors: number, threads: number }),
  end: object({ time: finite, state: oneOf('ended', 'stopped', 'failed'), message: optional(text) }),
}

/** The record that a value is; undefined for one of a type that is not known here, which a later version may write. */
export function recordIn(value: unknown): RunRecord | undefined {
  if (!isPlainObject(value) || typeof (value as { type?: unknown }).type !== 'string')
    throw new TypeError('no object with a type')
  const { type } = value as { type: string }
  if (!Object.hasOwn(tests, type)) return undefined
  if (!tests[type as RunRecord['type']](value)) throw new TypeError(`no record of type ${type}`)
  return value as RunRecord
}

export const isRecordType = (type: string): type is RunRecord['type'] => Object.hasOwn(tests, type)
