// A service that recognises digits while they are drawn, and learns from whoever corrects it: `npx tsx examples/service/server.ts`, `--help`.

import { once } from 'node:events'
import { join } from 'node:path'
import { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import * as g from '../../lib/index.ts'
import { count, seed as fromZero, isProgram } from '../support/options.ts'
import { createApp } from './app.ts'
import { type Digits, predictorOf, trainedDigits } from './digits.ts'
import { type KnownDigits, knownDigits, Lessons } from './lessons.ts'

interface Options {
  port: number
  host: string
  model: string
  rows: number
  epochs: number
}

const command = new Command('npx tsx examples/service/server.ts')
  .description('Serve a page on which digits are drawn, recognised and corrected.')
  .option('--port <n>', '0 for any that is free', fromZero, 8080)
  .option('--host <address>', '127.0.0.1 is this machine alone', '127.0.0.1')
  .option('--model <path>', 'where the model is kept', join(import.meta.dirname, 'digits.safetensors'))
  .option('--rows <n>', 'images of MNIST for the first training, and a sixth as many to test it', count, 60_000)
  .option('--epochs <n>', 'passes over them', count, 2)

async function main({ port, host, model: path, rows, epochs }: Options): Promise<void> {
  const end = new AbortController()
  // The second signal of a kind ends the process at once, as ever.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  try {
    g.setSeed(1)
    const mnist = await g.datasets.mnist()
    const model = await trainedDigits(path, mnist, { rows, epochs, signal: end.signal })
    await serve(model, await knownDigits(mnist.train), { port, host, signal: end.signal })
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
}

async function serve(
  model: Digits,
  known: KnownDigits,
  { port, host, signal }: { port: number; host: string; signal: AbortSignal },
): Promise<void> {
  const digits = await predictorOf(model)
  const lessons = new Lessons(model, digits, known)
  const app = createApp(digits, lessons)
  console.log(`Draw digits at ${await app.listen({ port, host })}`)
  if (!signal.aborted) await once(signal, 'abort')
  console.log('Closing: what is under way is answered first')
  await drain(app)
  await lessons.close()
  await digits.close()
}

/** Requests that are under way have ten seconds for their answers; new ones are refused. */
async function drain(app: FastifyInstance): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), 10_000)
  // Connections are kept for a next request, and each is to end once it has its answer.
  const idle = setInterval(() => app.server.closeIdleConnections(), 50)
  await app.close()
  clearTimeout(late)
  clearInterval(idle)
}

if (isProgram(import.meta.url))
  main(command.parse().opts<Options>()).catch((error: unknown) => {
    if (!(error instanceof g.DatasetNotFoundError)) throw error
    console.error(error.message)
    process.exitCode = 1
  })
