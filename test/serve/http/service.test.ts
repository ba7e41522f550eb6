/** A service over a folder of models: what is loaded, replaced and refused while requests come, and how it ends. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as g from '../../../lib/index.ts'
import * as onnx from '../../../lib/onnx/index.ts'
import { type ModelChange, type ServeOptions, type Service, serve } from '../../../lib/serve/http/index.ts'
import { InferenceClient } from '../grpc/client.ts'

let folder: string
let service: Service | undefined
let changes: ModelChange[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-models-'))
  changes = []
})

afterEach(async () => {
  await service?.close()
  service = undefined
  await rm(folder, { recursive: true })
})

const library = pathToFileURL(join(import.meta.dirname, '../../../lib/index.ts')).href

/** A model that multiplies by a number: as a module file of its own, put there whole. */
async function putModule(name: string, version: number, factor: number, more = ''): Promise<void> {
  const made = join(folder, `.${name}-${version}`)
  await mkdir(made, { recursive: true })
  await writeFile(
    join(made, 'model.mjs'),
    `import * as g from ${JSON.stringify(library)}
    class Times extends g.nn.Module {
      factor = g.variable(1)
      forward(x) { return x.mul(this.factor) }
    }
    export default () => new Times()
    export const serving = { inputShape: [2], maxBatch: 4 }
    ${more}`,
  )
  await g.save(join(made, 'model.safetensors'), { factor: g.tensor(factor) })
  await mkdir(join(folder, name), { recursive: true })
  await rename(made, join(folder, name, String(version)))
}

async function start(options: ServeOptions = {}): Promise<Service> {
  const onChange = (change: ModelChange) => changes.push(change)
  service = await serve(folder, { port: 0, poll: 20, onChange, ...options })
  return service
}

const waitFor = (check: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 20_000, interval: 10 })

const has = (change: string, version: number) =>
  waitFor(() => changes.some((each) => each.change === change && each.version === String(version)))

async function predict(
  name: string,
  row: readonly number[],
): Promise<{ status: number; row?: number[]; version?: string }> {
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, row.length], datatype: 'FP32', data: row }] })
  const response = await fetch(`${service!.url}/v2/models/${name}/infer`, { method: 'POST', body })
  if (!response.ok) return { status: response.status }
  const { outputs, model_version } = (await response.json()) as {
    outputs: { data: number[] }[]
    model_version: string
  }
  return { status: 200, row: outputs[0]!.data, version: model_version }
}

test('serves module files with their weights, and ONNX files, by the newest version', async () => {
  await putModule('times', 1, 3)
  await putModule('times', 10, 5)
  const model = g.nn.sequential(g.nn.linear(2, 3), g.nn.softmax())
  await mkdir(join(folder, 'net', '1'), { recursive: true })
  await onnx.export(model, [g.zeros([1, 2])], join(folder, 'net', '1', 'model.onnx'), { dynamicBatch: true })
  await start()
  expect(await predict('times', [1, 2])).toEqual({ status: 200, row: [5, 10], version: '10' })
  const { inputs } = (await (await fetch(`${service!.url}/v2/models/net`)).json()) as { inputs: { name: string }[] }
  const body = JSON.stringify({ inputs: [{ ...inputs[0], shape: [1, 2], data: [1, 2] }] })
  const response = await fetch(`${service!.url}/v2/models/net/infer`, { method: 'POST', body })
  const { outputs } = (await response.json()) as { outputs: { data: number[] }[] }
  const wanted = await (await g.predict(model, [[1, 2]])).data()
  outputs[0]!.data.forEach((x, i) => {
    expect(x).toBeCloseTo(wanted[i]!, 6)
  })
})

test('options stand beside the versions, and in them', async () => {
  await putModule('times', 1, 2)
  await writeFile(
    join(folder, 'times', 'serve.json'),
    JSON.stringify({ maxBatch: 2, finiteOnly: true, inputShape: [3] }),
  )
  await writeFile(join(folder, 'times', '1', 'serve.json'), JSON.stringify({ output: { topK: 1 }, inputShape: [4] }))
  await start()
  const { inputs, outputs } = (await (await fetch(`${service!.url}/v2/models/times`)).json()) as Record<string, unknown>
  expect(inputs).toMatchObject([{ shape: [-1, 4] }])
  expect(outputs).toMatchObject([{ name: 'classes' }, { name: 'values', shape: [-1, 1] }])
})

test('a new version takes the place of the old one without a lost request', async () => {
  await putModule('times', 1, 1)
  await start()
  let isOver = false
  const answers: { status: number; row?: number[]; version?: string }[] = []
  const client = async () => {
    while (!isOver) answers.push(await predict('times', [1, 1]))
  }
  const clients = [client(), client(), client()]
  for (const version of [2, 3, 4]) {
    await putModule('times', version, version)
    await has('unloaded', version - 1)
  }
  isOver = true
  await Promise.all(clients)
  expect(answers.length).toBeGreaterThan(10)
  for (const { status, row, version } of answers) {
    expect(status).toBe(200)
    expect(row).toEqual([Number(version), Number(version)])
  }
  expect(await predict('times', [1, 1])).toMatchObject({ version: '4' })
  expect(changes.map(({ change, version }) => `${change} ${version}`)).toEqual([
    'loaded 1',
    'loaded 2',
    'unloaded 1',
    'loaded 3',
    'unloaded 2',
    'loaded 4',
    'unloaded 3',
  ])
})

test('a broken version is refused and the old one serves on, until it is mended', async () => {
  await putModule('times', 1, 1)
  await start()
  await putModule('times', 2, 2, 'throw new Error("broken on purpose")')
  await has('refused', 2)
  expect(changes.at(-1)!.error).toMatchObject({ message: 'broken on purpose' })
  expect(await predict('times', [3, 3])).toMatchObject({ row: [3, 3], version: '1' })
  await rm(join(folder, 'times', '2'), { recursive: true })
  await putModule('times', 2, 7)
  await has('loaded', 2)
  await has('unloaded', 1)
  expect(await predict('times', [1, 1])).toMatchObject({ row: [7, 7], version: '2' })
})

test.each([
  ['no model', {}],
  ['no model in an ONNX file', { 'model.onnx': 'nothing' }],
  ['no default export', { 'model.mjs': 'export const x = 1' }],
  ['a default export that is no model', { 'model.mjs': 'export default () => ({})' }],
  ['no shape of rows', { 'model.mjs': 'export default { forward: (x) => x, parameters: () => [] }' }],
  ['options that are no JSON', { 'model.onnx': '', 'serve.json': '{' }],
  ['options that are no object', { 'model.onnx': '', 'serve.json': '[1]' }],
])('a folder with %s is refused with the reason', async (_, files) => {
  const version = join(folder, 'bad', '1')
  await mkdir(version, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(version, name), text)
  await start()
  expect(changes).toMatchObject([{ change: 'refused', model: 'bad' }])
  expect((changes[0]!.error as Error).message).toMatch(/expected|JSON|bytes/)
  expect((await predict('bad', [1])).status).toBe(404)
})

test('a model that is taken away is no longer served', async () => {
  await putModule('times', 1, 1)
  await putModule('other', 1, 2)
  await start()
  await rm(join(folder, 'times'), { recursive: true })
  await has('unloaded', 1)
  expect((await predict('times', [1, 1])).status).toBe(404)
  expect(await predict('other', [1, 1])).toMatchObject({ row: [2, 2] })
})

test('several versions are served where they are asked for', async () => {
  for (const version of [1, 2, 3]) await putModule('times', version, version)
  await start({ versions: 2 })
  const { versions } = (await (await fetch(`${service!.url}/v2/models/times`)).json()) as { versions: string[] }
  expect(versions).toEqual(['2', '3'])
})

test('the same models over gRPC, until its end', async () => {
  await putModule('times', 1, 3)
  await start({ grpcPort: 0 })
  const client = new InferenceClient(service!.grpcPort!)
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }]
  const infer = () => client.call('ModelInfer', { model_name: 'times', inputs })
  expect(await infer()).toMatchObject({ model_version: '1', outputs: [{ contents: { fp32_contents: [3, 6] } }] })
  await putModule('times', 2, 5)
  await has('unloaded', 1)
  expect(await infer()).toMatchObject({ model_version: '2', outputs: [{ contents: { fp32_contents: [5, 10] } }] })
  await expect(serve(folder, { port: 0, grpcPort: service!.grpcPort! })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await service!.close()
  await expect(infer()).rejects.toMatchObject({ code: expect.any(Number) })
  client.close()
})

test('its end answers what is under way, and says that it is not ready', async () => {
  await putModule('times', 1, 4, '')
  await writeFile(join(folder, 'times', 'serve.json'), JSON.stringify({ maxDelay: 300 }))
  await start()
  const answers = [predict('times', [1, 1]), predict('times', [2, 2])]
  await waitFor(async () =>
    (await (await fetch(`${service!.url}/metrics`)).text()).includes('galvani_rows_total{model="times",version="1"} 2'),
  )
  await service!.close()
  expect((await Promise.all(answers)).map(({ row }) => row)).toEqual([
    [4, 4],
    [8, 8],
  ])
  await expect(fetch(service!.url)).rejects.toThrow()
})

test('an onChange that throws is a warning, and what is there is served', async () => {
  await putModule('times', 1, 1)
  let isThrowing = false
  await start({
    onChange: (change) => {
      changes.push(change)
      if (isThrowing) throw new Error('from onChange')
    },
  })
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  isThrowing = true
  await putModule('times', 2, 2)
  expect((await warned).message).toBe('from onChange')
  isThrowing = false
  expect(await predict('times', [1, 1])).toMatchObject({ row: [2, 2], version: '2' })
})

test('what it cannot do is said', async () => {
  await expect(serve(join(folder, 'none'), { port: 0 })).rejects.toMatchObject({ code: 'ENOENT' })
  await start()
  await expect(serve(folder, { port: service!.port })).rejects.toThrow(`serve: port ${service!.port} is in use`)
  await expect(serve(folder, { port: -1 })).rejects.toThrow(RangeError)
  await expect(serve(folder, { prot: 1 } as never)).rejects.toThrow('port')
})
