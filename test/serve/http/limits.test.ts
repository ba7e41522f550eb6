/** What clients may do to a service that are slow, greedy, or speak HTTP badly: they are ended in time, and others are answered meanwhile. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ServeOptions, type Service, serve } from '../../../lib/serve/http/index.ts'

let folder: string
/** Has time, so that whoever is fair is answered on a slow machine, too. */
let service: Service
/** Has none. */
let hasty: Service
const clients: Client[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'galvani-limits-'))
  const model = async (name: string, forward: string, more = '') => {
    const version = join(folder, name, '1')
    await mkdir(version, { recursive: true })
    await writeFile(
      join(version, 'model.mjs'),
      `export default { forward: ${forward}, parameters: () => [] }
      export const serving = { inputShape: [1], maxBatch: 4 ${more} }`,
    )
  }
  await model('double', '(x) => x.mul(2)')
  // A megabyte for each row.
  await model('wide', '(x) => x.broadcastTo([x.shape[0], 2 ** 18])')
  await model('patient', '(x) => x', ', maxDelay: 3_600_000')
  service = await start()
  hasty = await start({
    bodyTimeout: 800,
    answerTimeout: 800,
    headersTimeout: 1000,
    requestTimeout: 2000,
    keepAliveTimeout: 500,
  })
})

afterEach(() => {
  for (const client of clients.splice(0)) client.socket.destroy()
})

afterAll(async () => {
  await Promise.all([service.close(100), hasty.close(100)])
  await rm(folder, { recursive: true })
})

const start = (options: ServeOptions = {}) =>
  serve(folder, { port: 0, maxBody: 20_000, maxBodies: 100_000, maxConnections: 400, ...options })

/** A client that sends whatever it wants to. */
class Client {
  text = ''
  isClosed = false
  constructor(readonly socket: Socket) {
    clients.push(this)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1')
    })
    socket.on('close', () => {
      this.isClosed = true
    })
    // It is told by what it has got.
    socket.on('error', () => {})
  }

  send(text: string): this {
    this.socket.write(text)
    return this
  }

  async closed(): Promise<string> {
    await waitFor(() => this.isClosed)
    return this.text
  }

  /** The statuses that it got, once it has so many. */
  async statuses(count: number): Promise<number[]> {
    const found = () => [...this.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
    await waitFor(() => found().length >= count)
    return found()
  }
}

const client = (to = service): Promise<Client> =>
  new Promise((resolve, reject) => {
    const socket = connect(to.port, '127.0.0.1', () => resolve(new Client(socket)))
    socket.once('error', reject)
  })

const waitFor = (check: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 30_000, interval: 10 })

const body = '{"instances":[[21]]}'
const post = (more = `Content-Length: ${body.length}\r\n`, path = '/v1/models/double:predict') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
const get = 'GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n'

/** Others are answered: one that was too slow itself tries again. */
const expectService = (to = service): Promise<void> =>
  waitFor(async () => {
    const response = await fetch(`${to.url}/v1/models/double:predict`, { method: 'POST', body })
    return (await response.text()) === '{"predictions":[[42]]}'
  })

afterEach(() => expectService())

describe('one that is slow', () => {
  test('is ended, whatever it never says', async () => {
    const texts: [unsaid: string, said: string, answer: RegExp][] = [
      ['anything', '', /408/],
      ['the end of its headers', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ', /408/],
      ['the end of the line', 'GET /aaaaaaa', /408/],
      ['its body', post(), /408.*the body took more than 800 ms/s],
      ['the end of its body', post() + body.slice(1), /408.*the body took more than 800 ms/s],
      ['the end of its chunks', `${post('Transfer-Encoding: chunked\r\n')}5\r\n{"ins\r\n`, /408.*the body/s],
      ['the end of a body that nobody reads', post(undefined, '/none') + body.slice(1), /404/],
    ]
    const answers = texts.map(async ([unsaid, said, answer]) => {
      const slow = await client(hasty)
      expect(await slow.send(said).closed(), unsaid).toMatch(answer)
    })
    await expectService(hasty)
    await Promise.all(answers)
  })

  test('a byte now and then does not help, of headers or of a body', async () => {
    const [header, content] = [await client(hasty), await client(hasty)]
    header.send('GET / HTTP/1.1\r\nX-A: ')
    content.send(post('Content-Length: 1000\r\n'))
    const drip = setInterval(() => {
      header.send('a')
      content.send(' ')
    }, 40)
    const texts = await Promise.all([header.closed(), content.closed()])
    clearInterval(drip)
    for (const text of texts) expect(text).toMatch(/408/)
  })

  test('and asks for nothing more is ended', async () => {
    const idle = await client(hasty)
    idle.send(get)
    expect(await idle.closed()).toMatch(/200 OK.*"live":true/s)
  })

  test('many of them at once keep nobody from being answered', async () => {
    const slow = await Promise.all(Array.from({ length: 300 }, () => client(hasty)))
    for (const [i, each] of slow.entries()) each.send(['', 'GET / HT', post(), post() + body.slice(1)][i % 4]!)
    for (let i = 0; i < 5; i++) await expectService(hasty)
    await waitFor(() => slow.every(({ isClosed }) => isClosed))
  })
})

describe('one that takes no answers', () => {
  test('has one of them kept, of however many that it asks for, and is ended', async () => {
    const before = process.memoryUsage.rss()
    const asked = JSON.stringify({
      inputs: [{ name: 'x', shape: [8, 1], datatype: 'FP32', data: new Array(8).fill(1) }],
      parameters: { binary_data_output: true },
    })
    const deaf = await Promise.all([client(hasty), client(hasty)])
    for (const { socket } of deaf) {
      socket.pause()
      // Answers of 8 MB, of which the system takes some.
      socket.write(`${post(`Content-Length: ${asked.length}\r\n`, '/v2/models/wide/infer')}${asked}`.repeat(60))
    }
    const rows = async () =>
      Number(
        /galvani_rows_total\{model="wide",version="1"\} (\d+)/.exec(
          await (await fetch(`${hasty.url}/metrics`)).text(),
        )![1],
      )
    await waitFor(async () => (await rows()) >= 16)
    await expectService(hasty)
    // One that reads nothing is told by what it writes that it is ended.
    const drip = setInterval(() => {
      for (const each of deaf) each.send(' ')
    }, 20)
    await waitFor(() => deaf.every(({ isClosed }) => isClosed))
    clearInterval(drip)
    // Not 960.
    expect(await rows()).toBeLessThan(100)
    expect(process.memoryUsage.rss() - before).toBeLessThan(400e6)
  })

  test('several requests at once are answered in their order', async () => {
    const eager = await client()
    eager.send(`${get}${post()}${body}GET /none HTTP/1.1\r\nHost: x\r\n\r\n${get}`)
    expect(await eager.statuses(4)).toEqual([200, 200, 404, 200])
    expect(eager.text.indexOf('42')).toBeGreaterThan(eager.text.indexOf('live'))
  })

  test('and goes away has what it waits for taken back', async () => {
    const asked = '{"instances":[[1]]}'
    const gone = await client()
    gone.send(`${post(`Content-Length: ${asked.length}\r\n`, '/v1/models/patient:predict')}${asked}${get}`)
    const metric = async (name: string) =>
      Number(
        new RegExp(`galvani_${name}\\{model="patient",version="1"\\} (\\d+)`).exec(
          await (await fetch(`${service.url}/metrics`)).text(),
        )![1],
      )
    await waitFor(async () => (await metric('queued')) === 1)
    gone.socket.destroy()
    await waitFor(async () => (await metric('queued')) === 0)
    expect(await metric('aborted_total')).toBeGreaterThanOrEqual(1)
  })
})

describe('one that asks for too much', () => {
  test.each([
    ['a body that is announced as longer than maxBody', post('Content-Length: 20001\r\n'), /413/],
    [
      'one that is longer in chunks',
      `${post('Transfer-Encoding: chunked\r\n')}${`1000\r\n${' '.repeat(4096)}\r\n`.repeat(6)}`,
      /413/,
    ],
    ['headers of more than 16 KiB', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, /431/],
    ['a path of that', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, /431/],
    [
      'a body with a length, and chunks',
      `${post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`,
      /400/,
    ],
    ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n'), /400/],
    ['a length that is none', post('Content-Length: -5\r\n'), /400/],
    ['chunks that are none', `${post('Transfer-Encoding: chunked\r\n')}hello\r\n`, /400/],
    ['no HTTP', 'hello\r\n\r\n', /400/],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /400/],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', /400/],
    ['something before its answer', post('Connection: close\r\nExpect: the unexpected\r\n'), /417/],
    ['a tunnel', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', /^$/],
  ])('%s is refused', async (_, text, answer) => {
    const greedy = await client()
    greedy.send(text)
    expect(await greedy.closed()).toMatch(answer)
  })

  test('a body that is longer than it says is another request, which is none', async () => {
    const liar = await client()
    liar.send(`${post('Content-Length: 20\r\n')}${body}${body}`)
    expect(await liar.closed()).toMatch(/400 Bad Request/)
  })

  test('more connections than maxConnections are closed, and there is room again once others are', async () => {
    const small = await start({ maxConnections: 3, keepAliveTimeout: 500 })
    try {
      const few = await Promise.all([client(small), client(small), client(small)])
      for (const each of few) each.send(get)
      for (const each of few) await each.statuses(1)
      expect(await (await client(small)).send(get).closed()).toBe('')
      await waitFor(() => few.every(({ isClosed }) => isClosed))
      await expectService(small)
    } finally {
      await small.close(100)
    }
  })

  test('more bytes of bodies at a time than maxBodies are refused, and there is room again', async () => {
    const small = await start()
    try {
      const large = JSON.stringify({ instances: [[1]], padding: ' '.repeat(19_000) })
      const header = post(`Content-Length: ${large.length}\r\n`)
      const halves = await Promise.all(Array.from({ length: 12 }, () => client(small)))
      for (const each of halves) each.send(header + large.slice(0, -1))
      const refused = () => halves.filter(({ text }) => /503.*retry-after: 1/is.test(text))
      // There is room for five.
      await waitFor(() => refused().length >= 7)
      for (const each of halves) each.send(large.slice(-1))
      await waitFor(() => halves.every(({ text }) => /HTTP.*(503|200)/.test(text)))
      expect(refused().length).toBe(7)
      expect(await (await client(small)).send(header + large).statuses(1)).toEqual([200])
    } finally {
      await small.close(100)
    }
  })
})

describe('what HTTP allows', () => {
  test.each([
    ['HTTP/1.0', 'GET /v2/health/live HTTP/1.0\r\n\r\n', /200 OK.*"live":true/s],
    [
      'a whole address as its path',
      'GET http://x/v2/health/live?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /200 OK.*"live":true/s,
    ],
    ['one without a path', 'GET http://x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /404/],
    ['all of the server', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /404/],
    [
      'an upgrade, which is not made',
      'GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n',
      /200 OK.*"live":true/s,
    ],
    [
      'a body by chunks',
      `${post('Connection: close\r\nTransfer-Encoding: chunked\r\n')}14\r\n${body}\r\n0\r\n\r\n`,
      /42/,
    ],
    [
      'a body where none is needed',
      `GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n${body}`,
      /"live":true/,
    ],
  ])('%s', async (_, text, answer) => {
    const fair = await client()
    fair.send(text)
    expect(await fair.closed()).toMatch(answer)
  })

  test('a body that is sent once it may come', async () => {
    const polite = await client()
    polite.send(post(`Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`))
    await waitFor(() => polite.text.includes('100 Continue'))
    polite.send(body)
    await waitFor(() => polite.text.includes('42'))
  })
})

test('a service that ends answers what has begun to come, and has the connections end', async () => {
  const ending = await start()
  const [began, begins] = [await client(ending), await client(ending)]
  began.send(post() + body.slice(0, -1))
  begins.send(get.slice(0, -2))
  // Both are more than idle connections by then.
  await expectService(ending)
  const closed = ending.close(60_000)
  began.send(body.slice(-1))
  begins.send(get.slice(-2))
  expect(await began.closed()).toMatch(/connection: close/i)
  expect(await begins.closed()).toMatch(/200 OK.*connection: close/is)
  await closed
})

test.each<[ServeOptions, string]>([
  [{ headersTimeout: 0 }, 'headersTimeout'],
  [{ requestTimeout: 1.5 }, 'requestTimeout'],
  [{ keepAliveTimeout: -1 }, 'keepAliveTimeout'],
  [{ answerTimeout: 0 }, 'answerTimeout'],
  [{ maxBodies: 1, maxBody: 2 }, 'maxBodies'],
  [{ maxConnections: Infinity }, 'maxConnections'],
])('%o is refused', async (options, name) => {
  await expect(start(options)).rejects.toThrow(name)
})

test('a time to close that is none is refused', async () => {
  await expect(async () => service.close('soon' as never)).rejects.toThrow('close: expected')
  await expect(async () => service.close(-1)).rejects.toThrow('close: expected')
})
