/** The models of a service over HTTP, as a plain `(request, response)` function. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Abortable } from '../../base/abort.ts'
import { checkInteger } from '../../base/arguments.ts'
import { Deadlines } from '../../base/deadlines.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { learningText } from '../learning-statistics.ts'
import { invalid, RequestError } from '../protocol/faults.ts'
import { allOutputs, type Models, type ModelsByName, modelsOf, type RowLimit, server } from '../protocol/models.ts'
import { prometheusText } from '../statistics.ts'
import { type BodyLimits, jsonOf, Room, readBody } from './body.ts'
import { endUnlessTaken, turnOf } from './clients.ts'
import { inferenceReply, inferenceRequest } from './inference.ts'
import { checkTrainers, Learning, type TrainersByName } from './learning.ts'
import { openApiDocument } from './open-api.ts'
import { errorReply, faultReply, HttpError, jsonReply, type Reply, send, textReply } from './reply.ts'
import { predictReply, predictRows } from './tensorflow-serving.ts'

/** What a request may be at most. */
export interface HandlerLimits extends RowLimit {
  /** Bytes of a body at most; 8 MiB unless given. */
  maxBody?: number
  /** Bytes of all bodies that are on their way at a time at most; 32 times `maxBody` unless given. */
  maxBodies?: number
  /** Milliseconds in which a body has to be there, looked at in eighths of them; 10,000 unless given. */
  bodyTimeout?: number
  /** Milliseconds in which a client has to take its answer; 60,000 unless given. */
  answerTimeout?: number
}

export interface HandlerOptions extends HandlerLimits {
  /** The predictors by the names of models, or by versions of them. */
  models: ModelsByName
  /** What models learn by, over the same server: whoever can reach it can teach them. None unless given. */
  trainers?: TrainersByName
}

export const limitOptions: OptionTypes<HandlerLimits> = {
  maxBody: 'number',
  maxBodies: 'number',
  maxRows: 'number',
  bodyTimeout: 'number',
  answerTimeout: 'number',
}

const handlerOptions: OptionTypes<HandlerOptions> = { ...limitOptions, models: 'other', trainers: 'other' }

export interface Limits extends BodyLimits {
  readonly answerTimeout: number
}

/** @throws TypeError, RangeError for limits that are none */
export function limitsOf(op: string, given: HandlerLimits): Limits {
  const { maxBody = 8 * 2 ** 20, bodyTimeout = 10_000, answerTimeout = 60_000 } = given
  const { maxBodies = 32 * maxBody } = given
  checkInteger(op, 'an integer maxBody of at least 1', maxBody, 1)
  checkInteger(op, 'an integer maxBodies of at least maxBody', maxBodies, maxBody)
  checkInteger(op, 'an integer bodyTimeout of at least 1', bodyTimeout, 1)
  checkInteger(op, 'an integer answerTimeout of at least 1', answerTimeout, 1)
  return { maxBody, bodyTimes: new Deadlines(bodyTimeout), answerTimeout, room: new Room(maxBodies) }
}

const op = 'handler'

interface Call {
  readonly request: IncomingMessage
  readonly signal: Abortable
}

/** Aborted once the client of a response is gone: an AbortController for each request would cost more than its routing and parsing. */
class ClientSignal implements Abortable {
  readonly isOfOneCall = true
  #reason: RequestError | undefined

  constructor(private readonly response: ServerResponse) {}

  throwIfAborted(): void {
    const { destroyed, writableFinished } = this.response
    if (!destroyed || writableFinished) return
    // One and the same, however often it is asked.
    this.#reason ??= new RequestError('gone', 'the client is gone')
    throw this.#reason
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.response.on('close', listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.response.off('close', listener)
  }
}

type Route = readonly [
  method: string,
  pattern: RegExp,
  answer: (call: Call, ...parts: string[]) => Reply | Promise<Reply>,
]

const model = '/models/([^/]+)(?:/versions/([^/]+))?'
/** Of the paths of trainers, which know no versions. */
const trained = '/models/([^/]+)'

/** A route with the parts of a path. */
interface Found {
  readonly answer: Route[2]
  readonly parts: readonly string[]
}

/** Addresses, and the length of one, of which it is kept what they mean. */
const [mostRemembered, longestRemembered] = [256, 512]

class Handler {
  readonly #routes: readonly Route[]
  readonly #found = new Map<string, Found>()

  constructor(
    private readonly models: Models,
    private readonly limits: Limits,
    private readonly learning = new Learning({}, models.maxRows),
  ) {
    this.#routes = [
      ['GET', /^\/v2\/?$/, () => jsonReply({ ...server, extensions: ['binary_tensor_data'] })],
      ['GET', /^\/v2\/health\/live$/, () => jsonReply({ live: true })],
      ['GET', /^\/v2\/health\/ready$/, () => readiness({}, models.ready)],
      ['GET', RegExp(`^/v2${model}/ready$`), (_, ...path) => this.#readiness(...path)],
      ['GET', RegExp(`^/v2${model}$`), (_, ...path) => jsonReply(models.describe(models.find(...path)))],
      ['POST', RegExp(`^/v2${model}/infer$`), (call, ...path) => this.#infer(call, ...path)],
      ['POST', RegExp(`^/v1${model}:predict$`), (call, ...path) => this.#predict(call, ...path)],
      ['POST', RegExp(`^/v2${trained}/learn$`), (call, name) => this.#learnTensors(call, name)],
      ['GET', RegExp(`^/v2${trained}/learn$`), (_, name) => jsonReply(this.learning.find(name).statistics())],
      ['POST', RegExp(`^/v2${trained}/learn/rollback$`), (call, name) => this.#rollback(call, name)],
      ['POST', RegExp(`^/v1${trained}:learn$`), (call, name) => this.#learnRows(call, name)],
      ['GET', RegExp(`^/v1${model}$`), (_, ...path) => this.#status(...path)],
      ['GET', /^\/metrics$/, () => this.#metrics()],
      ['GET', /^\/openapi\.json$/, () => this.#document()],
    ]
  }

  /** @param url the path, where it is not that of the request */
  async handle(request: IncomingMessage, response: ServerResponse, url = request.url): Promise<void> {
    const turn = turnOf(request, response)
    if (turn !== undefined) await turn
    if (request.socket.destroyed) return
    const call = { request, signal: new ClientSignal(response) }
    const isHead = request.method === 'HEAD'
    try {
      send(response, await this.#answer(call, isHead ? 'GET' : request.method, url), isHead)
    } catch (error) {
      send(response, errorReply(error), isHead)
    }
    endUnlessTaken(response, this.limits.answerTimeout)
  }

  #answer(call: Call, method = '', url = '/'): Reply | Promise<Reply> {
    const key = `${method} ${url}`
    const found = this.#found.get(key) ?? this.#remember(key, this.#find(method, pathOf(url)))
    return found.answer(call, ...found.parts)
  }

  /** Clients ask for the same few addresses again and again; whoever asks for many others gains nothing, and takes no memory. */
  #remember(key: string, found: Found): Found {
    if (key.length > longestRemembered) return found
    if (this.#found.size >= mostRemembered) this.#found.clear()
    this.#found.set(key, found)
    return found
  }

  /** @throws HttpError for a path that there is not, or not for the method; RequestError for a bad percent-encoding */
  #find(method: string, path: string): Found {
    for (const [allowed, pattern, answer] of this.#routes) {
      const found = allowed === method ? pattern.exec(path) : null
      if (found !== null) return { answer, parts: found.slice(1).map(decoded) }
    }
    const others = this.#routes.filter(([, pattern]) => pattern.test(path))
    if (others.length === 0) throw new HttpError(404, `no such path: ${path.slice(0, 200)}`)
    const allow = others.map(([allowed]) => allowed).join(', ')
    throw new HttpError(405, `${path.slice(0, 200)} does not take ${method}`, { allow })
  }

  #readiness(...path: string[]): Reply {
    const served = this.models.find(...path)
    return readiness({ name: served.name }, this.models.isReady(served))
  }

  async #infer({ request, signal }: Call, ...path: string[]): Promise<Reply> {
    const refusal = this.models.find(...path).predictor.refusal()
    if (refusal !== undefined) return faultReply('full', refusal)
    const body = await readBody(request, this.limits)
    // Another one may have taken its place while the body came.
    const served = this.models.find(...path)
    const inference = inferenceRequest(body, request.headers, served.predictor.inputs, this.models.maxRows)
    const results = await this.models.answer(served, inference.rows, inference.outputs, signal)
    return inferenceReply(served, inference, results)
  }

  async #predict({ request, signal }: Call, ...path: string[]): Promise<Reply> {
    const refusal = this.models.find(...path).predictor.refusal()
    if (refusal !== undefined) return faultReply('full', refusal)
    const body = jsonOf(await readBody(request, this.limits))
    const served = this.models.find(...path)
    const { rows, isColumnar } = predictRows(body, served.predictor.inputs)
    return predictReply(await this.models.answer(served, rows, allOutputs, signal), isColumnar)
  }

  async #learnTensors({ request }: Call, name?: string): Promise<Reply> {
    this.learning.find(name)
    const body = await readBody(request, this.limits)
    return this.learning.tensors(this.learning.find(name), body, request.headers)
  }

  async #learnRows({ request }: Call, name?: string): Promise<Reply> {
    this.learning.find(name)
    const body = jsonOf(await readBody(request, this.limits))
    return this.learning.rows(this.learning.find(name), body)
  }

  async #rollback({ request }: Call, name?: string): Promise<Reply> {
    this.learning.find(name)
    const body = jsonOf(await readBody(request, this.limits))
    return this.learning.rollback(this.learning.find(name), body)
  }

  #status(...path: string[]): Reply {
    const { name } = this.models.find(...path)
    const wanted = path[1]
    const states = this.models
      .versions(name)
      .filter(({ version }) => wanted === undefined || version === wanted)
      .map(({ version, predictor }) => ({
        version,
        state: predictor.ready ? 'AVAILABLE' : 'LOADING',
        status: { error_code: 'OK', error_message: '' },
      }))
    return jsonReply({ model_version_status: states })
  }

  #document(): Reply {
    const names = this.models.all.map(({ name }) => name)
    return jsonReply(openApiDocument(names, this.learning.names))
  }

  #metrics(): Reply {
    const all = this.models.all.map(({ labels, predictor }) => predictor.described(labels))
    const { described } = this.learning
    const text = prometheusText(all) + (described.length === 0 ? '' : learningText(described))
    return textReply(text, 'text/plain; version=0.0.4; charset=utf-8')
  }
}

const readiness = (what: object, ready: boolean): Reply => jsonReply({ ...what, ready }, ready ? 200 : 503)

/** Also of a whole address, as it is sent to proxies: RFC 9112, 3.2.2. */
function pathOf(url: string): string {
  const [path] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)
  return path!
}

/** @throws RequestError for a bad percent-encoding */
function decoded(part: string | undefined): string {
  if (part === undefined) return undefined as never
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('a path in percent-encoding is expected')
  }
}

/**
 * A function for `http.createServer`, or a route of any framework that has Node's request and response: the Open Inference Protocol (`/v2`), TensorFlow
 * Serving's `:predict` (`/v1`), `/metrics` for Prometheus, and `/openapi.json`. What `models` holds is looked at for each request, so that a model may be
 * added, replaced or taken away; with `trainers` models also learn, of what is sent to `/v2/models/{model}/learn` and `/v1/models/{model}:learn`.
 *
 * @throws TypeError for what are no predictors, or no trainers of them
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
  const models = modelsOf(op, given.models, given)
  const { trainers = {} } = given
  checkTrainers(op, trainers, given.models)
  const made = new Handler(models, limitsOf(op, given), new Learning(trainers, models.maxRows))
  return (request, response, url) => made.handle(request, response, url)
}

export type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Of a service, which looks after its models itself. */
export function handlerOf(models: Models, limits: Limits): Handle {
  const made = new Handler(models, limits)
  return (request, response) => made.handle(request, response)
}
