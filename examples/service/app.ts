/** What the service answers: the page, the model under /ai, and what visitors teach it. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { fastifyPlugin } from '../../lib/serve/http/index.ts'
import type { Predictor } from '../../lib/serve/index.ts'
import { side } from './digits.ts'
import type { Lessons } from './lessons.ts'
import { type Rate, rateLimit } from './rate-limit.ts'

/** Of each address: a page that follows a pen asks at most once in a frame of the screen. */
const requests: Rate = { perSecond: 100, burst: 200 }
/** A lesson is worth a fifth of a second of a processor. */
const changes: Rate = { perSecond: 2, burst: 20 }

/** Some 3 kB are a drawing of 784 numbers as JSON. */
const maxBody = 16_384

interface Lesson {
  readonly pixels: number[]
  readonly digit: number
}

const lessonSchema = {
  body: {
    type: 'object',
    required: ['pixels', 'digit'],
    additionalProperties: false,
    properties: {
      pixels: {
        type: 'array',
        minItems: side ** 2,
        maxItems: side ** 2,
        items: { type: 'integer', minimum: 0, maximum: 255 },
        // Nobody draws nothing.
        contains: { type: 'integer', minimum: 1 },
      },
      digit: { type: 'integer', minimum: 0, maximum: 9 },
    },
  },
}

export function createApp(digits: Predictor, lessons: Lessons): FastifyInstance {
  const app = fastify({
    bodyLimit: maxBody,
    requestTimeout: 10_000,
    // What a request says is taken as it is said, or refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  limitRate(app, requests)
  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const { statusCode = 500 } = error
    if (statusCode >= 500) console.error(`${request.method} ${request.url}:`, error)
    return reply.code(statusCode).send({ error: statusCode >= 500 ? 'something went wrong here' : error.message })
  })
  servePage(app)
  app.register(fastifyPlugin, { prefix: '/ai', models: { digits }, maxBody, maxRows: 16 })
  app.get('/lessons', () => lessons.state())
  app.register(async (teaching) => {
    limitRate(teaching, changes)
    teaching.post<{ Body: Lesson }>('/lessons', { schema: lessonSchema }, ({ body }, reply) => {
      lessons.teach(body.pixels, body.digit)
      // It is learned later on.
      return reply.code(202).send(lessons.state())
    })
    teaching.post('/start-over', async () => {
      await lessons.startOver()
      return lessons.state()
    })
  })
  return app
}

/** `request.ip` is that of the other end: behind a proxy, tell fastify to trust it. */
function limitRate(app: FastifyInstance, rate: Rate): void {
  const secondsLeft = rateLimit(rate)
  app.addHook('onRequest', async (request, reply) => {
    const seconds = secondsLeft(request.ip)
    if (seconds === 0) return
    await reply
      .code(429)
      .header('retry-after', Math.ceil(seconds))
      .send({ error: `too many requests: again in ${Math.ceil(seconds)} s` })
  })
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

/** The page may load its own files and ask its own server, and nothing else; no other page may frame it. */
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** A route for each file of the folder, so that no path leads out of it. */
function servePage(app: FastifyInstance): void {
  const folder = join(import.meta.dirname, 'page')
  for (const name of readdirSync(folder)) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const text = readFileSync(join(folder, name), 'utf8')
    const url = name === 'index.html' ? '/' : `/${name}`
    app.get(url, (_, reply) => reply.headers(headers).type(type).send(text))
  }
}
