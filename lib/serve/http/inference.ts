/**
 * Requests and answers of the Open Inference Protocol (KServe and Triton call it v2), as JSON alone or with tensors as bytes behind the JSON.
 * https://github.com/kserve/open-inference-protocol, https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import { sizeOf } from '../../base/shape.ts'
import { tensor } from '../../tensor/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InputSpec } from '../inputs.ts'
import { jsonOf } from './body.ts'
import { bytesOfTexts, checkDatatype, numbersOf } from './datatypes.ts'
import { HttpError, jsonReply, type Reply } from './reply.ts'

const lengthHeader = 'inference-header-content-length'

/** Of a request: its rows by the names of inputs, and how its answer is to be. */
export interface InferenceRequest {
  readonly id: string | undefined
  readonly inputs: ReadonlyMap<string, Tensor>
  /** The outputs that are asked for, and whether as bytes; undefined where all are. */
  readonly outputs: ReadonlyMap<string, boolean> | undefined
  /** Whether outputs are bytes where they do not say themselves. */
  readonly isBinary: boolean
}

/** Results by name, each with an entry for each row. */
export interface NamedResult {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  readonly values:
    | readonly (number | string | boolean)[]
    | { readonly bytes: Uint8Array; readonly list: () => readonly unknown[] }
}

/** @throws HttpError 400 that says what is wrong, and where */
export function inferenceRequest(
  body: Uint8Array,
  headers: NodeJS.Dict<string | string[]>,
  specs: readonly InputSpec[],
): InferenceRequest {
  const { json, bytes } = partsOf(body, headers[lengthHeader])
  const { id, inputs, outputs, parameters } = json
  if (id !== undefined && typeof id !== 'string') throw new HttpError(400, 'a text as id is expected')
  if (!Array.isArray(inputs) || inputs.length !== specs.length)
    throw new HttpError(400, `inputs: a list of ${specs.length} is expected`)
  const found = new Map<string, Tensor>()
  let offset = 0
  for (const given of inputs as unknown[]) {
    const input = asRecord(given, 'inputs: an object for each input is expected')
    const { spec, size, value } = readInput(input, specs, bytes.subarray(offset))
    if (found.has(spec.name)) throw new HttpError(400, `inputs: each of them once is expected, got ${spec.name} twice`)
    found.set(spec.name, value)
    offset += size
  }
  if (offset !== bytes.length)
    throw new HttpError(400, `${offset} bytes behind the JSON are expected by binary_data_size, got ${bytes.length}`)
  return { id, inputs: found, outputs: outputsOf(outputs), isBinary: flag(parameters, 'binary_data_output') ?? false }
}

function partsOf(body: Uint8Array, header: string | string[] | undefined) {
  if (header === undefined) return { json: jsonOf(body), bytes: new Uint8Array() }
  const length = Number(header)
  if (!Number.isInteger(length) || length < 0 || length > body.length)
    throw new HttpError(400, `${lengthHeader}: the bytes of the JSON are expected, got ${String(header)}`)
  return { json: jsonOf(body.subarray(0, length)), bytes: body.subarray(length) }
}

function asRecord(value: unknown, message: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new HttpError(400, message)
  return value as Record<string, unknown>
}

const flag = (parameters: unknown, name: string): boolean | undefined => {
  const value = (parameters as Record<string, unknown> | undefined | null)?.[name]
  return typeof value === 'boolean' ? value : undefined
}

function readInput(input: Record<string, unknown>, specs: readonly InputSpec[], bytes: Uint8Array) {
  const { name, shape, datatype, data, parameters } = input
  if (typeof name !== 'string') throw new HttpError(400, 'inputs: a name for each of them is expected')
  // A model that takes a bare tensor has no name for it.
  const spec = specs[0]!.name === '' ? specs[0]! : specs.find((other) => other.name === name)
  if (spec === undefined)
    throw new HttpError(400, `inputs: ${specs.map((x) => x.name).join(', ')} are expected, got ${name}`)
  const extents = checkedShape(name, shape)
  const type = checkDatatype(name, datatype)
  const size = (parameters as Record<string, unknown> | undefined | null)?.binary_data_size
  if (size === undefined) {
    if (!Array.isArray(data))
      throw new HttpError(400, `input ${name}: data is expected, or parameters.binary_data_size`)
    return { spec, size: 0, value: tensor(flat(name, data, sizeOf(extents)), { shape: extents, dtype: spec.dtype }) }
  }
  if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > bytes.length)
    throw new HttpError(400, `input ${name}: a binary_data_size of at most the ${bytes.length} bytes left is expected`)
  const numbers = numbersOf(name, type, bytes.subarray(0, size as number), sizeOf(extents))
  return { spec, size: size as number, value: tensor(numbers as Float64Array, { shape: extents, dtype: spec.dtype }) }
}

function checkedShape(name: string, shape: unknown): number[] {
  const isShape = Array.isArray(shape) && shape.length > 0 && shape.every((x) => Number.isInteger(x) && x >= 1)
  if (!isShape || sizeOf(shape as number[]) > 2 ** 31 - 1)
    throw new HttpError(400, `input ${name}: a shape of integers of at least 1, rows first, is expected`)
  return shape as number[]
}

/** The numbers of nested or flat data; not more than the shape has. */
function flat(name: string, data: readonly unknown[], size: number): number[] {
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
    else throw new HttpError(400, `input ${name}: numbers as data are expected`)
    if (numbers.length > size || stack.length > 64) break
  }
  if (stack.length > 0 || numbers.length !== size)
    throw new HttpError(400, `input ${name}: ${size} numbers for its shape are expected as data`)
  return numbers
}

function outputsOf(outputs: unknown): ReadonlyMap<string, boolean> | undefined {
  if (outputs === undefined) return undefined
  if (!Array.isArray(outputs)) throw new HttpError(400, 'outputs: a list is expected')
  return new Map(
    outputs.map((given) => {
      const { name, parameters } = asRecord(given, 'outputs: an object for each output is expected')
      if (typeof name !== 'string') throw new HttpError(400, 'outputs: a name for each of them is expected')
      return [name, flag(parameters, 'binary_data')] as [string, boolean]
    }),
  )
}

/** @throws HttpError 400 where an output is asked for that there is not */
export function inferenceReply(
  model: { readonly name: string; readonly version: string },
  { id, outputs: asked, isBinary }: InferenceRequest,
  results: readonly NamedResult[],
): Reply {
  for (const name of asked?.keys() ?? [])
    if (!results.some((result) => result.name === name))
      throw new HttpError(400, `outputs: ${results.map((result) => result.name).join(', ')} are expected, got ${name}`)
  const chunks: Uint8Array[] = []
  const outputs = results
    .filter(({ name }) => asked === undefined || asked.has(name))
    .map(({ name, datatype, shape, values }) => {
      const described = { name, datatype, shape }
      if (!(asked?.get(name) ?? isBinary)) return { ...described, data: 'list' in values ? values.list() : values }
      const bytes = 'bytes' in values ? values.bytes : bytesOfTexts(values as readonly string[])
      chunks.push(bytes)
      return { ...described, parameters: { binary_data_size: bytes.byteLength } }
    })
  const json = { model_name: model.name, model_version: model.version, ...(id === undefined ? {} : { id }), outputs }
  if (chunks.length === 0) return jsonReply(json)
  const text = Buffer.from(JSON.stringify(json))
  const headers = { 'content-type': 'application/octet-stream', [lengthHeader]: String(text.length) }
  return { status: 200, headers, body: Buffer.concat([text, ...chunks]) }
}
