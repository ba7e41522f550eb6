/** Values nested in arrays and plain objects, taken apart and put together again. */

const isContainer = (x: unknown): x is Record<string, unknown> | unknown[] =>
  Array.isArray(x) || (typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype)

/** The same containers around other leaves. */
export function mapTree(tree: unknown, leaf: (x: unknown) => unknown): unknown {
  if (!isContainer(tree)) return leaf(tree)
  if (Array.isArray(tree)) return tree.map((x) => mapTree(x, leaf))
  return Object.fromEntries(Object.entries(tree).map(([key, x]) => [key, mapTree(x, leaf)]))
}

/** A text that two trees share exactly when their containers are the same and `leaf` gives the same for their leaves. */
export function treeKey(tree: unknown, leaf: (x: unknown) => string): string {
  if (!isContainer(tree)) return leaf(tree)
  if (Array.isArray(tree)) return `[${tree.map((x) => treeKey(x, leaf)).join()}]`
  return `{${Object.entries(tree)
    .map(([key, x]) => `${JSON.stringify(key)}:${treeKey(x, leaf)}`)
    .join()}}`
}

/** The leaves, each with its path: `x.image` for a tree that is called x. */
export function leavesOf(name: string, tree: unknown): (readonly [path: string, leaf: unknown])[] {
  if (!isContainer(tree)) return [[name, tree]]
  return Object.entries(tree).flatMap(([key, x]) => leavesOf(`${name}.${key}`, x))
}
