/** What a predictor says to OpenTelemetry, by its API and providers that keep all in memory; and whose context everything is in. */
import { AsyncLocalStorage } from 'node:async_hooks'
import * as otel from '@opentelemetry/api'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import * as g from '../../lib/index.ts'
import {
  type OnlineTrainer,
  onlineTrainer,
  type Predictor,
  type PredictorOptions,
  predictor,
  type TelemetryOptions,
} from '../../lib/serve/index.ts'

/** The context of OpenTelemetry, as its package for Node keeps it. */
class Contexts implements otel.ContextManager {
  readonly #storage = new AsyncLocalStorage<otel.Context>()
  active = () => this.#storage.getStore() ?? otel.ROOT_CONTEXT
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: otel.Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => fn.apply(thisArg as never, args))
  }
  bind = <T>(_: otel.Context, target: T): T => target
  enable = () => this
  disable = () => this
}

const caller = new AsyncLocalStorage<string>()

interface Recorded {
  name: string
  value: number
  attributes: unknown
  caller: string | undefined
}

/** Keeps what histograms are told, and asks observables when it is read. */
function memoryMeter() {
  const recorded: Recorded[] = []
  const units: Record<string, string | undefined> = {}
  const observed = new Map<string, Set<otel.ObservableCallback>>()
  const createObservable = (name: string, options?: otel.MetricOptions): otel.Observable => {
    units[name] = options?.unit
    const callbacks = new Set<otel.ObservableCallback>()
    observed.set(name, callbacks)
    return { addCallback: (x) => void callbacks.add(x), removeCallback: (x) => void callbacks.delete(x) }
  }
  const meter = {
    ...otel.createNoopMeter(),
    createHistogram: (name: string, options?: otel.MetricOptions) => {
      units[name] = options?.unit
      expect(options?.advice?.explicitBucketBoundaries).toContain(1)
      const record = (value: number, attributes?: otel.Attributes) =>
        void recorded.push({ name, value, attributes, caller: caller.getStore() })
      return { record }
    },
    createObservableCounter: createObservable,
    createObservableUpDownCounter: createObservable,
    createObservableGauge: createObservable,
  } as otel.Meter
  const read = () =>
    [...observed].flatMap(([name, callbacks]) => {
      const values: [string, number, otel.Attributes | undefined][] = []
      for (const callback of callbacks)
        void callback({ observe: (value, attributes) => void values.push([name, value, attributes]) })
      return values
    })
  return { meter, recorded, units, read }
}

interface SpanRecord {
  name: string
  parent: string | undefined
  attributes: otel.Attributes
  status?: otel.SpanStatus
  exceptions: string[]
  ended: number
  endedBy?: string | undefined
}

function memoryTracer() {
  const spans: SpanRecord[] = []
  const tracer: Pick<otel.Tracer, 'startSpan'> = {
    startSpan: (name, options, context = otel.context.active()) => {
      const record: SpanRecord = {
        name,
        parent: otel.trace.getSpanContext(context)?.spanId,
        attributes: { ...options?.attributes },
        exceptions: [],
        ended: 0,
      }
      spans.push(record)
      const span = {
        setAttribute: (key: string, value: otel.AttributeValue) => {
          record.attributes[key] = value
          return span
        },
        setStatus: (status: otel.SpanStatus) => {
          record.status = status
          return span
        },
        recordException: (error: Error) => void record.exceptions.push(error.message),
        end: () => {
          record.ended++
          record.endedBy = caller.getStore()
        },
      } as unknown as otel.Span
      return span
    },
  }
  return { tracer: tracer as otel.Tracer, spans }
}

beforeAll(() => expect(otel.context.setGlobalContextManager(new Contexts())).toBe(true))
afterAll(() => otel.context.disable())

const open: (Predictor | OnlineTrainer)[] = []
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

class Doubling extends g.nn.Module {
  forward(x: g.Tensor): g.Tensor {
    return x.mul(2)
  }
}

async function make(telemetry: TelemetryOptions | undefined, options: Partial<PredictorOptions> = {}) {
  const given = { inputShape: [1], maxBatch: 4, ...options }
  const p = await predictor<Float32Array>(new Doubling(), telemetry === undefined ? given : { ...given, telemetry })
  open.push(p)
  return p
}

describe('a meter', () => {
  test('has the counters when they are asked for, and the distributions as they come', async () => {
    const { meter, recorded, units, read } = memoryMeter()
    const p = await make({ meter, model: 'double' })
    await p.predict([[1], [2], [3]])
    await expect(p.predict([1, 2])).rejects.toThrow()
    const model = { 'galvani.model': 'double' }
    const requests = (outcome: string, value: number) => [
      'galvani.predictor.requests',
      value,
      { ...model, 'galvani.outcome': outcome },
    ]
    expect(read()).toEqual([
      requests('answered', 1),
      requests('rejected', 0),
      requests('timed_out', 0),
      requests('aborted', 0),
      requests('failed', 1),
      ['galvani.predictor.rows', 3, model],
      ['galvani.predictor.batches', 1, model],
      ['galvani.predictor.padding', 1, model],
      ['galvani.predictor.queued', 0, model],
      ['galvani.predictor.in_flight', 0, model],
      ['galvani.predictor.version', 1, model],
    ])
    const of = (name: string) => recorded.filter((each) => each.name === `galvani.predictor.${name}`)
    expect(of('batch.size')).toMatchObject([{ value: 3, attributes: model }])
    expect(of('queue.duration')).toHaveLength(3)
    expect(of('compute.duration')).toHaveLength(1)
    expect(of('request.duration')).toHaveLength(1)
    const { requestMilliseconds } = p.statistics()
    expect(of('request.duration')[0]!.value).toBeCloseTo(requestMilliseconds.sum / 1000, 9)
    expect(units).toMatchObject({
      'galvani.predictor.batch.size': '{row}',
      'galvani.predictor.queue.duration': 's',
      'galvani.predictor.requests': '{request}',
      'galvani.predictor.queued': '{row}',
    })
    await p.close()
    expect(read()).toEqual([])
  })

  test('is told in the context of the request what is of it, and of a batch in none of theirs', async () => {
    const { meter, recorded } = memoryMeter()
    const p = await make({ meter })
    await Promise.all(['a', 'b', 'c'].map((name) => caller.run(name, () => p.predict([1]))))
    const of = (name: string) => recorded.filter((each) => each.name.endsWith(name)).map((each) => each.caller)
    expect(of('request.duration')).toEqual(['a', 'b', 'c'])
    expect(of('compute.duration')).toEqual([undefined])
    expect(of('queue.duration')).toEqual([undefined, undefined, undefined])
  })
})

describe('a tracer', () => {
  test('has a span of each request, whose parent is the active one', async () => {
    const { tracer, spans } = memoryTracer()
    const p = await make({ tracer, model: 'double' })
    const parentOf = (spanId: string) =>
      otel.trace.setSpanContext(otel.ROOT_CONTEXT, { traceId: '1'.repeat(32), spanId, traceFlags: 1 })
    const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(16))
    await Promise.all(ids.map((id) => otel.context.with(parentOf(id), () => caller.run(id, () => p.predict([1])))))
    await p.predict([1])
    expect(spans.map(({ parent }) => parent)).toEqual([...ids, undefined])
    expect(spans.map(({ endedBy }) => endedBy)).toEqual([...ids, undefined])
    expect(spans.map(({ ended }) => ended)).toEqual([1, 1, 1, 1])
    expect(spans[0]).toMatchObject({
      name: 'predict double',
      attributes: {
        'galvani.model': 'double',
        'galvani.rows': 1,
        'galvani.batch.size': 3,
        'galvani.version': 1,
        'galvani.outcome': 'answered',
      },
      exceptions: [],
    })
    expect(spans[0]!.status).toBeUndefined()
  })

  test('is told what failed, and that nothing has where it was taken back', async () => {
    const { tracer, spans } = memoryTracer()
    const p = await make({ tracer }, { maxDelay: 60_000, maxQueue: 1 })
    await expect(p.predict([1, 2, 3] as never)).rejects.toThrow()
    const controller = new AbortController()
    const taken = p.predict([1], { signal: controller.signal })
    await expect(p.predict([1])).rejects.toThrow('room')
    controller.abort(new Error('no more'))
    await expect(taken).rejects.toThrow('no more')
    await expect(p.predict([1], { timeout: 1 })).rejects.toThrow('1 ms')
    const told = spans.map(({ attributes, status, exceptions, ended }) => [
      attributes['galvani.outcome'],
      attributes['error.type'],
      status?.code,
      exceptions.length,
      ended,
    ])
    expect(told).toEqual([
      ['failed', 'ShapeError', otel.SpanStatusCode.ERROR, 1, 1],
      ['aborted', 'Error', undefined, 1, 1],
      ['rejected', 'QueueFullError', otel.SpanStatusCode.ERROR, 1, 1],
      ['timed_out', 'TimeoutError', otel.SpanStatusCode.ERROR, 1, 1],
    ])
  })

  test('that throws is a warning, and the request is answered', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    const startSpan = () => {
      throw new Error('from the tracer')
    }
    const p = await make({ tracer: { startSpan } })
    expect(await p.predict([3])).toEqual(Float32Array.of(6))
    expect((await warned).message).toBe('from the tracer')
  })
})

test("what awaits an answer goes on in its own context, and onRound in the trainer's", async () => {
  const p = await make(undefined, { maxDelay: 1 })
  const names = Array.from({ length: 20 }, (_, i) => `caller ${i}`)
  const seen = await Promise.all(
    names.map((name) =>
      caller.run(name, async () => {
        await p.predict([1])
        const first = caller.getStore()
        const second = await p.predict([2]).then(() => caller.getStore())
        const third = await p.predict([1, 2] as never).catch(() => caller.getStore())
        return [first, second, third]
      }),
    ),
  )
  expect(seen).toEqual(names.map((name) => [name, name, name]))

  const model = g.nn.sequential(g.nn.linear(1, 1))
  const served = await predictor(model, { inputShape: [1], maxBatch: 1 })
  const rounds: (string | undefined)[] = []
  const settings = { predictor: served, optimizer: g.optim.sgd({ learningRate: 0.1 }), loss: 'mse', every: 2 } as const
  const trainer = caller.run('maker', () =>
    onlineTrainer(model, {
      ...settings,
      targetShape: [1],
      targetDtype: 'float32',
      onRound: () => rounds.push(caller.getStore()),
    }),
  )
  open.push(trainer, served)
  for (const name of ['x', 'y', 'z']) caller.run(name, () => trainer.learn([1], [1]))
  await trainer.idle()
  expect(rounds).toEqual(['maker'])
})

test('what is no meter, no tracer, or neither is refused', async () => {
  const refused = (telemetry: unknown) => expect(make(telemetry as TelemetryOptions)).rejects
  await refused({}).toThrow('predictor: telemetry: expected a meter or a tracer of @opentelemetry/api, got neither')
  await refused({ meter: {} }).toThrow('a meter of @opentelemetry/api')
  await refused({ tracer: {} }).toThrow('a tracer of @opentelemetry/api')
  await refused({ traser: {} }).toThrow('tracer')
  await refused(3).toThrow('options')
})
