/**
 * What the documents of the Open Inference Protocol say of HTTP, by their headings and in our words. `rest` is
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, `api` the older and longer
 * https://github.com/kserve/kserve/blob/master/docs/predict-api/v2/required_api.md, and `binary`
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as g from '../../lib/index.ts'
import { handler } from '../../lib/serve/http/index.ts'
import { type PredictorOptions, predictor } from '../../lib/serve/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds, the tests say
type Json = any

let server: Server
let base: string

const made = (forward: (x: never) => unknown, options: PredictorOptions) =>
  predictor({ forward, parameters: () => [] } as never, { maxBatch: 2, ...options })

/** A row of four as two of two. */
const squared = (inputDtype: g.DType) => made((x: g.Tensor) => x.reshape([-1, 2, 2]), { inputShape: [4], inputDtype })

beforeAll(async () => {
  const models = {
    mymodel: await made(
      ({ input0, input1 }: Record<string, g.Tensor>) => ({ output0: input0!.add(input1!), output1: input1! }),
      { inputShape: { input0: [2], input1: [2] }, inputDtype: { input0: 'int32', input1: 'bool' } },
    ),
    versioned: {
      1: await made((x: g.Tensor) => x.mul(1), { inputShape: [2] }),
      3: await made((x: g.Tensor) => x.mul(3), { inputShape: [2] }),
    },
    tokens: await made(({ tokens }: Record<string, g.Tensor>) => tokens!.sum(-1), {
      inputShape: { tokens: [null] },
      lengths: [4],
    }),
    float64: await squared('float64'),
    float32: await squared('float32'),
    int32: await squared('int32'),
    uint8: await squared('uint8'),
    bool: await squared('bool'),
    named: await made((x: g.Tensor) => x.mul(1), { inputShape: [3], output: { topK: 2, labels: ['a', 'é', '漢字'] } }),
  }
  server = createServer(handler({ models }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => server.close())

const json = async (response: Response) => ({
  status: response.status,
  type: response.headers.get('content-type'),
  body: (await response.json()) as Json,
})

const get = async (path: string) => json(await fetch(base + path))
const post = async (path: string, body: unknown) =>
  json(await fetch(base + path, { method: 'POST', body: JSON.stringify(body) }))

const infer = (model: string, input: object, more: object = {}) =>
  post(`/v2/models/${model}/infer`, { inputs: [{ name: 'x', ...input }], ...more })

/** A request, or an answer, in two parts. */
async function postBytes(path: string, header: object, ...parts: (ArrayBufferView | Buffer)[]) {
  const text = Buffer.from(JSON.stringify(header))
  const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))
  const response = await fetch(base + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/octet-stream',
      'Inference-Header-Content-Length': String(text.byteLength),
    },
    body: Buffer.concat([text, ...bytes]),
  })
  const body = Buffer.from(await response.arrayBuffer())
  const length = Number(response.headers.get('Inference-Header-Content-Length') ?? body.length)
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(body.subarray(0, length).toString()) as Json,
    bytes: body.subarray(length),
    size: body.length,
  }
}

const example = {
  id: '42',
  inputs: [
    { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
    { name: 'input1', shape: [2, 2], datatype: 'BOOL', data: [true, false, true, true] },
  ],
  outputs: [{ name: 'output0' }],
}

describe('health', () => {
  test('rest, Server Live: 200 and whether it is live', async () =>
    expect(await get('/v2/health/live')).toMatchObject({ status: 200, body: { live: true } }))

  // The document's own object has `live` here as well; KServe's server says `ready`, and probes look at the status.
  test('rest, Server Ready: 200 where all models are', async () =>
    expect(await get('/v2/health/ready')).toMatchObject({ status: 200, body: { ready: true } }))

  test.each(['', '/versions/3'])('rest, Model Ready: name and whether it is ready%s', async (version) =>
    expect(await get(`/v2/models/versioned${version}/ready`)).toMatchObject({
      status: 200,
      type: 'application/json',
      body: { name: 'versioned', ready: true },
    }),
  )
})

describe('metadata', () => {
  test.each(['/v2', '/v2/'])('rest, Server Metadata: name, version and extensions at %s', async (path) => {
    const { status, type, body } = await get(path)
    expect([status, type]).toEqual([200, 'application/json'])
    expect(body).toEqual({ name: expect.any(String), version: expect.any(String), extensions: ['binary_tensor_data'] })
  })

  test.each(['', '/versions/1'])('rest, Model Metadata: its tensors and versions%s', async (version) => {
    const { status, type, body } = await get(`/v2/models/versioned${version}`)
    expect([status, type]).toEqual([200, 'application/json'])
    expect(body).toEqual({
      name: 'versioned',
      versions: ['1', '3'],
      platform: expect.any(String),
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 2] }],
    })
  })

  test('rest, Model Metadata: extents that vary are -1', async () =>
    expect((await get('/v2/models/tokens')).body.inputs).toEqual([
      { name: 'tokens', datatype: 'FP32', shape: [-1, -1] },
    ]))

  test('api, Platforms: a project and a form', async () =>
    expect((await get('/v2/models/mymodel')).body.platform).toMatch(/^[a-z]+_[a-z0-9]+$/))

  test.each(['none', 'mymodel/versions/7', 'MyModel'])(
    'rest, Model Metadata Error: a status of an error and its message for %s',
    async (path) => {
      const { status, type, body } = await get(`/v2/models/${path}`)
      expect([status, type]).toEqual([404, 'application/json'])
      expect(body).toEqual({ error: expect.stringMatching(/no (model|version)/) })
    },
  )
})

describe('inference', () => {
  test.each(['', '/versions/1'])('rest, Inference Request Examples: two inputs and one output%s', async (version) => {
    expect(await post(`/v2/models/mymodel${version}/infer`, example)).toEqual({
      status: 200,
      type: 'application/json',
      body: {
        model_name: 'mymodel',
        model_version: '1',
        id: '42',
        outputs: [{ name: 'output0', shape: [2, 2], datatype: 'INT32', data: [2, 2, 4, 5] }],
      },
    })
  })

  test('rest, Inference Request: of versions the one that is named, else one that the server chooses and tells', async () => {
    const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] }
    const named = await post('/v2/models/versioned/versions/1/infer', body)
    expect(named.body).toMatchObject({ model_version: '1', outputs: [{ data: [1, 2] }] })
    const chosen = await post('/v2/models/versioned/infer', body)
    expect(chosen.body).toMatchObject({ model_version: '3', outputs: [{ data: [3, 6] }] })
  })

  test('rest, Inference Response: the id of the request, and none where it had none', async () => {
    const { id: _, ...anonymous } = example
    expect((await post('/v2/models/mymodel/infer', anonymous)).body).not.toHaveProperty('id')
    expect((await post('/v2/models/mymodel/infer', { ...example, id: '' })).body).toHaveProperty('id', '')
  })

  test('rest, Inference Request, outputs: all of them where none are specified', async () => {
    const { outputs: _, ...unspecific } = example
    for (const body of [unspecific, { ...unspecific, outputs: [] }]) {
      const { outputs } = (await post('/v2/models/mymodel/infer', body)).body
      expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['output0', 'output1'])
    }
  })

  test('rest, Inference Request: inputs in any order', async () => {
    const { body } = await post('/v2/models/mymodel/infer', { ...example, inputs: example.inputs.toReversed() })
    expect(body.outputs[0].data).toEqual([2, 2, 4, 5])
  })

  test('api, Parameters: those that a server does not know are no fault, wherever they stand', async () => {
    const parameters = { priority: 3, tenant: 'me', traced: true, rate: 0.5 }
    const [input0, input1] = example.inputs
    const { status } = await post('/v2/models/mymodel/infer', {
      ...example,
      parameters,
      inputs: [{ ...input0, parameters }, input1],
      outputs: [{ name: 'output1', parameters }],
    })
    expect(status).toBe(200)
  })

  test.each([{ parameters: [1] }, { parameters: 'all' }, { outputs: [{ name: 'output', parameters: 3 }] }])(
    'api, Parameters: an object of them, not %j',
    async (more) => {
      const { status, body } = await infer('float32', { shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }, more)
      expect(status).toBe(400)
      expect(body).toEqual({ error: expect.stringContaining('parameters: an object is expected') })
    },
  )

  test.each([
    ['flat', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['nested as rows', [[1, 2, 3, 4], [5, 6, 7, 8]]], // biome-ignore format: as in the document
  ])('api, Tensor Data: in rows, %s', async (_, data) => {
    const { body } = await infer('float32', { shape: [2, 4], datatype: 'FP32', data })
    expect(body.outputs).toEqual([
      { name: 'output', datatype: 'FP32', shape: [2, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] },
    ])
  })

  test.each([
    ['an output that there is not', { ...example, outputs: [{ name: 'other' }] }],
    ['an input that there is not', { inputs: [example.inputs[0], { ...example.inputs[1], name: 'other' }] }],
    ['an input too few', { inputs: [example.inputs[0]] }],
    ['a datatype that there is not', { inputs: [example.inputs[0], { ...example.inputs[1], datatype: 'BOOLEAN' }] }],
    ['another shape than the data have', { inputs: [example.inputs[0], { ...example.inputs[1], shape: [1, 2] }] }],
  ])('rest, Inference Response Error: 400 and a message for %s', async (_, body) =>
    expect(await post('/v2/models/mymodel/infer', body)).toEqual({
      status: 400,
      type: 'application/json',
      body: { error: expect.stringMatching(/./) },
    }),
  )
})

const halves = (...bits: number[]) => Uint16Array.of(...bits)

/** Of each datatype numbers, and the bytes that they are. */
const samples: Readonly<Record<string, readonly [numbers: number[], bytes: ArrayBufferView, model: string]>> = {
  BOOL: [[1, 0, 1, 1], Uint8Array.of(1, 0, 1, 1), 'bool'],
  UINT8: [[0, 1, 128, 255], Uint8Array.of(0, 1, 128, 255), 'uint8'],
  UINT16: [[0, 1, 256, 65535], Uint16Array.of(0, 1, 256, 65535), 'int32'],
  UINT32: [[0, 1, 65536, 2147483647], Uint32Array.of(0, 1, 65536, 2147483647), 'int32'],
  UINT64: [[0, 1, 65536, 2147483647], BigUint64Array.of(0n, 1n, 65536n, 2147483647n), 'int32'],
  INT8: [[-128, -1, 0, 127], Int8Array.of(-128, -1, 0, 127), 'int32'],
  INT16: [[-32768, -1, 0, 32767], Int16Array.of(-32768, -1, 0, 32767), 'int32'],
  INT32: [[-2147483648, -1, 0, 2147483647], Int32Array.of(-2147483648, -1, 0, 2147483647), 'int32'],
  INT64: [[-2147483648, -1, 0, 2147483647], BigInt64Array.of(-2147483648n, -1n, 0n, 2147483647n), 'int32'],
  FP16: [[1, -2, 65504, 2 ** -24], halves(0x3c00, 0xc000, 0x7bff, 0x0001), 'float32'],
  BF16: [[1, -2, 0.5, 1.5], halves(0x3f80, 0xc000, 0x3f00, 0x3fc0), 'float32'],
  FP32: [[0.5, -0.25, 1e30, 3], Float32Array.of(0.5, -0.25, 1e30, 3), 'float32'],
  FP64: [[0.1, -0.2, 1e300, 3], Float64Array.of(0.1, -0.2, 1e300, 3), 'float64'],
}

/** Numbers as a model gives them back. */
const asHeld = (model: string, numbers: readonly (number | boolean)[]) =>
  model === 'float32' ? Array.from(numbers, (x) => Math.fround(Number(x))) : numbers

describe('api, Tensor Data Types', () => {
  const inJson = Object.entries(samples).filter(([datatype]) => datatype !== 'FP16' && datatype !== 'BF16')
  test.each(inJson)('%s in JSON', async (datatype, [numbers, , model]) => {
    const data = datatype === 'BOOL' ? numbers.map(Boolean) : numbers
    const { status, body } = await infer(model, { shape: [1, 4], datatype, data })
    expect(status).toBe(200)
    expect(body.outputs[0].data).toEqual(asHeld(model, data))
  })

  test.each(['FP16', 'BF16'])('%s has no form in JSON', async (datatype) => {
    const { status, body } = await infer('float32', { shape: [1, 4], datatype, data: [1, 2, 3, 4] })
    expect(status).toBe(400)
    expect(body.error).toContain(`bytes are expected of ${datatype}`)
  })

  test.each(['bool', 'uint8', 'int32', 'float32', 'float64'])('the outputs of %s say theirs', async (model) => {
    const { body } = await infer(model, { shape: [1, 4], datatype: 'UINT8', data: [0, 1, 1, 0] })
    const datatypes = { bool: 'BOOL', uint8: 'UINT8', int32: 'INT32', float32: 'FP32', float64: 'FP64' }
    const data = model === 'bool' ? [false, true, true, false] : [0, 1, 1, 0]
    expect(body.outputs[0]).toMatchObject({ datatype: datatypes[model as 'bool'], data })
  })

  test('BYTES are strings in JSON', async () => {
    const { body } = await infer('named', { shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] })
    expect(body.outputs[0]).toEqual({ name: 'classes', datatype: 'BYTES', shape: [1, 2], data: ['漢字', 'é'] })
  })

  test('a number that the input does not hold is refused', async () => {
    const bytes = BigInt64Array.of(1n, 2n, 3n, 2n ** 40n)
    const input = { name: 'x', shape: [1, 4], datatype: 'INT64', parameters: { binary_data_size: 32 } }
    const { status, body } = await postBytes('/v2/models/int32/infer', { inputs: [input] }, bytes)
    expect(status).toBe(400)
    expect(body.error).toContain('numbers that int32 holds')
  })
})

describe('binary, requests', () => {
  test.each(Object.entries(samples))(
    '%s as little-endian bytes in rows without gaps',
    async (datatype, [numbers, bytes, model]) => {
      const input = { name: 'x', shape: [1, 4], datatype, parameters: { binary_data_size: bytes.byteLength } }
      const { status, body } = await postBytes(`/v2/models/${model}/infer`, { inputs: [input] }, bytes)
      expect(status).toBe(200)
      expect(body.outputs[0].data.map(Number)).toEqual(asHeld(model, numbers))
    },
  )

  test('Examples: the tensors follow the JSON in the order of the inputs, whatever the model says', async () => {
    const size = (binary_data_size: number) => ({ binary_data_size })
    const inputs = [
      { name: 'input1', shape: [2, 2], datatype: 'BOOL', parameters: size(4) },
      { name: 'input0', shape: [2, 2], datatype: 'UINT32', parameters: size(16) },
    ]
    const outputs = [{ name: 'output0', parameters: { binary_data: true } }]
    const {
      status,
      headers,
      body,
      bytes,
      size: all,
    } = await postBytes(
      '/v2/models/mymodel/infer',
      { model_name: 'mymodel', inputs, outputs },
      Uint8Array.of(1, 0, 1, 1),
      Uint32Array.of(1, 2, 3, 4),
    )
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-length')).toBe(String(all))
    expect(headers.get('inference-header-content-length')).toBe(String(all - 16))
    expect(body.outputs).toEqual([
      { name: 'output0', shape: [2, 2], datatype: 'INT32', parameters: { binary_data_size: 16 } },
    ])
    expect([...new Int32Array(new Uint8Array(bytes).buffer)]).toEqual([2, 2, 4, 5])
  })

  test('bytes of one input beside JSON of another', async () => {
    const inputs = [
      example.inputs[0],
      { name: 'input1', shape: [2, 2], datatype: 'BOOL', parameters: { binary_data_size: 4 } },
    ]
    const { body } = await postBytes('/v2/models/mymodel/infer', { inputs }, Uint8Array.of(1, 0, 1, 1))
    expect(body.outputs[0].data).toEqual([2, 2, 4, 5])
  })

  test('without the header that tells how long the JSON is they are refused', async () => {
    const response = await fetch(`${base}/v2/models/float32/infer`, {
      method: 'POST',
      body: Buffer.concat([Buffer.from(JSON.stringify(example)), Buffer.alloc(16)]),
    })
    expect([response.status, Object.keys((await response.json()) as Json)]).toEqual([400, ['error']])
  })
})

describe('binary, answers', () => {
  const input = { name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }
  const ask = (more: object) => postBytes('/v2/models/named/infer', { inputs: [input], ...more })

  test('binary_data_output is of all outputs, and JSON without it', async () => {
    const { body, bytes } = await ask({ parameters: { binary_data_output: true } })
    expect(body.outputs.map((output: Json) => output.parameters.binary_data_size)).toEqual([16, 8])
    expect(bytes.length).toBe(24)
    const { body: plain, headers } = await ask({ parameters: { binary_data_output: false } })
    expect(plain.outputs[1].data).toEqual([3, 2])
    expect([headers.get('content-type'), headers.has('inference-header-content-length')]).toEqual([
      'application/json',
      false,
    ])
  })

  test('binary_data of an output goes before it, either way', async () => {
    const outputs = [{ name: 'classes', parameters: { binary_data: false } }, { name: 'values' }]
    const { body, bytes } = await ask({ outputs, parameters: { binary_data_output: true } })
    expect(body.outputs[0].data).toEqual(['漢字', 'é'])
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([3, 2])
    const one = await ask({ outputs: [{ name: 'values', parameters: { binary_data: true } }, { name: 'classes' }] })
    expect(one.body.outputs[0].data).toEqual(['漢字', 'é'])
    expect(one.body.outputs[1].parameters).toEqual({ binary_data_size: 8 })
  })

  test('BYTES are each behind its length in four bytes', async () => {
    const { bytes } = await ask({ outputs: [{ name: 'classes', parameters: { binary_data: true } }] })
    expect(bytes).toEqual(
      Buffer.concat([Buffer.of(6, 0, 0, 0), Buffer.from('漢字'), Buffer.of(2, 0, 0, 0), Buffer.from('é')]),
    )
  })

  test('true is a byte of 1, false one of 0', async () => {
    const { bytes } = await postBytes('/v2/models/bool/infer', {
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [7, 0, -1, 0] }],
      parameters: { binary_data_output: true },
    })
    expect([...bytes]).toEqual([1, 0, 1, 0])
  })

  test('an error is JSON alone', async () => {
    const { status, headers, body, bytes } = await ask({ outputs: [{ name: 'x', parameters: { binary_data: true } }] })
    expect([status, headers.get('content-type'), bytes.length]).toEqual([400, 'application/json', 0])
    expect(body).toEqual({ error: expect.stringContaining('classes, values are expected') })
  })
})
