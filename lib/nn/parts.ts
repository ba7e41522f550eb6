/** What a model is made of: everything among its properties, by the path that leads there. */
import { types } from 'node:util'
import { expected } from '../base/errors.ts'
import { foreignKind } from '../base/identity.ts'
import { isPlainObject } from '../base/options.ts'
import { Tensor } from '../tensor/tensor.ts'

export interface Parts {
  /** Each object once, with the first path to it, in the order in which they were met. */
  readonly paths: ReadonlyMap<object, string>
  /** Further paths to an object, with its first one. */
  readonly aliases: readonly (readonly [alias: string, path: string])[]
}

/**
 * The properties of a model, those of the modules among them, and so on, also in arrays, plain objects, maps and sets. What is
 * in a private field of JavaScript (`#inner`) cannot be seen from outside.
 */
export function partsOf(model: object): Parts {
  const paths = new Map<object, string>()
  const aliases: (readonly [string, string])[] = []
  // A list of what is still to be entered, the next one last: what is deeper than the call stack has parts as well.
  const left: (readonly [path: string, value: unknown])[] = [['', model]]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [path, value] = next
    if (typeof value !== 'object' || value === null) continue
    const known = paths.get(value)
    if (known !== undefined) {
      aliases.push([path, known])
      continue
    }
    if (foreignKind(value) !== undefined) throw new TypeError(expected('Module', `a part ${path} of this copy`, value))
    paths.set(value, path)
    const entries = [...(value === model ? Object.entries(value) : entriesOf(value))]
    for (const [key, part] of entries.reverse()) left.push([joined(path, key), part])
  }
  return { paths, aliases }
}

/** What has no name of its own is called like what it is in. */
export const joined = (path: string, key: string): string => (path === '' || key === '' ? path + key : `${path}.${key}`)

/** Whether a path leads through another one, which may be that of the model itself. */
export const isWithin = (path: string, other: string): boolean => other === '' || path.startsWith(`${other}.`)

function entriesOf(value: object): Iterable<readonly [string, unknown]> {
  if (value instanceof Tensor) return []
  if (types.isMap(value)) return [...value].flatMap(([key, part], i) => entriesOfKey(key, part, i))
  if (types.isSet(value)) return [...value].map((part, i) => [String(i), part] as const)
  return Array.isArray(value) || isPlainObject(value) || isLayer(value) ? Object.entries(value) : []
}

/** A key that has no name of its own is called by its place, and may be a part of the model itself. */
function entriesOfKey(key: unknown, part: unknown, place: number): (readonly [string, unknown])[] {
  if (typeof key !== 'object' && typeof key !== 'function')
    return [[typeof key === 'symbol' ? (key.description ?? String(place)) : String(key), part]]
  return [
    [String(place), part],
    [`${place}.key`, key],
  ]
}

/** Whatever has the method that layers have, of which class ever. */
const isLayer = (value: object): boolean => 'forward' in value && typeof value.forward === 'function'
