/** Who is answered, and what nobody gets: other names of this machine, other origins, other paths, wrong tokens. */
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { isSame, tokenIn } from '../../lib/board/guard.ts'
import type { OpenBoard } from '../../lib/board/server.ts'
import { ask, boardOf, fileOf, json, runsFolder, scalar, until, writeRun } from './support/board.ts'

let folder: string
let board: OpenBoard
beforeEach(async () => {
  folder = runsFolder({ a: [scalar(1, 0.5)] })
  board = await boardOf(folder)
})

const status = async (path: string, asked: Parameters<typeof ask>[2] = {}) =>
  (await ask(board.port, path, asked)).status

describe('by its name', () => {
  test.each(['127.0.0.1', '127.0.0.1:6007', 'localhost:9999', 'LOCALHOST'])('%s is answered', async (host) =>
    expect(await status('/api/runs', { headers: { host } })).toBe(200),
  )

  test.each([
    'example.com',
    'example.com:6007',
    '127.0.0.1.example.com',
    'localhost.example.com',
    'localhost:6007.example.com',
    'example.com#localhost',
    'user@localhost',
    '0.0.0.0',
    '[::1]:6007',
    '192.168.0.1',
    'localhost:123456',
  ])('%j is refused, files of the page too', async (host) => {
    for (const path of ['/', '/app.js', '/api/runs', '/api/stream', '/nothing'])
      expect(await status(path, { headers: { host } }), path).toBe(403)
  })

  test('none is refused', async () => {
    for (const host of ['', 'Host:\r\n', 'Host: \r\n']) {
      const text = await raw(board.port, `GET /api/runs HTTP/1.0\r\n${host}\r\n`)
      expect(text).toMatch(/^HTTP\/1\.1 403 /)
    }
  })
})

describe('of other pages', () => {
  test.each(['http://example.com', 'https://127.0.0.1', 'http://127.0.0.1:1', 'null', 'http://localhost'])(
    'origin %s is refused',
    async (origin) => {
      for (const method of ['GET', 'POST'])
        expect(await status('/api/control', { method, headers: { origin } })).toBe(403)
    },
  )

  test('the own origin is answered', async () => {
    const headers = { origin: `http://127.0.0.1:${board.port}`, 'sec-fetch-site': 'same-origin' }
    expect(await status('/api/runs', { headers })).toBe(200)
  })

  test.each(['cross-site', 'same-site'])('a request that is %s gets the page, and nothing else', async (site) => {
    const headers = { 'sec-fetch-site': site }
    expect(await status('/', { headers })).toBe(200)
    for (const path of ['/api/runs', '/api/stream', '/api/export?run=a'])
      expect(await status(path, { headers })).toBe(403)
  })

  test('every answer says what a browser may do with it', async () => {
    for (const path of ['/', '/app.js', '/api/runs', '/nothing']) {
      const { headers } = await ask(board.port, path)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      })
      const policy = headers['content-security-policy'] as string
      expect(policy).toMatch(/^default-src 'none'; script-src 'self';/)
      expect(policy).not.toMatch(/unsafe|http|\*/)
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

/** Sends bytes as they are, and gives all that comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('paths', () => {
  beforeEach(() => {
    writeFileSync(join(folder, 'secret.txt'), 'secret')
    writeFileSync(join(folder, '..', 'outside.txt'), 'secret')
  })

  test.each([
    '/secret.txt',
    '/a/events.jsonl',
    '/../outside.txt',
    '/..%2foutside.txt',
    '/%2e%2e/outside.txt',
    '/..\\outside.txt',
    '/./app.js',
    '//app.js',
    '/app.js/',
    '/app.js%00',
    '/app.js%00.html',
    '/%61pp.js',
    '/APP.JS',
    '/page/app.js',
    '/../package.json',
    '/constructor',
    '/__proto__',
    '/api',
    '/api/',
    '/api/runs/',
    '/api/__proto__',
    '/api/%72uns',
    'http://127.0.0.1/app.js',
    '/.galvani-board-token',
    '/%ff',
  ])('%s is nothing', async (path) => {
    const text = await raw(board.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 404 /)
    expect(text).not.toContain('secret')
  })

  test.each(['..', '../outside', '/etc', 'a/..', 'a/', './a', 'a\0', '__proto__', 'constructor', ''])(
    '%j is no run',
    async (id) => {
      for (const path of ['series?tag=loss&', 'records?type=text&', 'export?'])
        expect(await status(`/api/${path}run=${encodeURIComponent(id)}`)).toBe(404)
    },
  )

  test('links lead nowhere: not those of folders, not those of files, not one that takes the place of a file', async () => {
    const other = runsFolder({ inner: [scalar(1, 42)] })
    symlinkSync(other, join(folder, 'linked-folder'))
    mkdirSync(join(folder, 'b'))
    symlinkSync(fileOf(other, 'inner'), fileOf(folder, 'b'))
    writeRun(folder, 'c', [scalar(1, 1)])
    const later = await boardOf(folder)
    expect(await json<{ id: string }[]>(later.port, '/api/runs')).toMatchObject([{ id: 'a' }, { id: 'c' }])
  })

  test('a folder that is a link itself is served', async () => {
    const link = `${folder}-link`
    symlinkSync(folder, link)
    const linked = await boardOf(link)
    expect(await json(linked.port, '/api/runs')).toMatchObject([{ id: 'a' }])
  })
})

describe('methods', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE'])(
    '%s changes nothing',
    async (method) => {
      for (const path of ['/', '/app.js', '/api/runs', '/api/export?run=a']) {
        const { status, headers } = await ask(board.port, path, { method })
        expect([status, headers.allow]).toEqual([405, 'GET'])
      }
    },
  )

  test('HEAD is answered without a body, by the length that it would have', async () => {
    for (const path of ['/', '/app.js', '/api/runs']) {
      const [head, get] = [await ask(board.port, path, { method: 'HEAD' }), await ask(board.port, path)]
      expect([head.status, head.text]).toEqual([200, ''])
      expect(head.headers['content-length']).toBe(get.headers['content-length'])
    }
    expect((await ask(board.port, '/api/stream', { method: 'HEAD' })).status).toBe(200)
    const exported = await ask(board.port, '/api/export?run=a', { method: 'HEAD' })
    expect([exported.status, exported.text]).toEqual([200, ''])
  })

  test('what is no HTTP does no harm', async () => {
    for (const text of [
      '\0\0\0',
      'GET\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(300_000)}\r\n\r\n`,
    ])
      await raw(board.port, text).catch(() => {})
    expect(await status('/api/runs')).toBe(200)
  })
})

describe('the token', () => {
  const control = (board: OpenBoard, headers: Record<string, string> = {}, body = '{"run":"a","action":"stop"}') =>
    ask(board.port, '/api/control', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })

  test('is none where nothing can be controlled: the page only shows', async () => {
    expect(board.url).toBe(`http://127.0.0.1:${board.port}/`)
    const { status, text } = await control(board, { 'x-galvani-token': 'x' })
    expect([status, JSON.parse(text).error]).toEqual([403, expect.stringContaining('only shows')])
  })

  test('is asked for, and no other is taken', async () => {
    const controlled = await boardOf(folder, { controls: true })
    const token = new URL(controlled.url).searchParams.get('token')!
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    const wrong = [
      '',
      'x',
      token.slice(1),
      `${token}0`,
      token.toUpperCase(),
      token.replace(/.$/, (x) => (x === '0' ? '1' : '0')),
    ]
    for (const given of wrong) expect((await control(controlled, { 'x-galvani-token': given })).status, given).toBe(403)
    expect((await control(controlled)).status).toBe(403)
    // The run is not under way in this process.
    expect((await control(controlled, { 'x-galvani-token': token })).status).toBe(409)
  })

  test('stays the same when the server is started again, in a file of its owner alone', async () => {
    const urls = [await boardOf(folder, { controls: true }), await boardOf(folder, { controls: true })].map(({ url }) =>
      new URL(url).searchParams.get('token'),
    )
    expect(urls[0]).toBe(urls[1])
    const file = join(folder, '.galvani-board-token')
    expect(readFileSync(file, 'utf8').trim()).toBe(urls[0])
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test.skipIf(process.platform === 'win32')(
    'is another one where others could read the file, or it is a link, or nonsense',
    async () => {
      const file = join(folder, 'token')
      const first = await tokenIn('board', file)
      expect(await tokenIn('board', file)).toBe(first)
      chmodSync(file, 0o644)
      const second = await tokenIn('board', file)
      expect(second).not.toBe(first)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      writeFileSync(file, 'nonsense')
      expect(await tokenIn('board', file)).toMatch(/^[0-9a-f]{64}$/)
      const link = join(folder, 'linked-token')
      symlinkSync(file, link)
      expect(await tokenIn('board', link)).not.toBe(readFileSync(file, 'utf8').trim())
      expect(statSync(link).mode & 0o777).toBe(0o600)
    },
  )

  test('is compared as a whole', () => {
    expect([isSame('ab', 'ab'), isSame('ab', 'abc'), isSame('', 'a'), isSame('', '')]).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test.each([
    ['no JSON', '{', 400],
    ['no object', '[1]', 400],
    ['null', 'null', 400],
    ['an unknown action', '{"run":"a","action":"constructor"}', 400],
    ['no run', '{"action":"stop"}', 400],
    ['a learning rate that is none', '{"run":"a","action":"learningRate","value":"1"}', 400],
    ['a negative learning rate', '{"run":"a","action":"learningRate","value":-1}', 400],
    ['a run that is not under way', '{"run":"__proto__","action":"stop"}', 409],
    ['a long body', JSON.stringify({ run: 'a'.repeat(70_000), action: 'stop' }), 413],
  ])('with %s is refused', async (_, body, expected) => {
    const controlled = await boardOf(folder, { controls: true })
    const token = new URL(controlled.url).searchParams.get('token')!
    const { status, text } = await control(controlled, { 'x-galvani-token': token }, body)
    expect(status).toBe(expected)
    expect(JSON.parse(text)).toEqual({ error: expect.any(String) })
  })

  test('a body without an end is not waited for, and one of another type not read', async () => {
    const controlled = await boardOf(folder, { controls: true })
    const token = new URL(controlled.url).searchParams.get('token')!
    const head = `POST /api/control HTTP/1.1\r\nHost: localhost\r\nX-Galvani-Token: ${token}\r\n`
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const chunked = `${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`
    expect(await raw(controlled.port, chunked)).toMatch(/^HTTP\/1\.1 413 /)
    const form = `${head}Content-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n`
    expect(await raw(controlled.port, form)).toMatch(/^HTTP\/1\.1 415 /)
  })
})

describe('listening', () => {
  test('is on 127.0.0.1 alone', async () => {
    const reaches = (host: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(board.port, host, () => resolve(true))
        socket.on('connect', () => socket.destroy())
        socket.on('error', () => resolve(false))
      })
    expect(await reaches('127.0.0.1')).toBe(true)
    expect(await reaches('::1')).toBe(false)
    expect(await reaches('127.0.0.2')).toBe(false)
  })

  test('on a port that is in use is refused, in words', async () => {
    await expect(boardOf(folder, { port: board.port })).rejects.toThrow(
      `board: port ${board.port} is in use: give another one, or 0 for any that is free`,
    )
    await expect(boardOf(folder, { port: board.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(await status('/api/runs')).toBe(200)
  })

  test.each([-1, 65536, 1.5, Number.NaN])('on port %d is refused', async (port) => {
    await expect(boardOf(folder, { port })).rejects.toThrow('board: expected a port from 0 to 65535')
  })

  test('on what is no folder is refused', async () => {
    await expect(boardOf(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(boardOf(fileOf(folder, 'a'))).rejects.toThrow('to be a folder')
  })

  test('ends with all its connections, and can be ended again', async () => {
    const other = await boardOf(folder)
    const socket = connect(other.port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    await until(
      () => socket.readyState,
      (state) => state === 'open',
    )
    await other.close()
    await other.close()
    await closed
    await expect(ask(other.port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
