/** The names and layouts under which the state of a model is kept. */
import { joined } from './parts.ts'

type Named<T> = Readonly<Record<string, T>>

/** The same values, those under a path as `change` makes them of what it gets without the path. */
export function changeWithin<T>(state: Named<T>, path: string, change: (state: Named<T>) => Named<T>): Named<T> {
  if (path === '') return change(state)
  const start = `${path}.`
  const isInside = ([name]: readonly [string, T]) => name.startsWith(start)
  const entries = Object.entries(state)
  const first = entries.findIndex(isInside)
  if (first < 0) return state
  const inside = entries.filter(isInside).map(([name, value]) => [name.slice(start.length), value] as const)
  const changed = Object.entries(change(Object.fromEntries(inside)))
  return Object.fromEntries([
    ...entries.slice(0, first),
    ...changed.map(([name, value]) => [joined(path, name), value] as const),
    ...entries.slice(first).filter((entry) => !isInside(entry)),
  ])
}

/** The same values, where names that are, or begin with, one of the table's have what it says in its place. */
export const renamed = <T>(state: Named<T>, names: Named<string>): Named<T> =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [renamedName(name, names), value]))

function renamedName(name: string, names: Named<string>): string {
  const [first = '', ...rest] = name.split('.')
  return Object.hasOwn(names, first) ? [names[first], ...rest].join('.') : name
}

/** From the second of each pair of names to the first. */
export const inverse = (names: Named<string>): Named<string> =>
  Object.fromEntries(Object.entries(names).map(([name, other]) => [other, name]))

/** The same values, each under the first path to what has several. Where that has a value too, it is the one. */
export function withoutAliases<T>(state: Named<T>, aliases: readonly (readonly [string, string])[]): Named<T> {
  const firstName = (name: string): string => {
    const found = aliases.find(([alias]) => name === alias || name.startsWith(`${alias}.`))
    if (found === undefined) return name
    const [alias, path] = found
    const rest = name.slice(alias.length)
    return firstName(path === '' ? rest.slice(1) : `${path}${rest}`)
  }
  const entries = Object.entries(state).map(([name, value]) => ({ name, first: firstName(name), value }))
  const own = entries.filter(({ name, first }) => name === first)
  const others = entries.filter(({ name, first }) => name !== first && !Object.hasOwn(state, first))
  return Object.fromEntries([...own, ...others].map(({ first, value }) => [first, value]))
}
