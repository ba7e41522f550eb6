/** The nodes of a graph of TensorFlow as JSON has them, with their attributes read. */
import { isPlainObject } from '../base/options.ts'
import { fail, type Origin } from '../keras/config.ts'

type Values = Readonly<Record<string, unknown>>

/** What a node takes: an output of another one. */
export interface Source {
  readonly node: string
  readonly output: number
}

export class GraphNode {
  constructor(
    readonly origin: Origin,
    readonly name: string,
    readonly op: string,
    readonly inputs: readonly Source[],
    readonly attributes: Values,
  ) {}

  fail(what: string, got: unknown): never {
    return fail(this.origin, `${what} of the ${this.op} ${this.name}`, got)
  }

  #attribute(name: string, kind: string): unknown {
    const value = Object.hasOwn(this.attributes, name) ? this.attributes[name] : undefined
    return isPlainObject(value) ? (value as Values)[kind] : undefined
  }

  integer(name: string, fallback: number): number {
    const value = this.#attribute(name, 'i')
    if (value === undefined) return fallback
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : this.fail(`an integer as ${name}`, value)
  }

  number(name: string, fallback: number): number {
    const value = this.#attribute(name, 'f') ?? this.#attribute(name, 'i')
    if (value === undefined) return fallback
    const number = Number(value)
    return Number.isFinite(number) ? number : this.fail(`a number as ${name}`, value)
  }

  flag(name: string, fallback = false): boolean {
    const value = this.#attribute(name, 'b')
    return value === undefined ? fallback : value === true
  }

  /** Texts are in base 64. */
  text(name: string, fallback: string): string {
    const value = this.#attribute(name, 's')
    if (value === undefined) return fallback
    if (Array.isArray(value)) return String.fromCharCode(...value.slice(0, 1024).map(Number))
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : this.fail(`a text as ${name}`, value)
  }

  texts(name: string): string[] {
    const list = this.#attribute(name, 'list')
    const values = isPlainObject(list) ? (list as Values).s : undefined
    return Array.isArray(values) ? values.map((value) => Buffer.from(String(value), 'base64').toString()) : []
  }

  integers(name: string): number[] {
    const list = this.#attribute(name, 'list')
    const values = isPlainObject(list) ? ((list as Values).i ?? []) : []
    if (!Array.isArray(values) || values.length > 1024) return this.fail(`integers as ${name}`, values)
    const numbers = values.map(Number)
    return numbers.every(Number.isSafeInteger) ? numbers : this.fail(`integers as ${name}`, values)
  }

  /** A dtype under its name of TensorFlow: `DT_FLOAT`. */
  type(name: string, fallback: string): string {
    const value = this.#attribute(name, 'type')
    return typeof value === 'string' ? value : typeof value === 'number' ? (typeNumbers[value] ?? fallback) : fallback
  }

  /** Extents, −1 for any; null where the attribute is not there or the rank is not known. */
  shape(name: string): number[] | null {
    return extentsOf(this.#attribute(name, 'shape'))
  }
}

const typeNumbers: Readonly<Record<number, string>> = {
  1: 'DT_FLOAT',
  2: 'DT_DOUBLE',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  9: 'DT_INT64',
  10: 'DT_BOOL',
}

/** The extents of a TensorShapeProto. */
export function extentsOf(shape: unknown): number[] | null {
  if (!isPlainObject(shape) || (shape as Values).unknownRank === true) return null
  const dims = (shape as Values).dim ?? []
  if (!Array.isArray(dims) || dims.length > 8) return null
  const extents = dims.map((dim: unknown) => Number(isPlainObject(dim) ? ((dim as Values).size ?? 0) : Number.NaN))
  return extents.every((extent) => Number.isSafeInteger(extent) && extent >= -1) ? extents : null
}

/** `name`, `name:1` for another output; `^name` is an order alone, and left out. */
export function sourceOf(text: string): Source | undefined {
  if (text.startsWith('^')) return undefined
  const [node, output = '0'] = text.split(':')
  return { node: node!, output: Number(output) }
}

const mostNodes = 1_000_000

/** The nodes of a GraphDef by name. */
export function readNodes(origin: Origin, topology: Values): Map<string, GraphNode> {
  const { node: list, library } = topology
  if (!Array.isArray(list) || list.length > mostNodes) return fail(origin, 'a list of nodes', list)
  const functions = isPlainObject(library) ? (library as Values).function : undefined
  if (Array.isArray(functions) && functions.length > 0) fail(origin, 'a graph without functions', `${functions.length}`)
  const nodes = new Map<string, GraphNode>()
  for (const value of list) {
    const { name, op, input = [], attr = {} } = (isPlainObject(value) ? value : {}) as Values
    if (typeof name !== 'string' || typeof op !== 'string') return fail(origin, 'nodes with a name and an op', value)
    if (!Array.isArray(input) || !input.every((text) => typeof text === 'string'))
      return fail(origin, `inputs of the ${op} ${name} as texts`, input)
    if (nodes.has(name)) return fail(origin, 'each node once', `two ${name}`)
    const sources = (input as string[]).map(sourceOf).filter((source) => source !== undefined)
    nodes.set(name, new GraphNode(origin, name, op, sources, isPlainObject(attr) ? (attr as Values) : {}))
  }
  return nodes
}
