/** Answers as they arrive: every byte of them, of any length, over HTTP/1 and HTTP/2; and addresses as they are asked for again and again. */
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { handler } from '../../../lib/serve/http/index.ts'
import { send } from '../../../lib/serve/http/reply.ts'
import { predictor } from '../../../lib/serve/index.ts'

const open: Server[] = []

async function listen(server: Server): Promise<string> {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterAll(() => {
  for (const server of open) server.close()
})

const lengths = [0, 1, 16_383, 16_384, 16_385, 300_000]

const bytesOfLength = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) % 256)
const textOfLength = (length: number) => 'aö€\0'.repeat(length).slice(0, length)

describe('a reply', () => {
  let base: string
  beforeAll(async () => {
    const server = createServer((request, response) => {
      const [, kind, length] = request.url!.split('/')
      // Of bytes amid others.
      const bytes = () => new Uint8Array([1, 2, ...bytesOfLength(Number(length)), 3]).subarray(2, 2 + Number(length))
      const body = kind === 'text' ? textOfLength(Number(length)) : bytes()
      response.setHeader('x-before', 'kept')
      send(response, { status: 201, headers: { 'content-type': 'x/y' }, body }, request.method === 'HEAD')
    })
    base = await listen(server)
  })

  for (const length of lengths) {
    test(`of ${length} bytes`, async () => {
      const response = await fetch(`${base}/bytes/${length}`)
      expect(response.headers.get('content-length')).toBe(String(length))
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytesOfLength(length))
    })

    test(`of a text of ${length} letters`, async () => {
      const response = await fetch(`${base}/text/${length}`)
      expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(textOfLength(length))))
      expect(await response.text()).toBe(textOfLength(length))
    })
  }

  test('has its status and headers, and those that were set before', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${base}/bytes/10`, { method })
      expect(response.status).toBe(201)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'x/y',
        'content-length': '10',
        'x-before': 'kept',
        'x-content-type-options': 'nosniff',
      })
      expect((await response.arrayBuffer()).byteLength).toBe(method === 'HEAD' ? 0 : 10)
    }
  })
})

class Doubling extends g.nn.Module {
  forward(x: g.Tensor): g.Tensor {
    return x.mul(2)
  }
}

test('HTTP/2 is answered as well', async () => {
  const models = { double: await predictor(new Doubling(), { inputShape: [2] }) }
  // Its requests and responses have what is asked of those of HTTP/1.
  const handle = handler({ models }) as (...call: unknown[]) => unknown
  const client = connectHttp2(await listen(createHttp2Server((...call) => void handle(...call))))
  const asked = client.request({ ':method': 'POST', ':path': '/v1/models/double:predict' })
  asked.end('{"instances":[[1,2]]}')
  let text = ''
  for await (const chunk of asked) text += chunk
  client.close()
  expect(text).toBe('{"predictions":[[2,4]]}')
})

test('an address means what is served there now, however many others were asked for', async () => {
  const one = await predictor(new Doubling(), { inputShape: [1] })
  const models: Record<string, typeof one> = { double: one }
  const base = await listen(createServer(handler({ models })))
  const ask = async (name: string) =>
    (await fetch(`${base}/v1/models/${name}:predict`, { method: 'POST', body: '{"instances":[[21]]}' })).json()
  expect(await ask('double')).toEqual({ predictions: [[42]] })
  for (let i = 0; i < 300; i++) expect(await ask(`m${i}`)).toEqual({ error: `no model m${i}` })
  expect(await ask('double')).toEqual({ predictions: [[42]] })
  delete models.double
  expect(await ask('double')).toEqual({ error: 'no model double' })
  models.double = await predictor({ forward: (x: g.Tensor) => x.mul(3), parameters: () => [] }, { inputShape: [1] })
  expect(await ask('double')).toEqual({ predictions: [[63]] })
})
