/** The models of a service over gRPC, as what a server of `@grpc/grpc-js` takes: the calls of the Open Inference Protocol, and what answers them. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { type OptionTypes, requireOptions } from '../../base/options.ts'
import { hasMoreParts } from '../../files/message-parts.ts'
import { type Fault, faultOf, RequestError } from '../protocol/faults.ts'
import { type Models, type ModelsByName, modelsOf, type RowLimit, server } from '../protocol/models.ts'
import type { DescribedTensor } from '../protocol/results.ts'
import { infer } from './infer.ts'
import { GRPCInferenceService } from './wire/inference_pb.ts'

export interface GrpcServiceOptions extends RowLimit {
  /** The predictors by the names of models, or by versions of them. */
  models: ModelsByName
}

export const serviceOptions: OptionTypes<GrpcServiceOptions> = { models: 'other', maxRows: 'number' }

/** What is asked of a call of `@grpc/grpc-js`, so that its types are needed by those alone who have it. */
export interface GrpcCall {
  // biome-ignore lint/suspicious/noExplicitAny: a message by its method
  readonly request: any
  readonly cancelled: boolean
  once(event: 'cancelled', listener: () => void): unknown
}

/** Why a call has failed: a code of gRPC, and words. */
export interface GrpcStatus {
  readonly code: number
  readonly details: string
}

export type GrpcHandler = (call: GrpcCall, callback: (error: GrpcStatus | null, value?: unknown) => void) => void

/** A call, and how its messages are bytes. */
export interface GrpcMethod {
  readonly path: string
  readonly requestStream: false
  readonly responseStream: false
  requestSerialize(message: unknown): Buffer
  requestDeserialize(bytes: Uint8Array): unknown
  responseSerialize(message: unknown): Buffer
  responseDeserialize(bytes: Uint8Array): unknown
}

/** The arguments of `addService`. */
export interface GrpcService {
  readonly definition: Readonly<Record<string, GrpcMethod>>
  readonly implementation: Readonly<Record<string, GrpcHandler>>
}

type Methods = typeof GRPCInferenceService.method

type Answers = {
  readonly [Name in keyof Methods]: (
    request: MessageShape<Methods[Name]['input']>,
    signal: AbortSignal,
  ) => MessageInitShape<Methods[Name]['output']> | Promise<MessageInitShape<Methods[Name]['output']>>
}

/** A message names, in a list, a few tensors: one with more parts is meant to be a burden. */
const mostParts = 2 ** 14

const codes: Readonly<Record<Fault, number>> = {
  gone: 1,
  invalid: 3,
  late: 4,
  notFound: 5,
  tooLarge: 8,
  full: 8,
  internal: 13,
  closed: 14,
}

/** A status is a header, in which clients take some 8 KiB, up to nine for a character. */
const longestDetails = 500

const op = 'grpcService'

/**
 * The service `inference.GRPCInferenceService` for `addService` of a server of `@grpc/grpc-js`, which has ports, credentials and limits of
 * messages. Numbers are answered as they came, as bytes (`raw_output_contents`) or by type (`contents`). What `models` holds is looked at for
 * each call.
 *
 * @throws TypeError, RangeError for what are no predictors, or no limit
 *
 * @example
 * const server = new grpc.Server()
 * const { definition, implementation } = grpcService({ models: { digits } })
 * server.addService(definition, implementation)
 */
export function grpcService(options: GrpcServiceOptions, ...surplus: []): GrpcService {
  const given = requireOptions(op, options, serviceOptions, ['models'], surplus)
  return serviceOf(modelsOf(op, given.models, given))
}

export function serviceOf(models: Models): GrpcService {
  const answers = answersOf(models)
  const { methods, typeName } = GRPCInferenceService
  return {
    definition: Object.fromEntries(
      methods.map(({ name, input, output }) => [name, methodOf(`/${typeName}/${name}`, input, output)]),
    ),
    implementation: Object.fromEntries(
      methods.map(({ name, localName }) => [name, handlerOf(answers[localName as keyof Methods] as Answer)]),
    ),
  }
}

const methodOf = (path: string, input: DescMessage, output: DescMessage): GrpcMethod => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => encode(input, message),
  requestDeserialize: (bytes) => decode(input, bytes),
  responseSerialize: (message) => encode(output, message),
  responseDeserialize: (bytes) => decode(output, bytes),
})

function encode(schema: DescMessage, message: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, create(schema, message as MessageInitShape<DescMessage>))
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** What it throws is an INTERNAL status, made by the server. */
function decode(schema: DescMessage, bytes: Uint8Array): unknown {
  if (hasMoreParts(schema, bytes, mostParts))
    throw new RangeError(`a message of at most ${mostParts} parts is expected`)
  return fromBinary(schema, bytes, { readUnknownFields: false })
}

type Answer = (request: unknown, signal: AbortSignal) => unknown

function handlerOf(answer: Answer): GrpcHandler {
  return (call, callback) => {
    const gone = new AbortController()
    const end = () => gone.abort(new RequestError('gone', 'the call was cancelled'))
    if (call.cancelled) end()
    else call.once('cancelled', end)
    new Promise((resolve) => resolve(answer(call.request, gone.signal)))
      .then(
        (value) => callback(null, value),
        (error: unknown) => callback(statusOf(error)),
      )
      // Such as an error of an interceptor, for which nobody waits.
      .catch((error: Error) => process.emitWarning(error))
  }
}

function statusOf(error: unknown): GrpcStatus {
  const { fault, message } = faultOf(error)
  // Half of a character, as at the end of what was cut, is none that could be sent.
  return { code: codes[fault], details: Buffer.from(message.slice(0, longestDetails)).toString() }
}

const answersOf = (models: Models): Answers => {
  const find = ({ name, version }: { name: string; version: string }) =>
    models.find(name, version === '' ? undefined : version)
  return {
    serverLive: () => ({ live: true }),
    serverReady: () => ({ ready: models.ready }),
    modelReady: (request) => ({ ready: models.isReady(find(request)) }),
    serverMetadata: () => ({ ...server, extensions: [] }),
    modelMetadata(request) {
      const { name, versions, platform, inputs, outputs } = models.describe(find(request))
      return { name, versions: [...versions], platform, inputs: inputs.map(inMessage), outputs: outputs.map(inMessage) }
    },
    modelInfer: (request, signal) => infer(models, request, signal),
  }
}

const inMessage = ({ name, datatype, shape }: DescribedTensor) => ({ name, datatype, shape: shape.map(BigInt) })
