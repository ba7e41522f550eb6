/** Requests that no client would send in good faith: each is refused in few words and with its reason, or answered, and nothing is an internal error. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as g from '../../../lib/index.ts'
import { handler } from '../../../lib/serve/http/index.ts'
import { type Predictor, predictor } from '../../../lib/serve/index.ts'

const of = (forward: (x: never) => unknown) => ({ forward, parameters: () => [] })

const models: Record<string, Predictor> = {}
let server: Server
let base: string
const warnings: string[] = []
const listen = ({ message }: Error) => void warnings.push(message)

beforeAll(async () => {
  const options = { inputShape: [2], maxBatch: 2 }
  models.double = await predictor(
    of((x: g.Tensor) => x.mul(2)),
    options,
  )
  models.ints = await predictor(
    of((x: g.Tensor) => x.mul(2)),
    { ...options, inputDtype: 'int32' },
  )
  models.lengthy = await predictor(
    of(({ x }: { x: g.Tensor }) => x.sum(1)),
    { inputShape: { x: [null] }, lengths: [2, 4], maxBatch: 2 },
  )
  // Names that objects have from their prototype, and with dots.
  models.pair = await predictor(
    of(({ a, constructor: b }: { a: g.Tensor; constructor: g.Tensor }) => ({
      'out.1': a.add(b),
      'out.2': b,
      __proto__: null,
    })),
    { inputShape: { a: [2], constructor: [2] }, maxBatch: 2 },
  )
  models.broken = await predictor(
    of((x: g.Tensor) => x.mul(2)),
    options,
  )
  models.broken.predict = () => Promise.reject(new Error('a fault of ours'))
  server = createServer(handler({ models }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.on('warning', listen)
})

afterAll(async () => {
  process.off('warning', listen)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function post(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<{ status: number; text: string }> {
  const response = await fetch(base + path, { method: 'POST', body })
  return { status: response.status, text: await response.text() }
}

async function expectRefusal(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const { status, text } = await post(path, body)
  expect({ status, text }).toMatchObject({ status: 400 })
  expect(text.length).toBeLessThan(1200)
  expect(warnings).toEqual([])
}

const deep = (levels: number, inner = '1') => '['.repeat(levels) + inner + ']'.repeat(levels)

const rows = [
  '{"inputs":null}',
  '{"inputs":{}}',
  '{"inputs":5}',
  '{"inputs":[]}',
  '{"inputs":"x"}',
  '{"inputs":{"x":null}}',
  '{"inputs":{"a":null,"constructor":null}}',
  '{"inputs":{"x":{"length":1,"shape":[1,2]}}}',
  '{"instances":[null]}',
  '{"instances":[[]]}',
  '{"instances":[{}]}',
  '{"instances":[{"b64":"AAAA"}]}',
  '{"instances":[[1,[2]]]}',
  '{"instances":[["1","2"]]}',
  '{"instances":{"length":5}}',
  '{"instances":[1,2]}',
  '{"instances":[[1,NaN]]}',
  '{"instances":[[1,2,3,4,5]]}',
  `{"instances":${deep(1e5)}}`,
  `{"instances":[{"x":${deep(1e5)}}]}`,
  `{"inputs":{"x":${deep(1e5, '')}}}`,
  `{"inputs":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`,
]

/** Of a model of one input they are rows by whatever name. */
const named = [
  '{"inputs":{"a":[[1,2]]}}',
  '{"inputs":{"__proto__":[[1,2]]}}',
  '{"instances":[{"a":[1,2]}]}',
  `{"inputs":{"${'x'.repeat(1e5)}":[[1,2]]}}`,
]

test.each(['double', 'lengthy', 'pair'])("rows in TensorFlow Serving's form to %s", async (model) => {
  for (const body of rows) await expectRefusal(`/v1/models/${model}:predict`, body)
})

test('rows by other names than those of several inputs', async () => {
  for (const body of named) await expectRefusal('/v1/models/pair:predict', body)
})

const input = (given: object) =>
  JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2], ...given }] })

test.each<[string, string, string]>([
  ['a number that no integer is', 'ints', input({ data: [1, 7] }).replace('7', '1e999')],
  ['an integer out of range', 'ints', input({ data: [0, 2 ** 40], datatype: 'INT64' })],
  ['a shape of very many axes', 'double', input({ shape: new Array(1e5).fill(1) })],
  ['a shape of very many elements', 'double', input({ shape: [1e308, 1e308] })],
  ['a shape that has no prototype', 'double', input({ shape: { __proto__: null, length: 2 } })],
  [
    'data that is nested without end',
    'double',
    `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":${deep(1e5)}}]}`,
  ],
  ['a name without end', 'pair', JSON.stringify({ inputs: [{ name: 'x'.repeat(1e5) }, { name: 'y' }] })],
  [
    'an output without end',
    'double',
    JSON.stringify({ ...JSON.parse(input({})), outputs: [{ name: 'y'.repeat(1e5) }] }),
  ],
  ['a datatype of the prototype', 'double', input({ datatype: 'constructor' })],
])('%s', (_, model, body) => expectRefusal(`/v2/models/${model}/infer`, body))

test('what is no text', () => expectRefusal('/v2/models/double/infer', Uint8Array.of(0x7b, 0xff, 0x7d)))

test.each(['__proto__', 'constructor', 'toString', '%00', '..%2f..'])('there is no model %s', async (name) => {
  expect(await post(`/v2/models/${name}/infer`, input({}))).toMatchObject({ status: 404 })
  expect(await post(`/v2/models/double/versions/${name}/infer`, input({}))).toMatchObject({ status: 404 })
})

test('names may be any, of inputs and outputs', async () => {
  const { status, text } = await post('/v1/models/pair:predict', '{"instances":[{"a":[1,2],"constructor":[3,4]}]}')
  expect({ status, text: JSON.parse(text) }).toEqual({
    status: 200,
    text: { predictions: [{ 'out.1': [4, 6], 'out.2': [3, 4] }] },
  })
})

test('a fault of ours is told to who runs the service alone', async () => {
  const { status, text } = await post('/v2/models/broken/infer', input({}))
  expect({ status, text }).toEqual({ status: 500, text: '{"error":"internal error"}' })
  expect(warnings).toEqual(['a fault of ours'])
})

test('a request whose body somebody has read is a fault of ours, at once', async () => {
  warnings.length = 0
  const behind = createServer((request, response) => {
    request.resume().once('end', () => void handler({ models })(request, response))
  })
  await new Promise<void>((resolve) => behind.listen(0, '127.0.0.1', resolve))
  const { port } = behind.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/double/infer`, { method: 'POST', body: input({}) })
  expect(response.status).toBe(500)
  expect(warnings).toEqual([
    'handler: expected a request whose body nobody has read, got one behind a parser of bodies',
  ])
  behind.closeAllConnections()
  behind.close()
})
