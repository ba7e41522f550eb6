/**
 * Whose a thing is: of this copy of the library, or of another one that the process has loaded as well, as Jest does for each
 * test file, and npm where two packages want different versions. Nodes of two copies cannot be joined in one graph.
 */
import { version } from './version.ts'

/** Shared by all copies. What is found under it may be anybody's, and is good for a message alone. */
const key = Symbol.for('galvani.brand')

interface Brand {
  readonly kind: string
  readonly version: string
}

const own = new WeakSet<object>()

/** Says what the objects of a class are called. */
export function brand(prototype: object, kind: string): void {
  const mark: Brand = Object.freeze({ kind, version })
  own.add(mark)
  Object.defineProperty(prototype, key, { value: mark })
}

function isBrand(mark: unknown): mark is Brand {
  if (typeof mark !== 'object' || mark === null) return false
  const { kind, version } = mark as Partial<Brand>
  return typeof kind === 'string' && typeof version === 'string' && kind.length + version.length < 100
}

/** What another copy says that a value is; undefined for whatever is not of one. */
export function foreignKind(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const mark = (value as Record<symbol, unknown>)[key]
  return isBrand(mark) && !own.has(mark) ? mark.kind : undefined
}

/** What a message says of it: `a tensor of another copy of galvani (version 0.1.0)`. */
export function foreignText(value: object): string {
  const mark = (value as Record<symbol, unknown>)[key] as Brand
  const article = /^[aeiou]/.test(mark.kind) ? 'an' : 'a'
  return `${article} ${mark.kind} of another copy of galvani (version ${mark.version}): have the process load one copy`
}
