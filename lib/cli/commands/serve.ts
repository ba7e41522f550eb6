/** `galvani serve`: the models of a folder over HTTP and gRPC, in one process or in several that share a port. */
import type { Cluster, Worker } from 'node:cluster'
import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { type ModelChange, type Service, serve } from '../../serve/http/index.ts'
import { countOf } from '../arguments.ts'
import { fail } from '../exit.ts'

interface Options {
  readonly port: number
  readonly grpcPort?: number
  readonly host: string
  readonly versions: number
  readonly workers: number
  readonly maxBody: number
  readonly drain: number
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65535) throw new InvalidArgumentError('expected a port from 0 to 65535.')
  return port
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 86400)) throw new InvalidArgumentError('expected seconds.')
  return seconds
}

export function configure(command: Command): void {
  command
    .argument('<folder>', 'of models: <model>/<version>/ with model.onnx, or model.mjs and model.safetensors')
    .option('--port <number>', '0 for any that is free', portOf, 8080)
    .option('--grpc-port <number>', 'where they are served over gRPC, too, by the package @grpc/grpc-js', portOf)
    .option('--host <address>', '0.0.0.0 for all that can reach this machine', '127.0.0.1')
    .option('--versions <number>', 'of each model the newest so many', countOf, 1)
    .option('--workers <number>', 'processes that share the port and the processors', countOf, 1)
    .option('--max-body <MiB>', 'of a request', countOf, 8)
    .option('--drain <seconds>', 'how long requests may take to end once it is told to', secondsOf, 10)
    .action(async (folder: string, options: Options) => {
      const { default: cluster } = await import('node:cluster')
      if (options.workers > 1 && cluster.isPrimary) await supervise(cluster, options)
      else if (cluster.isPrimary) await serveHere(folder, options)
      else await serveAsWorker(folder, options)
    })
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** Serves until a signal comes, and ends with 0 once all that was under way is answered. */
async function serveHere(folder: string, { drain, workers: _, maxBody, ...options }: Options): Promise<void> {
  const service = await serve(folder, { ...options, maxBody: maxBody * 2 ** 20, onChange: tell })
  const { url, grpcPort } = service
  const addresses = grpcPort === undefined ? [url] : [url, `grpc://${new URL(url).hostname}:${grpcPort}`]
  // A worker has its addresses told once by who started it.
  if (process.send === undefined) sayAddresses(addresses)
  else process.send({ addresses })
  for (const signal of signals) process.once(signal, () => void end(service, drain))
}

function sayAddresses(addresses: readonly string[]): void {
  for (const address of addresses) process.stdout.write(`${address}\n`)
}

/** The channel to who started it would keep a worker alive that cannot serve, and closing that would end it without a fault. */
async function serveAsWorker(folder: string, options: Options): Promise<void> {
  try {
    await serveHere(folder, options)
  } catch (error) {
    fail(error)
    process.exit()
  }
}

async function end(service: Service, drain: number): Promise<void> {
  await service.close(1000 * drain)
  process.exit(0)
}

function tell({ model, version, change, error }: ModelChange): void {
  const reason = error === undefined ? '' : `: ${error instanceof Error ? error.message : error}`
  process.stderr.write(`${model}/${version} ${change}${reason}\n`)
}

/** A worker that has ended by itself is started again, but not faster than this. */
const millisecondsBetweenStarts = 1000

/** Starts workers, each with its share of the processors, and hands signals on to them. */
async function supervise(cluster: Cluster, { workers }: Options): Promise<void> {
  const threads = Math.max(1, Math.floor(availableParallelism() / workers))
  let isEnding = false
  let isTold = false
  const start = (): Worker => {
    const worker = cluster.fork({ GALVANI_NUM_THREADS: String(threads), ...givenThreads() })
    worker.on('message', ({ addresses }: { addresses: string[] }) => {
      if (!isTold) sayAddresses(addresses)
      isTold = true
    })
    return worker
  }
  for (let i = 0; i < workers; i++) start()
  const end = () => {
    isEnding = true
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
  }
  for (const signal of signals) process.on(signal, end)
  await new Promise<void>((resolve) => {
    cluster.on('exit', (_worker, code: number | null) => {
      // One that could not begin would not the next time either, and the others are no more than some of those that were asked for.
      if (!isTold && !isEnding && code !== 0) {
        process.exitCode = code ?? 1
        end()
      }
      if (!isEnding) setTimeout(() => isEnding || start(), millisecondsBetweenStarts)
      else if (Object.keys(cluster.workers ?? {}).length === 0) resolve()
    })
  })
}

const givenThreads = () => {
  const { GALVANI_NUM_THREADS } = process.env
  return GALVANI_NUM_THREADS === undefined ? {} : { GALVANI_NUM_THREADS }
}
