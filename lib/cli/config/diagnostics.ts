/** What is wrong with a configuration: all of it at once, each fault by its key. */
import { shown } from '../../base/errors.ts'
import { nearestName } from '../../base/options.ts'
import { CommandError, exitCodes } from '../exit.ts'

export interface Fault {
  /** `model[1].outFeatures`; empty for the whole. */
  readonly key: string
  readonly message: string
}

/** Looks at a value under a key, and notes what is wrong with it. */
export type Check = (value: unknown, key: string, faults: Fault[]) => void

/** A configuration that cannot be used. */
export class ConfigError extends CommandError {
  override name = 'ConfigError'
  readonly faults: readonly Fault[]

  /** @param file its name as it was typed */
  constructor(file: string, faults: readonly Fault[]) {
    const width = Math.max(...faults.map(({ key }) => key.length))
    const lines = faults.map(({ key, message }) => `  ${key.padEnd(width)}  ${message}`.trimEnd())
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
    super([`${count} in ${file}`, ...lines].join('\n'), {
      help: 'docs/cli.md has all keys, and what they may be',
      code: exitCodes.usage,
    })
    this.faults = faults
  }
}

/** `data.path` of `data` and `path`. */
export const keyIn = (key: string, name: string): string => (key === '' ? name : `${key}.${name}`)

/** A value in a message, a text in quotes. */
const got = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : shown(value))

export const fault = (key: string, what: string, value: unknown): Fault => ({
  key,
  message: value === undefined ? `expected ${what}` : `expected ${what}, got ${got(value)}`,
})

/** A name that is none of those known, with the nearest of them. */
export function unknownName(key: string, what: string, name: string, known: readonly string[]): Fault {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `; there are ${known.join(', ')}` : `; did you mean ${nearest}?`
  return { key, message: `unknown ${what} ${got(name)}${hint}` }
}

/** Of an error of the library; one in the name of an option is of that key. */
export function faultOf(key: string, error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error)
  const [, option, hint] = /^\w+: unknown option (\w+); (.*)$/s.exec(message) ?? []
  return option === undefined ? { key, message } : { key: keyIn(key, option), message: `unknown key; ${hint}` }
}
