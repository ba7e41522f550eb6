/** Values nested in arrays and plain objects, taken apart and put together again. */
import { types } from 'node:util'
import { expected } from './errors.ts'
import { isPlainObject } from './options.ts'

/** Far more than anybody nests, and far less than the call stack holds. */
const mostLevels = 256

const isContainer = (x: unknown): x is Record<string, unknown> | unknown[] => Array.isArray(x) || isPlainObject(x)

function checkLevels(op: string, levels: number): void {
  if (levels > mostLevels)
    throw new TypeError(
      expected(
        op,
        `arrays and objects in each other at most ${mostLevels} deep`,
        'deeper ones, or one that has itself in it',
      ),
    )
}

/**
 * The same containers around other leaves.
 * @throws TypeError, in the name of `op`, for containers that have themselves in them
 */
export function mapTree(op: string, tree: unknown, leaf: (x: unknown) => unknown, levels = 0): unknown {
  if (!isContainer(tree)) return leaf(tree)
  checkLevels(op, levels)
  if (Array.isArray(tree)) return tree.map((x) => mapTree(op, x, leaf, levels + 1))
  return Object.fromEntries(Object.entries(tree).map(([key, x]) => [key, mapTree(op, x, leaf, levels + 1)]))
}

/** A text that two trees share exactly when their containers are the same and `leaf` gives the same for their leaves. */
export function treeKey(op: string, tree: unknown, leaf: (x: unknown) => string, levels = 0): string {
  if (!isContainer(tree)) return leaf(tree)
  checkLevels(op, levels)
  if (Array.isArray(tree)) return `[${tree.map((x) => treeKey(op, x, leaf, levels + 1)).join()}]`
  return `{${Object.entries(tree)
    .map(([key, x]) => `${JSON.stringify(key)}:${treeKey(op, x, leaf, levels + 1)}`)
    .join()}}`
}

/** The leaves, each with its path: `x.image` for a tree that is called x. */
export function leavesOf(
  op: string,
  name: string,
  tree: unknown,
  levels = 0,
): (readonly [path: string, leaf: unknown])[] {
  if (!isContainer(tree)) return [[name, tree]]
  checkLevels(op, levels)
  return Object.entries(tree).flatMap(([key, x]) => leavesOf(op, `${name}.${key}`, x, levels + 1))
}

/** A promise, of any realm and library. */
export const isThenable = (x: unknown): x is PromiseLike<unknown> =>
  types.isPromise(x) || (typeof x === 'object' && x !== null && 'then' in x && typeof x.then === 'function')
