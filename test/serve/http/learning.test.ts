/** Learning over HTTP: what is taken in both protocols, what is refused, and what is said of it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import * as g from '../../../lib/index.ts'
import { handler } from '../../../lib/serve/http/index.ts'
import { type OnlineTrainerOptions, onlineTrainer, type Predictor, predictor } from '../../../lib/serve/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds, the tests say
type Json = any

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** The sum of its inputs, times a slope that is to be learned. */
class Slope extends g.nn.Module<{ a: g.Tensor; b: g.Tensor }, g.Tensor> {
  slope = g.variable(0)
  forward({ a, b }: { a: g.Tensor; b: g.Tensor }): g.Tensor {
    return a.add(b).mul(this.slope)
  }
}

class Line extends g.nn.Module {
  slope = g.variable(0)
  forward(x: g.Tensor): g.Tensor {
    return x.mul(this.slope)
  }
}

const settings = {
  loss: 'mse',
  targetShape: [1],
  targetDtype: 'float32',
  every: 8,
  steps: 20,
  batchSize: 8,
  share: 1,
  holdOut: 0,
} as const

/** A service with a model of one input, one of two, and one that does not learn. */
async function start(options: Partial<OnlineTrainerOptions> = {}) {
  const [lineModel, pairModel] = [new Line(), new Slope()]
  const line: Predictor = await predictor(lineModel, { inputShape: [1], maxBatch: 2 })
  const pair: Predictor = await predictor(pairModel, { inputShape: { a: [1], b: [1] }, maxBatch: 2 })
  const fixed: Predictor = await predictor(new Line(), { inputShape: [1], maxBatch: 2 })
  const optimizer = g.optim.sgd({ learningRate: 0.1 })
  const trainers = {
    line: onlineTrainer(lineModel, { ...settings, predictor: line, optimizer, ...options }),
    pair: onlineTrainer(pairModel, { ...settings, predictor: pair, optimizer: g.optim.sgd({ learningRate: 0.05 }) }),
  }
  const models = { line, pair: { 3: pair }, fixed }
  const server = createServer(handler({ models, trainers, maxRows: 16, maxBody: 10_000 }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  cleanups.push(
    ...[line, pair, fixed, trainers.line, trainers.pair].map((each) => () => each.close()),
    () => new Promise((resolve) => server.close(resolve)),
  )
  const answer = async (path: string, init?: RequestInit): Promise<{ status: number; body: Json }> => {
    const response = await fetch(base + path, init)
    return { status: response.status, body: await response.json() }
  }
  const post = (path: string, body: unknown) => answer(path, { method: 'POST', body: JSON.stringify(body) })
  return { trainers, base, answer, post }
}

const tensorOf = (name: string, values: number[], shape = [values.length, 1]) => ({
  name,
  shape,
  datatype: 'FP32',
  data: values,
})

/** Rows of y = 3x. */
const xs = [1, 2, 1, 2, 1, 2, 1, 2]
const ys = xs.map((x) => 3 * x)

describe('what is taken', () => {
  test("TensorFlow's rows, which are served once they are learned", async () => {
    const { trainers, post, answer } = await start()
    const body = { instances: xs.map((x) => [x]), targets: ys.map((y) => [y]) }
    expect(await post('/v1/models/line:learn', body)).toEqual({ status: 200, body: { rows: 8, version: 1 } })
    await trainers.line.idle()
    const { body: statistics } = await answer('/v2/models/line/learn')
    expect(statistics).toMatchObject({ rows: 8, buffered: 8, steps: 20, rounds: 1, swaps: 1, failure: null })
    expect(statistics.last).toMatchObject({ outcome: 'swapped', version: 2 })
    const { body: learned } = await post('/v1/models/line:predict', { instances: [[1]] })
    expect(learned.predictions[0][0]).toBeCloseTo(3, 2)
    expect((await post('/v1/models/line:learn', { inputs: [[1]], targets: [[3]] })).body).toEqual({
      rows: 1,
      version: 2,
    })

    expect(await post('/v2/models/line/learn/rollback', { version: 1 })).toEqual({ status: 200, body: { version: 3 } })
    expect((await post('/v1/models/line:predict', { instances: [[1]] })).body).toEqual({ predictions: [[0]] })
    expect(await post('/v2/models/line/learn/rollback', { version: 7 })).toMatchObject({ status: 400 })
    expect(await post('/v2/models/line/learn/rollback', { version: '1' })).toMatchObject({ status: 400 })
    expect(await post('/v2/models/line/learn/rollback', { version: 1, forget: 1 })).toMatchObject({ status: 400 })
  })

  test('tensors of the Open Inference Protocol, in any order, also as bytes', async () => {
    const { trainers, post, answer } = await start()
    const inputs = [tensorOf('targets', [3, 6]), tensorOf('b', [0, 1]), tensorOf('a', [1, 1])]
    expect((await post('/v2/models/pair/learn', { id: 'x', inputs })).body).toEqual({ id: 'x', rows: 2, version: 1 })
    // A model with one unnamed input takes any name for it.
    const bare = [tensorOf('anything', [1]), tensorOf('targets', [3])]
    expect((await post('/v2/models/line/learn', { inputs: bare })).body).toEqual({ rows: 1, version: 1 })

    const described = ['a', 'b', 'targets'].map((name) => {
      const { data: _, ...rest } = tensorOf(name, xs.slice(0, 6))
      return { ...rest, parameters: { binary_data_size: 24 } }
    })
    const text = Buffer.from(JSON.stringify({ inputs: described }))
    const bytes = [
      [1, 1, 1, 1, 1, 1],
      [0, 1, 0, 1, 0, 1],
      [3, 6, 3, 6, 3, 6],
    ].map((values) => new Uint8Array(Float32Array.from(values).buffer))
    const { body } = await answer('/v2/models/pair/learn', {
      method: 'POST',
      headers: { 'inference-header-content-length': String(text.length) },
      body: Buffer.concat([text, ...bytes]),
    })
    expect(body).toEqual({ rows: 6, version: 1 })
    await trainers.pair.idle()
    const { body: answered } = await post('/v1/models/pair:predict', { instances: [{ a: [1], b: [1] }] })
    expect(answered.predictions[0][0]).toBeCloseTo(6, 1)
  })
})

describe('what is refused, and none of it is taken', () => {
  const rows = { instances: [[1], [2]], targets: [[1], [2]] }
  test.each([
    ['a row that does not fit', '/v1/models/line:learn', { ...rows, instances: [[1], [2, 3]] }],
    ['numbers without the axis of rows', '/v1/models/line:learn', { instances: [1], targets: [1] }],
    ['no targets', '/v1/models/line:learn', { instances: [[1]] }],
    ['fewer targets than rows', '/v1/models/line:learn', { ...rows, targets: [[1]] }],
    ['a target that is no number', '/v1/models/line:learn', { ...rows, targets: [[1], ['x']] }],
    ['a target that is null', '/v1/models/line:learn', { ...rows, targets: [[1], [null]] }],
    ['no rows', '/v1/models/line:learn', { targets: [[1]] }],
    ['a list', '/v1/models/line:learn', []],
    ['no targets among the tensors', '/v2/models/line/learn', { inputs: [tensorOf('x', [1])] }],
    [
      'targets of another number',
      '/v2/models/line/learn',
      { inputs: [tensorOf('x', [1]), tensorOf('targets', [1, 2])] },
    ],
    ['the targets twice', '/v2/models/line/learn', { inputs: [tensorOf('targets', [1]), tensorOf('targets', [1])] }],
    [
      'a target of another shape',
      '/v2/models/line/learn',
      { inputs: [tensorOf('x', [1]), tensorOf('targets', [1], [1])] },
    ],
    ['an infinity', '/v2/models/line/learn', { inputs: [tensorOf('x', [1]), tensorOf('targets', [1e39])] }],
  ])('%s', async (_, path, body) => {
    const { post, trainers } = await start()
    const answer = await post(path, body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatch(/expected/)
    expect(trainers.line.statistics().rows).toBe(0)
  })

  test('a model without a trainer, more than may be, and other methods', async () => {
    const { post, answer, base } = await start()
    for (const path of ['/v2/models/fixed/learn', '/v1/models/none:learn', '/v2/models/constructor/learn/rollback'])
      expect(await post(path, rows)).toMatchObject({ status: 404 })
    expect(await answer('/v2/models/fixed/learn')).toEqual({ status: 404, body: { error: 'no trainer of fixed' } })
    const many = Array.from({ length: 17 }, () => [1])
    expect(await post('/v1/models/line:learn', { instances: many, targets: many })).toMatchObject({ status: 413 })
    expect(await post('/v1/models/line:learn', 'x'.repeat(10_001))).toMatchObject({ status: 413 })
    expect((await fetch(`${base}/v2/models/line/learn`, { method: 'DELETE' })).status).toBe(405)
  })

  test('rows after the trainer was closed, or has failed', async () => {
    const loss = () => {
      throw new TypeError('loss: expected something else')
    }
    const { post, answer, trainers, base } = await start({ loss })
    const body = { instances: xs.map((x) => [x]), targets: ys.map((y) => [y]) }
    expect((await post('/v1/models/line:learn', body)).status).toBe(200)
    await expect(trainers.line.idle()).rejects.toThrow('something else')
    expect(await post('/v1/models/line:learn', rows)).toEqual({
      status: 500,
      body: { error: 'learning has ended: loss: expected something else' },
    })
    expect((await answer('/v2/models/line/learn')).body.failure).toBe('loss: expected something else')
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('galvani_learn_failed{model="line"} 1')
    await trainers.pair.close()
    const pair = { inputs: ['a', 'b', 'targets'].map((name) => tensorOf(name, [1])) }
    expect((await post('/v2/models/pair/learn', pair)).status).toBe(503)
  })

  test('trainers that are none, or of another model', async () => {
    const { trainers } = await start()
    const models = { line: trainers.line.predictor, pair: { 1: trainers.pair.predictor } }
    const made = (given: unknown) => () => handler({ models, trainers: given } as never)
    expect(made({ line: 3 })).toThrow('an online trainer as line')
    expect(made({ line: trainers.pair })).toThrow('a trainer of the model line')
    expect(made({ constructor: trainers.pair })).toThrow('a trainer of the model constructor')
    expect(made([])).toThrow('trainers by the names of models')
    expect(made(trainers)).not.toThrow()
  })
})

test('the counters are in the metrics, and the paths in the OpenAPI document', async () => {
  const { post, trainers, base, answer } = await start({ holdOut: 0.25 })
  const targets = [...ys, 3, 6, 3, 6].map((y) => [y])
  await post('/v1/models/line:learn', { instances: targets.map(([y]) => [y! / 3]), targets })
  await trainers.line.idle()
  const lines = (await (await fetch(`${base}/metrics`)).text()).split('\n')
  for (const [name, value] of Object.entries({
    rows_total: 12,
    held_out_total: 3,
    steps_total: 20,
    buffered: 9,
    failed: 0,
  }))
    expect(lines).toContain(`galvani_learn_${name}{model="line"} ${value}`)
  for (const name of ['rounds', 'swaps']) expect(lines).toContain(`galvani_learn_${name}_total{model="line"} 1`)
  for (const name of ['loss', 'served_loss', 'learned_loss'])
    expect(lines.find((line) => line.startsWith(`galvani_learn_${name}{model="line"} `))).toMatch(/ [\d.e-]+$/)
  // One that has had no round has no losses.
  expect(lines.some((line) => line.startsWith('galvani_learn_loss{model="pair"}'))).toBe(false)
  // What is served is another version now, and is counted on.
  expect(lines).toContain('galvani_requests_total{model="line"} 0')
  expect(lines).toContain('galvani_requests_total{model="pair",version="3"} 0')
  expect(trainers.line.prometheus({ model: 'x' })).toContain('galvani_learn_rounds_total{model="x"} 1\n')
  const { paths } = (await answer('/openapi.json')).body
  expect(Object.keys(paths['/v2/models/{model}/learn'])).toEqual(['get', 'post'])
  expect(Object.keys(paths)).toContain('/v1/models/{model}:learn')
  expect(Object.keys(paths)).toContain('/v2/models/{model}/learn/rollback')
})
