/** The page of a folder of runs, served to this machine. */
import { realpath, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { checkInteger, checkNumber } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { listen } from '../base/listen.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import { checkPath, fileError } from '../files/file-error.ts'
import { tokenIn } from './guard.ts'
import { News } from './news.ts'
import { listenerOf } from './routes.ts'

export interface ServeBoardOptions {
  /** 6007 unless given; 0 for any that is free. */
  port?: number
  /** The bytes that runs may take in memory, about: where they are more, less of each is kept. 512 MiB unless given. */
  memory?: number
}

const serveBoardOptions: OptionTypes<ServeBoardOptions> = { port: 'number', memory: 'number' }

/** A page that is being served. */
export interface Board {
  /** Its address: `http://127.0.0.1:6007/`. */
  readonly url: string
  readonly port: number
  /** Ends all connections; settles when nothing is read any more. */
  close(): Promise<void>
}

const usualPort = 6007
const usualMemory = 2 ** 29
const leastMemory = 2 ** 20

/**
 * Serves the page of a folder of runs: of each folder in it, however deep, that holds event files of TensorBoard's or JSON lines. What is
 * written to them is shown as it comes, and runs that are new appear. It is for this machine alone (127.0.0.1), and changes nothing.
 *
 * @param folder which has to be there, though it may be empty; links in it are not followed
 * @throws (rejects with) TypeError, RangeError for arguments; Error with the `code` of the system for a folder that is not there, or a port that is
 * in use
 *
 * @example
 * const { url, close } = await serveBoard('runs', { port: 0 })
 */
export async function serveBoard(folder: string, options?: ServeBoardOptions, ...surplus: []): Promise<Board> {
  const { port, memory } = checkOptions('serveBoard', options, serveBoardOptions, surplus)
  return openBoard('serveBoard', folder, { port, memory })
}

export interface OpenBoardOptions {
  readonly port?: number | undefined
  readonly memory?: number | undefined
  /** Whether trainings of this process may be controlled. */
  readonly controls?: boolean
}

/** A page of which this process may have more to say than files do. */
export interface OpenBoard extends Board {
  readonly news: News
  /** Whether it keeps the process alive; it does unless told otherwise. */
  keepAlive(isKept: boolean): void
}

export const checkPort = (op: string, port = usualPort): number =>
  checkInteger(op, 'a port from 0 to 65535', port, 0, 65535)

export const checkMemory = (op: string, memory = usualMemory): number =>
  checkNumber(op, `a memory of at least ${leastMemory} bytes`, memory, (x) => x >= leastMemory)

export async function openBoard(op: string, folder: string, options: OpenBoardOptions): Promise<OpenBoard> {
  const { controls = false } = options
  const port = checkPort(op, options.port)
  const memory = checkMemory(op, options.memory)
  const root = await folderAt(op, checkPath(op, folder))
  const token = controls ? await tokenIn(op, join(root, '.galvani-board-token')) : undefined
  const news = new News(root, memory)
  const server = createServer({ maxHeaderSize: 2 ** 17, requestTimeout: 30_000 }, listenerOf(news, token))
  server.maxConnections = 256
  await listen(op, server, { port, host: '127.0.0.1', exclusive: true })
  await news.start()
  return boardOf(server, news, token)
}

async function folderAt(op: string, path: string): Promise<string> {
  try {
    const root = await realpath(path)
    if (!(await stat(root)).isDirectory()) throw new TypeError(expected(op, `${path} to be a folder`, 'something else'))
    return root
  } catch (error) {
    throw fileError(op, 'read', path, error)
  }
}

function boardOf(server: Server, news: News, token: string | undefined): OpenBoard {
  const { port } = server.address() as AddressInfo
  const close = async () => {
    await news.close()
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
  let closed: Promise<void> | undefined
  return {
    port,
    url: `http://127.0.0.1:${port}/${token === undefined ? '' : `?token=${token}`}`,
    close: () => (closed ??= close()),
    news,
    keepAlive: (isKept) => (isKept ? server.ref() : server.unref()),
  }
}
