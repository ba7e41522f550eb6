/** What is answered at which address, and to whom. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Answers, checkNames } from './answers.ts'
import { pageFiles } from './assets.ts'
import { control, controlRequestIn } from './control.ts'
import { exportRuns } from './export.ts'
import { checkOwnPage, checkSource, checkToken, Refusal, securityHeaders } from './guard.ts'
import type { News } from './news.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => unknown
type Methods = Readonly<Record<string, Handler>>

const json = 'application/json; charset=utf-8'

/** A request of control is a line. */
const mostBodyBytes = 2 ** 16

/** @param token what has to be known to control a training; undefined where none can be */
export function listenerOf(
  news: News,
  token: string | undefined,
): (request: IncomingMessage, response: ServerResponse) => void {
  const routes = new Map([...fileRoutes(), ...apiRoutes(news, token)])
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    checkSource(request)
    const [path, search] = (request.url ?? '').split(/\?(.*)/s) as [string, string?]
    const methods = routes.get(path)
    if (methods === undefined) throw new Refusal(404, 'there is nothing at this address')
    if (path.startsWith('/api/')) checkOwnPage(request)
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    if (!Object.hasOwn(methods, method)) {
      const known = Object.keys(methods).join(', ')
      response.setHeader('allow', known)
      throw new Refusal(405, `expected ${known}, got ${method}`)
    }
    await methods[method]!(request, response, new URLSearchParams(search))
  }
  return (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    // Who asked may be gone before the answer.
    response.on('error', () => {})
    answer(request, response).catch((error: unknown) => refuse(request, response, error))
  }
}

function fileRoutes(): [string, Methods][] {
  const files = pageFiles()
  const route = (path: string, name: string): [string, Methods] => {
    const { type, text } = files.get(name)!
    return [path, { GET: (_, response) => send(response, type, text) }]
  }
  return [route('/', 'index.html'), ...Array.from(files.keys(), (name) => route(`/${name}`, name))]
}

function apiRoutes(news: News, token: string | undefined): [string, Methods][] {
  const answers = new Answers(news)
  return [
    ['/api/runs', { GET: async (_, response, query) => send(response, json, await answers.runs(query)) }],
    ['/api/series', { GET: async (_, response, query) => send(response, json, await answers.series(query)) }],
    ['/api/records', { GET: async (_, response, query) => send(response, json, await answers.records(query)) }],
    ['/api/stream', { GET: (request, response, query) => openStream(news, request, response, query) }],
    [
      '/api/export',
      {
        GET: async (_, response, query) => {
          checkNames(query, ['run'])
          await exportRuns(news, answers.runsIn(query), response)
        },
      },
    ],
    [
      '/api/control',
      {
        POST: async (request, response, query) => {
          checkNames(query, [])
          checkToken(request, token)
          send(response, json, JSON.stringify({ done: controlRun(news, await bodyOf(request)) }))
        },
      },
    ],
  ]
}

function openStream(news: News, request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  checkNames(query, [])
  if (request.method === 'HEAD') send(response, 'text/event-stream; charset=utf-8', '')
  else if (!news.stream.open(request, response)) throw new Refusal(503, 'too many pages are open')
}

function controlRun(news: News, body: string): string {
  const request = controlRequestIn(body)
  const training = news.controlled(request.run)
  if (training === undefined) throw new Refusal(409, `the run ${JSON.stringify(request.run)} is not under way here`)
  const done = control(training, request)
  news.changed(request.run)
  return done
}

/** @throws Refusal for one that is no JSON, or longer than any such request is */
async function bodyOf(request: IncomingMessage): Promise<string> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'expected content-type: application/json')
  const tooLong = new Refusal(413, `expected a body of at most ${mostBodyBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > mostBodyBytes) throw tooLong
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > mostBodyBytes) throw tooLong
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Of an answer to HEAD the body stays behind. */
function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { message } = error as Error
  const body = JSON.stringify({ error: message })
  // What is left of a body that was refused is not read.
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(error instanceof Refusal ? error.status : 500, {
    'content-type': json,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
