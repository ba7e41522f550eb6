/** Which parts of a model a path or a regular expression is about. */
import { types } from 'node:util'
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'

/**
 * Of a path, whether it is selected: it or one that leads to it is what the pattern says, or it is that of a module of whose own variables all
 * are.
 * @throws RangeError where nothing is selected; TypeError for another kind of pattern
 */
export function selection(
  op: string,
  parts: readonly (readonly [part: object, path: string])[],
  isVariable: (part: object) => boolean,
  pattern: string | RegExp,
): (path: string) => boolean {
  const isNamed = matcherOf(op, pattern)
  const paths = parts.map(([, path]) => path).filter((path) => path !== '')
  const named = new Set(paths.filter(isNamed))
  if (named.size === 0)
    throw new RangeError(expected(op, `what a path has in it or begins with: ${paths.join(', ')}`, pattern))
  const variables = parts.filter(([part]) => isVariable(part)).map(([, path]) => path)
  const isWhole = (module: string): boolean => {
    const own = variables.filter((path) => ownerOf(path) === module)
    return own.length > 0 && own.every((path) => named.has(path))
  }
  return (path) => named.has(path) || isWhole(path)
}

const ownerOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')))

/** Of a path, whether it or one that leads to it is what the pattern says. */
function matcherOf(op: string, pattern: string | RegExp): (path: string) => boolean {
  if (typeof pattern !== 'string' && !types.isRegExp(pattern))
    throw new TypeError(expected(op, 'a path or a regular expression', describe(pattern)))
  const matches = (path: string) => (typeof pattern === 'string' ? path === pattern : path.search(pattern) >= 0)
  return (path) => {
    const keys = path.split('.')
    return keys.some((_, i) => matches(keys.slice(0, i + 1).join('.')))
  }
}
