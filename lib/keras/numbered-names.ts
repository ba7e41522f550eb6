/** The names that Keras 3 gives to the members of a list in a file. */

const snakeCase = (name: string): string =>
  name
    .replaceAll(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()

/** Those of their classes, with a number from the second on. */
export function numberedNames(classNames: readonly string[]): string[] {
  const used = new Map<string, number>()
  return classNames.map((className) => {
    const name = snakeCase(className)
    const times = used.get(name) ?? 0
    used.set(name, times + 1)
    return times === 0 ? name : `${name}_${times}`
  })
}
