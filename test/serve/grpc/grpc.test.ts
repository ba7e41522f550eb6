/** The calls of the Open Inference Protocol over gRPC, as its definitions describe them, and what they refuse. */
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as g from '../../../lib/index.ts'
import { type GrpcServer, grpcService, type ServeGrpcOptions, serveGrpc } from '../../../lib/serve/grpc/index.ts'
import { type Predictor, predictor } from '../../../lib/serve/index.ts'
import { InferenceClient, type Message } from './client.ts'

const { status } = grpc

let server: GrpcServer
let client: InferenceClient
let slow: Predictor
const models: Record<string, Predictor | Record<string, Predictor>> = {}

const made = (forward: (x: never) => unknown, options: Parameters<typeof predictor>[1]) =>
  predictor({ forward, parameters: () => [] } as never, { maxBatch: 4, ...options })

beforeAll(async () => {
  const double = (x: g.Tensor) => x.mul(2)
  const same = (x: g.Tensor) => x.reshape(x.shape)
  models.double = await made(double, { inputShape: [3] })
  models.versioned = {
    2: await made(double, { inputShape: [2] }),
    10: await made((x: g.Tensor) => x.mul(10), { inputShape: [2] }),
  }
  models.pair = await made(
    ({ a, b }: Record<string, g.Tensor>) => ({ sum: a!.add(b!.cast('float32')), wide: g.stack([b!, b!], -1) }),
    { inputShape: { a: [2], b: [2] }, inputDtype: { a: 'float32', b: 'int32' } },
  )
  for (const dtype of ['float64', 'float32', 'int32', 'uint8', 'bool'] as const)
    models[dtype] = await made(same, { inputShape: [3], inputDtype: dtype })
  models.pets = await made(double, { inputShape: [3], output: { topK: 2, labels: ['cat', 'dög', 'bird'] } })
  models.full = await made(double, { inputShape: [1], maxQueue: 1 })
  slow = await made(double, { inputShape: [1], maxDelay: 60_000 })
  models.slow = slow
  models.hurried = await made(double, { inputShape: [1], maxDelay: 60_000, timeout: 5 })
  models.throwing = await made(double, { inputShape: [1] })
  vi.spyOn(models.throwing as Predictor, 'predict').mockRejectedValue(new Error('a secret'))
  server = await serveGrpc({ models, port: 0, maxRows: 6, maxMessage: 100_000 })
  client = new InferenceClient(server.port)
})

afterAll(async () => {
  client.close()
  await server.close(0)
})

const infer = (model: string, request: object, options?: grpc.CallOptions): Promise<Message> =>
  client.call('ModelInfer', { model_name: model, ...request }, options)

const floats = (...rows: number[][]) => ({
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [rows.length, rows[0]!.length], contents: { fp32_contents: rows.flat() } },
  ],
})

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength)

describe('health and metadata', () => {
  test('ServerLive, ServerReady, ServerMetadata', async () => {
    expect(await client.call('ServerLive')).toEqual({ live: true })
    expect(await client.call('ServerReady')).toEqual({ ready: true })
    expect(await client.call('ServerMetadata')).toMatchObject({
      name: 'galvani',
      version: expect.stringMatching(/^\d/),
    })
  })

  test('ModelReady and ModelMetadata, with a version and without', async () => {
    expect(await client.call('ModelReady', { name: 'versioned' })).toEqual({ ready: true })
    expect(await client.call('ModelReady', { name: 'versioned', version: '2' })).toEqual({ ready: true })
    for (const version of ['', '2'])
      expect(await client.call('ModelMetadata', { name: 'versioned', version })).toEqual({
        name: 'versioned',
        versions: ['2', '10'],
        platform: 'galvani_graph',
        inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 2] }],
      })
  })
})

describe('ModelInfer', () => {
  test('answers numbers by type as numbers by type, with the id, the model and its version', async () => {
    expect(await infer('double', { id: 'seven', ...floats([1, 2, 3], [4, 5, 6]) })).toMatchObject({
      model_name: 'double',
      model_version: '1',
      id: 'seven',
      outputs: [{ name: 'output', datatype: 'FP32', shape: [2, 3], contents: { fp32_contents: [2, 4, 6, 8, 10, 12] } }],
      raw_output_contents: [],
    })
  })

  test('answers bytes with bytes, of inputs in any order, for the outputs that are asked for', async () => {
    const inputs = [
      { name: 'b', datatype: 'INT64', shape: [1, 2] },
      { name: 'a', datatype: 'FP32', shape: [1, 2] },
    ]
    const raw_input_contents = [bytesOf(BigInt64Array.of(3n, -4n)), bytesOf(Float32Array.of(0.5, 1))]
    const { outputs, raw_output_contents } = await infer('pair', { inputs, raw_input_contents })
    expect(outputs).toMatchObject([
      { name: 'sum', datatype: 'FP32', shape: [1, 2], contents: null },
      { name: 'wide', datatype: 'INT32', shape: [1, 2, 2], contents: null },
    ])
    expect(raw_output_contents).toEqual([bytesOf(Float32Array.of(3.5, -3)), bytesOf(Int32Array.of(3, 3, -4, -4))])
    const one = await infer('pair', { inputs, raw_input_contents, outputs: [{ name: 'wide' }] })
    expect(one.outputs).toMatchObject([{ name: 'wide' }])
    expect(one.raw_output_contents).toHaveLength(1)
  })

  test('of versions takes the greatest number unless one is named', async () => {
    expect(await infer('versioned', floats([1, 2]))).toMatchObject({ model_version: '10' })
    expect(await infer('versioned', { ...floats([1, 2]), model_version: '2' })).toMatchObject({
      model_version: '2',
      outputs: [{ contents: { fp32_contents: [2, 4] } }],
    })
  })

  test('takes parameters of every kind', async () => {
    const parameters = {
      urgent: { bool_param: true },
      priority: { int64_param: 3 },
      tenant: { string_param: 'me' },
      rate: { double_param: 0.5 },
      timeout: { uint64_param: 1000 },
    }
    const { inputs } = floats([1, 2, 3])
    const request = { parameters, inputs: [{ ...inputs[0], parameters }], outputs: [{ name: 'output', parameters }] }
    expect((await infer('double', request)).outputs[0].contents.fp32_contents).toEqual([2, 4, 6])
  })

  test('gives the names of classes, either way', async () => {
    const { outputs } = await infer('pets', floats([1, 3, 2]))
    expect(outputs[0]).toMatchObject({ name: 'classes', datatype: 'BYTES', shape: [1, 2] })
    expect(outputs[0].contents.bytes_contents).toEqual([Buffer.from('dög'), Buffer.from('bird')])
    const { raw_output_contents: raw } = await infer('pets', {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3] }],
      raw_input_contents: [bytesOf(Float32Array.of(1, 3, 2))],
    })
    expect(raw[0]).toEqual(Buffer.from('\x04\0\0\0dög\x04\0\0\0bird'))
  })

  const samples: [datatype: string, list: string | null, model: string, numbers: number[], bytes: ArrayBufferView][] = [
    ['BOOL', 'bool_contents', 'bool', [1, 0, 1], Uint8Array.of(1, 0, 1)],
    ['UINT8', 'uint_contents', 'uint8', [0, 1, 255], Uint8Array.of(0, 1, 255)],
    ['UINT16', 'uint_contents', 'int32', [0, 1, 65535], Uint16Array.of(0, 1, 65535)],
    ['UINT32', 'uint_contents', 'float64', [0, 1, 4294967295], Uint32Array.of(0, 1, 4294967295)],
    ['UINT64', 'uint64_contents', 'float64', [0, 1, 2 ** 40], BigUint64Array.of(0n, 1n, 2n ** 40n)],
    ['INT8', 'int_contents', 'int32', [-128, 0, 127], Int8Array.of(-128, 0, 127)],
    ['INT16', 'int_contents', 'int32', [-32768, 0, 32767], Int16Array.of(-32768, 0, 32767)],
    ['INT32', 'int_contents', 'int32', [-(2 ** 31), 0, 2 ** 31 - 1], Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
    ['INT64', 'int64_contents', 'float64', [-(2 ** 40), 0, 5], BigInt64Array.of(-(2n ** 40n), 0n, 5n)],
    ['FP16', null, 'float32', [1, -2, 65504], Uint16Array.of(0x3c00, 0xc000, 0x7bff)],
    ['BF16', null, 'float32', [1, -2, 0.5], Uint16Array.of(0x3f80, 0xc000, 0x3f00)],
    ['FP32', 'fp32_contents', 'float32', [0.5, -1, 1e10], Float32Array.of(0.5, -1, 1e10)],
    ['FP64', 'fp64_contents', 'float64', [0.1, -1e300, 3], Float64Array.of(0.1, -1e300, 3)],
  ]
  const lists: Record<string, string> = {
    bool: 'bool_contents',
    uint8: 'uint_contents',
    int32: 'int_contents',
    float32: 'fp32_contents',
    float64: 'fp64_contents',
  }
  const arrays = {
    bool: Uint8Array,
    uint8: Uint8Array,
    int32: Int32Array,
    float32: Float32Array,
    float64: Float64Array,
  }

  test.each(samples)('%s by type and as bytes', async (datatype, list, model, numbers, bytes) => {
    const input = { name: 'x', datatype, shape: [1, 3] }
    if (list === null)
      await expect(
        infer(model, { inputs: [{ ...input, contents: { fp32_contents: numbers } }] }),
      ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringContaining('raw_input_contents') })
    else {
      const { outputs } = await infer(model, { inputs: [{ ...input, contents: { [list]: numbers } }] })
      expect(outputs[0].contents[lists[model]!].map(Number)).toEqual(numbers)
    }
    const raw = await infer(model, { inputs: [input], raw_input_contents: [bytesOf(bytes)] })
    expect(raw.raw_output_contents).toEqual([bytesOf(arrays[model as 'bool'].from(numbers))])
  })

  test('numbers that are not packed', async () => {
    const field = (number: number, type: number) => (number << 3) | type
    const part = (number: number, ...bytes: number[]) => [field(number, 2), bytes.length, ...bytes]
    const input = [
      ...part(1, 0x78),
      ...part(2, ...Buffer.from('INT32')),
      ...part(3, 1, 3),
      // 5, 300 and -1, each behind its tag.
      ...part(5, field(2, 0), 5, field(2, 0), 0xac, 2, field(2, 0), 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
    ]
    const message = Buffer.of(...part(1, ...Buffer.from('int32')), ...part(5, ...input))
    const answer = await client.send('ModelInfer', message)
    expect(answer.includes(Buffer.of(5, 0xac, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1))).toBe(true)
  })
})

describe('what is refused, with the reason', () => {
  const [input] = floats([1, 2, 3]).inputs
  const { contents: _, ...bare } = input!
  const twelve = Buffer.alloc(12)

  test.each<[string, object]>([
    ['no inputs', {}],
    ['too many inputs', { inputs: [input, input] }],
    ['another datatype', { inputs: [{ ...input, datatype: 'FP8' }] }],
    ['a prototype as datatype', { inputs: [{ ...input, datatype: 'constructor' }] }],
    ['texts', { inputs: [{ ...bare, datatype: 'BYTES', contents: { bytes_contents: [twelve] } }] }],
    ['no shape', { inputs: [{ ...input, shape: [] }] }],
    ['a shape without the axis of rows', { inputs: [{ ...input, shape: [3] }] }],
    ['rows of another length', { inputs: [{ ...input, shape: [3, 1] }] }],
    ['a negative shape', { inputs: [{ ...input, shape: [-1, 3] }] }],
    ['a shape of nothing', { inputs: [{ ...input, shape: [0, 3] }] }],
    ['a shape beyond all numbers', { inputs: [{ ...input, shape: [2 ** 53, 3] }] }],
    ['many axes', { inputs: [{ ...input, shape: new Array(5000).fill(1) }] }],
    ['nothing for the shape', { inputs: [bare] }],
    ['fewer numbers', { inputs: [{ ...bare, contents: { fp32_contents: [1, 2] } }] }],
    ['more numbers', { inputs: [{ ...bare, contents: { fp32_contents: [1, 2, 3, 4] } }] }],
    ['numbers of another type', { inputs: [{ ...bare, contents: { int_contents: [1, 2, 3] } }] }],
    ['bytes and numbers', { inputs: [input], raw_input_contents: [twelve] }],
    ['fewer bytes', { inputs: [bare], raw_input_contents: [Buffer.alloc(8)] }],
    ['more bytes', { inputs: [bare], raw_input_contents: [Buffer.alloc(16)] }],
    ['no bytes', { inputs: [bare], raw_input_contents: [Buffer.alloc(0)] }],
    ['bytes of more inputs', { inputs: [bare], raw_input_contents: [twelve, twelve] }],
    ['an output that there is not', { inputs: [input], outputs: [{ name: 'none' }] }],
  ])('%s', async (_, request) => {
    await expect(infer('double', request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/expected/),
    })
  })

  test('a number that the input does not hold', async () => {
    const inputs = [{ name: 'x', datatype: 'INT64', shape: [1, 3], contents: { int64_contents: [1, 2, 2 ** 40] } }]
    const refused = { code: status.INVALID_ARGUMENT, details: expect.stringContaining('int32 holds') }
    await expect(infer('int32', { inputs })).rejects.toMatchObject(refused)
  })

  test('contents that are no message', async () => {
    const field = (number: number, bytes: Buffer) => [Buffer.of((number << 3) | 2, bytes.length), bytes]
    const junk = Buffer.of(0x32, 7, 1, 2, 3, 4, 5, 6, 7)
    for (const contents of [junk, Buffer.of(0x32, 100), Buffer.of(0xff, 0xff)]) {
      const parts = [...field(1, Buffer.from('x')), ...field(2, Buffer.from('FP32')), ...field(3, Buffer.of(1, 3))]
      const message = Buffer.concat([...parts, ...field(5, contents)])
      const request = Buffer.concat([...field(1, Buffer.from('double')), ...field(5, message)])
      await expect(client.send('ModelInfer', request)).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: expect.stringContaining('input x: 3 numbers are expected as fp32_contents'),
      })
    }
  })

  test('models and versions that there are not, whatever their names', async () => {
    const notFound = { code: status.NOT_FOUND }
    for (const name of ['', 'none', 'constructor', '\n%', `${'x'.repeat(199)}😀${'é'.repeat(10_000)}`]) {
      await expect(infer(name, floats([1, 2, 3]))).rejects.toMatchObject(notFound)
      await expect(client.call('ModelReady', { name })).rejects.toMatchObject(notFound)
      await expect(client.call('ModelMetadata', { name })).rejects.toMatchObject(notFound)
    }
    const version = 'x'.repeat(3000)
    await expect(client.call('ModelReady', { name: 'versioned', version })).rejects.toMatchObject(notFound)
  })

  test('more rows and longer messages than may be, a full queue', async () => {
    const rows = Array.from({ length: 7 }, () => [1, 2, 3])
    const exhausted = { code: status.RESOURCE_EXHAUSTED }
    await expect(infer('double', floats(...rows))).rejects.toMatchObject(exhausted)
    await expect(infer('double', { raw_input_contents: [Buffer.alloc(200_000)] })).rejects.toMatchObject(exhausted)
    await expect(infer('full', floats([1], [2]))).rejects.toMatchObject({
      ...exhausted,
      details: expect.stringContaining('room'),
    })
  })

  test('messages that are none, or of very many parts', async () => {
    const internal = { code: status.INTERNAL }
    await expect(client.send('ModelInfer', Buffer.of(0xff, 0xff, 0xff))).rejects.toMatchObject(internal)
    const many = Buffer.alloc(40_000, Buffer.of(0x2a, 0))
    await expect(client.send('ModelInfer', many)).rejects.toMatchObject(internal)
    await expect(client.send('ModelTrain', Buffer.of())).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
    expect(await client.call('ServerLive')).toEqual({ live: true })
  })

  test('what is no fault of the client, without telling it', async () => {
    await expect(infer('throwing', floats([1]))).rejects.toMatchObject({
      code: status.INTERNAL,
      details: 'internal error',
    })
  })
})

describe('time', () => {
  const until = (count: number) =>
    vi.waitFor(() => expect(slow.statistics().queued).toBe(count), { timeout: 20_000, interval: 5 })

  test('the time of the predictor is over', async () => {
    await expect(infer('hurried', floats([1]))).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringContaining('no answer within 5 ms'),
    })
  })

  test('a deadline of the client, and a call that it takes back, leave nothing in the queue', async () => {
    await expect(infer('slow', floats([1]), { deadline: Date.now() + 100 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    })
    await until(0)
    let call: grpc.ClientUnaryCall | undefined
    const ended = new Promise<grpc.ServiceError | null>((resolve) => {
      call = client.start('ModelInfer', { model_name: 'slow', ...floats([1]) }, resolve)
    })
    await until(1)
    call!.cancel()
    expect(await ended).toMatchObject({ code: status.CANCELLED })
    await until(0)
  })
})

test('a predictor that is closed is unavailable, and nothing is ready', async () => {
  const closing = await made((x: g.Tensor) => x.mul(2), { inputShape: [1] })
  models.closing = closing
  await closing.close()
  await expect(infer('closing', floats([1]))).rejects.toMatchObject({ code: status.UNAVAILABLE })
  expect(await client.call('ModelReady', { name: 'closing' })).toEqual({ ready: false })
  expect(await client.call('ServerReady')).toEqual({ ready: false })
  delete models.closing
  expect(await client.call('ServerReady')).toEqual({ ready: true })
})

describe('a server of its own', () => {
  test('takes the service, and its definition makes a client', async () => {
    const { definition, implementation } = grpcService({ models })
    const own = new grpc.Server()
    own.addService(definition, implementation)
    const port = await new Promise<number>((resolve, reject) =>
      own.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    )
    const Client = grpc.makeGenericClientConstructor(definition, 'inference.GRPCInferenceService')
    const caller = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) as Message
    const answer = await new Promise<Message>((resolve, reject) =>
      caller.ModelReady({ name: 'double' }, (error: Error | null, answer: Message) =>
        error === null ? resolve(answer) : reject(error),
      ),
    )
    expect(answer.ready).toBe(true)
    caller.close()
    own.forceShutdown()
  })

  test('is drained: what is under way is answered, and what is left after a while is cut off', async () => {
    const lazy = await made((x: g.Tensor) => x.mul(2), { inputShape: [1], maxDelay: 300 })
    const draining = await serveGrpc({ models: { lazy }, port: 0 })
    const caller = new InferenceClient(draining.port)
    const answer = caller.call('ModelInfer', { model_name: 'lazy', ...floats([21]) })
    await vi.waitFor(() => expect(lazy.statistics().queued).toBe(1), { timeout: 20_000, interval: 5 })
    await Promise.all([draining.close(), draining.close()])
    expect((await answer).outputs[0].contents.fp32_contents).toEqual([42])
    caller.close()

    const cut = await serveGrpc({ models: { slow }, port: 0 })
    const other = new InferenceClient(cut.port)
    const failed = other.call('ModelInfer', { model_name: 'slow', ...floats([1]) }).catch((error: unknown) => error)
    await vi.waitFor(() => expect(slow.statistics().queued).toBe(1), { timeout: 20_000, interval: 5 })
    await cut.close(20)
    expect(await failed).toMatchObject({ code: expect.any(Number) })
    await vi.waitFor(() => expect(slow.statistics().queued).toBe(0), { timeout: 20_000, interval: 5 })
    other.close()
  })

  test.each<[ServeGrpcOptions, string]>([
    [{} as never, 'models'],
    [{ models: { a: 3 } } as never, 'serveGrpc: expected a predictor, or predictors by version, as a'],
    [{ models: {}, port: 70_000 }, 'a port from 0 to 65535'],
    [{ models: {}, maxMessage: 0 }, 'maxMessage'],
    [{ models: {}, credentials: {} }, 'ServerCredentials of @grpc/grpc-js as credentials'],
    [{ models: {}, maxBody: 3 } as never, 'maxBody'],
  ])('refuses %j', async (options, message) => {
    await expect(serveGrpc(options)).rejects.toThrow(message)
  })

  test('says where a port is in use', async () => {
    await expect(serveGrpc({ models: {}, port: server.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `serveGrpc: port ${server.port} is in use: give another one, or 0 for any that is free`,
    })
  })
})
