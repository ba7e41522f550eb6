/** A client of the Open Inference Protocol that is made of the definitions alone, by `@grpc/proto-loader`: its bytes are not the library's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds, the tests say
export type Message = any

/** Where contents are a message, as in the public definitions. */
function packageDefinition() {
  const source = readFileSync(join(import.meta.dirname, '../../../lib/serve/grpc/inference.proto'), 'utf8')
  const folder = mkdtempSync(join(tmpdir(), 'galvani-proto-'))
  try {
    const file = join(folder, 'public.proto')
    writeFileSync(file, source.replaceAll('bytes contents = 5', 'InferTensorContents contents = 5'))
    return loadSync(file, { keepCase: true, longs: Number, defaults: true, oneofs: true })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { inference } = grpc.loadPackageDefinition(packageDefinition()) as Message
const Client = inference.GRPCInferenceService as grpc.ServiceClientConstructor

export class InferenceClient {
  readonly #client: grpc.Client

  constructor(port: number, host = '127.0.0.1') {
    this.#client = new Client(`${host}:${port}`, grpc.credentials.createInsecure())
  }

  /** @throws (rejects with) the status: `code` and `details` */
  call(method: string, request: object = {}, options: grpc.CallOptions = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.start(method, request, (error, answer) => (error === null ? resolve(answer) : reject(error)), options)
    })
  }

  start(
    method: string,
    request: object,
    done: (error: grpc.ServiceError | null, answer?: Message) => void,
    options: grpc.CallOptions = {},
  ): grpc.ClientUnaryCall {
    return (this.#client as Message)[method](request, options, done)
  }

  /** A call whose message is bytes as they are. */
  send(method: string, bytes: Buffer): Promise<Buffer> {
    const same = (message: Buffer) => message
    return new Promise((resolve, reject) => {
      const done = (error: grpc.ServiceError | null, answer?: Buffer) =>
        error === null ? resolve(answer!) : reject(error)
      this.#client.makeUnaryRequest(`/inference.GRPCInferenceService/${method}`, same, same, bytes, done)
    })
  }

  close(): void {
    this.#client.close()
  }
}
