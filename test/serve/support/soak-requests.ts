/** What is asked in the soak, and how each answer is judged: rows in every form, what is to be refused, and what comes too late. */
import type { Random } from '../../fuzz/random.ts'
import type { Answer } from './soak-connection.ts'
import { alikeSlope, markedVersion, rowNumbers, rowOf } from './soak-rows.ts'

export interface Asked {
  /** Under which its outcome is counted: `marked`, `late`, `alike`, `bad`, `metrics`. */
  readonly name: string
  readonly bytes: Buffer
  /** What is wrong with an answer. */
  judge(answer: Answer): string | undefined
}

type Model = 'marked' | 'late' | 'alike'

/** What all answers have shown so far. */
export interface Seen {
  /** The greatest version of the model that is swapped. */
  version: number
  readonly slopes: Set<number>
}

const post = (path: string, body: string | Uint8Array, headers = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nhost: soak\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`),
    Buffer.from(body as Uint8Array),
  ])

const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: soak\r\n\r\n`)

const allowed: Readonly<Record<Model, readonly number[]>> = {
  marked: [200, 429],
  alike: [200, 429],
  late: [200, 504],
}

interface Output {
  readonly shape: readonly number[]
  readonly data?: readonly number[]
}

export class Requests {
  readonly seen: Seen = { version: 1, slopes: new Set() }
  /** How many there were. */
  count = 0
  #nextRow = 0
  #nextId = 0

  constructor(private readonly random: Random) {}

  /** The next one of a mixture: of a hundred so many of each kind. */
  next(): Asked {
    const { random } = this
    const place = (37 * this.count++) % 100
    if (place < 10) return this.bad()
    if (place === 10) return this.metrics()
    const model = place < 70 ? 'marked' : place < 90 ? 'alike' : 'late'
    return random.pick([this.json, this.json, this.bytes, this.rows, this.columns]).call(this, model)
  }

  #rows(): { first: number; rows: [number, number][] } {
    const first = this.#nextRow
    const count = 1 + this.random.below(4)
    this.#nextRow = (first + count) % (rowNumbers - 4)
    return { first, rows: Array.from({ length: count }, (_, i) => rowOf(first + i)) }
  }

  /** Rows as JSON of the Open Inference Protocol; this and the next three are forms of the same. */
  json(model: Model): Asked {
    const { first, rows } = this.#rows()
    const id = `request ${this.#nextId++}`
    const inputs = [{ name: 'x', shape: [rows.length, 2], datatype: 'FP32', data: rows.flat() }]
    const bytes = post(`/v2/models/${model}/infer`, JSON.stringify({ id, inputs }))
    return this.#asked(model, first, rows.length, bytes, (answer) => listsOf(id, JSON.parse(String(answer.body))))
  }

  /** Rows as bytes behind the JSON, and answers so as well. */
  bytes(model: Model): Asked {
    const { first, rows } = this.#rows()
    const id = `request ${this.#nextId++}`
    const data = Float32Array.from(rows.flat())
    const parameters = { binary_data_size: data.byteLength }
    const inputs = [{ name: 'x', shape: [rows.length, 2], datatype: 'FP32', parameters }]
    const json = Buffer.from(JSON.stringify({ id, inputs, parameters: { binary_data_output: true } }))
    const body = Buffer.concat([json, Buffer.from(data.buffer)])
    const headers = `inference-header-content-length: ${json.length}\r\n`
    return this.#asked(model, first, rows.length, post(`/v2/models/${model}/infer`, body, headers), (answer) => {
      const end = Number(/^inference-header-content-length: (\d+)/im.exec(answer.head)![1])
      const { outputs, ...rest } = JSON.parse(answer.body.toString('utf8', 0, end))
      const numbers = new Float32Array(Uint8Array.from(answer.body.subarray(end)).buffer)
      return listsOf(id, { ...rest, outputs: [{ ...outputs[0], data: [...numbers] }] })
    })
  }

  /** Rows as TensorFlow Serving takes them. */
  rows(model: Model): Asked {
    const { first, rows } = this.#rows()
    const bytes = post(`/v1/models/${model}:predict`, JSON.stringify({ instances: rows }))
    return this.#asked(model, first, rows.length, bytes, ({ body }) => JSON.parse(String(body)).predictions)
  }

  columns(model: Model): Asked {
    const { first, rows } = this.#rows()
    const bytes = post(`/v1/models/${model}:predict`, JSON.stringify({ inputs: { any: rows } }))
    return this.#asked(model, first, rows.length, bytes, ({ body }) => JSON.parse(String(body)).outputs)
  }

  /** @param listsIn the answers to the rows, in their order */
  #asked(
    model: Model,
    first: number,
    count: number,
    bytes: Buffer,
    listsIn: (answer: Answer) => readonly (readonly number[])[] | string,
  ): Asked {
    // Whoever was answered before this was asked had no later version than this one may have.
    const least = this.seen.version
    const judge = (answer: Answer) => {
      if (!allowed[model].includes(answer.status)) return `rows are ${answer.head}\n${answer.body}`
      if (answer.status !== 200) return errorOf(answer)
      const lists = listsIn(answer)
      if (typeof lists === 'string') return lists
      if (lists.length !== count) return `${lists.length} answers to ${count} rows`
      return lists.map((list, i) => this.#judgeRow(model, first + i, list, least)).find((text) => text !== undefined)
    }
    return { name: model, bytes, judge }
  }

  #judgeRow(model: Model, row: number, answer: readonly number[], least: number): string | undefined {
    const found = model === 'alike' ? alikeSlope(row, answer) : markedVersion(row, answer)
    if (typeof found === 'string') return found
    if (model === 'alike') this.seen.slopes.add(found)
    else if (found < least) return `row ${row} is of version ${found} after one of version ${least}`
    else this.seen.version = Math.max(this.seen.version, found)
    return undefined
  }

  /** What no server is to answer with anything but a reason; a full queue is one before it is looked at. */
  bad(): Asked {
    const [status, bytes] = this.random.pick(badRequests)
    return {
      name: 'bad',
      bytes,
      judge: (answer) =>
        answer.status === status || answer.status === 429
          ? errorOf(answer)
          : `${status} is expected, got ${answer.head}\n${answer.body}`,
    }
  }

  /** Counters that add up at any time. */
  metrics(): Asked {
    return {
      name: 'metrics',
      bytes: get('/metrics'),
      judge: ({ status, body }) =>
        status === 200
          ? ['marked', 'late', 'alike'].map((model) => sumFault(model, String(body))).find((text) => text !== undefined)
          : `the metrics are ${status}`,
    }
  }
}

function listsOf(id: string, json: { id?: unknown; outputs: readonly [Output] }): readonly number[][] | string {
  if (json.id !== id) return `an answer to ${json.id} where one to ${id} is expected`
  const [{ shape, data }] = json.outputs
  const [count, size] = shape as [number, number]
  if (data?.length !== count * size) return `${data?.length} numbers of shape ${shape}`
  return Array.from({ length: count }, (_, i) => data.slice(i * size, (i + 1) * size))
}

const errorOf = ({ body }: Answer): string | undefined => {
  const { error } = JSON.parse(String(body))
  return typeof error === 'string' && error.length > 0 ? undefined : `no reason in ${body}`
}

/** Requests are those that have ended, in one way each, and those of which rows wait or are computed. */
function sumFault(model: string, text: string): string | undefined {
  const counted = (name: string) =>
    Number(RegExp(`^galvani_${name}\\{model="${model}"[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1])
  const ended = ['answered', 'rejected', 'timed_out', 'aborted', 'failed'].map((name) => counted(`${name}_total`))
  const pending = counted('requests_total') - ended.reduce((sum, count) => sum + count)
  const most = counted('queued') + counted('in_flight')
  return pending >= 0 && pending <= most ? undefined : `${pending} requests of ${model} are pending in ${most} rows`
}

const inference = (input: object, rest: object = {}) =>
  post('/v2/models/marked/infer', JSON.stringify({ inputs: [input], ...rest }))
const input = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }
const text = (body: string) => post('/v2/models/marked/infer', body)
const behind = (json: object, bytes: Uint8Array) => {
  const head = Buffer.from(JSON.stringify(json))
  const headers = `inference-header-content-length: ${head.length}\r\n`
  return post('/v2/models/marked/infer', Buffer.concat([head, bytes]), headers)
}
const binary = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } }] }

/** Each with its status; none of them ends the connection. */
const badRequests: readonly (readonly [status: number, bytes: Buffer])[] = [
  // Shapes, and numbers that are none.
  [400, inference({ ...input, shape: [2, 1] })],
  [400, inference({ ...input, shape: [1, 3], data: [1, 2, 3] })],
  [400, inference({ ...input, shape: [2] })],
  [400, inference({ ...input, shape: [1e9, 1e9] })],
  [400, inference({ ...input, data: [1] })],
  [400, inference({ ...input, data: [1, null] })],
  [400, inference({ ...input, datatype: '__proto__' })],
  [400, inference({ ...input, data: ['1', '2'] })],
  [400, behind(binary, new Uint8Array(Float32Array.of(Number.NaN, 1).buffer))],
  [400, behind(binary, new Uint8Array(Float32Array.of(1, -Infinity).buffer))],
  [400, behind(binary, new Uint8Array(7))],
  [400, text('{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1e999,1]}]}')],
  // What is no JSON, or more than it seems.
  [400, text('')],
  [400, text('{"inputs":')],
  [400, text('NaN')],
  [400, text('[]')],
  [400, text('"\\ud800"')],
  [400, text(`{"inputs":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)],
  [400, text(`{"__proto__":{"inputs":[${JSON.stringify(input)}]}}`)],
  [400, text(`{"inputs":[{"constructor":{"prototype":{"shape":[1]}},"__proto__":${JSON.stringify(input)}}]}`)],
  [400, post('/v2/models/marked/infer', Buffer.from([0x7b, 0xff, 0x7d]))],
  [400, post('/v1/models/marked:predict', '{"instances":[[1,2],[3]]}')],
  [400, post('/v1/models/marked:predict', '{"instances":[[1,2]],"inputs":[[1,2]]}')],
  [400, inference(input, { id: 7 })],
  [400, inference(input, { outputs: [{ name: 'none' }] })],
  // Other places, and more than is taken.
  [404, post('/v2/models/none/infer', '{}')],
  [404, post('/v2/models/__proto__/infer', '{}')],
  [404, get('/v2/models/marked/versions/0')],
  [400, get('/v2/models/%E0%A4%A')],
  [405, get('/v2/models/marked/infer')],
  [413, inference({ ...input, shape: [17, 2], data: new Array(34).fill(0) })],
]
