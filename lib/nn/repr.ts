/** Modules as text: a tree of layers with their options, as PyTorch prints it. */

interface Title {
  readonly name: string
  readonly options: string
  readonly given: Readonly<Record<string, unknown>>
}

const titles = new WeakMap<object, Title>()

const textOf = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(textOf).join(', ')}]`
    : typeof value === 'function'
      ? 'a function'
      : String(value)

/** The name of a layer that a function of this name makes. */
export const capitalized = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`

/** Says what a module is called, and with which options it was made; those that were not given are left out. */
export function titled<T extends object>(module: T, name: string, options: object = {}): T {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const text = given.map(([key, value]) => `${key}=${textOf(value)}`).join(', ')
  titles.set(module, { name, options: text, given: Object.fromEntries(given) })
  return module
}

/** What follows the name of a module in brackets, unless it says so itself. */
export const optionsOf = (module: object): string => titles.get(module)?.options ?? ''

/** The options a module was made with, by their names. */
export const givenTo = (module: object): Readonly<Record<string, unknown>> => titles.get(module)?.given ?? {}

/** What a module is called. */
export const titleOf = (module: object): string => titles.get(module)?.name ?? module.constructor.name

/** A module with the modules in it, each by its path from there. */
export function formatModule(
  module: object,
  options: string,
  children: readonly (readonly [string, string])[],
): string {
  const name = titleOf(module)
  if (children.length === 0) return `${name}(${options})`
  const lines = children.map(([path, text]) => `  (${path}): ${text.replaceAll('\n', '\n  ')}`)
  return [`${name}(${options}`, ...lines, ')'].join('\n')
}
