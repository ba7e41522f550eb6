/** The paths of the handler, as the Open Inference Protocol and TensorFlow Serving describe them, and what they refuse. */
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as g from '../../../lib/index.ts'
import { handler } from '../../../lib/serve/http/index.ts'
import { type Predictor, predictor } from '../../../lib/serve/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds, the tests say
type Json = any

class Doubling extends g.nn.Module {
  forward(x: g.Tensor): g.Tensor {
    return x.mul(2)
  }
}

class Pair extends g.nn.Module<{ a: g.Tensor; b: g.Tensor }, { sum: g.Tensor; wide: g.Tensor }> {
  forward({ a, b }: { a: g.Tensor; b: g.Tensor }) {
    return { sum: a.add(b.cast('float32')), wide: g.stack([b, b], -1) }
  }
}

let server: Server
let base: string
let closing: Predictor
const models: Record<string, Predictor | Record<string, Predictor>> = {}

beforeAll(async () => {
  const options = { maxBatch: 4 }
  models.double = await predictor(new Doubling(), { ...options, inputShape: [3] })
  models.versioned = {
    2: await predictor(new Doubling(), { ...options, inputShape: [2] }),
    10: await predictor({ forward: (x: g.Tensor) => x.mul(10), parameters: () => [] }, { ...options, inputShape: [2] }),
  }
  models.pair = await predictor(new Pair(), {
    ...options,
    inputShape: { a: [2], b: [2] },
    inputDtype: { a: 'float32', b: 'int32' },
  })
  models.pets = await predictor(new Doubling(), {
    ...options,
    inputShape: [3],
    output: { topK: 2, labels: ['cat', 'dög', 'bird'] },
  })
  models['a b/c'] = models.double
  closing = await predictor(new Doubling(), { ...options, inputShape: [1], maxQueue: 1 })
  models.small = closing
  server = createServer(handler({ models, maxBody: 100_000, maxRows: 6, bodyTimeout: 200 }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${portOf()}`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const get = async (path: string) => {
  const response = await fetch(base + path)
  return { status: response.status, body: (await response.json()) as Json }
}

const post = async (path: string, body: unknown) => {
  const response = await fetch(base + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json }
}

const portOf = () => (server.address() as AddressInfo).port

/** Of a request to a model whose body has so many bytes. */
const head = (model: string, length: number) =>
  `POST /v2/models/${model}/infer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`

/** All that comes after what is sent, however much of it there is. */
const answerTo = (sent: string) =>
  new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(portOf(), '127.0.0.1', () => socket.write(sent))
    socket.on('data', (chunk) => (text += chunk))
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })

const rowsOf = (...rows: number[][]) => ({
  inputs: [{ name: 'x', shape: [rows.length, rows[0]!.length], datatype: 'FP32', data: rows.flat() }],
})

describe('the Open Inference Protocol, health and metadata', () => {
  test('Server Live, Ready and Metadata', async () => {
    expect(await get('/v2/health/live')).toEqual({ status: 200, body: { live: true } })
    expect(await get('/v2/health/ready')).toEqual({ status: 200, body: { ready: true } })
    const { body } = await get('/v2')
    expect(body).toMatchObject({ name: 'galvani', extensions: ['binary_tensor_data'] })
  })

  test('Model Ready and Model Metadata, with a version and without', async () => {
    expect(await get('/v2/models/double/ready')).toEqual({ status: 200, body: { name: 'double', ready: true } })
    expect(await get('/v2/models/versioned/versions/2/ready')).toMatchObject({ status: 200 })
    expect((await get('/v2/models/versioned')).body).toEqual({
      name: 'versioned',
      versions: ['2', '10'],
      platform: 'galvani_graph',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 2] }],
    })
    expect((await get('/v2/models/pair')).body).toMatchObject({
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 2] },
        { name: 'b', datatype: 'INT32', shape: [-1, 2] },
      ],
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [-1, 2] },
        { name: 'wide', datatype: 'INT32', shape: [-1, 2, 2] },
      ],
    })
    expect((await get('/v2/models/pets')).body.outputs).toEqual([
      { name: 'classes', datatype: 'BYTES', shape: [-1, 2] },
      { name: 'values', datatype: 'FP32', shape: [-1, 2] },
    ])
    expect((await get('/v2/models/a%20b%2Fc')).body.name).toBe('a b/c')
  })
})

describe('Inference', () => {
  test('of a model with one unnamed input takes any name, flat data and nested data', async () => {
    const flat = await post('/v2/models/double/infer', { id: 'seven', ...rowsOf([1, 2, 3], [4, 5, 6]) })
    const outputs = [{ name: 'output', datatype: 'FP32', shape: [2, 3], data: [2, 4, 6, 8, 10, 12] }]
    expect(flat.status).toBe(200)
    expect(flat.body).toEqual({ model_name: 'double', model_version: '1', id: 'seven', outputs })
    const nested = {
      inputs: [
        {
          name: 'y',
          shape: [2, 3],
          datatype: 'FP64',
          data: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
      ],
    }
    expect((await post('/v2/models/double/infer', nested)).body.outputs).toEqual(outputs)
  })

  test('of versions takes the greatest number unless one is named', async () => {
    const body = rowsOf([1, 2])
    expect((await post('/v2/models/versioned/infer', body)).body).toMatchObject({
      model_version: '10',
      outputs: [{ data: [10, 20] }],
    })
    expect((await post('/v2/models/versioned/versions/2/infer', body)).body).toMatchObject({
      outputs: [{ data: [2, 4] }],
    })
    expect((await post('/v2/models/versioned/versions/3/infer', body)).status).toBe(404)
  })

  test('of several inputs, and of the outputs that are asked for', async () => {
    const inputs = [
      { name: 'b', shape: [1, 2], datatype: 'INT64', data: [3, 4] },
      { name: 'a', shape: [1, 2], datatype: 'FP32', data: [0.5, 1] },
    ]
    const { body } = await post('/v2/models/pair/infer', { inputs, outputs: [{ name: 'wide' }] })
    expect(body.outputs).toEqual([{ name: 'wide', datatype: 'INT32', shape: [1, 2, 2], data: [3, 3, 4, 4] }])
    expect((await post('/v2/models/pair/infer', { inputs })).body.outputs).toHaveLength(2)
    expect(await post('/v2/models/pair/infer', { inputs, outputs: [{ name: 'none' }] })).toMatchObject({ status: 400 })
  })

  test('gives the names of classes', async () => {
    const { body } = await post('/v2/models/pets/infer', rowsOf([1, 3, 2]))
    expect(body.outputs).toEqual([
      { name: 'classes', datatype: 'BYTES', shape: [1, 2], data: ['dög', 'bird'] },
      { name: 'values', datatype: 'FP32', shape: [1, 2], data: [6, 4] },
    ])
  })
})

describe('the binary extension', () => {
  const binary = async (path: string, json: object, ...parts: ArrayBufferView[]) => {
    const text = Buffer.from(JSON.stringify(json))
    const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))
    const response = await fetch(base + path, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(text.length), 'content-type': 'application/octet-stream' },
      body: Buffer.concat([text, ...bytes]),
    })
    const body = Buffer.from(await response.arrayBuffer())
    const length = Number(response.headers.get('inference-header-content-length') ?? body.length)
    return {
      status: response.status,
      json: JSON.parse(body.subarray(0, length).toString()),
      bytes: body.subarray(length),
    }
  }

  test('takes tensors behind the JSON, at any offset, and gives them', async () => {
    const a = Float32Array.of(0.5, 1)
    const b = BigInt64Array.of(3n, -4n)
    const inputs = [
      { name: 'a', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } },
      { name: 'b', shape: [1, 2], datatype: 'INT64', parameters: { binary_data_size: 16 } },
    ]
    for (const id of ['', 'x', 'xy', 'xyz']) {
      const { json, bytes } = await binary(
        '/v2/models/pair/infer',
        { id, inputs, parameters: { binary_data_output: true } },
        a,
        b,
      )
      expect(json.outputs).toEqual([
        { name: 'sum', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
        { name: 'wide', datatype: 'INT32', shape: [1, 2, 2], parameters: { binary_data_size: 16 } },
      ])
      expect([...new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8))]).toEqual([3.5, -3])
      expect([...new Int32Array(bytes.buffer.slice(bytes.byteOffset + 8, bytes.byteOffset + 24))]).toEqual([
        3, 3, -4, -4,
      ])
    }
  })

  test('of one output alone, and of names', async () => {
    const outputs = [{ name: 'values' }, { name: 'classes', parameters: { binary_data: true } }]
    const { json, bytes } = await binary('/v2/models/pets/infer', { ...rowsOf([1, 3, 2]), outputs })
    expect(json.outputs[1]).toMatchObject({ name: 'values', data: [6, 4] })
    expect(json.outputs[0].parameters).toEqual({ binary_data_size: bytes.length })
    expect(bytes).toEqual(Buffer.from('\x04\0\0\0dög\x04\0\0\0bird'))
  })

  test.each([
    ['fewer bytes than the shape has', [1, 3], 8, 8],
    ['a size beyond the body', [1, 3], 1200, 12],
    ['more bytes than are announced', [1, 3], 12, 16],
    ['a size that is none', [1, 3], -4, 12],
  ])('refuses %s', async (_, shape, size, there) => {
    const inputs = [{ name: 'x', shape, datatype: 'FP32', parameters: { binary_data_size: size } }]
    const { status, json } = await binary('/v2/models/double/infer', { inputs }, new Uint8Array(there))
    expect(status).toBe(400)
    expect(json.error).toMatch(/bytes|binary_data_size/)
  })

  test('refuses a length of the JSON that is none', async () => {
    for (const length of ['-1', '1e9', 'x', '1.5']) {
      const headers = { 'inference-header-content-length': length }
      const response = await fetch(`${base}/v2/models/double/infer`, { method: 'POST', headers, body: '{}' })
      expect(response.status).toBe(400)
    }
  })
})

describe("TensorFlow Serving's paths", () => {
  test('by rows and by columns', async () => {
    expect(
      (
        await post('/v1/models/double:predict', {
          instances: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        })
      ).body,
    ).toEqual({
      predictions: [
        [2, 4, 6],
        [8, 10, 12],
      ],
    })
    expect((await post('/v1/models/double:predict', { inputs: [[1, 2, 3]] })).body).toEqual({ outputs: [[2, 4, 6]] })
    expect((await post('/v1/models/versioned/versions/2:predict', { instances: [{ any: [1, 2] }] })).body).toEqual({
      predictions: [[2, 4]],
    })
    const pair = { instances: [{ a: [1, 2], b: [3, 4] }] }
    expect((await post('/v1/models/pair:predict', pair)).body).toEqual({
      predictions: [
        {
          sum: [4, 6],
          wide: [
            [3, 3],
            [4, 4],
          ],
        },
      ],
    })
    const columns = { inputs: { a: [[1, 2]], b: [[3, 4]] } }
    expect((await post('/v1/models/pair:predict', columns)).body).toEqual({
      outputs: {
        sum: [[4, 6]],
        wide: [
          [
            [3, 3],
            [4, 4],
          ],
        ],
      },
    })
  })

  test('the status of a model', async () => {
    const { body } = await get('/v1/models/versioned')
    expect(
      body.model_version_status.map((each: { version: string; state: string }) => [each.version, each.state]),
    ).toEqual([
      ['2', 'AVAILABLE'],
      ['10', 'AVAILABLE'],
    ])
  })

  test.each([[{}], [{ instances: [], inputs: [] }], [{ instances: [] }], [{ instances: 3 }], [{ instances: [null] }]])(
    'refuses %j',
    async (body) => {
      const { status } = await post('/v1/models/double:predict', body)
      expect(status).toBe(400)
    },
  )
})

describe('what is refused, with the reason', () => {
  const input = { name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }
  const deep = `{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":${'['.repeat(40_000)}`
  test.each([
    ['no JSON', '{'],
    ['JSON without an end of its nesting', deep],
    ['deep JSON', `${deep}${']'.repeat(40_000)}}]}`],
    ['a list', '[]'],
    ['null', 'null'],
    ['no inputs', '{}'],
    ['an input that is null', { inputs: [null] }],
    ['too many inputs', { inputs: [input, input] }],
    ['an id that is no text', { id: 3, inputs: [input] }],
    ['outputs that are no list', { inputs: [input], outputs: {} }],
    ['a shape with a fraction', { inputs: [{ ...input, shape: [1, 3.5] }] }],
    ['a negative shape', { inputs: [{ ...input, shape: [-1, 3] }] }],
    ['a huge shape', { inputs: [{ ...input, shape: [1e9, 1e9] }] }],
    ['no shape', { inputs: [{ ...input, shape: undefined }] }],
    ['rows of another length', { inputs: [{ ...input, shape: [3, 1] }] }],
    ['a row without the axis of rows', { inputs: [{ ...input, shape: [3] }] }],
    ['fewer numbers', { inputs: [{ ...input, data: [1, 2] }] }],
    ['more numbers', { inputs: [{ ...input, data: [1, 2, 3, 4] }] }],
    ['texts as numbers', { inputs: [{ ...input, data: ['1', '2', '3'] }] }],
    ['numbers that are null', { inputs: [{ ...input, data: [1, null, 3] }] }],
    ['another datatype', { inputs: [{ ...input, datatype: 'FP8' }] }],
    ['BYTES', { inputs: [{ ...input, datatype: 'BYTES' }] }],
    ['a prototype as datatype', { inputs: [{ ...input, datatype: 'constructor' }] }],
  ])('%s', async (_, body) => {
    const { status, body: answer } = await post('/v2/models/double/infer', body)
    expect(status).toBe(400)
    expect(answer.error).toMatch(/expected/)
  })

  test('bytes that are no UTF-8', async () => {
    const response = await fetch(`${base}/v2/models/double/infer`, {
      method: 'POST',
      body: Buffer.from([0x7b, 0xff, 0x7d]),
    })
    expect(response.status).toBe(400)
  })

  test('unknown paths, models, methods', async () => {
    expect(await get('/')).toMatchObject({ status: 404 })
    expect(await get('/v2/models/none')).toMatchObject({ status: 404, body: { error: 'no model none' } })
    expect(await get('/v2/models/constructor/ready')).toMatchObject({ status: 404 })
    expect(await get('/v2/models/%E0%A4%A/ready')).toMatchObject({ status: 400 })
    const response = await fetch(`${base}/v2/models/double/infer`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await fetch(`${base}/v2/health/live`, { method: 'HEAD' })).status).toBe(200)
  })

  test('a body that is too long, announced or not', async () => {
    expect((await post('/v2/models/double/infer', ' '.repeat(100_001))).status).toBe(413)
    const chunked = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(`${base}/v2/models/double/infer`, { method: 'POST' }, (response) =>
        resolve(response.statusCode!),
      )
      request.on('error', reject)
      for (let i = 0; i < 4; i++) request.write(' '.repeat(30_000))
    })
    expect(chunked).toBe(413)
  })

  test('a body that takes too long', async () => {
    expect(await answerTo(`${head('double', 100)}{`)).toMatch(/^HTTP\/1.1 408 /)
  })

  test('more rows than may be in a request', async () => {
    const rows = Array.from({ length: 7 }, () => [1, 2, 3])
    expect((await post('/v2/models/double/infer', rowsOf(...rows))).status).toBe(413)
    expect((await post('/v1/models/double:predict', { instances: rows })).status).toBe(413)
  })

  test('where the queue is full, a request is refused before its body is there', async () => {
    models.slow = await predictor(new Doubling(), { inputShape: [1], maxQueue: 1, maxDelay: 60_000 })
    const before = models.slow.predict([1])
    expect(await answerTo(head('slow', 100))).toMatch(/^HTTP\/1.1 429 .*retry-after: 1/is)
    expect(models.slow.statistics()).toMatchObject({ requests: 2, rejected: 1, queued: 1 })
    await models.slow.close()
    expect(await before).toEqual(Float32Array.of(2))
    delete models.slow
  })

  test('a client that goes away takes its request back', async () => {
    const p = await predictor(new Doubling(), { inputShape: [1], maxDelay: 60_000 })
    models.slow = p
    const body = JSON.stringify(rowsOf([1]))
    const socket = connect(portOf(), '127.0.0.1', () => socket.write(head('slow', body.length) + body))
    await vi.waitFor(() => expect(p.statistics().queued).toBe(1), { timeout: 20_000 })
    socket.destroy()
    await vi.waitFor(() => expect(p.statistics()).toMatchObject({ queued: 0, aborted: 1 }), { timeout: 20_000 })
    await p.close()
    delete models.slow
  })

  test('a full queue, and a closed predictor', async () => {
    const { status, headers } = await post('/v2/models/small/infer', rowsOf([1], [2]))
    expect([status, headers.get('retry-after')]).toEqual([429, '1'])
    await closing.close()
    expect((await get('/v2/health/ready')).status).toBe(503)
    expect((await get('/v2/models/small/ready')).body).toEqual({ name: 'small', ready: false })
    expect((await post('/v2/models/small/infer', rowsOf([1]))).status).toBe(503)
    delete models.small
    expect((await get('/v2/health/ready')).status).toBe(200)
  })
})

test('the metrics of all models, and the OpenAPI document with every path', async () => {
  const text = await (await fetch(`${base}/metrics`)).text()
  expect(text).toMatch(/galvani_requests_total\{model="double"\} [1-9]/)
  expect(text).toContain('galvani_requests_total{model="versioned",version="10"}')
  const { body } = await get('/openapi.json')
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining([
      '/v2',
      '/v2/models/{model}/infer',
      '/v2/models/{model}/versions/{version}/infer',
      '/v1/models/{model}:predict',
      '/metrics',
    ]),
  )
})

test('what is no predictor is refused', () => {
  expect(() => handler({} as never)).toThrow('models')
  expect(() => handler({ models: { a: 3 } } as never)).toThrow(
    'handler: expected a predictor, or predictors by version, as a',
  )
  expect(() => handler({ models: { a: { x: models.double } } } as never)).toThrow('numbers as versions of a')
  expect(() => handler({ models: {}, maxbody: 3 } as never)).toThrow('maxBody')
})
