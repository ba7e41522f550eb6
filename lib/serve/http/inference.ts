/**
 * Requests and answers of the Open Inference Protocol (KServe and Triton call it v2), as JSON alone or with tensors as bytes behind the JSON.
 * https://github.com/kserve/open-inference-protocol, https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import type { TypedArray } from '../../base/dtype.ts'
import { isPlainObject } from '../../base/options.ts'
import type { InputSpec, RowValues } from '../inputs.ts'
import { elementsOf, isBytesAlone } from '../protocol/datatypes.ts'
import { invalid } from '../protocol/faults.ts'
import { type CheckedInput, type GivenInput, rowsOfInputs } from '../protocol/inputs.ts'
import type { Served } from '../protocol/models.ts'
import type { NamedResult } from '../protocol/results.ts'
import { jsonOf } from './body.ts'
import { jsonReply, type Reply } from './reply.ts'

const lengthHeader = 'inference-header-content-length'

/** Of a request: its rows, and how its answer is to be. */
export interface InferenceRequest {
  readonly id: string | undefined
  readonly rows: RowValues
  /** The outputs that are asked for, and whether as bytes; none where all are. */
  readonly outputs: ReadonlyMap<string, boolean | undefined>
  /** Whether outputs are bytes where they do not say themselves. */
  readonly isBinary: boolean
}

/** An input, or an output that is asked for. */
interface JsonTensor extends GivenInput {
  readonly data?: unknown
  readonly parameters?: unknown
}

type Parameters = Readonly<Record<string, unknown>>

const noParameters: Parameters = {}

/** @throws RequestError that says what is wrong, and where */
export function inferenceRequest(
  body: Uint8Array,
  headers: NodeJS.Dict<string | string[]>,
  specs: readonly InputSpec[],
  maxRows: number,
): InferenceRequest {
  const { json, bytes } = partsOf(body, headers[lengthHeader])
  const { id, inputs, outputs } = json
  if (id !== undefined && typeof id !== 'string') throw invalid('a text as id is expected')
  const tail = new Tail(bytes)
  const rows = rowsOfInputs(specs, maxRows, listOf('inputs', inputs), (given, input) =>
    elementsOfInput(given, input, tail),
  )
  tail.checkEnd()
  const asked = outputs === undefined ? [] : listOf('outputs', outputs)
  return {
    id,
    rows,
    outputs: new Map(asked.map(askedOutput)),
    isBinary: flag(parametersOf(json), 'binary_data_output') ?? false,
  }
}

function partsOf(body: Uint8Array, header: string | string[] | undefined) {
  if (header === undefined) return { json: jsonOf(body), bytes: new Uint8Array() }
  const length = Number(header)
  if (!Number.isInteger(length) || length < 0 || length > body.length)
    throw invalid(`${lengthHeader}: the bytes of the JSON are expected, got ${String(header)}`)
  return { json: jsonOf(body.subarray(0, length)), bytes: body.subarray(length) }
}

function listOf(key: string, list: unknown): JsonTensor[] {
  if (!Array.isArray(list)) throw invalid(`${key}: a list is expected`)
  if (!list.every(isPlainObject)) throw invalid(`${key}: an object for each of them is expected`)
  return list
}

function parametersOf({ parameters = null }: { readonly parameters?: unknown }): Parameters {
  if (parameters === null) return noParameters
  if (!isPlainObject(parameters)) throw invalid('parameters: an object is expected')
  return parameters as Parameters
}

function flag(parameters: Parameters, name: string): boolean | undefined {
  const value = parameters[name]
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`parameters.${name}: true or false is expected`)
  return value
}

function askedOutput(output: JsonTensor) {
  const { name } = output
  if (typeof name !== 'string') throw invalid('outputs: a name for each of them is expected')
  return [name, flag(parametersOf(output), 'binary_data')] as const
}

/** The bytes behind the JSON, of which each input takes its own, one after the other. */
class Tail {
  #taken = 0

  constructor(private readonly bytes: Uint8Array) {}

  take(input: string, size: unknown): Uint8Array {
    const left = this.bytes.length - this.#taken
    if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > left)
      throw invalid(`input ${input}: a binary_data_size of at most the ${left} bytes left is expected`)
    const from = this.#taken
    this.#taken += size as number
    return this.bytes.subarray(from, this.#taken)
  }

  checkEnd(): void {
    if (this.#taken !== this.bytes.length)
      throw invalid(`${this.#taken} bytes behind the JSON are expected by binary_data_size, got ${this.bytes.length}`)
  }
}

function elementsOfInput(
  given: JsonTensor,
  { name, spec, datatype, size }: CheckedInput,
  tail: Tail,
): TypedArray | readonly number[] {
  const { data } = given
  const { binary_data_size: byteLength } = parametersOf(given)
  if (byteLength !== undefined) return elementsOf(name, datatype, tail.take(name, byteLength), size, spec.dtype)
  if (isBytesAlone(datatype))
    throw invalid(`input ${name}: bytes are expected of ${datatype}, with parameters.binary_data_size`)
  if (!Array.isArray(data)) throw invalid(`input ${name}: data is expected, or parameters.binary_data_size`)
  return flat(name, data, size)
}

/** The numbers of nested or flat data; not more than the shape has. */
function flat(name: string, data: readonly unknown[], size: number): readonly number[] {
  if (data.length === size && data.every((x) => typeof x === 'number')) return data as readonly number[]
  const numbers: number[] = []
  const stack: { list: readonly unknown[]; next: number }[] = [{ list: data, next: 0 }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next === top.list.length) {
      stack.pop()
      continue
    }
    const value = top.list[top.next++]
    if (Array.isArray(value)) stack.push({ list: value, next: 0 })
    else if (typeof value === 'number' || typeof value === 'boolean') numbers.push(Number(value))
    else throw invalid(`input ${name}: numbers as data are expected`)
    if (numbers.length > size || stack.length > 64) break
  }
  if (stack.length > 0 || numbers.length !== size)
    throw invalid(`input ${name}: ${size} numbers for its shape are expected as data`)
  return numbers
}

export function inferenceReply(
  { name, version }: Pick<Served, 'name' | 'version'>,
  { id, outputs: asked, isBinary }: InferenceRequest,
  results: readonly NamedResult[],
): Reply {
  const chunks: Uint8Array[] = []
  const outputs = results.map(({ name, datatype, shape, list, bytes }) => {
    if (!(asked.get(name) ?? isBinary)) return { name, datatype, shape, data: list() }
    const chunk = bytes()
    chunks.push(chunk)
    return { name, datatype, shape, parameters: { binary_data_size: chunk.byteLength } }
  })
  // JSON has nothing of an id that is undefined.
  const json = { model_name: name, model_version: version, id, outputs }
  if (chunks.length === 0) return jsonReply(json)
  const text = Buffer.from(JSON.stringify(json))
  const headers = { 'content-type': 'application/octet-stream', [lengthHeader]: String(text.length) }
  return { status: 200, headers, body: Buffer.concat([text, ...chunks]) }
}
