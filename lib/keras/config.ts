/** Options of layers as Keras writes them, read with checks: a file may say anything. */
import { describe } from '../base/arguments.ts'
import { DataFormatError, expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { maxExtent } from '../base/shape.ts'

/** Which conventions a file follows where those of Keras 2 (and TensorFlow.js) differ from those of Keras 3. */
export type Dialect = 'keras2' | 'keras3'

/** What all of one file is read with. */
export interface Origin {
  /** What messages begin with: `keras.load`. */
  readonly op: string
  /** What they call the file. */
  readonly file: string
  readonly dialect: Dialect
}

export function fail({ op, file }: Origin, what: string, got: unknown): never {
  throw new DataFormatError(`${expected(op, what, typeof got === 'string' ? got : describe(got))} (${file})`)
}

const isCount = (x: unknown): x is number => Number.isInteger(x) && (x as number) > 0 && (x as number) <= maxExtent

/** The options of one layer, by the names that Keras has for them. */
export class Config {
  constructor(
    readonly origin: Origin,
    /** What messages call the layer. */
    readonly layer: string,
    readonly values: Readonly<Record<string, unknown>>,
  ) {}

  fail(what: string, got: unknown): never {
    return fail(this.origin, `${what} of the layer ${this.layer}`, got)
  }

  /** Whatever stands there; undefined for null too. */
  get(name: string): unknown {
    return Object.hasOwn(this.values, name) ? (this.values[name] ?? undefined) : undefined
  }

  #checked<T>(name: string, what: string, fallback: T | undefined, isValid: (x: unknown) => boolean): T {
    const value = this.get(name)
    if (value === undefined && fallback !== undefined) return fallback
    return isValid(value) ? (value as T) : this.fail(`${name} as ${what}`, value)
  }

  number(name: string, fallback?: number): number {
    return this.#checked(name, 'a finite number', fallback, Number.isFinite)
  }

  integer(name: string, fallback?: number): number {
    return this.#checked(name, 'an integer', fallback, (x) => Number.isInteger(x) && Math.abs(x as number) <= maxExtent)
  }

  count(name: string, fallback?: number): number {
    return this.#checked(name, 'a positive integer', fallback, isCount)
  }

  /** A share from 0 to 1. */
  rate(name: string, fallback?: number): number {
    return this.#checked(name, 'a number in [0, 1]', fallback, (x) => typeof x === 'number' && x >= 0 && x <= 1)
  }

  flag(name: string, fallback: boolean): boolean {
    return this.#checked(name, 'true or false', fallback, (x) => typeof x === 'boolean')
  }

  text(name: string, fallback?: string): string {
    return this.#checked(name, 'a text', fallback, (x) => typeof x === 'string')
  }

  choice<const T extends string>(name: string, choices: readonly T[], fallback?: T): T {
    const what = `one of ${choices.join(', ')}`
    return this.#checked(name, what, fallback, (x) => (choices as readonly unknown[]).includes(x))
  }

  /** Positive integers for so many axes: a list, or one for all. */
  counts(name: string, axes: number, fallback?: number, most = maxExtent): number[] {
    const what = `${axes === 1 ? 'a positive integer' : `${axes} positive integers`}${most < maxExtent ? ` up to ${most}` : ''}`
    const isFine = (x: unknown) => isCount(x) && x <= most
    const isValid = (x: unknown) => isFine(x) || (Array.isArray(x) && x.length === axes && x.every(isFine))
    const value = this.#checked<number | number[]>(name, what, fallback, isValid)
    return typeof value === 'number' ? new Array<number>(axes).fill(value) : [...value]
  }

  /** A list of integers, or one. */
  integers(name: string, fallback?: readonly number[]): number[] {
    const value = this.get(name)
    if (typeof value === 'number') return [this.integer(name)]
    const isValid = (x: unknown) => Array.isArray(x) && x.length <= 32 && x.every(Number.isInteger)
    return [...this.#checked<readonly number[]>(name, 'integers', fallback, isValid)]
  }

  object(name: string): Readonly<Record<string, unknown>> {
    return this.#checked<Readonly<Record<string, unknown>>>(name, 'an object', undefined, isPlainObject)
  }

  list(name: string): readonly unknown[] {
    return this.#checked<readonly unknown[]>(name, 'a list', undefined, Array.isArray)
  }

  /** Refuses what would change what is computed. */
  refuse(name: string, isFine: (value: unknown) => boolean, what: string): void {
    const value = this.get(name)
    if (value !== undefined && !isFine(value)) this.fail(what, value)
  }
}
