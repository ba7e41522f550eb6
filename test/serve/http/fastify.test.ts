/** The handler as a plugin of fastify: under a prefix, behind its hooks, beside its other routes. */
import fastify from 'fastify'
import { expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { fastifyPlugin } from '../../../lib/serve/http/index.ts'
import { predictor } from '../../../lib/serve/index.ts'

class Doubling extends g.nn.Module {
  forward(x: g.Tensor): g.Tensor {
    return x.mul(2)
  }
}

test('under a prefix, with bodies of its own and hooks before it', async () => {
  const double = await predictor(new Doubling(), { inputShape: [2], maxBatch: 2 })
  const app = fastify()
  let seen = 0
  app.addHook('onRequest', async (request, reply) => {
    seen++
    if (request.headers.authorization === undefined) await reply.code(401).send({ error: 'who are you' })
  })
  app.post('/echo', async (request) => request.body)
  app.register(fastifyPlugin, { prefix: '/ai', models: { double }, maxBody: 200 })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { authorization: 'me', 'content-type': 'application/json' }
  const post = async (path: string, body: string, sent: Record<string, string> = headers) => {
    const response = await fetch(url + path, { method: 'POST', headers: sent, body })
    return { status: response.status, body: await response.json() }
  }
  const body = JSON.stringify({ instances: [[1, 2]] })
  expect(await post('/ai/v1/models/double:predict', body)).toEqual({ status: 200, body: { predictions: [[2, 4]] } })
  expect((await post('/ai/v1/models/double:predict', body, {})).status).toBe(401)
  expect((await post('/ai/v1/models/none:predict', body)).status).toBe(404)
  expect((await post('/ai/v1/models/double:predict', ' '.repeat(201))).status).toBe(413)
  expect((await post('/ai/v1/models/double:predict', '{')).status).toBe(400)
  expect((await post('/echo', body)).body).toEqual({ instances: [[1, 2]] })
  expect(await (await fetch(`${url}/ai/v2/models/double/ready?x=1`, { headers })).json()).toEqual({
    name: 'double',
    ready: true,
  })
  expect(seen).toBe(7)
  await app.close()
  await double.close()
})

test('options that do not fit end the start', async () => {
  const app = fastify()
  app.register(fastifyPlugin, { models: { double: 3 } } as never)
  await expect(app.ready()).rejects.toThrow('a predictor, or predictors by version, as double')
})
