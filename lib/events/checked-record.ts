/** What somebody else wrote as a record, as the record that it is: whoever reads one finds the types that it promises. */
import { describe } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import type { RunRecord, RunRecords } from './record.ts'

/** Gives the value as it has to be; `where` it stands is for messages. */
type Check<T> = (value: unknown, where: string) => T

function refuse(where: string, what: string, got: unknown): never {
  throw new DataFormatError(expected('records', `${what} as ${where}`, short(describe(got))))
}

const short = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 79)}…`)

const notFinite: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

const number: Check<number> = (value, where) => {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && Object.hasOwn(notFinite, value)) return notFinite[value]!
  return refuse(where, 'a number', value)
}

const count: Check<number> = (value, where) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse(where, 'a natural number', value)

const text: Check<string> = (value, where) => (typeof value === 'string' ? value : refuse(where, 'a text', value))

const truth: Check<boolean> = (value, where) =>
  typeof value === 'boolean' ? value : refuse(where, 'true or false', value)

const plain: Check<number | string | boolean> = (value, where) =>
  ['number', 'string', 'boolean'].includes(typeof value)
    ? (value as number | string | boolean)
    : refuse(where, 'a number, a text or a truth', value)

const oneOf =
  <T extends string | number>(...choices: readonly T[]): Check<T> =>
  (value, where) =>
    choices.includes(value as T) ? (value as T) : refuse(where, choices.join(', '), value)

const list =
  <T>(of: Check<T>): Check<T[]> =>
  (value, where) =>
    Array.isArray(value) ? value.map((x) => of(x, where)) : refuse(where, 'a list', value)

/** Values by any name, `__proto__` too. */
const named =
  <T>(of: Check<T>): Check<Record<string, T>> =>
  (value, where) => {
    const entries = Object.entries(object(value, where))
    return Object.fromEntries(entries.map(([name, x]) => [name, of(x, `${where}.${short(name)}`)]))
  }

const object: Check<object> = (value, where) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : refuse(where, 'an object', value)

interface Optional<T> {
  readonly optional: Check<T>
}

const optional = <T>(check: Check<T>): Optional<T> => ({ optional: check })

type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Optional<Exclude<T[K], undefined>> : Check<T[K]>
}

/** An object of these fields; others are left out. */
function fields<T extends object>(of: Fields<T>): Check<T> {
  const rows = Object.entries(of).map(([name, check]) => {
    const isOptional = typeof check === 'object'
    return { name, check: (isOptional ? (check as Optional<unknown>).optional : check) as Check<unknown>, isOptional }
  })
  return (value, where) => {
    const given = object(value, where) as Readonly<Record<string, unknown>>
    const found: Record<string, unknown> = {}
    for (const { name, check, isOptional } of rows) {
      const x = Object.hasOwn(given, name) ? given[name] : undefined
      if (x === undefined && isOptional) continue
      found[name] = check(x, where === '' ? name : `${where}.${name}`)
    }
    return found as T
  }
}

/** A check that holds something more of what another one gives. */
const such =
  <T>(check: Check<T>, what: string, holds: (value: T) => boolean): Check<T> =>
  (value, where) => {
    const found = check(value, where)
    return holds(found) ? found : refuse(where, what, value)
  }

const place = { step: count, epoch: optional(number), time: number }

const png = such(
  text,
  'a PNG in base64',
  (x) => x.startsWith('iVBORw0KGgo') && x.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(x),
)

const image = fields<RunRecords['images']['images'][number]>({
  width: such(count, 'a width', (x) => x > 0),
  height: such(count, 'a height', (x) => x > 0),
  channels: oneOf(1, 3, 4),
  png,
})

const histogram = such(
  fields<RunRecords['histogram']['value']>({
    edges: list(number),
    counts: list(number),
    minimum: number,
    maximum: number,
    sum: number,
    sumOfSquares: number,
    notFinite: number,
  }),
  'a histogram with an edge more than counts',
  ({ edges, counts }) => edges.length === counts.length + 1,
)

const curve = such(
  fields<RunRecords['prCurve']['value']>({
    thresholds: list(number),
    truePositives: list(number),
    falsePositives: list(number),
    trueNegatives: list(number),
    falseNegatives: list(number),
    precision: list(number),
    recall: list(number),
  }),
  'lists of equal length',
  ({ thresholds, ...others }) => Object.values(others).every(({ length }) => length === thresholds.length),
)

const example = fields<RunRecords['examples']['examples'][number]>({
  row: count,
  label: count,
  predicted: count,
  probability: number,
  image: optional(image),
})

const graphNode = fields<RunRecords['graph']['nodes'][number]>({
  name: text,
  op: text,
  inputs: list(text),
  dtype: text,
  shape: list(count),
})

function areLinked(nodes: RunRecords['graph']['nodes']): boolean {
  const names = new Set(nodes.map(({ name }) => name))
  return names.size === nodes.length && nodes.every(({ inputs }) => inputs.every((name) => names.has(name)))
}

const isSquare = ({ labels, counts }: RunRecords['confusion']): boolean =>
  counts.length === labels.length && counts.every((row) => row.length === labels.length)

const checks: { readonly [Type in keyof RunRecords]: Check<RunRecords[Type]> } = {
  run: fields<RunRecords['run']>({
    name: text,
    epochs: optional(count),
    parameters: optional(count),
    controls: optional(truth),
    step: optional(count),
  }),
  hyperparameters: fields<RunRecords['hyperparameters']>({ values: named(plain) }),
  scalars: fields<RunRecords['scalars']>({ ...place, values: named(number) }),
  histogram: fields<RunRecords['histogram']>({ ...place, tag: text, value: histogram }),
  images: fields<RunRecords['images']>({ ...place, tag: text, images: list(image) }),
  text: fields<RunRecords['text']>({ ...place, tag: text, text }),
  prCurve: fields<RunRecords['prCurve']>({ ...place, tag: text, value: curve }),
  confusion: such(
    fields<RunRecords['confusion']>({ ...place, labels: list(text), counts: list(list(count)) }),
    'as many rows and columns as labels',
    isSquare,
  ),
  examples: fields<RunRecords['examples']>({ ...place, labels: list(text), examples: list(example) }),
  graph: such(
    fields<RunRecords['graph']>({ nodes: list(graphNode) }),
    'nodes of different names that read each other',
    ({ nodes }) => areLinked(nodes),
  ),
  program: fields<RunRecords['program']>({
    title: text,
    instructions: list(
      fields<RunRecords['program']['instructions'][number]>({
        opcode: text,
        text,
        bytes: number,
        flops: number,
        microseconds: optional(number),
        limitMicroseconds: optional(number),
      }),
    ),
    gigaflops: optional(number),
    gigabytesPerSecond: optional(number),
  }),
  system: fields<RunRecords['system']>({
    ...place,
    rss: number,
    eventLoopDelay: number,
    processors: number,
    threads: number,
  }),
  end: fields<RunRecords['end']>({ time: number, state: oneOf('ended', 'stopped', 'failed'), message: optional(text) }),
}

/**
 * A record of what `JSON.parse` gave: what it has beside what records have is left out, and numbers that are not finite are such again.
 * @throws DataFormatError for what is none
 */
export function checkedRecord(value: unknown): RunRecord {
  const { type } = object(value, 'a record') as { readonly type?: unknown }
  if (typeof type !== 'string' || !Object.hasOwn(checks, type))
    return refuse('type', `one of ${Object.keys(checks).join(', ')}`, type)
  return { type, ...checks[type as keyof RunRecords](value, '') } as RunRecord
}
