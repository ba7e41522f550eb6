/** What `--set` puts into a configuration: `optimizer.learningRate=0.01`. */
import { isPlainObject } from '../../base/options.ts'
import { CommandError, exitCodes } from '../exit.ts'

export interface Override {
  /** `optimizer.learningRate`, `model[1].outFeatures`. */
  readonly key: string
  readonly value: unknown
}

const usage = (message: string, help?: string) =>
  new CommandError(message, { code: exitCodes.usage, ...(help === undefined ? {} : { help }) })

/** The value is JSON, or else a text. */
export function overrideOf(typed: string): Override {
  const at = typed.indexOf('=')
  if (at < 1) throw usage(`--set: expected key=value, got ${typed}`, 'for example --set optimizer.learningRate=0.01')
  const [key, value] = [typed.slice(0, at), typed.slice(at + 1)]
  try {
    return { key, value: JSON.parse(value) }
  } catch {
    return { key, value }
  }
}

/** The steps of a path. */
const stepsOf = (key: string): (string | number)[] =>
  key
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))

/** The configuration with the values in their places; the given one stays as it is. */
export function withOverrides(config: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((before, { key, value }) => placed(before, stepsOf(key), value, key), config)
}

function placed(container: unknown, [step, ...rest]: (string | number)[], value: unknown, key: string): unknown {
  if (step === undefined) return value
  if (step === '' || step === '__proto__') throw usage(`--set: expected a key of a configuration, got ${key}`)
  if (Array.isArray(container)) {
    if (typeof step !== 'number' || step >= container.length)
      throw usage(`--set ${key}: expected a place from 0 to ${container.length - 1}, got ${step}`)
    return container.with(step, placed(container[step], rest, value, key))
  }
  // A name alone is a call without arguments, which has one now.
  const named = typeof container === 'string' ? { type: container } : (container ?? {})
  if (!isPlainObject(named)) throw usage(`--set ${key}: expected a key of the file, got one of something made in it`)
  const before = (named as Record<string, unknown>)[step]
  return { ...named, [step]: placed(before, rest, value, key) }
}
