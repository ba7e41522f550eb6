/**
 * What answers a request: our handler, and onnxruntime-node behind a plain server that reads requests and writes answers by the same functions.
 * onnxruntime-node computes on the thread of the event loop, whatever is awaited.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as g from '../../lib/index.ts'
import * as onnx from '../../lib/onnx/index.ts'
import { readBody } from '../../lib/serve/http/body.ts'
import { limitsOf } from '../../lib/serve/http/handler.ts'
import { handler } from '../../lib/serve/http/index.ts'
import { inferenceReply, inferenceRequest } from '../../lib/serve/http/inference.ts'
import { errorReply, send } from '../../lib/serve/http/reply.ts'
import { type Predictor, predictor } from '../../lib/serve/index.ts'
import type { OwnElements } from '../../lib/serve/inputs.ts'
import { bytesOf } from '../../lib/serve/protocol/datatypes.ts'
import { type NetName, nets } from '../nets.ts'
import { findRuntime, type Runtime, runtimeAdvice, type Session } from '../onnx-runtime.ts'
import { Learner } from './learner.ts'

/** `HTTP alone` reads the bytes of a request and answers some; `learning` is ours with a trainer. */
export type SideName = 'HTTP alone' | 'galvani' | 'learning' | 'onnxruntime' | 'onnxruntime, batched'

export interface SideOptions {
  readonly side: SideName
  readonly net: NetName
  /** The model. */
  readonly file: string
  /** That compute. */
  readonly threads: number
  /** Of ours: milliseconds within which it answers, or refuses. */
  readonly targetP99?: number
}

export interface Side {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => unknown
  readonly predictor?: Predictor
  readonly learner?: Learner
}

/** Rows that are computed together, at most: as many as `predictor` takes. */
const mostRows = 64

export function createSide(options: SideOptions): Side | Promise<Side> {
  if (options.side === 'HTTP alone')
    return { handle: (request, response) => request.resume().on('end', () => response.end(Buffer.alloc(200))) }
  return options.side === 'galvani' || options.side === 'learning' ? ourSide(options) : otherSide(options)
}

async function ourSide({ side, net, file, threads, targetP99 }: SideOptions): Promise<Side> {
  g.setNumThreads(threads)
  const model = side === 'learning' ? nets[net].create() : await onnx.load(file)
  const served = await predictor(model, { inputShape: nets[net].shape, ...(targetP99 && { targetP99 }) })
  const learner = model instanceof g.nn.Sequential ? new Learner(nets[net], model, served) : undefined
  return { handle: handler({ models: { net: served } }), predictor: served, ...(learner && { learner }) }
}

async function otherSide({ side, net, file, threads }: SideOptions): Promise<Side> {
  const runtime = findRuntime()
  if (runtime === null) throw new Error(runtimeAdvice)
  const { shape } = nets[net]
  const session = await runtime.InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 })
  const run = (rows: Float32Array, count: number) => runSession(runtime, session, rows, [count, ...shape])
  return { handle: plainHandler(shape, side === 'onnxruntime' ? (row) => run(row, 1) : batched(run)) }
}

type Predict = (row: Float32Array) => Promise<Float32Array>

async function runSession(runtime: Runtime, session: Session, rows: Float32Array, shape: readonly number[]) {
  const results = await session.run({ input: new runtime.Tensor('float32', rows, shape) })
  return results[session.outputNames[0]!]!.data
}

/** Joins the rows that came in a turn of the event loop, and while a batch was computed, as `predictor` does. */
function batched(run: (rows: Float32Array, count: number) => Promise<Float32Array>): Predict {
  const waiting: { row: Float32Array; resolve: (answer: Float32Array) => void; reject: (error: unknown) => void }[] = []
  let isRunning = false
  const flush = async () => {
    isRunning = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, mostRows)
      const size = batch[0]!.row.length
      const rows = new Float32Array(batch.length * size)
      for (const [i, { row }] of batch.entries()) rows.set(row, i * size)
      try {
        const answers = await run(rows, batch.length)
        const length = answers.length / batch.length
        for (const [i, { resolve }] of batch.entries()) resolve(answers.slice(i * length, (i + 1) * length))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject })
      // onnxruntime-node waits for the end of the turn by itself.
      if (!isRunning) setImmediate(() => isRunning || flush())
    })
}

function plainHandler(shape: readonly number[], predict: Predict): Side['handle'] {
  const limits = limitsOf('bench', {})
  const specs = [{ name: '', shape, dtype: 'float32' }] as const
  const model = { name: 'net', version: '1' }
  return async (request, response) => {
    try {
      const inference = inferenceRequest(await readBody(request, limits), request.headers, specs, 1)
      const { array } = inference.rows as unknown as OwnElements
      const answer = await predict(array as Float32Array)
      const described = { name: 'output', datatype: 'FP32', shape: [1, answer.length] }
      const result = {
        ...described,
        list: () => Array.from(answer),
        bytes: () => bytesOf(answer as Float32Array<ArrayBuffer>),
      }
      send(response, inferenceReply(model, inference, [result]))
    } catch (error) {
      send(response, errorReply(error))
    }
  }
}
