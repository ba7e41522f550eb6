/** A whole server of gRPC, which is drained before it ends. */
import type { Server, ServerCredentials } from '@grpc/grpc-js'
import { checkInteger, checkText, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { listenError } from '../../base/listen.ts'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { missingPackage } from '../../base/peer.ts'
import { startTimer } from '../../base/timers.ts'
import { type Models, modelsOf } from '../protocol/models.ts'
import { type GrpcServiceOptions, serviceOf, serviceOptions } from './service.ts'

export interface ServeGrpcOptions extends GrpcServiceOptions {
  /** 9000 unless given; 0 for any that is free. */
  port?: number
  /** 127.0.0.1 unless given: this machine alone. 0.0.0.0 is for all that can reach it. */
  host?: string
  /** Bytes of a message at most; 8 MiB unless given. */
  maxMessage?: number
  /** `ServerCredentials` of `@grpc/grpc-js`; insecure ones unless given. */
  credentials?: object
}

const serveGrpcOptions: OptionTypes<ServeGrpcOptions> = {
  ...serviceOptions,
  port: 'number',
  host: 'string',
  maxMessage: 'number',
  credentials: 'other',
}

/** A server that runs. */
export interface GrpcServer {
  readonly port: number
  /** Is not ready from then on, answers what is under way, and ends; whatever is still open after so many milliseconds is cut off; 10,000 unless given. */
  close(timeout?: number): Promise<void>
}

const op = 'serveGrpc'

/**
 * Serves predictors over gRPC by the Open Inference Protocol, the service `inference.GRPCInferenceService`. It takes the package `@grpc/grpc-js`.
 *
 * @throws (rejects with) TypeError, RangeError for options; MissingPackageError; Error with the `code` of the system for a port in use
 *
 * @example
 * const server = await serveGrpc({ models: { digits: await predictor(model, { inputShape: [784] }) }, port: 9000 })
 */
export async function serveGrpc(options: ServeGrpcOptions, ...surplus: []): Promise<GrpcServer> {
  const given = requireOptions(op, options, serveGrpcOptions, ['models'], surplus)
  const { port = 9000, host = '127.0.0.1', maxMessage = 8 * 2 ** 20, credentials } = given
  checkInteger(op, 'a port from 0 to 65535', port, 0, 65535)
  checkText(op, 'a host', host)
  checkInteger(op, 'an integer maxMessage of at least 1', maxMessage, 1, 2 ** 31 - 1)
  let isDraining = false
  const models = modelsOf(op, given.models, given, () => isDraining)
  const server = await listenGrpc(op, models, { port, host, maxMessage, credentials })
  return {
    port: server.port,
    close: (timeout) => {
      isDraining = true
      return server.close(timeout)
    },
  }
}

/** Calls of a connection at a time, and milliseconds after which one that says nothing is asked whether it is still there, and in which it has to answer. */
const [mostCalls, quiet, answerTime] = [1024, 60_000, 20_000]

/** @throws (rejects with) MissingPackageError; Error with the `code` of the system */
export async function listenGrpc(
  op: string,
  models: Models,
  where: { port: number; host: string; maxMessage: number; credentials?: object | undefined },
): Promise<GrpcServer> {
  const grpc = await import('@grpc/grpc-js').catch(missingPackage(op, '@grpc/grpc-js'))
  const server = new grpc.Server({
    'grpc.max_receive_message_length': where.maxMessage,
    'grpc.max_concurrent_streams': mostCalls,
    'grpc.keepalive_time_ms': quiet,
    'grpc.keepalive_timeout_ms': answerTime,
  })
  const { definition, implementation } = serviceOf(models)
  server.addService(definition, implementation)
  const credentials = where.credentials ?? grpc.ServerCredentials.createInsecure()
  if (!(credentials instanceof grpc.ServerCredentials))
    throw new TypeError(expected(op, 'ServerCredentials of @grpc/grpc-js as credentials', describe(credentials)))
  const port = await bind(op, server, where, credentials)
  let closed: Promise<void> | undefined
  return { port, close: (timeout = 10_000) => (closed ??= closeServer(server, timeout)) }
}

function bind(
  op: string,
  server: Server,
  { port, host }: { port: number; host: string },
  credentials: ServerCredentials,
): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) return resolve(bound)
      // The code of the system is told in words.
      const code = /\bE[A-Z]{4,}\b/.exec(error.message)?.[0]
      reject(listenError(op, { port, host }, Object.assign(error, { code })))
    })
  })
}

function closeServer(server: Server, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = startTimer(() => server.forceShutdown(), timeout)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
