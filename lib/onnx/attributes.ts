/** The attributes of a node by typed getters, whose errors name the node, its operator, the attribute and what was expected. */
import { describe } from '../base/arguments.ts'
import { formatError } from './errors.ts'
import { attributeKinds } from './types.ts'
import type { AttributeProto, GraphProto, TensorProto } from './wire/onnx_pb.ts'

type Kind = keyof typeof attributeKinds

const kindOfCode = new Map(Object.entries(attributeKinds).map(([kind, code]) => [code as number, kind as Kind]))

/** What says that an attribute has to be there, in the place of a default. */
export const required = Symbol('required')

type Default<T> = T | typeof required

const utf8 = new TextDecoder('utf-8', { fatal: true })

export class Attributes {
  readonly #byName = new Map<string, AttributeProto>()

  /** `place` is the node's: `node conv1 (Conv)`. */
  constructor(
    attributes: readonly AttributeProto[],
    readonly place: string,
  ) {
    for (const attribute of attributes) {
      if (this.#byName.has(attribute.name))
        throw formatError('attributes of different names', `two ${attribute.name}`, place)
      this.#byName.set(attribute.name, attribute)
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }

  /** An integer that is a number. */
  int<T>(name: string, otherwise: Default<T>): number | T {
    const attribute = this.#find(name, 'int', otherwise)
    return attribute === undefined ? (otherwise as T) : this.#safe(name, attribute.i)
  }

  /** The same, exactly. */
  bigint<T>(name: string, otherwise: Default<T>): bigint | T {
    return this.#find(name, 'int', otherwise)?.i ?? (otherwise as T)
  }

  /** An integer that says yes or no. */
  flag(name: string, otherwise: boolean): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0
  }

  ints<T>(name: string, otherwise: Default<T>): number[] | T {
    const attribute = this.#find(name, 'ints', otherwise)
    return attribute === undefined ? (otherwise as T) : attribute.ints.map((x) => this.#safe(name, x))
  }

  /** The same, exactly. */
  bigints<T>(name: string, otherwise: Default<T>): bigint[] | T {
    return this.#find(name, 'ints', otherwise)?.ints ?? (otherwise as T)
  }

  float<T>(name: string, otherwise: Default<T>): number | T {
    return this.#find(name, 'float', otherwise)?.f ?? (otherwise as T)
  }

  floats<T>(name: string, otherwise: Default<T>): number[] | T {
    return this.#find(name, 'floats', otherwise)?.floats ?? (otherwise as T)
  }

  string<T>(name: string, otherwise: Default<T>): string | T {
    const attribute = this.#find(name, 'string', otherwise)
    return attribute === undefined ? (otherwise as T) : this.#text(name, attribute.s)
  }

  strings<T>(name: string, otherwise: Default<T>): string[] | T {
    const attribute = this.#find(name, 'strings', otherwise)
    return attribute === undefined ? (otherwise as T) : attribute.strings.map((x) => this.#text(name, x))
  }

  /** One of several texts, in any case of letters. */
  choice<const C extends string>(name: string, choices: readonly C[], otherwise: Default<C>): C {
    const text = this.string(name, otherwise) as string
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase())
    if (found === undefined) throw this.error(name, choices.map((choice) => `'${choice}'`).join(' or '), describe(text))
    return found
  }

  tensor<T>(name: string, otherwise: Default<T>): TensorProto | T {
    return this.#find(name, 'tensor', otherwise)?.t ?? (otherwise as T)
  }

  graph(name: string): GraphProto {
    const graph = this.#find(name, 'graph', required)?.g
    if (graph === undefined) throw this.error(name, 'a graph', 'none')
    return graph
  }

  /** What is wrong with an attribute. */
  error(name: string, what: string, got: unknown): Error {
    return formatError(what, got, `attribute ${name} of ${this.place}`)
  }

  #find(name: string, kind: Kind, otherwise: unknown): AttributeProto | undefined {
    const attribute = this.#byName.get(name)
    if (attribute === undefined) {
      if (otherwise === required) throw this.error(name, kind, 'none')
      return undefined
    }
    // Files of the first versions say no type.
    if (attribute.type !== 0 && attribute.type !== attributeKinds[kind])
      throw this.error(name, kind, kindOfCode.get(attribute.type) ?? attribute.type)
    return attribute
  }

  #safe(name: string, value: bigint): number {
    const number = Number(value)
    // 2⁶³ − 1 and its like mean the end of an axis: the nearest number is as far beyond it.
    if (BigInt(number) !== value && value < 2n ** 62n && value > -(2n ** 62n))
      throw this.error(name, 'an integer within ±2⁵³', value)
    return number
  }

  #text(name: string, bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes)
    } catch {
      throw this.error(name, 'a text in UTF-8', 'other bytes')
    }
  }
}
