/** A whole service: the models of a folder behind a server of HTTP, and one of gRPC where it is asked for, which are drained before they end. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkInteger, checkNumber, checkText } from '../../base/arguments.ts'
import { listen } from '../../base/listen.ts'
import { checkOptions, type OptionTypes } from '../../base/options.ts'
import { longestTimer, startTimer } from '../../base/timers.ts'
import { checkPath } from '../../files/file-error.ts'
import { type GrpcServer, listenGrpc } from '../grpc/serve-grpc.ts'
import { modelsOf } from '../protocol/models.ts'
import { type HandlerLimits, handlerOf, limitOptions, limitsOf } from './handler.ts'
import { type ModelChange, ModelFolder } from './model-folder.ts'

export interface ServeOptions extends HandlerLimits {
  /** 8080 unless given; 0 for any that is free. */
  port?: number
  /** Where the same models are served over gRPC, by the package `@grpc/grpc-js`; 0 for any port that is free, nowhere unless given. */
  grpcPort?: number
  /** 127.0.0.1 unless given: this machine alone. 0.0.0.0 is for all that can reach it. */
  host?: string
  /** How many of the newest versions of each model are served; 1 unless given. */
  versions?: number
  /** Milliseconds between two looks for new versions; 1000 unless given. */
  poll?: number
  /** Connections at a time; 1024 unless given. Others are closed at once. */
  maxConnections?: number
  /** Milliseconds in which the headers of a request have to be there, from the beginning of a connection on; 10,000 unless given. */
  headersTimeout?: number
  /** Milliseconds in which all of a request has to be there, also where nobody reads its body; 60,000 unless given. */
  requestTimeout?: number
  /** Milliseconds that a connection is kept open for another request; 5000 unless given. */
  keepAliveTimeout?: number
  /** Told of each version that was loaded, taken away or refused. */
  onChange?: (change: ModelChange) => void
}

const serveOptions: OptionTypes<ServeOptions> = {
  ...limitOptions,
  port: 'number',
  grpcPort: 'number',
  host: 'string',
  versions: 'number',
  poll: 'number',
  maxConnections: 'number',
  headersTimeout: 'number',
  requestTimeout: 'number',
  keepAliveTimeout: 'number',
  onChange: 'function',
}

/** A service that runs. */
export interface Service {
  /** `http://127.0.0.1:8080`. */
  readonly url: string
  readonly port: number
  readonly grpcPort?: number
  /** Is not ready from then on, answers what is under way, and ends; whatever is still open after so many milliseconds is cut off; 10,000 unless given. */
  close(timeout?: number): Promise<void>
}

const op = 'serve'

/**
 * Serves the models of a folder over HTTP: `<model>/<version>/`, in which `model.onnx` stands, or `model.mjs`, of which the default export makes a
 * model, with `model.safetensors`. Options of a predictor are in `serve.json` there or beside the versions. What is new is loaded,
 * warmed up and takes the place of what was served, without a request being lost; what is broken is refused.
 *
 * The code of `model.mjs` is run: the folder has to be one of yours.
 *
 * @throws (rejects with) TypeError, RangeError for options; Error with the `code` of the system for a folder that is not there, or a port in use;
 * MissingPackageError for a `grpcPort` without `@grpc/grpc-js`
 *
 * @example
 * const service = await serve('models', { port: 8080 })
 */
export async function serve(folder: string, options?: ServeOptions, ...surplus: []): Promise<Service> {
  const given = checkOptions(op, options, serveOptions, surplus)
  const { port = 8080, grpcPort, host = '127.0.0.1', versions = 1, poll = 1000, onChange = () => {} } = given
  checkInteger(op, 'a port from 0 to 65535', port, 0, 65535)
  if (grpcPort !== undefined) checkInteger(op, 'a grpcPort from 0 to 65535', grpcPort, 0, 65535)
  checkText(op, 'a host', host)
  checkInteger(op, 'an integer of at least 1 as versions', versions, 1)
  checkInteger(op, 'an integer of at least 10 as poll', poll, 10, 2 ** 31 - 1)
  const server = serverOf(given)
  const limits = limitsOf(op, given)
  const found = new ModelFolder(checkPath(op, folder), versions, poll, onChange)
  let isDraining = false
  const models = modelsOf(op, found.models, given, () => isDraining)
  await found.open()
  const drain = new Drain(server)
  server.on('request', handlerOf(models, limits))
  let grpc: GrpcServer | undefined
  const close = async (timeout: number) => {
    isDraining = true
    drain.begin()
    await Promise.all([closeServer(server, timeout), grpc?.close(timeout)])
    await found.close()
  }
  try {
    await listen(op, server, { port, host })
    if (grpcPort !== undefined)
      grpc = await listenGrpc(op, models, { port: grpcPort, host, maxMessage: limits.maxBody })
  } catch (error) {
    await close(0)
    throw error
  }
  const address = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  return {
    port: address.port,
    ...(grpc !== undefined && { grpcPort: grpc.port }),
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: (timeout = 10_000) => {
      checkNumber('close', 'a timeout of at least 0', timeout, (x) => x >= 0)
      closed ??= close(timeout)
      return closed
    },
  }
}

/** A server with limits, which do without a request. */
function serverOf(given: ServeOptions): Server {
  const { maxConnections = 1024, requestTimeout = 60_000, keepAliveTimeout = 5000 } = given
  const { headersTimeout = Math.min(10_000, requestTimeout) } = given
  checkInteger(op, 'an integer maxConnections of at least 1', maxConnections, 1)
  checkInteger(op, 'an integer requestTimeout of at least 1', requestTimeout, 1, longestTimer)
  checkInteger(op, 'an integer headersTimeout from 1 to requestTimeout', headersTimeout, 1, requestTimeout)
  checkInteger(op, 'an integer keepAliveTimeout of at least 1', keepAliveTimeout, 1, longestTimer)
  const connectionsCheckingInterval = Math.min(1000, headersTimeout, requestTimeout)
  const server = createServer({ headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval })
  server.maxConnections = maxConnections
  return server
}

/** The answers that are under way: after the last one of its connection that ends. */
class Drain {
  readonly #open = new Set<ServerResponse>()
  #isBegun = false

  constructor(server: Server) {
    server.on('request', (_, response) => {
      if (this.#isBegun) response.shouldKeepAlive = false
      this.#open.add(response)
      response.once('close', () => this.#open.delete(response))
    })
  }

  /** Has no connection go on after the answers that it waits for. */
  begin(): void {
    this.#isBegun = true
    for (const response of this.#open) if (!response.headersSent) response.shouldKeepAlive = false
  }
}

function closeServer(server: Server, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = startTimer(() => server.closeAllConnections(), timeout)
    // Connections that wait for a next request are closed at once.
    const idle = setInterval(() => server.closeIdleConnections(), 50)
    server.close(() => {
      clearTimeout(timer)
      clearInterval(idle)
      resolve()
    })
  })
}
