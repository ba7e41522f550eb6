/** The models of a service as a plugin of fastify, which brings the server and whatever else stands before it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkFunction } from '../../base/arguments.ts'
import { isPlainObject } from '../../base/options.ts'
import { type HandlerOptions, pathHandlerOf } from './handler.ts'

/** What is asked of an instance of fastify, so that its types are needed by those alone who have it. */
export interface FastifyLike {
  readonly prefix: string
  removeAllContentTypeParsers(): void
  addContentTypeParser(
    type: string,
    parser: (request: unknown, body: unknown, done: (error: Error | null) => void) => void,
  ): unknown
  route(options: {
    method: ('GET' | 'POST')[]
    url: string
    handler: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => Promise<void>
  }): unknown
}

/**
 * What `handler` answers, as a plugin: with a prefix under that, and with the hooks of the instance (authentication, logs) before it. Bodies are
 * read by the handler itself, within its own limits.
 *
 * @example
 * const app = fastify()
 * app.register(fastifyPlugin, { prefix: '/ai', models: { digits } }) // POST /ai/v2/models/digits/infer
 */
export async function fastifyPlugin(instance: FastifyLike, options: HandlerOptions): Promise<void> {
  checkFunction('fastifyPlugin', 'an instance of fastify', (instance as FastifyLike | undefined)?.route)
  const handle = pathHandlerOf(withoutPrefix(options))
  const { prefix } = instance
  instance.removeAllContentTypeParsers()
  instance.addContentTypeParser('*', (_request, _body, done) => done(null))
  instance.route({
    method: ['GET', 'POST'],
    url: '/*',
    handler: (request, reply) => {
      reply.hijack()
      return handle(request.raw, reply.raw, (request.raw.url ?? '/').slice(prefix.length))
    },
  })
}

/** What fastify adds to the options is not the handler's. */
function withoutPrefix(options: HandlerOptions): HandlerOptions {
  if (!isPlainObject(options)) return options
  const { prefix: _, logLevel: __, logSerializers: ___, ...own } = options as HandlerOptions & Record<string, unknown>
  return own
}
