/** The file of a checkpoint: its tensors as safetensors, and all plain values as JSON among the file's metadata. */
import { describe } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { open, save } from '../files/safetensors.ts'
import { tensor } from '../tensor/creation.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'

const key = 'galvani.checkpoint'
const version = 1

/** What is written: values as they were when it was made, whatever becomes of the variables meanwhile. */
export interface Packed {
  readonly tensors: StateDict
  readonly text: string
}

const arrays = { Float64Array, Float32Array, Int32Array, Uint8Array } as const
type ArrayName = keyof typeof arrays

const mostLevels = 64

/** Takes a tree of tensors, typed arrays and plain values apart, into tensors by their paths and a text that says where they were. */
class Packer {
  readonly tensors: StateDict = {}

  constructor(private readonly op: string) {}

  pack(value: unknown, path: readonly string[]): unknown {
    if (path.length > mostLevels) throw this.#refusal(path.slice(0, 4), 'something too deep, or with itself in it')
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : packNumber(value)
    if (value instanceof Tensor) return { $tensor: this.#keep(path, value instanceof Variable ? value.value : value) }
    if (Array.isArray(value)) return value.map((x, i) => this.pack(x ?? null, [...path, String(i)]))
    if (isPlainObject(value)) return this.#packRecord(value as Record<string, unknown>, path)
    const name = value?.constructor?.name as ArrayName
    if (!Object.hasOwn(arrays, name) || !(value instanceof arrays[name])) throw this.#refusal(path, describe(value))
    return { $array: this.#keep(path, tensor(value.slice())), of: name }
  }

  #packRecord(value: Readonly<Record<string, unknown>>, path: readonly string[]): Record<string, unknown> {
    const entries = Object.entries(value).filter(([, x]) => x !== undefined)
    for (const [name] of entries)
      if (name.startsWith('$')) throw new TypeError(expected(this.op, 'names without $ in front', describe(name)))
    return Object.fromEntries(entries.map(([name, x]) => [name, this.pack(x, [...path, name])]))
  }

  /** Under its path, or that with a number where two paths read the same. */
  #keep(path: readonly string[], value: Tensor): string {
    let name = path.join('.')
    for (let i = 2; Object.hasOwn(this.tensors, name); i++) name = `${path.join('.')}#${i}`
    this.tensors[name] = value
    return name
  }

  #refusal(path: readonly string[], got: string): TypeError {
    return new TypeError(
      expected(this.op, `tensors and plain values, in lists and by name, as ${path.join('.') || 'state'}`, got),
    )
  }
}

/** What JSON has no number for. */
const packNumber = (value: number) => ({ $number: Object.is(value, -0) ? '-0' : String(value) })

function unpack(value: unknown, tensors: StateDict): unknown {
  if (Array.isArray(value)) return value.map((x) => unpack(x, tensors))
  if (typeof value !== 'object' || value === null) return value
  const { $tensor, $array, $number, of } = value as Record<string, unknown>
  if ($number !== undefined) return Number($number)
  if ($tensor === undefined && $array === undefined)
    return Object.fromEntries(Object.entries(value).map(([name, x]) => [name, unpack(x, tensors)]))
  const name = String($tensor ?? $array)
  const found = Object.hasOwn(tensors, name) ? tensors[name]! : undefined
  if (found === undefined) throw new DataFormatError(expected('checkpoint', `a tensor ${name}`, 'none'))
  return $array === undefined ? found : arrays[of as ArrayName]?.from(found.dataSync() as Iterable<number>)
}

/** @throws TypeError for what is neither tensors nor plain values */
export function pack(op: string, state: Readonly<Record<string, unknown>>): Packed {
  const packer = new Packer(op)
  const text = JSON.stringify({ version, state: packer.pack(state, []) })
  return { tensors: packer.tensors, text }
}

/** The file is there whole or not at all, also after a crash. */
export const writePacked = (path: string, { tensors, text }: Packed): Promise<void> =>
  save(path, tensors, { metadata: { [key]: text } })

/** @throws (rejects with) DataFormatError for what is no checkpoint; Error with the `code` of the file system */
export async function readCheckpoint(op: string, path: string): Promise<Record<string, unknown>> {
  const file = await open(path)
  try {
    const found = parsed(op, path, file.metadata[key])
    const tensors: StateDict = {}
    // Not float32 for all floats, as it would be for a model.
    for (const [name, { dtype }] of Object.entries(file.tensors))
      tensors[name] = await file.read(name, dtype === 'F64' ? { dtype: 'float64' } : {})
    return unpack(found, tensors) as Record<string, unknown>
  } finally {
    await file.close()
  }
}

function parsed(op: string, path: string, text: string | undefined): object {
  let content: unknown
  try {
    content = text === undefined ? undefined : JSON.parse(text)
  } catch {}
  const { version: found, state } = (content ?? {}) as { version?: unknown; state?: unknown }
  if (found !== version || !isPlainObject(state))
    throw new DataFormatError(expected(op, `a checkpoint of version ${version}`, `${path}, which is none`))
  return state
}
