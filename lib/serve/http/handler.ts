/** The models of a service over HTTP, as a plain `(request, response)` function. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkInteger, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { checkRecord, isPlainObject, type OptionTypes, requireOptions } from '../../base/options.ts'
import { version } from '../../base/version.ts'
import type { InputValues, RowValues } from '../inputs.ts'
import { Predictor } from '../predictor.ts'
import { prometheusText } from '../statistics.ts'
import { jsonOf, readBody } from './body.ts'
import { datatypeOf } from './datatypes.ts'
import { inferenceReply, inferenceRequest } from './inference.ts'
import { openApiDocument } from './open-api.ts'
import { errorReply, HttpError, jsonReply, type Reply, send, textReply } from './reply.ts'
import { describedOutputs, namedResults } from './results.ts'
import { predictReply, predictRows } from './tensorflow-serving.ts'

/** A model by its versions, which are numbers as texts; the greatest is the one that is meant where none is named. */
export type ModelVersions = Readonly<Record<string, Predictor>>

/** What a request may be at most. */
export interface HandlerLimits {
  /** Bytes of a body at most; 8 MiB unless given. */
  maxBody?: number
  /** Rows of a request at most; 1024 unless given. */
  maxRows?: number
  /** Milliseconds in which a body has to be there; 10,000 unless given. */
  bodyTimeout?: number
}

export interface HandlerOptions extends HandlerLimits {
  /** The predictors by the names of models, or by versions of them. */
  models: Readonly<Record<string, Predictor | ModelVersions>>
}

export const limitOptions: OptionTypes<HandlerLimits> = { maxBody: 'number', maxRows: 'number', bodyTimeout: 'number' }

const handlerOptions: OptionTypes<HandlerOptions> = { ...limitOptions, models: 'other' }

/** @throws TypeError, RangeError for limits that are none */
export function limitsOf(op: string, given: HandlerLimits): Required<HandlerLimits> {
  const { maxBody = 8 * 2 ** 20, maxRows = 1024, bodyTimeout = 10_000 } = given
  checkInteger(op, 'an integer maxBody of at least 1', maxBody, 1)
  checkInteger(op, 'an integer maxRows of at least 1', maxRows, 1)
  checkInteger(op, 'an integer bodyTimeout of at least 1', bodyTimeout, 1)
  return { maxBody, maxRows, bodyTimeout }
}

const op = 'handler'

interface Call {
  readonly request: IncomingMessage
  readonly signal: AbortSignal
}

interface Served {
  readonly name: string
  readonly version: string
  readonly predictor: Predictor
}

type Route = readonly [
  method: string,
  pattern: RegExp,
  answer: (call: Call, ...parts: string[]) => Reply | Promise<Reply>,
]

const model = '/models/([^/]+)(?:/versions/([^/]+))?'

class Handler {
  readonly #routes: readonly Route[]

  constructor(
    private readonly models: HandlerOptions['models'],
    private readonly limits: Required<HandlerLimits>,
    private readonly isDraining: () => boolean,
  ) {
    this.#routes = [
      ['GET', /^\/v2\/?$/, () => jsonReply({ name: 'galvani', version, extensions: ['binary_tensor_data'] })],
      ['GET', /^\/v2\/health\/live$/, () => jsonReply({ live: true })],
      [
        'GET',
        /^\/v2\/health\/ready$/,
        () =>
          readiness(
            {},
            this.#all().every(({ predictor }) => predictor.ready),
          ),
      ],
      ['GET', RegExp(`^/v2${model}/ready$`), (_, ...path) => this.#readiness(...path)],
      ['GET', RegExp(`^/v2${model}$`), (_, ...path) => this.#description(...path)],
      ['POST', RegExp(`^/v2${model}/infer$`), (call, ...path) => this.#infer(call, ...path)],
      ['POST', RegExp(`^/v1${model}:predict$`), (call, ...path) => this.#predict(call, ...path)],
      ['GET', RegExp(`^/v1${model}$`), (_, ...path) => this.#status(...path)],
      ['GET', /^\/metrics$/, () => this.#metrics()],
      ['GET', /^\/openapi\.json$/, () => jsonReply(openApiDocument(this.#all().map(({ name }) => name)))],
    ]
  }

  /** @param url the path, where it is not that of the request */
  async handle(request: IncomingMessage, response: ServerResponse, url = request.url): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new HttpError(499, 'the client is gone'))
    })
    const isHead = request.method === 'HEAD'
    try {
      send(response, await this.#answer({ request, signal: gone.signal }, isHead ? 'GET' : request.method, url), isHead)
    } catch (error) {
      send(response, errorReply(error), isHead)
    }
  }

  #answer(call: Call, method = '', url = '/'): Reply | Promise<Reply> {
    const path = pathOf(url)
    const matching = this.#routes.filter(([, pattern]) => pattern.test(path))
    if (matching.length === 0) throw new HttpError(404, `no such path: ${path.slice(0, 200)}`)
    const route = matching.find(([allowed]) => allowed === method)
    if (route === undefined)
      throw new HttpError(405, `${path.slice(0, 200)} does not take ${method}`, {
        allow: matching.map(([allowed]) => allowed).join(', '),
      })
    const [, pattern, answer] = route
    return answer(call, ...pattern.exec(path)!.slice(1).map(decoded))
  }

  #all(): Served[] {
    return Object.keys(this.models).flatMap((name) => this.#versions(name))
  }

  #versions(name: string): Served[] {
    const found = this.models[name]!
    if (found instanceof Predictor) return [{ name, version: String(found.version), predictor: found }]
    return Object.keys(found)
      .toSorted((a, b) => Number(a) - Number(b))
      .map((version) => ({ name, version, predictor: found[version]! }))
  }

  /** @throws HttpError 404 for a model, or a version of it, that there is not */
  #find(name = '', wanted?: string): Served {
    if (!Object.hasOwn(this.models, name)) throw new HttpError(404, `no model ${name.slice(0, 200)}`)
    const versions = this.#versions(name)
    const found = wanted === undefined ? versions.at(-1) : versions.find((other) => other.version === wanted)
    if (found === undefined) throw new HttpError(404, `no version ${wanted?.slice(0, 200)} of ${name}`)
    return found
  }

  #readiness(...path: string[]): Reply {
    const { name, predictor } = this.#find(...path)
    return readiness({ name }, !this.isDraining() && predictor.ready)
  }

  #description(...path: string[]): Reply {
    const { name, predictor } = this.#find(...path)
    const inputs = predictor.inputs.map((spec) => ({
      name: spec.name === '' ? 'input' : spec.name,
      datatype: datatypeOf(spec.dtype),
      shape: [-1, ...spec.shape.map((extent) => extent ?? -1)],
    }))
    const versions = this.#versions(name).map((each) => each.version)
    return jsonReply({ name, versions, platform: 'galvani', inputs, outputs: describedOutputs(predictor) })
  }

  async #infer({ request, signal }: Call, ...path: string[]): Promise<Reply> {
    this.#find(...path)
    const body = await readBody(request, this.limits)
    // Another one may have taken its place while the body came.
    const served = this.#find(...path)
    const { predictor } = served
    const inference = inferenceRequest(body, request.headers, predictor.inputs)
    const rows = predictor.inputs.map(({ name }) => [name, inference.inputs.get(name)!] as const)
    const given = rows[0]![0] === '' ? rows[0]![1] : Object.fromEntries(rows)
    const answers = await this.#rowsOf(predictor, given, signal)
    return inferenceReply(served, inference, namedResults(predictor, answers))
  }

  async #predict({ request, signal }: Call, ...path: string[]): Promise<Reply> {
    this.#find(...path)
    const body = jsonOf(await readBody(request, this.limits))
    const { predictor } = this.#find(...path)
    const { rows, isColumnar } = predictRows(body, predictor.inputs)
    const answers = await this.#rowsOf(predictor, rows, signal)
    return predictReply(namedResults(predictor, answers), isColumnar)
  }

  /** The answers to several rows, also where it is one. */
  async #rowsOf(predictor: Predictor, given: RowValues, signal: AbortSignal): Promise<readonly unknown[]> {
    const count = rowCount(given)
    if (count > this.limits.maxRows)
      throw new HttpError(413, `at most ${this.limits.maxRows} rows in a request are expected, got ${count}`)
    const answers = await predictor.predict(given, { signal })
    if (!Array.isArray(answers)) throw new HttpError(400, 'rows are expected, with the number of them as first extent')
    return answers
  }

  #status(...path: string[]): Reply {
    const { name } = this.#find(...path)
    const wanted = path[1]
    const states = this.#versions(name)
      .filter(({ version }) => wanted === undefined || version === wanted)
      .map(({ version, predictor }) => ({
        version,
        state: predictor.ready ? 'AVAILABLE' : 'LOADING',
        status: { error_code: 'OK', error_message: '' },
      }))
    return jsonReply({ model_version_status: states })
  }

  #metrics(): Reply {
    const all = this.#all().map(({ name, version, predictor }) => predictor.described({ model: name, version }))
    return textReply(prometheusText(all), 'text/plain; version=0.0.4; charset=utf-8')
  }
}

const readiness = (what: object, ready: boolean): Reply => jsonReply({ ...what, ready }, ready ? 200 : 503)

/** The extent of the first axis of the first input. */
function rowCount(given: RowValues): number {
  const [first] = isPlainObject(given) ? Object.values(given) : [given]
  const { shape, length } = first as InputValues & { shape?: readonly number[]; length?: number }
  return shape?.[0] ?? length ?? 1
}

function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** @throws HttpError 400 for a bad percent-encoding */
function decoded(part: string | undefined): string {
  if (part === undefined) return undefined as never
  try {
    return decodeURIComponent(part)
  } catch {
    throw new HttpError(400, 'a path in percent-encoding is expected')
  }
}

function checkModels(models: HandlerOptions['models']): void {
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

/**
 * A function for `http.createServer`, or a route of any framework that has Node's request and response: the Open Inference Protocol (`/v2`), TensorFlow
 * Serving's `:predict` (`/v1`), `/metrics` for Prometheus, and `/openapi.json`. What `models` holds is looked at for each request, so that a model may be
 * added, replaced or taken away.
 *
 * @throws TypeError for what are no predictors
 *
 * @example
 * const server = http.createServer(handler({ models: { digits: await predictor(model, { inputShape: [784] }) } }))
 */
export function handler(options: HandlerOptions, ...surplus: []): Handle {
  const handle = pathHandlerOf(options, ...surplus)
  return (request, response) => handle(request, response)
}

/** The same for who knows the path better than the request does. */
export function pathHandlerOf(options: HandlerOptions, ...surplus: []): Handler['handle'] {
  const given = requireOptions(op, options, handlerOptions, ['models'], surplus)
  checkModels(given.models)
  const made = new Handler(given.models, limitsOf(op, given), () => false)
  return (request, response, url) => made.handle(request, response, url)
}

export type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Of a service, which says when it ends. */
export function handlerOf(
  models: HandlerOptions['models'],
  limits: Required<HandlerLimits>,
  isDraining: () => boolean,
): Handle {
  const made = new Handler(models, limits, isDraining)
  return (request, response) => made.handle(request, response)
}
