/** `galvani serve` as a process: it says its address, serves, and ends with 0 on a signal once all is answered. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { InferenceClient } from '../serve/grpc/client.ts'
import { buildUnlessThere } from '../support/dist.ts'

const root = join(import.meta.dirname, '../..')
let folder: string
let child: ChildProcess | undefined

beforeAll(buildUnlessThere)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-serve-'))
  const version = join(folder, 'double', '1')
  await mkdir(version, { recursive: true })
  await writeFile(
    join(version, 'model.mjs'),
    `export default { forward: (x) => x.mul(2), parameters: () => [] }
    export const serving = { inputShape: [1], maxBatch: 2, maxDelay: 100 }`,
  )
})

afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

function start(...args: string[]): ChildProcess {
  child = spawn(process.execPath, [join(root, 'dist/cli.cjs'), 'serve', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return child
}

async function addressOf(started: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: started.stdout! })) return line
  throw new Error('no address')
}

const predict = async (url: string) => {
  const response = await fetch(`${url}/v1/models/double:predict`, { method: 'POST', body: '{"instances":[[21]]}' })
  return (await response.json()) as unknown
}

test.each([['1'], ['2']])('with %s workers', async (workers) => {
  const started = start('--port', '0', '--workers', workers)
  const url = await addressOf(started)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(await predict(url)).toEqual({ predictions: [[42]] })
  const underWay = [predict(url), predict(url)]
  await new Promise((resolve) => setTimeout(resolve, 30))
  started.kill('SIGTERM')
  expect(await Promise.all(underWay)).toEqual([{ predictions: [[42]] }, { predictions: [[42]] }])
  const [code] = await once(started, 'exit')
  expect(code).toBe(0)
})

test.each([['1'], ['2']])('over gRPC, too, with %s workers', async (workers) => {
  const started = start('--port', '0', '--grpc-port', '0', '--workers', workers)
  const addresses: string[] = []
  for await (const line of createInterface({ input: started.stdout! })) if (addresses.push(line) === 2) break
  expect(addresses[1]).toMatch(/^grpc:\/\/127\.0\.0\.1:\d+$/)
  const client = new InferenceClient(Number(new URL(addresses[1]!).port))
  const infer = async () => {
    const contents = { fp32_contents: [21] }
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 1], contents }]
    const { outputs } = await client.call('ModelInfer', { model_name: 'double', inputs })
    return outputs[0].contents.fp32_contents
  }
  expect(await infer()).toEqual([42])
  const underWay = [infer(), infer()]
  await new Promise((resolve) => setTimeout(resolve, 30))
  started.kill('SIGTERM')
  expect(await Promise.all(underWay)).toEqual([[42], [42]])
  const [code] = await once(started, 'exit')
  expect(code).toBe(0)
  client.close()
})

test('a port that is in use is a message and a failure, also of workers', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  for (const workers of ['1', '2']) {
    const started = start('--port', String(port), '--workers', workers)
    let said = ''
    started.stderr!.on('data', (chunk) => {
      said += chunk
    })
    const [code] = await once(started, 'exit')
    expect(code).toBe(1)
    expect(said).toContain(`serve: port ${port} is in use`)
  }
  taken.close()
})

test('a worker that cannot begin ends the others, which are still about to', async () => {
  await writeFile(
    join(folder, 'double', '1', 'model.mjs'),
    `import cluster from 'node:cluster'
    if (cluster.worker.id === 2) process.exit(3)
    await new Promise((resolve) => setTimeout(resolve, 1e6))
    export default null`,
  )
  const [code] = await once(start('--port', '0', '--workers', '2'), 'exit')
  expect(code).toBe(3)
})
